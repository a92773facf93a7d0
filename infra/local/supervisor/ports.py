"""Finds free ports for servers that are about to start."""

from __future__ import annotations

import socket
from collections.abc import Collection


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with _socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int, exclude: Collection[int] = ()) -> list[int]:
    """Finds ``count`` different free ports, none of them in ``exclude``.

    Each stays bound until this process ends, so the system gives it to no other program that asks for any
    port. On Linux a server can still listen on it: both sockets set SO_REUSEADDR, and this one does not
    listen. Elsewhere (macOS) it cannot, so the port is released, and another program may take it first.

    Raises:
        OSError: the system has no free port.
    """
    bound: dict[int, socket.socket] = {}
    while len(bound.keys() - set(exclude)) < count:
        chosen = _socket()
        chosen.bind(("127.0.0.1", 0))
        bound[chosen.getsockname()[1]] = chosen
    for port, chosen in bound.items():
        if port not in exclude and port_is_free(port):
            chosen.detach()  # Leaves the socket open.
        else:
            chosen.close()
    return [port for port in bound if port not in exclude]


def _socket() -> socket.socket:
    made = socket.socket()
    # Servers set this option, too. With it, a connection that is still closing does not block the port.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made
