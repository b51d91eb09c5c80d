"""A plane on a clock of its own, the phones around it, and all that leaves and is told."""

import struct
from dataclasses import dataclass, field

import numpy as np

from callflow.codec import Law
from callflow.events import Event, LineJudged
from callflow.media.g711 import IDLE
from callflow.media.latching import source_key
from callflow.media.messages import (
    Command,
    LegQuality,
    LoadPrompt,
    NoPackets,
    OpenLeg,
    PacketsPaused,
    PacketsResumed,
    PacketsStopped,
    ReportCame,
)
from callflow.media.plane import Plane
from tests.support.rtp_packets import Address, block_of, packet

ALICE, BOB = ("192.0.2.1", 4000), ("192.0.2.2", 4000)
ULAW_IDLE = bytes([IDLE[0]]) * 160

OF_PACKETS = (NoPackets, PacketsPaused, PacketsStopped, PacketsResumed, ReportCame, LegQuality)
"""What is told of the packets that a leg sends or does not, and is no rule's business."""


@dataclass(frozen=True)
class Sent:
    at: float
    port: int
    destination: int
    kind: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass
class Stage:
    """A plane, the time, and all that came of it."""

    ids: tuple[int, ...] = tuple(range(1, 100))
    now: float = 100.0
    sent: list[Sent] = field(default_factory=list)
    told: list[tuple[float, int, Event]] = field(default_factory=list)
    news: list[tuple[float, int, Event]] = field(default_factory=list)
    """What is told of the packets' quality, apart."""

    judged: list[tuple[float, int, LineJudged]] = field(default_factory=list)
    """What kind of lines they are, apart."""

    def __post_init__(self) -> None:
        ids = iter(self.ids)
        self.plane = Plane(lambda: next(ids), capacity=8)
        for name, samples in (("long", 8000), ("short", 200)):
            self.obey(LoadPrompt(name, bytes([1]) * samples, bytes([2]) * samples))

    def obey(self, *commands: Command) -> None:
        for command in commands:
            self.plane.obey(command, self.now)
        self._note()

    def open(self, leg: int, remote: Address | None = ALICE, *, law: Law = Law.PCMU, hosts: str = "") -> None:
        expects = (hosts,) if hosts else (remote[0],) if remote else ()
        self.obey(OpenLeg(leg, 0, law, 101, remote, expects))

    def come(self, *packets: tuple[Address, bytes], port: int = 0) -> None:
        block, lengths = block_of([data for _, data in packets])
        sources = np.array([source_key(source) for source, _ in packets], np.uint64)
        self.plane.receive(port, block, lengths, sources, self.now)
        self._note()

    def tick(self, seconds: float = 0.0) -> None:
        self.now += seconds
        for batch in self.plane.tick(self.now):
            each = (batch.ports, batch.packets, batch.sizes, batch.destinations)
            for port, row, size, destination in zip(*each, strict=True):
                _, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", row[:12].tobytes())
                where = (self.now, int(port), int(destination), second & 127, second > 127)
                self.sent.append(Sent(*where, sequence, timestamp, ssrc, row[12:size].tobytes()))
        self._note()

    def run(self, seconds: float, step: float = 0.01) -> None:
        for _ in range(round(seconds / step)):
            self.tick(step)

    def heard(self) -> list[tuple[float, int, Event]]:
        """What was told since the last time; times rounded to the microsecond."""
        told, self.told = [(round(at, 6), leg, event) for at, leg, event in self.told], []
        return told

    def _note(self) -> None:
        for report in self.plane.take_reports():
            if isinstance(report.event, LineJudged):
                self.judged.append((report.at, report.leg, report.event))
                continue
            is_news = isinstance(report.event, OF_PACKETS)
            (self.news if is_news else self.told).append((report.at, report.leg, report.event))

    def to(self, address: Address, since: float = 0.0) -> list[Sent]:
        """What was sent there after `since`."""
        return [one for one in self.sent if one.destination == source_key(address) and one.at > since]


@dataclass
class Phone:
    """A phone that sends audio: it numbers and stamps its packets itself."""

    stage: Stage
    address: Address
    kind: int = 0
    ssrc: int = 7
    sequence: int = 100
    timestamp: int = 5000

    def say(self, payload: bytes, *, kind: int | None = None, samples: int | None = None) -> None:
        """Send one packet now."""
        self.stage.come((self.address, self.next(payload, kind=kind, samples=samples)))

    def next(self, payload: bytes, *, kind: int | None = None, samples: int | None = None) -> bytes:
        """The next packet, not yet sent."""
        chosen = self.kind if kind is None else kind
        data = packet(payload, kind=chosen, sequence=self.sequence, timestamp=self.timestamp, ssrc=self.ssrc)
        self.sequence += 1
        self.timestamp += len(payload) if samples is None else samples
        return data
