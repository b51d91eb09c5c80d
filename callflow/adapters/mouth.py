"""What a phone sends in each 20 ms packet: key presses, speech, an echo of what it hears, silence.

All audio is µ-law in frames of 160 samples. Keys go before speech, which waits for them.
"""

import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from callflow.adapters import ear

TICK_S: Final = 0.02
FRAME: Final = 160
SILENCE: Final = b"\xff" * FRAME
ECHO_DELAY_S: Final = 0.08
ECHO_SLACK_S: Final = 0.01
"""The echo may drift this far from its delay before samples are dropped or silence put in."""
KEYS: Final = "0123456789*#ABCD"

Announce = Callable[..., None]
"""Tells a fact: (what, at, **details)."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One RFC 4733 packet of a pressed key; the duration is in samples."""

    key: str
    first: bool
    last: bool
    duration: int

    def payload(self) -> bytes:
        # 10 is the volume: -10 dBm0.
        return struct.pack("!BBH", KEYS.index(self.key), self.last << 7 | 10, self.duration)


def strokes(key: str) -> Iterator[Stroke | None]:
    """What 200 ms of ticks carry for a key: 100 ms down, its end three times, a pause (None)."""
    for tick in range(1, 6):
        yield Stroke(key, first=tick == 1, last=False, duration=tick * FRAME)
    for _ in range(3):
        yield Stroke(key, first=False, last=True, duration=5 * FRAME)
    yield from (None, None)


class Echo:
    """Gives back what was heard, fainter and `ECHO_DELAY_S` later, to the sample."""

    def __init__(self, level_db: float) -> None:
        self._fainter = ear.fainter(level_db)
        self._line = bytearray()
        self._begins = 0.0
        """When the first sample of the line arrived."""
        self._next_timestamp = 0

    def heard(self, packet: ear.Packet) -> None:
        gap = (packet.timestamp - self._next_timestamp) % (1 << 32)
        if gap < ear.RATE and self._line:
            self._line += b"\xff" * gap
        else:
            self._line.clear()
        if not self._line:
            self._begins = packet.arrived
        self._line += packet.payload.translate(self._fainter)
        self._next_timestamp = packet.timestamp + len(packet.payload)

    def frame(self, now: float) -> bytes:
        late = now - ECHO_DELAY_S - self._begins
        if not self._line or late < -ECHO_SLACK_S:
            return SILENCE
        if late > ECHO_SLACK_S:
            self._take(round(late * ear.RATE))
        return self._take(FRAME).ljust(FRAME, b"\xff")

    def _take(self, samples: int) -> bytes:
        taken = bytes(self._line[:samples])
        del self._line[:samples]
        self._begins += samples / ear.RATE
        return taken


class Mouth:
    """What the next packets carry: keys first, then speech and echo together."""

    def __init__(self, announce: Announce, echo: Echo | None) -> None:
        self._announce = announce
        self._echo = echo
        self._lock = threading.Lock()
        self._speech: deque[bytes | None] = deque()
        """Frames; None marks the end of an utterance."""
        self._strokes: deque[Stroke | None] = deque()
        self._pressed_at = 0.0
        self.stroke: Stroke | None = None
        """What the packet of this tick carries in place of audio."""

    def press(self, digits: str) -> None:
        with self._lock:
            for key in digits:
                self._strokes.extend(strokes(key))

    def speak(self, audio: bytes) -> None:
        with self._lock:
            for begin in range(0, len(audio), FRAME):
                self._speech.append(audio[begin : begin + FRAME].ljust(FRAME, b"\xff"))
            self._speech.append(None)

    def heard(self, packet: ear.Packet) -> None:
        if self._echo and packet.kind == ear.PCMU:
            with self._lock:
                self._echo.heard(packet)

    def frame(self, now: float) -> bytes:
        """The µ-law of this tick; sets `stroke` where a key is pressed instead."""
        with self._lock:
            self.stroke = self._strokes.popleft() if self._strokes else None
            echo = self._echo.frame(now) if self._echo else SILENCE
            speech = self._next_speech(now) if not self.stroke else SILENCE
        if self.stroke:
            self._tell(self.stroke, now)
        return speech if echo == SILENCE else _mixed(speech, echo)

    def _next_speech(self, now: float) -> bytes:
        while self._speech:
            frame = self._speech.popleft()
            if frame is not None:
                return frame
            self._announce("spoken", now)
        return SILENCE

    def _tell(self, stroke: Stroke, now: float) -> None:
        if stroke.first:
            self._pressed_at = now
        elif stroke.last and self._strokes[0] is None:
            self._announce("digit_sent", self._pressed_at, digit=stroke.key)


def _mixed(one: bytes, other: bytes) -> bytes:
    if one == SILENCE:
        return other
    table = ear.DECODED[ear.PCMU].astype(np.int32)
    return ear.ulaw(table[np.frombuffer(one, np.uint8)] + table[np.frombuffer(other, np.uint8)])
