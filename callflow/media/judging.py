"""What kind each line is of late: looked at once a second, told where it changes.

A line is sampled every 80 ms: how loud, and how like a voice. From the samples of the last 5 s come the level
of the voice, that of what is between the words, and the state.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.events import LineJudged, LineState
from callflow.media.levels import QUIETEST, Floats, decibels
from callflow.media.thresholds import Limits

Slots = NDArray[np.int64]

_SAMPLES: Final = 64
"""Samples that are looked back at: 5.12 s."""
SAMPLE_SECONDS: Final = 0.08
"""From one sample of a line to the next."""
LOOK: Final = 1.0
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

_AS_LOUD: Final = 3.0
"""What is no voice and comes within so many dB of it drowns it."""
_DIPS: Final = 3
"""Samples that may be quieter than a noise without a pause: a siren is no voice, however periodic it is."""
_BURSTS: Final = 3
"""Samples so loud that make a line noisy: a consonant or two are not enough."""
_VOICES: Final = 2
"""Samples of a voice from which a loud hum is taken for noise that somebody speaks in."""

_FAINT_VOICES: Final = 4
"""Samples of a voice from which it is known to be faint: the end of a word is, too."""

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


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the last samples of lines come to, one element a line; NaN where there are none of the kind."""

    voice: Floats
    """The level of what a voice says, in dBFS."""
    noise: Floats
    """What the line does not fall below between its words."""
    all_noise: Floats
    """The mean of all that is no voice, bursts too."""
    least: Floats
    """What all samples but `_DIPS` exceed, voice or not."""
    voices: NDArray[np.int64]
    """Samples of a voice."""
    bursts: NDArray[np.int64]
    """Samples that are none, and about as loud."""

    @classmethod
    def nothing(cls, count: int) -> "_Measured":
        voice, noise, all_noise, least = np.full((4, count), np.nan, np.float32)
        return cls(voice, noise, all_noise, least, np.zeros(count, np.int64), np.zeros(count, np.int64))


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
        self._level[slot] = QUIETEST
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
        measured = self._measure_lively(slots)
        states = self._states(look, measured, now)
        changed = np.flatnonzero(states != self._state[slots])
        self._state[slots[changed]] = states[changed]
        return [
            (slot, self._told(slot, int(states[row]), measured.voice[row], measured.noise[row], now))
            for row, slot in zip(changed, slots[changed].tolist(), strict=True)
        ]

    def _measure_lively(self, slots: Slots) -> "_Measured":
        """The same as `_measure`, but for lines on which nothing was loud lately: nothing is to be told."""
        lively = (self._level[slots].max(1) > self._limits.level[slots]).nonzero()[0]
        if len(lively) == len(slots):
            return self._measure(slots)
        whole = _Measured.nothing(len(slots))
        if len(lively):
            some = self._measure(slots[lively])
            for each in fields(_Measured):
                getattr(whole, each.name)[lively] = getattr(some, each.name)
        return whole

    def _measure(self, slots: Slots) -> "_Measured":
        """What the samples of lines come to."""
        level, kept = self._level[slots], self._kept[slots]
        is_voice = kept & (self._voicing[slots] >= VOICED)
        between = kept & ~is_voice
        loudest = np.where(is_voice, level, np.float32(-np.inf)).max(1, keepdims=True)
        voice = _mean_level(level, is_voice & (level >= loudest - _ACTIVE))
        quiet_first = np.sort(np.where(between, level, np.float32(np.inf)), axis=1)
        # Where all of it is voice, the place is one of infinite noise, and there is no telling.
        noise = quiet_first[np.arange(len(slots)), between.sum(1) * _BETWEEN // 100]
        return _Measured(
            voice,
            np.where(np.isfinite(noise), noise, np.nan).astype(np.float32),
            _mean_level(level, between),
            np.partition(level, _DIPS, axis=1)[:, _DIPS],
            is_voice.sum(1),
            (between & (level > voice[:, None] - _AS_LOUD)).sum(1),
        )

    def _states(self, look: Look, measured: "_Measured", now: float) -> NDArray[np.int64]:
        slots, limits, number = look.slots, self._limits, _NUMBER
        clear, noisy = limits.clear[slots], limits.noisy[slots]
        speaks = look.speaks | (now - self.voice_at[slots] < _LINGERS)
        loud_noise, no_pause = measured.noise >= noisy, measured.least >= noisy
        lost = loud_noise & ~(measured.voice - measured.noise >= clear)
        bursts = (measured.bursts >= _BURSTS) & (measured.all_noise >= noisy)
        lost |= bursts & (measured.voice - measured.all_noise < clear)
        lost |= no_pause & ~(measured.voice - measured.least >= clear)
        states = np.full(len(slots), number[LineState.SILENT])
        states[no_pause & ~look.steady] = number[LineState.NOISY]
        states[loud_noise & (~look.steady | (measured.voices >= _VOICES))] = number[LineState.NOISY]
        states[now - self.echo_at[slots] < _LINGERS] = number[LineState.ECHO]
        states[now - self.tone_at[slots] < _TONE_LINGERS] = number[LineState.TONE]
        states[speaks] = number[LineState.SPEECH]
        faint = (measured.voice < limits.faint[slots]) & (measured.voices >= _FAINT_VOICES)
        states[speaks & ~loud_noise & faint] = number[LineState.FAINT]
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


def _mean_level(level: Floats, of: NDArray[np.bool_]) -> Floats:
    """The level of the mean power of each row's samples; NaN where there are none."""
    power = np.where(of, 10 ** (level / 10), 0).sum(1) / np.maximum(of.sum(1), 1)
    mean: Floats = np.where(of.any(1), decibels(power.astype(np.float32)), np.nan).astype(np.float32)
    return mean
