"""Two legs joined: each hears the other in one unbroken stream, and nothing gets past a gate."""

import itertools

import numpy as np
import pytest

from callflow.codec import Law
from callflow.events import DigitPressed, PromptFinished, PromptStarted, PromptStopped
from callflow.media.g711 import IDLE, decode
from callflow.media.messages import (
    CloseLeg,
    DigitsSent,
    Join,
    KeepKeys,
    Latched,
    LoadPrompt,
    MoveLeg,
    OpenGate,
    PacketsPaused,
    PacketsResumed,
    Part,
    Play,
    PlayBoth,
    PlayMusic,
    PlayTone,
    PromptUnknown,
    SendDigits,
    SetGain,
    ShutGate,
    ToneFinished,
)
from tests.pure.media.pair import A, B, Pair, payloads, true_to_time, unbroken
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE
from tests.support.rtp_packets import event

pytestmark = pytest.mark.pure


def test_what_one_says_leaves_to_the_other_in_the_same_tick() -> None:
    stage = Pair()
    alice, bob = stage.meet()
    stage.obey(Join(A, B))
    stage.sent.clear()
    words = [bytes([n]) * 160 for n in (1, 2, 3)]
    for word in words:
        alice.say(word)
        bob.say(word[::-1])
        stage.tick()
        assert (stage.sent[-2].at, stage.sent[-1].at) == (stage.now, stage.now)
        stage.tick(0.02)
    for address in (ALICE, BOB):
        heard = stage.to(address)
        assert [one.payload for one in heard] == words
        assert [one.marker for one in heard] == [True, False, False]
        assert unbroken(heard)


@pytest.mark.parametrize(("one", "other"), [(Law.PCMU, Law.PCMA), (Law.PCMA, Law.PCMU)])
def test_two_laws_are_translated(one: Law, other: Law) -> None:
    stage = Pair()
    alice, _ = stage.meet(one, other)
    stage.obey(Join(A, B))
    codes = np.arange(160, dtype=np.uint8)
    alice.say(codes.tobytes())
    stage.sent.clear()
    stage.tick()
    (heard,) = stage.to(BOB)
    assert heard.kind == other.payload_type
    got = decode(np.frombuffer(heard.payload, np.uint8), other).astype(int)
    said = decode(codes, one).astype(int)
    assert np.all(np.abs(got - said) <= np.maximum(np.abs(said) / 25, 16))


def test_a_phone_hears_one_stream_through_prompt_talk_prompt_and_parting() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Play(B, "short"))
    stage.run(0.1)
    stage.obey(Join(A, B))
    stage.talk(alice, 10)
    stage.obey(Play(B, "short"))
    stage.talk(alice, 6, 0x20)
    stage.obey(Part(B))
    stage.talk(alice, 5, 0x30)
    heard = stage.to(BOB)
    assert unbroken(heard)
    assert true_to_time(heard)
    said = b"".join(payloads(heard))
    prompt = b"\1\1"
    assert said.count(b"\x10") == 10
    assert said.index(prompt) < said.index(b"\x10") < said.rindex(prompt) < said.rindex(b"\x20")
    assert b"\x30" not in said
    starts = [one.payload[:1] for one in heard if one.marker]
    assert starts[:5] == [b"\xff", b"\1", b"\x10", b"\1", b"\x20"]


def test_silence_fills_in_after_60_ms_and_not_before() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.talk(alice, 10)
    last = stage.to(BOB)[-1].at
    stage.run(0.1, 0.005)
    ours = [one for one in stage.to(BOB, last)]
    assert [round(one.at - last, 3) for one in ours] == [0.06, 0.08, 0.1, 0.12][: len(ours)]
    assert len(ours) >= 3
    stage.talk(alice, 3)
    heard = stage.to(BOB)
    assert unbroken(heard)
    assert true_to_time(heard)
    assert payloads(heard)[-3:] == [b"\x10"] * 3
    assert [one.marker for one in heard][-3:] == [True, False, False]


def test_packets_a_little_late_keep_their_own_time() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.sent.clear()
    for late in (0.0, 0.02, 0.005, 0.03, 0.0, 0.01):
        packet = alice.next(b"\x10" * 160)
        start = stage.now
        stage.run(late, 0.005)
        stage.come((ALICE, packet))
        stage.tick()
        stage.run(0.02 - (stage.now - start), 0.005)
    heard = stage.to(BOB)
    assert payloads(heard) == [b"\x10"] * 6
    assert {(b.timestamp - a.timestamp) for a, b in itertools.pairwise(heard)} == {160}


