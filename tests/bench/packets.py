"""What audio costs: the plane alone, and the plane at its sockets."""

import secrets
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.latching import source_key
from callflow.media.messages import LoadPrompt, OpenLeg, Play
from callflow.media.plane import Batch, Plane
from callflow.media.rtp import SLOT
from callflow.net import mmsg
from callflow.net.media_sockets import MediaSockets
from callflow.net.mmsg import bound_socket
from tests.bench import relay
from tests.bench.stopwatch import Figure, beside, cpu

SECONDS = 2.0
FRAME = 172


def plane_with(legs: int, *, playing: bool) -> Plane:
    plane = Plane(lambda: secrets.randbits(32), capacity=legs)
    audio = np.random.default_rng(1).integers(0, 256, 8000 * 60, np.uint8).tobytes()
    plane.obey(LoadPrompt("long", audio, audio), 0.0)
    for leg in range(legs):
        source = ("127.0.0.1", 30000 + leg)
        plane.obey(OpenLeg(leg, leg % 16, Law.PCMA, 101, source, ("127.0.0.1",)), leg * 0.02 / legs)
        if playing:
            plane.obey(Play(leg, "long"), 0.0)
    return plane


def arrivals(legs: int, port: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint64]]:
    """One packet of each leg on `port`, as audio of a quiet line."""
    own = range(port, legs, 16)
    block = np.zeros((len(own), SLOT), np.uint8)
    block[:, 0], block[:, 1] = 0x80, 8
    block[:, 12:FRAME] = np.random.default_rng(port).integers(0xD0, 0xD8, (len(own), 160))
    sources = np.array([source_key(("127.0.0.1", 30000 + leg)) for leg in own], np.uint64)
    return block, np.full(len(own), FRAME, np.int64), sources


def run_plane(legs: int, *, playing: bool, hearing: bool) -> int:
    """`SECONDS` of audio for all legs on a virtual clock; the packets that were handled."""
    plane = plane_with(legs, playing=playing)
    blocks = [arrivals(legs, port) for port in range(16)] if hearing else []
    for tick in range(int(SECONDS / 0.01)):
        now = 0.02 + tick * 0.01
        if tick % 2 == 0:
            for port, (block, lengths, sources) in enumerate(blocks):
                plane.receive(port, block, lengths, sources, now)
        for _ in plane.tick(now):
            pass
        plane.take_reports()
    return plane.counts["sent"] + plane.counts["received"]


def exchange(packets: int) -> int:
    """Send packets over loopback in batches and receive them; how many came."""
    sender, receiver = (MediaSockets([bound_socket("127.0.0.1", 0)]) for _ in range(2))
    try:
        ports, sizes = np.zeros(mmsg.BATCH, np.int64), np.full(mmsg.BATCH, FRAME)
        target = np.full(mmsg.BATCH, source_key(("127.0.0.1", receiver.ports[0])), np.uint64)
        batch = Batch(ports, np.zeros((mmsg.BATCH, FRAME), np.uint8), sizes, target)
        came = 0
        for _ in range(packets // mmsg.BATCH):
            sender.send(batch)
            came += sum(len(arrivals.block) for arrivals in receiver.receive())
        return came
    finally:
        sender.close()
        receiver.close()


def exchange_one_by_one(packets: int) -> int:
    """The same with a system call for each packet."""
    had, mmsg.HAS_BATCHES = mmsg.HAS_BATCHES, False
    try:
        return exchange(packets)
    finally:
        mmsg.HAS_BATCHES = had


def figures() -> Iterator[Figure]:
    for legs in (50, 500):
        prompts = partial(run_plane, legs, playing=True, hearing=False)
        sending = cpu(f"plane: a prompt's packet, {legs} legs", prompts)
        yield sending
        both = partial(run_plane, legs, playing=True, hearing=True)
        yield beside(cpu(f"plane: a packet in or out, with hearing, {legs} legs", both), sending)
    singly = cpu("sockets: a packet sent and received, one by one", lambda: exchange_one_by_one(20480))
    yield singly
    yield beside(cpu("sockets: in batches", lambda: exchange(20480)), singly)
    yield from relay.figures()
