"""A plane that takes over knows where each leg is heard: behind one host it could not find out anew."""

import pytest

from callflow.codec import Law
from callflow.media.latching import source_key
from callflow.media.messages import Latched, MoveLeg, OpenLeg, Report
from callflow.net.media_memory import Memory
from tests.pure.media.stage import ULAW_IDLE, Stage
from tests.support.rtp_packets import Address, packet

pytestmark = pytest.mark.pure

NAT = "192.0.2.1"
SOURCES: list[Address] = [(NAT, 50_000), (NAT, 50_002)]


def private(leg: int) -> tuple[Address, tuple[str, ...]]:
    address = f"10.0.0.{leg}"
    return (address, 4000), (address, NAT)


def told(memory: Memory, leg: int, source: Address) -> None:
    memory.hear(Report(1.0, leg, Latched(source_key(source))))


def opened(memory: Memory) -> list[OpenLeg]:
    return [command for command in memory.commands() if isinstance(command, OpenLeg)]


def test_legs_behind_one_nat_are_heard_by_the_next_plane_at_once() -> None:
    memory = Memory()
    for leg in (1, 2):
        memory.note(OpenLeg(leg, 0, Law.PCMU, 101, *private(leg)))
        told(memory, leg, SOURCES[leg - 1])
    stage = Stage()
    stage.obey(*memory.commands())
    stage.come((SOURCES[1], packet(ULAW_IDLE)), (SOURCES[0], packet(ULAW_IDLE)))
    stage.run(0.1)
    assert stage.plane.counts["dropped_unknown_source"] == 0
    assert [len({one.ssrc for one in stage.to(source)}) for source in SOURCES] == [1, 1]


def test_where_a_leg_was_moved_to_it_has_not_been_heard() -> None:
    memory = Memory()
    memory.note(OpenLeg(1, 0, Law.PCMU, 101, *private(1)))
    told(memory, 1, SOURCES[0])
    memory.note(MoveLeg(1, Law.PCMU, 101, *private(1)))
    assert [leg.source for leg in opened(memory)] == [source_key(SOURCES[0])]
    memory.note(MoveLeg(1, Law.PCMU, 101, *private(1), port=1))
    assert [(leg.source, leg.port) for leg in opened(memory)] == [(0, 1)]


def test_a_side_that_holds_by_the_address_of_nothing_is_where_it_was() -> None:
    memory = Memory()
    memory.note(OpenLeg(1, 0, Law.PCMU, 101, *private(1)))
    told(memory, 1, SOURCES[0])
    memory.note(MoveLeg(1, Law.PCMU, 101, None, (NAT,), listens=False))
    [leg] = opened(memory)
    assert (leg.remote, leg.expects, leg.source) == (*private(1), source_key(SOURCES[0]))
    assert not leg.listens


def test_a_source_that_another_leg_has_announced_is_not_restored() -> None:
    stage = Stage()
    stage.obey(OpenLeg(1, 0, Law.PCMU, 101, SOURCES[0], (NAT,)))
    stage.obey(OpenLeg(2, 0, Law.PCMU, 101, *private(2), source=source_key(SOURCES[0])))
    stage.come((SOURCES[0], packet(ULAW_IDLE)))
    assert [(leg, event) for _, leg, event in stage.told] == [(1, Latched())]
