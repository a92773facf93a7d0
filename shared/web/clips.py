"""The routes of clips."""

from __future__ import annotations

from typing import Any

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.keep import clip_files
from shared.keep.clips import Clips, Wanted
from shared.web.origin import Site
from shared.web.requests import body_of, choice_of, limit_of
from shared.web.routing import Routes


def add_routes(routes: Routes, clips: Clips, site: Site) -> None:
    @routes.post("/api/clips")
    def add(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
        return clips.add(caller.user_id, body_of(request)), 201

    @routes.get("/api/clips")
    def show(request: Request, caller: Caller) -> dict[str, Any]:
        wanted, limit = Wanted.from_request(request.args), limit_of(request, 50, 100)
        return clips.page(caller.user_id, wanted, limit, request.args.get("cursor") or None)

    @routes.get("/api/clips/export")
    def export(request: Request, caller: Caller) -> Response:
        form = choice_of(request, "format", list(clip_files.MIMETYPES)) or "md"
        found = clips.every(caller.user_id, Wanted.from_request(request.args))
        headers = {"Content-Disposition": f'attachment; filename="clips.{form}"'}
        pieces = clip_files.render(found, form, site.origin(request))
        return Response(pieces, mimetype=clip_files.MIMETYPES[form], headers=headers)

    @routes.patch("/api/clips/<clip_id>")
    def change(request: Request, caller: Caller, clip_id: str) -> dict[str, Any]:
        return clips.change(caller.user_id, clip_id, body_of(request))

    @routes.delete("/api/clips/<clip_id>")
    def delete(request: Request, caller: Caller, clip_id: str) -> Response:
        clips.delete(caller.user_id, clip_id)
        return Response(status=204)
