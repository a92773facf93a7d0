"""Ports of which each is given to one, also before it is bound and by several processes."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local import ports
from infra.local.components import Component
from infra.local.ports import Ports, PortsTaken, port_is_free
from infra.local.stack import assemble
from infra.local.state_dir import ROOT, StateDir
from infra.pipeline import load_pipeline
from shared.config import Config


@pytest.fixture
def holder() -> Iterator[Callable[[], Ports]]:
    """Makes holders of blocks, as of other processes."""
    made: list[Ports] = []

    def make() -> Ports:
        made.append(Ports())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def few(holder: Callable[[], Ports], monkeypatch: pytest.MonkeyPatch) -> range:
    """All there are, in two blocks of ten: inside of one that is held, so that nobody else is there."""
    inside = holder().free(1)[0]
    first = inside - inside % 100 + 10
    there = range(first, first + 20)
    monkeypatch.setattr(ports, "_ALL", there)
    monkeypatch.setattr(ports, "_BLOCK", 10)
    return there


def test_free_ports_are_different_and_free(holder: Callable[[], Ports]) -> None:
    found = holder().free(120)
    assert len(set(found)) == 120
    assert all(port_is_free(port) for port in found)


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_is_free(server.getsockname()[1])


def test_no_port_is_given_twice_though_nobody_serves_there(holder: Callable[[], Ports], few: range) -> None:
    one, other = holder(), holder()
    assert sorted(one.free(4) + other.free(9) + one.free(5)) == [*few[:9], *few[10:19]]


def test_more_ports_than_there_are_is_an_error_and_costs_none(
    holder: Callable[[], Ports], few: range
) -> None:
    one = holder()
    expected = f"expected 19 free ports from {few[0]} to {few[19]}, found 18"
    with pytest.raises(PortsTaken, match=re.escape(expected)):
        one.free(19)
    assert len(one.free(18)) == 18


def test_what_is_served_on_is_left_out(holder: Callable[[], Ports], few: range) -> None:
    with (
        socket.create_server(("127.0.0.1", few[5])),
        # The second block cannot be held.
        socket.create_server(("127.0.0.1", few[19])),
    ):
        assert holder().free(8) == [*few[:5], *few[6:9]]


def test_the_ports_of_one_that_ended_are_given_again(holder: Callable[[], Ports], few: range) -> None:
    first = holder()
    first.free(18)
    with pytest.raises(PortsTaken):
        holder().free(1)
    first.close()
    assert len(holder().free(18)) == 18


def test_a_port_that_is_wished_for_is_not_given_to_anything_else(
    holder: Callable[[], Ports], few: range
) -> None:
    one, other = holder(), holder()
    assert one.take(few[13])
    assert one.free(8) == [*few[10:13], *few[14:19]]
    assert not one.take(few[13])
    assert not other.take(few[13])
    # What a block is held by, and what is outside of all.
    assert not other.take(few[19])
    assert not other.take(few[19] + 80)
    with socket.create_server(("127.0.0.1", few[3])):
        assert not other.take(few[3])


def test_a_port_that_would_keep_others_away_can_be_wished_for(
    holder: Callable[[], Ports], few: range
) -> None:
    one = holder()
    assert one.take(few[9])
    assert not one.take(few[9])
    with socket.create_server(("127.0.0.1", few[9])):
        assert one.free(3) == [*few[10:13]]
        with pytest.raises(PortsTaken):
            holder().free(1)


def test_a_connection_that_is_still_closing_keeps_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    with socket.socket() as strict, pytest.raises(OSError, match="in use"):
        strict.bind(("127.0.0.1", port))
    assert port_is_free(port)


def test_a_process_that_is_killed_gives_its_ports_back(holder: Callable[[], Ports]) -> None:
    code = "from infra.local.ports import free_ports\nprint(*free_ports(1), flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        try:
            assert not holder().take(port)
        finally:
            process.kill()
    assert holder().take(port)


def _assembled(tmp_path: Path, port: int) -> tuple[Component, ...]:
    config = Config.from_env({"PORT": str(port)})
    return assemble({}, config, load_pipeline(config), StateDir(tmp_path), lambda: None).components


@pytest.mark.parametrize("place", [3, 99])
def test_no_two_components_share_a_port_whatever_the_callers_is(
    place: int, tmp_path: Path, holder: Callable[[], Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run whose PORT is one of those that it would give to Elasticsearch, or the last of a block."""
    own = holder()
    monkeypatch.setattr("infra.local.stack.free_ports", own.free)
    monkeypatch.setattr("infra.local.stack.take_port", own.take)
    other = holder()
    (inside,) = other.free(1)
    other.close()
    port = inside - inside % 100 + place
    # Where the run looks first.
    number = (port - ports._ALL.start) // 100
    monkeypatch.setattr("infra.local.ports.os.urandom", lambda size: number.to_bytes(size, "big"))
    found = [component.port for component in _assembled(tmp_path, port)]
    assert port in found
    assert port_is_free(port)
    assert len(set(found)) == len(found)


def test_the_stand_in_keeps_its_port_from_run_to_run(
    tmp_path: Path, holder: Callable[[], Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    def port_of_stand_in(own: Ports) -> int | None:
        monkeypatch.setattr("infra.local.stack.free_ports", own.free)
        monkeypatch.setattr("infra.local.stack.take_port", own.take)
        components = _assembled(tmp_path, 8080)
        found = {component.name: component.port for component in components}
        assert len(set(found.values())) == len(found)
        return found["youtube"]

    first = holder()
    port = port_of_stand_in(first)
    first.close()
    assert port_of_stand_in(holder()) == port
    # While that run goes on, another one that reads the same gets one of its own.
    assert port_of_stand_in(holder()) != port
