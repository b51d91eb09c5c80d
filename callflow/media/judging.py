"""What kind each line is of late: looked at twice a second, told where it changes.

A line is sampled every 80 ms: how loud, and how like a voice. From the samples of the last 5 s come the level
of the voice, that of what is between the words, and the state.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.events import LineJudged, LineState
from callflow.media.levels import QUIETEST, Floats
from callflow.media.thresholds import Limits

Slots = NDArray[np.int64]

EVERY: Final = 4
"""Frames from one sample of a line to the next."""
_SAMPLES: Final = 64
"""Samples that are looked back at: 5.12 s."""
_SAMPLE_SECONDS: Final = 0.08
LOOK: Final = 0.5
"""Seconds between two looks at a line."""
_STARVED: Final = 2.0
"""Seconds without a packet that are more than jitter."""
_LINGERS: Final = 2.0
"""Seconds for which a voice, or an echo, still makes the line what it is."""
_TONE_LINGERS: Final = 4.5
"""The longest gap in a ringing tone, and some."""
VOICED: Final = 0.24
"""`voicing` from which a sample is of a voice."""
_ACTIVE: Final = 15.0
"""Samples so many dB below the loudest are still what is said."""
_BETWEEN: Final = 40
"""The percentile of what is no voice that the noise is taken for: consonants are above, pauses below."""

_STATES: Final = tuple(LineState)
_NUMBER: Final = {state: number for number, state in enumerate(_STATES)}


@dataclass(frozen=True, slots=True)
class Look:
    """What the ears know of lines at a moment, one element a line."""

    slots: Slots
    speaks: NDArray[np.bool_]
    """Whether a person sounds now."""
    steady: NDArray[np.bool_]
    """Whether it holds a machine's tone."""
    hums: NDArray[np.bool_]
    """Whether that is a hum of the mains."""


class Judge:
    """The states of all legs."""

    def __init__(self, capacity: int, limits: Limits) -> None:
        self._limits = limits
        self._level = np.full((capacity, _SAMPLES), QUIETEST, np.float32)
        self._voicing = np.zeros((capacity, _SAMPLES), np.float32)
        self._kept = np.zeros((capacity, _SAMPLES), np.bool_)
        """Which samples are of the line itself, and not of our echo."""
        self._count = np.zeros(capacity, np.int64)
        self._state = np.full(capacity, _NUMBER[LineState.SILENT])
        """A line is taken for silent until something else is told of it."""
        self.packet_at = np.full(capacity, -np.inf)
        self.comfort_at = np.full(capacity, -np.inf)
        self.voice_at = np.full(capacity, -np.inf)
        self.echo_at = np.full(capacity, -np.inf)
        self.tone_at = np.full(capacity, -np.inf)

    def open(self, slot: int) -> None:
        self._kept[slot] = False
        self._count[slot] = 0
        self._state[slot] = _NUMBER[LineState.SILENT]
        for moment in (self.packet_at, self.comfort_at, self.voice_at, self.echo_at, self.tone_at):
            moment[slot] = -np.inf

    def sample(self, slots: Slots, level: Floats, voicing: Floats, kept: NDArray[np.bool_]) -> None:
        """Enter a sample of each line."""
        place = self._count[slots] % _SAMPLES
        self._level[slots, place] = level
        self._voicing[slots, place] = voicing
        self._kept[slots, place] = kept
        self._count[slots] += 1

    def look(self, look: Look, now: float) -> list[tuple[int, LineJudged]]:
        """Judge lines: those that have become another kind."""
        slots = look.slots
        fresh = slots[np.isneginf(self.packet_at[slots])]
        self.packet_at[fresh] = now
        self.tone_at[slots[look.steady & ~look.hums]] = now
        self.voice_at[slots[look.speaks]] = now
        voice, noise = self._voice_and_noise(slots)
        states = self._states(look, voice, noise, now)
        changed = np.flatnonzero(states != self._state[slots])
        self._state[slots[changed]] = states[changed]
        return [
            (int(slots[row]), self._told(int(slots[row]), int(states[row]), voice[row], noise[row], now))
            for row in changed
        ]

    def _voice_and_noise(self, slots: Slots) -> tuple[Floats, Floats]:
        """The level of what is said by a voice, and of what is between; NaN where there is none."""
        level, kept = self._level[slots], self._kept[slots]
        is_voice = kept & (self._voicing[slots] >= VOICED)
        voiced = np.where(is_voice, level, np.float32(-np.inf))
        loudest = voiced.max(1, keepdims=True)
        said = is_voice & (level >= loudest - _ACTIVE)
        power = np.where(said, 10 ** (level / 10), 0).sum(1) / np.maximum(said.sum(1), 1)
        voice = np.where(said.any(1), 10 * np.log10(power + 1e-10), np.nan)
        between = np.where(kept & ~is_voice, level, np.float32(np.inf))
        between.sort(1)
        count = np.isfinite(between).sum(1)
        noise = between[np.arange(len(slots)), count * _BETWEEN // 100]
        # Where all of it is voice, there is no telling.
        return voice.astype(np.float32), np.where(count > 0, noise, np.nan).astype(np.float32)

    def _states(self, look: Look, voice: Floats, noise: Floats, now: float) -> NDArray[np.int64]:
        slots, limits = look.slots, self._limits
        speaks = look.speaks | (now - self.voice_at[slots] < _LINGERS)
        loud_noise = noise >= limits.noisy[slots]
        lost = loud_noise & ~(voice - noise >= limits.clear[slots])
        faint = (voice < limits.faint[slots]) & ~loud_noise
        number = _NUMBER
        states = np.full(len(slots), number[LineState.SILENT])
        states[loud_noise & ~look.steady] = number[LineState.NOISY]
        states[now - self.echo_at[slots] < _LINGERS] = number[LineState.ECHO]
        states[now - self.tone_at[slots] < _TONE_LINGERS] = number[LineState.TONE]
        states[speaks] = number[LineState.SPEECH]
        states[speaks & faint] = number[LineState.FAINT]
        states[speaks & lost] = number[LineState.NOISY]
        starved = (now - self.packet_at[slots] >= _STARVED) & (self.comfort_at[slots] < self.packet_at[slots])
        states[starved] = number[LineState.NO_PACKETS]
        return states

    def _told(self, slot: int, state: int, voice: np.float32, noise: np.float32, now: float) -> LineJudged:
        kind = _STATES[state]
        if kind is LineState.NO_PACKETS:
            return LineJudged(kind, float(self.packet_at[slot]))
        of_a_person = kind in (LineState.SPEECH, LineState.FAINT)
        latest = float(self._level[slot, (self._count[slot] - 1) % _SAMPLES])
        level = float(voice) if of_a_person and np.isfinite(voice) else latest
        floor = float(noise) if np.isfinite(noise) else None
        return LineJudged(kind, now, round(level, 1), None if floor is None else round(floor, 1))
