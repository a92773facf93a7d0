"""The environment, read here and nowhere else.

Every variable is one field of :class:`Config`. The field's type says which values are valid.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta


class ConfigError(ValueError):
    """A variable is missing or wrong. The message names it, what was expected and what was found.

    It is for operators. Other people read INCOMPLETE instead.
    """


INCOMPLETE = "The server is not configured completely; its log says what is missing."


_PORT = r"(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_HOST = r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)"
_LOOPBACK = r"(?:localhost|127\.0\.0\.1|\[::1\])"
_LOCAL_PROJECT = "yts-local"
#: Values that examples and the local run put in the place of a secret.
_PLACEHOLDER = re.compile(r"local-stand-in|change-?me|your[-_ ]|example|<|\bsecret\b|\bTODO\b", re.IGNORECASE)
#: Names that belong to nobody (https://www.rfc-editor.org/rfc/rfc2606). Others may contain "example".
_EXAMPLE_HOST = re.compile(r"[/@.]example(?:\.(?:com|org|net))?(?:[:/]|$)", re.IGNORECASE)

# The types of the fields. `description` completes the sentence "expected …".
HostPort = Annotated[str, Meta(pattern=f"^{_HOST}:{_PORT}$", description="HOST:PORT")]
Url = Annotated[
    str,
    Meta(
        pattern=rf"^https?://(?:[^/\s@]*@)?{_HOST}(?::{_PORT})?(?:[/?#]\S*)?$",
        description="a URL that starts with http:// or https://",
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=rf"^(?:https://{_HOST}|http://{_LOOPBACK})(?::{_PORT})?/?$",
        description="an origin such as https://yts.example.org (http:// is for this machine only)",
    ),
]
Project = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        description="a project id (6 to 30 lower-case letters, digits and hyphens)",
    ),
]
IndexPrefix = Annotated[
    str, Meta(pattern="^[a-z][a-z0-9_-]{0,62}$", description="lower-case letters, digits, _ and -")
]
EgressName = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="up to 63 letters, digits, dots, hyphens and underscores",
    ),
]
Language = Annotated[
    str,
    Meta(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="language codes such as en or pt-BR"),
]
FernetKey = Annotated[
    str, Meta(pattern="^[A-Za-z0-9_-]{43}=$", description="keys of 32 bytes in URL-safe base64")
]
Address = Annotated[
    str, Meta(pattern=r"^[^@\s,*]+@[^@\s,*]+\.[^@\s,*]+$", description="e-mail addresses separated by commas")
]
Allowed = Annotated[
    str,
    Meta(
        pattern=r"^(?:\*|(?:[^@\s,*]*@)?[^@\s,*]+\.[^@\s,*]+)$",
        description="e-mail addresses and domains such as example.org, or * for everybody",
    ),
]
EmbedderChoice = Annotated[
    str,
    Meta(
        pattern="^(?:use|off|fastembed:[A-Za-z0-9][A-Za-z0-9._/-]{0,99})$",
        description="use, off, or fastembed: and the name of a model",
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Concurrency = Annotated[int, Meta(ge=1, le=1000)]
Jobs = Annotated[int, Meta(ge=1, le=10_000)]
Megabytes = Annotated[int, Meta(ge=64, le=1_000_000)]
Videos = Annotated[int, Meta(ge=1, le=1_000_000)]
Units = Annotated[int, Meta(ge=1, le=100_000_000)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]


@dataclass(frozen=True, slots=True)
class OAuth:
    """The OAuth client that people sign in with, and the addresses of Google's servers."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_uri: str
    token_uri: str
    jwks_uri: str
    issuer: str
    revoke_uri: str
    #: Fernet keys. The first one encrypts; all of them decrypt.
    encryption_keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one process. Each field is the variable of the same name in capitals."""

    port: Port = 8080
    local_state_dir: Path = Path(".local")
    pubsub_emulator_host: HostPort | None = None
    firestore_emulator_host: HostPort | None = None
    #: The most memory of the Firestore emulator that a local run starts. None: as much as suits the machine.
    firestore_memory_mb: Megabytes | None = None
    #: Where a local run says that this memory is nearly full. Ignored unless emulators are used. See
    #: shared.gcp.room.
    storage_full_file: Path | None = None
    #: Exists while a local run loads its last save. Ignored unless emulators are used. See shared.gcp.room.
    storage_loading_file: Path | None = None
    google_cloud_project: Project = _LOCAL_PROJECT
    elasticsearch_url: Url | None = None
    elasticsearch_api_key: str | None = field(default=None, repr=False)
    elasticsearch_index_prefix: IndexPrefix = "yts"
    youtube_api_endpoint: Url | None = None
    youtube_api_key: str | None = field(default=None, repr=False)
    youtube_base_url: Url = "https://www.youtube.com"
    #: Ask YouTube's player for partial answers. See shared.youtube.partial_answers.
    youtube_partial_answers: Literal["on", "off"] = "on"
    youtube_embed_base_url: Url = "https://www.youtube-nocookie.com"
    fetch_concurrency: Concurrency = 50
    #: The model of search by meaning. See shared.meaning.embedder.
    embedder: EmbedderChoice = "use"
    #: Where models that fastembed downloads are kept. None: in the directory of temporary files.
    embedder_models: Path | None = None
    #: Names the address that YouTube sees. Processes with the same name share one breaker.
    egress_name: EgressName = "main"
    webshare_proxy_username: str | None = field(default=None, repr=False)
    webshare_proxy_password: str | None = field(default=None, repr=False)
    proxy_url: Url | None = field(default=None, repr=False)
    proxy_mode: Literal["when-blocked", "always"] = "when-blocked"
    transcript_languages: tuple[Language, ...] = ()
    #: The user who gets the playlists of messages that name neither job nor user.
    owner_user_id: str | None = None
    #: Lets the command line of a local run make API tokens. Ignored unless emulators are used.
    operator_token: str | None = field(default=None, repr=False)
    #: The sweep publishes the messages of a job again when nothing has moved in it for this long.
    stalled_after_seconds: Seconds = 600
    #: The name of this function, set by the platform
    #: (https://cloud.google.com/run/docs/container-contract#env-vars).
    k_service: str | None = None
    #: Where tests arm failpoints. Ignored unless emulators are used. See shared.gcp.failpoints.
    failpoints_dir: Path | None = None
    google_oauth_client_id: str | None = None
    google_oauth_client_secret: str | None = field(default=None, repr=False)
    google_oauth_auth_uri: Url = "https://accounts.google.com/o/oauth2/v2/auth"
    google_oauth_token_uri: Url = "https://oauth2.googleapis.com/token"  # noqa: S105 an address
    google_oauth_jwks_uri: Url = "https://www.googleapis.com/oauth2/v3/certs"
    google_oauth_issuer: Url = "https://accounts.google.com"
    google_oauth_revoke_uri: Url = "https://oauth2.googleapis.com/revoke"
    #: Fernet keys that encrypt refresh tokens. To rotate, put a new key in front and keep the old ones.
    grant_encryption_keys: tuple[FernetKey, ...] = field(default=(), repr=False)
    #: The origin that people open. A local run takes it from the request instead.
    public_url: Origin | None = None
    #: Who may sign in. Empty: everybody in a local run, nobody in a deployment. See shared.accounts.access.
    allowed_users: tuple[Allowed, ...] = ()
    #: Who sees the operator's page. They may sign in, too.
    operators: tuple[Address, ...] = ()
    #: Another deployment that `./emulators.sh mcp` asks, and an API token of it.
    yts_url: Origin | None = None
    yts_token: str | None = field(default=None, repr=False)
    #: Jobs that a user may start in an hour, and may have active at the same time.
    jobs_per_hour: Jobs = 300
    jobs_at_once: Jobs = 100
    #: Videos that a user may have fetched again from YouTube on one day.
    fetch_again_per_day: Videos = 500
    #: Units of the YouTube Data API's quota that refreshing may spend in a day.
    refresh_units_per_day: Units = 5000

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Config:
        """Reads the variables. A blank value counts as missing.

        Raises:
            ConfigError: a value is wrong.
        """
        hints = get_type_hints(cls, include_extras=True)
        found = {name: text for name in hints if (text := env.get(name.upper(), "").strip())}
        return cls(**{name: _value(name, text, hints[name]) for name, text in found.items()})

    @property
    def local(self) -> bool:
        """Emulators are in use: no data of this process is at Google."""
        return self.firestore_emulator_host is not None

    @property
    def deployed(self) -> bool:
        """No emulators are in use, and this runs on Google's platform (K_SERVICE) or names a project.

        All others can be imported and inspected with an empty environment.
        """
        named = self.google_cloud_project != _LOCAL_PROJECT
        return not self.local and (self.k_service is not None or named)

    @property
    def owner(self) -> str | None:
        return self.owner_user_id or ("demo" if self.local else None)

    @property
    def sign_in(self) -> bool:
        """People can sign in with Google."""
        return self.google_oauth_client_id is not None

    @property
    def by_meaning(self) -> bool:
        """Videos are searched by meaning, too."""
        return self.embedder != "off"

    @property
    def oauth(self) -> OAuth:
        """Raises ConfigError when a value is missing or still a placeholder."""
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
            ConfigError: the value is missing, or (unless emulators are used) is a placeholder of an example.
        """
        value = getattr(self, name)
        text = ",".join(value) if isinstance(value, tuple) else value
        if not text:
            raise ConfigError(f"{name.upper()}: expected a value, found nothing")
        placeholder = _EXAMPLE_HOST if "://" in text else _PLACEHOLDER
        if not self.local and placeholder.search(text):
            raise ConfigError(f"{name.upper()}: expected a value of your own, found a placeholder")
        return str(text)

    def require(self, *names: str) -> None:
        """Stops a deployed function that lacks a variable before it serves anybody.

        Raises:
            ConfigError: names each variable that is missing or still a placeholder.
        """
        if not self.deployed:
            return
        lacking = []
        if self.google_cloud_project == _LOCAL_PROJECT:
            # Google's platform does not set it, and every call to a project that does not exist is refused.
            lacking.append("GOOGLE_CLOUD_PROJECT: expected the id of your project, found nothing")
        for name in names:
            try:
                self.secret(name.lower())
            except ConfigError as error:
                lacking.append(str(error))
        if lacking:
            raise ConfigError("; ".join(lacking))


