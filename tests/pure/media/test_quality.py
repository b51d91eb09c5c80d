"""How well packets come: told once, counted right, and reported as RFC 3550 has it."""

import numpy as np
import pytest

from callflow.codec import Law
from callflow.media import rtcp
from callflow.media.latching import source_key
from callflow.media.messages import (
    CloseLeg,
    LegQuality,
    MoveLeg,
    NoPackets,
    OpenLeg,
    PacketsPaused,
    PacketsResumed,
    PacketsStopped,
    ReportCame,
)
from callflow.media.quality import ReportBlock
from callflow.media.rtcp import SenderReport
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage
from tests.support.rtp_packets import packet

pytestmark = pytest.mark.pure

BLOCK = ReportBlock(0x01020304, 12, -3, 0x1FFFF, 44, 0xAABBCCDD, 65536)
SENT = SenderReport(0x05060708, 2**40 + 5, 160, 7, 1120)


def news(stage: Stage) -> list[tuple[float, object]]:
    return [(round(at, 2), event) for at, _, event in stage.news]


def test_a_leg_that_never_sent_is_told_once_after_two_seconds() -> None:
    stage = Stage()
    stage.open(1)
    stage.run(5.0)
    assert news(stage) == [(102.0, NoPackets())]


def test_a_leg_that_is_not_known_yet_need_not_send() -> None:
    stage = Stage()
    stage.open(1, None)
    stage.run(10.0)
    assert stage.news == []
    stage.obey(MoveLeg(1, Law.PCMU, 101, ALICE, (ALICE[0],)))
    stage.run(3.0)
    assert news(stage) == [(112.0, NoPackets())]


def test_packets_that_stop_are_told_once_each_time() -> None:
    stage = Stage()
    stage.open(1)
    phone = Phone(stage, ALICE)
    for wait in (0.5, 4.0, 4.0):
        phone.say(ULAW_IDLE)
        stage.run(wait)
    assert news(stage) == [(102.5, PacketsStopped()), (104.5, PacketsResumed()), (106.5, PacketsStopped())]


def test_a_report_of_a_leg_that_sends_no_packets_is_told() -> None:
    """And of one that sends them it is not: the packets say enough."""
    stage = Stage()
    stage.open(1)
    phone = Phone(stage, ALICE)
    phone.say(ULAW_IDLE)
    report = rtcp.compose(SENT, None, sending=False)
    for _ in range(3):
        stage.plane.receive_rtcp(0, report, (ALICE[0], ALICE[1] + 1), stage.now)
        stage.run(1.0)
    stage.plane.receive_rtcp(0, b"no report at all", (ALICE[0], ALICE[1] + 1), stage.now)
    stage.run(0.1)
    assert news(stage) == [(102.0, PacketsStopped()), (102.0, ReportCame())]


def test_a_leg_that_pauses_with_comfort_noise_has_not_stopped() -> None:
    stage = Stage()
    stage.open(1)
    phone = Phone(stage, ALICE)
    phone.say(ULAW_IDLE)
    phone.say(b"\x40", kind=13)
    stage.run(4.0)
    phone.say(ULAW_IDLE)
    stage.run(4.0)
    assert news(stage) == [(102.0, PacketsPaused()), (104.0, PacketsResumed()), (106.0, PacketsStopped())]


def test_what_was_lost_late_or_came_twice_is_told_at_the_end() -> None:
    stage = Stage()
    stage.open(1)
    for n in [65_534, 65_535, 0, 1, 3, 2, 2, 6, 7, 7, 9]:
        stage.come((ALICE, packet(ULAW_IDLE, sequence=n, timestamp=(n - 65_534) % 65_536 * 160)))
        stage.run(0.02)
    # Another stream: what is missing between the two is not lost.
    for n in (30_000, 30_002):
        stage.come((ALICE, packet(ULAW_IDLE, sequence=n, ssrc=8)))
    stage.obey(CloseLeg(1))
    (told,) = [event for _, _, event in stage.news]
    assert isinstance(told, LegQuality)
    # Lost: 4, 5, 8 of the first, and one of the second.
    assert (told.packets, told.lost, told.reordered, told.duplicates) == (13, 4, 1, 2)


