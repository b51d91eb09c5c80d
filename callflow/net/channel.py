"""Messages between the controller and its own plane's process: length and pickle, over a socket pair.

Pickle is safe here and nowhere else: the other end of the pair is a process that we started ourselves,
and nobody else can write to it.
"""

import asyncio
import pickle
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from callflow.media.thresholds import Thresholds

_LENGTH: Final = struct.Struct("!I")
_BUFFER: Final = 1 << 22
_CLOSES_WITHIN: Final = 1.0
"""Seconds that an end which is closed has to send what waits."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The first message to the plane's process: which of its descriptors are the UDP sockets."""

    descriptors: tuple[int, ...]
    rtcp: tuple[int | None, ...]
    """Those of their odd neighbours; None where one is not ours. Empty where none is wanted."""
    capacity: int
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Began:
    """Its answer: it ticks."""


@dataclass(frozen=True, slots=True)
class State:
    """Told by the plane's process now and then."""

    legs: int
    counts: dict[str, int]
    lateness: list[float] = field(default_factory=list)
    """Of the ticks since the last time, in seconds."""


class Channel:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> "Channel":
        """A channel over one end of a socket pair, which it owns from now on."""
        reader, writer = await asyncio.open_connection(sock=end, limit=_BUFFER)
        return cls(reader, writer)

    def send(self, message: Any) -> None:
        """Never waits: what the other end has not read yet is kept."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(data)) + data)

    async def messages(self) -> AsyncIterator[Any]:
        """What comes, until the other end is gone."""
        try:
            while True:
                (size,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
                yield pickle.loads(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def close(self) -> None:
        """Send what waits, if the other end still reads."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSES_WITHIN):
                await self._writer.wait_closed()
        except ConnectionError:
            # The other end was faster.
            return
        except TimeoutError:
            self._writer.transport.abort()
