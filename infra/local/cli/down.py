"""`down`: stops the run of a state directory."""

from __future__ import annotations

import os
import signal
import time

from infra.local.state_dir import StateDir
from infra.local.supervisor import processes
from infra.local.supervisor.status import is_supervised, supervisor_pid

#: An orderly stop takes less time than this.
STOP_SECONDS = 90.0
#: How long a killed process may take to end.
_KILL_SECONDS = 10.0


def down(state: StateDir) -> bool:
    """Stops the run and the processes that an earlier run left behind. Returns whether there were any.

    A supervisor that does not stop in time is killed. The last save of the library is kept.

    Raises:
        TimeoutError: another program holds the lock.
    """
    asked = killed = False
    deadline = time.monotonic() + STOP_SECONDS
    while is_supervised(state):
        if not asked and (pid := supervisor_pid(state)):
            os.kill(pid, signal.SIGTERM)
            asked = True
        if time.monotonic() > deadline:
            if killed or not (pid := supervisor_pid(state)):
                raise TimeoutError(
                    f"The run did not stop within {STOP_SECONDS:.0f} s. See {state.log('supervisor')}"
                )
            os.kill(pid, signal.SIGKILL)
            killed, deadline = True, time.monotonic() + _KILL_SECONDS
        time.sleep(0.1)
    return processes.stop_marked(state) > 0 or asked
