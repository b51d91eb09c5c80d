"""What a relayed packet costs: in the plane alone, at real sockets, and in a plain Python relay beside it.

Every leg sends 50 packets a second and is joined to another; the plane measures the level of each packet.
The phones are a process of their own: their cost is not counted. Where the kernel accounts for time by
its clock's ticks, the split between user and kernel is a rough one; their sum is not.
"""

import multiprocessing
import resource
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.latching import source_key
from callflow.media.messages import Join, OpenLeg
from callflow.media.plane import Plane
from callflow.media.rtp import SLOT
from callflow.net.mmsg import BatchSocket, bound_sockets
from tests.bench.stopwatch import Figure, beside, cpu

LEGS_A_PORT = 50
TICK = 0.01
LEGS = (50, 200, 500)
ROUNDS, SECONDS = 3, 0.6
FRAME = 172
Address = tuple[str, int]


def ports_of(legs: int) -> int:
    return max(legs // LEGS_A_PORT, 1)


def joined_plane(sources: list[Address]) -> Plane:
    ports = ports_of(len(sources))
    plane = Plane(lambda: secrets.randbits(32), capacity=len(sources))
    for leg, source in enumerate(sources):
        plane.obey(OpenLeg(leg, leg % ports, Law.PCMA, 101, source, (source[0],)), 0.0)
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


# --- phones: a process of their own ---


def phones(legs: int, ports: list[int], pipe: Connection) -> None:
    """`legs` phones that send 20 ms of audio to the relay, and read what comes, until told to stop."""
    handset = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(legs)]
    for one in handset:
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
    pipe.send([one.getsockname() for one in handset])
    payload = np.random.default_rng(1).integers(0xD0, 0xD8, 160, np.uint8).tobytes()
    targets = [("127.0.0.1", ports[leg % len(ports)]) for leg in range(legs)]
    turn, due, came = 0, time.perf_counter(), 0
    while not pipe.poll():
        for leg in range(turn % 2, legs, 2):
            data = struct.pack("!BBHII", 0x80, 8, turn // 2 & 0xFFFF, turn // 2 * 160, leg) + payload
            handset[leg].sendto(data, targets[leg])
        for one in handset[turn % 2 :: 2]:
            try:
                while one.recv(2048):
                    came += 1
            except BlockingIOError:
                pass
        turn, due = turn + 1, due + TICK
        time.sleep(max(due - time.perf_counter(), 0))
    pipe.send(came)


def with_phones(
    legs: int, ports: list[int], serve: Callable[[list[Address]], Iterator[tuple[float, float]]]
) -> list[tuple[float, float]]:
    """The rounds of `serve`, which is given the phones' addresses: µs a packet, user and kernel."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=phones, args=(legs, ports, there), daemon=True
    )
    process.start()
    try:
        return list(serve(here.recv()))
    finally:
        here.send("stop")
        process.join()


def rounds_of(step: Callable[[], None], relayed: Callable[[], int]) -> Iterator[tuple[float, float]]:
    """CPU of rounds of `step` in real time, after a first one that does not count."""
    for number in range(ROUNDS + 1):
        end, before = time.perf_counter() + SECONDS, relayed()
        begun = resource.getrusage(resource.RUSAGE_SELF)
        while time.perf_counter() < end:
            step()
        used = resource.getrusage(resource.RUSAGE_SELF)
        packets = max(relayed() - before, 1)
        if number:
            user, kernel = used.ru_utime - begun.ru_utime, used.ru_stime - begun.ru_stime
            yield user / packets * 1e6, kernel / packets * 1e6


def plane_at_sockets(legs: int) -> list[tuple[float, float]]:
    sockets = [BatchSocket(one) for one in bound_sockets("127.0.0.1", [0] * ports_of(legs))]
    due = time.perf_counter()

    def serve(sources: list[Address]) -> Iterator[tuple[float, float]]:
        plane = joined_plane(sources)

        def step() -> None:
            nonlocal due
            due = max(due + TICK, time.perf_counter() - TICK)
            time.sleep(max(due - time.perf_counter(), 0))
            now = time.perf_counter()
            came = [one.receive() for one in sockets]
            if any(len(block) for block, _, _ in came):
                counts = [len(block) for block, _, _ in came]
                ports = np.repeat(np.arange(len(sockets)), counts)
                block, lengths, keys = (np.concatenate(parts) for parts in zip(*came, strict=True))
                plane.receive(ports, block, lengths, keys, now)
            for batch in plane.tick(now):
                sockets[batch.port].send(batch.packets, batch.destinations)
            plane.take_reports()

        yield from rounds_of(step, lambda: plane.counts["relayed"])

    try:
        return with_phones(legs, [one.port for one in sockets], serve)
    finally:
        for one in sockets:
            one.close()


def plain_relay(legs: int) -> list[tuple[float, float]]:
    """A packet at a time: epoll, a dict of sources, a new header; no level is measured."""
    bound = bound_sockets("127.0.0.1", [0] * ports_of(legs))
    by_number = {one.fileno(): one for one in bound}
    poll = select.epoll()
    for one in bound:
        poll.register(one.fileno(), select.EPOLLIN)
    relayed = 0

    def serve(sources: list[Address]) -> Iterator[tuple[float, float]]:
        other = {
            source: (sources[leg ^ 1], bound[(leg ^ 1) % len(bound)]) for leg, source in enumerate(sources)
        }

        def step() -> None:
            nonlocal relayed
            for number, _ in poll.poll(TICK):
                data, source = by_number[number].recvfrom(2048)
                _, kind, sequence, timestamp, _ = struct.unpack_from("!BBHII", data)
                target, out = other[source]
                head = struct.pack("!BBHII", 0x80, kind, (sequence + 5) & 0xFFFF, timestamp + 160, 99)
                out.sendto(head + data[12:], target)
                relayed += 1

        yield from rounds_of(step, lambda: relayed)

    try:
        return with_phones(legs, [one.getsockname()[1] for one in bound], serve)
    finally:
        poll.close()
        for one in bound:
            one.close()


def figures() -> Iterator[Figure]:
    for legs in LEGS:
        yield cpu(f"relay, {legs} legs: the plane alone", VirtualTalk(legs).run)
    plain: dict[int, Figure] = {}
    runs = [(plain_relay, "a plain Python relay", legs) for legs in (50, 500)]
    runs += [(plane_at_sockets, "plane and sockets", legs) for legs in LEGS]
    for work, what, legs in runs:
        split = partial(f"relay, {legs} legs: {what}{{}}".format)
        user, kernel = zip(*work(legs), strict=True)
        whole = Figure(split(""), tuple(map(sum, zip(user, kernel, strict=True))), "µs")
        yield beside(whole, plain[legs]) if legs in plain else whole
        plain.setdefault(legs, whole)
        yield Figure(split(", of which the kernel"), kernel, "µs")
