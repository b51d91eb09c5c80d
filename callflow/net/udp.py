"""SIP's UDP socket: datagrams in by callback, datagrams out, both in sight of the loop."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from callflow.sip.address import Address, is_sendable

_LARGEST: Final = 65535
_AT_ONCE: Final = 64
"""Datagrams read in a row before other work gets its turn."""


class UdpTransport:
    """One bound socket. A datagram that cannot be sent is counted, and costs nobody the socket."""

    def __init__(self, address: Address, received: Callable[[bytes, Address], None]) -> None:
        """Raises `OSError` where `address` is taken."""
        self.unsent = 0
        self._received = received
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
            self._socket.setblocking(False)
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise

    @property
    def address(self) -> Address:
        host, port = self._socket.getsockname()
        return host, port

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def send(self, data: bytes, destination: Address) -> None:
        if not is_sendable(*destination):
            self.unsent += 1
            return
        try:
            self._socket.sendto(data, destination)
        except OSError:
            # The timers of SIP send it again where it matters.
            self.unsent += 1

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, source = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier send; it belongs to no datagram that we could read.
                continue
            self._received(data, source)
