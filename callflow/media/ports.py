"""Which of our shared ports a new leg gets, so that nobody's first packets can be taken for another's.

Of those that will do it is the fullest: packets that share a port share system calls too. But a port's
receive buffer holds no more than so many legs' audio: one that is full gets more only when all are.

A phone that rings keeps no port from others: it is offered one, and waits for nothing before it has answered.
"""

from collections import Counter
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
        """Legs on each port, those that ring left out."""
        self._port_of: dict[int, int] = {}
        self._offered: dict[int, str] = {}
        """The host of each leg that rings."""
        self._ringing: dict[str, Counter[int]] = {}
        """By host, how many legs ring that were offered each port."""
        self._remotes: dict[tuple[str, int], Counter[int]] = {}
        """By address that was announced, how many legs are heard from there at each port."""
        self._remote_of: dict[int, tuple[str, int]] = {}

    def open(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> int:
        """The index of a port for `leg`, whose packets come from `remote` or another port of `hosts`.

        A port where nobody waits for the same host is best. Behind a PBX all callers have one host: then
        a port will do where nobody waits for the same address, since packets that come from just where
        they were signalled to come from cannot be mistaken. Raises `PortsBusy`.
        """
        port = self._best(remote, hosts, now)
        self._take(leg, port)
        self.moved(leg, remote, hosts, now)
        return port

    def offer(self, leg: int, host: str, now: float) -> int:
        """The index of a port to be offered to a phone at `host`, which may ring for long, or never answer.

        Others may have the same port meanwhile. With its answer it waits (`moved`); if it cannot be told from
        another leg then, it gets another port (`change`).
        """
        self._drop_stale(now)
        busy = Counter(waiting.port for waiting in self._waiting.values() if host in waiting.hosts)
        ringing = self._ringing.setdefault(host, Counter())
        ports = range(len(self.numbers))
        port = min(
            ports, key=lambda one: (busy[one], self._legs[one] >= FULL, ringing[one], -self._legs[one])
        )
        ringing[port] += 1
        self._offered[leg], self._port_of[leg] = host, port
        return port

    def change(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> int:
        """The index of another port for `leg`: on its own another has its source. Raises `PortsBusy`."""
        port = self._best(remote, hosts, now, but=self._port_of[leg])
        self._leave(leg)
        self._take(leg, port)
        self.moved(leg, remote, hosts, now)
        return port

    def moved(self, leg: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float) -> None:
        """The leg waits, for the first time or anew, on its port, for packets from there."""
        port = self._port_of[leg]
        if leg in self._offered:
            self._leave(leg)
            self._take(leg, port)
        self._forget_remote(leg)
        if remote is not None:
            self._remote_of[leg] = remote
            self._remotes.setdefault(remote, Counter())[port] += 1
        self._waiting[leg] = _Waiting(port, remote, frozenset(hosts), now)

    def latched(self, leg: int) -> None:
        """The leg's packets have come."""
        self._waiting.pop(leg, None)

    def close(self, leg: int) -> None:
        if leg in self._port_of:
            self._leave(leg)

    def __len__(self) -> int:
        """Legs that have a port."""
        return len(self._port_of)

    # --- the rooms behind ---

    def _best(
        self, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float, but: int | None = None
    ) -> int:
        self._drop_stale(now)
        free = self._free(remote, frozenset(hosts), but)
        if not free:
            raise PortsBusy
        fillable = [port for port in free if self._legs[port] < FULL]
        if fillable:
            return max(fillable, key=self._legs.__getitem__)
        return min(free, key=self._legs.__getitem__)

    def _free(self, remote: tuple[str, int] | None, hosts: frozenset[str], but: int | None) -> list[int]:
        """The ports that will do, by the first demand that any meets."""
        waiting = self._waiting.values()
        alike = {w.port for w in waiting if w.hosts & hosts}
        demands = [alike]
        if remote is not None:
            same = {w.port for w in waiting if w.remote == remote or (w.hosts & hosts and not w.remote)}
            # A leg that is heard from the same address keeps it; but two houses may name one private address.
            heard = {*self._remotes.get(remote, ())}
            demands = [alike | heard, same | heard, alike, same]
        for taken in demands:
            free = {*range(len(self.numbers))} - taken - {but}
            if free:
                return sorted(free)
        return []

    def _drop_stale(self, now: float) -> None:
        stale = [leg for leg, waiting in self._waiting.items() if now - waiting.since >= PATIENCE]
        for leg in stale:
            del self._waiting[leg]
            self._forget_remote(leg)

    def _take(self, leg: int, port: int) -> None:
        self._port_of[leg] = port
        self._legs[port] += 1

    def _leave(self, leg: int) -> None:
        """The leg has no port."""
        self.latched(leg)
        self._forget_remote(leg)
        port, host = self._port_of.pop(leg), self._offered.pop(leg, None)
        if host is None:
            self._legs[port] -= 1
            return
        self._ringing[host] -= Counter((port,))
        if not self._ringing[host]:
            del self._ringing[host]

    def _forget_remote(self, leg: int) -> None:
        remote = self._remote_of.pop(leg, None)
        if remote is not None:
            # Subtraction leaves nothing that is not more than 0.
            self._remotes[remote] -= Counter((self._port_of[leg],))
            if not self._remotes[remote]:
                del self._remotes[remote]
