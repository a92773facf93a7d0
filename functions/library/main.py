"""/api/playlists: what is in the caller's library, and what they have at YouTube."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import config, dashboard, jobs
from shared.auth import Caller
from shared.errors import BadRequest, NotFound
from shared.http import Routes
from shared.library import playlist, remove
from shared.playlist_ids import playlist_id_of

config.at_start("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS")
routes = Routes()


@functions_framework.http
def library(request: Request) -> Response:
    return routes.dispatch(request)


@routes.add("GET", "/api/playlists")
def of_caller(request: Request, caller: Caller) -> dict[str, Any]:
    return dashboard.of(caller.user_id)


@routes.add("DELETE", "/api/playlists/<playlist_id>")
def take_out(request: Request, caller: Caller, playlist_id: str) -> Response:
    try:
        playlist_id_of(playlist_id)
    except BadRequest as error:
        raise NotFound("There is no such playlist in your library.") from error
    # First the job: a planner at work must not put back what is removed.
    cancelled = jobs.cancel_active(caller.user_id, playlist_id)
    if playlist(caller.user_id, playlist_id) is None and not cancelled:
        raise NotFound("There is no such playlist in your library.")
    remove(caller.user_id, playlist_id)
    return Response(status=204)
