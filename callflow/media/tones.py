"""Sines: a demo's proof of who hears whom."""

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE
from callflow.media.g711 import IDLE, encode_row
from callflow.media.rtp import FRAME


class Tone:
    """One tone on its way to one leg."""

    def __init__(self, hertz: float, level: float, seconds: float) -> None:
        """`level` in dBFS, as a full-scale square wave is 0."""
        self._step = 2 * np.pi * hertz / RATE
        self._amplitude = min(32768 * 2**0.5 * 10 ** (level / 20), 32767.0)
        self._position, self._end = 0, round(seconds * RATE)

    def write(self, out: NDArray[np.uint8], law: int) -> bool:
        """The next frame; whether there are more."""
        time = np.arange(self._position, self._position + FRAME)
        samples = np.rint(self._amplitude * np.sin(self._step * time)).astype(np.int16)
        out[:] = np.where(time < self._end, encode_row(samples, law), IDLE[law])
        self._position += FRAME
        return self._position < self._end
