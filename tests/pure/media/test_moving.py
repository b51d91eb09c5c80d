"""A leg that a re-INVITE gave another port of ours: the same stream, heard anew, and nobody else notices."""

import itertools

import pytest

from callflow.codec import Law
from callflow.media.latching import source_key
from callflow.media.messages import (
    CloseLeg,
    Join,
    Latched,
    LegQuality,
    MoveLeg,
    OpenLeg,
    Record,
    Recorded,
    SourceTaken,
    StopRecording,
)
from callflow.media.ports import PortPool, PortsBusy
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Sent, Stage

pytestmark = pytest.mark.pure

HOSTS = (ALICE[0],)


def moved(port: int | None, remote: tuple[str, int] = ALICE) -> MoveLeg:
    return MoveLeg(1, Law.PCMU, 101, remote, HOSTS, port)


def goes_on(sent: list[Sent]) -> bool:
    steps = [
        ((two.sequence - one.sequence) % 2**16, (two.timestamp - one.timestamp) % 2**32)
        for one, two in itertools.pairwise(sent)
    ]
    return len({one.ssrc for one in sent}) == 1 and set(steps) == {(1, 160)}


def test_the_stream_goes_on_by_the_other_port() -> None:
    stage = Stage()
    stage.open(1)
    stage.run(0.09)
    stage.obey(moved(3))
    stage.run(0.1)
    assert [one.port for one in stage.sent] == [0] * 5 + [3] * 5
    assert goes_on(stage.sent)


def test_a_leg_is_heard_at_the_old_port_until_it_is_at_the_new_one() -> None:
    stage = Stage()
    stage.open(1)
    stage.open(2, BOB)
    alice = Phone(stage, ALICE)
    alice.say(ULAW_IDLE)
    stage.obey(Join(1, 2), Record(1))
    stage.told.clear()
    for code in (1, 2):
        alice.say(bytes([code]) * 160)
        stage.tick(0.02)
    stage.obey(moved(3))
    alice.say(b"\3" * 160)
    stage.tick(0.02)
    assert stage.told == []
    stage.come((ALICE, alice.next(b"\4" * 160)), port=3)
    assert [event for _, _, event in stage.told] == [Latched()]
    stage.tick(0.02)
    # What still comes to the old port is nobody's, and nobody else's.
    stage.come((ALICE, alice.next(b"\5" * 160)), port=0)
    stage.tick(0.02)
    heard = stage.to(BOB)
    assert [one.payload[0] for one in heard if one.payload != ULAW_IDLE] == [1, 2, 3, 4]
    assert len({one.ssrc for one in heard}) == 1
    stage.told.clear()
    stage.obey(StopRecording(1))
    said = [event.audio[::160] for _, _, event in stage.told if isinstance(event, Recorded) and event.said]
    assert said == [b"\1\2\3\4"]
    assert stage.plane.counts["dropped_unknown_source"] == 1


def test_whose_source_is_taken_has_its_own_at_another_port() -> None:
    stage = Stage()
    stage.open(2, ALICE)
    stage.come((ALICE, Phone(stage, ALICE).next(ULAW_IDLE)))
    stage.open(1, ALICE)
    assert [(leg, event) for _, leg, event in stage.told] == [(2, Latched()), (1, SourceTaken())]
    stage.told.clear()
    stage.obey(moved(None))
    assert [(leg, event) for _, leg, event in stage.told] == [(1, SourceTaken())]
    stage.told.clear()
    stage.obey(moved(1))
    stage.come((ALICE, Phone(stage, ALICE, ssrc=9).next(ULAW_IDLE)), port=1)
    stage.obey(CloseLeg(1))
    assert [(leg, event) for _, leg, event in stage.told] == [(1, Latched())]
    quality = stage.news[-1][2]
    assert isinstance(quality, LegQuality)
    assert quality.packets == 1


def test_who_moved_itself_as_well_is_known_at_neither_place() -> None:
    stage = Stage()
    stage.open(1)
    alice = Phone(stage, ALICE)
    alice.say(ULAW_IDLE)
    elsewhere = (ALICE[0], 5000)
    stage.obey(moved(1, elsewhere))
    stage.told.clear()
    alice.say(ULAW_IDLE)
    assert stage.told == []
    stage.come((elsewhere, alice.next(ULAW_IDLE)), port=1)
    stage.run(0.02)
    assert [event for _, _, event in stage.told] == [Latched()]
    assert {(one.port, one.destination) for one in stage.sent} == {(1, source_key(elsewhere))}


def test_reports_leave_by_the_new_port() -> None:
    stage = Stage()
    stage.obey(OpenLeg(1, 0, Law.PCMU, 101, ALICE, HOSTS), moved(2))
    stage.run(6.0)
    (report,) = stage.plane.rtcp_due(stage.now)
    assert report.port == 2


def test_the_other_port_is_one_where_nobody_waits_for_the_same() -> None:
    pool = PortPool((20000, 20002, 20004))
    assert [pool.open(leg, None, HOSTS, 0.0) for leg in (1, 2)] == [0, 1]
    assert pool.change(1, ALICE, HOSTS, 1.0) == 2
    # Its old port is free of it, and has room for another.
    assert pool.open(3, None, HOSTS, 2.0) == 0
    with pytest.raises(PortsBusy):
        pool.change(3, None, HOSTS, 3.0)
    pool.close(1)
    assert pool.change(3, None, HOSTS, 3.0) == 2


def test_the_only_port_cannot_be_changed() -> None:
    pool = PortPool((20000,))
    pool.open(1, ALICE, HOSTS, 0.0)
    with pytest.raises(PortsBusy):
        pool.change(1, ALICE, HOSTS, 0.0)
    assert len(pool) == 1
