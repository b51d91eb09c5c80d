"""What a phone heard, measured from the RTP packets at its own socket.

Pure: datagrams and their arrival times come in, spans of sound and counts come out. Times are
seconds of one monotonic clock, whichever the caller uses.
"""

import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8000
"""Samples a second of everything here (G.711)."""
AUDIBLE_DBFS: Final = -50.0
SAME_SOUND_S: Final = 0.6
"""A shorter silence lies inside a sentence and does not split it."""
LOST_TRACK_S: Final = 1.0
"""Timestamps this far from the arrival times belong to a new stream, not to a gap."""

PCMU, PCMA = 0, 8

Samples = NDArray[np.int16]


def _ulaw_table() -> Samples:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Samples:
    code = np.arange(256) ^ 0x55
    mantissa, exponent = (code & 0x0F) << 4, code >> 4 & 7
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


DECODED: Final = {PCMU: _ulaw_table(), PCMA: _alaw_table()}
_POWER: Final = {kind: table.astype(np.float64) ** 2 for kind, table in DECODED.items()}
_AUDIBLE_POWER: Final = (32768 * 10 ** (AUDIBLE_DBFS / 20)) ** 2


def ulaw(samples: NDArray[np.generic]) -> bytes:
    """The nearest µ-law codes of 16-bit samples; what is too loud is clipped."""
    order = np.argsort(DECODED[PCMU], kind="stable")
    levels = DECODED[PCMU][order].astype(np.float64)
    nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, samples)
    return bytes(order[nearest].astype(np.uint8))


def fainter(level_db: float) -> bytes:
    """A table for `bytes.translate` that turns µ-law audio down (or up) by `level_db`."""
    return ulaw(DECODED[PCMU] * 10 ** (level_db / 20))


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet with the time at which it came."""

    arrived: float
    kind: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @property
    def audible(self) -> bool:
        """Whether the payload is G.711 louder than `AUDIBLE_DBFS`."""
        power = _POWER.get(self.kind)
        if power is None or not self.payload:
            return False
        return bool(power[np.frombuffer(self.payload, np.uint8)].mean() > _AUDIBLE_POWER)

    @property
    def seconds(self) -> float:
        return len(self.payload) / RATE


def parse(datagram: bytes, arrived: float) -> Packet | None:
    """The RTP packet (RFC 3550 §5.1) in a datagram, or None if it is none."""
    if len(datagram) < 12 or datagram[0] >> 6 != 2:
        return None
    begin = 12 + 4 * (datagram[0] & 0x0F)
    if datagram[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(datagram[begin + 2 : begin + 4])
    end = len(datagram) - (datagram[-1] if datagram[0] & 0x20 else 0)
    return Packet(
        arrived=arrived,
        kind=datagram[1] & 0x7F,
        marker=bool(datagram[1] & 0x80),
        sequence=int.from_bytes(datagram[2:4]),
        timestamp=int.from_bytes(datagram[4:8]),
        ssrc=int.from_bytes(datagram[8:12]),
        payload=datagram[begin:end],
    )


def _step(new: int, old: int, bits: int) -> int:
    """How far `new` is after `old` on a counter that wraps; negative if it is before."""
    half = 1 << (bits - 1)
    return (new - old + half) % (1 << bits) - half


class Sounds:
    """Joins audible packets into spans of sound."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        self._open = False

    def heard(self, start: float, end: float) -> bool:
        """Take in audible sound; True if it begins a new span. Call `silent_at(start)` before."""
        if self._open:
            self.spans[-1] = (self.spans[-1][0], max(end, self.spans[-1][1]))
            return False
        self.spans.append((start, end))
        self._open = True
        return True

    def silent_at(self, now: float) -> float | None:
        """The end of the sound that is over by `now`, told once; else None."""
        if not self._open or now - self.spans[-1][1] < SAME_SOUND_S:
            return None
        return self.finish()

    def finish(self) -> float | None:
        """Close the open span, as when the call is over; its end, or None if there was none."""
        if not self._open:
            return None
        self._open = False
        return self.spans[-1][1]


