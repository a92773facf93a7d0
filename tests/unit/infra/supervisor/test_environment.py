"""infra/local/supervisor/environment.py: the variables that components get."""

from __future__ import annotations

import stat
import subprocess
import sys

from cryptography.fernet import Fernet

from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor import environment
from infra.local.supervisor.environment import MARKER, Addresses
from shared.config import Config

FAKE_YOUTUBE = "http://127.0.0.1:4"
AT = Addresses("127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:3", FAKE_YOUTUBE)


def _environment(state: StateDir, **caller: str) -> dict[str, str]:
    return environment.for_python(caller, state, Config.from_env(caller), AT)


def test_components_get_addresses_and_no_other_variables_of_the_caller(state: StateDir) -> None:
    found = _environment(state, PATH="/bin", AWS_SECRET="x", PYTHONPATH="/elsewhere", EDITOR="vi")
    assert found["PUBSUB_EMULATOR_HOST"] == "127.0.0.1:1"
    assert found["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:2"
    assert found["ELASTICSEARCH_URL"] == "http://127.0.0.1:3"
    assert found["PYTHONPATH"] == str(ROOT)
    assert found[MARKER] == str(state.root)
    assert found["PATH"] == "/bin"
    assert not {"AWS_SECRET", "EDITOR"} & found.keys()


def test_variables_of_the_configuration_are_passed_on(state: StateDir) -> None:
    given = {"FETCH_CONCURRENCY": "7", "TRANSCRIPT_LANGUAGES": "sv,en", "STALLED_AFTER_SECONDS": "5"}
    assert given.items() <= _environment(state, **given).items()


def test_by_default_the_fake_youtube_stands_for_youtube_and_google(state: StateDir) -> None:
    found = _environment(state)
    assert found["YOUTUBE_API_ENDPOINT"] == found["YOUTUBE_BASE_URL"] == FAKE_YOUTUBE
    assert found["GOOGLE_OAUTH_TOKEN_URI"] == f"{FAKE_YOUTUBE}/token"
    assert found["GOOGLE_OAUTH_ISSUER"] == FAKE_YOUTUBE


def test_a_configured_youtube_is_used(state: StateDir) -> None:
    caller = {"YOUTUBE_API_KEY": "real"}
    assert environment.real_youtube(caller)
    at = Addresses("a:1", "b:2", "http://c:3", None)
    found = environment.for_python(caller, state, Config.from_env(caller), at)
    assert found["YOUTUBE_API_KEY"] == "real"
    assert not {"YOUTUBE_BASE_URL", "YOUTUBE_API_ENDPOINT", "GOOGLE_OAUTH_ISSUER"} & found.keys()


def test_googles_sign_in_can_be_used_with_the_fake_youtube(state: StateDir) -> None:
    found = _environment(state, GOOGLE_OAUTH_CLIENT_ID="real.apps")
    assert found["GOOGLE_OAUTH_CLIENT_ID"] == "real.apps"
    assert "GOOGLE_OAUTH_ISSUER" not in found


def test_requests_to_this_machine_bypass_the_proxy(state: StateDir) -> None:
    found = _environment(state, HTTPS_PROXY="http://proxy:3128", NO_PROXY="intranet,localhost")
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet,localhost,127.0.0.1,::1"


def test_the_callers_operator_token_comes_before_the_kept_one(state: StateDir) -> None:
    assert _environment(state)["OPERATOR_TOKEN"] == state.operator_token()
    assert _environment(state, OPERATOR_TOKEN="mine")["OPERATOR_TOKEN"] == "mine"


def test_the_encryption_key_is_kept_in_the_state_directory(state: StateDir) -> None:
    key = _environment(state)["GRANT_ENCRYPTION_KEYS"]
    assert len(Fernet(key).encrypt(b"x")) > 0
    assert _environment(state)["GRANT_ENCRYPTION_KEYS"] == key
    assert stat.S_IMODE((state.secrets / "grant-encryption-key").stat().st_mode) == 0o600
    mine = Fernet.generate_key().decode()
    assert _environment(state, GRANT_ENCRYPTION_KEYS=mine)["GRANT_ENCRYPTION_KEYS"] == mine


def test_the_thread_that_asks_firestore_reads_the_answer(state: StateDir) -> None:
    code = (
        "import grpc; channel = grpc.insecure_channel('127.0.0.1:1');"
        " print(type(channel.unary_stream('/of/documents')).__name__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=_environment(state),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.strip() == "_SingleThreadedUnaryStreamMultiCallable"
