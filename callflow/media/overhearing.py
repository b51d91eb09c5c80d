"""What is handed to the second pair of ears: the audio of the few lines that are listened to closely.

Pieces lag a little behind the line, so that frames that turn out to be our echo, or a machine's tone, can be
left out.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.g711 import IDLE
from callflow.media.messages import Overheard
from callflow.media.past import HEARD, Past

Slots = NDArray[np.int64]

PIECE: Final = 40
"""Frames that are handed out at once: 0.8 s."""
LAG: Final = 20
"""Frames that wait for the verdict whether they are an echo, or a tone."""
_NEVER: Final = -1000
_BEFORE: Final = 16
"""Frames before such a verdict that are the echo: the window, and its onset."""
_AFTER: Final = 15
"""Frames after it that may be its end: words die away in rooms, and in detectors."""
_LATELY: Final = 50
"""Frames since the last that was left out: a second."""
_MARKS: Final = 128
"""Frames of which it is known whether they are left out."""
assert PIECE + LAG < HEARD
assert HEARD + _AFTER < _MARKS


class Overhearing:
    """The lines that are listened to closely."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._next: dict[int, int] = {}
        """By slot, the number of the next frame to be handed out."""
        self.on = np.zeros(len(past.frames), np.bool_)
        """The slots that are listened to."""
        self._alive: set[int] = set()
        """Where something since might have been a person."""
        self._aloud: set[int] = set()
        """Where that was no fainter than people speak."""
        self._left_out = np.full((len(past.frames), _MARKS), _NEVER, np.int64)
        """The numbers of the frames that are no person, each in its place of the ring."""

    def open(self, slot: int) -> None:
        self._next[slot] = int(self._past.frames[slot])
        self.on[slot] = True
        self._forget(slot)
        self._left_out[slot] = _NEVER

    def close(self, slot: int) -> None:
        self._next.pop(slot, None)
        self.on[slot] = False
        self._forget(slot)

    def _forget(self, slot: int) -> None:
        self._alive.discard(slot)
        self._aloud.discard(slot)

    def listens(self, slot: int) -> bool:
        return slot in self._next

    def may_live(self, slots: Slots, aloud: NDArray[np.bool_]) -> None:
        """Something in these lines might be a person; where `aloud`, it is no fainter than people are."""
        if self._next:
            self._alive.update(self._next.keys() & slots.tolist())
            self._aloud.update(self._next.keys() & slots[aloud].tolist())

    def no_person(self, slots: Slots, before: int = _BEFORE, after: int = _AFTER) -> None:
        """The last frames of these lines are our echo, or a machine's tone."""
        if not self._next:
            return
        for slot in self._next.keys() & slots.tolist():
            frames = np.arange(-before, after) + self._past.frames[slot]
            self._left_out[slot, frames % _MARKS] = frames

    def due(self) -> Iterator[tuple[int, Overheard]]:
        """The pieces that are whole."""
        for slot, begin in list(self._next.items()):
            if self._past.frames[slot] - LAG - begin >= PIECE:
                yield slot, self._cut(slot, int(self._past.frames[slot]) - LAG, asked=False)

    def rest(self, slot: int) -> Overheard:
        """All that has not been handed out: the opinion is wanted now.

        Where the line gives back our words or sounds a tone, what just came may be more of it.
        """
        end = int(self._past.frames[slot])
        lately = end - int(self._left_out[slot].max()) < _LATELY
        return self._cut(slot, max(end - LAG, self._next[slot]) if lately else end, asked=True)

    def _cut(self, slot: int, end: int, *, asked: bool) -> Overheard:
        begin = max(self._next[slot], int(self._past.frames[slot]) - HEARD)
        numbers = np.arange(begin, end)
        law = int(self._past.law[slot])
        frames = self._past.codes(slot, begin, end)
        frames[self._left_out[slot, numbers % _MARKS] == numbers] = IDLE[law]
        self._next[slot] = max(end, begin)
        return Overheard(law, frames.tobytes(), slot in self._alive, slot in self._aloud, asked)
