"""The environment, read here and nowhere else.

``load()`` reads it once a process, at the first use and not at import, so that a function can be
imported, staged and inspected without any of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit


class ConfigError(ValueError):
    """A variable is missing or wrong; the message names it, what was expected and what was found."""


def _text(env: Mapping[str, str], name: str, default: str) -> str:
    return env.get(name, "").strip() or default


def _optional(env: Mapping[str, str], name: str) -> str | None:
    return env.get(name, "").strip() or None


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise ConfigError(f"{name}: expected a whole number from {low} to {high}, found {text!r}")
    return int(text)


def _url(env: Mapping[str, str], name: str, default: str | None) -> str | None:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", text):
        # What stands before an @ is a password.
        found = re.sub(r"[^/]*@", "[redacted]@", text)
        raise ConfigError(f"{name}: expected a URL that starts with http:// or https://, found {found!r}")
    return text.rstrip("/")


def _origin(env: Mapping[str, str], name: str) -> str | None:
    url = _url(env, name, None)
    if url is None:
        return None
    parts = urlsplit(url)
    if url != f"{parts.scheme}://{parts.netloc}" or "@" in url:
        raise ConfigError(f"{name}: expected an origin such as https://yts.example.org, found more than that")
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ConfigError(f"{name}: expected https:// off this machine, found {url!r}")
    return url


def _host_port(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    found = re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})", text)
    if found is None or not 1 <= int(found[1]) <= 65535:
        raise ConfigError(f"{name}: expected HOST:PORT, found {text!r}")
    return text


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = _text(env, name, default)
    if text not in allowed:
        raise ConfigError(f"{name}: expected one of {', '.join(allowed)}, found {text!r}")
    return text


def _languages(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    codes = tuple(code for code in (part.strip() for part in env.get(name, "").split(",")) if code)
    for code in codes:
        if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", code):
            raise ConfigError(f"{name}: expected language codes such as en or pt-BR, found {code!r}")
    return codes


def _keys(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    keys = tuple(key for key in (part.strip() for part in env.get(name, "").split(",")) if key)
    for number, key in enumerate(keys, 1):
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key):
            raise ConfigError(
                f"{name}: expected keys of 32 bytes in URL-safe base64, comma separated, found one of"
                f" {len(key)} characters at place {number}"
            )
    return keys


def _pattern(env: Mapping[str, str], name: str, default: str, pattern: str, meaning: str) -> str:
    text = _text(env, name, default)
    if not re.fullmatch(pattern, text):
        raise ConfigError(f"{name}: expected {meaning}, found {text!r}")
    return text


#: What the local run, examples and templates put where a secret belongs.
_PLACEHOLDER = re.compile(r"local-stand-in|change-?me|your[-_ ]|example|<|\bsecret\b|\bTODO\b", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class OAuth:
    """The client that people sign in with at Google, and where Google answers."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_uri: str
    token_uri: str
    jwks_uri: str
    issuer: str
    revoke_uri: str
    #: The first encrypts; all decrypt.
    encryption_keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """What the environment says; one field a variable, named after it."""

    port: int
    local_state_dir: Path
    pubsub_emulator_host: str | None
    firestore_emulator_host: str | None
    google_cloud_project: str
    elasticsearch_url: str | None
    elasticsearch_api_key: str | None = field(repr=False)
    elasticsearch_index_prefix: str
    youtube_api_endpoint: str | None
    youtube_api_key: str | None = field(repr=False)
    youtube_base_url: str
    youtube_embed_base_url: str
    #: Whether YouTube's player is asked only for what is read of its answer. See shared.partial_answers.
    youtube_partial_answers: bool
    fetch_concurrency: int
    #: The name of the address that YouTube sees; processes of one name share one breaker.
    egress_name: str
    webshare_proxy_username: str | None = field(repr=False)
    webshare_proxy_password: str | None = field(repr=False)
    proxy_url: str | None = field(repr=False)
    proxy_mode: str
    transcript_languages: tuple[str, ...]
    #: Whose library a playlist message without a job goes to; locally the demo user.
    owner_user_id: str | None
    #: Lets the command line of a local run ask for API tokens; never set in the cloud.
    operator_token: str | None = field(repr=False)
    #: A job without progress for so long has lost messages: the sweep publishes them again.
    stalled_after_seconds: int
    #: The name of this function; the platform sets it (https://cloud.google.com/run/docs/container-contract).
    k_service: str | None
    #: Where tests arm failpoints; of no effect without emulators. See shared.failpoints.
    failpoints_dir: Path | None
    google_oauth_client_id: str | None
    google_oauth_client_secret: str | None = field(repr=False)
    google_oauth_auth_uri: str
    google_oauth_token_uri: str
    google_oauth_jwks_uri: str
    google_oauth_issuer: str
    google_oauth_revoke_uri: str
    #: Fernet keys, under which refresh tokens are stored; a new one is put in front, an old one kept behind.
    grant_encryption_keys: tuple[str, ...] = field(repr=False)
    #: The one origin as people open it; locally it is taken from the request.
    public_url: str | None
    #: Jobs a user may start in an hour, and have active at once.
    jobs_per_hour: int
    jobs_at_once: int

    @property
    def local(self) -> bool:
        """Emulators are in use: nothing of this run is Google's."""
        return self.firestore_emulator_host is not None

    @property
    def owner(self) -> str | None:
        return self.owner_user_id or ("demo" if self.local else None)

    @property
    def sign_in(self) -> bool:
        """Whether people can sign in with Google here."""
        return self.google_oauth_client_id is not None

    @property
    def oauth(self) -> OAuth:
        """Raises ConfigError, which names the variable that is missing or still has a placeholder's value."""
        return OAuth(
            self.secret("google_oauth_client_id"),
            self.secret("google_oauth_client_secret"),
            self.google_oauth_auth_uri,
            self.google_oauth_token_uri,
            self.google_oauth_jwks_uri,
            self.google_oauth_issuer,
            self.google_oauth_revoke_uri,
            tuple(self.secret("grant_encryption_keys").split(",")),
        )

    def secret(self, name: str) -> str:
        """The value of a field that has no default.

        Raises:
            ConfigError: it is missing, or, but for a local run, an example's value was left in place.
        """
        value = getattr(self, name)
        text = ",".join(value) if isinstance(value, tuple) else value
        if not text:
            raise ConfigError(f"{name.upper()}: expected a value, found nothing")
        if not self.local and _PLACEHOLDER.search(text):
            raise ConfigError(f"{name.upper()}: expected a value of your own, found a placeholder's")
        return str(text)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Config:
        """Raises ConfigError, which names the variable."""
        return cls(
            port=_number(env, "PORT", 8080, 1, 65535),
            local_state_dir=Path(_text(env, "LOCAL_STATE_DIR", ".local")),
            pubsub_emulator_host=_host_port(env, "PUBSUB_EMULATOR_HOST"),
            firestore_emulator_host=_host_port(env, "FIRESTORE_EMULATOR_HOST"),
            google_cloud_project=_pattern(
                env,
                "GOOGLE_CLOUD_PROJECT",
                "yts-local",
                r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
                "a project id (6 to 30 lower-case letters, digits and hyphens)",
            ),
            elasticsearch_url=_url(env, "ELASTICSEARCH_URL", None),
            elasticsearch_api_key=_optional(env, "ELASTICSEARCH_API_KEY"),
            elasticsearch_index_prefix=_pattern(
                env,
                "ELASTICSEARCH_INDEX_PREFIX",
                "yts",
                r"[a-z][a-z0-9_-]{0,62}",
                "lower-case letters, digits, _ and -",
            ),
            youtube_api_endpoint=_url(env, "YOUTUBE_API_ENDPOINT", None),
            youtube_api_key=_optional(env, "YOUTUBE_API_KEY"),
            youtube_base_url=_url(env, "YOUTUBE_BASE_URL", None) or "https://www.youtube.com",
            youtube_embed_base_url=_url(env, "YOUTUBE_EMBED_BASE_URL", None)
            or "https://www.youtube-nocookie.com",
            youtube_partial_answers=_choice(env, "YOUTUBE_PARTIAL_ANSWERS", "on", ("on", "off")) == "on",
            fetch_concurrency=_number(env, "FETCH_CONCURRENCY", 50, 1, 1000),
            egress_name=_pattern(
                env,
                "EGRESS_NAME",
                "main",
                r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
                "up to 63 letters, digits, dots, hyphens and underscores",
            ),
            webshare_proxy_username=_optional(env, "WEBSHARE_PROXY_USERNAME"),
            webshare_proxy_password=_optional(env, "WEBSHARE_PROXY_PASSWORD"),
            proxy_url=_url(env, "PROXY_URL", None),
            proxy_mode=_choice(env, "PROXY_MODE", "when-blocked", ("when-blocked", "always")),
            transcript_languages=_languages(env, "TRANSCRIPT_LANGUAGES"),
            owner_user_id=_optional(env, "OWNER_USER_ID"),
            operator_token=_optional(env, "OPERATOR_TOKEN"),
            stalled_after_seconds=_number(env, "STALLED_AFTER_SECONDS", 600, 1, 86400),
            google_oauth_client_id=_optional(env, "GOOGLE_OAUTH_CLIENT_ID"),
            google_oauth_client_secret=_optional(env, "GOOGLE_OAUTH_CLIENT_SECRET"),
            google_oauth_auth_uri=_url(env, "GOOGLE_OAUTH_AUTH_URI", None)
            or "https://accounts.google.com/o/oauth2/v2/auth",
            google_oauth_token_uri=_url(env, "GOOGLE_OAUTH_TOKEN_URI", None)
            or "https://oauth2.googleapis.com/token",
            google_oauth_jwks_uri=_url(env, "GOOGLE_OAUTH_JWKS_URI", None)
            or "https://www.googleapis.com/oauth2/v3/certs",
            google_oauth_issuer=_url(env, "GOOGLE_OAUTH_ISSUER", None) or "https://accounts.google.com",
            google_oauth_revoke_uri=_url(env, "GOOGLE_OAUTH_REVOKE_URI", None)
            or "https://oauth2.googleapis.com/revoke",
            grant_encryption_keys=_keys(env, "GRANT_ENCRYPTION_KEYS"),
            public_url=_origin(env, "PUBLIC_URL"),
            jobs_per_hour=_number(env, "JOBS_PER_HOUR", 300, 1, 10_000),
            jobs_at_once=_number(env, "JOBS_AT_ONCE", 100, 1, 10_000),
            k_service=_optional(env, "K_SERVICE"),
            failpoints_dir=Path(found) if (found := _optional(env, "FAILPOINTS_DIR")) else None,
        )


def at_start(*names: str) -> None:
    """Stops a deployed function that could not do its work, before it serves anybody.

    Deployed is what has no emulators and runs on the platform (K_SERVICE, which Cloud Run sets:
    https://cloud.google.com/run/docs/container-contract#env-vars) or names its project. So a function
    can still be imported and inspected with an empty environment.

    Raises:
        ConfigError: a variable is missing or has a placeholder's value; names it.
    """
    settings = Config.from_env(os.environ)
    if settings.local or not (settings.k_service or os.environ.get("GOOGLE_CLOUD_PROJECT")):
        return
    for name in names:
        settings.secret(name.lower())


@lru_cache(maxsize=1)
def load() -> Config:
    """The configuration of this process."""
    return Config.from_env(os.environ)
