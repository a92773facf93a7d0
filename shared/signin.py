"""Signing in with Google: the authorization code flow with PKCE, from the click to the session.

What an attempt must remember (state, nonce, verifier, where to go afterwards) stays on the server,
for ten minutes, and is bound to the browser by a cookie: a code or a state from elsewhere is of no use.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from shared import clock, documents, erasure, google, grants, logs, own_playlists, profiles, sessions
from shared.documents import Commit, Conflict
from shared.errors import Transient
from shared.google import SignInFailed
from shared.messages import is_id
from shared.sessions import Cookie

_LONGEST_NEXT = 2000
#: What the page is told, at ``/?signin=…``, of an attempt that did not end as it should.
Trouble = Literal["denied", "missing_scope", "expired", "failed"]


@dataclass(frozen=True, slots=True)
class Attempt:
    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    next: str


@dataclass(frozen=True, slots=True)
class Step:
    """Where the browser goes next, and what it holds from now on."""

    location: str
    cookie: Cookie


def begin(next_path: str | None, redirect_uri: str, cookie: Cookie) -> Step:
    """To Google. Whoever is signed in stays so until the new sign-in is complete.

    Raises:
        ConfigError: sign-in is not configured.
        Transient: Firestore does not answer.
    """
    attempt_id = sessions.new_attempt_id()
    attempt = Attempt(
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        # 43 to 128 characters: https://www.rfc-editor.org/rfc/rfc7636#section-4.1
        secrets.token_urlsafe(48),
        redirect_uri,
        path_of_this_site(next_path),
    )
    known = sessions.user_of(cookie.session) if cookie.session else None
    url = google.authorization_url(
        redirect_uri=redirect_uri,
        state=attempt.state,
        nonce=attempt.nonce,
        code_verifier=attempt.code_verifier,
        login_hint=known,
    )
    fields = {
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_verifier": attempt.code_verifier,
        "redirect_uri": attempt.redirect_uri,
        "next": attempt.next,
        "expires_at": clock.now() + sessions.ATTEMPT_LIFETIME,
    }
    Commit().create(_path(attempt_id), fields).run()
    return Step(url, Cookie(cookie.session if known else None, attempt_id))


def complete(answer: Mapping[str, str], cookie: Cookie) -> Step:
    """What Google sent the browser back with (``state`` with ``code`` or ``error``) becomes a session.

    Raises:
        ConfigError: sign-in is not configured.
    """
    try:
        attempt = _taken(cookie.attempt) if cookie.attempt else None
        if attempt is None:
            return _trouble("expired", cookie)
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInFailed("The state is not that of this attempt.")
        if answer.get("error") == "access_denied":
            return _trouble("denied", cookie)
        if not answer.get("code"):
            raise SignInFailed("There is neither a code nor a refusal.")
        return _signed_in(answer["code"], attempt, cookie)
    except (SignInFailed, Transient) as error:
        logs.warning("sign-in failed", reason=str(error), cause=repr(error.__cause__))
        return _trouble("failed", cookie)


def _signed_in(code: str, attempt: Attempt, cookie: Cookie) -> Step:
    tokens = google.exchanged(code, redirect_uri=attempt.redirect_uri, code_verifier=attempt.code_verifier)
    person = google.verified(tokens.id_token, nonce=attempt.nonce)
    user_id = person.subject
    if not is_id(user_id):
        raise SignInFailed("Google's id of the person is not of the form that it documents.")
    # Who asked to be erased and comes back begins anew; the rest of before goes first.
    erasure.resume(user_id)
    reads_youtube = google.YOUTUBE_SCOPE in tokens.scopes
    profiles.save(user_id, person)
    grants.save(user_id, tokens.refresh_token, reads_youtube=reads_youtube)
    own_playlists.forget(user_id)
    session = Cookie(sessions.begin(user_id, cookie.session), None)
    logs.info("signed in", user=user_id)
    return Step(attempt.next, session) if reads_youtube else _trouble("missing_scope", session)


def _trouble(kind: Trouble, cookie: Cookie) -> Step:
    return Step(f"/?signin={kind}", Cookie(cookie.session, None))


def _taken(attempt_id: str) -> Attempt | None:
    """An attempt can be completed once, however often and at once its answer comes."""
    path = _path(attempt_id)
    snapshot = documents.read(path)[0]
    data = snapshot.data
    if data is None or data.get("taken") or data["expires_at"] <= clock.now():
        return None
    try:
        Commit().update(path, {"taken": True}, unchanged_since=snapshot.update_time).run()
    except Conflict:
        return None
    Commit().delete(path).run()
    return Attempt(data["state"], data["nonce"], data["code_verifier"], data["redirect_uri"], data["next"])


def _path(attempt_id: str) -> str:
    return f"sign_in_attempts/{sessions.hashed(attempt_id)}"


def path_of_this_site(text: str | None) -> str:
    """A path to go to after the sign-in, or ``/``: never an address that a browser reads as another site's.

    ``//host`` and ``/\\host`` are such addresses, and so is what becomes one when a browser drops tabs and
    line ends (https://url.spec.whatwg.org/#url-parsing).
    """
    if not text or len(text) > _LONGEST_NEXT or not re.match(r"/(?![/\\])", text):
        return "/"
    if "\\" in text or any(unicodedata.category(character)[0] == "C" for character in text):
        return "/"
    return quote(text, safe="/?#[]@!$&'()*+,;=:%-._~")
