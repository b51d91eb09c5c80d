"""One SIP connection over TCP: bytes to messages, and how long it may live (RFC 3261 §18, RFC 5626)."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final, Protocol

from callflow.sip.address import Address
from callflow.sip.stream import PONG, Ping, StreamBroken, StreamReader

_AT_ONCE: Final = 64
"""Messages taken in a row before other work gets its turn."""
_UNACKNOWLEDGED_FOR: Final = 32_000
"""Milliseconds that a peer may leave our bytes unacknowledged: as long as a transaction lasts (Timer B)."""
_ASKED_AFTER: Final = 60
"""Seconds of silence after which the kernel asks whether a peer is there."""

REASONS: Final = (
    "left", "lost", "broken", "slow", "silent", "idle", "replaced", "refused", "too_many",
    "too_many_of_source", "stopped",
)  # fmt: skip
"""Why a connection ends: the peer's wish, an error, and for the rest ours."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is borne with. Times are seconds, sizes bytes."""

    connections: int = 2_000
    """Of them all, also those that are being opened."""
    waiting: int = 64
    """Messages kept for one peer while its connection is being opened."""
    unsent: int = 256 * 1024
    """Of one connection: who reads more slowly than that is not served."""
    opening: float = 5.0
    first_message: float = 30.0
    """From being accepted to its first whole message; a ping is none."""
    gives_way: float = 1.0
    """From being accepted, without a whole message, until it may be dropped where room is short."""
    idle: float = 600.0
    """Since the last whole message or ping, either way."""


class Owner(Protocol):
    """Who has the connections."""

    def opened(self, connection: "Connection") -> str:
        """Why it may not stay; empty where it may."""

    def closed(self, connection: "Connection", reason: str) -> None:
        """It is gone; `reason` is one of `REASONS`."""

    def is_kept(self, connection: "Connection") -> bool:
        """Whether it stays though it has been idle for long."""

    def took(self, message: bytes | Ping, source: Address) -> None: ...


class Connection(asyncio.Protocol):
    """Either side may have opened it; from then on there is no difference but one.

    Who was accepted must soon say something whole: a connection that sends its first message byte by byte
    is dropped after `Limits.first_message`.
    """

    def __init__(self, owner: Owner, limits: Limits, dialled: Address | None) -> None:
        """`dialled` is who was to be reached; None where it was the peer who did the dialling."""
        self.peer = dialled or ("", 0)
        self.accepted = dialled is None
        self._owner = owner
        self._limits = limits
        self._reader = StreamReader()
        self._loop = asyncio.get_running_loop()
        self._spoken = not self.accepted
        self._used_at = self._loop.time()
        self._reason = "left"
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def alive(self) -> bool:
        """Whether what is sent now can still arrive."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def gives_way(self) -> bool:
        """Whether it has been open for a while and said nothing whole."""
        waited = self._loop.time() - self._used_at
        return self.alive and not self._spoken and waited >= self._limits.gives_way

    def send(self, data: bytes) -> bool:
        """Whether it was taken; a peer that leaves too much unread loses its connection."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() + len(data) > self._limits.unsent:
            self.drop("slow")
            return False
        self._transport.write(data)
        self._used_at = self._loop.time()
        return True

    def drop(self, reason: str) -> None:
        """Close it now, without what is unsent."""
        if self._transport is not None and not self._transport.is_closing():
            self._reason = reason
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        _tell_when_unheard(transport.get_extra_info("socket"))
        if self.accepted:
            self.peer = transport.get_extra_info("peername")
        if refused := self._owner.opened(self):
            self.drop(refused)
            return
        wait = self._limits.idle if self._spoken else self._limits.first_message
        self._timer = self._loop.call_later(wait, self._look)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._owner.closed(self, "lost" if exc is not None else self._reason)

    def _take(self) -> None:
        assert self._transport is not None
        for _ in range(_AT_ONCE):
            if self._transport.is_closing():
                return
            try:
                item = self._reader.take()
            except StreamBroken:
                self.drop("broken")
                return
            if item is None:
                self._transport.resume_reading()
                return
            self._handle(item)
        self._transport.pause_reading()
        self._loop.call_soon(self._take)

    def _handle(self, item: bytes | Ping) -> None:
        self._used_at = self._loop.time()
        if isinstance(item, Ping):
            self.send(PONG)
        else:
            self._spoken = True
        self._owner.took(item, self.peer)

    def _look(self) -> None:
        """The time is up, unless something whole has gone by since."""
        if not self._spoken:
            self.drop("silent")
            return
        left = self._used_at + self._limits.idle - self._loop.time()
        if left <= 0 and self._owner.is_kept(self):
            left = self._limits.idle
        if left <= 0:
            self.drop("idle")
            return
        self._timer = self._loop.call_later(left, self._look)


def _tell_when_unheard(connected: socket.socket) -> None:
    """Let the kernel end a connection whose peer has vanished; its own patience is hours.

    A phone that has lost its power says nothing, and its connection may be kept for the sake of its
    registration: the kernel asks it.
    """
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_FOR)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ASKED_AFTER)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASKED_AFTER // 4)
