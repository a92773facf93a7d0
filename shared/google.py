"""Google as an authorization server: the address to sign in at, codes and tokens, ID tokens, revocation.

https://developers.google.com/identity/openid-connect/openid-connect (OpenID Connect Core 1.0) through
Authlib, which speaks OAuth, and joserfc, which verifies signatures and claims.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import clients, config
from shared.errors import GrantExpired, Transient, YtsError

YOUTUBE_SCOPE = "https://www.googleapis.com/auth/youtube.readonly"
SCOPES = ("openid", "email", "profile", YOUTUBE_SCOPE)
#: Seconds by which our clock and Google's may differ.
_LEEWAY = 60
#: Seconds for which Google's keys are kept, and between two askings because of an unknown key.
_KEYS_KEPT, _KEYS_AGAIN = 3600.0, 5.0


class SignInFailed(YtsError):
    """Google's answer does not prove who the person is."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint answers (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str | None
    id_token: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """The claims of a verified ID token. ``subject``: Google's id of the person, which never changes."""

    subject: str
    email: str | None
    name: str | None
    picture_url: str | None


def authorization_url(
    *, redirect_uri: str, state: str, nonce: str, code_verifier: str, login_hint: str | None
) -> str:
    """Where to send the browser. Offline access with consent each time: else no refresh token comes."""
    hint = {"login_hint": login_hint} if login_hint else {}
    with clients.google() as client:
        url, _ = client.create_authorization_url(
            config.load().oauth.auth_uri,
            redirect_uri=redirect_uri,
            scope=" ".join(SCOPES),
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            access_type="offline",
            prompt="consent",
            **hint,
        )
    return str(url)


def exchanged(code: str, *, redirect_uri: str, code_verifier: str) -> Tokens:
    """The tokens for an authorization code.

    Raises:
        SignInFailed: Google does not take the code.
        Transient: it does not answer.
    """
    return _tokens(
        "fetch_token",
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=code_verifier,
    )


def refreshed(refresh_token: str) -> Tokens:
    """A new access token.

    Raises:
        GrantExpired: the refresh token is dead.
        Transient: Google does not answer, or refuses for another reason.
    """
    return _tokens("refresh_token", refresh_token=refresh_token)


def _tokens(method: str, **parameters: str) -> Tokens:
    from authlib.integrations.base_client import OAuthError
    from requests import RequestException

    settings = config.load().oauth
    try:
        with clients.google() as client:
            answer = getattr(client, method)(settings.token_uri, **parameters)
    except OAuthError as error:
        # Neither the code nor a token is in its text: only what RFC 6749, section 5.2 names.
        if method == "fetch_token":
            raise SignInFailed(f"Google did not take the code ({error.error}).") from error
        if error.error == "invalid_grant":
            raise GrantExpired from error
        raise Transient(f"Google did not renew the access to YouTube ({error.error}).") from error
    except (RequestException, ValueError) as error:
        raise Transient(f"Google's sign-in did not answer ({type(error).__name__}).") from error
    if not isinstance(answer.get("access_token"), str):
        raise Transient("Google's sign-in answered without a token.")
    return Tokens(
        answer["access_token"],
        _text(answer, "refresh_token"),
        _text(answer, "id_token"),
        frozenset(str(answer.get("scope", "")).split()),
    )


def revoke(token: str) -> None:
    """Takes back all that the token stands for; one that is dead already is no error.

    https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke

    Raises:
        Transient: Google does not answer, or refuses.
    """
    from requests import RequestException

    try:
        with clients.google() as client:
            answer = client.post(config.load().oauth.revoke_uri, data={"token": token}, withhold_token=True)
            dead = answer.status_code == 400 and answer.json().get("error") == "invalid_token"
    except (RequestException, ValueError, AttributeError) as error:
        raise Transient(f"Google did not revoke the grant ({type(error).__name__}).") from error
    if answer.status_code != 200 and not dead:
        raise Transient(f"Google did not revoke the grant (HTTP {answer.status_code}).")


def verified(id_token: str | None, *, nonce: str) -> Person:
    """Who signed in, by an ID token of Google, for us, of now, and of this attempt.

    https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation

    Raises:
        SignInFailed: it proves nothing.
        Transient: Google's keys cannot be had.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError

    settings = config.load().oauth
    # Google's own documentation allows both forms of its name.
    issuers = {settings.issuer, settings.issuer.replace("https://accounts.google.com", "accounts.google.com")}
    registry = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "values": sorted(issuers)},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = _decoded(id_token or "").claims
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        # Only its name: the text may hold the token.
        raise SignInFailed(f"Google's ID token is not valid ({type(error).__name__}).") from None
    if claims.get("azp", settings.client_id) != settings.client_id:
        raise SignInFailed("Google's ID token is not valid (made for another client).")
    return Person(
        str(claims["sub"]), _text(claims, "email"), _text(claims, "name"), _picture(_text(claims, "picture"))
    )


def _decoded(id_token: str) -> Any:
    """Signed with RS256 by a key of Google; any other algorithm, none above all, is refused."""
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError

    try:
        return jwt.decode(id_token, _keys.current(), algorithms=["RS256"])
    except InvalidKeyIdError:
        # Google changes its keys every few days.
        return jwt.decode(id_token, _keys.current(again=True), algorithms=["RS256"])


class _Keys:
    """Google's public keys, fetched once an hour; sooner when there may be a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[str, float, Any] | None = None

    def current(self, *, again: bool = False) -> Any:
        uri = config.load().oauth.jwks_uri
        with self._lock:
            kept = _KEYS_AGAIN if again else _KEYS_KEPT
            if self._held is None or self._held[0] != uri or time.monotonic() - self._held[1] > kept:
                self._held = (uri, time.monotonic(), _fetched_keys(uri))
            return self._held[2]


_keys = _Keys()


def _fetched_keys(uri: str) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
    from requests import RequestException

    try:
        with clients.google() as client:
            answer = client.get(uri, withhold_token=True)
            answer.raise_for_status()
            return KeySet.import_key_set(answer.json())
    except (RequestException, JoseError, ValueError, KeyError, TypeError) as error:
        raise Transient(f"Google's keys cannot be had ({type(error).__name__}).") from error


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value[:2000] if isinstance(value, str) and value else None


def _picture(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None
