"""The page: the types of its files, and the headers of every answer of its origin.

The gateway of a local run and the function `web` serve the same files with the same headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from shared.config import Config

#: Only files with these endings are served. The types do not depend on the tables of the machine.
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
#: Browsers ask again each time and get 304 by the ETag, so no page is stale after an update.
CACHE_CONTROL = "no-cache"
#: The functions answer at these paths and below them.
API_ROOTS = ("/api", "/mcp")


def is_api(path: str) -> bool:
    """Whether a path belongs to the functions, and not to the files."""
    return any(path == root or path.startswith(f"{root}/") for root in API_ROOTS)


def security_headers(described: Path, config: Config) -> dict[str, str]:
    """The headers of infra/headers.json, with the origins of the player and of the thumbnails filled in."""
    content = json.loads(described.read_text(encoding="utf-8"))
    parts = urlsplit(config.youtube_embed_base_url)
    player = f"{parts.scheme}://{parts.netloc}"
    # The fake YouTube serves thumbnails at the origin of its player.
    images = f"{content['images']} {player}"
    headers: dict[str, str] = content["headers"]
    return {
        name: value.replace("{images}", images).replace("{player}", player) for name, value in headers.items()
    }
