"""The endpoints, which are groups of paths: faults, latency and statistics are kept for each of them."""

from __future__ import annotations

#: A client asks these for one video. Budgets of addresses count only them.
VIDEO_ENDPOINTS = ("watch", "player", "timedtext")
ENDPOINTS = ("data_api", *VIDEO_ENDPOINTS, "oauth")

#: Not in ENDPOINTS: requests to these two have no latency, and no rule can name them.
CONTROL, PAGES = "control", "pages"

CONTROL_PREFIX = "/_control/"
DATA_API_PREFIX = "/youtube/v3/"
_VIDEO_PATHS = {"/watch": "watch", "/youtubei/v1/player": "player", "/api/timedtext": "timedtext"}
#: The paths of sign-in, and the name of each as the target of a fault.
OAUTH_PATHS = {
    "/o/oauth2/v2/auth": "auth",
    "/token": "token",
    "/oauth2/v3/certs": "certs",
    "/revoke": "revoke",
    "/oauth2/v3/userinfo": "userinfo",
    "/.well-known/openid-configuration": "discovery",
}


def endpoint_of(path: str) -> str:
    """One of ENDPOINTS, CONTROL, or PAGES for any other path."""
    if path in _VIDEO_PATHS:
        return _VIDEO_PATHS[path]
    if path.startswith(DATA_API_PREFIX):
        return "data_api"
    if path in OAUTH_PATHS:
        return "oauth"
    return CONTROL if path.startswith(CONTROL_PREFIX) else PAGES
