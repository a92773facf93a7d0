"""A database that holds some documents and takes no writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.accounts.sessions import LIFETIME
from shared.config import Config
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.random_secrets import hash_secret

#: An API token of the user ada, and a session of hers.
TOKEN, SESSION = f"yts_{'a' * 43}", f"yts_session_{'a' * 43}"


class Stored(Firestore):
    """Reads documents from a mapping by path. ``asked``: every path that was read."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__(Config())
        self._documents = documents or {}
        self.asked: list[str] = []

    def read(self, *paths: str, fields: Sequence[str] | None = None) -> list[Snapshot]:
        self.asked += paths
        return [Snapshot(path, self._documents.get(path), None) for path in paths]


def accounts_of_ada() -> Stored:
    """A database that knows TOKEN and SESSION."""
    session = {"user_id": "ada", "expires_at": datetime.now(UTC) + LIFETIME}
    return Stored(
        {
            f"api_tokens/{hash_secret(TOKEN)}": {"user_id": "ada"},
            f"sessions/{hash_secret(SESSION)}": session,
        }
    )
