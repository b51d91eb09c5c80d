"""How loud frames are, and the noise floor of each line; as power of full scale where speed matters."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.g711 import LINEAR, POWER
from callflow.media.rtp import Block

Slots = NDArray[np.int64]
Floats = NDArray[np.float32]

QUIETEST: Final = -100.0
"""dBFS of a frame in which there is nothing at all."""
_HIGHEST: Final = 0.01
"""No floor is above this, -20 dBFS: who speaks without a pause from the first packet on is no noise."""
_SPAN: Final = 32
"""Frames of one of the spans whose quietest frames make the floor."""
_SPANS: Final = 7
"""So many of them, 4.5 s, are looked back at: longer than a sentence without a pause."""
_DC_EVERY: Final = 16
"""Frames of a line between two looks at its DC offset."""
_DC_STEP: Final = 0.5

_PAIRS: Final[Floats] = np.asarray((POWER[:, None, :] + POWER[:, :, None]).reshape(2, -1), np.float32)
"""[law, two codes as one 16-bit number] → their power: half the look-ups."""
_LINEAR: Final[Floats] = LINEAR.astype(np.float32) / np.float32(32768)


def powers(frames: Block, law: NDArray[np.int64]) -> Floats:
    """The mean power of each frame relative to full scale."""
    whole = frames if frames.strides[-1] == 1 else np.ascontiguousarray(frames)
    pairs = whole.view(np.uint16)
    # One law in all is the common case, and half the work. Every pair is in the table: no look-up can miss.
    one = len(law) > 0 and bool((law == law[0]).all())
    power = _PAIRS[law[0]].take(pairs, mode="wrap") if one else _PAIRS[law[:, None], pairs]
    mean: Floats = power @ np.full(pairs.shape[1], 1 / frames.shape[1], np.float32)
    return mean


def steady_less(frames: Block, law: NDArray[np.int64]) -> Floats:
    """The mean power of each frame without its DC offset, relative to full scale."""
    power: Floats = _LINEAR[law[:, None], frames].var(1)
    return power


def levels(frames: Block, law: NDArray[np.int64]) -> Floats:
    """The level of each frame in dBFS (a full-scale square wave is 0)."""
    return decibels(powers(frames, law))


def decibels(power: Floats) -> Floats:
    level: Floats = 10 * np.log10(np.maximum(power, 0) + np.float32(1e-10), dtype=np.float32)
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
        due = ((count & _DC_EVERY - 1 == _DC_EVERY - 1) | (count == 0)).nonzero()[0]
        if not len(due):
            return
        looked, mean = slots[due], _LINEAR[law[due, None], frames[due]].mean(1)
        step = np.where(count[due] == 0, np.float32(1), np.float32(_DC_STEP))
        self._mean[looked] += step * (mean - self._mean[looked])
        self.power[looked] = np.square(self._mean[looked])


class Floors:
    """Of each line the power that it does not fall below (minimum statistics)."""

    def __init__(self, capacity: int) -> None:
        self._spans = np.full((capacity, _SPANS), np.inf, np.float32)
        self._least = np.full((capacity, 2), np.inf, np.float32)
        """The quietest frame of the span that is not over, and of all."""

    def open(self, slot: int) -> None:
        self._spans[slot] = np.inf
        self._least[slot] = np.inf, _HIGHEST

    def note(self, slots: Slots, power: Floats, count: NDArray[np.int64]) -> Floats:
        """Enter a frame of each; the floors."""
        least = np.minimum(self._least[slots], power[:, None])
        full = (count & _SPAN - 1 == _SPAN - 1).nonzero()[0]
        if len(full):
            whole = slots[full]
            self._spans[whole, count[full] // _SPAN % _SPANS] = least[full, 0]
            least[full, 0] = np.inf
            least[full, 1] = np.minimum(self._spans[whole].min(1), np.float32(_HIGHEST))
        self._least[slots] = least
        floors: Floats = least[:, 1]
        return floors

    def power(self, slots: Slots) -> Floats:
        floors: Floats = self._least[slots, 1]
        return floors

    def level(self, slots: Slots) -> Floats:
        """In dBFS."""
        return decibels(self.power(slots))
