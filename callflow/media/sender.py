"""The stream to each leg: one SSRC, one run of sequence numbers and timestamps, whoever speaks in it.

Our own frames leave by absolute deadlines; relayed packets leave when they come. A phone must not be able
to tell them apart, so both are numbered here. Timestamps are true to time: they follow our clock, or the
clock of the phone whose audio is relayed for as long as that runs without a break.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import PTIME, RATE
from callflow.media.rtp import FRAME

Slots = NDArray[np.int64]

FRAME_SECONDS: Final = PTIME / 1000
PATIENCE: Final = 0.06
"""Seconds without a relayed packet after which a leg gets our silence instead."""
CATCH_UP: Final = 5
"""Frames that a late tick sends at once; what is later still is skipped."""
_MARGIN: Final = 0.04
"""Seconds that a relayed packet may come after the end of the one before it."""
_FAR_SAMPLES: Final = RATE
"""A relayed timestamp that leaps farther is a new beginning."""
_FAR_PACKETS: Final = 50
_DRIFT: Final = RATE // 5
"""Samples by which a phone's clock may stand beside ours when its audio comes back after a break."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """What the headers of packets are to say."""

    marker: NDArray[np.bool_]
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Passing:
    """Packets on their way to `slots`, no slot twice, as their sender numbered them."""

    slots: Slots
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    ssrc: NDArray[np.uint32]
    samples: NDArray[np.int64]
    """The audio in each; 0 for a packet of a key."""
    press: int = 0
    """The number of the press, where they are packets of a key."""


