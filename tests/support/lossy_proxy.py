"""A UDP relay that loses, doubles and delays datagrams, by a seed: the same misfortune every time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Misfortune:
    """Shares of datagrams, in each direction."""

    lost: float = 0.05
    doubled: float = 0.03
    late: float = 0.05
    """Overtaken by those that come after."""
    lateness: float = 0.04
    """Seconds."""


class _Side(asyncio.DatagramProtocol):
    """One socket of the relay."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.peer: Address | None = None
        self.other: _Side | None = None
        self.fate = random.Random(0)
        self.misfortune = Misfortune()
        self.seen = self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not `isinstance`: asyncio's own datagram transport is none by its bases.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        assert self.other is not None
        if self.peer is None:
            self.peer = addr
        self.seen += 1
        drawn = self.fate.random()
        if drawn < self.misfortune.lost:
            self.lost += 1
            return
        times = 2 if self.fate.random() < self.misfortune.doubled else 1
        late = self.fate.random() < self.misfortune.late
        for _ in range(times):
            if late:
                asyncio.get_running_loop().call_later(self.misfortune.lateness, self.other.pass_on, data)
            else:
                self.other.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        if self.transport and self.peer and not self.transport.is_closing():
            self.transport.sendto(data, self.peer)


@dataclass(frozen=True, slots=True)
class LossyProxy:
    """A running relay."""

    address: Address
    """Where the caller sends to."""
    near: _Side
    far: _Side

    @property
    def lost(self) -> int:
        return self.near.lost + self.far.lost

    @property
    def seen(self) -> int:
        return self.near.seen + self.far.seen


@asynccontextmanager
async def lossy_proxy(target: Address, seed: int) -> AsyncIterator[LossyProxy]:
    """A relay in front of `target`, for one caller's socket."""
    loop = asyncio.get_running_loop()
    _, near = await loop.create_datagram_endpoint(_Side, local_addr=("127.0.0.1", 0))
    _, far = await loop.create_datagram_endpoint(_Side, local_addr=("127.0.0.1", 0))
    assert near.transport
    assert far.transport
    near.other, far.other, far.peer = far, near, target
    near.fate, far.fate = random.Random(seed), random.Random(seed + 1)
    host, port = near.transport.get_extra_info("sockname")
    try:
        yield LossyProxy((host, port), near, far)
    finally:
        near.transport.close()
        far.transport.close()
        # A transport closes in the loop's next round.
        await asyncio.sleep(0)
