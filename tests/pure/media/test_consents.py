"""Whose key it is: behind one host a key never answers a question that another leg was asked."""

import numpy as np
import pytest

from callflow.codec import Law
from callflow.events import DigitPressed
from callflow.media.g711 import encode
from callflow.media.messages import CloseLeg, HearTones, MoveLeg, OpenLeg
from tests.pure.media.stage import ULAW_IDLE, Phone, Stage
from tests.pure.media.test_inband import tone
from tests.support.rtp_packets import Address, press

pytestmark = pytest.mark.pure

HOST = "192.0.2.1"
SEAT_PLACE: Address = (HOST, 7078)
"""The phone's one RTP port, in all its calls."""
CALLER, SEAT = 1, 2


def opens(stage: Stage, leg: int, place: Address, event_type: int | None = 101) -> None:
    stage.obey(OpenLeg(leg, 0, Law.PCMU, event_type, place, (HOST,)))


def talk(stage: Stage, *phones: Phone, seconds: float = 0.5) -> None:
    for _ in range(round(seconds / 0.02)):
        for phone in phones:
            phone.say(ULAW_IDLE)
        stage.run(0.02)


def pressed(stage: Stage, phone: Phone, key: str) -> list[tuple[int, str]]:
    """Press a key to its end: by which legs it was told."""
    stage.told.clear()
    for n in range(5):
        phone.say(press(key, 0, 160 * min(n + 1, 3), end=n > 2)[12:], kind=101, samples=0)
        stage.run(0.02)
    phone.timestamp += 480
    return [(leg, event.digit) for _, leg, event in stage.told if isinstance(event, DigitPressed)]


@pytest.mark.parametrize("pause", [0.1, 1.0, 2.5, 4.9, 6.0])
@pytest.mark.parametrize("seat_first", [True, False])
@pytest.mark.parametrize("one_ssrc", [True, False])
def test_a_seat_that_is_rung_again_never_answers_for_a_caller_of_its_host(
    pause: float, seat_first: bool, one_ssrc: bool
) -> None:
    stage = Stage(ids=tuple(range(1, 200)))
    seat, caller = Phone(stage, SEAT_PLACE, ssrc=21), Phone(stage, (HOST, 4000), ssrc=31)
    opens(stage, 8, SEAT_PLACE)
    talk(stage, seat)
    stage.obey(CloseLeg(8))
    stage.run(pause)
    if not one_ssrc:
        seat.ssrc = 22
    opens(stage, CALLER, caller.address)
    opens(stage, SEAT, SEAT_PLACE)
    first, second = (seat, caller) if seat_first else (caller, seat)
    talk(stage, first, seconds=0.1)
    talk(stage, first, second, seconds=5.5 if one_ssrc else 0.1)
    assert pressed(stage, seat, "1") == [(SEAT, "1")]
    assert pressed(stage, caller, "*") == [(CALLER, "*")]


def test_the_last_caller_s_phone_that_goes_on_answers_for_nobody() -> None:
    stage = Stage(ids=tuple(range(1, 200)))
    before, caller = Phone(stage, (HOST, 4000), ssrc=21), Phone(stage, (HOST, 4002), ssrc=31)
    opens(stage, 8, before.address)
    talk(stage, before)
    stage.obey(CloseLeg(8))
    opens(stage, CALLER, caller.address)
    for _ in range(4):
        assert pressed(stage, before, "1") == []
        talk(stage, before, seconds=2.0)
    talk(stage, before, caller)
    assert pressed(stage, before, "1") == []
    assert pressed(stage, caller, "2") == [(CALLER, "2")]


def test_early_media_answers_for_nobody_once_the_call_is_answered_elsewhere() -> None:
    stage = Stage(ids=tuple(range(1, 200)))
    gateway, phone = Phone(stage, (HOST, 4000), ssrc=21), Phone(stage, (HOST, 4002), ssrc=31)
    opens(stage, CALLER, gateway.address)
    talk(stage, gateway)
    stage.obey(MoveLeg(CALLER, Law.PCMU, 101, phone.address, (HOST,)))
    talk(stage, gateway, phone)
    assert pressed(stage, gateway, "1") == []
    assert pressed(stage, phone, "1") == [(CALLER, "1")]


def test_two_legs_that_pause_together_are_not_taken_for_each_other() -> None:
    stage = Stage(ids=tuple(range(1, 200)))
    one, two = Phone(stage, (HOST, 4000), ssrc=21), Phone(stage, (HOST, 4002), ssrc=31)
    opens(stage, 1, one.address)
    opens(stage, 2, two.address)
    talk(stage, one, two)
    for pause in (0.5, 1.5, 4.0, 9.0):
        stage.run(pause)
        talk(stage, two, seconds=1.5)
        assert pressed(stage, two, "1") == [(2, "1")]
        assert pressed(stage, one, "2") == [(1, "2")]


def test_a_key_as_a_tone_counts_under_the_leg_s_own_stream_alone() -> None:
    stage = Stage(ids=tuple(range(1, 200)))
    phone = Phone(stage, (HOST, 4000), ssrc=21)
    opens(stage, CALLER, phone.address, None)
    talk(stage, phone)
    stage.obey(HearTones(CALLER))
    stage.told.clear()
    stray = Phone(stage, phone.address, ssrc=99)
    sound = encode((tone(697, 1209, 0.1) * 32767).astype(np.int16), Law.PCMU).tobytes()
    pieces = [sound[at : at + 160] for at in range(0, len(sound), 160)]
    for payload in pieces:
        stray.say(payload)
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    assert not [event for _, _, event in stage.told if isinstance(event, DigitPressed)]
    for payload in pieces:
        phone.say(payload)
        stage.run(0.02)
    assert [event for _, _, event in stage.told if isinstance(event, DigitPressed)] == [DigitPressed("1")]
