"""A TCP relay that passes a stream on byte by byte: no message arrives in one piece."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from callflow.sip.address import Address


@dataclass(slots=True)
class ByteProxy:
    """A running relay."""

    address: Address
    """Where the caller connects to."""
    passed: int = 0
    """Bytes, in both directions."""

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one direction until its end; each byte leaves before the next one is written."""
        _at_once(writer)
        try:
            while data := await reader.read(4096):
                for byte in data:
                    writer.write(bytes((byte,)))
                    self.passed += 1
                    # The other end reads between two bytes.
                    await asyncio.sleep(0)
        finally:
            writer.close()


@asynccontextmanager
async def byte_proxy(target: Address) -> AsyncIterator[ByteProxy]:
    """A relay in front of `target`, for any number of connections."""
    proxy = ByteProxy(("127.0.0.1", 0))
    joined: set[asyncio.Task[None]] = set()

    async def came(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far_in, far_out = await asyncio.open_connection(*target)
        for reader, writer in ((near_in, far_out), (far_in, near_out)):
            task = asyncio.create_task(proxy.relay(reader, writer))
            joined.add(task)
            task.add_done_callback(joined.discard)

    server = await asyncio.start_server(came, *proxy.address)
    host, port = server.sockets[0].getsockname()
    proxy.address = host, port
    try:
        yield proxy
    finally:
        server.close()
        for task in joined:
            task.cancel()
        await asyncio.gather(*joined, return_exceptions=True)
        await asyncio.sleep(0)


def _at_once(writer: asyncio.StreamWriter) -> None:
    """Let no byte wait for others (Nagle)."""
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
