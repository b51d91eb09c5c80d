"""What SDP agrees upon, packet by packet: laws, event types, and who wants to hear anything."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.events import DigitPressed
from callflow.media.g711 import decode, encode
from callflow.media.messages import (
    Confer,
    Join,
    MoveLeg,
    NoPackets,
    OpenLeg,
    PacketsStopped,
    Play,
    Record,
    Recorded,
    SendDigits,
    StopRecording,
)
from tests.pure.media.pair import A, B, Pair, unbroken
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage
from tests.support.rtp_packets import packet, press, tone

pytestmark = pytest.mark.pure

BOTH = (Law.PCMU, Law.PCMA)
CAROL = ("192.0.2.3", 4000)


def opened(
    leg: int,
    remote: tuple[str, int],
    law: Law = Law.PCMU,
    event_type: int | None = 101,
    *,
    laws: tuple[Law, ...] = (),
    event_types: tuple[int, ...] = (),
    listens: bool = True,
    sends: bool = True,
) -> OpenLeg:
    audio = OpenLeg(leg, 0, law, event_type, remote, (remote[0],))
    return replace(audio, laws=laws, event_types=event_types, listens=listens, sends=sends)


def samples_of(payloads: list[bytes], law: Law) -> NDArray[np.int64]:
    return decode(np.frombuffer(b"".join(payloads), np.uint8), law).astype(int)


@pytest.mark.parametrize("agreed", BOTH)
@pytest.mark.parametrize("partner", BOTH)
def test_every_law_of_offer_and_answer_is_heard_packet_by_packet(agreed: Law, partner: Law) -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE, agreed, laws=BOTH), opened(B, BOB, partner), Join(A, B), Record(A))
    alice = Phone(stage, ALICE)
    wave = tone(0.4, -20.0)
    for n, at in enumerate(range(0, len(wave), 160)):
        law = BOTH[n % 3 // 2]
        alice.say(encode(wave[at : at + 160], law).tobytes(), kind=law.payload_type)
        stage.run(0.02, 0.005)
    relayed = [
        one for one in stage.to(BOB) if one.payload != encode(np.zeros(160, np.int16), partner).tobytes()
    ]
    assert {one.kind for one in relayed} == {partner.payload_type}
    assert np.abs(samples_of([one.payload for one in relayed], partner)[: len(wave)] - wave).max() < 600
    assert unbroken(relayed)
    stage.obey(StopRecording(A))
    recorded = [event for _, _, event in stage.told if isinstance(event, Recorded) and event.said]
    assert [Law.PCMA if event.law else Law.PCMU for event in recorded] == [agreed] * len(recorded)
    assert np.abs(samples_of([event.audio for event in recorded], agreed) - wave).max() < 600
    assert stage.plane.counts["dropped_payload_type"] == 0


def test_a_law_that_neither_named_is_dropped_and_counted() -> None:
    pair = Pair()
    alice, _ = pair.meet()
    pair.obey(Join(A, B))
    alice.say(bytes([0x55]) * 160, kind=8)
    pair.run(0.02)
    assert pair.plane.counts["dropped_payload_type"] == 1


@pytest.mark.parametrize("kind", [96, 101])
def test_keys_come_by_the_event_type_of_either_side(kind: int) -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE, event_type=96, event_types=(96, 101)))
    stage.come((ALICE, packet(ULAW_IDLE)), (ALICE, press("7", 1000, kind=kind)))
    assert [event for _, _, event in stage.told if isinstance(event, DigitPressed)] == [DigitPressed("7")]


def test_keys_are_sent_by_the_type_that_was_agreed() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE, event_type=96, event_types=(96, 101)), SendDigits(A, "1"))
    stage.run(0.1)
    assert {one.kind for one in stage.to(ALICE)} == {96}


def test_a_reinvite_may_agree_upon_other_types() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE, laws=BOTH, event_types=(96,)))
    stage.come((ALICE, packet(ULAW_IDLE)))
    stage.obey(MoveLeg(A, Law.PCMA, 97, ALICE, (ALICE[0],)))
    for kind in (0, 96, 101):
        stage.come((ALICE, packet(b"\5\n\0\xa0", kind=kind)))
    assert stage.plane.counts["dropped_payload_type"] == 3


def test_three_keys_with_one_timestamp_are_three_for_the_partner_too() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE), opened(B, BOB), Join(A, B))
    phone = Phone(stage, ALICE)
    phone.say(ULAW_IDLE)
    stage.tick()
    stage.sent.clear()
    for key in "123":
        for n in range(5):
            payload = press(key, 0, 160 * min(n + 1, 3), end=n > 2)[12:]
            stage.come((ALICE, packet(payload, kind=101, sequence=phone.sequence, timestamp=phone.timestamp)))
            phone.sequence += 1
            stage.run(0.02, 0.005)
    pressed = [(one.payload[0], one.timestamp) for one in stage.to(BOB) if one.kind == 101]
    assert [key for key, _ in dict.fromkeys(pressed)] == [1, 2, 3]
    assert len({timestamp for _, timestamp in pressed}) == 3
    assert len(pressed) == 15


def test_a_press_whose_timestamp_moves_is_relayed_to_its_end() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE), opened(B, BOB), Join(A, B))
    phone = Phone(stage, ALICE)
    phone.say(ULAW_IDLE)
    for n in range(6):
        payload = press("4", 0, 160 * min(n + 1, 4), end=n > 3)[12:]
        phone.say(payload, kind=101, samples=160)
        stage.run(0.02, 0.005)
    pressed = [one for one in stage.to(BOB) if one.kind == 101]
    assert [one.payload[1] >> 7 for one in pressed] == [0, 0, 0, 0, 1, 1]
    assert len({one.timestamp for one in pressed}) == 1


def test_a_key_of_another_stream_is_no_key_of_the_leg_and_reaches_nobody() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE), opened(B, BOB), Join(A, B))
    stage.come((ALICE, packet(ULAW_IDLE, ssrc=7)))
    stage.told.clear()
    stray = packet(press("1", 0)[12:], kind=101, sequence=1, ssrc=8)
    stage.come((ALICE, stray))
    stage.run(0.1)
    assert (stage.told, stage.plane.counts["dropped_key_of_another_stream"]) == ([], 1)
    assert {one.kind for one in stage.to(BOB)} == {0}


def test_after_a_change_of_stream_by_its_own_source_the_new_one_s_keys_are_the_leg_s() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE))
    phone = Phone(stage, ALICE)
    for _ in range(10):
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    stage.obey(MoveLeg(A, Law.PCMU, 101, ALICE, (ALICE[0],)))
    phone.ssrc, phone.sequence, phone.timestamp = 99, 7000, 123
    for _ in range(10):
        phone.say(ULAW_IDLE)
        stage.run(0.02)
    phone.say(press("1", 0)[12:], kind=101, samples=0)
    assert [event for _, _, event in stage.told if isinstance(event, DigitPressed)] == [DigitPressed("1")]


# --- a side that holds the call ---


def held(leg: int, remote: tuple[str, int] | None, *, sends: bool = True) -> MoveLeg:
    return MoveLeg(leg, Law.PCMU, 101, remote, (BOB[0],), listens=False, sends=sends)


def voices(stage: Stage, to: tuple[str, int], code: int) -> int:
    return sum(code in one.payload for one in stage.to(to))


@pytest.mark.parametrize("remote", [BOB, None])
@pytest.mark.parametrize("sends", [True, False])
def test_who_holds_the_call_is_sent_silence_and_hears_the_other_again_afterwards(
    remote: tuple[str, int] | None, sends: bool
) -> None:
    pair = Pair()
    alice, _ = pair.meet()
    pair.obey(Join(A, B))
    pair.talk(alice, 5)
    assert voices(pair, BOB, 0x10) == 5
    pair.sent.clear()
    pair.obey(held(B, remote, sends=sends))
    pair.talk(alice, 20, code=0x11)
    alice.say(press("5", 0)[12:], kind=101, samples=0)
    pair.run(0.1)
    assert voices(pair, BOB, 0x11) == 0
    assert {one.kind for one in pair.to(BOB)} == {0}
    assert len(pair.to(BOB)) >= 20, "no watchdog on the way takes the leg for dead"
    pair.sent.clear()
    pair.obey(MoveLeg(B, Law.PCMU, 101, BOB, (BOB[0],)))
    pair.talk(alice, 5, code=0x12)
    assert voices(pair, BOB, 0x12) == 5


def test_a_leg_that_is_opened_on_hold_is_sent_silence() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE), opened(B, BOB, listens=False), Join(A, B))
    alice = Phone(stage, ALICE)
    for _ in range(10):
        alice.say(b"\x10" * 160)
        stage.run(0.02, 0.005)
    assert voices(stage, BOB, 0x10) == 0


def test_in_a_conference_too() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE), opened(B, BOB), opened(3, CAROL), Confer(A, (B, 3)), held(B, BOB))
    alice = Phone(stage, ALICE)
    for n in range(20):
        alice.say(encode(tone(0.02, -20.0, 400.0 + n), Law.PCMU).tobytes())
        stage.run(0.02, 0.005)
    assert {one.payload for one in stage.to(BOB)} == {ULAW_IDLE}
    assert {one.payload for one in stage.to(CAROL)} != {ULAW_IDLE}


def test_one_side_that_holds_is_still_heard_by_the_other() -> None:
    pair = Pair()
    alice, bob = pair.meet()
    pair.obey(Join(A, B), held(B, BOB))
    pair.talk(bob, 10, code=0x13)
    assert voices(pair, ALICE, 0x13) == 10
    pair.talk(alice, 1)


def test_our_own_words_are_not_the_conversation() -> None:
    pair = Pair()
    pair.meet()
    pair.obey(held(B, BOB), Play(B, "short"))
    pair.run(0.1)
    assert voices(pair, BOB, 1) == 2


def test_a_leg_that_is_not_to_send_is_not_missed_until_it_is() -> None:
    stage = Stage()
    stage.obey(opened(A, ALICE, sends=False), opened(B, BOB))
    phone = Phone(stage, BOB)
    phone.say(ULAW_IDLE)
    stage.obey(held(B, BOB, sends=False))
    # One more may be on its way.
    phone.say(ULAW_IDLE)
    stage.run(5.0)
    assert stage.news == []
    stage.obey(MoveLeg(A, Law.PCMU, 101, ALICE, (ALICE[0],)), MoveLeg(B, Law.PCMU, 101, BOB, (BOB[0],)))
    stage.run(2.1)
    assert [(leg, event) for _, leg, event in stage.news] == [(A, NoPackets()), (B, PacketsStopped())]
