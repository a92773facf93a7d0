"""Google as an authorization server: where to sign in, authorization codes, tokens, ID tokens, revocation.

https://developers.google.com/identity/openid-connect/openid-connect (OpenID Connect Core 1.0). Authlib
speaks OAuth; joserfc verifies signatures and claims.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from shared.config import Config
from shared.errors import GrantExpired, Transient, YtsError

YOUTUBE_SCOPE = "https://www.googleapis.com/auth/youtube.readonly"
SCOPES = ("openid", "email", "profile", YOUTUBE_SCOPE)
#: Seconds that one request may take. A person waits for it.
TIMEOUT = 8.0
#: Seconds by which our clock and Google's may differ.
_LEEWAY = 60
#: Seconds for which Google's public keys are kept.
_KEYS_KEPT = 3600.0
#: Seconds between two requests for them because of a token that names an unknown key.
KEYS_AGAIN = 5.0
_NO_ANSWER = "Google did not answer."


class SignInFailed(YtsError):
    """Google's answer does not prove the person's identity. The message is for the log only."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The answer of the token endpoint (RFC 6749, section 5.1)."""

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
    #: Whether Google has seen, once, that the address is the person's own.
    email_verified: bool = False
    #: The organisation that manages the account at Google (claim `hd`). None: the account is private.
    hosted_domain: str | None = None


class Google:
    """Google's authorization server. Thread-safe; one object a process.

    All methods raise ConfigError when sign-in is not configured. ``keys_again``: see KEYS_AGAIN.
    """

    def __init__(self, config: Config, *, keys_again: float = KEYS_AGAIN) -> None:
        self._config = config
        self._keys_again = keys_again
        self._keys_lock = threading.Lock()
        #: Google's public keys, and when they were fetched.
        self._keys: tuple[float, KeySet] | None = None

    def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, code_verifier: str, login_hint: str | None
    ) -> str:
        """The address to send the browser to.

        It asks for offline access and for consent each time, because Google gives no refresh token otherwise.
        """
        hint = {"login_hint": login_hint} if login_hint else {}
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._config.oauth.auth_uri,
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

    def exchange_code(self, code: str, *, redirect_uri: str, code_verifier: str) -> TokenResponse:
        """Exchanges an authorization code for tokens.

        Raises:
            SignInFailed: Google does not accept the code.
            Transient: Google does not answer.
        """
        try:
            return self._request_tokens(
                "fetch_token",
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=code_verifier,
            )
        except OAuthError as error:
            # The error code of RFC 6749, section 5.2. The authorization code is not in it.
            raise SignInFailed(f"Google does not accept the code ({error.error}).") from error

    def refresh(self, refresh_token: str) -> TokenResponse:
        """Gets a new access token.

        Raises:
            GrantExpired: the refresh token is not valid any more.
            Transient: Google does not answer, or refuses for another reason.
        """
        try:
            return self._request_tokens("refresh_token", refresh_token=refresh_token)
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise GrantExpired from error
            raise Transient("Google did not renew the access to YouTube.", detail=error.error) from error

    def revoke(self, token: str) -> None:
        """Revokes the grant that a token belongs to. A token that is not valid any more is no error.

        https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke

        Raises:
            Transient: Google does not answer, or refuses.
        """
        try:
            with self._client() as client:
                answer = client.post(
                    self._config.oauth.revoke_uri, data={"token": token}, withhold_token=True
                )
                invalid = answer.status_code == 400 and answer.json().get("error") == "invalid_token"
        except (RequestException, ValueError, AttributeError) as error:
            raise _no_answer(error) from error
        if answer.status_code != 200 and not invalid:
            raise Transient("Google did not revoke the grant.", detail=f"HTTP {answer.status_code}")

    def verify_id_token(self, id_token: str | None, *, nonce: str) -> Person:
        """Verifies that Google issued an ID token to us, for this sign-in, and that it has not expired.

        https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation

        Raises:
            SignInFailed: the token is missing or not valid.
            Transient: Google's public keys cannot be fetched.
        """
        settings = self._config.oauth
        # Google's documentation allows both forms of its name.
        issuers = {
            settings.issuer,
            settings.issuer.replace("https://accounts.google.com", "accounts.google.com"),
        }
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
            claims = self._decode(id_token or "").claims
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            # Only the type of the error: its text may hold the token.
            raise SignInFailed(f"Google's ID token is not valid ({type(error).__name__}).") from None
        if claims.get("azp", settings.client_id) != settings.client_id:
            raise SignInFailed("Google's ID token is not valid (made for another client).")
        return Person(
            subject=str(claims["sub"]),
            email=_text(claims, "email"),
            name=_text(claims, "name"),
            picture_url=_picture(_text(claims, "picture")),
            # OpenID Connect has a boolean here. Some tokens of Google had the text.
            email_verified=claims.get("email_verified") in (True, "true"),
            hosted_domain=_text(claims, "hd"),
        )

    def _client(self) -> Any:
        """An OAuth client for one use, because it is not thread-safe: ``with self._client() as client``."""
        settings = self._config.oauth
        return OAuth2Session(
            settings.client_id,
            settings.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 the name of a method
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )

    def _request_tokens(self, method: str, **parameters: str) -> TokenResponse:
        """Raises OAuthError when Google refuses, and Transient when it does not answer."""
        try:
            with self._client() as client:
                answer = getattr(client, method)(self._config.oauth.token_uri, **parameters)
        except (RequestException, ValueError) as error:
            raise _no_answer(error) from error
        if not isinstance(answer.get("access_token"), str):
            raise Transient(_NO_ANSWER, detail="the token endpoint answered without a token")
        return TokenResponse(
            answer["access_token"],
            _text(answer, "refresh_token"),
            _text(answer, "id_token"),
            frozenset(str(answer.get("scope", "")).split()),
        )

    def _decode(self, id_token: str) -> jwt.Token:
        """Verifies the signature. Only RS256 with a key of Google is accepted, and never `none`."""
        try:
            return jwt.decode(id_token, self._current_keys(_KEYS_KEPT), algorithms=["RS256"])
        except InvalidKeyIdError:
            # Google rotates its keys every few days.
            return jwt.decode(id_token, self._current_keys(self._keys_again), algorithms=["RS256"])

    def _current_keys(self, maximum_age: float) -> KeySet:
        """Google's public keys, fetched again when those at hand are older than ``maximum_age`` seconds."""
        with self._keys_lock:
            if self._keys is None or time.monotonic() - self._keys[0] > maximum_age:
                self._keys = (time.monotonic(), self._fetch_keys())
            return self._keys[1]

    def _fetch_keys(self) -> KeySet:
        try:
            with self._client() as client:
                answer = client.get(self._config.oauth.jwks_uri, withhold_token=True)
                answer.raise_for_status()
                return KeySet.import_key_set(answer.json())
        except (RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise _no_answer(error) from error


def _no_answer(error: Exception) -> Transient:
    # Only the type of the error: its text may hold an address with a token.
    return Transient(_NO_ANSWER, detail=type(error).__name__)


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value[:2000] if isinstance(value, str) and value else None


def _picture(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None
