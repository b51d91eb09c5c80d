"""What a trunk's lines are like: from where on a sound is one, and a voice faint or lost in noise."""

from dataclasses import astuple, dataclass, fields

import numpy as np


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In dBFS and dB; a full-scale square wave is 0 dBFS."""

    level: float = -56.0
    """Below this nothing is loud."""
    above_floor: float = 4.5
    """A loud frame stands at least this far above the noise floor."""
    echo_likeness: float = 0.8
    """Correlation with our own audio from which a sound is its echo."""
    faint: float = -42.0
    """A voice below this, on a line that is quieter still, is faint."""
    noisy: float = -46.0
    """Noise below this makes no line noisy."""
    clear: float = 6.0
    """A voice that stands less than this above the noise cannot be made out."""


class Limits:
    """The thresholds of each slot: an array for each of them."""

    def __init__(self, capacity: int, usual: Thresholds) -> None:
        self._usual = usual
        self.least_power = np.zeros(capacity, np.float32)
        """`level` as power."""
        self.faint_power = np.zeros(capacity, np.float32)
        """`faint` as power."""
        self.clear_of_floor = np.zeros(capacity, np.float32)
        """`above_floor` as a factor."""
        self._all = np.tile(np.array(astuple(usual), np.float32), (capacity, 1)).T.copy()
        names = [each.name for each in fields(Thresholds)]
        self.level, self.above_floor, self.echo_likeness, self.faint, self.noisy, self.clear = (
            self._all[names.index(name)] for name in names
        )

    def open(self, slot: int, own: Thresholds | None) -> None:
        """Another leg, with thresholds of its own or the usual ones."""
        self._all[:, slot] = astuple(own or self._usual)
        self.least_power[slot] = 10 ** (self.level[slot] / 10)
        self.faint_power[slot] = 10 ** (self.faint[slot] / 10)
        self.clear_of_floor[slot] = 10 ** (self.above_floor[slot] / 10)
