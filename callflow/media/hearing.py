"""Whether a line makes a sound: the level of every frame, with the echo of our own words left out.

A leg sounds from when 4 of its last 8 frames were loud until nothing has been loud for 0.4 s. Loud is
what stands clear of the line's own noise floor. What arrives while a prompt plays, or shortly after, and
is the prompt come back, is no sound of the caller's. A line that sends no packets at all is silent.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.events import Heard, LineHeard
from callflow.media.framing import Framer
from callflow.media.g711 import IDLE, LINEAR, POWER
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]

_WINDOW: Final = 8
"""Frames in which an onset is looked for."""
_ONSET: Final = 4
"""Loud frames of the window that make an onset: 80 ms, so that the shortest 喂 is heard."""
_HANGOVER: Final = 0.4
"""Seconds without a loud frame that make a silence: longer than the gaps inside a sentence."""
_WARM_UP: Final = 15
"""Frames from which a new leg's noise floor is learned before anything counts as loud."""
_RISE: Final = 0.06
"""Decibels by which the noise floor rises with each frame: 3 dB a second."""
_HIGHEST_FLOOR: Final = -30.0
_SENT_FRAMES: Final = 32
"""Frames of our own audio that are remembered: an echo comes back within 640 ms."""
_FRAME_SECONDS: Final = 0.02
_HAIR: Final = 1e-6
"""Seconds by which two ways to reckon the same time may differ."""
_POPULATION: Final = np.array([bin(value).count("1") for value in range(256)], np.uint8)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as a sound on a trunk, in dBFS and dB."""

    level: float = -48.0
    """Below this nothing is loud."""
    above_floor: float = 9.0
    """A loud frame stands at least this far above the noise floor."""
    echo_likeness: float = 0.8
    """Correlation with our own audio from which a sound is its echo."""


class Hearing:
    """The ears of all legs."""

    def __init__(self, capacity: int, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._recent = np.zeros(capacity, np.uint8)
        """One bit a frame, the newest lowest: was it loud?"""
        self._floor = np.zeros(capacity, np.float32)
        self._frames = np.zeros(capacity, np.int64)
        self._sounding = np.zeros(capacity, np.bool_)
        self._loud_at = np.zeros(capacity, np.float64)
        self._look_at = -np.inf
        """Before this nobody can have fallen silent: most ticks need not look."""
        self._framer = Framer(capacity)
        self._in = np.zeros((capacity, _WINDOW, FRAME), np.uint8)
        self._out = np.zeros((capacity, _SENT_FRAMES, FRAME), np.uint8)
        self._out_count = np.zeros(capacity, np.int64)
        self._out_at = np.full(capacity, -np.inf)
        """When a prompt's frame was last sent."""

    def open(self, slot: int, law: Law) -> None:
        """Another leg: nothing of the one before it is remembered."""
        self._framer.open(slot)
        self._recent[slot] = self._frames[slot] = self._out_count[slot] = 0
        self._floor[slot] = 0.0
        self._sounding[slot] = False
        self._in[slot] = self._out[slot] = IDLE[law.row]
        self._out_at[slot] = -np.inf

    def close(self, slot: int) -> None:
        """The leg is over: it falls silent without a word."""
        self._sounding[slot] = False

    def sent(self, slots: Slots, frames: Block, speaking: NDArray[np.bool_], now: float) -> None:
        """Remember what was sent to each slot; `speaking` says where it was a prompt and not silence."""
        self._out[slots, self._out_count[slots] % _SENT_FRAMES] = frames
        self._out_count[slots] += 1
        self._out_at[slots[speaking]] = now

    def received(
        self, slots: Slots, payload: Block, sizes: NDArray[np.int64], law: NDArray[np.int64], now: float
    ) -> list[tuple[int, LineHeard]]:
        """Hear one packet of each slot (no slot twice): the slots that begin to sound."""
        return [
            event
            for rows, frames in self._framer.cut(slots, payload, sizes)
            for event in self._hear(slots[rows], frames, law[rows], now)
        ]

    def _hear(
        self, slots: Slots, frames: Block, law: NDArray[np.int64], now: float
    ) -> list[tuple[int, LineHeard]]:
        level = levels(frames, law)
        self._in[slots, self._frames[slots] % _WINDOW] = frames
        loud = self._is_loud(slots, level)
        self._frames[slots] += 1
        self._recent[slots] = self._recent[slots] << 1 | loud
        self._loud_at[slots[loud]] = now
        onset = ~self._sounding[slots] & loud & (_POPULATION[self._recent[slots]] >= _ONSET)
        return [
            (int(slot), self._begin(int(slot), now))
            for slot, law_index in zip(slots[onset], law[onset], strict=True)
            if not self._is_echo(int(slot), int(law_index), now)
        ]

    def tick(self, now: float) -> list[tuple[int, LineHeard]]:
        """The slots that have fallen silent."""
        if now < self._look_at:
            return []
        quiet = (self._sounding & (self._loud_at <= now - _HANGOVER)).nonzero()[0]
        self._sounding[quiet] = False
        self._recent[quiet] = 0
        first = float(self._loud_at[self._sounding].min(initial=now))
        self._look_at = first + _HANGOVER - _HAIR
        return [(int(slot), LineHeard(Heard.SILENCE, float(self._loud_at[slot]))) for slot in quiet]

    def _is_loud(self, slots: Slots, level: NDArray[np.float32]) -> NDArray[np.bool_]:
        floor, frames = self._floor[slots], self._frames[slots]
        rising = np.where(frames == 0, level, floor + _RISE)
        floor = np.minimum(np.minimum(level, rising), _HIGHEST_FLOOR)
        self._floor[slots] = floor
        needed = np.maximum(self._thresholds.level, floor + self._thresholds.above_floor)
        loud: NDArray[np.bool_] = (level > needed) & (frames >= _WARM_UP)
        return loud

    def _begin(self, slot: int, now: float) -> LineHeard:
        self._sounding[slot] = True
        first = int(self._recent[slot]).bit_length()
        return LineHeard(Heard.SOUND, now - first * _FRAME_SECONDS)

    def _is_echo(self, slot: int, law: int, now: float) -> bool:
        if now - self._out_at[slot] > _SENT_FRAMES * _FRAME_SECONDS:
            return False
        heard = _unrolled(self._in[slot], int(self._frames[slot]), law)
        said = _unrolled(self._out[slot], int(self._out_count[slot]), law)
        likeness = correlation(heard, said)
        residue = _decibels(float(np.mean(np.square(heard))) * (1 - likeness**2))
        thresholds = self._thresholds
        is_echo = likeness >= thresholds.echo_likeness or residue < thresholds.level
        if is_echo:
            # Heard and understood: only what comes after it can be an onset.
            self._recent[slot] = 0
        return is_echo


