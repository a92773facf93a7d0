"""The environment variables that the programs of a local run get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from infra.deployment import variables
from infra.local.state_dir import ROOT, StateDir
from infra.pipeline import Function, Pipeline, load_pipeline
from shared.config import Config

#: Every process of a run has this variable, with the state directory as its value. Children inherit it.
MARKER = "YTS_LOCAL_RUN"

#: Variables of the caller that are passed on: a program needs them to run and to reach the network.
_PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("JAVA_HOME", "ES_JAVA_OPTS", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR"),
)
#: More variables of functions that run as in the cloud: those that the platform sets there, and the addresses
#: of the emulators and the fake YouTube.
_PLATFORM = ("PATH", "HOME", "LANG", "TMPDIR")
_STAND_INS = (
    *("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"),
    *("YOUTUBE_API_ENDPOINT", "YOUTUBE_BASE_URL", "YOUTUBE_EMBED_BASE_URL"),
    *("GOOGLE_OAUTH_AUTH_URI", "GOOGLE_OAUTH_TOKEN_URI", "GOOGLE_OAUTH_JWKS_URI"),
    *("GOOGLE_OAUTH_ISSUER", "GOOGLE_OAUTH_REVOKE_URI"),
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

#: The variables of shared.config.
CONFIGURATION = tuple(field.name.upper() for field in fields(Config))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers of a run answer: HOST:PORT of the emulators, URLs of the others.

    ``youtube`` and ``youtube_proxy`` belong to the fake YouTube. They are None when a real one is configured.
    """

    pubsub: str
    firestore: str
    elasticsearch: str
    youtube: str | None
    youtube_proxy: str | None = None


def real_youtube(caller: Mapping[str, str]) -> bool:
    """Whether the caller has configured a real YouTube. Otherwise the run starts the fake one."""
    return any(caller.get(name, "").strip() for name in ("YOUTUBE_API_KEY", "YOUTUBE_API_ENDPOINT"))


def base(caller: Mapping[str, str], state: StateDir) -> dict[str, str]:
    """The environment of every program of the run."""
    environment = {name: caller[name] for name in _PASSED_ON if name in caller}
    # A proxy cannot reach the servers of this machine, and must not see requests to them.
    excluded = [part for part in caller.get("NO_PROXY", caller.get("no_proxy", "")).split(",") if part]
    no_proxy = ",".join(dict.fromkeys([*excluded, *_LOOPBACK]))
    return environment | {"NO_PROXY": no_proxy, "no_proxy": no_proxy, MARKER: str(state.root)}


def for_python(caller: Mapping[str, str], state: StateDir, config: Config, at: Addresses) -> dict[str, str]:
    """The environment of the functions, the delivery, the gateway, and the fake YouTube."""
    environment = (
        base(caller, state)
        | dict(load_pipeline(config).environment)
        | {
            "PYTHONPATH": str(ROOT),
            "STALLED_AFTER_SECONDS": "20",
            "GRANT_ENCRYPTION_KEYS": state.encryption_key(),
        }
    )
    if at.youtube:
        environment |= _fake_youtube(at.youtube)
        if not caller.get("GOOGLE_OAUTH_CLIENT_ID", "").strip():
            environment |= _fake_google(at.youtube)
    environment |= {name: caller[name] for name in CONFIGURATION if caller.get(name, "").strip()}
    return environment | {
        "PORT": str(config.port),
        "LOCAL_STATE_DIR": str(state.root),
        "STORAGE_FULL_FILE": str(state.full),
        "STORAGE_LOADING_FILE": str(state.loading),
        "GOOGLE_CLOUD_PROJECT": config.google_cloud_project,
        "PUBSUB_EMULATOR_HOST": at.pubsub,
        "FIRESTORE_EMULATOR_HOST": at.firestore,
        "ELASTICSEARCH_URL": at.elasticsearch,
        "OPERATOR_TOKEN": config.operator_token or state.operator_token(),
    }


def as_deployed(function: Function, pipeline: Pipeline, run: Mapping[str, str]) -> dict[str, str]:
    """What is left of the environment of a run for a function that gets what the deployment gives it.

    ``pipeline``: as it is deployed. ``run``: the values, as of :func:`for_python`.
    """
    names = {*variables(function, pipeline), *_PLATFORM, *_STAND_INS, MARKER}
    return {name: value for name, value in run.items() if name in names}


def _fake_youtube(url: str) -> dict[str, str]:
    return {
        "YOUTUBE_API_ENDPOINT": url,
        "YOUTUBE_API_KEY": "local-stand-in-key",
        "YOUTUBE_BASE_URL": url,
        "YOUTUBE_EMBED_BASE_URL": url,
    }


def _fake_google(url: str) -> dict[str, str]:
    return {
        "GOOGLE_OAUTH_CLIENT_ID": "local-stand-in-client",
        "GOOGLE_OAUTH_CLIENT_SECRET": "local-stand-in-secret",
        "GOOGLE_OAUTH_AUTH_URI": f"{url}/o/oauth2/v2/auth",
        "GOOGLE_OAUTH_TOKEN_URI": f"{url}/token",
        "GOOGLE_OAUTH_JWKS_URI": f"{url}/oauth2/v3/certs",
        "GOOGLE_OAUTH_ISSUER": url,
        "GOOGLE_OAUTH_REVOKE_URI": f"{url}/revoke",
    }
