"""Three or more who hear each other: everybody gets the sum of the others, limited so that it never clips.

Each listener keeps a short line of frames from each speaker, for no two of them tick at the same moment.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.framing import Framer
from callflow.media.g711 import LINEAR, STEP, UNITY, encode_row
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]

_LONGEST: Final = 2
"""Frames that wait for a listener beside those of the speaker's last packet: what is more is delay, and is
dropped from the front."""
_RECOVERY: Final = 1.12
"""How fast the limiter lets go: 1 dB a frame."""
_LOUDEST: Final = 32635.0
"""The loudest sample that µ-law can say."""


class Mixer:
    """All conferences. There are few: what is done here is done leg by leg."""

    def __init__(self, capacity: int) -> None:
        self.members = np.zeros(capacity, np.bool_)
        self.any = False
        self._lines: dict[int, dict[int, deque[NDArray[np.float64]]]] = {}
        """By listener, by speaker."""
        self._limit: dict[int, float] = {}
        self._kept: dict[int, frozenset[int]] = {}
        """By speaker, who of the others is not to hear it."""
        self._framer = Framer(capacity)

    def confer(self, slots: list[int]) -> None:
        """These hear each other, and nobody else, from now on."""
        for slot in slots:
            self.leave(slot)
        for slot in slots:
            self._framer.open(slot)
            self._limit[slot] = 1.0
            self._lines[slot] = {other: deque() for other in slots if other != slot}
            self.members[slot] = self.any = True

    def keep_from(self, slot: int, others: list[int]) -> None:
        """What the slot says is not for these."""
        self._kept[slot] = frozenset(others)

    def leave(self, slot: int) -> None:
        """The others go on without it."""
        self._kept.pop(slot, None)
        for other in self._lines.pop(slot, {}):
            del self._lines[other][slot]
        self.members[slot] = False
        self.any = bool(self._lines)

    def hear(
        self,
        slots: Slots,
        payload: Block,
        sizes: NDArray[np.int64],
        law: NDArray[np.int64],
        gain: NDArray[np.int64],
    ) -> None:
        """One packet of each slot, some of them members."""
        rows = np.flatnonzero(self.members[slots])
        if not len(rows):
            return
        for chosen, frames in self._framer.cut(slots[rows], payload[rows], sizes[rows]):
            for row, frame in zip(rows[chosen], frames, strict=True):
                louder = 10 ** ((int(gain[row]) - UNITY) * STEP / 20)
                samples = LINEAR[law[row]][frame] * louder
                for line in self._lines_from(int(slots[row])):
                    line.append(samples)
        for row in rows:
            most = _LONGEST + max(-(-int(sizes[row]) // FRAME), 1)
            for line in self._lines_from(int(slots[row])):
                while len(line) > most:
                    line.popleft()

    def _lines_from(self, speaker: int) -> list[deque[NDArray[np.float64]]]:
        """To those that are to hear the speaker."""
        others = self._lines[speaker].keys() - self._kept.get(speaker, frozenset())
        return [self._lines[other][speaker] for other in others]

    def speak(self, slots: Slots, law: NDArray[np.int64], deaf: NDArray[np.bool_], out: Block) -> None:
        """Write what each member hears into its row.

        One that hears a prompt of ours, or holds the call, is `deaf`: it loses what was said meanwhile.
        """
        for row in np.flatnonzero(self.members[slots]):
            slot = int(slots[row])
            waiting = [line.popleft() for line in self._lines[slot].values() if line]
            if waiting and not deaf[slot]:
                out[row] = encode_row(self._limited(slot, np.sum(waiting, axis=0)), int(law[row]))

    def _limited(self, slot: int, mixed: NDArray[np.float64]) -> NDArray[np.int16]:
        peak = max(float(np.abs(mixed).max()), 1.0)
        limit = min(self._limit[slot] * _RECOVERY, _LOUDEST / peak, 1.0)
        self._limit[slot] = limit
        samples: NDArray[np.int16] = np.rint(mixed * limit).astype(np.int16)
        return samples