@dataclass(frozen=True, slots=True)
class Reception:
    """How the packets came."""

    packets: int
    lost: int
    """Sequence numbers that never came, of all streams."""
    duplicates: int
    reordered: int
    max_jitter: float
    """Seconds; the largest difference between the spacing of two packets' arrivals and timestamps."""
    discontinuities: int
    """Packets next in sequence whose timestamp did not follow from the one before."""
    streams: int
    """Different runs of one SSRC."""


def reception(packets: list[Packet]) -> Reception:
    """Judge the packets of a call, given in the order in which they came."""
    runs: list[list[Packet]] = []
    for packet in packets:
        if not runs or packet.ssrc != runs[-1][-1].ssrc:
            runs.append([])
        runs[-1].append(packet)
    judged = [_judge_run(run) for run in runs]
    lost, duplicates, reordered, discontinuities = (sum(run[kind] for run in judged) for kind in range(4))
    jitter = max((_run_jitter(run) for run in runs), default=0.0)
    return Reception(len(packets), lost, duplicates, reordered, jitter, discontinuities, len(runs))


def _judge_run(run: list[Packet]) -> tuple[int, int, int, int]:
    """(lost, duplicates, reordered, discontinuities) of one SSRC."""
    highest = 0
    """Relative to the first packet, unwrapped."""
    seen = {0}
    duplicates = reordered = discontinuities = 0
    latest = run[0]
    for packet in run[1:]:
        place = highest + _step(packet.sequence, latest.sequence, 16)
        if place in seen:
            duplicates += 1
        elif place < highest:
            reordered += 1
        else:
            discontinuities += place == highest + 1 and not _follows(latest, packet)
            highest, latest = place, packet
        seen.add(place)
    return highest - min(seen) + 1 - len(seen), duplicates, reordered, discontinuities


def _follows(before: Packet, after: Packet) -> bool:
    """Whether the timestamp goes on as it must. A marker begins a talk spurt after silence, and a
    telephone event keeps the timestamp of its beginning (RFC 4733 §2.5.1.2)."""
    step = _step(after.timestamp, before.timestamp, 32)
    if before.kind not in DECODED or after.kind not in DECODED or after.marker:
        return step >= 0
    return step == len(before.payload)


def _run_jitter(run: list[Packet]) -> float:
    audio = [packet for packet in run if packet.kind in DECODED]
    spacings = (
        (late.arrived - early.arrived) - _step(late.timestamp, early.timestamp, 32) / RATE
        for early, late in pairwise(audio)
    )
    return max(map(abs, spacings), default=0.0)


def as_heard(packets: list[Packet]) -> Samples:
    """The audio laid out by RTP timestamps, silence where nothing came; a stream that starts anew
    is put where it arrived."""
    audio = [packet for packet in packets if packet.kind in DECODED]
    if not audio:
        return np.zeros(0, np.int16)
    first = base = audio[0]
    base_at, places = 0, []
    for packet in audio:
        expected = round((packet.arrived - first.arrived) * RATE)
        place = base_at + _step(packet.timestamp, base.timestamp, 32)
        if packet.ssrc != base.ssrc or abs(place - expected) > LOST_TRACK_S * RATE:
            base, base_at, place = packet, expected, expected
        places.append(max(0, place))
    line = np.zeros(max(at + len(packet.payload) for at, packet in zip(places, audio, strict=True)), np.int16)
    for at, packet in zip(places, audio, strict=True):
        line[at : at + len(packet.payload)] = DECODED[packet.kind][np.frombuffer(packet.payload, np.uint8)]
    return line


def heard_from(packets: list[Packet]) -> float | None:
    """When the first sample of `as_heard` came; None where there is none."""
    return next((packet.arrived for packet in packets if packet.kind in DECODED), None)


def write_wav(path: Path, packets: list[Packet]) -> None:
    """Keep what was heard as 8 kHz 16-bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(as_heard(packets).astype("<i2").tobytes())
