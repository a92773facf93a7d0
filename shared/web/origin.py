"""The one origin that people open, and whether a request comes from a page of this origin.

A browser sends a cookie with every request to this site, also with requests that a page of another site
makes it send (cross-site request forgery). SameSite=Lax stops most of them. Requests that change something
need one more proof
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import re

from flask import Request

from shared.config import Config, ConfigError
from shared.errors import Forbidden

_SAFE = ("GET", "HEAD", "OPTIONS")
#: An attacker's DNS can let any other name stand for this machine, but none of these.
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?")


class Site:
    """This site, at the origin that people open."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def origin(self, request: Request) -> str:
        """``https://HOST``, without a slash at the end. Only a local run takes it from the request.

        Raises:
            ConfigError: PUBLIC_URL is missing.
        """
        if self._config.public_url:
            return self._config.public_url
        if not self._config.local:
            raise ConfigError("PUBLIC_URL: expected the origin that people open, found nothing")
        # localhost and 127.0.0.1 are two sites to a browser: each has its own cookie.
        host = request.headers.get("X-Forwarded-Host") or request.host
        return f"http://{host}" if _LOOPBACK.fullmatch(host) else f"http://localhost:{self._config.port}"

    def is_secure(self, request: Request) -> bool:
        """Whether cookies are sent over HTTPS only."""
        return self.origin(request).startswith("https://")

    def require_same_origin(self, request: Request) -> None:
        """Accepts a request that changes nothing, or that comes from a page of this site.

        The browser sets Sec-Fetch-Site, and no script can change it (https://www.w3.org/TR/fetch-metadata/).
        Browsers that do not send it send Origin.

        Raises:
            Forbidden: the request comes from another site, or it does not say from where.
        """
        if request.method in _SAFE:
            return
        site = request.headers.get("Sec-Fetch-Site")
        if site is None:
            same = request.headers.get("Origin") == self.origin(request)
        else:
            same = site == "same-origin"
        if not same:
            raise Forbidden(
                "Expected a request from this site's own pages. Programs send an API token in the header"
                " Authorization instead of a cookie."
            )

    def require_own_address(self, request: Request) -> None:
        """Accepts a program, or a page of this site, that asks this site by its own name.

        A page of another site can let its own name stand for this machine (DNS rebinding), and then read the
        answers of a local run. A site with a certificate cannot be asked by another name.

        Raises:
            Forbidden: a page of another site sent the request.
        """
        own = self.origin(request)
        host = request.headers.get("X-Forwarded-Host") or request.host
        renamed = own.startswith("http://") and not _LOOPBACK.fullmatch(host)
        if renamed or request.headers.get("Origin", own) != own:
            raise Forbidden("Expected a program, or a page of this site. A page of another site sent this.")


def require_navigation(request: Request) -> None:
    """Accepts a request for an address that a person opens, not one that a page loads as a picture or script.

    Raises:
        Forbidden: the browser says that it does not show the answer.
    """
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        raise Forbidden("Expected a browser that opens this address itself, not a page that loads it.")
