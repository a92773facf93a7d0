"""Fixtures for all tests: the network guard of the unit tests, and whole local runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import doomed
from tests.stack import Stack, remove_abandoned

_TESTS = Path(__file__).parent
#: Tests that need search by meaning, in this order. One test process has them all, so that one run of the
#: suite embeds videos. Nothing is embedded while a job is active, and the last of these files leaves some.
_MEANING = ("test_boundaries.py", "test_meaning.py", "security", "test_api_document.py")
#: Unit tests come first, so that no run is idle. Then come files that take minutes, so that all test
#: processes end at about the same time. The browser comes last, because Playwright leaves an event loop
#: running in this thread until the session ends. Its longest file is test_moments.py.
_LONG = ("test_restart.py", "test_random.py")
_ORDER = ("unit", *_MEANING, *_LONG, "integration", "faults", "test_moments.py", "e2e")

#: Elasticsearch starts often and never lives long, so the work of the optimising compiler is in vain.
os.environ.setdefault("ES_JAVA_OPTS", "-XX:TieredStopAtLevel=1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fault-seeds",
        default="5",
        metavar="N or FROM:TO",
        help="the seeds of tests/faults/test_random.py: 0 to N-1, or FROM to TO-1",
    )


def _place(path: Path) -> int:
    """The place of a test file in the order of all."""
    parts = path.relative_to(_TESTS).parts
    return next((number for number, name in enumerate(_ORDER) if name in parts), len(_ORDER) - 1)


def _needs_meaning(path: Path) -> bool:
    return _ORDER[_place(path)] in _MEANING


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Gives whole files to test processes, and the files that need search by meaning to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "meaning" if _needs_meaning(_TESTS.parent / file) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling | None:
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stack" in metafunc.fixturenames and _needs_meaning(metafunc.definition.path):
        metafunc.parametrize("stack", ["meaning"], indirect=True, ids=[pytest.HIDDEN_PARAM], scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.path))
    for item in items:
        if _kind(item.path) != "unit":
            # Tracing makes these tests slower, and most of our code runs in processes of its own there.
            item.add_marker(pytest.mark.no_cover)
        if _needs_meaning(item.path):
            # To embed videos takes long on a busy machine, because the embedder gives way to everything else.
            item.add_marker(pytest.mark.timeout(600))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what tests say with ``record_property("report", …)``, also from other processes."""
    for each in (*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())):
        for name, value in getattr(each, "user_properties", ()):
            if name == "report" and each.when == "call":
                terminalreporter.write_line(value)


def _kind(path: Path) -> str:
    """The folder of tests/ that a test is in."""
    return path.relative_to(_TESTS).parts[0]


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps unit tests from reaching other machines: the attempt raises an error."""
    if _kind(request.path) != "unit":
        return
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        if not _is_loopback(host):
            raise RuntimeError(f"a unit test may reach this machine only, and tried {host!r}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            check(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family != socket.AF_UNIX:
            check(address[0])
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        check(host)
        return getaddrinfo(host, *rest, **named)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The run of this test process. Tests that share it use users and playlists of their own.

    Search by meaning is on for the files of _MEANING alone; they have a run for themselves, which ends before
    another one starts. Elsewhere it would embed the videos of all tests, most of them in vain.
    """
    meaning = getattr(request, "param", None) == "meaning"
    remove_abandoned()
    stack = Stack(EMBEDDER="use" if meaning else "off")
    try:
        stack.start()
        if not meaning:
            # Nothing is embedded while it is active.
            stack.doomed = doomed.begin(stack)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def doomed_job(stack: Stack) -> str:
    """The id of the job in tests/doomed.py."""
    return stack.doomed


@pytest.fixture
def new_stack() -> Iterator[Callable[..., Stack]]:
    """Makes runs for tests that kill, restart or configure theirs. They are not started yet.

    The arguments are environment variables: ``new_stack(FETCH_CONCURRENCY="5").start()``.
    """
    made: list[Stack] = []

    def make(**variables: str) -> Stack:
        made.append(Stack(**variables))
        return made[-1]

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture(scope="session")
def elasticsearch_url(request: pytest.FixtureRequest) -> str:
    """A real Elasticsearch: the one of the environment, or the one of the shared run."""
    return os.environ.get("ELASTICSEARCH_URL") or request.getfixturevalue("stack").elasticsearch
