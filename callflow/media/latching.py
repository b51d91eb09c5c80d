"""Whose packet is it? Many legs share a port; a leg is known by the source that its packets come from.

The order of claim for a packet at a port is this:

1. The leg whose SDP has announced exactly its source, at any time. A leg that took that source by its
   host alone yields, and waits again for its own.
2. The leg that has taken the source.
3. By its host alone the only leg that waits for that host, while its announced source has sent nothing;
   and never with a source that another leg has, has announced, or had lately (see `departed`). A phone
   behind a NAT that begins a new call at once has its old source and a new stream: that is no other's.
4. A leg that has fallen quiet, when the source has proved itself (see `newcomers`).

Every other packet is nobody's, and costs as little as a known one.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from callflow.media.claims import Claim, Claims
from callflow.media.departed import QUARANTINE, Departed
from callflow.media.ports import PATIENCE
from callflow.media.sources import (
    SOURCE,
    KeyTable,
    Sources,
    host_of,
    place_of,
    port_of,
    source_key,
)
from callflow.media.strangers import QUIET, Strangers
from callflow.media.streams import Streams

__all__ = ["QUARANTINE", "QUIET", "Latches", "Sources", "source_key"]


class Latches:
    """Source → slot, for each port. A place is a source at a port: the port's index above the 48 bits."""

    def __init__(self, capacity: int = 1024) -> None:
        self.counts: Counter[str] = Counter()
        """Packets that were nobody's, by why; and legs that moved."""
        self.streams = Streams(capacity)
        self._claims = Claims()
        self._known = KeyTable()
        self._departed = Departed()
        self._heard_at = np.full(capacity, -np.inf)
        self._contested, self._haunted = np.zeros(capacity, np.bool_), np.zeros(capacity, np.bool_)
        """Slots whose source another leg has announced as well; whose source was another leg's just now."""
        self._some_doubt = False
        """Whether there is any of either."""
        self._yielded: list[tuple[int, int]] = []
        self._strangers = Strangers(self._claims, self._departed, self.streams, self._heard_at, self.counts)

    # --- legs ---

    def expect(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> bool:
        """The slot's packets will come to `port`, from `remote` or from one of `hosts`.

        Gives whether they can: a source that another leg of this port has announced too stays that leg's.
        """
        named = source_key(remote) if remote else None
        claim = Claim(slot, (port,), named, _hosts(hosts), now)
        before = self._claims.get(slot)
        if before is not None:
            claim.owned, claim.was_announced = before.owned, before.was_announced
            claim.announced = before.announced if named is None else named
            # Where it has not been heard yet the phone may not have learned of its new port.
            left = [one for one in before.ports if one != port] if before.owned is None else []
            claim.ports = (*left, port)
        self._file(claim)
        return claim.announced is None or self._is_free(claim, place_of(port, claim.announced), now)

    def move(
        self, slot: int, port: int, remote: tuple[str, int] | None, hosts: tuple[str, ...], now: float
    ) -> tuple[int | None, bool]:
        """The slot was signalled anew. Its source, where that stays what it was; and what `expect` says.

        Most re-INVITEs name the address that was named before: a phone that holds has not moved. A phone
        that is to send to another port of ours is heard at the old one until its first packet there.
        """
        claim, named = self._claims.get(slot), source_key(remote) if remote else None
        source = None if claim is None or claim.owned is None else claim.owned & SOURCE
        if claim is not None and named not in (None, source, claim.announced):
            self._leave(claim, now)
            source = None
        if claim is None or source is None or claim.owned != place_of(port, source):
            return source, self.expect(slot, port, remote, hosts, now)
        if named is not None:
            claim.announced = named
            claim.was_announced |= claim.by_announcement
            self._file(claim)
        return source, True

    def restore(self, slot: int, port: int, source: int, now: float) -> bool:
        """The slot was heard from there before it was given to us; whether nobody else has that source."""
        place = place_of(port, source)
        others = (one.slot for one in self._claims.announcing(place))
        if self._known.get(place) is not None or any(other != slot for other in others):
            return False
        self._own(self._claims[slot], place, None, now)
        return True

    def release(self, slot: int, now: float) -> None:
        """The slot is over."""
        claim, ssrc = self._claims.get(slot), self.streams.of(slot)
        if claim is not None:
            if claim.owned is not None and ssrc is not None:
                self._departed.quarantine(claim.owned, ssrc, float(self._heard_at[slot]), now)
            self._leave(claim, now)

    def owner(self, port: int, source: int) -> int | None:
        """Whose source it is."""
        return self._known.get(place_of(port, source))

    def take_crowded(self) -> list[int]:
        """The slots that cannot be told from others at their port: each needs another one."""
        return self._strangers.take_crowded()

    def take_yielded(self) -> list[tuple[int, int]]:
        """The slots that have lost their source to the leg that announced it; the source each has announced.

        0 where it has announced none.
        """
        yielded, self._yielded = self._yielded, []
        return yielded

    # --- packets ---

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
        places = sources | np.asarray(port, np.uint64) << np.uint64(48)
        found = self._known.find(places)
        strangers = ((found < 0) & good).nonzero()[0]
        if len(strangers):
            rows = self._strangers.possible(places, strangers, now, ssrc)
            if len(rows) and self._settle(places, rows, now, latched, ssrc, sequence):
                found = self._known.find(places)
        if ssrc is not None and self._some_doubt:
            self._refuse(found, places, ssrc, now)
        mine = found if bool((found >= 0).all()) else found[(found >= 0) & good]
        self._heard_at[mine] = now
        return found

    def _refuse(
        self, found: NDArray[np.int64], places: Sources, ssrc: NDArray[np.uint32], now: float
    ) -> None:
        """Take those packets from the slots of `found` that come from their sources and are not theirs."""
        others = (found >= 0) & self._contested[found] & ~self.streams.own(found, ssrc)
        if others.any():
            self.counts["contested"] += int(np.count_nonzero(others))
            found[others] = -1
        for row in ((found >= 0) & self._haunted[found]).nonzero()[0].tolist():
            if self._departed.is_late(int(places[row]), int(ssrc[row]), now):
                self.counts["quarantined"] += 1
                found[row] = -1

    def _settle(
        self,
        places: Sources,
        rows: NDArray[np.intp],
        now: float,
        latched: Callable[[int, int], None],
        ssrc: NDArray[np.uint32] | None,
        sequence: NDArray[np.uint16] | None,
    ) -> bool:
        """Find out whose the packets in `rows` are; whether anybody was found."""
        settled: dict[int, bool] = {}
        for row in rows.tolist():
            place = int(places[row])
            if place in settled:
                continue
            stream = None if ssrc is None or sequence is None else (int(ssrc[row]), int(sequence[row]))
            claim, is_sure = self._strangers.whose(place, stream, now)
            if claim is not None:
                self._own(claim, place, stream[0] if stream else None, now)
                latched(claim.slot, place & SOURCE)
            if is_sure:
                settled[place] = claim is not None
        return any(settled.values())

    # --- what changes ---

    def _own(self, claim: Claim, place: int, ssrc: int | None, now: float) -> None:
        """From now on the leg is heard from there."""
        slot = claim.slot
        self._let_go(claim, now)
        claim.owned, claim.ports = place, (claim.port,)
        claim.waits = claim.port != port_of(place)
        claim.was_announced |= claim.by_announcement
        self._known[place] = slot
        self._departed.free(place & SOURCE)
        self._haunted[slot] = self._departed.has_streams(place, now)
        self._heard_at[slot] = now
        if ssrc is not None:
            self.streams.begin(slot, ssrc)
        if claim.by_announcement:
            self._strangers.settled(slot)
        self._file(claim)

    def _let_go(self, claim: Claim, now: float) -> None:
        """The leg is no longer heard from where it was."""
        place, slot = claim.owned, claim.slot
        if place is None:
            return
        claim.owned = None
        self._known.discard(place)
        self._departed.bar(place & SOURCE, float(self._heard_at[slot]), now, self.streams.of(slot))
        self.streams.forget(slot)
        self._contested[slot] = self._haunted[slot] = False

    def _leave(self, claim: Claim, now: float) -> None:
        """The leg claims nothing of what it did."""
        self._let_go(claim, now)
        if claim.announced is not None and not claim.was_announced:
            # It may begin to send only now.
            self._departed.bar(claim.announced, now, now)
        self._claims.leave(claim.slot)
        self._strangers.settled(claim.slot)
        self._note_contests(claim.named)

    def _is_free(self, claim: Claim, place: int, now: float) -> bool:
        """Whether the place that the leg has announced is its alone, or can be made so."""
        owner = self._known.get(place)
        if owner is not None and owner != claim.slot and not self._claims[owner].by_announcement:
            self._yield(self._claims[owner], now)
        others = [one for one in self._claims.announcing(place) if one.slot != claim.slot]
        taken = any(one.owned == place or (one.waits and now - one.since < PATIENCE) for one in others)
        if taken:
            self.counts["refused_source_taken"] += 1
        return not taken

    def _yield(self, claim: Claim, now: float) -> None:
        """The leg was taken for another by its host: it waits for its own source again."""
        assert claim.owned is not None
        self._known.discard(claim.owned)
        self.streams.forget(claim.slot)
        self._contested[claim.slot] = self._haunted[claim.slot] = False
        claim.owned, claim.waits, claim.since = None, True, now
        self._file(claim)
        self.counts["yielded"] += 1
        self._yielded.append((claim.slot, claim.announced or 0))

    def _file(self, claim: Claim) -> None:
        places = {*self._claims.announced_by(claim.slot), *claim.named}
        self._claims.enter(claim)
        self._note_contests(places)

    def _note_contests(self, places: Iterable[int]) -> None:
        """Find out anew whether the owners of these places share them with a leg that waits."""
        for place in places:
            owner = self._known.get(place)
            if owner is not None:
                others = (one for one in self._claims.announcing(place) if one.slot != owner)
                self._contested[owner] = any(one.waits for one in others)
        self._some_doubt = bool(self._contested.any() or self._haunted.any())
        self._strangers.changed()


def _hosts(hosts: tuple[str, ...]) -> frozenset[int]:
    return frozenset(host_of(source_key((host, 0))) for host in hosts)
