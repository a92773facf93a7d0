"""A run in a terminal: `./emulators.sh up` without --detach."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.state_dir import ROOT
from infra.local.supervisor import processes
from infra.local.supervisor.ports import port_is_free
from tests.stack import Stack, StackError


@contextmanager
def in_the_foreground(stack: Stack) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of `up` once it is up, and what it has printed.

    Raises:
        StackError: `up` has ended.
    """
    command = [str(ROOT / "emulators.sh"), "up", "--no-sample"]
    with subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            output = ""
            for line in process.stdout:
                output += line
                if "Ctrl-C stops it" in line:
                    break
            else:
                raise StackError(f"`up` ended:\n{output[-4000:]}")
            yield process, output
        finally:
            process.kill()


def is_gone(stack: Stack) -> bool:
    """Whether no process of the run is left, and its port is free."""
    return not processes.marked(stack.state) and port_is_free(stack.port)
