"""Whose packet is it? Many legs share a port; a leg is known by the source its packets come from."""

from collections import Counter
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
QUIET: Final = 1.0
"""Seconds without a packet from a latched leg's source after which a new source may be taken for it."""
STEADY: Final = 4
"""Packets in order that a new source must send for that."""
_MOST_NEWCOMERS: Final = 64
_SOURCE: Final = 2**48 - 1


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


@dataclass(slots=True)
class _Newcomer:
    """A source that may be a latched leg's new one."""

    slot: int
    ssrc: int
    sequence: int
    packets: int


class Latches:
    """Source → slot, for each port. A key has the port's index above the 48 bits of the source."""

    def __init__(self, capacity: int = 1024) -> None:
        self.counts: Counter[str] = Counter()
        """Packets that were nobody's, by why; and legs that moved."""
        self._known: dict[int, int] = {}
        self._owned: dict[int, int] = {}
        self._hosts: dict[int, frozenset[int]] = {}
        """The hosts that each slot's packets may come from."""
        self._waiting: dict[int, _Waiting] = {}
        self._named: dict[int, int] = {}
        """The source that each slot was last signalled with."""
        self._quarantined: dict[int, float] = {}
        self._newcomers: dict[int, _Newcomer] = {}
        self._heard_at = np.full(capacity, -np.inf)
        self._table: tuple[Sources, NDArray[np.int64]] | None = None

    def expect(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> bool:
        """The slot's packets will come to `port`, from `remote` or from one of `hosts`.

        Gives whether they can: a source that is another leg's on this port stays that leg's.
        """
        keys = frozenset(source_key((host, 0)) >> 16 for host in hosts)
        named = source_key(remote) if remote else None
        if named is not None:
            self._named[slot] = named
        self._hosts[slot] = keys
        self._waiting[slot] = _Waiting(slot, port, named, keys, now)
        if named is not None and self._known.get(_key(port, named), slot) != slot:
            self.counts["refused_source_taken"] += 1
            return False
        return True

    def move(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> tuple[int | None, bool]:
        """The slot was signalled anew. Its source, where that stays what it was; and what `expect` says.

        Most re-INVITEs name the address that was named before: a phone that holds has not moved. Who is
        to send to another port of ours is heard at the old one until its first packet there.
        """
        key = self._owned.get(slot)
        owned = None if key is None else key & _SOURCE
        named = source_key(remote) if remote else None
        if key is None or named not in (None, owned, self._named.get(slot)):
            self.release(slot, now)
            owned = None
        elif key == _key(port, key & _SOURCE):
            if named is not None:
                self._named[slot] = named
            return owned, True
        return owned, self.expect(slot, port, remote, hosts, now)

    def release(self, slot: int, now: float) -> None:
        """The slot is over."""
        self._waiting.pop(slot, None)
        self._named.pop(slot, None)
        self._hosts.pop(slot, None)
        self._let_go(slot, now)

    def owner(self, port: int, source: int) -> int | None:
        """Whose source it is."""
        return self._known.get(_key(port, source))

    def slots(
        self,
        port: int | NDArray[np.int64],
        sources: Sources,
        good: NDArray[np.bool_],
        now: float,
        latched: Callable[[int, int], None],
        ssrc: NDArray[np.uint32] | None = None,
        sequence: NDArray[np.uint16] | None = None,
    ) -> NDArray[np.int64]:
        """The slot of each packet, -1 for nobody's; `latched` is told who is found here, and where.

        Only what is `good` speaks for its source: no stray datagram may take a caller's place. `ssrc` and
        `sequence` are the packets' own; without them nobody latches anew.
        """
        keys = sources | np.asarray(port, np.uint64) << np.uint64(48)
        found = self._look_up(keys)
        strangers = ((found < 0) & good).nonzero()[0]
        if len(strangers) and self._settle(keys, strangers, now, latched, ssrc, sequence):
            found = self._look_up(keys)
        mine = found if bool((found >= 0).all()) else found[(found >= 0) & good]
        self._heard_at[mine] = now
        return found

    def _settle(
        self,
        keys: Sources,
        strangers: NDArray[np.intp],
        now: float,
        latched: Callable[[int, int], None],
        ssrc: NDArray[np.uint32] | None,
        sequence: NDArray[np.uint16] | None,
    ) -> bool:
        """Find out whose the packets of strangers are; whether anybody was found."""
        settled: dict[int, bool] = {}
        for row in strangers.tolist():
            key = int(keys[row])
            if settled.get(key):
                continue
            slot = self._latch(key, now)
            if slot is None and ssrc is not None and sequence is not None:
                slot = self._latch_anew(key, int(ssrc[row]), int(sequence[row]), now)
            settled[key] = slot is not None
            if slot is not None:
                self._heard_at[slot] = now
                latched(slot, key & _SOURCE)
        return any(settled.values())

    def _look_up(self, wanted: Sources) -> NDArray[np.int64]:
        keys, slots = self._table or self._build()
        if not len(keys):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, slots[at], -1)

    def _build(self) -> tuple[Sources, NDArray[np.int64]]:
        pairs = sorted(self._known.items())
        keys = np.array([key for key, _ in pairs], np.uint64)
        self._table = keys, np.array([slot for _, slot in pairs], np.int64)
        return self._table

    def _latch(self, key: int, now: float) -> int | None:
        """The slot that this source is taken for: its signalled source exactly, else its host alone."""
        port, source = key >> 48, key & _SOURCE
        if self._quarantined.get(key, now) > now:
            self.counts["quarantined"] += 1
            return None
        waiting = [leg for leg in self._waiting.values() if leg.port == port]
        exact = [leg for leg in waiting if leg.remote == source]
        by_host = [leg for leg in waiting if source >> 16 in leg.hosts]
        if len(by_host) > 1:
            # Who never sent a packet does not bar the way of who came after (see `ports`).
            by_host = [leg for leg in by_host if now - leg.since < PATIENCE]
        if not exact and len(by_host) != 1:
            # Two that it could be: better mute than in the wrong call.
            if by_host:
                self.counts["ambiguous_source"] += 1
            return None
        slot = (exact or by_host)[-1].slot
        del self._waiting[slot]
        self._own(slot, key, now)
        return slot

    def _latch_anew(self, key: int, ssrc: int, sequence: int, now: float) -> int | None:
        """The one latched leg, quiet for a while, that this steady newcomer can be."""
        if self._quarantined.get(key, now) > now:
            return None
        slot = self._quiet_leg(key, now)
        if slot is None:
            self._newcomers.pop(key, None)
            return None
        before = self._newcomers.get(key)
        expected = (slot, ssrc, sequence)
        if before is None or (before.slot, before.ssrc, (before.sequence + 1) % 2**16) != expected:
            if len(self._newcomers) >= _MOST_NEWCOMERS:
                self._newcomers.clear()
            self._newcomers[key] = _Newcomer(slot, ssrc, sequence, 1)
            return None
        before.sequence, before.packets = sequence, before.packets + 1
        if before.packets < STEADY:
            return None
        self._newcomers.clear()
        self._own(slot, key, now)
        self.counts["latched_anew"] += 1
        return slot

    def _quiet_leg(self, key: int, now: float) -> int | None:
        port, host = key >> 48, (key & _SOURCE) >> 16
        able = [
            slot
            for slot, owned in self._owned.items()
            if owned >> 48 == port and (host in self._hosts[slot] or host == (owned & _SOURCE) >> 16)
        ]
        quiet = [slot for slot in able if now - self._heard_at[slot] >= QUIET]
        return quiet[0] if len(quiet) == 1 else None

    def _own(self, slot: int, key: int, now: float) -> None:
        self._let_go(slot, now)
        self._known[key], self._owned[slot] = slot, key
        self._table = None

    def _let_go(self, slot: int, now: float) -> None:
        owned = self._owned.pop(slot, None)
        if owned is not None:
            del self._known[owned]
            self._table = None
            self._quarantined = {key: until for key, until in self._quarantined.items() if until > now}
            self._quarantined[owned] = now + QUARANTINE


def _key(port: int, source: int) -> int:
    return port << 48 | source