class Sender:
    """The streams to all legs."""

    def __init__(self, capacity: int) -> None:
        self.active = np.zeros(capacity, np.bool_)
        self.port = np.zeros(capacity, np.int64)
        self.destination = np.zeros(capacity, np.uint64)
        self.ssrc = np.zeros(capacity, np.uint32)
        self.packets = np.zeros(capacity, np.int64)
        self.octets = np.zeros(capacity, np.int64)
        """Sent so far, as RFC 3550 §6.4.1 counts them."""
        self._due = np.zeros(capacity, np.float64)
        self._sequence = np.zeros(capacity, np.uint16)
        """The next to be sent."""
        self._timestamp = np.zeros(capacity, np.uint32)
        """The end of what has been sent."""
        self._fresh = np.zeros(capacity, np.bool_)
        """Whether our next frame begins something: it bears the marker."""
        self._clock_at = np.zeros(capacity, np.float64)
        self._clock = np.zeros(capacity, np.uint32)
        """The timestamp of the moment `_clock_at`: where time and timestamps are tied together."""
        self._relayed = np.zeros(capacity, np.bool_)
        """Whether the last packet was a relayed one."""
        self._mapped = np.zeros(capacity, np.bool_)
        """Whether the numbers of the relayed stream are tied to ours, by these differences:"""
        self._map_ssrc = np.zeros(capacity, np.uint32)
        self._map_sequence = np.zeros(capacity, np.uint16)
        self._map_timestamp = np.zeros(capacity, np.uint32)
        self._map_known = np.zeros(capacity, np.bool_)
        self._lowest = np.zeros(capacity, np.uint16)
        """Our first sequence number since they were tied."""
        self._press = np.zeros(capacity, np.int64)
        self._press_out = np.zeros(capacity, np.uint32)
        """The number of the press that is being relayed, and its timestamp: one press keeps one."""

    def open(self, slot: int, port: int, ids: tuple[int, int, int], now: float) -> None:
        """A new stream, beginning at the random SSRC, sequence number and timestamp of `ids`."""
        self.ssrc[slot] = ids[2] & 0xFFFFFFFF
        self._sequence[slot] = ids[0] & 0x7FFF
        self._timestamp[slot] = self._clock[slot] = ids[1] & 0xFFFFFFFF
        self._due[slot] = self._clock_at[slot] = now
        self.active[slot] = self._fresh[slot] = True
        self._relayed[slot] = self._mapped[slot] = self._map_known[slot] = False
        self._press[slot] = 0
        self.packets[slot] = self.octets[slot] = 0
        self.port[slot] = port

    def close(self, slot: int) -> None:
        self.active[slot] = False

    def timestamp(self, slot: int, now: float) -> int:
        """The stream's clock at `now`."""
        return int(self._clock_of(np.array([slot]), now)[0])

    # --- our own frames ---

    def due(self, now: float) -> Slots:
        """The slots whose next frame is to leave."""
        return (self.active & (self._due <= now)).nonzero()[0]

    def own(self, slots: Slots, starting: NDArray[np.bool_]) -> Stamps:
        """Number a frame of ours for each slot; `starting` says where something new begins."""
        clock = self._clock_of(slots, self._due[slots])
        sent = self._timestamp[slots]
        leaps = _ahead(clock, sent) > 0
        timestamp = np.where(leaps, clock, sent)
        stamps = Stamps(starting | leaps | self._fresh[slots], self._sequence[slots], timestamp)
        self._sequence[slots] += np.uint16(1)
        self._timestamp[slots] = timestamp + np.uint32(FRAME)
        self._due[slots] += FRAME_SECONDS
        self._fresh[slots] = self._relayed[slots] = self._mapped[slots] = False
        self._count(slots, FRAME)
        return stamps

    def take_over(self, slots: Slots, now: float) -> None:
        """From now on we speak: what was relayed is not waited for any longer."""
        waiting = slots[self._relayed[slots]]
        self._due[waiting] = np.maximum(self._due[waiting] - PATIENCE + FRAME_SECONDS, now)
        self._fresh[waiting] = True
        self._relayed[waiting] = False
        self._mapped[slots] = False

    def skip(self, now: float) -> tuple[Slots, NDArray[np.int64]]:
        """Give up the frames of a stall: whose, and how many of each."""
        late = self.due(now)
        frames = np.floor((now - self._due[late]) / FRAME_SECONDS).astype(np.int64)
        self._due[late] += frames * FRAME_SECONDS
        return late, frames

    # --- relayed packets ---

    def relay(self, passing: Passing, now: float) -> tuple[NDArray[np.bool_], Stamps]:
        """Number packets that are relayed; those that are False come too late to have a number left."""
        slots = passing.slots
        sequence = passing.sequence + self._map_sequence[slots]
        timestamp = passing.timestamp + self._map_timestamp[slots]
        step = _ahead(sequence, self._sequence[slots])
        leap = np.abs(_ahead(timestamp, self._timestamp[slots]))
        flows = self._mapped[slots] & (self._map_ssrc[slots] == passing.ssrc)
        flows &= (leap <= _FAR_SAMPLES) & (np.abs(step) <= _FAR_PACKETS)
        marker = np.zeros(len(slots), np.bool_)
        if not flows.all():
            anew = np.flatnonzero(~flows)
            sequence[anew], timestamp[anew] = self._tie(passing, anew, timestamp[anew], now)
            marker[anew] = True
            step[anew] = 0
        keys = passing.samples == 0
        if keys.any():
            self._hold_press(passing, np.flatnonzero(keys), timestamp, marker)
        forward = step >= 0
        in_time = forward | (_ahead(sequence, self._lowest[slots]) >= 0)
        self._advance(passing, sequence, timestamp, forward, now)
        return in_time, Stamps(marker, sequence, timestamp)

    def _tie(
        self, passing: Passing, anew: NDArray[np.intp], former: NDArray[np.uint32], now: float
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        """Tie numbers together: the next sequence number, and the sender's own sense of time if it fits."""
        slots, ssrc = passing.slots[anew], passing.ssrc[anew]
        end, clock = self._timestamp[slots], self._clock_of(slots, now)
        fits = self._map_known[slots] & (self._map_ssrc[slots] == ssrc)
        fits &= (_ahead(former, end) >= 0) & (np.abs(_ahead(former, clock)) <= _DRIFT)
        timestamp = np.where(fits, former, np.where(_ahead(clock, end) > 0, clock, end))
        sequence = self._sequence[slots]
        self._map_sequence[slots] = sequence - passing.sequence[anew]
        self._map_timestamp[slots] = timestamp - passing.timestamp[anew]
        self._map_ssrc[slots], self._lowest[slots] = ssrc, sequence
        self._mapped[slots] = self._map_known[slots] = True
        return sequence, timestamp

    def _hold_press(
        self,
        passing: Passing,
        keys: NDArray[np.intp],
        timestamp: NDArray[np.uint32],
        marker: NDArray[np.bool_],
    ) -> None:
        """Give every packet of a press the timestamp of its first (RFC 4733 §2.5.1.2), and no other press."""
        slots = passing.slots[keys]
        goes_on, before = self._press[slots] == passing.press, self._press_out[slots]
        is_later = (self._press[slots] == 0) | (_ahead(timestamp[keys], before) > 0)
        later = np.where(is_later, timestamp[keys], before + np.uint32(FRAME))
        timestamp[keys] = np.where(goes_on, before, later)
        marker[keys] = ~goes_on
        self._press[slots], self._press_out[slots] = passing.press, timestamp[keys]

    def _advance(
        self,
        passing: Passing,
        sequence: NDArray[np.uint16],
        timestamp: NDArray[np.uint32],
        forward: NDArray[np.bool_],
        now: float,
    ) -> None:
        slots, samples = passing.slots, passing.samples
        self._count(slots, np.where(samples, samples, 4))
        if not forward.all():
            slots, samples = slots[forward], samples[forward]
            sequence, timestamp = sequence[forward], timestamp[forward]
        end = timestamp + samples.astype(np.uint32)
        self._sequence[slots] = sequence + np.uint16(1)
        self._timestamp[slots] = np.where(
            _ahead(end, self._timestamp[slots]) > 0, end, self._timestamp[slots]
        )
        self._due[slots] = now + np.maximum(PATIENCE, samples / RATE + _MARGIN)
        self._relayed[slots] = self._fresh[slots] = True

    def relays(self, slot: int, press: int) -> bool:
        """Whether the press of this number is being relayed to the slot."""
        return bool(self._press[slot] == press)

    def cut(self, slots: Slots) -> None:
        """A packet was kept back: what follows is numbered anew, so that it does not look lost."""
        self._mapped[slots] = False

    def _clock_of(self, slots: Slots, at: float | NDArray[np.float64]) -> NDArray[np.uint32]:
        samples = np.rint((at - self._clock_at[slots]) * RATE).astype(np.int64)
        clock: NDArray[np.uint32] = self._clock[slots] + samples.astype(np.uint32)
        return clock

    def _count(self, slots: Slots, octets: int | NDArray[np.int64]) -> None:
        self.packets[slots] += 1
        self.octets[slots] += octets


def _ahead(one: NDArray[np.unsignedinteger], other: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """How far `one` lies ahead of `other`, across the wrap; negative where it lies behind."""
    signed = np.int16 if one.dtype == np.uint16 else np.int32
    ahead: NDArray[np.int64] = (one - other).view(signed).astype(np.int64)
    return ahead
