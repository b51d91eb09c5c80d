"""What a relayed packet costs in the plane alone, on a virtual clock: see `bridged` for real sockets.

Every leg sends 50 packets a second and is joined to another; the plane measures the level of each packet.
"""

import secrets
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.latching import source_key
from callflow.media.messages import Join, OpenLeg
from callflow.media.plane import Plane
from callflow.media.rtp import SLOT
from tests.bench.stopwatch import Figure, cpu

LEGS_A_PORT = 50
TICK = 0.01
LEGS = (50, 200, 500)
FRAME = 172
Address = tuple[str, int]


def ports_of(legs: int) -> int:
    return max(legs // LEGS_A_PORT, 1)


def joined_plane(sources: list[Address]) -> Plane:
    ports = ports_of(len(sources))
    plane = Plane(lambda: secrets.randbits(32), capacity=len(sources))
    for leg, source in enumerate(sources):
        opened = OpenLeg(leg, leg % ports, Law.PCMA, 101, source, (source[0],), heard=leg % 2 == 0)
        plane.obey(opened, 0.0)
    for leg in range(0, len(sources), 2):
        plane.obey(Join(leg, leg + 1), 0.0)
    return plane


class VirtualTalk:
    """All legs of a plane talk, on a virtual clock; half of them in each tick."""

    def __init__(self, legs: int) -> None:
        sources = [("127.0.0.1", 30000 + leg) for leg in range(legs)]
        self.plane = joined_plane(sources)
        self._tick = 0
        self._halves = [self._half(sources, np.arange(turn, legs, 2)) for turn in (0, 1)]

    def _half(self, sources: list[Address], legs: NDArray[np.int64]) -> tuple[NDArray[np.generic], ...]:
        block = np.zeros((len(legs), SLOT), np.uint8)
        block[:, 0], block[:, 1] = 0x80, 8
        block[:, 12:FRAME] = np.random.default_rng(1).integers(0xD0, 0xD8, (len(legs), 160))
        keys = np.array([source_key(sources[leg]) for leg in legs], np.uint64)
        return block, legs % ports_of(len(sources)), np.full(len(legs), FRAME, np.int64), keys

    def run(self) -> int:
        """2 s of talk; the packets that were relayed."""
        before = self.plane.counts["relayed"]
        for _ in range(200):
            block, ports, lengths, keys = self._halves[self._tick % 2]
            numbers = struct.pack("!HI", self._tick // 2 & 0xFFFF, self._tick // 2 * 160)
            block[:, 2:8] = np.frombuffer(numbers, np.uint8)
            now = 0.005 + self._tick * TICK
            self.plane.receive(ports, block, lengths, keys, now)  # type: ignore[arg-type]
            for _ in self.plane.tick(now):
                pass
            self.plane.take_reports()
            self._tick += 1
        return self.plane.counts["relayed"] - before


def figures() -> Iterator[Figure]:
    for legs in LEGS:
        yield cpu(f"relay, {legs} legs: the plane alone", VirtualTalk(legs).run)
