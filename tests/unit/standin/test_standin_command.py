"""The stand-in as a process of its own, and what its README says of it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.local import standin as package
from infra.local.standin.faults import KINDS
from infra.local.standin.inprocess import InProcess, control
from infra.local.standin.oauth_tokens import ID_TOKEN_FAULTS

README = (Path(package.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_when_told(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "infra.local.standin", "--port", "0", "--proxy-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            found = re.fullmatch(
                r"stand-in YouTube: (http://\S+), forward proxy: (http://\S+)\n", process.stdout.readline()
            )
            assert found is not None
            # A request that hangs does not keep it alive.
            control(found[1], "faults", {"kind": "hang", "endpoints": ["watch"]})
            address = urlsplit(found[1])
            with socket.create_connection((address.hostname, address.port), timeout=20) as held:
                held.sendall(b"GET /watch?v=abc HTTP/1.1\r\nHost: x\r\n\r\n")
                deadline = time.monotonic() + 20
                while not control(found[1], "stats")["in_flight"]["requests"]["current"]:
                    assert time.monotonic() < deadline, "the request does not arrive"
                process.send_signal(number)
                assert process.wait(20) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


@pytest.mark.parametrize("kind", [*KINDS, *ID_TOKEN_FAULTS])
def test_the_readme_names_every_fault(kind: str) -> None:
    assert f"`{kind}`" in README


def test_the_readme_names_every_control(standin: InProcess) -> None:
    overview = control(standin.url, "")
    for name in {*overview["read"], *overview["change"]}:
        assert re.search(rf"`(GET|POST|GET/POST) {name}\b", README), name
    for name in standin.standin.resets():
        assert f"`{name}`" in README
