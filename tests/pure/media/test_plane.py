"""The plane on a clock of its own: what leaves when, what is told, and who hears whom."""

import numpy as np
import pytest

from callflow.codec import Law
from callflow.events import (
    DigitPressed,
    Heard,
    LineHeard,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)
from callflow.media.g711 import IDLE
from callflow.media.latching import source_key
from callflow.media.messages import (
    CloseLeg,
    Latched,
    MoveLeg,
    Play,
    StopPlaying,
)
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Stage
from tests.support.rtp_packets import frames, packet, press, speech

pytestmark = pytest.mark.pure


def test_every_packet_leaves_by_its_own_deadline_and_nothing_drifts() -> None:
    stage = Stage()
    stage.open(1)
    jitter = np.random.default_rng(3).uniform(0.001, 0.012, 100_000)
    for step in jitter:
        stage.tick(float(step))
        if stage.now >= 160.0:
            break
    times = np.array([sent.at for sent in stage.sent])
    lateness = times - (100.0 + 0.02 * np.arange(len(times)))
    assert len(times) == pytest.approx(3000, abs=1)
    assert lateness.min() > -1e-6
    assert lateness.max() <= 0.012
    assert lateness[-100:].mean() == pytest.approx(lateness[:100].mean(), abs=0.002)


def test_headers_go_on_across_prompts_and_wraps() -> None:
    stage = Stage(ids=(7, 2**32 - 800, 9))
    stage.open(1)
    stage.plane._sender._sequence[:] = 65_530
    stage.run(0.19)
    stage.obey(Play(1, "short"))
    stage.run(0.2)
    first = stage.sent[0]
    assert [sent.sequence for sent in stage.sent] == [(65_530 + n) % 65_536 for n in range(20)]
    assert [sent.timestamp for sent in stage.sent] == [(2**32 - 800 + 160 * n) % 2**32 for n in range(20)]
    assert {(sent.ssrc, sent.kind, sent.destination, sent.port) for sent in stage.sent} == {
        (first.ssrc, 0, source_key(ALICE), 0)
    }
    assert [n for n, sent in enumerate(stage.sent) if sent.marker] == [0, 10]
    assert [sent.payload for sent in stage.sent[9:13]] == [
        *(ULAW_IDLE, b"\1" * 160, b"\1" * 40 + ULAW_IDLE[40:], ULAW_IDLE)
    ]


@pytest.mark.parametrize("step", [0.005, 0.01, 0.013])
def test_a_prompt_ends_its_length_after_its_start(step: float) -> None:
    stage = Stage()
    stage.open(1)
    stage.run(0.1, step)
    stage.obey(Play(1, "long"), Play(1, "short"))
    asked = round(stage.now, 6)
    stage.run(0.1, step)
    stopped, started, finished = stage.heard()
    assert stopped == (asked, 1, PromptStopped("long"))
    assert started[1:] == (1, PromptStarted("short"))
    assert asked <= started[0] <= asked + 0.02 + step
    assert finished[1:] == (1, PromptFinished("short"))
    assert finished[0] == pytest.approx(started[0] + 200 / 8000)


def test_a_prompt_is_stopped_when_it_is_stopped() -> None:
    stage = Stage()
    stage.open(1)
    stage.obey(Play(1, "long"))
    stage.run(0.09)
    stage.obey(StopPlaying(1), StopPlaying(1))
    stage.run(0.1)
    assert [event for _, _, event in stage.told] == [PromptStarted("long"), PromptStopped("long")]
    assert stage.told[-1][0] == pytest.approx(100.09)
    assert [sent.payload[0] for sent in stage.sent] == [1] * 5 + [IDLE[0]] * 5


def test_a_prompt_whose_last_frame_has_left_was_heard_to_its_end() -> None:
    stage = Stage()
    stage.open(1)
    stage.obey(Play(1, "short"))
    stage.run(0.03)
    started, *nothing = stage.heard()
    assert nothing == []
    stage.tick(-0.008)
    stage.obey(StopPlaying(1))
    assert stage.heard() == [(round(stage.now, 6), 1, PromptFinished("short"))]
    assert started[0] < stage.now


def test_a_stall_is_caught_up_or_skipped() -> None:
    stage = Stage()
    stage.open(1)
    stage.obey(Play(1, "long"))
    stage.run(0.1)
    before = len(stage.sent)
    stage.tick(0.06)
    assert len(stage.sent) - before == 3
    stage.tick(1.0)
    stage.tick(0.001)
    stage.run(1.0)
    stamps = [sent.timestamp for sent in stage.sent]
    skipped = stage.plane.counts["frames_skipped"]
    assert skipped == pytest.approx(45, abs=1)
    assert np.sum(np.diff(stamps) > 160) == 1
    assert stamps[-1] - stamps[0] == pytest.approx((stage.now - 100.0) * 8000, abs=320)
    (start, _, _), (end, _, finished) = stage.heard()
    assert finished == PromptFinished("long")
    assert end == pytest.approx(start + 1.0 + 0.02 * skipped)