@pytest.mark.parametrize("milliseconds", [10, 30, 40, 60])
def test_other_packet_lengths_are_relayed_as_they_are(milliseconds: int) -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.sent.clear()
    stage.talk(alice, 10, size=8 * milliseconds)
    heard = stage.to(BOB)
    assert [one.payload for one in heard] == [b"\x10" * 8 * milliseconds] * 10
    assert [(one.timestamp - heard[0].timestamp) for one in heard] == [
        8 * milliseconds * n for n in range(10)
    ]
    assert unbroken(heard)


def test_loss_stays_loss_and_a_little_disorder_stays_disorder() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.sent.clear()
    stream = [alice.next(bytes([n]) * 160) for n in range(8)]
    for n in (0, 1, 3, 2, 5, 5, 7, 6):
        stage.come((ALICE, stream[n]))
        stage.tick()
        stage.tick(0.02)
    heard = stage.to(BOB)
    first = heard[0]
    order = [0, 1, 3, 2, 5, 7, 6]
    assert [one.payload[0] for one in heard] == order
    assert [one.sequence - first.sequence for one in heard] == order
    assert [one.timestamp - first.timestamp for one in heard] == [160 * n for n in order]


def test_what_comes_too_late_to_have_a_number_is_dropped() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    early = alice.next(b"\x01" * 160)
    stage.obey(Join(A, B))
    stage.talk(alice, 2)
    stage.come((ALICE, early))
    stage.tick()
    assert b"\x01" not in payloads(stage.to(BOB))
    assert stage.plane.counts["dropped_late"] == 1
    stage.talk(alice, 2)
    assert unbroken(stage.to(BOB))


def test_a_source_that_begins_anew_goes_on_in_the_same_stream() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.talk(alice, 5)
    alice.ssrc, alice.sequence, alice.timestamp = 99, 60_000, 2**32 - 100
    stage.talk(alice, 5, 0x20)
    heard = stage.to(BOB)
    assert unbroken(heard)
    assert true_to_time(heard)
    assert [one.payload[:1] for one in heard if one.marker][-2:] == [b"\x10", b"\x20"]


@pytest.mark.parametrize("back", [103, 150, 300, 2999, 3001, 20_000])
def test_a_phone_that_counts_from_the_start_again_is_heard_from_its_second_packet_on(back: int) -> None:
    """RFC 3550 A.1: under the same SSRC, as some phones do after a hold."""
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    alice.sequence = 30_000
    stage.talk(alice, 320)
    alice.sequence -= back
    stage.sent.clear()
    stage.talk(alice, 20, 0x20)
    heard = [one for one in stage.to(BOB) if one.payload[0] == 0x20]
    assert len(heard) >= 19
    assert unbroken(heard)


def test_two_late_packets_that_are_not_in_a_row_begin_nothing() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    alice.sequence = 30_000
    late = [alice.next(bytes([0x30]) * 160) for _ in range(2)]
    stage.talk(alice, 150)
    stage.sent.clear()
    for one in late:
        stage.come((ALICE, one))
        stage.tick()
        stage.talk(alice, 3)
    assert b"\x30" not in payloads(stage.to(BOB))
    assert unbroken(stage.to(BOB))


def test_comfort_noise_is_silence_and_breaks_nothing() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.talk(alice, 5)
    alice.say(b"\x40", kind=13, samples=1600)
    stage.run(3.0)
    alice.timestamp += 160 * 140
    stage.talk(alice, 5, 0x20)
    heard = stage.to(BOB)
    assert unbroken(heard)
    assert true_to_time(heard)
    assert {one.kind for one in heard} == {0}
    assert [event for _, leg, event in stage.news if leg == A] == [PacketsPaused(), PacketsResumed()]


