"""Profiles: name, address and picture of a user, as Google gave them at the last sign-in."""

from __future__ import annotations

from typing import Any

from shared import clock
from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.oauth.google import Person
from shared.oauth.grants import Grants


class Profiles:
    """The profiles of all users."""

    def __init__(self, config: Config, db: Firestore, grants: Grants) -> None:
        self._config = config
        self._db = db
        self._grants = grants

    def save(self, user_id: str, person: Person) -> None:
        data = {
            "email": person.email,
            "name": person.name,
            "picture_url": person.picture_url,
            "signed_in_at": clock.now(),
        }
        self._db.commit().set(profile_path(user_id), data).run()

    def view(self, user_id: str) -> dict[str, Any]:
        """A profile as `GET /api/me` answers it.

        Google's part is null for a user who never signed in with Google.
        """
        data = self._db.read(profile_path(user_id))[0].data or {}
        return {
            "user_id": user_id,
            **{name: data.get(name) for name in ("email", "name", "picture_url")},
            "grant": self._grants.state(user_id),
            "player_base_url": self._config.youtube_embed_base_url,
            "sign_in": self._config.sign_in,
        }


def profile_path(user_id: str) -> str:
    return f"users/{user_id}"
