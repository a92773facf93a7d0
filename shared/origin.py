"""The one origin that people open, and whether a request comes from its own pages.

A cookie travels with every request to this site, also with those that a page of another site makes a
browser send (cross-site request forgery). SameSite=Lax stops most of them; what changes something
needs a proof besides (https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import re

from flask import Request

from shared import config
from shared.config import ConfigError
from shared.errors import Forbidden

_SAFE = ("GET", "HEAD", "OPTIONS")
#: A name that an attacker's DNS can make mean this machine is not one of these.
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?")


def of(request: Request) -> str:
    """``https://HOST``, without a slash at the end. Never taken from a request but on this machine.

    Raises:
        ConfigError: PUBLIC_URL is missing.
    """
    settings = config.load()
    if settings.public_url:
        return settings.public_url
    if not settings.local:
        raise ConfigError("PUBLIC_URL: expected the origin that people open, found nothing")
    # localhost and 127.0.0.1 are two sites to a browser: each keeps its own cookie.
    host = request.headers.get("X-Forwarded-Host") or request.host
    return f"http://{host}" if _LOOPBACK.fullmatch(host) else f"http://localhost:{settings.port}"


def require_same(request: Request) -> None:
    """Lets a request pass that is safe, or comes from a page of ours.

    Sec-Fetch-Site is the browser's own word, which no script can change
    (https://www.w3.org/TR/fetch-metadata/); Origin stands in for it in browsers that do not send it.

    Raises:
        Forbidden: it does not, or nothing tells.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    own = site == "same-origin" if site is not None else request.headers.get("Origin") == of(request)
    if not own:
        raise Forbidden(
            "Expected a request from this site's own pages. Programs send an API token in the header"
            " Authorization instead of a cookie."
        )


def require_navigation(request: Request) -> None:
    """Lets pass what a person opens, and not what a page of any site loads as a picture or a script.

    Raises:
        Forbidden: the browser says that it is not shown.
    """
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        raise Forbidden("Expected a browser that opens this address itself, not a page that loads it.")
