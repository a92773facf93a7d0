"""`up`: starts the run, shows that it works, and stays with it or leaves it running."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from types import FrameType

from infra.local import control, environment, indexing, searching
from infra.local.api import Api, ApiError
from infra.local.control import Running, Supervised
from infra.local.state_dir import StateDir
from shared.config import Config

DEMO_USER = "demo"
#: The stand-in's library, and a sentence said in it that crosses a caption line.
SAMPLE_PLAYLIST = "PLyts-sample-talks"
EXAMPLE = '"a fire that happens to be wet"'


class _Interrupted(Exception):
    """Ctrl-C, or the terminal went away."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


def up(caller: Mapping[str, str], config: Config, state: StateDir, detach: bool, sample: bool) -> int:
    """The exit code: 0 once everything is up (or was stopped as asked), 1 otherwise."""
    sample = sample and not environment.real_youtube(caller)
    if (running := control.read(state)) is not None and running.phase == "stopping":
        control.stop(state)  # waits for its end
    elif running is not None:
        print(f"Running already: {running.url}   (./emulators.sh status, ./emulators.sh down)")
        return 0
    # Also where a shell has made it ignored, as for a program in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    state.make()
    began = time.monotonic()
    print(f"Starting; logs are in {state.logs}", flush=True)
    supervised = Supervised(state, detach)
    try:
        return _stay(config, state, supervised, began, detach, sample)
    except _Interrupted:
        print("\nStopping …", flush=True)
        return _stop(supervised)


def _stay(
    config: Config, state: StateDir, supervised: Supervised, began: float, detach: bool, sample: bool
) -> int:
    phase = supervised.show_until_up()
    if phase in ("failed", "stopped"):
        return 1
    running = control.require(state)
    print(
        f"Everything else is up after {time.monotonic() - began:.1f} s."
        if phase == "incomplete"
        else f"Up after {time.monotonic() - began:.1f} s.",
        flush=True,
    )
    # The gateway listens on every loopback address; this one never asks for a name to be looked up.
    api = Api(f"http://127.0.0.1:{config.port}", state, DEMO_USER)
    shown = _show(api, running, sample)
    if phase == "incomplete":
        _tell_what_is_missing(running, state)
    if detach:
        return 0 if shown and phase == "ready" else 1
    print("Ctrl-C stops it.", flush=True)
    code = supervised.show_until_ended()
    print("The supervisor ended by itself: start again with ./emulators.sh up")
    return code or 1


def _stop(supervised: Supervised) -> int:
    supervised.stop()
    while True:
        try:
            supervised.show_until_ended()
            return 0
        except _Interrupted:
            # Asked twice.
            supervised.stop()


def _show(api: Api, running: Running, sample: bool) -> bool:
    """The sample library and an example, then the address; whether that worked."""
    try:
        token = api.token()
        if sample:
            _show_sample(api)
        print(f"\n  {running.url}/#token={token}\n", flush=True)
        return True
    except ApiError as error:
        print(
            f"\n  {running.url}\n\nThe demo user could not be signed in, or the sample not indexed: {error}"
        )
        return False


def _show_sample(api: Api) -> None:
    if _indexed_already(api):
        print("The sample playlist is in the library already.")
    else:
        print("Indexing the sample playlist:", flush=True)
        indexing.index(api, SAMPLE_PLAYLIST)
    print(f"\nFor example, ./emulators.sh search '{EXAMPLE}'", flush=True)
    searching.search(api, EXAMPLE, as_json=False)


def _indexed_already(api: Api) -> bool:
    playlists = api.call("GET", "/api/playlists")["playlists"]
    return any(item["playlist_id"] == SAMPLE_PLAYLIST and item["indexed"] for item in playlists)


def _tell_what_is_missing(running: Running, state: StateDir) -> None:
    for component in running.components:
        if component["state"] != "running":
            print(f"{component['name']} is {component['state']}: see {state.log(component['name'])}")
