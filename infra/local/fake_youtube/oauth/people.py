"""The people who can sign in, as ID tokens and the userinfo endpoint describe them."""

from __future__ import annotations

from typing import Any

from infra.local.fake_youtube.library.catalog import USERS


def subject(user: str) -> str:
    """The claim `sub`: an id that never changes. Google's has 21 digits. Here it is the user's name, so that
    a person who signs in finds what `./emulators.sh index` has put into the library of that name."""
    return user


#: All of them have accounts of one organisation.
_ORGANISATION = "example.com"


def email(user: str) -> str:
    return f"{user}@{_ORGANISATION}"


def find_user(hint: str) -> str | None:
    """`hint`: a login_hint, which is a user's name, address or `sub`."""
    return next((user for user in USERS if hint in (user, email(user), subject(user))), None)


def profile(user: str, scopes: tuple[str, ...], origin: str) -> dict[str, Any]:
    """The claims that the scopes allow. `origin`: of the picture's URL."""
    claims: dict[str, Any] = {"sub": subject(user)}
    if any(scope.endswith("email") for scope in scopes):
        claims |= {"email": email(user), "email_verified": True, "hd": _ORGANISATION}
    if any(scope.endswith("profile") for scope in scopes):
        given, _, family = USERS[user].title.partition(" ")
        claims |= {
            "name": USERS[user].title,
            "given_name": given,
            "family_name": family,
            "picture": f"{origin}/vi/{USERS[user].id}/default.jpg",
        }
    return claims
