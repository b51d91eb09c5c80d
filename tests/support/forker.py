"""A switch that rings several phones at once: the first datagrams of a call go to each, answers come back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from callflow.sip.address import Address


class _Forker(asyncio.DatagramProtocol):
    """One caller, whose requests all phones get; what phones say goes to the caller."""

    def __init__(self, phones: Sequence[Address]) -> None:
        self._phones = phones
        self._caller: Address | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not `isinstance`: asyncio's own datagram transport is none by its bases.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        assert self._transport is not None
        if addr not in self._phones:
            self._caller = addr
            for phone in self._phones:
                self._transport.sendto(data, phone)
        elif self._caller is not None:
            self._transport.sendto(data, self._caller)


@asynccontextmanager
async def forker(*phones: Address) -> AsyncIterator[Address]:
    """Where to call all of `phones`. It is no proxy: once answered, both sides talk past it."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Forker(phones), local_addr=("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield host, port
    finally:
        transport.close()
        # A transport closes in the loop's next round.
        await asyncio.sleep(0)
