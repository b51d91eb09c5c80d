"""What a seat's phone heard, put where it was heard in time.

Pure: pieces of PCM come in with the time at which they were read, one line of samples goes out. Times are
seconds of one monotonic clock, samples are 8 kHz 16-bit mono.
"""

import wave
from pathlib import Path
from typing import Final

import numpy as np

from callflow.adapters.ear import RATE, Samples

SLACK_S: Final = 0.1
"""A piece this far from its place belongs to a stream that began anew, not to a late reader."""


class Track:
    """All that a phone heard in its calls, one after the other."""

    def __init__(self) -> None:
        self.began: float | None = None
        """When the first sample was heard; None before there is one."""
        self._pieces: list[tuple[int, Samples]] = []
        self._end = 0
        """The place behind the last sample."""

    def heard(self, pcm: bytes, now: float) -> None:
        """Take in what was read at `now`, and so was heard just before."""
        samples = np.frombuffer(pcm, np.dtype("<i2")).astype(np.int16)
        if not samples.size:
            return
        if self.began is None:
            self.began = now - samples.size / RATE
        place = round((now - self.began) * RATE) - samples.size
        if abs(place - self._end) < SLACK_S * RATE:
            place = self._end
        self._pieces.append((place, samples))
        self._end = place + samples.size

    @property
    def samples(self) -> Samples:
        """The whole line; silence where nothing was heard."""
        line = np.zeros(max((at + piece.size for at, piece in self._pieces), default=0), np.int16)
        for at, piece in self._pieces:
            line[at : at + piece.size] = piece
        return line

    def write_wav(self, path: Path) -> None:
        """Keep it as 8 kHz 16-bit mono."""
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(self.samples.astype("<i2").tobytes())


def tone(hz: float, seconds: float, level_db: float) -> Samples:
    """A pure tone; `level_db` is its power against a full-scale sine's.

    Raises ValueError where 8 kHz cannot carry it.
    """
    if not 0 < hz < RATE / 2:
        raise ValueError(f"a tone of {hz:g} Hz cannot be sent at {RATE} samples a second")
    phase = 2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE
    return np.round(32767 * 10 ** (level_db / 20) * np.sin(phase)).astype(np.int16)
