"""The media plane: the audio of all legs, as arrays, moved on by one tick.

Packets come in as many as there are, and what is to be relayed leaves in the same tick. A leg always gets
a stream: what we say, or what its partner says, or silence, so that no watchdog on the way takes it for
dead. Every frame of ours leaves by an absolute deadline: lateness of one tick is not handed to the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from callflow.events import Event
from callflow.media import rtp
from callflow.media.bridge import Bridge, Relayed
from callflow.media.dtmf import KEYS
from callflow.media.g711 import gain_row
from callflow.media.hearing import Hearing, Thresholds
from callflow.media.intake import NO_EVENTS, Agreed, Intake
from callflow.media.latching import Latches, Sources, source_key
from callflow.media.messages import (
    CloseLeg,
    Command,
    Confer,
    Join,
    KeepKeys,
    LegCommand,
    LoadPrompt,
    MoveLeg,
    OpenGate,
    OpenLeg,
    Part,
    PassKeys,
    Play,
    PlayBoth,
    PlayTone,
    Record,
    Report,
    SendDigits,
    SetGain,
    ShutGate,
    SourceTaken,
    StopPlaying,
    StopRecording,
)
from callflow.media.mixer import Mixer
from callflow.media.quality import Quality
from callflow.media.reporter import Reporter
from callflow.media.sender import CATCH_UP, FRAME_SECONDS, Sender
from callflow.media.speaker import Speaker
from callflow.media.tap import Taps
from callflow.media.tones import Tone


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets of one length that leave by one port."""

    port: int
    packets: rtp.Block
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
        self._new_id = new_id
        self._sender = Sender(capacity)
        self._speaker = Speaker(capacity, self._report)
        self._bridge = Bridge(capacity, self._sender)
        self._hearing = Hearing(capacity, thresholds)
        self._quality = Quality(capacity)
        self._latches = Latches(capacity)
        self.counts = self._latches.counts
        """Packets by what became of them, and late frames."""
        self._slots: dict[int, int] = {}
        self._legs: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))
        self._reporter = Reporter(capacity, self._sender, self._quality)
        self._mux: set[int] = set()
        self._reports: list[Report] = []
        self._agreed = Agreed(capacity)
        self._taps = Taps(capacity)
        self._mixer = Mixer(capacity)
        self._intake = Intake(
            agreed=self._agreed,
            sender=self._sender,
            speaker=self._speaker,
            bridge=self._bridge,
            hearing=self._hearing,
            quality=self._quality,
            reporter=self._reporter,
            taps=self._taps,
            mixer=self._mixer,
            latches=self._latches,
            tell=self._report,
            counts=self.counts,
        )

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
                self._speaker.player.load(prompt, ulaw, alaw)
            case OpenLeg(leg=leg) if leg not in self._slots and self._free:
                self._open(command, now)
            case OpenLeg():
                self.counts["impossible_command"] += 1
            case LegCommand(leg=leg) if leg in self._slots:
                if not any(carry_out(command, now) for carry_out in (self._lead, self._set, self._say)):
                    # A fault of ours; whoever is on the line must not be the one who pays for it.
                    self.counts["impossible_command"] += 1
            case LegCommand():
                self.counts["late_command"] += 1
            case _:
                self.counts["impossible_command"] += 1

    def _lead(self, command: LegCommand, now: float) -> bool:
        """Commands of who hears whom; whether it was one, and possible."""
        slot, bridge = self._slots[command.leg], self._bridge
        match command:
            case MoveLeg():
                self._move(slot, command, now)
            case CloseLeg(leg=leg):
                self._close(leg, now)
            case Join(other=other, leg=leg) if other in self._slots and other != leg:
                for one in (slot, self._slots[other]):
                    self._mixer.leave(one)
                bridge.join(slot, self._slots[other], now)
            case Confer(others=others, leg=leg) if set(others) - {leg} and set(others) <= set(self._slots):
                self._confer([slot, *(self._slots[other] for other in set(others) - {leg})], now)
            case Part():
                self._mixer.leave(slot)
                bridge.part(slot, now)
            case _:
                return False
        return True

    def _set(self, command: LegCommand, now: float) -> bool:
        """Commands of how a leg is heard; whether it was one."""
        slot, bridge = self._slots[command.leg], self._bridge
        match command:
            case ShutGate():
                bridge.shut(slot, now)
            case OpenGate():
                bridge.gate[slot] = True
            case KeepKeys():
                bridge.keys_pass[slot] = False
            case PassKeys():
                bridge.keys_pass[slot] = True
            case Record():
                self._taps.open(slot)
            case StopRecording():
                self._stop_recording(slot, now)
            case SetGain(decibels=decibels):
                bridge.gain[slot] = gain_row(decibels)
            case _:
                return False
        return True

    def _say(self, command: LegCommand, now: float) -> bool:
        """Commands of what we say; whether it was one, and possible."""
        slot, speaker = self._slots[command.leg], self._speaker
        match command:
            case Play(prompt=prompt) if prompt in speaker.player:
                speaker.stop(slot, now)
                speaker.play(slot, prompt)
            case PlayBoth(prompt=prompt) if prompt in speaker.player:
                for one in {slot, max(int(self._bridge.partner[slot]), -1)} - {-1}:
                    speaker.stop(one, now)
                    speaker.play(one, prompt)
            case PlayTone(hertz=hertz, level=level, seconds=seconds):
                speaker.stop(slot, now)
                speaker.sound(slot, Tone(hertz, level, seconds))
            case SendDigits(digits=digits) if self._can_press(slot, digits):
                if not speaker.presses(slot):
                    speaker.stop(slot, now)
                speaker.press(slot, digits)
            case StopPlaying():
                speaker.stop(slot, now)
                return True
            case _:
                return False
        self._bridge.hush(slot, now)
        return True

    def _can_press(self, slot: int, digits: str) -> bool:
        return digits != "" and set(digits) <= set(KEYS) and self._agreed.event_type[slot] != NO_EVENTS

    def _open(self, leg: OpenLeg, now: float) -> None:
        slot = self._free.pop()
        self._slots[leg.leg], self._legs[slot] = slot, leg.leg
        self._hearing.open(slot, leg.law)
        self._quality.open(slot)
        self._bridge.open(slot)
        self._intake.open(slot)
        self._sender.open(slot, leg.port, (self._new_id(), self._new_id(), self._new_id()), now)
        self._reporter.open(slot, now)
        if leg.rtcp_mux:
            self._mux.add(slot)
        self._agree(slot, leg, now)
        self._sender.destination[slot] = _key_or_none(leg.remote)
        if not self._latches.expect(slot, leg.port, leg.remote, leg.expects, now):
            self._report(slot, now, SourceTaken())

    def _move(self, slot: int, leg: MoveLeg, now: float) -> None:
        port = int(self._sender.port[slot])
        source, free = self._latches.move(slot, port, leg.remote, leg.expects, now)
        if not free:
            self._report(slot, now, SourceTaken())
        self._agree(slot, leg, now)
        self._sender.destination[slot] = source or _key_or_none(leg.remote)

    def _agree(self, slot: int, leg: OpenLeg | MoveLeg, now: float) -> None:
        self._agreed.agree(slot, leg.law, leg.event_type)
        if leg.remote is not None:
            self._quality.expect(slot, now)

    def _confer(self, slots: list[int], now: float) -> None:
        for slot in slots:
            self._bridge.part(slot, now)
            self._bridge.gate[slot] = True
        self._mixer.confer(slots)

    def _stop_recording(self, slot: int, now: float) -> None:
        for one, recorded in self._taps.close(slot, int(self._agreed.law[slot])):
            self._report(one, now, recorded)

    def _close(self, leg: int, now: float) -> None:
        slot = self._slots[leg]
        self._stop_recording(slot, now)
        self._speaker.stop(slot, now)
        self._bridge.part(slot, now)
        self._mixer.leave(slot)
        missed, round_trip = self._reporter.close(slot)
        quality = self._quality.close(slot)
        self._report(slot, now, replace(quality, missed=missed, round_trip=round_trip))
        self._mux.discard(slot)
        del self._slots[leg], self._legs[slot]
        self._intake.close(slot)
        self._sender.close(slot)
        self._hearing.close(slot)
        self._latches.release(slot, now)
        self._free.append(slot)

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
        for slot, event in self._hearing.tick(now):
            self._report(slot, now, event)
        for slot, news in self._quality.tick(now):
            self._report(slot, now, news)
        for slot, recorded in self._taps.take():
            self._report(slot, now, recorded)
        relayed, self._intake.relayed = self._intake.relayed, []
        for passed in relayed:
            yield from self._by_port(passed, now)
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
        for report in self._reporter.due(now):
            port, audio = self._reporter.destination(report.slot)
            mux = report.slot in self._mux
            if audio:
                yield RtcpPacket(port, mux, report.datagram, audio if mux else audio + 1)

    def _send(self, due: NDArray[np.int64], now: float) -> Iterator[Batch]:
        packets = np.empty((len(due), rtp.HEADER + rtp.FRAME), np.uint8)
        audio = packets[:, rtp.HEADER :]
        stamps = self._sender.own(due, self._speaker.starting(due))
        speaking = self._speaker.speak(due, self._agreed.law[due], audio, now)
        if self._mixer.any:
            self._mixer.speak(due, self._agreed.law[due], self._speaker.busy, audio)
        self._hearing.sent(due, audio, speaking, now)
        payload_type, marker = self._agreed.payload_type[due], stamps.marker
        timestamp, sizes = stamps.timestamp, np.full(len(due), packets.shape[1])
        for row, (payload, at, begins) in self._speaker.key_packets(due, timestamp).items():
            payload_type[row], marker[row] = self._agreed.event_type[due[row]], begins
            timestamp[row], sizes[row] = at, rtp.HEADER + len(payload)
            audio[row, : len(payload)] = np.frombuffer(payload, np.uint8)
        rtp.write(packets, payload_type, marker, stamps.sequence, timestamp, self._sender.ssrc[due])
        self.counts["sent"] += len(due)
        yield from self._by_port(Relayed(due, packets, sizes), now)

    def _tap(self, leaving: Relayed, now: float) -> None:
        law, audio = self._agreed.law[leaving.slots], leaving.packets[:, rtp.HEADER :]
        sizes = leaving.sizes - rtp.HEADER
        # A key is no audio.
        heard = leaving.packets[:, 1] & 0x7F == self._agreed.payload_type[leaving.slots]
        self._taps.note(leaving.slots[heard], audio[heard], sizes[heard], law[heard], now, said=False)

    def _by_port(self, leaving: Relayed, now: float) -> Iterator[Batch]:
        if self._taps.any:
            self._tap(leaving, now)
        # A leg that is behind NAT and was signalled nowhere has no destination before it has latched.
        ports, destinations = self._sender.port[leaving.slots], self._sender.destination[leaving.slots]
        sizes = leaving.sizes
        kinds = np.where(destinations > 0, ports << 16 | sizes, -1)
        order = np.argsort(kinds, kind="stable")
        kinds, packets, destinations = kinds[order], leaving.packets[order], destinations[order]
        bounds = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
        for start, end in pairwise(bounds):
            kind = int(kinds[start]) if end > start else -1
            if kind >= 0:
                yield Batch(kind >> 16, packets[start:end, : kind & 0xFFFF], destinations[start:end])

    def _report(self, slot: int, at: float, event: Event) -> None:
        self._reports.append(Report(at, self._legs[slot], event))


def _key_or_none(remote: tuple[str, int] | None) -> int:
    return source_key(remote) if remote else 0