def test_a_gate_shuts_one_way_and_lets_nothing_through() -> None:
    stage = Pair()
    alice, bob = stage.meet()
    stage.obey(Join(A, B))
    stage.talk(alice, 3)
    stage.obey(ShutGate(A))
    shut = stage.now
    for _ in range(50):
        bob.say(b"\x21" * 160)
        stage.talk(alice, 1, 0x66)
    stage.obey(OpenGate(A))
    stage.talk(alice, 3, 0x12)
    to_bob = stage.to(BOB)
    assert b"\x66" not in b"".join(one.payload for one in to_bob)
    assert payloads(stage.to(ALICE, shut)).count(b"\x21") >= 49
    assert payloads(to_bob)[-3:] == [b"\x12"] * 3
    assert unbroken(to_bob)
    # From the first tick on he hears silence, without a gap.
    gaps = np.diff([one.at for one in to_bob if one.at >= shut - 0.03])
    assert gaps.max() <= 0.0251


def test_a_prompt_to_one_takes_its_partner_s_place_and_he_hears_silence() -> None:
    stage = Pair()
    alice, bob = stage.meet()
    stage.obey(Join(A, B))
    stage.sent.clear()
    stage.obey(Play(A, "long"))
    for _ in range(40):
        bob.say(b"\x21" * 160)
        stage.talk(alice, 1, 0x66)
    assert set(payloads(stage.to(ALICE))) == {b"\1"}
    assert set(payloads(stage.to(BOB))) == {bytes([IDLE[0]])}
    stage.run(0.4)
    stage.talk(alice, 2, 0x67)
    assert payloads(stage.to(BOB))[-2:] == [b"\x67"] * 2


def test_a_prompt_may_be_for_both() -> None:
    stage = Pair()
    stage.meet()
    stage.obey(Join(A, B))
    stage.obey(PlayBoth(A, "short"))
    stage.run(0.1)
    told = [(leg, event) for _, leg, event in stage.told]
    assert sorted(told, key=lambda pair: pair[0]) == [
        (A, PromptStarted("short")),
        (A, PromptFinished("short")),
        (B, PromptStarted("short")),
        (B, PromptFinished("short")),
    ]


def test_a_key_reaches_the_partner_as_a_key_and_is_told_once() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(MoveLeg(B, Law.PCMU, 96, BOB, (BOB[0],)), Join(A, B))
    stage.talk(alice, 3)
    stage.sent.clear()
    for n, (duration, end) in enumerate([(160, 0), (320, 0), (480, 0), (640, 1), (640, 1), (640, 1)]):
        alice.say(event("5", duration, end=bool(end)), kind=101, samples=0)
        stage.run(0.05 if n == 1 else 0.02, 0.005)
        if n == 1:
            # One packet was late enough for our silence to step in: still one press.
            stage.run(0.03, 0.005)
    alice.timestamp += 640
    stage.talk(alice, 3)
    heard = stage.to(BOB)
    keys = [one for one in heard if one.kind == 96]
    assert [one.payload for one in keys] == [
        event("5", duration, end=bool(end))
        for duration, end in [(160, 0), (320, 0), (480, 0), (640, 1), (640, 1), (640, 1)]
    ]
    assert len({one.timestamp for one in keys}) == 1
    assert [one.marker for one in keys] == [True] + [False] * 5
    assert {(two.sequence - one.sequence) % 2**16 for one, two in itertools.pairwise(heard)} == {1}
    assert [(leg, event) for _, leg, event in stage.told] == [(A, DigitPressed("5"))]


def test_keys_that_are_meant_for_us_are_kept() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B), KeepKeys(A))
    stage.talk(alice, 3)
    for duration in (160, 320):
        alice.say(event("*", duration), kind=101, samples=0)
        stage.run(0.02)
    alice.timestamp += 320
    stage.talk(alice, 3)
    heard = stage.to(BOB)
    assert {one.kind for one in heard} == {0}
    assert unbroken(heard)
    assert [event for _, _, event in stage.told] == [DigitPressed("*")]


def test_keys_are_sent_as_a_phone_sends_them() -> None:
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.talk(alice, 3)
    asked = stage.now
    stage.obey(SendDigits(B, "4"), SendDigits(B, "2"))
    stage.talk(alice, 25)
    heard = stage.to(BOB, asked - 0.001)
    keys = [one for one in heard if one.kind == 101]
    for digit, press in (("4", keys[:7]), ("2", keys[7:])):
        assert [one.payload for one in press] == [
            *(event(digit, duration) for duration in (160, 320, 480, 640)),
            *[event(digit, 800, end=True)] * 3,
        ]
        assert len({one.timestamp for one in press}) == 1
        assert [one.marker for one in press] == [True] + [False] * 6
    assert len(keys) == 14
    assert keys[7].timestamp - keys[0].timestamp == 1600
    meanwhile = [one for one in heard if keys[0].at <= one.at <= keys[-1].at and one.kind == 0]
    assert set(payloads(meanwhile)) == {b"\xff"}
    assert payloads(heard)[-3:] == [b"\x10"] * 3
    everything = stage.to(BOB)
    steps = {(two.sequence - one.sequence) % 2**16 for one, two in itertools.pairwise(everything)}
    assert (steps, len({one.ssrc for one in everything})) == ({1}, 1)
    assert [event for _, leg, event in stage.told if leg == B] == [DigitsSent("42")]


