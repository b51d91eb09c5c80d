"""What holds of every order of calls, streams and re-INVITEs behind one host (hypothesis)."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.codec import Law
from callflow.events import DigitPressed
from callflow.media.latching import Latches, source_key
from callflow.media.messages import CloseLeg, MoveLeg, OpenLeg
from tests.pure.media.stage import ULAW_IDLE, Stage
from tests.support.rtp_packets import Address, event, packet

pytestmark = pytest.mark.pure

HOST = "192.0.2.1"
SOURCES: list[Address] = [(HOST, 4000 + 2 * n) for n in range(5)]
PRIVATE: list[Address] = [("10.0.0.5", 4000), ("10.0.0.6", 4000)]
ANNOUNCED: list[Address | None] = [*SOURCES[:4], *PRIVATE, None]
SLOTS, PORTS = 4, 2

slots = st.integers(0, SLOTS - 1)
ports = st.integers(0, PORTS - 1)
announced = st.integers(0, len(ANNOUNCED) - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), slots, ports, announced),
        st.tuples(st.just("move"), slots, ports, announced),
        st.tuples(st.just("close"), slots, st.just(0), st.just(0)),
        st.tuples(st.just("say"), st.integers(0, 4), ports, st.integers(1, 3)),
        st.tuples(st.just("talk"), st.integers(0, 4), ports, st.integers(1, 3)),
        st.tuples(st.just("wait"), st.sampled_from([1, 100, 250, 600, 3100]), st.just(0), st.just(0)),
    ),
    max_size=60,
)
Step = tuple[str, int, int, int]


class Office:
    """Phones of one host, some behind a NAT, and what each leg has announced."""

    def __init__(self) -> None:
        self.latches = Latches(SLOTS)
        self.now = 100.0
        self.open: dict[int, tuple[set[int], Address | None]] = {}
        """By slot: the ports that it was told, and the address that it has announced."""
        self.numbers: Counter[tuple[int, int]] = Counter()

    def do(self, step: Step) -> None:
        match step:
            case "open", slot, port, which if slot not in self.open:
                self.open[slot] = {port}, ANNOUNCED[which]
                self.latches.expect(slot, port, ANNOUNCED[which], self._hosts(which), self.now)
            case "move", slot, port, which if slot in self.open:
                before, remote = self.open[slot]
                named = remote if ANNOUNCED[which] is None else ANNOUNCED[which]
                self.open[slot] = before | {port}, named
                self.latches.move(slot, port, ANNOUNCED[which], self._hosts(which), self.now)
            case "close", slot, _, _ if slot in self.open:
                del self.open[slot]
                self.latches.release(slot, self.now)
            case "say", source, port, ssrc:
                self.say(source, port, ssrc)
            case "talk", source, port, ssrc:
                for _ in range(60):
                    self.say(source, port, ssrc)
                    self.now += 0.02
            case "wait", ticks, _, _:
                self.now += ticks * 0.01
        self.latches.take_yielded()
        self.latches.take_crowded()

    def say(self, source: int, port: int, ssrc: int) -> None:
        """One packet; whose it is must agree with what the legs have announced."""
        self.numbers[source, ssrc] += 1
        [slot] = self.latches.slots(
            port,
            np.array([source_key(SOURCES[source])], np.uint64),
            np.ones(1, np.bool_),
            self.now,
            lambda slot, key: None,
            np.array([ssrc], np.uint32),
            np.array([self.numbers[source, ssrc] % 2**16], np.uint16),
        ).tolist()
        named = {one for one, (at, remote) in self.open.items() if remote == SOURCES[source] and port in at}
        assert slot == -1 or slot in (named or self.open)
        assert slot == -1 or self.latches.owner(port, source_key(SOURCES[source])) == slot

    def _hosts(self, which: int) -> tuple[str, ...]:
        remote = ANNOUNCED[which]
        return (remote[0], HOST) if remote else (HOST,)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_packet_of_a_source_that_one_leg_has_announced_reaches_another(steps: list[Step]) -> None:
    office = Office()
    for step in steps:
        office.do(step)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 3), ports)
def test_an_announced_source_reaches_its_leg_whatever_was_before(
    steps: list[Step], source: int, port: int
) -> None:
    office = Office()
    for step in steps:
        office.do(step)
    others = [slot for slot, (_, remote) in office.open.items() if remote == SOURCES[source]]
    for slot in others or [0]:
        office.do(("close", slot, 0, 0))
    free = (others or [0])[0]
    office.do(("open", free, port, source))
    key = np.array([source_key(SOURCES[source])], np.uint64)
    # A stream that none of the closed legs has had.
    heard = office.latches.slots(
        port,
        key,
        np.ones(1, np.bool_),
        office.now,
        lambda *_: None,
        np.array([9], np.uint32),
        np.zeros(1, np.uint16),
    )
    assert heard.tolist() == [free]


KEYS = st.lists(
    st.one_of(
        st.tuples(st.just("key"), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("audio"), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("run"), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("reopen"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.sampled_from([10, 300]), st.just(0)),
    ),
    max_size=40,
)


class Callers:
    """Three legs of a plane, whose sources send streams of three SSRCs."""

    def __init__(self) -> None:
        self.stage = Stage(ids=tuple(range(1, 2000)))
        self.numbers: Counter[tuple[int, int]] = Counter()
        for leg in range(3):
            self._opens(leg, leg)

    def do(self, step: tuple[str, int, int]) -> None:
        match step:
            case ("key" | "audio") as what, source, ssrc:
                self._comes(source, ssrc, key=what == "key")
            case "run", source, ssrc:
                for _ in range(6):
                    self._comes(source, ssrc, key=False)
            case "reopen", leg, source:
                self.stage.obey(CloseLeg(leg))
                self._opens(leg, source)
            case "move", leg, source:
                self.stage.obey(MoveLeg(leg, Law.PCMU, 101, SOURCES[source], (HOST,)))
            case "wait", ticks, _:
                self.stage.run(ticks * 0.01, 0.05)

    def _opens(self, leg: int, source: int) -> None:
        self.stage.obey(OpenLeg(leg, 0, Law.PCMU, 101, SOURCES[source], (HOST,)))

    def _comes(self, source: int, ssrc: int, *, key: bool) -> None:
        stage, place = self.stage, source_key(SOURCES[source])
        latches, slot_of = stage.plane._parts.latches, stage.plane._legs.slots
        self.numbers[source, ssrc] += 1
        count, owner = self.numbers[source, ssrc], latches.owner(0, place)
        own = None if owner is None else latches.streams.of(owner)
        told = len(stage.told)
        payload, kind = (event("5", 160), 101) if key else (ULAW_IDLE, 0)
        data = packet(payload, kind=kind, sequence=count, timestamp=10_000 * count, ssrc=ssrc)
        stage.come((SOURCES[source], data))
        for _, leg, what in stage.told[told:]:
            if what == DigitPressed("5"):
                assert key
                assert latches.owner(0, place) == slot_of[leg]
                assert latches.streams.of(slot_of[leg]) == ssrc
                # The packet itself makes no other stream the leg's.
                assert own == ssrc or owner != slot_of[leg]


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_a_key_is_a_leg_s_only_under_its_source_and_its_stream(steps: list[tuple[str, int, int]]) -> None:
    callers = Callers()
    for step in steps:
        callers.do(step)
