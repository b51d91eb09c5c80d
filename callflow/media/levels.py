"""How loud frames are, and the noise floor of each line."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.g711 import LINEAR, POWER
from callflow.media.rtp import Block

Slots = NDArray[np.int64]
Floats = NDArray[np.float32]

QUIETEST: Final = -100.0
"""dBFS of a frame in which there is nothing at all."""
_HIGHEST: Final = -20.0
"""No floor is above this: who speaks without a pause from the first packet on is no noise."""
_SPAN: Final = 25
"""Frames of one of the spans whose quietest frames make the floor."""
_SPANS: Final = 8
"""So many of them, 4 s, are looked back at: longer than a sentence without a pause."""
_DC_EVERY: Final = 16
"""Frames of a line between two looks at its DC offset."""
_DC_STEP: Final = 0.5

_PAIRS: Final[Floats] = np.asarray((POWER[:, None, :] + POWER[:, :, None]).reshape(2, -1), np.float32)
"""[law, two codes as one 16-bit number] → their power: half the look-ups."""
_LINEAR: Final[Floats] = LINEAR.astype(np.float32) / np.float32(32768)


def powers(frames: Block, law: NDArray[np.int64]) -> Floats:
    """The mean power of each frame relative to full scale."""
    pairs = (
        frames.view(np.uint16) if frames.strides[-1] == 1 else np.ascontiguousarray(frames).view(np.uint16)
    )
    # One law in all is the common case, and half the work.
    one = len(law) > 0 and bool((law == law[0]).all())
    power = _PAIRS[law[0]].take(pairs) if one else _PAIRS[law[:, None], pairs]
    mean: Floats = np.add.reduce(power, 1, np.float32) / np.float32(frames.shape[1])
    return mean


def levels(frames: Block, law: NDArray[np.int64]) -> Floats:
    """The level of each frame in dBFS (a full-scale square wave is 0)."""
    return decibels(powers(frames, law))


def decibels(power: Floats) -> Floats:
    level: Floats = 10 * np.log10(power + np.float32(1e-10), dtype=np.float32)
    return level


class Offsets:
    """The DC offset of each line, as power: some adapters add one, and it is no sound."""

    def __init__(self, capacity: int) -> None:
        self._mean = np.zeros(capacity, np.float32)
        self.power = np.zeros(capacity, np.float32)

    def open(self, slot: int) -> None:
        self._mean[slot] = self.power[slot] = 0.0

    def note(self, slots: Slots, frames: Block, law: NDArray[np.int64], count: NDArray[np.int64]) -> None:
        """Look at those of `slots` whose turn it is; `count` has the frames of each before this one."""
        due = np.flatnonzero(count % _DC_EVERY == 0)
        if not len(due):
            return
        looked, mean = slots[due], _LINEAR[law[due, None], frames[due]].mean(1)
        step = np.where(count[due] == 0, np.float32(1), np.float32(_DC_STEP))
        self._mean[looked] += step * (mean - self._mean[looked])
        self.power[looked] = np.square(self._mean[looked])


class Floors:
    """Of each line the level that it does not fall below (minimum statistics), in dBFS."""

    def __init__(self, capacity: int) -> None:
        self._spans = np.full((capacity, _SPANS), np.inf, np.float32)
        self._before = np.full(capacity, np.inf, np.float32)
        """The quietest frame of the whole spans."""
        self._current = np.full(capacity, np.inf, np.float32)
        self.floor = np.full(capacity, _HIGHEST, np.float32)

    def open(self, slot: int) -> None:
        self._spans[slot] = self._before[slot] = self._current[slot] = np.inf
        self.floor[slot] = _HIGHEST

    def note(self, slots: Slots, level: Floats, count: NDArray[np.int64]) -> None:
        """Enter a frame of each."""
        current = np.minimum(self._current[slots], level)
        full = np.flatnonzero(count % _SPAN == _SPAN - 1)
        if len(full):
            whole = slots[full]
            self._spans[whole, count[full] // _SPAN % _SPANS] = current[full]
            self._before[whole] = self._spans[whole].min(1)
            current[full] = np.inf
        self._current[slots] = current
        floor = np.minimum(np.minimum(current, self._before[slots]), np.float32(_HIGHEST))
        self.floor[slots] = floor
