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
_SAMPLES: Final = LINEAR.astype(np.float32) / 32768
_HEARD: Final = _WINDOW * FRAME
_SAID: Final = _SENT_FRAMES * FRAME
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
        self._echo_behind = np.zeros(capacity, np.int64)
        """Samples from where a frame was found among our own audio to where it stood in the line's."""

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
        begun = slots[onset]
        if len(begun):
            begun = begun[~self._are_echoes(begun, law[onset], now)]
        return [(slot, self._begin(slot, now)) for slot in begun.tolist()]

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

    def _are_echoes(self, slots: Slots, law: NDArray[np.int64], now: float) -> NDArray[np.bool_]:
        """Which windows are the echo of our own audio: first where each line's echo was found before.

        There it mostly is again, and that costs little; nothing found elsewhere could change the verdict.
        """
        echoes: NDArray[np.bool_] = now - self._out_at[slots] <= _SENT_FRAMES * _FRAME_SECONDS
        asked = np.flatnonzero(echoes)
        if len(asked):
            heard = _samples(self._in, slots[asked], self._frames[slots[asked]] * FRAME, law[asked], _HEARD)
            found = self._found_again(slots[asked], law[asked], heard)
            for index in np.flatnonzero(~found):
                mine = asked[index : index + 1]
                found[index] = self._is_found(slots[mine], law[mine], heard[index])
            echoes[asked] = found
        # Heard and understood: only what comes after it can be an onset.
        self._recent[slots[echoes]] = 0
        return echoes

    def _window(self, slots: Slots) -> NDArray[np.int64]:
        """Where each line's window lies in what is remembered of our own audio to it."""
        return (self._frames[slots] - self._out_count[slots] + _SENT_FRAMES - _WINDOW) * FRAME

    def _found_again(
        self, slots: Slots, law: NDArray[np.int64], heard: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Whether each line's echo stands where it stood before."""
        place = self._window(slots) - self._echo_behind[slots]
        known = (place >= 0) & (place <= _SAID - _HEARD)
        said = _samples(self._out, slots, self._out_count[slots] * FRAME + place, law, _HEARD)
        likeness = _likeness(_dots(heard, said), _dots(said, said), _dots(heard, heard))
        return known & self._explains(heard, likeness)

    def _is_found(self, slot: Slots, law: NDArray[np.int64], heard: NDArray[np.float32]) -> bool:
        """Whether one line's echo stands anywhere in our own audio; the place is remembered."""
        said = _samples(self._out, slot, self._out_count[slot] * FRAME, law, _SAID)[0]
        likeness, place = correlation(heard, said)
        if not self._explains(heard[None], np.array([likeness]))[0]:
            return False
        self._echo_behind[slot] = self._window(slot) - place
        return True

    def _explains(self, heard: NDArray[np.float32], likeness: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether what is `likeness` like our own audio is that, or little is left without it."""
        residue = 10 * np.log10(_dots(heard, heard) / _HEARD * (1 - likeness**2) + 1e-10)
        explained: NDArray[np.bool_] = likeness >= self._thresholds.echo_likeness
        return explained | (residue < self._thresholds.level)


def levels(frames: Block, law: NDArray[np.int64]) -> NDArray[np.float32]:
    """The level of each frame in dBFS (a full-scale square wave is 0)."""
    # One law in all is the common case, and half the work.
    one = len(law) > 0 and bool((law == law[0]).all())
    power = POWER[law[0]].take(frames) if one else POWER[law[:, None], frames]
    mean: NDArray[np.float32] = np.add.reduce(power, 1, np.float32) / np.float32(frames.shape[1])
    decibels: NDArray[np.float32] = 10 * np.log10(mean + 1e-10, dtype=np.float32)
    return decibels


def correlation(heard: NDArray[np.float32], said: NDArray[np.float32]) -> tuple[float, int]:
    """How alike `heard` is to the part of `said` that it is most like, and where that begins.

    0 to 1, whatever their levels.
    """
    window, places = len(heard), len(said) - len(heard) + 1
    # What wraps around lies behind the last place.
    spectrum = np.fft.rfft(said) * np.conj(np.fft.rfft(heard, len(said)))
    products = np.fft.irfft(spectrum, len(said))[:places]
    energy = np.concatenate([[0.0], np.cumsum(np.square(said, dtype=np.float64))])
    said_energy = energy[window:] - energy[:-window]
    likeness = _likeness(products, said_energy, _dots(heard[None], heard[None]), window)
    at = int(likeness.argmax())
    return float(likeness[at]), at


def _likeness(
    products: NDArray[np.floating],
    said_energy: NDArray[np.floating],
    heard_energy: NDArray[np.floating],
    window: int = _HEARD,
) -> NDArray[np.float64]:
    likeness = np.abs(products) / np.sqrt(np.maximum(said_energy * heard_energy, 1e-12))
    # Next to silence even rounding looks like anything at all.
    bounded: NDArray[np.float64] = np.where(said_energy < 1e-6 * window, 0.0, np.minimum(likeness, 1.0))
    return bounded


def _dots(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """The product of each row with its fellow."""
    products: NDArray[np.float64] = np.einsum("ij,ij->i", one, other).astype(np.float64)
    return products


def _samples(
    rings: Block, slots: Slots, first: NDArray[np.int64], law: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """`count` samples of each slot's ring from sample `first` of all time on, of full scale 1."""
    codes = rings.reshape(len(rings), -1)
    at = (first[:, None] + np.arange(count)) % codes.shape[1]
    samples: NDArray[np.float32] = _SAMPLES[law[:, None], codes[slots[:, None], at]]
    return samples
