"""Packets of up to 200 ms (RFC 3551 §4.2): all of their audio reaches all that listen to it."""

import struct

import numpy as np
import pytest

from callflow.codec import Law
from callflow.events import Heard, LineHeard
from callflow.media.g711 import decode, encode
from callflow.media.messages import (
    AskOpinion,
    Confer,
    Join,
    ListenClosely,
    OpenLeg,
    Overheard,
    Record,
    Recorded,
    StopRecording,
)
from callflow.media.rtp import SLOT
from tests.pure.media.pair import A, B, Pair, true_to_time, unbroken
from tests.pure.media.stage import ALICE, BOB, Phone, Stage
from tests.support.rtp_packets import quiet, speech, tone

pytestmark = pytest.mark.pure

LENGTHS = [240, 320, 480, 800, 1600]
"""Samples of a packet: 30 ms to 200 ms."""
CAROL = ("192.0.2.3", 4000)


def marked(samples: int, begin: int) -> bytes:
    """Audio of which each sample is told from its neighbours."""
    return bytes((begin + at) % 251 for at in range(samples))


@pytest.mark.parametrize("samples", LENGTHS)
def test_a_partner_gets_all_of_it(samples: int) -> None:
    pair = Pair()
    alice, _ = pair.meet()
    pair.obey(Join(A, B))
    said = [marked(samples, n) for n in range(12)]
    for payload in said:
        alice.say(payload)
        pair.run(samples / 8000, 0.005)
    relayed = [one for one in pair.to(BOB) if len(one.payload) == samples and one.payload[:1] != b"\xff"]
    assert [one.payload for one in relayed if one.payload in said] == said
    assert unbroken(relayed)
    assert true_to_time(relayed, samples / 8000 + 0.021)


@pytest.mark.parametrize("samples", LENGTHS)
def test_a_partner_of_another_law_gets_all_of_it(samples: int) -> None:
    pair = Pair()
    alice, _ = pair.meet(Law.PCMU, Law.PCMA)
    pair.obey(Join(A, B))
    codes = encode(tone(1.6, -20.0), Law.PCMU)
    for at in range(0, len(codes) // samples * samples, samples):
        alice.say(codes[at : at + samples].tobytes())
        pair.run(samples / 8000, 0.005)
    heard = b"".join(one.payload for one in pair.to(BOB) if len(one.payload) == samples)
    assert len(heard) == len(codes) // samples * samples
    error = decode(np.frombuffer(heard, np.uint8), Law.PCMA).astype(int) - decode(codes, Law.PCMU)[
        : len(heard)
    ].astype(int)
    assert np.abs(error).max() < 600


def test_a_header_with_all_contributing_sources_and_an_extension_leaves_the_audio_whole() -> None:
    pair = Pair()
    alice, _ = pair.meet()
    pair.obey(Join(A, B))
    payload = marked(1600, 5)
    head = alice.next(payload)[:12]
    extended = bytes([0x9F]) + head[1:] + bytes(60) + struct.pack("!HH", 0xBEDE, 12) + bytes(48) + payload
    assert len(extended) <= SLOT
    pair.come((ALICE, extended))
    pair.tick()
    assert payload in [one.payload for one in pair.to(BOB)]


@pytest.mark.parametrize("samples", LENGTHS)
def test_a_recording_has_all_of_it(samples: int) -> None:
    stage = Stage()
    stage.open(A)
    stage.obey(Record(A))
    phone = Phone(stage, ALICE)
    said = [marked(samples, n) for n in range(30)]
    for payload in said:
        phone.say(payload)
        stage.run(samples / 8000, 0.01)
    stage.obey(StopRecording(A))
    recorded = [event for _, _, event in stage.told if isinstance(event, Recorded) and event.said]
    assert b"".join(event.audio for event in recorded) == b"".join(said)


@pytest.mark.parametrize("samples", LENGTHS)
def test_a_conference_hears_all_of_it(samples: int) -> None:
    stage = Stage()
    for leg, place in ((A, ALICE), (B, BOB), (3, CAROL)):
        stage.open(leg, place)
    phone = Phone(stage, ALICE)
    phone.say(b"\xff" * 160)
    stage.obey(Confer(A, (B, 3)))
    codes = encode(tone(3.2, -20.0), Law.PCMU)
    for at in range(0, len(codes), samples):
        phone.say(codes[at : at + samples].tobytes())
        stage.run(len(codes[at : at + samples]) / 8000, 0.005)
    heard = np.frombuffer(b"".join(one.payload for one in stage.to(CAROL)), np.uint8)
    loud = np.abs(decode(heard, Law.PCMU).astype(int)).reshape(-1, 160).max(1) > 1000
    assert int(loud.sum()) >= len(codes) // 160 - samples // 160 - 3


@pytest.mark.parametrize("samples", LENGTHS)
def test_the_voice_detector_gets_all_of_it(samples: int) -> None:
    stage = Stage()
    stage.open(A)
    stage.obey(ListenClosely(A))
    phone = Phone(stage, ALICE)
    said = [marked(samples, n) for n in range(20 * 1600 // samples)]
    for payload in said:
        phone.say(payload)
        stage.run(samples / 8000, 0.01)
    stage.run(0.3)
    stage.obey(AskOpinion(A))
    pieces = [event.audio for _, _, event in stage.told if isinstance(event, Overheard)]
    whole = b"".join(said)
    assert b"".join(pieces) == whole[: len(whole) // 160 * 160]


@pytest.mark.parametrize("samples", LENGTHS)
@pytest.mark.parametrize("at", [1.0, 1.03, 1.06, 1.1, 1.17])
def test_a_short_word_is_heard_wherever_it_stands_in_a_packet(samples: int, at: float) -> None:
    stage = Stage()
    stage.open(A)
    phone = Phone(stage, ALICE)
    line = np.concatenate([quiet(at), speech(0.3, -25.0, 3), quiet(3.0 - at)])
    codes = encode(line, Law.PCMU)
    began = stage.now
    for first in range(0, len(codes) // samples * samples, samples):
        stage.run(samples / 8000, 0.01)
        phone.say(codes[first : first + samples].tobytes())
    stage.run(0.5)
    heard = [event for _, _, event in stage.told if isinstance(event, LineHeard)]
    assert [event.heard for event in heard] == [Heard.SOUND, Heard.SILENCE]
    late = heard[0].since - began - at
    assert -0.02 <= late <= 0.25 + 2 * samples / 8000


def test_a_phone_may_change_the_length_of_its_packets() -> None:
    stage = Stage()
    stage.obey(OpenLeg(A, 0, Law.PCMU, 101, ALICE, (ALICE[0],)), ListenClosely(A))
    phone = Phone(stage, ALICE)
    said = [marked(samples, samples) for samples in (160, 1600, 160, 160, 800, 1600, 240, 400, 480)]
    for payload in said:
        phone.say(payload)
        stage.run(len(payload) / 8000, 0.01)
    stage.run(0.5)
    stage.obey(AskOpinion(A))
    pieces = [event.audio for _, _, event in stage.told if isinstance(event, Overheard)]
    assert b"".join(pieces) == b"".join(said)
