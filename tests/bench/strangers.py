"""A flood of strangers' packets beside joined calls: what it costs, and what the calls lose by it.

The strangers send from the legs' own host, as a PBX's other calls do: from one source, from a thousand, and
each packet from another port. Everything stays on loopback and lasts some seconds.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection

from tests.bench import relays
from tests.bench.bridged import WARM_UP, both, phones_and_ports
from tests.bench.phones import Heard, apart
from tests.bench.relays import Account
from tests.bench.stopwatch import Figure, percentile

LEGS, RATE = 300, 20_000
"""Legs, joined in pairs; strangers' packets a second."""
SECONDS = 5.0
STEP = 0.005
FLOODS = {"nobody else": 0, "one stranger": 1, "1,000 strangers": 1000, "a new stranger each packet": RATE}
"""By what is sent beside the calls: from how many sources; as many as packets are never used again."""


@contextmanager
def flooding(ports: list[int], sources: int) -> Iterator[Connection]:
    """Strangers send to the ports; whoever sends "stop" to the connection is told how many packets left."""
    with apart(partial(_flood, ports, sources)) as pipe:
        yield pipe


def _flood(ports: list[int], sources: int, pipe: Connection) -> None:
    held = [_stranger() for _ in range(min(sources, RATE // 2))]
    sent, due = 0, time.perf_counter()
    while not pipe.poll():
        for _ in range(round(RATE * STEP)) if sources else ():
            one = held[sent % len(held)] if sources < RATE else _stranger()
            head = struct.pack("!BBHII", 0x80, 8, sent // len(held) & 0xFFFF, 0, 1_000_000 + sent % len(held))
            one.sendto(head + bytes(160), ("127.0.0.1", ports[sent % len(ports)]))
            if sources == RATE:
                one.close()
            sent += 1
        due = max(due + STEP, time.perf_counter() - 0.1)
        time.sleep(max(due - time.perf_counter(), 0))
    for one in held:
        one.close()
    pipe.send(sent)


def _stranger() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


def run(sources: int) -> tuple[Account, Account, Heard, int, float]:
    """Accounts before and after, what the phones heard, strangers' packets, seconds between the accounts."""
    with (
        phones_and_ports(LEGS) as (phones, bound, ports),
        relays.plane(bound, phones.addresses) as plane,
        phones.talking(ports) as talking,
        flooding(ports, sources) as flood,
    ):
        time.sleep(WARM_UP)
        before, begun = plane.account(), time.perf_counter()
        time.sleep(SECONDS)
        after, took = plane.account(), time.perf_counter() - begun
        flood.send("stop")
        sent: int = flood.recv()
        talking.send("stop")
        heard: Heard = talking.recv()
        return before, after, heard, sent, took


def figures() -> Iterator[Figure]:
    for who, sources in FLOODS.items():
        before, after, heard, _, took = run(sources)
        what = f"{LEGS} joined legs and {who}"
        strangers = (after.strangers - before.strangers) / took
        yield Figure(f"{what}: strangers' packets that came", (strangers,), "/s")
        relayed = (after.relayed - before.relayed) / took / LEGS
        yield Figure("  relayed of each leg's 50", (relayed,), "/s")
        yield Figure(f"  lost, of {heard.sent}", (heard.sent - heard.came,), "packets")
        yield Figure("  found a full buffer", (after.overflowed - before.overflowed,), "packets")
        for share in (0.5, 0.99):
            late = percentile([1000 * one for one in after.lateness], share)
            yield Figure(f"  the plane's ticks late, p{share * 100:.0f}", (late,), "ms")
        delay = percentile([1000 * one for one in heard.delays], 0.99)
        yield Figure("  from phone to phone, p99", (delay,), "ms")
        yield Figure("  CPU of the plane", ((both(after) - both(before)) / took / 1e4,), "% of a core")