def levels(frames: Block, law: NDArray[np.int64]) -> NDArray[np.float32]:
    """The level of each frame in dBFS (a full-scale square wave is 0)."""
    # One law in all is the common case, and half the work.
    one = len(law) > 0 and bool((law == law[0]).all())
    power = POWER[law[0]].take(frames) if one else POWER[law[:, None], frames]
    mean: NDArray[np.float32] = np.add.reduce(power, 1, np.float32) / np.float32(frames.shape[1])
    decibels: NDArray[np.float32] = 10 * np.log10(mean + 1e-10, dtype=np.float32)
    return decibels


def correlation(heard: NDArray[np.float32], said: NDArray[np.float32]) -> float:
    """How alike `heard` is to the part of `said` that it is most like: 0 to 1, whatever their levels."""
    window, span = len(heard), len(said)
    size = 1 << (span + window - 1).bit_length()
    spectrum = np.fft.rfft(said, size) * np.conj(np.fft.rfft(heard, size))
    products = np.abs(np.fft.irfft(spectrum, size)[: span - window + 1])
    energy = np.concatenate([[0.0], np.cumsum(np.square(said, dtype=np.float64))])
    said_energy = energy[window:] - energy[:-window]
    heard_energy = float(np.sum(np.square(heard, dtype=np.float64)))
    likeness = products / np.sqrt(np.maximum(said_energy * heard_energy, 1e-12))
    # Next to silence even rounding looks like anything at all.
    likeness[said_energy < 1e-6 * window] = 0.0
    return float(min(likeness.max(initial=0.0), 1.0))


def _unrolled(ring: Block, count: int, law: int) -> NDArray[np.float32]:
    """A ring of frames in the order of time, as samples of full scale 1."""
    codes = np.roll(ring, -(count % len(ring)), axis=0).reshape(-1)
    samples: NDArray[np.float32] = LINEAR[law][codes].astype(np.float32) / 32768
    return samples


def _decibels(power: float) -> float:
    return float(10 * np.log10(power + 1e-10))
