"""Whose packet is it? Better nobody's than another caller's."""

from collections import Counter

import numpy as np
import pytest

from callflow.media.latching import Latches, source_key
from callflow.media.ports import PATIENCE

pytestmark = pytest.mark.pure

Address = tuple[str, int]
A, A2, B = ("192.0.2.1", 4000), ("192.0.2.1", 4002), ("192.0.2.2", 4000)
FIRST, SECOND = 1, 2
"""Two slots."""


class Wire:
    """Latches, and what they told."""

    def __init__(self) -> None:
        self.latches = Latches()
        self.told: list[tuple[int, Address]] = []
        self.numbers: Counter[tuple[Address, int]] = Counter()

    def expect(self, slot: int, remote: Address | None, *hosts: str, port: int = 0, now: float = 0.0) -> bool:
        return self.latches.expect(slot, port, remote, hosts, now)

    def come(
        self, *sources: Address, port: int = 0, now: float = 0.0, good: bool = True, ssrc: int = 7
    ) -> list[int]:
        """One packet of each, numbered in the order of its stream."""
        keys = np.array([source_key(source) for source in sources], np.uint64)
        known = {source_key(source): source for source in sources}
        numbers = []
        for source in sources:
            self.numbers[source, ssrc] += 1
            numbers.append(self.numbers[source, ssrc])
        slots = self.latches.slots(
            port,
            keys,
            np.full(len(keys), good),
            now,
            lambda slot, key: self.told.append((slot, known[key])),
            np.full(len(keys), ssrc, np.uint32),
            np.array(numbers, np.uint16),
        )
        return [int(slot) for slot in slots]

    def stream(
        self, source: Address, begin: float, seconds: float, *, port: int = 0, ssrc: int = 7
    ) -> list[int]:
        """A packet every 20 ms: whose each was."""
        count = round(seconds / 0.02)
        return [self.come(source, port=port, now=begin + 0.02 * n, ssrc=ssrc)[0] for n in range(count)]


def test_a_source_is_a_number() -> None:
    assert source_key(("0.0.0.1", 2)) == 0x1_0002
    assert source_key(("255.255.255.255", 65535)) == 2**48 - 1


def test_the_signalled_source_is_known_and_told_once() -> None:
    wire = Wire()
    wire.expect(FIRST, A, A[0])
    wire.expect(SECOND, B, B[0])
    assert wire.come(B, A, B, ("203.0.113.9", 4000)) == [SECOND, FIRST, SECOND, -1]
    assert wire.come(A, B, now=1.0) == [FIRST, SECOND]
    assert wire.told == [(SECOND, B), (FIRST, A)]


def test_behind_nat_the_host_is_enough_where_only_one_waits_for_it() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", A[0])
    assert wire.come(A2, A) == [FIRST, -1]
    assert wire.told == [(FIRST, A2)]


def test_two_that_it_could_be_are_nobody() -> None:
    wire = Wire()
    wire.expect(FIRST, None, A[0])
    wire.expect(SECOND, None, A[0])
    assert wire.come(A, A2) == [-1, -1]
    assert wire.told == []
    wire.latches.release(SECOND, 1.0)
    assert wire.come(A, now=1.0) == [FIRST]


def test_the_exact_source_goes_before_the_host() -> None:
    wire = Wire()
    wire.expect(FIRST, A2, A[0])
    wire.expect(SECOND, A, A[0])
    assert wire.come(A) == [SECOND]
    assert wire.come(("192.0.2.1", 9)) == [FIRST]


@pytest.mark.parametrize(("now", "slot"), [(PATIENCE - 0.1, -1), (PATIENCE, SECOND)])
def test_who_never_sent_does_not_bar_the_way_for_ever(now: float, slot: int) -> None:
    wire = Wire()
    wire.expect(FIRST, None, A[0])
    wire.expect(SECOND, None, A[0], now=5.0)
    assert wire.come(A, now=now) == [slot]


def test_what_is_no_rtp_latches_nobody() -> None:
    wire = Wire()
    wire.expect(FIRST, None, A[0])
    assert wire.come(A2, good=False) == [-1]
    assert wire.come(A) == [FIRST]


def test_ports_are_worlds_apart() -> None:
    wire = Wire()
    wire.expect(FIRST, A, A[0], port=0)
    wire.expect(SECOND, A, A[0], port=1)
    assert wire.come(A, port=1) == [SECOND]
    assert wire.come(A, port=2) == [-1]
    assert wire.come(A, port=0) == [FIRST]


def test_a_reinvite_that_names_the_same_address_changes_nothing() -> None:
    """A phone behind NAT that holds and resumes is heard all the time."""
    wire = Wire()
    private = ("10.0.0.5", 4000)
    wire.expect(FIRST, private, A[0])
    assert wire.come(A2) == [FIRST]
    for remote in (private, None, private, A2):
        assert wire.latches.move(FIRST, 0, remote, (A[0],), 1.0) == (source_key(A2), True)
        assert wire.come(A2, now=1.0) == [FIRST]
    assert wire.told == [(FIRST, A2)]


def test_a_reinvite_that_names_another_address_latches_anew() -> None:
    wire = Wire()
    wire.expect(FIRST, A, A[0])
    wire.come(A)
    assert wire.latches.move(FIRST, 0, A2, (A[0],), 1.0) == (None, True)
    assert wire.come(A, now=1.0) == [-1]
    assert wire.come(A2, A, now=1.1) == [FIRST, -1]
    assert wire.told == [(FIRST, A), (FIRST, A2)]


def test_a_leg_that_has_not_latched_goes_by_its_newest_offer() -> None:
    wire = Wire()
    wire.expect(FIRST, A, A[0])
    assert wire.latches.move(FIRST, 0, B, (B[0],), 1.0) == (None, True)
    assert wire.come(A, B, now=1.0) == [-1, FIRST]
