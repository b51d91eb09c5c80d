"""What the softphone's ear makes of packets that come well and ill."""

import struct
from pathlib import Path

import numpy as np
import pytest

from callflow.adapters import ear

pytestmark = pytest.mark.pure

LOUD = b"\x00" * 160
"""The most negative µ-law code."""
QUIET = b"\xff" * 160


def packet(
    number: int, *, at: float | None = None, late: int = 0, payload: bytes = LOUD, ssrc: int = 7
) -> ear.Packet:
    """The packet of the `number`-th 20 ms, its timestamp `late` samples off."""
    head = struct.pack("!BBHII", 0x80, 0, number % 65536, (number * 160 + late) % (1 << 32), ssrc)
    parsed = ear.parse(head + payload, number * 0.02 if at is None else at)
    assert parsed
    return parsed


def judged(*packets: ear.Packet) -> tuple[int, int, int, int, int]:
    came = ear.reception(list(packets))
    return came.lost, came.duplicates, came.reordered, came.discontinuities, came.streams


def test_a_whole_stream_has_nothing_to_complain_of() -> None:
    assert judged(*map(packet, range(50))) == (0, 0, 0, 0, 1)
    assert ear.reception([]) == ear.Reception(0, 0, 0, 0, 0.0, 0, 0)


def test_the_counters_may_wrap() -> None:
    before = (1 << 32) // 160 - 3
    assert judged(*map(packet, range(before, before + 9))) == (0, 0, 0, 0, 1)
    assert judged(*map(packet, range(65530, 65545))) == (0, 0, 0, 0, 1)


def test_what_is_lost_doubled_or_late_is_counted_once() -> None:
    assert judged(packet(1), packet(2), packet(5)) == (2, 0, 0, 0, 1)
    assert judged(packet(1), packet(2), packet(2), packet(3)) == (0, 1, 0, 0, 1)
    assert judged(packet(1), packet(3), packet(2), packet(4)) == (0, 0, 1, 0, 1)
    assert judged(packet(5), packet(3), packet(6)) == (1, 0, 1, 0, 1)


def test_a_timestamp_must_follow_from_the_one_before() -> None:
    assert judged(packet(1), packet(2, late=80), packet(3, late=80)) == (0, 0, 0, 1, 1)
    assert judged(packet(1), packet(900, ssrc=8), packet(901, ssrc=8)) == (0, 0, 0, 0, 2)


def test_jitter_is_the_worst_spacing() -> None:
    came = ear.reception([packet(0), packet(1, at=0.02), packet(2, at=0.055), packet(3, at=0.06)])
    assert came.max_jitter == pytest.approx(0.015)


def test_sounds_within_a_sentence_are_one() -> None:
    sounds = ear.Sounds()
    assert sounds.heard(1.0, 1.02)
    assert sounds.silent_at(1.5) is None
    assert not sounds.heard(1.5, 1.52)
    assert sounds.silent_at(2.11) is None
    assert sounds.silent_at(2.12) == 1.52
    assert sounds.silent_at(9.0) is None
    assert sounds.heard(9.0, 9.02)
    assert sounds.finish() == 9.02
    assert sounds.finish() is None
    assert sounds.spans == [(1.0, 1.52), (9.0, 9.02)]


@pytest.mark.parametrize(("level", "audible"), [(-47.0, True), (-53.0, False)])
def test_only_what_is_above_minus_fifty_is_audible(level: float, audible: bool) -> None:
    tone = np.sin(2 * np.pi * 1000 / 8000 * np.arange(160)) * 32768 * 10 ** (level / 20) * 2**0.5
    assert packet(0, payload=ear.ulaw(tone)).audible is audible


def test_g711_goes_there_and_back() -> None:
    codes = bytes(range(256))
    again = ear.ulaw(ear.DECODED[ear.PCMU][np.frombuffer(codes, np.uint8)])
    assert again.replace(b"\x7f", b"\xff") == codes.replace(b"\x7f", b"\xff")  # two zeros
    assert (ear.DECODED[ear.PCMU].min(), ear.DECODED[ear.PCMU].max()) == (-32124, 32124)
    assert (ear.DECODED[ear.PCMA].min(), ear.DECODED[ear.PCMA].max()) == (-32256, 32256)
    assert (ear.DECODED[ear.PCMA][0xD5], ear.DECODED[ear.PCMA][0x55]) == (8, -8)


def test_the_recording_keeps_gaps_and_survives_a_new_stream() -> None:
    heard = ear.as_heard([packet(0), packet(3), packet(900, at=0.12, ssrc=8)])
    assert [bool(heard[at * 160 : at * 160 + 160].any()) for at in range(7)] == [
        *(True, False, False, True, False, False, True)
    ]
    assert len(heard) == 7 * 160
    assert not ear.as_heard([]).size


def test_the_rest_of_the_header_is_stepped_over() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 1, 0x80 | 8, 1, 2, 3)
    parsed = ear.parse(head + b"csrc" + struct.pack("!HH", 0, 1) + b"extn" + b"ab" + b"\x00\x02", 0.0)
    assert parsed
    assert (parsed.payload, parsed.marker, parsed.kind) == (b"ab", True, 8)
    assert ear.parse(b"\x80", 0.0) is None
    assert ear.parse(b"\x00" * 12, 0.0) is None


def test_a_wav_is_written(tmp_path: Path) -> None:
    ear.write_wav(tmp_path / "heard.wav", [packet(0)])
    assert (tmp_path / "heard.wav").stat().st_size == 44 + 320
