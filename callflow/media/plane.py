"""The media plane: the audio of all legs, as arrays, moved on by one tick.

Packets come in as many as there are, and what is to be relayed leaves in the same tick. A leg always gets
a stream: what we say, or what its partner says, or silence, so that no watchdog on the way takes it for
dead. Every frame of ours leaves by an absolute deadline: lateness of one tick is not handed to the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callflow.events import Event
from callflow.media import rtp
from callflow.media.bridge import Relayed
from callflow.media.intake import Intake
from callflow.media.latching import Sources
from callflow.media.legs import Legs
from callflow.media.messages import Command, LegCommand, LoadPrompt, OpenLeg, Report, UnloadPrompt
from callflow.media.orders import Orders
from callflow.media.parts import Parts
from callflow.media.sender import CATCH_UP, FRAME_SECONDS
from callflow.media.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets that leave together, one a row."""

    ports: NDArray[np.int64]
    """The index of the port by which each leaves."""
    packets: rtp.Block
    sizes: NDArray[np.int64]
    """Bytes of each row that are the packet."""
    destinations: Sources


@dataclass(frozen=True, slots=True)
class RtcpPacket:
    """A report that leaves by a port: by the RTP port itself if `mux`, else by its odd neighbour."""

    port: int
    mux: bool
    datagram: bytes
    destination: int
    """As in `Sources`: already the odd port unless `mux`."""


