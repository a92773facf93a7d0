"""/api/search, /api/suggest, /api/videos and /api/link: searches in the caller's library, or in a source."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.asking import asked, searchable
from shared.accounts.auth import Caller
from shared.errors import NotFound
from shared.gcp.firestore import Firestore
from shared.meaning.store import PassageStore
from shared.search import export as exports
from shared.search.meaning import Meaning, start_of
from shared.search.params import limit_of
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.search.serving import Serving
from shared.transcripts import subtitles
from shared.web.requests import choice_of
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
serving = Serving(db, config.embedder, config.embedder_models)
use_case = Search(SearchServer(config), Meaning(serving, PassageStore(db)))
routes = Routes(config, db)


@functions_framework.http
def search(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/link", guests=True)
def show_link(request: Request, caller: Caller) -> dict[str, Any]:
    if caller.link is None:
        raise NotFound("This is for those who have a read-only link. You are signed in.")
    return {
        "playlist_id": caller.link.playlist_id,
        "title": caller.link.title,
        "player_base_url": config.youtube_embed_base_url,
    }


@routes.get("/api/search", guests=True)
def find(request: Request, caller: Caller) -> dict[str, Any]:
    params, placed = asked(db, caller, request.args)
    return use_case.search(caller.user_id, searchable(db, caller), params, placed)


@routes.get("/api/search/export")
def export(request: Request, caller: Caller) -> Response:
    form = choice_of(request, "format", list(exports.MIMETYPES)) or "csv"
    params, placed = asked(db, caller, request.args)
    hits = use_case.every_hit(caller.user_id, searchable(db, caller), params, placed)
    headers = {"Content-Disposition": f'attachment; filename="search.{form}"'}
    return Response(_begin(exports.render(hits, form)), mimetype=exports.MIMETYPES[form], headers=headers)


def _begin(pieces: Iterator[str]) -> Iterator[str]:
    """Looks for the first hit before the answer starts, because an error has a status of its own until then.

    Two pieces: the header of a CSV needs no search, but the piece after it does.
    """
    return chain(list(islice(pieces, 2)), pieces)


@routes.get("/api/suggest", guests=True)
def suggest(request: Request, caller: Caller) -> dict[str, Any]:
    typed = request.args.get("q") or ""
    return {"suggestions": use_case.suggest(caller.user_id, searchable(db, caller), typed)}


@routes.get("/api/videos/<video_id>", guests=True)
def show_video(request: Request, caller: Caller, video_id: str) -> Response | dict[str, Any]:
    form = choice_of(request, "format", ["json", *subtitles.MIMETYPES]) or "json"
    times = choice_of(request, "times", ["0", "1"]) == "1"
    library, q = searchable(db, caller), request.args.get("q")
    about, lines = use_case.video(caller.user_id, library, video_id)
    if form == "json":
        shown = [{"start": line.start, "duration": line.duration, "text": line.text} for line in lines]
        matches = {"matches": use_case.matches(caller.user_id, library, video_id, q)} if q else {}
        return {**about, "lines": shown, **matches}
    headers = {"Content-Disposition": f'attachment; filename="{about["video_id"]}.{form}"'}
    text = subtitles.render(lines, form, about, times)
    return Response(text, mimetype=subtitles.MIMETYPES[form], headers=headers)


@routes.get("/api/videos/<video_id>/related")
def related(request: Request, caller: Caller, video_id: str) -> dict[str, Any]:
    start, limit = start_of(request.args.get("start")), limit_of(request.args)
    return use_case.related(caller.user_id, searchable(db, caller), video_id, start, limit)