def load() -> Config:
    """Reads the environment of this process. Raises ConfigError."""
    return Config.from_env(os.environ)


def _value(name: str, text: str, hint: Any) -> Any:
    several = get_origin(hint) is tuple
    raw: object = [part.strip() for part in text.split(",") if part.strip()] if several else text
    try:
        value = msgspec.convert(raw, hint, strict=False, dec_hook=lambda kind, it: kind(it))
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{name.upper()}: expected {_expected(hint)}, found {_shown(text, hint)}"
        ) from error
    return value.rstrip("/") if _is(hint, Url, Origin) else value


def _is(hint: Any, *kinds: Any) -> bool:
    return any(part in kinds for part in (hint, *get_args(hint)))


def _expected(hint: Any) -> str:
    for meta in _metas(hint):
        if meta.description:
            return meta.description
        return f"a whole number from {meta.ge} to {meta.le}"
    return f"one of {', '.join(map(str, get_args(hint)))}"


def _metas(hint: Any) -> Iterator[Meta]:
    if isinstance(hint, Meta):
        yield hint
    for part in (*get_args(hint), *getattr(hint, "__metadata__", ())):
        yield from _metas(part)


def _shown(text: str, hint: Any) -> str:
    """The wrong value, without what may be secret: passwords before an @, and keys."""
    if _is(hint, tuple[FernetKey, ...]):
        return f"{len(text)} characters"
    return repr(re.sub(r"[^/]*@", "[redacted]@", text))
