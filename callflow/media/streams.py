"""Which stream is the leg's own: the SSRC of what comes from its source (RFC 3550 §5.1).

A source may begin another stream at any time, after a re-INVITE for instance. Its audio is heard at once; its
keys are the leg's only when some packets in order have shown that the stream is no stray packet.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]

PROOF: Final = 5
"""Packets of audio in order, none of the former stream between them, that make another stream the leg's."""


class Streams:
    """The SSRC of each slot's stream."""

    def __init__(self, capacity: int) -> None:
        self.ssrc = np.zeros(capacity, np.uint32)
        self._known = np.zeros(capacity, np.bool_)
        self._other = np.zeros(capacity, np.uint32)
        """The SSRC of what may be the slot's next stream."""
        self._next = np.zeros(capacity, np.uint16)
        """The sequence number that this must go on with."""
        self._run = np.zeros(capacity, np.int64)
        """Packets of this in order so far."""

    def begin(self, slot: int, ssrc: int) -> None:
        """A source was found to be the slot's, by a packet with this SSRC."""
        self.ssrc[slot], self._known[slot], self._run[slot] = ssrc, True, 0

    def forget(self, slot: int) -> None:
        """The slot has no source."""
        self._known[slot], self._run[slot] = False, 0

    def of(self, slot: int) -> int | None:
        """The SSRC of the slot's stream, where one has come."""
        return int(self.ssrc[slot]) if self._known[slot] else None

    def own(self, slots: Slots, ssrc: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of the packets belong to their slot's stream."""
        own: NDArray[np.bool_] = self._known[slots] & (self.ssrc[slots] == ssrc)
        return own

    def note(self, slots: Slots, ssrc: NDArray[np.uint32], sequence: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """One packet of audio of each slot (no slot twice) has come: which belong to their slot's stream."""
        own = self.own(slots, ssrc)
        if bool(own.all()) and not self._run[slots].any():
            return own
        self._run[slots[own]] = 0
        for row in (~own).nonzero()[0].tolist():
            own[row] = self._prove(int(slots[row]), int(ssrc[row]), int(sequence[row]))
        return own

    def _prove(self, slot: int, ssrc: int, sequence: int) -> bool:
        """A packet of another stream: whether this stream is the slot's from now on."""
        if not self._known[slot]:
            self.begin(slot, ssrc)
            return True
        goes_on = self._run[slot] and self._other[slot] == ssrc and self._next[slot] == sequence
        self._run[slot] = self._run[slot] + 1 if goes_on else 1
        self._other[slot], self._next[slot] = ssrc, (sequence + 1) % 2**16
        if self._run[slot] < PROOF:
            return False
        self.begin(slot, ssrc)
        return True
