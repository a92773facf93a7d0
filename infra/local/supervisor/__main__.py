"""``python -m infra.local.supervisor [--parent PID] [--push]``

Runs the components of one state directory until SIGINT or SIGTERM. It holds the lock of the directory as long
as it lives, prints a line for each event, and keeps ``run/status.json`` up to date.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

from infra.local.state_dir import StateDir, write_whole
from infra.local.supervisor import processes
from infra.local.supervisor.ports import port_is_free
from infra.local.supervisor.supervisor import Supervisor
from infra.pipeline import PipelineError, load_pipeline
from shared.config import Config, ConfigError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.supervisor", description=__doc__)
    parser.add_argument("--parent", type=int, help="stop when the parent process is no longer this one")
    parser.add_argument("--push", action="store_true", help="run the functions as in the cloud")
    arguments = parser.parse_args()
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        sys.exit(str(error))
    state = StateDir.at(config.local_state_dir)
    state.make()
    with state.lock() as ours:
        if not ours:
            sys.exit(
                f"Another run uses {state.root}. Stop it with ./emulators.sh down,"
                " or set LOCAL_STATE_DIR to another directory."
            )
        # Readers must not take the status of the last run for that of this one.
        state.status_file.unlink(missing_ok=True)
        write_whole(state.pid_file, f"{os.getpid()}\n")
        began = time.monotonic()
        code = _supervise(state, config, arguments.parent, arguments.push)
        state.pid_file.unlink(missing_ok=True)
        print(f"Stopped after {time.monotonic() - began:.0f} s.", flush=True)
    sys.exit(code)


def _supervise(state: StateDir, config: Config, parent: int | None, push: bool) -> int:
    """The exit code."""
    if left := processes.stop_marked(state):
        print(f"  Stopped {left} processes that an earlier run left behind.", flush=True)
    if not port_is_free(config.port):
        holder = processes.holder_of(config.port)
        print(
            f"PORT: {config.port} is in use by {holder}."
            f" End that program, or choose another port: PORT={config.port + 1}",
            flush=True,
        )
        return 1
    _rotate_logs(state)
    if config.operator_token:
        # The command line reads the token here, because its own environment may lack the variable.
        state.keep_secret("operator-token", config.operator_token)
    try:
        pipeline = load_pipeline(config)
    except PipelineError as error:
        print(error, flush=True)
        return 1
    return asyncio.run(Supervisor(os.environ, config, pipeline, state, push).run(parent))


def _rotate_logs(state: StateDir) -> None:
    """Keeps the logs of the last run as NAME.log.1."""
    for log in state.logs.glob("*.log"):
        if log.name != "supervisor.log":
            log.replace(log.with_name(log.name + ".1"))


if __name__ == "__main__":
    main()
