"""Who moves without a word is found again; nobody's packets ever reach another call."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.codec import Law
from callflow.media.messages import CloseLeg, Join, Latched, MoveLeg, OpenLeg, Part, SourceTaken, Unlatched
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage
from tests.support.rtp_packets import Address, packet

pytestmark = pytest.mark.pure

MOVED = (ALICE[0], 61_000)


def heard_phone(stage: Stage, leg: int, address: Address) -> Phone:
    stage.open(leg, address)
    phone = Phone(stage, address)
    phone.say(ULAW_IDLE)
    stage.told.clear()
    return phone


@pytest.mark.parametrize(
    ("quiet", "packets", "latches"), [(4.5, 50, True), (3.5, 50, False), (4.5, 40, False)]
)
def test_a_second_in_order_moves_a_leg_that_was_quiet_for_long(
    quiet: float, packets: int, latches: bool
) -> None:
    stage = Stage()
    phone = heard_phone(stage, 1, ALICE)
    stage.run(quiet)
    phone.address = MOVED
    for _ in range(packets):
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    assert [event for _, _, event in stage.told] == [Latched()] * latches
    stage.sent.clear()
    stage.run(0.02)
    assert bool(stage.to(MOVED)) is latches
    assert bool(stage.to(ALICE)) is not latches
    assert stage.plane.counts["latched_anew"] == latches


def test_what_is_not_in_order_or_of_one_stream_moves_nobody() -> None:
    stage = Stage()
    heard_phone(stage, 1, ALICE)
    stage.run(1.5)
    for sequence, ssrc in [(1, 7), (2, 7), (3, 7), (5, 7), (6, 7), (7, 8), (8, 8), (9, 8), (9, 8)]:
        stage.come((MOVED, packet(ULAW_IDLE, sequence=sequence, ssrc=ssrc)))
    assert stage.told == []


def test_a_newcomer_from_elsewhere_moves_nobody() -> None:
    stage = Stage()
    heard_phone(stage, 1, ALICE)
    stage.run(1.5)
    for sequence in range(20):
        stage.come((BOB, packet(ULAW_IDLE, sequence=sequence)))
    assert stage.told == []
    assert stage.plane.counts["dropped_unknown_source"] == 20


def test_two_quiet_legs_of_one_house_are_not_guessed_between() -> None:
    stage = Stage()
    heard_phone(stage, 1, ALICE)
    heard_phone(stage, 2, (ALICE[0], 4002))
    stage.run(1.5)
    for sequence in range(8):
        stage.come((MOVED, packet(ULAW_IDLE, sequence=sequence)))
    assert stage.told == []


def test_the_place_that_was_left_belongs_to_who_announces_it() -> None:
    stage = Stage()
    phone = heard_phone(stage, 1, ALICE)
    stage.run(5.0)
    phone.address = MOVED
    for _ in range(60):
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    stage.told.clear()
    stage.open(2, ALICE)
    stage.come((ALICE, packet(ULAW_IDLE)))
    assert [(leg, event) for _, leg, event in stage.told] == [(2, Latched())]


def test_a_leg_that_yields_is_sent_its_audio_where_it_was_signalled() -> None:
    stage = Stage()
    neighbour = (ALICE[0], 4002)
    stage.open(1, ALICE)
    stage.come((neighbour, packet(ULAW_IDLE)))
    stage.open(2, neighbour)
    assert [(leg, event) for _, leg, event in stage.told] == [(1, Latched()), (1, Unlatched())]
    stage.sent.clear()
    stage.run(0.1)
    assert [len({one.ssrc for one in stage.to(place)}) for place in (ALICE, neighbour)] == [1, 1]
    assert {one.ssrc for one in stage.to(ALICE)} != {one.ssrc for one in stage.to(neighbour)}
    stage.come((neighbour, packet(ULAW_IDLE)), (ALICE, packet(ULAW_IDLE)))
    assert [(leg, event) for _, leg, event in stage.told[2:]] == [(2, Latched()), (1, Latched())]


def test_legs_that_cannot_be_told_apart_are_told_of() -> None:
    stage = Stage()
    for leg in (1, 2):
        stage.obey(OpenLeg(leg, 0, Law.PCMU, 101, (f"10.0.0.{leg}", 4000), (f"10.0.0.{leg}", ALICE[0])))
    for n in range(25):
        stage.come((ALICE, packet(ULAW_IDLE, sequence=n)))
        stage.run(0.02)
    assert [(leg, event) for _, leg, event in stage.told] == [(2, SourceTaken())]


def test_an_address_that_another_leg_owns_is_refused() -> None:
    stage = Stage()
    heard_phone(stage, 1, ALICE)
    stage.open(2, ALICE)
    stage.obey(OpenLeg(3, 1, Law.PCMU, 101, ALICE, (ALICE[0],)))
    stage.open(4, BOB)
    stage.obey(MoveLeg(4, Law.PCMU, 101, ALICE, (ALICE[0],)))
    assert [(leg, event) for _, leg, event in stage.told] == [(2, SourceTaken()), (4, SourceTaken())]
    assert stage.plane.counts["refused_source_taken"] == 2


SOURCES = [("192.0.2.1", 4000), ("192.0.2.1", 4002), ("192.0.2.2", 4000), ("192.0.2.3", 4000)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 3), st.integers(0, 1)),
        st.tuples(st.just("say"), st.integers(0, 3), st.integers(0, 1)),
        st.tuples(st.just("talk"), st.integers(0, 3), st.integers(0, 1)),
        st.tuples(st.just("move"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("join"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("part"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("close"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([1, 50, 700]), st.just(0)),
    ),
    max_size=40,
)


class Town:
    """Phones by their hosts: whoever is signalled with a host may be heard from it, and nobody else.

    Each host's audio bears its own code; a leg's partner alone may hear it.
    """

    def __init__(self) -> None:
        self.stage = Stage(ids=tuple(range(1, 2000)))
        self.ids = count(1)
        self.open: dict[int, tuple[int, int]] = {}
        """By place: leg and the source it was last signalled with."""
        self.partner: dict[int, int] = {}
        self.sequence = count(1)
        # All four are there at first, two and two in a call.
        for place in range(4):
            self.do(("open", place, place % 2))
            self.do(("say", place, place % 2))
        self.do(("join", 0, 2))
        self.do(("join", 1, 3))

    def do(self, step: tuple[str, int, int]) -> None:
        self.stage.sent.clear()
        match step:
            case "open", place, port if place not in self.open:
                self.open[place] = next(self.ids), place
                source = SOURCES[place]
                self.stage.obey(OpenLeg(self.open[place][0], port, Law.PCMU, 101, source, (source[0],)))
            case "say", place, port:
                self.say(place, port)
            case "talk", place, port:
                for _ in range(5):
                    self.say(place, port)
            case "move", place, source if place in self.open:
                leg = self.open[place][0]
                self.open[place] = leg, source
                to = SOURCES[source]
                self.stage.obey(MoveLeg(leg, Law.PCMU, 101, to, (to[0],)))
            case "join", place, other if place != other and {place, other} <= set(self.open):
                for one in (place, other):
                    self.partner.pop(self.partner.pop(one, -1), None)
                self.partner |= {place: other, other: place}
                self.stage.obey(Join(self.open[place][0], self.open[other][0]))
            case ("part" | "close") as what, place, _ if place in self.open:
                self.partner.pop(self.partner.pop(place, -1), None)
                leg = self.open[place][0]
                self.stage.obey(Part(leg) if what == "part" else CloseLeg(leg))
                if what == "close":
                    del self.open[place]
            case "wait", ticks, _:
                self.stage.run(ticks * 0.01)
        self.stage.tick(0.001)

    def say(self, place: int, port: int) -> None:
        data = packet(bytes([place + 1]) * 160, sequence=next(self.sequence), ssrc=place)
        self.stage.come((SOURCES[place], data), port=port)

    def check(self) -> None:
        allowed = set()
        for place, other in self.partner.items():
            # Its host is what a leg is known by: neighbours on one host may be taken for each other
            # only where they were signalled so.
            listener_hosts = {SOURCES[self.open[other][1]][0], SOURCES[other][0]}
            speaker_hosts = {SOURCES[self.open[place][1]][0], SOURCES[place][0]}
            allowed |= {(speaker, listener) for speaker in speaker_hosts for listener in listener_hosts}
        for sent in self.stage.sent:
            code = sent.payload[0]
            if 1 <= code <= 4:
                host = ".".join(str(sent.destination >> shift & 255) for shift in (40, 32, 24, 16))
                assert (SOURCES[code - 1][0], host) in allowed


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_packets_never_reach_another_call(steps: list[tuple[str, int, int]]) -> None:
    town = Town()
    for step in steps:
        town.do(step)
        town.check()


def test_the_town_of_that_test_is_one_where_people_hear_each_other() -> None:
    town = Town()
    town.do(("say", 0, 0))
    town.check()
    assert [
        (one.payload[0], one.destination >> 16 & 255) for one in town.stage.sent if one.payload[0] < 5
    ] == [(1, 2)]
