"""Whatever comes to a port, nothing escapes, and who is talking goes on talking.

CALLFLOW_FUZZ sets how many datagrams; the default keeps the test short.
"""

import os
import tracemalloc

import numpy as np
import pytest

from callflow.codec import Law
from callflow.media import rtcp
from callflow.media.messages import Join, KeepKeys, MoveLeg, Play, SetGain
from callflow.media.quality import ReportBlock
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage
from tests.support.rtp_packets import Address, event, packet

pytestmark = pytest.mark.pure

DATAGRAMS = int(os.environ.get("CALLFLOW_FUZZ", "4000"))
BATCH = 40
CAROL, DAVE = ("192.0.2.3", 4000), ("192.0.2.4", 4000)
SOURCES: list[Address] = [CAROL, DAVE, (CAROL[0], 4002), (ALICE[0], 4002), ("203.0.113.7", 9), ("0.0.0.0", 0)]


def seeds() -> list[bytes]:
    block = ReportBlock(1, 2, 3, 4, 5, 6, 7)
    return [
        packet(ULAW_IDLE, sequence=5, timestamp=800),
        packet(b"\x10" * 320, kind=8),
        packet(b"\x20" * 500),
        packet(event("5", 160), kind=101),
        packet(b"\x40", kind=13),
        b"\x90" + packet(b"\xbe\xde\0\1aaaa" + ULAW_IDLE)[1:],
        rtcp.compose(rtcp.SenderReport(7, 8, 9, 10, 11), block, sending=True),
        b"",
    ]


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(0, 6))):
        if changed:
            changed[
                int(random.integers(len(changed)) if random.random() < 0.3 else random.integers(16))
                % len(changed)
            ] = int(random.integers(256))
    match int(random.integers(6)):
        case 0:
            del changed[int(random.integers(len(changed) + 1)) :]
        case 1:
            changed += random.bytes(int(random.integers(600)))
        case 2:
            changed = bytearray(random.bytes(int(random.integers(40))))
    return bytes(changed)


def stage_with_victims() -> tuple[Stage, Phone, Phone]:
    """Alice and Bob talk; Carol and Dave are joined and get all that is thrown."""
    stage = Stage(ids=tuple(range(1, 40)))
    for leg, address in enumerate((ALICE, BOB, CAROL, DAVE), 1):
        stage.open(leg, address)
        stage.come((address, packet(ULAW_IDLE)))
    stage.obey(Join(1, 2), Join(3, 4), KeepKeys(3), SetGain(4, 6.0), Play(3, "long"))
    return stage, Phone(stage, ALICE, sequence=1), Phone(stage, BOB, sequence=1, ssrc=8)


def test_nothing_that_comes_escapes_or_disturbs_a_call() -> None:
    random = np.random.default_rng(20)
    stage, alice, bob = stage_with_victims()
    originals, heard_by_bob, said = seeds(), 0, 0
    tracemalloc.start()
    early = 0
    for turn in range(DATAGRAMS // BATCH):
        thrown = [
            (SOURCES[int(random.integers(len(SOURCES)))], mutated(originals[int(random.integers(8))], random))
            for _ in range(BATCH)
        ]
        stage.sent.clear()
        stage.come(*thrown)
        for address in (CAROL, DAVE):
            stage.plane.receive_rtcp(0, thrown[0][1], (address[0], address[1] + 1), stage.now)
        alice.say(bytes([turn % 100]) * 160)
        bob.say(b"\x10" * 160)
        stage.run(0.02)
        assert len(list(stage.plane.rtcp_due(stage.now))) <= 4
        heard = [one.payload for one in stage.to(BOB) if one.payload == bytes([turn % 100]) * 160]
        heard_by_bob, said = heard_by_bob + len(heard), said + 1
        stage.told.clear()
        stage.news.clear()
        if turn % 25 == 24:
            law = Law.PCMA if turn % 50 == 49 else Law.PCMU
            stage.obey(MoveLeg(3, law, None if turn % 3 else 101, CAROL, (CAROL[0],)), Play(4, "short"))
        if turn == DATAGRAMS // BATCH // 2:
            early = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - early
    tracemalloc.stop()
    assert heard_by_bob == said
    assert stage.plane.legs == 4
    assert grown < 100_000
