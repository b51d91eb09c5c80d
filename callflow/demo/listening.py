"""Whether one party hears another: a tone that was sent is looked for in what each other phone heard."""

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from callflow.adapters.ear import RATE, Samples
from callflow.events import Party

HZ: Final = {Party.CALLER: 1000.0, Party.SEAT: 600.0, Party.TARGET: 1700.0}
"""Which tone is whose; none is a key's, or what two others make where they are mixed."""
SENT_DB: Final = -20.0
"""Level of the tones against a full-scale sine."""
SECONDS: Final = 2.0
FOUND_DB: Final = -30.0
ABSENT_DB: Final = -50.0
"""Between these two nothing is certain, and that is a fault."""
FLOOR_DB: Final = -100.0
"""What is told of silence."""
_LATEST: Final = 0.5
"""Seconds that a tone may be on its way, through two jitter buffers."""


@dataclass(frozen=True, slots=True)
class Toned:
    """A tone that a phone has sent, in monotonic seconds."""

    by: Party
    began: float
    ended: float
    heard_by: tuple[Party, ...]
    """Who was to hear it; no other was."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How loud a tone was in another one's recording."""

    tone: Toned
    by: Party
    """Whose phone made the recording."""
    level_db: float

    @property
    def wanted(self) -> bool:
        return self.by in self.tone.heard_by

    @property
    def good(self) -> bool:
        return self.level_db >= FOUND_DB if self.wanted else self.level_db <= ABSENT_DB

    def as_dict(self) -> dict[str, object]:
        return {
            "by": self.tone.by,
            "to": self.by,
            "hz": HZ[self.tone.by],
            "wanted": self.wanted,
            "level_db": round(self.level_db, 1),
            "good": self.good,
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a phone heard, and when its first sample was heard."""

    samples: Samples
    began: float

    @classmethod
    def read(cls, path: Path, began: float) -> "Recorded":
        """From 8 kHz 16-bit mono WAV."""
        with wave.open(str(path)) as file:
            return cls(np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16), began)

    def between(self, start: float, end: float) -> Samples:
        """What was heard from `start` to `end`; silence where nothing was recorded."""
        first, last = (round((at - self.began) * RATE) for at in (start, end))
        piece = np.zeros(max(0, last - first), np.int16)
        known = self.samples[max(0, first) : max(0, last)]
        offset = max(0, -first)
        piece[offset : offset + known.size] = known
        return piece


def heard(tone: Toned, by: Party, recording: Recorded | None) -> Heard:
    """Look for the tone where it must be in what was heard `by` another, whatever its way took."""
    if recording is None:
        return Heard(tone, by, FLOOR_DB)
    piece, hz = recording.between(tone.began + _LATEST, tone.ended), HZ[tone.by]
    return Heard(tone, by, steady_level(piece, hz) if by in tone.heard_by else level(piece, hz))


def steady_level(samples: Samples, hz: float) -> float:
    """The same, over one quarter of a second after the other.

    A jitter buffer that moves by some samples turns the tone's phase, and what came before and after would
    weigh against each other.
    """
    levels = [level(piece, hz) for piece in np.array_split(samples, max(1, samples.size // (RATE // 4)))]
    return max(FLOOR_DB, float(10 * np.log10(np.mean(10 ** (np.array(levels) / 10)))))


def level(samples: Samples, hz: float) -> float:
    """The power at `hz` in dB against a full-scale sine; `FLOOR_DB` at least."""
    if not samples.any():
        return FLOOR_DB
    # A window, or speech at other frequencies leaks in through the edges.
    window = np.hanning(samples.size)
    turning = np.exp(-2j * np.pi * hz / RATE * np.arange(samples.size))
    amplitude = 2 * abs(np.sum(samples * window * turning)) / window.sum() / 32767
    return max(FLOOR_DB, float(20 * np.log10(max(amplitude, 1e-9))))
