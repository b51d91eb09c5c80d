"""What each leg claims: the source that its SDP has announced, its hosts, and the source it is heard from."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.ports import PATIENCE
from callflow.media.sources import SOURCE, KeyTable, Sources, host_of, host_place, place_of, port_of


@dataclass(slots=True)
class Claim:
    """The claim of one leg."""

    slot: int
    ports: tuple[int, ...]
    """Our ports where its packets may come, the present one last. While it waits it may have left others by a
    re-INVITE, whose effect on the phone is not known yet."""
    announced: int | None
    """The source that its SDP has named."""
    hosts: frozenset[int]
    since: float
    """When it began to wait."""
    waits: bool = True
    """Whether no packet has come yet, or none at its present port."""
    owned: int | None = None
    """The place that its packets come from."""
    was_announced: bool = False
    """Whether packets have ever come from the announced source."""

    @property
    def port(self) -> int:
        return self.ports[-1]

    @property
    def by_announcement(self) -> bool:
        """Whether its source is the one that was announced; else it was found by its host alone."""
        return self.owned is not None and self.owned & SOURCE == self.announced

    @property
    def may_be_elsewhere(self) -> bool:
        """Whether its packets may come from another address than the announced one: it is behind a NAT."""
        return self.announced is None or self.is_behind_nat

    @property
    def is_behind_nat(self) -> bool:
        """Whether its SDP names another host than its signalling comes from."""
        return self.announced is not None and len(self.hosts) > 1

    @property
    def named(self) -> list[int]:
        """The places that its SDP has announced."""
        return [] if self.announced is None else [place_of(port, self.announced) for port in self.ports]

    @property
    def awaited(self) -> set[int]:
        """Its hosts at the ports where it waits; none where it does not."""
        return self._at(set(self.ports)) if self.waits else set()

    @property
    def around(self) -> set[int]:
        """Its hosts at all its ports, the one where it is heard included."""
        return self._at({*self.ports, *([] if self.owned is None else [port_of(self.owned)])})

    def _at(self, ports: set[int]) -> set[int]:
        hosts = self.hosts if self.owned is None else self.hosts | {host_of(self.owned & SOURCE)}
        return {host_place(port, host) for port in ports for host in hosts}

    @property
    def sources(self) -> set[int]:
        """The sources that are no other leg's to take."""
        owned = set() if self.owned is None else {self.owned & SOURCE}
        return owned if self.announced is None else owned | {self.announced}


_NONE: Final[dict[int, None]] = {}
_ENOUGH: Final = 8


class Claims:
    """The claims of all legs, by slot, by announced place, and by host at a port."""

    def __init__(self) -> None:
        self._by_slot: dict[int, Claim] = {}
        self._named: dict[int, dict[int, None]] = {}
        """By place, the slots that have announced it, the latest last."""
        self._around: dict[int, dict[int, None]] = {}
        """By host at a port, the slots that may be heard from there."""
        self._waiting: dict[int, dict[int, None]] = {}
        """By host at a port, the slots that wait for packets from there."""
        self._using: dict[int, dict[int, None]] = {}
        """By source, at any port: the slots that have it or have announced it."""
        self._places, self._hosts = KeyTable(), KeyTable()
        self._filed: dict[int, tuple[list[int], set[int], set[int]]] = {}
        """By slot, where its claim stands in the tables."""

    def __contains__(self, slot: int) -> bool:
        return slot in self._by_slot

    def __getitem__(self, slot: int) -> Claim:
        return self._by_slot[slot]

    def get(self, slot: int) -> Claim | None:
        return self._by_slot.get(slot)

    def enter(self, claim: Claim) -> None:
        """A claim is new, or another than it was."""
        self.leave(claim.slot)
        slot, named, around = claim.slot, claim.named, claim.around
        self._by_slot[slot] = claim
        for place in named:
            self._named.setdefault(place, {})[slot] = None
            self._places[place] = slot
        for place in around:
            self._around.setdefault(place, {})[slot] = None
            self._hosts[place] = slot
        for place in claim.awaited:
            self._waiting.setdefault(place, {})[slot] = None
        for source in claim.sources:
            self._using.setdefault(source, {})[slot] = None
        self._filed[slot] = named, around, claim.sources

    def leave(self, slot: int) -> None:
        """The slot claims nothing any more."""
        if self._by_slot.pop(slot, None) is None:
            return
        named, around, sources = self._filed.pop(slot)
        for place in named:
            _discard(self._named, place, slot)
            self._refresh(self._places, self._named, place)
        for place in around:
            _discard(self._around, place, slot)
            _discard(self._waiting, place, slot)
            self._refresh(self._hosts, self._around, place)
        for source in sources:
            _discard(self._using, source, slot)

    def announced_by(self, slot: int) -> list[int]:
        """The places that the slot has announced, as its claim was entered last."""
        return self._filed[slot][0] if slot in self._filed else []

    def announcing(self, place: int) -> list[Claim]:
        """The claims of the legs that have announced the place, the latest last."""
        claims = [self._by_slot[slot] for slot in self._named.get(place, _NONE)]
        return sorted(claims, key=lambda claim: claim.since)

    def are_announced(self, places: Sources) -> NDArray[np.bool_]:
        """Which places have been announced by any leg."""
        announced: NDArray[np.bool_] = self._places.find(places) >= 0
        return announced

    def have_legs(self, hosts: Sources) -> NDArray[np.bool_]:
        """At which hosts, each at a port, there are legs that may be heard from there."""
        have: NDArray[np.bool_] = self._hosts.find(hosts) >= 0
        return have

    def using(self, source: int) -> list[Claim]:
        """The claims of the legs that have the source or have announced it, at whatever port."""
        return [self._by_slot[slot] for slot in self._using.get(source, _NONE)]

    def waiting(self, host: int, now: float) -> list[Claim]:
        """A few of the claims that wait for a host at a port, the latest first.

        A leg that never sent a packet does not bar the way of those that came after it (see `ports`).
        """
        slots = self._waiting.get(host, _NONE)
        if len(slots) == 1:
            return [self._by_slot[slot] for slot in slots]
        fresh: Iterator[Claim] = (
            claim for slot in reversed(slots) if now - (claim := self._by_slot[slot]).since < PATIENCE
        )
        return [*islice(fresh, _ENOUGH)]

    def latched(self, host: int) -> list[Claim]:
        """The claims that are heard from a host at a port."""
        claims = (self._by_slot[slot] for slot in self._around.get(host, _NONE))
        return [claim for claim in claims if not claim.waits]

    def _refresh(self, table: KeyTable, slots: dict[int, dict[int, None]], place: int) -> None:
        if place in slots:
            table[place] = next(reversed(slots[place]))
        else:
            table.discard(place)


def _discard(slots: dict[int, dict[int, None]], place: int, slot: int) -> None:
    held = slots.get(place)
    if held is not None:
        held.pop(slot, None)
        if not held:
            del slots[place]
