"""Ports of this machine for servers that are about to start, never the same one for two.

A port that is free when it is chosen may be another's when its server binds it, seconds later, or
starts again. So a process takes whole blocks of ports: it keeps the last port of a block bound, and whoever
finds that taken looks elsewhere. It is the last because whoever chooses a port himself chooses a round
number. The system frees it when the process ends, however it ends.
"""

from __future__ import annotations

import os
import socket
import threading

# Below what Linux and macOS give to outgoing connections: none of those takes a port meanwhile.
_ALL = range(20000, 32000)
_BLOCK = 100


class PortsTaken(RuntimeError):
    """No free port was found."""


def _bound(port: int, reuse: bool = False) -> socket.socket | None:
    """A socket on this port of 127.0.0.1, or None if another has it."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        return None
    return bound


def port_is_free(port: int) -> bool:
    # As servers do: a connection that is still closing does not keep the port.
    probe = _bound(port, reuse=True)
    if probe is not None:
        probe.close()
    return probe is not None


class Ports:
    """The blocks that one process holds. Each port of them is given away once."""

    def __init__(self) -> None:
        #: What keeps others away, by the last port of the block; None for a server of ours on it.
        self._held: dict[int, socket.socket | None] = {}
        self._left: list[int] = []
        self._guard = threading.Lock()

    def free(self, count: int) -> list[int]:
        """So many different free ports.

        Raises:
            PortsTaken: there are not that many.
        """
        found: list[int] = []
        with self._guard:
            while len(found) < count:
                if not self._left and not self._hold_any():
                    self._left = found
                    where = f"from {_ALL.start} to {_ALL.stop - 1}"
                    raise PortsTaken(f"expected {count} free ports {where}, found {len(found)}")
                port = self._left.pop(0)
                if port_is_free(port):
                    found.append(port)
        return found

    def take(self, port: int) -> bool:
        """This very port, such as that of an earlier run: whether it can be had."""
        last = port - port % _BLOCK + _BLOCK - 1
        with self._guard:
            if port == last and port in _ALL and port not in self._held and port_is_free(port):
                # Until the server listens anybody may take it, so the block's other ports are not given away.
                self._held[port] = None
                return True
            self._hold(last)
            if port not in self._left or not port_is_free(port):
                return False
            self._left.remove(port)
            return True

    def close(self) -> None:
        """Gives all blocks back."""
        with self._guard:
            for held in self._held.values():
                if held is not None:
                    held.close()
            self._held.clear()
            self._left.clear()

    def _hold_any(self) -> bool:
        ends = range(_ALL.start + _BLOCK - 1, _ALL.stop, _BLOCK)
        # Two that begin at once rarely meet when each begins anywhere.
        offset = int.from_bytes(os.urandom(4), "big") % len(ends)
        return any(self._hold(ends[(offset + step) % len(ends)]) for step in range(len(ends)))

    def _hold(self, last: int) -> bool:
        """Takes the block that ends here, if nobody has it; not even this process."""
        if last not in _ALL or last in self._held:
            return False
        # Without SO_REUSEADDR, with which two may be bound to one port.
        held = _bound(last)
        if held is None:
            return False
        self._held[last] = held
        self._left.extend(range(last - _BLOCK + 1, last))
        return True


#: Of this process.
_PORTS = Ports()
free_ports = _PORTS.free
take_port = _PORTS.take
