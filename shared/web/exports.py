"""The route of exports."""

from __future__ import annotations

from flask import Request, Response

from shared.accounts.asking import asked, searchable
from shared.accounts.auth import Caller
from shared.exports.files import FORMS
from shared.exports.service import Exports
from shared.gcp.firestore import Firestore
from shared.web.requests import choice_of
from shared.web.routing import Routes


def add_routes(routes: Routes, db: Firestore, exports: Exports) -> None:
    @routes.get("/api/export")
    def export(request: Request, caller: Caller) -> Response:
        form = choice_of(request, "format", FORMS) or "markdown"
        params, placed = asked(db, caller, request.args)
        begun = exports.begin(caller.user_id, lambda: searchable(db, caller), params, placed, form)
        headers = {"Content-Disposition": f'attachment; filename="{begun.name}"'}
        answer = Response(begun.pieces, mimetype=begun.mimetype, headers=headers)
        answer.call_on_close(begun.end)
        return answer
