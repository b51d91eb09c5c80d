"""How well each leg's packets come: lost, late, twice, in order, or not at all (RFC 3550 §6.4.1, A.3, A.8).

Arrival is the time of the tick that read the packet, so jitter cannot be told finer than a tick.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE
from callflow.events import Event
from callflow.media.messages import LegQuality, NoPackets, PacketsPaused, PacketsStopped

Slots = NDArray[np.int64]

DROPOUT: Final = 2.0
"""Seconds without a packet that are told."""
_RESTART: Final = 3000
"""A sequence number that leaps farther belongs to a new stream (MAX_DROPOUT of RFC 3550 A.1)."""
_MISORDER: Final = 100
"""A packet farther behind is late or twice; two of them in a row, with numbers in a row, begin a stream anew
(MAX_MISORDER of RFC 3550 A.1): some phones count from the start again after a hold, under the same SSRC.
"""
_NEVER: Final = np.inf
_NONE: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver report says of one stream (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the report before."""
    lost: int
    highest: int
    """Highest sequence number, with its cycles above."""
    jitter: int
    """In samples."""
    last_report: int
    """The middle of the NTP time of the peer's last sender report; 0 for none."""
    delay: int
    """Since that report, in 1/65536 s."""


class Quality:
    """The accounts of all legs."""

    def __init__(self, capacity: int) -> None:
        self._received = np.zeros(capacity, np.int64)
        self._first = np.zeros(capacity, np.int64)
        self._highest = np.zeros(capacity, np.int64)
        """Sequence numbers with their cycles."""
        self._window = np.zeros(capacity, np.uint64)
        """One bit for each of the last 64 sequence numbers, the highest lowest: has it come?"""
        self._ssrc = np.zeros(capacity, np.uint32)
        self._stray = np.full(capacity, -1, np.int64)
        """The sequence number after one that was far behind; -1 for none."""
        self._stray_at = np.zeros(capacity, np.int64)
        """Packets that had come with that one."""
        self._transit = np.zeros(capacity, np.float64)
        self._jitter = np.zeros(capacity, np.float64)
        self._duplicates = np.zeros(capacity, np.int64)
        self._reordered = np.zeros(capacity, np.int64)
        self._expected_before = np.zeros(capacity, np.int64)
        """Packets that were to come in streams that are over."""
        self._told_expected = np.zeros(capacity, np.int64)
        self._told_received = np.zeros(capacity, np.int64)
        self._any = np.zeros(capacity, np.bool_)
        self._due = np.ones(capacity, np.bool_)
        """Whether the leg is to send."""
        self._silent_at = np.full(capacity, _NEVER)
        """When the lack of packets will be told of."""
        self._comfort = np.zeros(capacity, np.bool_)
        """Whether the latest packet is comfort noise."""
        self._stopped: set[int] = set()
        """The slots of which it was told that their packets have stopped."""
        self.lost: Slots = _NONE
        """The slots before whose last packet others are missing."""
        self.restarted: Slots = _NONE
        """The slots that count from elsewhere since their last packet, under the same SSRC."""
        self._look_at = -_NEVER
        """Before this nothing can have to be told: most ticks need not look."""

    def open(self, slot: int) -> None:
        for account in (self._received, self._duplicates, self._reordered, self._expected_before):
            account[slot] = 0
        self._told_expected[slot] = self._told_received[slot] = 0
        self._jitter[slot] = 0.0
        self._any[slot] = self._comfort[slot] = False
        self._due[slot], self._stray[slot] = True, -1
        self._silent_at[slot] = _NEVER
        self._stopped.discard(slot)

    def expect(self, slot: int, now: float) -> None:
        """The leg's packets should come from now on."""
        if self._due[slot] and not self._any[slot]:
            self._silent_at[slot] = now + DROPOUT

    def pause(self, slot: int) -> None:
        """The leg need not send for the moment: its latest packet is comfort noise."""
        self._comfort[slot] = True

    def is_silent(self, slot: int) -> bool:
        """Whether it was told that no packets come from the leg."""
        return slot in self._stopped

    def agree(self, slot: int, now: float, *, sends: bool) -> None:
        """SDP says whether the leg is to send: one that is on hold is not missed."""
        if sends and not self._due[slot]:
            self._silent_at[slot] = now + DROPOUT
        elif not sends:
            self._silent_at[slot] = _NEVER
        self._due[slot] = sends

    def close(self, slot: int) -> LegQuality:
        """The leg is over; its account."""
        self._silent_at[slot] = _NEVER
        expected = int(self._expected(np.array([slot]))[0])
        unique = int(self._received[slot] - self._duplicates[slot])
        return LegQuality(
            packets=int(self._received[slot]),
            lost=max(expected - unique, 0),
            jitter=round(float(self._jitter[slot]) * 1000 / RATE, 1),
            reordered=int(self._reordered[slot]),
            duplicates=int(self._duplicates[slot]),
        )

    def tick(self, now: float) -> list[tuple[int, Event]]:
        """Who has sent nothing for too long; each is told once."""
        if now < self._look_at:
            return []
        silent = (self._silent_at <= now).nonzero()[0]
        self._silent_at[silent] = _NEVER
        self._look_at = float(self._silent_at.min(initial=now + DROPOUT))
        self._stopped |= {int(slot) for slot in silent if self._any[slot]}
        return [(int(slot), self._lack(slot)) for slot in silent]

    def _lack(self, slot: np.intp) -> Event:
        if not self._any[slot]:
            return NoPackets()
        return PacketsPaused() if self._comfort[slot] else PacketsStopped()

    def resumed(self, slots: Slots) -> list[int]:
        """Which of the slots that send now had stopped, as was told."""
        if not self._stopped:
            # As nearly always.
            return []
        back = self._stopped.intersection(slots.tolist())
        self._stopped -= back
        return sorted(back)

    def note(
        self,
        slots: Slots,
        sequence: NDArray[np.uint16],
        timestamp: NDArray[np.uint32],
        ssrc: NDArray[np.uint32],
        now: float,
    ) -> NDArray[np.bool_]:
        """Enter one packet of each slot (no slot twice): which have come before."""
        self._silent_at[slots] = np.where(self._due[slots], now + DROPOUT, _NEVER)
        self._comfort[slots] = False
        highest = self._highest[slots]
        step = (sequence - highest.astype(np.uint16)).view(np.int16).astype(np.int64)
        anew = ~self._any[slots] | (ssrc != self._ssrc[slots]) | (np.abs(step) > _RESTART)
        self._note_jitter(slots, timestamp, now, anew)
        self._received[slots] += 1
        if bool((step == 1).all()) and not anew.any():
            # As nearly always: each packet is just the one that was to come.
            self._highest[slots] = highest + 1
            self._window[slots] = self._window[slots] << np.uint64(1) | np.uint64(1)
            self.lost = self.restarted = _NONE
            return np.zeros(len(slots), np.bool_)
        return self._note_disorder(slots, sequence, ssrc, step, anew)

    def _note_disorder(
        self,
        slots: Slots,
        sequence: NDArray[np.uint16],
        ssrc: NDArray[np.uint32],
        step: NDArray[np.int64],
        anew: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Packets some of which lie `step` off from the highest before, or begin a stream."""
        restarts = self._restarts(slots, sequence, (step < -_MISORDER) & ~anew)
        self.restarted, anew = slots[restarts], anew | restarts
        if anew.any():
            self._begin(slots[anew], sequence[anew], ssrc[anew])
            step[anew] = 0
        self.lost = slots[step > 1]
        behind = np.minimum(np.abs(step), 63).astype(np.uint64)
        window, one = self._window[slots], np.uint64(1)
        forward = step > 0
        bit = np.where(forward, np.uint64(0), behind)
        come: NDArray[np.bool_] = (window >> bit & one).astype(np.bool_) & ~forward & ~anew
        shifted = np.where(step > 63, np.uint64(0), window << np.where(forward, behind, np.uint64(0)))
        self._window[slots] = shifted | one << bit
        self._highest[slots] += np.maximum(step, 0)
        self._duplicates[slots] += come
        self._reordered[slots] += (step < 0) & ~come
        return come

    def _restarts(
        self, slots: Slots, sequence: NDArray[np.uint16], strays: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which of `strays`, packets far behind, are the second in a row: there the count has begun anew."""
        come = self._received[slots]
        follows: NDArray[np.bool_] = (
            strays & (sequence == self._stray[slots]) & (come == self._stray_at[slots] + 1)
        )
        self._stray[slots] = np.where(strays, (sequence.astype(np.int64) + 1) % 2**16, -1)
        self._stray_at[slots] = come
        return follows

    def block(self, slot: int, last_report: int, delay: int) -> ReportBlock | None:
        """What to report to the leg of its stream, since the last time; None where nothing has come."""
        if not self._any[slot]:
            return None
        expected = int(self._expected(np.array([slot]))[0])
        received = int(self._received[slot])
        due, came = expected - int(self._told_expected[slot]), received - int(self._told_received[slot])
        self._told_expected[slot], self._told_received[slot] = expected, received
        fraction = max(due - came, 0) * 256 // due if due > 0 else 0
        return ReportBlock(
            ssrc=int(self._ssrc[slot]),
            fraction_lost=min(fraction, 255),
            lost=min(max(expected - received, -(2**23)), 2**23 - 1),
            highest=int(self._highest[slot]) & 0xFFFFFFFF,
            jitter=int(self._jitter[slot]),
            last_report=last_report,
            delay=delay,
        )

    def _begin(self, slots: Slots, sequence: NDArray[np.uint16], ssrc: NDArray[np.uint32]) -> None:
        """A stream begins; what was to come in the one before it stays in the account."""
        old = slots[self._any[slots]]
        self._expected_before[old] += self._highest[old] - self._first[old] + 1
        self._first[slots] = self._highest[slots] = sequence
        self._window[slots] = 0
        self._ssrc[slots] = ssrc
        self._any[slots] = True

    def _expected(self, slots: Slots) -> NDArray[np.int64]:
        running = np.where(self._any[slots], self._highest[slots] - self._first[slots] + 1, 0)
        expected: NDArray[np.int64] = self._expected_before[slots] + running
        return expected

    def _note_jitter(
        self, slots: Slots, timestamp: NDArray[np.uint32], now: float, anew: NDArray[np.bool_]
    ) -> None:
        transit = now * RATE - timestamp
        # Timestamps wrap: differences do not.
        change = np.abs((transit - self._transit[slots] + 2**31) % 2**32 - 2**31)
        change[anew] = 0.0
        self._jitter[slots] += (change - self._jitter[slots]) / 16
        self._transit[slots] = transit
