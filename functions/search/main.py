"""/api/search, /api/suggest and /api/videos: what is found in the caller's library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import functions_framework
from flask import Request, Response

from shared import library, search_export, search_suggest, subtitles
from shared.auth import Caller
from shared.errors import BadRequest
from shared.http import Routes
from shared.search import every_hit
from shared.search import search as find
from shared.search_params import Params
from shared.search_video import matches, video

routes = Routes()


@functions_framework.http
def search(request: Request) -> Response:
    return routes.dispatch(request)


def _form(request: Request, default: str, allowed: list[str]) -> str:
    form = request.args.get("format") or default
    if form not in allowed:
        raise BadRequest(f"format: expected one of {', '.join(allowed)}, found {form[:40]!r}.")
    return form


@routes.add("GET", "/api/search")
def hits(request: Request, caller: Caller) -> dict[str, Any]:
    params, titles = Params.of(request.args), library.titles(caller.user_id)
    return find(list(titles), caller.user_id, params, titles)


@routes.add("GET", "/api/search/export")
def export(request: Request, caller: Caller) -> Response:
    form = _form(request, "csv", list(search_export.MIMETYPES))
    found = every_hit(list(library.titles(caller.user_id)), caller.user_id, Params.of(request.args))
    # The first hit is looked for before the answer begins: until then an error has a status of its own.
    pieces = _begun(search_export.render(found, form))
    headers = {"Content-Disposition": f'attachment; filename="search.{form}"'}
    return Response(pieces, mimetype=search_export.MIMETYPES[form], headers=headers)


def _begun(pieces: Iterator[str]) -> Iterator[str]:
    # Two pieces: a CSV's header asks nobody anything, only what follows comes from Elasticsearch.
    return chain(list(islice(pieces, 2)), pieces)


@routes.add("GET", "/api/suggest")
def suggestions(request: Request, caller: Caller) -> dict[str, Any]:
    typed = request.args.get("q") or ""
    return {
        "suggestions": search_suggest.suggest(list(library.titles(caller.user_id)), caller.user_id, typed)
    }


@routes.add("GET", "/api/videos/<video_id>")
def transcript(request: Request, caller: Caller, video_id: str) -> Response | dict[str, Any]:
    form = _form(request, "json", ["json", *subtitles.MIMETYPES])
    playlists, q = list(library.titles(caller.user_id)), request.args.get("q")
    about, lines = video(playlists, caller.user_id, video_id)
    if form == "json":
        shown = [{"start": line.start, "duration": line.duration, "text": line.text} for line in lines]
        found = {"matches": matches(playlists, caller.user_id, video_id, q)} if q else {}
        return {**about, "lines": shown, **found}
    headers = {"Content-Disposition": f'attachment; filename="{about["video_id"]}.{form}"'}
    return Response(subtitles.render(lines, form), mimetype=subtitles.MIMETYPES[form], headers=headers)