def test_jitter_is_smoothed_as_the_rfc_has_it() -> None:
    stage = Stage()
    stage.open(1)
    jitter, before = 0.0, None
    for n, late in enumerate(np.random.default_rng(2).integers(0, 5, 60) * 0.005):
        stage.now = 100 + n * 0.02 + float(late)
        stage.come((ALICE, packet(ULAW_IDLE, sequence=n, timestamp=n * 160 + 2**32 - 800)))
        transit = float(late) * 8000
        jitter += (abs(transit - (transit if before is None else before)) - jitter) / 16
        before = transit
    stage.obey(CloseLeg(1))
    (told,) = [event for _, _, event in stage.news]
    assert isinstance(told, LegQuality)
    assert told.jitter == pytest.approx(jitter / 8, abs=0.06)


def test_reports_survive_the_way() -> None:
    for sending in (True, False):
        told = rtcp.parse(rtcp.compose(SENT, BLOCK, sending=sending))
        assert told == rtcp.Told(SENT if sending else None, (BLOCK,))
    bare = rtcp.compose(SENT, None, sending=False)
    assert rtcp.parse(bare) == rtcp.Told(None, ())
    assert (bare[:4], len(bare) % 4) == (b"\x80\xc9\0\1", 0)


@pytest.mark.parametrize("data", [b"\x80", b"\0" * 8, b"\x80\xca\0\1aaaa", b"\x80\xc8\0\x09" + b"a" * 8])
def test_what_is_no_report_is_none(data: bytes) -> None:
    assert rtcp.parse(data) is None


def test_every_leg_is_reported_to_every_five_seconds_and_told_of_its_round_trip() -> None:
    stage = Stage()
    stage.obey(OpenLeg(1, 0, Law.PCMU, 101, ALICE, (ALICE[0],)))
    stage.obey(OpenLeg(2, 0, Law.PCMU, 101, BOB, (BOB[0],), rtcp_mux=True))
    phones = Phone(stage, ALICE), Phone(stage, BOB)
    sent = []
    for _ in range(1200):
        for phone in phones:
            phone.say(ULAW_IDLE)
        for _ in range(2):
            stage.tick(0.01)
            sent += [(stage.now, one) for one in stage.plane.rtcp_due(stage.now)]
    to_alice = [(at, one) for at, one in sent if not one.mux]
    to_bob = [(at, one) for at, one in sent if one.mux]
    assert {one.destination for _, one in to_alice} == {source_key((ALICE[0], ALICE[1] + 1))}
    assert {one.destination for _, one in to_bob} == {source_key(BOB)}
    assert np.diff([at for at, _ in to_alice]).tolist() == pytest.approx([5.0] * 4, abs=0.011)
    at, last = to_alice[-1]
    told = rtcp.parse(last.datagram)
    assert told is not None
    assert told.sent is not None
    assert told.sent.packets == pytest.approx((at - 100) * 50, abs=2)
    assert told.sent.octets == told.sent.packets * 160
    (block,) = told.blocks
    assert (block.ssrc, block.fraction_lost, block.lost) == (7, 0, 0)
    # The phone answers 80 ms after it was told, of which the way took 30.
    stage.now = at + 0.08
    answer = ReportBlock(told.sent.ssrc, 0, 3, 1, 1, rtcp.middle(told.sent.ntp), round(0.05 * 65536))
    datagram = rtcp.compose(SENT, answer, sending=True)
    stage.plane.receive_rtcp(0, datagram, (ALICE[0], ALICE[1] + 1), stage.now)
    stage.plane.receive_rtcp(0, datagram, ("203.0.113.1", 9), stage.now)
    stage.come((BOB, rtcp.compose(SENT, None, sending=False)), (BOB, b"\x80\xc8" + b"x" * 30))
    stage.obey(CloseLeg(1))
    quality = stage.news[-1][2]
    assert isinstance(quality, LegQuality)
    assert quality.missed == 3
    assert quality.round_trip == pytest.approx(0.03, abs=0.001)
    assert (stage.plane.counts["received_rtcp"], stage.plane.counts["dropped_rtcp"]) == (2, 2)
