"""Profiles: name, address and picture of a user, as Google gave them at the last sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from shared import clock
from shared.accounts.access import Access
from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.oauth.google import Person
from shared.oauth.grants import Grants, GrantState


class Profile(TypedDict):
    """You. What Google knows is null for people who never signed in with Google.

    - `grant`: whether YouTube may be asked in your name
    - `player_base_url`: where the player of the page comes from
    - `by_meaning`: search by meaning is on here, and related places
    - `sign_in`: people can sign in here; `operator`: you may see and suspend others
    """

    user_id: str
    email: str | None
    name: str | None
    picture_url: str | None
    grant: GrantState | None
    player_base_url: str
    by_meaning: bool
    sign_in: bool
    operator: bool


class Profiles:
    """The profiles of all users."""

    def __init__(self, config: Config, db: Firestore, grants: Grants) -> None:
        self._config = config
        self._db = db
        self._grants = grants
        self._access = Access(config)

    def save(self, user_id: str, person: Person) -> None:
        data = {
            "email": person.email,
            "email_verified": person.email_verified,
            "hosted_domain": person.hosted_domain,
            "name": person.name,
            "picture_url": person.picture_url,
            "signed_in_at": clock.now(),
        }
        # What an operator has decided about the user stays.
        self._db.commit().set(profile_path(user_id), data, merge=True).run()

    def read(self, user_id: str) -> Mapping[str, Any]:
        """The stored profile. Empty for a user who never signed in with Google."""
        return self._db.read(profile_path(user_id))[0].data or {}

    def view(self, user_id: str) -> Profile:
        """A profile as `GET /api/me` answers it.

        Google's part is null for a user who never signed in with Google.
        """
        data = self.read(user_id)
        return {
            "user_id": user_id,
            "email": data.get("email"),
            "name": data.get("name"),
            "picture_url": data.get("picture_url"),
            "grant": self._grants.state(user_id),
            "player_base_url": self._config.youtube_embed_base_url,
            "by_meaning": self._config.by_meaning,
            "sign_in": self._config.sign_in,
            "operator": self._access.is_operator(data),
        }


def profile_path(user_id: str) -> str:
    return f"users/{user_id}"
