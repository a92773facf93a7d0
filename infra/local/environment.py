"""The environment that the components of a local run get: what they need, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from infra.local.state_dir import ROOT, StateDir
from shared.config import Config

#: Marks every process of a run, and all that they start, with the run's directory.
MARKER = "YTS_LOCAL_RUN"

#: What a program needs to run at all and to reach the network the way this machine does.
_PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *(
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    ),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("JAVA_HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR"),
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

CONFIGURATION = tuple(field.name.upper() for field in fields(Config))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers of this run answer.

    ``youtube``, ``youtube_proxy``: of the stand-in and its forward proxy; None with a real YouTube.
    """

    pubsub: str
    firestore: str
    elasticsearch: str
    youtube: str | None
    youtube_proxy: str | None = None


def real_youtube(caller: Mapping[str, str]) -> bool:
    """Whether the caller configured one; otherwise the stand-in takes its place."""
    return any(caller.get(name, "").strip() for name in ("YOUTUBE_API_KEY", "YOUTUBE_API_ENDPOINT"))


def base(caller: Mapping[str, str], state: StateDir) -> dict[str, str]:
    """For any program of the run: none of the caller's variables but those that make programs run."""
    environment = {name: caller[name] for name in _PASSED_ON if name in caller}
    # A proxy of this machine must not see, and could not answer, what stays on it.
    excluded = [part for part in caller.get("NO_PROXY", caller.get("no_proxy", "")).split(",") if part]
    no_proxy = ",".join(dict.fromkeys([*excluded, *_LOOPBACK]))
    return environment | {"NO_PROXY": no_proxy, "no_proxy": no_proxy, MARKER: str(state.root)}


def for_python(caller: Mapping[str, str], state: StateDir, config: Config, at: Addresses) -> dict[str, str]:
    """For the functions, the delivery, the gateway and the stand-in."""
    environment = base(caller, state) | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        # Dozens of threads would have a heap each, and keep what one transcript needed once.
        "MALLOC_ARENA_MAX": "2",
        # Nor is a heap to keep it: what is large is given back when it is freed, what is small when there is
        # much of it. Without numbers glibc raises both with the largest that is freed, up to 32 and 64 MB.
        "MALLOC_MMAP_THRESHOLD_": "262144",
        "MALLOC_TRIM_THRESHOLD_": "4194304",
        # What Firestore streams is read by the thread that asked, not by another that wakes it for each
        # document: a read of twelve takes half as much of the processor.
        "GRPC_SINGLE_THREADED_UNARY_STREAM": "1",
        "STALLED_AFTER_SECONDS": "20",
        "GRANT_ENCRYPTION_KEYS": state.encryption_key(),
    }
    if at.youtube:
        environment |= _stand_in(at.youtube)
        if not caller.get("GOOGLE_OAUTH_CLIENT_ID", "").strip():
            environment |= _stand_in_for_google(at.youtube)
    environment |= {name: caller[name] for name in CONFIGURATION if caller.get(name, "").strip()}
    return environment | {
        "PORT": str(config.port),
        "LOCAL_STATE_DIR": str(state.root),
        "GOOGLE_CLOUD_PROJECT": config.google_cloud_project,
        "PUBSUB_EMULATOR_HOST": at.pubsub,
        "FIRESTORE_EMULATOR_HOST": at.firestore,
        "ELASTICSEARCH_URL": at.elasticsearch,
        "OPERATOR_TOKEN": config.operator_token or state.operator_token(),
    }


def _stand_in(url: str) -> dict[str, str]:
    return {
        "YOUTUBE_API_ENDPOINT": url,
        "YOUTUBE_API_KEY": "local-stand-in-key",
        "YOUTUBE_BASE_URL": url,
        "YOUTUBE_EMBED_BASE_URL": url,
    }


def _stand_in_for_google(url: str) -> dict[str, str]:
    return {
        "GOOGLE_OAUTH_CLIENT_ID": "local-stand-in-client",
        "GOOGLE_OAUTH_CLIENT_SECRET": "local-stand-in-secret",
        "GOOGLE_OAUTH_AUTH_URI": f"{url}/o/oauth2/v2/auth",
        "GOOGLE_OAUTH_TOKEN_URI": f"{url}/token",
        "GOOGLE_OAUTH_JWKS_URI": f"{url}/oauth2/v3/certs",
        "GOOGLE_OAUTH_ISSUER": url,
        "GOOGLE_OAUTH_REVOKE_URI": f"{url}/revoke",
    }
