"""The route of exports."""

from __future__ import annotations

from flask import Request, Response

from shared.accounts.asking import asked, searchable
from shared.accounts.auth import Caller
from shared.errors import NotFound, TooMany
from shared.exports.files import MIMETYPES, ExportAsked
from shared.exports.service import Exports
from shared.gcp.firestore import Firestore
from shared.web.routing import Routes


def add_routes(routes: Routes, db: Firestore, exports: Exports) -> None:
    @routes.get("/api/export", files=MIMETYPES, raises=[NotFound, TooMany])
    def export_library(request: Request, caller: Caller, query: ExportAsked) -> Response:
        """All videos of a search, or of your library, with their transcripts.

        `markdown`, `srt` and `vtt` are a zip, `jsonl` has a video a line. The order is that of ids.
        """
        params, placed = asked(db, caller, query)
        begun = exports.begin(caller.user_id, lambda: searchable(db, caller), params, placed, query.format)
        headers = {"Content-Disposition": f'attachment; filename="{begun.name}"'}
        answer = Response(begun.pieces, mimetype=begun.mimetype, headers=headers)
        answer.call_on_close(begun.end)
        return answer
