"""/api/search, /api/suggest and /api/videos: searches in the caller's library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.library.memberships import titles
from shared.library.placement import placing
from shared.search import export as exports
from shared.search.params import Params
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.transcripts import subtitles
from shared.web.requests import choice_of
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
use_case = Search(SearchServer(config))
routes = Routes(config, db)


@functions_framework.http
def search(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/search")
def find(request: Request, caller: Caller) -> dict[str, Any]:
    params = Params.from_request(request.args)
    found = placing(db, caller.user_id, params)
    return use_case.search(caller.user_id, titles(db, caller.user_id), params, found)


@routes.get("/api/search/export")
def export(request: Request, caller: Caller) -> Response:
    form = choice_of(request, "format", list(exports.MIMETYPES)) or "csv"
    params = Params.from_request(request.args)
    found = placing(db, caller.user_id, params)
    hits = use_case.every_hit(caller.user_id, titles(db, caller.user_id), params, found)
    headers = {"Content-Disposition": f'attachment; filename="search.{form}"'}
    return Response(_begin(exports.render(hits, form)), mimetype=exports.MIMETYPES[form], headers=headers)


def _begin(pieces: Iterator[str]) -> Iterator[str]:
    """Looks for the first hit before the answer starts, because an error has a status of its own until then.

    Two pieces: the header of a CSV needs no search, but the piece after it does.
    """
    return chain(list(islice(pieces, 2)), pieces)


@routes.get("/api/suggest")
def suggest(request: Request, caller: Caller) -> dict[str, Any]:
    typed = request.args.get("q") or ""
    return {"suggestions": use_case.suggest(caller.user_id, titles(db, caller.user_id), typed)}


@routes.get("/api/videos/<video_id>")
def show_video(request: Request, caller: Caller, video_id: str) -> Response | dict[str, Any]:
    form = choice_of(request, "format", ["json", *subtitles.MIMETYPES]) or "json"
    times = choice_of(request, "times", ["0", "1"]) == "1"
    library, q = titles(db, caller.user_id), request.args.get("q")
    about, lines = use_case.video(caller.user_id, library, video_id)
    if form == "json":
        shown = [{"start": line.start, "duration": line.duration, "text": line.text} for line in lines]
        matches = {"matches": use_case.matches(caller.user_id, library, video_id, q)} if q else {}
        return {**about, "lines": shown, **matches}
    headers = {"Content-Disposition": f'attachment; filename="{about["video_id"]}.{form}"'}
    text = subtitles.render(lines, form, about, times)
    return Response(text, mimetype=subtitles.MIMETYPES[form], headers=headers)