def test_keys_that_cannot_be_sent_are_refused() -> None:
    stage = Pair()
    stage.meet()
    stage.obey(MoveLeg(B, Law.PCMU, None, BOB, (BOB[0],)))
    stage.obey(SendDigits(A, ""), SendDigits(A, "x"), SendDigits(B, "1"), Join(A, A), Join(A, 77))
    assert stage.plane.counts["impossible_command"] == 5


def test_a_tone_lasts_its_time_at_its_level() -> None:
    stage = Pair()
    stage.meet()
    stage.sent.clear()
    stage.obey(PlayTone(A, 1000.0, -20.0, 0.5))
    stage.run(0.6)
    sounding = [one for one in stage.to(ALICE) if one.payload != ULAW_IDLE]
    samples = decode(np.frombuffer(b"".join(one.payload for one in sounding), np.uint8), Law.PCMU) / 32768
    assert len(samples) == 4000
    assert 10 * np.log10(np.mean(np.square(samples))) == pytest.approx(-20.0, abs=0.2)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 500
    assert [event for _, _, event in stage.told] == [ToneFinished()]


@pytest.mark.parametrize(("asked", "got"), [(6, 6), (-12, -12), (40, 12), (-7, -6), (0, 0)])
def test_how_loud_one_is_to_the_other(asked: float, got: float) -> None:
    stage = Pair()
    alice, bob = stage.meet()
    stage.obey(Join(A, B), SetGain(A, asked))
    stage.sent.clear()
    alice.say(b"\xb0" * 160)
    bob.say(b"\xb0" * 160)
    stage.tick()
    loud, same = (
        abs(int(decode(np.frombuffer(stage.to(address)[0].payload[:1], np.uint8), Law.PCMU)[0]))
        for address in (BOB, ALICE)
    )
    assert 20 * np.log10(loud / same) == pytest.approx(got, abs=0.4)


def test_who_is_closed_or_joined_elsewhere_is_heard_no_more() -> None:
    stage = Pair()
    alice, bob = stage.meet()
    carol = ("192.0.2.3", 4000)
    stage.open(3, carol)
    stage.obey(Join(A, B), Join(A, 3))
    stage.sent.clear()
    alice.say(b"\x66" * 160)
    bob.say(b"\x67" * 160)
    stage.run(0.02)
    assert b"\x66" in payloads(stage.to(carol))
    assert set(payloads(stage.sent)) == {b"\x66", b"\xff"}
    stage.obey(CloseLeg(3), Part(A))
    stage.sent.clear()
    alice.say(b"\x66" * 160)
    stage.run(0.02)
    assert set(payloads(stage.sent)) == {b"\xff"}
    assert Latched() not in [event for _, _, event in stage.told]


def test_a_prompt_that_is_not_there_is_told_and_what_was_said_before_is_over() -> None:
    stage = Pair()
    stage.meet()
    stage.obey(LoadPrompt("hello", b"\x10" * 800, b"\x20" * 800), Play(A, "hello"))
    stage.run(0.04)
    stage.told.clear()
    stage.obey(Play(A, "hallo"), PlayMusic(A, "musik"))
    assert [(leg, event) for _, leg, event in stage.told] == [
        (A, PromptStopped("hello")),
        (A, PromptUnknown("hallo")),
        (A, PromptUnknown("musik", is_music=True)),
    ]
    stage.told.clear()
    stage.obey(Join(A, B), PlayBoth(A, "hallo"))
    assert sorted(
        (leg, event.prompt) for _, leg, event in stage.told if isinstance(event, PromptUnknown)
    ) == [
        (A, "hallo"),
        (B, "hallo"),
    ]
    assert stage.plane.counts["impossible_command"] == 3
