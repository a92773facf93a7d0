"""Who a user is, as Google said at the last sign-in."""

from __future__ import annotations

from typing import Any

from shared import clock, config, documents, grants
from shared.documents import Commit
from shared.google import Person


def path(user_id: str) -> str:
    return f"users/{user_id}"


def save(user_id: str, person: Person) -> None:
    fields = {
        "email": person.email,
        "name": person.name,
        "picture_url": person.picture_url,
        "signed_in_at": clock.now(),
    }
    Commit().set(path(user_id), fields).run()


def view(user_id: str) -> dict[str, Any]:
    """As `GET /api/me` answers it; what Google says is null for who never signed in there."""
    settings, data = config.load(), documents.read(path(user_id))[0].data or {}
    return {
        "user_id": user_id,
        **{name: data.get(name) for name in ("email", "name", "picture_url")},
        "grant": grants.state(user_id),
        "player_base_url": settings.youtube_embed_base_url,
        "sign_in": settings.sign_in,
    }
