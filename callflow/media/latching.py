"""Whose packet is it? Many legs share a port; a leg is known by the source its packets come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.ports import PATIENCE

Sources = NDArray[np.uint64]
"""IPv4 address in the upper, port in the lower 16 bits of 48."""

QUARANTINE: Final = 5.0
"""Seconds for which a closed leg's source belongs to nobody: its last packets must reach no other caller."""


def source_key(address: tuple[str, int]) -> int:
    """The key of an address as it stands in `Sources`."""
    a, b, c, d = (int(part) for part in address[0].split("."))
    return (a << 24 | b << 16 | c << 8 | d) << 16 | address[1]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A leg whose packets have not come yet."""

    slot: int
    port: int
    remote: int | None
    hosts: frozenset[int]
    since: float


class Latches:
    """Source → slot, for each port."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], int] = {}
        self._owned: dict[int, tuple[int, int]] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._named: dict[int, int] = {}
        """The source that each slot was last signalled with."""
        self._quarantined: dict[tuple[int, int], float] = {}
        self._tables: dict[int, tuple[Sources, NDArray[np.int64]]] = {}

    def expect(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> None:
        """The slot's packets will come to `port`, from `remote` or from one of `hosts`."""
        keys = frozenset(source_key((host, 0)) >> 16 for host in hosts)
        named = source_key(remote) if remote else None
        if named is not None:
            self._named[slot] = named
        self._waiting[slot] = _Waiting(slot, port, named, keys, now)

    def move(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> int | None:
        """The slot was signalled anew. Its source, where that stays what it was; else it waits.

        Most re-INVITEs name the address that was named before: a phone that holds has not moved.
        """
        _, owned = self._owned.get(slot, (port, None))
        named = source_key(remote) if remote else None
        if owned is not None and named in (None, owned, self._named.get(slot)):
            if named is not None:
                self._named[slot] = named
            return owned
        self.release(slot, now)
        self.expect(slot, port, remote, hosts, now)
        return None

    def release(self, slot: int, now: float) -> None:
        """The slot is over."""
        self._waiting.pop(slot, None)
        self._named.pop(slot, None)
        owned = self._owned.pop(slot, None)
        if owned:
            del self._known[owned]
            self._tables.pop(owned[0], None)
            self._quarantined = {key: until for key, until in self._quarantined.items() if until > now}
            self._quarantined[owned] = now + QUARANTINE

    def slots(
        self,
        port: int,
        sources: Sources,
        good: NDArray[np.bool_],
        now: float,
        latched: Callable[[int, int], None],
    ) -> NDArray[np.int64]:
        """The slot of each packet, -1 for nobody's; `latched` is told who is found here, and where.

        Only what is `good` speaks for its source: no stray datagram may take a caller's place.
        """
        found = self._look_up(port, sources)
        strangers = np.flatnonzero((found < 0) & good)
        if len(strangers) and self._waiting:
            for source in dict.fromkeys(sources[strangers].tolist()):
                slot = self._latch(port, source, now)
                if slot is not None:
                    latched(slot, source)
            found = self._look_up(port, sources)
        return found

    def _look_up(self, port: int, sources: Sources) -> NDArray[np.int64]:
        keys, slots = self._tables.get(port) or self._build(port)
        if not len(keys):
            return np.full(len(sources), -1, np.int64)
        at = np.minimum(np.searchsorted(keys, sources), len(keys) - 1)
        return np.where(keys[at] == sources, slots[at], -1)

    def _build(self, port: int) -> tuple[Sources, NDArray[np.int64]]:
        pairs = sorted((source, slot) for (known, source), slot in self._known.items() if known == port)
        table = (
            np.array([source for source, _ in pairs], np.uint64),
            np.array([slot for _, slot in pairs], np.int64),
        )
        self._tables[port] = table
        return table

    def _latch(self, port: int, source: int, now: float) -> int | None:
        """The slot that this source is taken for: its signalled source exactly, else its host alone."""
        if (port, source) in self._known:
            return None
        if self._quarantined.get((port, source), now) > now:
            return None
        waiting = [leg for leg in self._waiting.values() if leg.port == port]
        exact = [leg for leg in waiting if leg.remote == source]
        by_host = [leg for leg in waiting if source >> 16 in leg.hosts]
        if len(by_host) > 1:
            # Who never sent a packet does not bar the way of who came after (see `ports`).
            by_host = [leg for leg in by_host if now - leg.since < PATIENCE]
        if not exact and len(by_host) != 1:
            # Two that it could be: better mute than in the wrong call.
            return None
        slot = (exact or by_host)[-1].slot
        del self._waiting[slot]
        self._known[port, source], self._owned[slot] = slot, (port, source)
        self._tables.pop(port, None)
        return slot
