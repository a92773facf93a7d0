"""The state directory and the environment of the components."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from infra.local import environment
from infra.local.environment import MARKER, Addresses
from infra.local.state_dir import ROOT, StateDir, write_whole
from shared.config import Config

STAND_IN = "http://127.0.0.1:4"
AT = Addresses("127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:3", STAND_IN)


def _environment(state: StateDir, **caller: str) -> dict[str, str]:
    return environment.for_python(caller, state, Config.from_env(caller), AT)


def test_a_relative_directory_is_taken_from_the_checkout() -> None:
    assert StateDir.at(Path(".local")).root == ROOT / ".local"


def test_components_get_addresses_and_nothing_of_the_callers_own(state: StateDir) -> None:
    found = _environment(state, PATH="/bin", AWS_SECRET="x", PYTHONPATH="/elsewhere", EDITOR="vi")
    assert found["PUBSUB_EMULATOR_HOST"] == "127.0.0.1:1"
    assert found["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:2"
    assert found["ELASTICSEARCH_URL"] == "http://127.0.0.1:3"
    assert found["PYTHONPATH"] == str(ROOT)
    assert found[MARKER] == str(state.root)
    assert found["PATH"] == "/bin"
    assert not {"AWS_SECRET", "EDITOR"} & found.keys()


def test_every_variable_of_the_configuration_is_passed_on(state: StateDir) -> None:
    given = {"FETCH_CONCURRENCY": "7", "TRANSCRIPT_LANGUAGES": "sv,en", "STALLED_AFTER_SECONDS": "5"}
    assert given.items() <= _environment(state, **given).items()


def test_the_stand_in_takes_the_place_of_youtube_and_google(state: StateDir) -> None:
    found = _environment(state)
    assert found["YOUTUBE_API_ENDPOINT"] == found["YOUTUBE_BASE_URL"] == STAND_IN
    assert found["GOOGLE_OAUTH_TOKEN_URI"] == f"{STAND_IN}/token"
    assert found["GOOGLE_OAUTH_ISSUER"] == STAND_IN


def test_a_real_youtube_is_left_alone(state: StateDir) -> None:
    caller = {"YOUTUBE_API_KEY": "real"}
    assert environment.real_youtube(caller)
    at = Addresses("a:1", "b:2", "http://c:3", None)
    found = environment.for_python(caller, state, Config.from_env(caller), at)
    assert found["YOUTUBE_API_KEY"] == "real"
    assert not {"YOUTUBE_BASE_URL", "YOUTUBE_API_ENDPOINT", "GOOGLE_OAUTH_ISSUER"} & found.keys()


def test_googles_sign_in_goes_with_the_stand_in_youtube(state: StateDir) -> None:
    found = _environment(state, GOOGLE_OAUTH_CLIENT_ID="real.apps")
    assert found["GOOGLE_OAUTH_CLIENT_ID"] == "real.apps"
    assert "GOOGLE_OAUTH_ISSUER" not in found


def test_a_proxy_never_sees_what_stays_on_this_machine(state: StateDir) -> None:
    found = _environment(state, HTTPS_PROXY="http://proxy:3128", NO_PROXY="intranet,localhost")
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet,localhost,127.0.0.1,::1"


def test_the_operators_token_is_made_once_and_nobody_else_can_read_it(state: StateDir) -> None:
    token = state.operator_token()
    assert len(token) >= 32
    assert StateDir(state.root).operator_token() == token
    mode = stat.S_IMODE((state.secrets / "operator-token").stat().st_mode)
    assert mode == 0o600
    assert stat.S_IMODE(state.secrets.stat().st_mode) == 0o700
    assert _environment(state)["OPERATOR_TOKEN"] == token
    assert _environment(state, OPERATOR_TOKEN="mine")["OPERATOR_TOKEN"] == "mine"


def test_the_key_of_grants_stays_with_the_directory(state: StateDir) -> None:
    key = _environment(state)["GRANT_ENCRYPTION_KEYS"]
    assert len(Fernet(key).encrypt(b"x")) > 0
    assert _environment(state)["GRANT_ENCRYPTION_KEYS"] == key
    assert stat.S_IMODE((state.secrets / "grant-encryption-key").stat().st_mode) == 0o600
    mine = Fernet.generate_key().decode()
    assert _environment(state, GRANT_ENCRYPTION_KEYS=mine)["GRANT_ENCRYPTION_KEYS"] == mine


def test_the_lock_is_held_once_and_given_back_by_a_death(state: StateDir) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from infra.local.state_dir import StateDir\n"
        f"with StateDir(Path({str(state.root)!r})).lock() as ours: print(ours, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == "True\n"
        with state.lock() as ours:
            assert not ours
        holder.kill()
        holder.wait()
    with state.lock() as ours:
        assert ours


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(state: StateDir) -> None:
    write_whole(state.status_file, "one")
    write_whole(state.status_file, "two")
    assert state.status_file.read_text() == "two"
    assert [path.name for path in state.run.iterdir()] == ["status.json"]


def test_what_firestore_streams_is_read_by_who_asked(state: StateDir) -> None:
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
