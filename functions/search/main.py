"""/api/search, /api/suggest, /api/videos, /api/export and /api/link: the caller's library, or one source."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import cast

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.asking import asked, searchable
from shared.accounts.auth import Caller
from shared.declared import VideoId
from shared.errors import NotFound
from shared.exports.service import Exports
from shared.gcp.firestore import Firestore
from shared.library.links import LinkedSource
from shared.meaning.store import PassageStore
from shared.search import export as exports
from shared.search.answers import Found, Related, RelatedAsked
from shared.search.export import ExportAsked
from shared.search.meaning import Meaning
from shared.search.params import Asked
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.search.serving import Serving
from shared.search.suggest import SuggestAsked, Suggestions
from shared.search.video import ShownLine, Video, VideoAsked
from shared.transcripts import subtitles
from shared.web.exports import add_routes as add_export_routes
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
serving = Serving(db, config.embedder, config.embedder_models)
use_case = Search(SearchServer(config), Meaning(serving, PassageStore(db)))
routes = Routes(config, db)
add_export_routes(routes, db, Exports(use_case))


@functions_framework.http
def search(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/link", guests=True, raises=[NotFound])
def show_link(request: Request, caller: Caller) -> LinkedSource:
    """The source of the read-only link with which a guest asks.

    Guests may also search, get suggestions and read videos, within this source; everything else is 403.
    """
    if caller.link is None:
        raise NotFound("This is for those who have a read-only link. You are signed in.")
    return {
        "playlist_id": caller.link.playlist_id,
        "title": caller.link.title,
        "player_base_url": config.youtube_embed_base_url,
    }


@routes.get("/api/search", guests=True, raises=[NotFound])
def search_library(request: Request, caller: Caller, query: Asked) -> Found:
    """Search your library, to the second.

    `q` is in the query language: "exact phrase", -word, OR, prefix*, title:word, longer:20m and more. What
    cannot be understood is searched as words, and `notices` say so.
    """
    params, placed = asked(db, caller, query)
    return use_case.search(caller.user_id, searchable(db, caller), params, placed)


@routes.get("/api/search/export", files=tuple(exports.MIMETYPES.values()), raises=[NotFound])
def export_search(request: Request, caller: Caller, query: ExportAsked) -> Response:
    """Every hit of a search with every moment, whatever `limit` and `cursor` say.

    CSV has a row a moment; JSON Lines have a hit a line.
    """
    params, placed = asked(db, caller, query)
    hits = use_case.every_hit(caller.user_id, searchable(db, caller), params, placed)
    headers = {"Content-Disposition": f'attachment; filename="search.{query.format}"'}
    kind = exports.MIMETYPES[query.format]
    return Response(_begin(exports.render(hits, query.format)), mimetype=kind, headers=headers)


def _begin(pieces: Iterator[str]) -> Iterator[str]:
    """Looks for the first hit before the answer starts, because an error has a status of its own until then.

    Two pieces: the header of a CSV needs no search, but the piece after it does.
    """
    return chain(list(islice(pieces, 2)), pieces)


@routes.get("/api/suggest", guests=True)
def suggest_words(request: Request, caller: Caller, query: SuggestAsked) -> Suggestions:
    """Continue what a person types."""
    return {"suggestions": use_case.suggest(caller.user_id, searchable(db, caller), query.q)}


@routes.get("/api/videos/<video_id>", guests=True, files=tuple(subtitles.MIMETYPES.values()))
def show_video(request: Request, caller: Caller, video_id: VideoId, query: VideoAsked) -> Video | Response:
    """A video of your library with its whole transcript, as JSON or as a file."""
    library = searchable(db, caller)
    about, lines = use_case.video(caller.user_id, library, video_id)
    if query.format != "json":
        headers = {"Content-Disposition": f'attachment; filename="{about["video_id"]}.{query.format}"'}
        text = subtitles.render(lines, query.format, about, query.times == "1")
        return Response(text, mimetype=subtitles.MIMETYPES[query.format], headers=headers)
    shown: list[ShownLine] = [
        {"start": line.start, "duration": line.duration, "text": line.text} for line in lines
    ]
    video = cast(Video, {**about, "lines": shown})
    if query.q:
        video["matches"] = use_case.matches(caller.user_id, library, video_id, query.q)
    return video


@routes.get("/api/videos/<video_id>/related")
def list_related(request: Request, caller: Caller, video_id: VideoId, query: RelatedAsked) -> Related:
    """Where else in your library the same is talked about as at a second of a video."""
    return use_case.related(caller.user_id, searchable(db, caller), video_id, query.start, query.limit)
