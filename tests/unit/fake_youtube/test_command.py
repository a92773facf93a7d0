"""The fake YouTube as a process, and the completeness of its README."""

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

from infra.local import fake_youtube
from infra.local.fake_youtube.faults.rules import KINDS
from infra.local.fake_youtube.live_server import LiveServer, control
from infra.local.fake_youtube.oauth.id_tokens import ID_TOKEN_FAULTS

README = (Path(fake_youtube.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_prints_its_addresses_and_stops_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "infra.local.fake_youtube", "--port", "0", "--proxy-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            found = re.fullmatch(
                r"fake YouTube: (http://\S+), forward proxy: (http://\S+)\n", process.stdout.readline()
            )
            assert found is not None
            # A hanging request must not keep the process alive.
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
def test_readme_names_every_fault(kind: str) -> None:
    assert f"`{kind}`" in README


def test_readme_names_every_control_request(server: LiveServer) -> None:
    overview = control(server.url, "")
    for name in {*overview["read"], *overview["change"]}:
        assert re.search(rf"`(GET|POST|GET/POST) {name}\b", README), name
    for name in server.youtube.resets():
        assert f"`{name}`" in README
