"""What each line has said and been sent of late, frame by frame."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.g711 import IDLE, LINEAR
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]
Samples = NDArray[np.float32]
"""Of full scale 1."""

HEARD: Final = 64
"""Frames of each line that are remembered: 1.28 s; a power of two."""
SAID: Final = 32
"""Frames of our own audio that are: an echo comes back within 640 ms."""
_SAMPLES: Final = LINEAR.astype(np.float32) / np.float32(32768)


class Past:
    """Two rings of frames for each slot."""

    def __init__(self, capacity: int) -> None:
        self.frames = np.zeros(capacity, np.int64)
        """Frames heard so far."""
        self.sent = np.zeros(capacity, np.int64)
        """Frames sent so far."""
        self.law = np.zeros(capacity, np.int64)
        self._in = np.zeros((capacity, HEARD, FRAME), np.uint8)
        self._out = np.zeros((capacity, SAID, FRAME), np.uint8)

    def open(self, slot: int, law: Law) -> None:
        self.frames[slot] = self.sent[slot] = 0
        self.law[slot] = law.row
        self._in[slot] = self._out[slot] = IDLE[law.row]

    def hear(self, slots: Slots, frames: Block, count: NDArray[np.int64]) -> None:
        """The next frame of each; `count` has the frames of each before it."""
        self._in[slots, count & HEARD - 1] = frames
        self.frames[slots] = count + 1

    def newest(self, slots: Slots) -> Block:
        """The last frame of each."""
        frames: Block = self._in[slots, self.frames[slots] - 1 & HEARD - 1]
        return frames

    def say(self, slots: Slots, frames: Block) -> None:
        self._out[slots, self.sent[slots] % SAID] = frames
        self.sent[slots] += 1

    def codes(self, slot: int, begin: int, end: int) -> Block:
        """The frames of one line from number `begin` to before `end`, of those that are remembered."""
        frames: Block = self._in[slot, np.arange(begin, end) % HEARD]
        return frames

    def heard(self, slots: Slots, samples: int) -> Samples:
        """The last samples of each line; they must be whole frames."""
        count = samples // FRAME
        numbers = self.frames[slots][:, None] + np.arange(-count, 0)
        codes = self._in[slots[:, None], numbers & HEARD - 1].reshape(len(slots), -1)
        law = self.law[slots]
        one = len(law) > 0 and bool((law == law[0]).all())
        heard: Samples = _SAMPLES[law[0]].take(codes, mode="clip") if one else _SAMPLES[law[:, None], codes]
        return heard

    def said(self, slots: Slots, first: NDArray[np.int64], samples: int) -> Samples:
        """Samples of what was sent to each, from sample `first` of what is remembered."""
        codes = self._out.reshape(len(self._out), -1)
        begin = self.sent[slots] * FRAME + first
        at = (begin[:, None] + np.arange(samples)) % codes.shape[1]
        said: Samples = _SAMPLES[self.law[slots][:, None], codes[slots[:, None], at]]
        return said