class Plane:
    """All legs: what comes from them, what goes to them."""

    def __init__(
        self,
        new_id: Callable[[], int],
        *,
        capacity: int = 1024,
        thresholds: Thresholds = Thresholds(),  # noqa: B008  # frozen
    ) -> None:
        """`new_id` gives 32 random bits: SSRCs and where sequence numbers begin (RFC 3550 §5.1)."""
        parts = Parts(capacity, thresholds, self._report)
        self.counts = parts.counts
        self._parts = parts
        self._agreed, self._sender, self._speaker = parts.agreed, parts.sender, parts.speaker
        self._reports: list[Report] = []
        self._intake = Intake(parts)
        self._legs = Legs(parts, self._intake, new_id, capacity)
        self._orders = Orders(parts, self._legs.slots)

    @property
    def legs(self) -> int:
        return len(self._legs.slots)

    def take_reports(self) -> list[Report]:
        """What has happened since the last time."""
        reports, self._reports = self._reports, []
        return reports

    # --- what it is told ---

    def obey(self, command: Command, now: float) -> None:
        """Carry out a command. One for a leg that is gone is forgotten: it crossed the leg's end."""
        match command:
            case LoadPrompt(prompt=prompt, ulaw=ulaw, alaw=alaw):
                self._speaker.player.load(prompt, ulaw, alaw)
            case UnloadPrompt(prompt=prompt):
                self._count_impossible(self._speaker.player.unload(prompt))
            case OpenLeg():
                self._count_impossible(self._legs.open(command, now))
            case LegCommand(leg=leg) if leg not in self._legs.slots:
                self.counts["late_command"] += 1
            case LegCommand():
                done = self._legs.carry_out(command, now) or self._orders.carry_out(command, now)
                self._count_impossible(done)
            case _:
                self._count_impossible(False)

    def _count_impossible(self, done: bool) -> None:
        # A fault of ours; whoever is on the line must not be the one who pays for it.
        if not done:
            self.counts["impossible_command"] += 1

    # --- packets in ---

    def receive(
        self,
        port: int | NDArray[np.int64],
        block: rtp.Block,
        lengths: NDArray[np.int64],
        sources: Sources,
        now: float,
    ) -> None:
        """Packets have come: `lengths` bytes in the rows of `block`, from `sources`, to `port`.

        `port` may have one element a packet: all ports in one block cost less than each in its own.
        """
        self._intake.receive(port, block, lengths, sources, now)

    def receive_rtcp(self, port: int, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """A datagram came to the odd neighbour of `port`: its sender's audio comes from one port lower."""
        self._intake.receive_rtcp(port, datagram, source, now)

    # --- packets out ---

    def tick(self, now: float) -> Iterator[Batch]:
        """The packets whose time has come. What each iteration gives must be sent before the next."""
        for slot, event in self._parts.hearing.tick(
            now, self._parts.bridge.hear_each_other(self._speaker.busy)
        ):
            self._report(slot, now, event)
        for slot, news in self._parts.quality.tick(now):
            self._report(slot, now, news)
        for slot, overheard in self._parts.overhearing.due():
            self._report(slot, now, overheard)
        for slot, recorded in self._parts.taps.take():
            self._report(slot, now, recorded)
        relayed, self._intake.relayed = self._intake.relayed, []
        for passed in relayed:
            yield from self._leave(passed, now)
        self._speaker.finish(now)
        for _ in range(CATCH_UP):
            due = self._sender.due(now)
            if not len(due):
                return
            yield from self._send(due, now)
        late, frames = self._sender.skip(now)
        self._speaker.delay(late, frames.astype(np.float64) * FRAME_SECONDS)
        self.counts["frames_skipped"] += int(frames.sum())

    def rtcp_due(self, now: float) -> Iterator[RtcpPacket]:
        """The reports to phones whose time has come: each leg's about every 5 s."""
        for report in self._parts.reporter.due(now):
            port, audio = self._parts.reporter.destination(report.slot)
            mux = report.slot in self._legs.mux
            if audio:
                yield RtcpPacket(port, mux, report.datagram, audio if mux else audio + 1)

    def _send(self, due: NDArray[np.int64], now: float) -> Iterator[Batch]:
        packets = np.empty((len(due), rtp.HEADER + rtp.FRAME), np.uint8)
        audio = packets[:, rtp.HEADER :]
        stamps = self._sender.own(due, self._speaker.starting(due))
        speaking = self._speaker.speak(due, self._agreed.law[due], audio, now)
        if self._parts.mixer.any:
            hears_none = self._speaker.busy | ~self._parts.bridge.listens
            self._parts.mixer.speak(due, self._agreed.law[due], hears_none, audio)
        self._parts.hearing.sent(due, audio, speaking, now)
        payload_type, marker = self._agreed.payload_type[due], stamps.marker
        timestamp, sizes = stamps.timestamp, np.full(len(due), packets.shape[1])
        for row, (payload, at, begins) in self._speaker.key_packets(due, timestamp).items():
            payload_type[row], marker[row] = self._agreed.event_type[due[row]], begins
            timestamp[row], sizes[row] = at, rtp.HEADER + len(payload)
            audio[row, : len(payload)] = np.frombuffer(payload, np.uint8)
        rtp.write(packets, payload_type, marker, stamps.sequence, timestamp, self._sender.ssrc[due])
        self.counts["sent"] += len(due)
        yield from self._leave(Relayed(due, packets, sizes), now)

    def _tap(self, leaving: Relayed, now: float) -> None:
        law, audio = self._agreed.law[leaving.slots], leaving.packets[:, rtp.HEADER :]
        sizes = leaving.sizes - rtp.HEADER
        # A key is no audio.
        heard = leaving.packets[:, 1] & 0x7F == self._agreed.payload_type[leaving.slots]
        self._parts.taps.note(leaving.slots[heard], audio[heard], sizes[heard], law[heard], now, said=False)

    def _leave(self, leaving: Relayed, now: float) -> Iterator[Batch]:
        if self._parts.taps.any:
            self._tap(leaving, now)
        slots, packets, sizes = leaving.slots, leaving.packets, leaving.sizes
        destinations = self._sender.destination[slots]
        if not destinations.all():
            # A leg that is behind NAT and was signalled nowhere has no destination before it has latched.
            rows = np.flatnonzero(destinations)
            slots, packets, sizes = slots[rows], packets[rows], sizes[rows]
            destinations = destinations[rows]
        if len(slots):
            yield Batch(self._sender.port[slots], packets, sizes, destinations)

    def _report(self, slot: int, at: float, event: Event) -> None:
        self._reports.append(Report(at, self._legs.names[slot], event))