def test_commands_for_legs_that_are_gone_are_counted() -> None:
    stage = Stage()
    stage.open(1)
    stage.obey(Play(1, "long"), CloseLeg(1))
    stage.heard()
    move = MoveLeg(1, Law.PCMU, None, ALICE, ())
    stage.obey(Play(1, "long"), StopPlaying(1), CloseLeg(1), move)
    stage.run(0.1)
    assert (stage.heard(), stage.sent, stage.plane.legs) == ([], [], 0)
    assert stage.plane.counts["late_command"] == 4


def test_two_legs_on_one_port_never_share_a_packet() -> None:
    stage = Stage()
    stage.open(1, ALICE)
    stage.open(2, BOB, law=Law.PCMA)
    stage.come((ALICE, press("1", 1000)), (BOB, press("2", 1000)), (("192.0.2.3", 4000), press("3", 1)))
    stage.run(0.09)
    stage.obey(Play(2, "long"))
    stage.run(0.1)
    assert stage.heard()[:4] == [
        *((100.0, 1, Latched()), (100.0, 2, Latched())),
        *((100.0, 1, DigitPressed("1")), (100.0, 2, DigitPressed("2"))),
    ]
    to_bob = [sent for sent in stage.sent if sent.destination == source_key(BOB)]
    to_alice = [sent for sent in stage.sent if sent.destination == source_key(ALICE)]
    assert len(to_alice) + len(to_bob) == len(stage.sent)
    assert [(sent.kind, sent.payload[0]) for sent in to_bob] == [(8, IDLE[1])] * 5 + [(8, 2)] * 5
    assert [(sent.kind, sent.payload) for sent in to_alice] == [(0, ULAW_IDLE)] * 10
    assert {sent.ssrc for sent in to_alice} & {sent.ssrc for sent in to_bob} == set()
    assert stage.plane.counts["dropped_unknown_source"] == 1


def test_several_packets_of_a_leg_in_one_block_are_heard_in_their_order() -> None:
    stage = Stage()
    stage.open(1)
    stage.open(2, BOB)
    sound = [packet(payload) for payload in [ULAW_IDLE] * 15 + frames(speech(0.16, -20.0))]
    stage.come(*((ALICE, data) for data in sound), (BOB, packet(ULAW_IDLE)))
    stage.tick()
    assert [(leg, event) for _, leg, event in stage.told] == [
        *((1, Latched()), (2, Latched()), (1, LineHeard(Heard.SOUND, stage.now - 0.16)))
    ]


def test_what_is_dropped_is_counted_by_its_kind() -> None:
    stage = Stage()
    stage.open(1)
    audio = packet(ULAW_IDLE)
    stage.come((ALICE, audio), (ALICE, packet(b"x", kind=13)), (ALICE, packet(b"x", kind=18)))
    stage.come((ALICE, b"junk"), (BOB, audio), (BOB, b""))
    assert stage.plane.counts == {
        "received": 6,
        "dropped_unknown_source": 2,
        "dropped_not_rtp": 1,
        "dropped_payload_type": 1,
        "comfort_noise": 1,
    }


def test_audio_goes_where_the_packets_come_from() -> None:
    stage = Stage()
    stage.open(1, None, hosts=ALICE[0])
    stage.run(0.1)
    assert stage.sent == []
    moved = (ALICE[0], 61_000)
    stage.come((moved, packet(ULAW_IDLE)))
    stage.run(0.02)
    assert {sent.destination for sent in stage.sent} == {source_key(moved)}


def test_a_hold_and_its_end_leave_the_audio_where_it_is() -> None:
    stage = Stage()
    stage.open(1, ("10.0.0.5", 4000), hosts=ALICE[0])
    stage.come((ALICE, packet(ULAW_IDLE)))
    stage.obey(MoveLeg(1, Law.PCMA, 96, ("10.0.0.5", 4000), (ALICE[0],)))
    stage.come((ALICE, press("7", 1000, kind=96)), (ALICE, packet(ULAW_IDLE, kind=0)))
    stage.run(0.02)
    assert [event for _, _, event in stage.told] == [Latched(), DigitPressed("7")]
    assert {(sent.destination, sent.kind) for sent in stage.sent} == {(source_key(ALICE), 8)}
    assert stage.plane.counts["dropped_payload_type"] == 1


def test_a_slot_used_again_remembers_nothing() -> None:
    stage = Stage()
    stage.open(1)
    for payload in frames(np.concatenate([np.zeros(2400, np.int16), speech(0.3, -10.0)])):
        stage.come((ALICE, packet(payload)))
        stage.tick(0.02)
    assert isinstance(stage.told[-1][2], LineHeard)
    stage.obey(CloseLeg(1))
    stage.open(2, BOB)
    stage.heard()
    stage.come((BOB, press("1", 5)), (ALICE, packet(ULAW_IDLE)))
    stage.run(1.0)
    assert [(leg, event) for _, leg, event in stage.heard()] == [(2, Latched()), (2, DigitPressed("1"))]
