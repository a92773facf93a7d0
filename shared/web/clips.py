"""The routes of clips."""

from __future__ import annotations

from typing import Literal

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.errors import Busy, NotFound
from shared.keep import clip_files
from shared.keep.clip_views import ClipChange, ClipFilters, ClipId, ClipPage, ClipsAsked, ClipView, NewClip
from shared.keep.clips import Clips, Wanted
from shared.web.origin import Site
from shared.web.routing import Routes


class ExportAsked(ClipFilters, kw_only=True):
    format: Literal["md", "csv", "json"] = "md"


def add_routes(routes: Routes, clips: Clips, site: Site) -> None:
    @routes.post("/api/clips", status=201, raises=[NotFound, Busy])
    def keep_clip(request: Request, caller: Caller, body: NewClip) -> ClipView:
        """Keep some lines of a video. 409 beyond 10,000 clips."""
        return clips.add(caller.user_id, body)

    @routes.get("/api/clips")
    def list_clips(request: Request, caller: Caller, query: ClipsAsked) -> ClipPage:
        """Your clips, the newest first."""
        return clips.page(caller.user_id, Wanted.of(query), query.limit, query.cursor)

    @routes.get("/api/clips/export", files=tuple(clip_files.MIMETYPES.values()))
    def export_clips(request: Request, caller: Caller, query: ExportAsked) -> Response:
        """All your clips that are wanted, as a file."""
        found = clips.every(caller.user_id, Wanted.of(query))
        headers = {"Content-Disposition": f'attachment; filename="clips.{query.format}"'}
        pieces = clip_files.render(found, query.format, site.origin(request))
        return Response(pieces, mimetype=clip_files.MIMETYPES[query.format], headers=headers)

    @routes.patch("/api/clips/<clip_id>")
    def change_clip(request: Request, caller: Caller, clip_id: ClipId, body: ClipChange) -> ClipView:
        """Change the note of a clip, its tags, or both."""
        return clips.change(caller.user_id, clip_id, body)

    @routes.delete("/api/clips/<clip_id>")
    def delete_clip(request: Request, caller: Caller, clip_id: ClipId) -> Response:
        """Delete a clip."""
        clips.delete(caller.user_id, clip_id)
        return Response(status=204)
