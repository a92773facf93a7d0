"""Signing in with Google: the authorization code flow with PKCE, from the click to the session.

An attempt (state, nonce, code verifier, the page to return to) stays on the server for ten minutes. A
cookie binds it to the browser, so a code or a state from another browser is of no use.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from msgspec import Meta, Struct

from shared import clock, logs
from shared.accounts.access import Access, Reason
from shared.accounts.erasure import Erasure
from shared.accounts.profiles import Profiles
from shared.accounts.sessions import ATTEMPT_LIFETIME, Cookie, Sessions, new_attempt_id
from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp.firestore import Firestore
from shared.library import own_playlists, subscriptions
from shared.messages import is_id
from shared.oauth.google import YOUTUBE_SCOPE, Google, SignInFailed
from shared.oauth.grants import Grants
from shared.random_secrets import hash_secret
from shared.search.index.writer import SearchIndex

_LONGEST_NEXT = 2000
#: Why a sign-in did not succeed. The page reads it in ``/?signin=…``.
Trouble = Literal["denied", "missing_scope", "expired", "failed"] | Reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in. ``next``: the path on this site to go to afterwards."""

    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    next: str


@dataclass(frozen=True, slots=True)
class Step:
    """An answer to the browser: where it goes next, and its new cookie."""

    location: str
    cookie: Cookie


class LoginAsked(Struct):
    next: Annotated[str, Meta(description="The path of the page to come back to.", examples=["/"])] | None = (
        None
    )


class SignIn:
    """The use case behind `GET /api/login` and `GET /api/login/callback`."""

    def __init__(
        self, config: Config, db: Firestore, index: SearchIndex, google: Google, grants: Grants
    ) -> None:
        self._db = db
        self._google = google
        self._grants = grants
        self._access = Access(config)
        self._sessions = Sessions(db)
        self._profiles = Profiles(config, db, grants)
        self._erasure = Erasure(db, index, grants)

    def begin(self, next_path: str | None, redirect_uri: str, cookie: Cookie) -> Step:
        """Sends the browser to Google. A user who is signed in stays so until the new sign-in is complete.

        Raises:
            ConfigError: sign-in is not configured.
            Transient: the database does not answer.
        """
        attempt_id = new_attempt_id()
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            # 43 to 128 characters: https://www.rfc-editor.org/rfc/rfc7636#section-4.1
            code_verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            next=path_on_this_site(next_path),
        )
        user_id = self._sessions.user_of(cookie.session) if cookie.session else None
        url = self._google.authorization_url(
            redirect_uri=redirect_uri,
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            login_hint=user_id,
        )
        data = {**asdict(attempt), "expires_at": clock.now() + ATTEMPT_LIFETIME}
        self._db.commit().create(_path(attempt_id), data).run()
        return Step(url, Cookie(cookie.session if user_id else None, attempt_id))

    def complete(self, answer: Mapping[str, str], cookie: Cookie) -> Step:
        """Turns Google's answer into a session.

        ``answer``: the parameters with which Google sent the browser back: ``state``, and ``code`` or
        ``error``.

        Raises:
            ConfigError: sign-in is not configured.
        """
        try:
            attempt = self._take(cookie.attempt) if cookie.attempt else None
            if attempt is None:
                return _trouble("expired", cookie)
            if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
                raise SignInFailed("The state is not that of this attempt.")
            if answer.get("error") == "access_denied":
                return _trouble("denied", cookie)
            if not answer.get("code"):
                raise SignInFailed("There is neither a code nor a refusal.")
            return self._sign_in(answer["code"], attempt, cookie)
        except (SignInFailed, Transient) as error:
            logs.warning("sign-in failed", error)
            return _trouble("failed", cookie)

    def _sign_in(self, code: str, attempt: Attempt, cookie: Cookie) -> Step:
        tokens = self._google.exchange_code(
            code, redirect_uri=attempt.redirect_uri, code_verifier=attempt.code_verifier
        )
        person = self._google.verify_id_token(tokens.id_token, nonce=attempt.nonce)
        user_id = person.subject
        if not is_id(user_id):
            raise SignInFailed("Google's id of the person does not have the documented form.")
        profile = {**self._profiles.read(user_id), **asdict(person)}
        if (refusal := self._access.refusal(profile)) is not None:
            logs.warning("sign-in refused", reason=refusal, user=user_id)
            return _trouble(refusal, cookie)
        # A user who asked to be erased and comes back starts anew, so the erasure is completed first.
        self._erasure.complete(user_id)
        reads_youtube = YOUTUBE_SCOPE in tokens.scopes
        self._profiles.save(user_id, person)
        self._grants.save(user_id, tokens.refresh_token, reads_youtube=reads_youtube)
        own_playlists.forget(self._db, user_id)
        subscriptions.forget(self._db, user_id)
        signed_in = Cookie(self._sessions.begin(user_id, cookie.session), None)
        logs.info("signed in", user=user_id)
        return Step(attempt.next, signed_in) if reads_youtube else _trouble("missing_scope", signed_in)

    def _take(self, attempt_id: str) -> Attempt | None:
        """Takes an attempt, once, however often its answer comes. None when it is taken or has expired."""
        path = _path(attempt_id)
        snapshot = self._db.read(path)[0]
        data = snapshot.data
        if data is None or data.get("taken") or data["expires_at"] <= clock.now():
            return None
        try:
            self._db.commit().update(path, {"taken": True}, unchanged_since=snapshot.update_time).run()
        except Conflict:
            return None
        self._db.commit().delete(path).run()
        return Attempt(
            data["state"], data["nonce"], data["code_verifier"], data["redirect_uri"], data["next"]
        )


def _trouble(kind: Trouble, cookie: Cookie) -> Step:
    return Step(f"/?signin={kind}", Cookie(cookie.session, None))


def _path(attempt_id: str) -> str:
    return f"sign_in_attempts/{hash_secret(attempt_id)}"


def path_on_this_site(text: str | None) -> str:
    """The path to go to after the sign-in. ``/`` for anything that a browser reads as another site.

    ``//host`` and ``/\\host`` are such addresses, and so is a text that becomes one when the browser drops
    tabs and line ends (https://url.spec.whatwg.org/#url-parsing).
    """
    if not text or len(text) > _LONGEST_NEXT or not re.match(r"/(?![/\\])", text):
        return "/"
    if "\\" in text or any(unicodedata.category(character)[0] == "C" for character in text):
        return "/"
    return quote(text, safe="/?#[]@!$&'()*+,;=:%-._~")
