"""Which of our shared ports a new leg gets, so that nobody's first packets can be taken for another's.

Of those that will do it is the fullest: packets that share a port share system calls too. But a port's
receive buffer holds no more than so many legs' audio: one that is full gets more only when all are.
"""

from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 30.0
"""Seconds after which a leg that never sent a packet no longer keeps its address for itself."""
FULL: Final = 50
"""Legs on a port from which on others are preferred to it."""


class PortsBusy(Exception):
    """Every port has a leg that waits for packets from the same address."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A leg that has not latched."""

    port: int
    remote: tuple[str, int] | None
    hosts: frozenset[str]
    since: float


class PortPool:
    """The ports, and the legs that have not latched yet."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        """`numbers` are the UDP ports that the plane has bound, in its order."""
        self.numbers = numbers
        self._waiting: dict[int, _Waiting] = {}
        self._legs = [0] * len(numbers)
        self._port_of: dict[int, int] = {}

    def open(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> int:
        """The index of a port for `leg`, whose packets come from `remote` or another port of `hosts`.

        A port where nobody waits for the same host is best. Behind a PBX all callers have one host: then
        a port will do where nobody waits for the same address, since packets that come from just where
        they were signalled to come from cannot be mistaken. Raises `PortsBusy`.
        """
        return self._take(leg, self._best(remote, hosts, now), remote, hosts, now)

    def change(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> int:
        """The index of another port for `leg`: on its own another has its source. Raises `PortsBusy`."""
        before = self._port_of[leg]
        port = self._best(remote, hosts, now, but=before)
        self._legs[before] -= 1
        return self._take(leg, port, remote, hosts, now)

    def _best(
        self, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float, but: int | None = None
    ) -> int:
        self._waiting = {k: v for k, v in self._waiting.items() if now - v.since < PATIENCE}
        waiting = self._waiting.values()
        own = frozenset(hosts)
        taken = {w.port for w in waiting if w.hosts & own}
        if len(taken) == len(self.numbers) and remote:
            taken = {w.port for w in waiting if w.remote == remote or (w.hosts & own and not w.remote)}
        free = [port for port in range(len(self.numbers)) if port not in taken and port != but]
        if not free:
            raise PortsBusy
        fillable = [port for port in free if self._legs[port] < FULL]
        if fillable:
            return max(fillable, key=self._legs.__getitem__)
        return min(free, key=self._legs.__getitem__)

    def _take(
        self, leg: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> int:
        self._waiting[leg] = _Waiting(port, remote, frozenset(hosts), now)
        self._port_of[leg] = port
        self._legs[port] += 1
        return port

    def moved(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> None:
        """The leg waits anew, on its port, for packets from elsewhere."""
        self._waiting[leg] = _Waiting(self._port_of[leg], remote, frozenset(hosts), now)

    def latched(self, leg: int) -> None:
        """The leg's packets have come."""
        self._waiting.pop(leg, None)

    def close(self, leg: int) -> None:
        self._waiting.pop(leg, None)
        port = self._port_of.pop(leg, None)
        if port is not None:
            self._legs[port] -= 1

    def __len__(self) -> int:
        """Legs that have a port."""
        return len(self._port_of)
