"""The audio half of a phone, at a real socket of loopback: it speaks, and reads what has come."""

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType

from tests.support.rtp_packets import Address, packet

PATIENCE = 15.0
"""Seconds within which what is waited for happens, busy as the machine may be."""


class UdpPhone:
    """A socket for audio, and its odd neighbour for reports."""

    def __init__(self) -> None:
        self.audio, self.reports = _pair()
        self.ssrc = 7
        self._sequence = 0

    @property
    def address(self) -> Address:
        host, port = self.audio.getsockname()
        return host, port

    def __enter__(self) -> "UdpPhone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.audio.close()
        self.reports.close()

    def say(self, code: int, port: int) -> None:
        """Send 20 ms of one code to a port."""
        sent = packet(
            bytes([code]) * 160, sequence=self._sequence, timestamp=160 * self._sequence, ssrc=self.ssrc
        )
        self.audio.sendto(sent, ("127.0.0.1", port))
        self._sequence += 1

    def heard(self) -> list[bytes]:
        """The packets of audio that have come."""
        return [data for data, _ in _all_of(self.audio)]


def told(phone: UdpPhone) -> list[tuple[bytes, int]]:
    """The reports that have come to a phone's odd port, and from which port each did."""
    return _all_of(phone.reports)


async def until(done: Callable[[], bool]) -> None:
    """Ask every 20 ms. Raises `TimeoutError` where it does not become true."""
    for _ in range(round(PATIENCE / 0.02)):
        if done():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def _all_of(one: socket.socket) -> list[tuple[bytes, int]]:
    came: list[tuple[bytes, int]] = []
    while True:
        try:
            data, source = one.recvfrom(2048)
        except BlockingIOError:
            return came
        came.append((data, source[1]))


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets at neighbouring ports, the lower one even."""
    for _ in range(100):
        lower, upper = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        lower.bind(("127.0.0.1", 0))
        port = lower.getsockname()[1]
        try:
            if port % 2 == 0:
                upper.bind(("127.0.0.1", port + 1))
                lower.setblocking(False)
                upper.setblocking(False)
                return lower, upper
        except OSError:
            # Somebody else's: the next try finds other ports.
            port = 0
        lower.close()
        upper.close()
    raise OSError("no two neighbouring ports are free")
