"""The media plane: the audio of all legs, as arrays, moved on by one tick.

Packets come in by the port, as many as there are; each tick sends a packet for every leg whose time has
come. A leg always sends, silence where it has nothing to say, so that no watchdog on the way takes it
for dead. Every packet leaves by an absolute deadline: lateness of one tick is not handed to the next.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import PTIME, RATE
from callflow.events import DigitPressed, Event, PromptFinished, PromptStarted, PromptStopped
from callflow.media import rtp
from callflow.media.dtmf import KeyReader
from callflow.media.hearing import Hearing, Thresholds
from callflow.media.latching import Latches, Sources, source_key
from callflow.media.messages import (
    CloseLeg,
    Command,
    Latched,
    LegCommand,
    LoadPrompt,
    MoveLeg,
    OpenLeg,
    Play,
    Report,
    StopPlaying,
)
from callflow.media.player import Player

_FRAME_SECONDS: Final = PTIME / 1000
_CATCH_UP: Final = 5
"""Frames that a late tick sends at once; what is later still is skipped."""
_NO_EVENTS: Final = 255


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets that leave by one port."""

    port: int
    packets: rtp.Block
    destinations: Sources


class Plane:
    """All legs, their players and their ears."""

    def __init__(
        self,
        new_id: Callable[[], int],
        *,
        capacity: int = 1024,
        thresholds: Thresholds = Thresholds(),  # noqa: B008  # frozen
    ) -> None:
        """`new_id` gives 32 random bits: SSRCs and where sequence numbers begin (RFC 3550 §5.1)."""
        self.counts: Counter[str] = Counter()
        """Packets by what became of them, and late frames."""
        self._new_id = new_id
        self._player = Player(capacity)
        self._hearing = Hearing(capacity, thresholds)
        self._latches = Latches()
        self._slots: dict[int, int] = {}
        self._legs: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))
        self._keys: dict[int, KeyReader] = {}
        self._reports: list[Report] = []
        self._finishing: dict[int, str] = {}
        """Prompts whose last frame has left, and sounds until their end."""
        self._ends = np.zeros(capacity, np.float64)
        """When the prompt that plays will have been heard to its end."""
        self._active = np.zeros(capacity, np.bool_)
        self._due = np.zeros(capacity, np.float64)
        self._port = np.zeros(capacity, np.int64)
        self._destination = np.zeros(capacity, np.uint64)
        self._law = np.zeros(capacity, np.int64)
        self._payload_type = np.zeros(capacity, np.uint8)
        self._event_type = np.full(capacity, _NO_EVENTS, np.uint8)
        self._sequence = np.zeros(capacity, np.uint16)
        self._timestamp = np.zeros(capacity, np.uint32)
        self._ssrc = np.zeros(capacity, np.uint32)
        self._fresh = np.zeros(capacity, np.bool_)
        """Whether nothing has been sent yet: the first packet bears the marker."""

    @property
    def legs(self) -> int:
        return len(self._slots)

    def take_reports(self) -> list[Report]:
        """What has happened since the last time."""
        reports, self._reports = self._reports, []
        return reports

    # --- what it is told ---

    def obey(self, command: Command, now: float) -> None:
        """Carry out a command. One for a leg that is gone is forgotten: it crossed the leg's end."""
        match command:
            case LoadPrompt(prompt=prompt, ulaw=ulaw, alaw=alaw):
                self._player.load(prompt, ulaw, alaw)
            case OpenLeg(leg=leg) if leg not in self._slots and self._free:
                self._open(command, now)
            case MoveLeg(leg=leg) if leg in self._slots:
                slot = self._slots[leg]
                source = self._latches.move(slot, int(self._port[slot]), command.remote, command.expects, now)
                self._agree(slot, command)
                self._destination[slot] = source or _key_or_none(command.remote)
            case CloseLeg(leg=leg) if leg in self._slots:
                self._close(leg, now)
            case Play(leg=leg, prompt=prompt) if leg in self._slots and prompt in self._player:
                self._stop(leg, now)
                self._player.play(self._slots[leg], prompt)
            case StopPlaying(leg=leg) if leg in self._slots:
                self._stop(leg, now)
            case LegCommand(leg=leg) if leg not in self._slots and not isinstance(command, OpenLeg):
                self.counts["late_command"] += 1
            case _:
                # A fault of ours; whoever is on the line must not be the one who pays for it.
                self.counts["impossible_command"] += 1

    def _open(self, leg: OpenLeg, now: float) -> None:
        slot = self._free.pop()
        self._slots[leg.leg], self._legs[slot] = slot, leg.leg
        self._hearing.open(slot, leg.law)
        self._keys[slot] = KeyReader()
        self._due[slot] = now
        self._sequence[slot] = self._new_id() & 0x7FFF
        self._timestamp[slot] = self._new_id() & 0xFFFFFFFF
        self._ssrc[slot] = self._new_id() & 0xFFFFFFFF
        self._active[slot] = self._fresh[slot] = True
        self._port[slot] = leg.port
        self._agree(slot, leg)
        self._destination[slot] = _key_or_none(leg.remote)
        self._latches.expect(slot, leg.port, leg.remote, leg.expects, now)

    def _agree(self, slot: int, leg: OpenLeg | MoveLeg) -> None:
        self._law[slot] = leg.law.row
        self._payload_type[slot] = leg.law.payload_type
        self._event_type[slot] = _NO_EVENTS if leg.event_type is None else leg.event_type

    def _close(self, leg: int, now: float) -> None:
        self._stop(leg, now)
        slot = self._slots.pop(leg)
        del self._legs[slot], self._keys[slot]
        self._active[slot] = False
        self._hearing.close(slot)
        self._latches.release(slot, now)
        self._free.append(slot)

    def _stop(self, leg: int, now: float) -> None:
        slot = self._slots[leg]
        stopped = self._player.stop(slot)
        finishing = self._finishing.pop(slot, None)
        if finishing:
            # Its last frame has left: it was heard to its end.
            self._report(slot, min(now, float(self._ends[slot])), PromptFinished(finishing))
        elif stopped:
            self._report(slot, now, PromptStopped(stopped))

    # --- packets in ---

    def receive(
        self, port: int, block: rtp.Block, lengths: NDArray[np.int64], sources: Sources, now: float
    ) -> None:
        """Packets have come to `port`: `lengths` bytes in the rows of `block`, from `sources`."""
        self.counts["received"] += len(block)
        headers = rtp.read(block, lengths)
        slots = self._latches.slots(port, sources, headers.good, now, self._latched(now))
        mine = slots >= 0
        self.counts["dropped_unknown_source"] += int(np.count_nonzero(~mine))
        self.counts["dropped_not_rtp"] += int(np.count_nonzero(mine & ~headers.good))
        mine &= headers.good
        audio = mine & (headers.payload_type == self._payload_type[slots])
        keys = mine & ~audio & (headers.payload_type == self._event_type[slots])
        other = int(np.count_nonzero(mine & ~audio & ~keys))
        self.counts["dropped_payload_type"] += other
        payloads = rtp.payloads(block, headers)
        for row in np.flatnonzero(keys):
            self._press(int(slots[row]), payloads[row], headers, row, now)
        self._hear(slots, payloads, headers.size, np.flatnonzero(audio), now)

    def _latched(self, now: float) -> Callable[[int, int], None]:
        def latched(slot: int, source: int) -> None:
            self._destination[slot] = source
            self._report(slot, now, Latched())

        return latched

    def _press(
        self, slot: int, payload: NDArray[np.uint8], headers: rtp.Headers, row: np.intp, now: float
    ) -> None:
        size, timestamp = int(headers.size[row]), int(headers.timestamp[row])
        digit = self._keys[slot].receive(payload[:size].tobytes(), timestamp, now)
        if digit is not None:
            self._report(slot, now, DigitPressed(digit))

    def _hear(
        self,
        slots: NDArray[np.int64],
        payloads: rtp.Block,
        sizes: NDArray[np.int64],
        rows: NDArray[np.intp],
        now: float,
    ) -> None:
        # A slot may have several packets in the block; the ears take one of each at a time, in order.
        while len(rows):
            _, first = np.unique(slots[rows], return_index=True)
            chosen = rows[first]
            own = slots[chosen]
            heard = self._hearing.received(own, payloads[chosen], sizes[chosen], self._law[own], now)
            for slot, event in heard:
                self._report(slot, now, event)
            rows = np.delete(rows, first)

    # --- packets out ---

    def tick(self, now: float) -> Iterator[Batch]:
        """The packets whose time has come. What each iteration gives must be sent before the next."""
        for slot, event in self._hearing.tick(now):
            self._report(slot, now, event)
        self._finish(now)
        for _ in range(_CATCH_UP):
            due = np.flatnonzero(self._active & (self._due <= now))
            if not len(due):
                return
            yield from self._send(due, now)
        self._skip(now)

    def _send(self, due: NDArray[np.int64], now: float) -> Iterator[Batch]:
        due = due[np.argsort(self._port[due], kind="stable")]
        starting = self._player.at_start(due)
        packets = np.empty((len(due), rtp.HEADER + rtp.FRAME), np.uint8)
        law = self._law[due]
        audio = packets[:, rtp.HEADER :]
        speaking, left = self._player.next_frames(due, law, audio)
        marker = starting | self._fresh[due]
        rtp.write(
            packets,
            self._payload_type[due],
            marker,
            self._sequence[due],
            self._timestamp[due],
            self._ssrc[due],
        )
        self._fresh[due] = False
        self._sequence[due] += np.uint16(1)
        self._timestamp[due] += np.uint32(rtp.FRAME)
        self._due[due] += _FRAME_SECONDS
        self._hearing.sent(due, audio, speaking, now)
        self._note_prompts(due[starting], due[left > 0], now)
        self.counts["sent"] += len(due)
        yield from self._by_port(due, packets)

    def _by_port(self, due: NDArray[np.int64], packets: rtp.Block) -> Iterator[Batch]:
        # A leg that is behind NAT and was signalled nowhere has no destination before it has latched.
        ports, destinations = self._port[due], self._destination[due]
        for port in np.unique(ports):
            rows = np.flatnonzero((ports == port) & (destinations > 0))
            if len(rows):
                yield Batch(int(port), packets[rows], destinations[rows])

    def _note_prompts(self, starting: NDArray[np.int64], leaving: NDArray[np.int64], now: float) -> None:
        for slot in map(int, starting):
            prompt = self._player.playing(slot) or ""
            self._ends[slot] = now + self._player.samples(prompt) / RATE
            self._report(slot, now, PromptStarted(prompt))
        for slot in map(int, leaving):
            self._finishing[slot] = self._player.playing(slot) or ""

    def _finish(self, now: float) -> None:
        for slot in [slot for slot in self._finishing if self._ends[slot] <= now]:
            self._player.stop(slot)
            self._report(slot, float(self._ends[slot]), PromptFinished(self._finishing.pop(slot)))

    def _skip(self, now: float) -> None:
        """Give up the frames of a stall, in whole steps so that the timestamps stay true to time."""
        late = np.flatnonzero(self._active & (self._due <= now))
        steps = np.floor((now - self._due[late]) / _FRAME_SECONDS).astype(np.int64)
        self._due[late] += steps * _FRAME_SECONDS
        self._ends[late] += steps * _FRAME_SECONDS
        self._timestamp[late] += (steps * rtp.FRAME).astype(np.uint32)
        self.counts["frames_skipped"] += int(steps.sum())

    def _report(self, slot: int, at: float, event: Event) -> None:
        self._reports.append(Report(at, self._legs[slot], event))


def _key_or_none(remote: tuple[str, int] | None) -> int:
    return source_key(remote) if remote else 0
