"""A recorded leg: what it said and what it heard, in order, and nothing of anybody else."""

import pytest

from callflow.media.messages import CloseLeg, Join, Play, Record, Recorded, StopRecording
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage

pytestmark = pytest.mark.pure


def recorded(stage: Stage, *, said: bool) -> bytes:
    chunks = [event for _, leg, event in stage.told if isinstance(event, Recorded) and leg == 1]
    return b"".join(chunk.audio for chunk in chunks if chunk.said is said)


@pytest.mark.parametrize("end", [StopRecording(1), CloseLeg(1)])
def test_both_directions_are_handed_out_in_order(end: StopRecording | CloseLeg) -> None:
    stage = Stage()
    stage.open(1, ALICE)
    stage.open(2, BOB)
    alice, bob = Phone(stage, ALICE), Phone(stage, BOB, ssrc=8)
    alice.say(ULAW_IDLE)
    bob.say(ULAW_IDLE)
    stage.obey(Join(1, 2), Record(1), Play(1, "short"))
    for n in range(90):
        alice.say(bytes([n]) * 160)
        bob.say(bytes([n]) * 160)
        stage.run(0.02)
    begun = [event.begun for _, _, event in stage.told if isinstance(event, Recorded) and event.said]
    assert begun == [100.0]
    stage.obey(end)
    said, heard = recorded(stage, said=True), recorded(stage, said=False)
    assert said == b"".join(bytes([n]) * 160 for n in range(90))
    assert heard == b"".join(one.payload for one in stage.to(ALICE))
    assert heard.count(b"\1" * 160) >= 1
    assert heard.endswith(bytes([89]) * 160)


def test_who_is_not_recorded_is_not_handed_out() -> None:
    stage = Stage()
    stage.open(1)
    stage.obey(Record(1), StopRecording(1))
    phone = Phone(stage, ALICE)
    for _ in range(80):
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    stage.obey(CloseLeg(1))
    assert recorded(stage, said=True) + recorded(stage, said=False) == b""
