"""All that SIP messages come and go by, at one address."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from callflow.net.tcp import TcpTransport
from callflow.net.udp import UdpTransport
from callflow.sip.address import Address, AllowList, Transport

Received = Callable[[bytes, Address, Transport], None]
Failed = Callable[[Address, Transport], None]
Closed = Callable[[Address, Transport], None]
Keeps = Callable[[Address, Transport], bool]


_TRIES: Final = 20
"""Ports that are tried where any will do: one that is free for UDP may be taken for TCP."""


class Transports:
    """UDP, and TCP at the same port where it is wanted."""

    def __init__(
        self,
        address: Address,
        received: Received,
        failed: Failed,
        allowed: AllowList,
        *,
        tcp: bool,
        strange: Callable[[str], object] = lambda host: None,
    ) -> None:
        """`failed` is told where nothing could be carried to, `strange` of each message from a source that
        is not allowed, and of which nothing else is made. Raises `OSError` where `address` is taken.
        """
        self._received = received
        self._failed = failed
        self._allowed = allowed
        self._strange = strange
        self._udp, self._tcp = self._bound(address, tcp=tcp)

    def _bound(self, address: Address, *, tcp: bool) -> tuple[UdpTransport, TcpTransport | None]:
        """Both at the same port; where any port will do, at one that is free for both."""
        tries = _TRIES if tcp and address[1] == 0 else 1
        while True:
            tries -= 1
            udp = UdpTransport(address, lambda data, source: self._take(data, source, Transport.UDP))
            try:
                return udp, self._bound_tcp(udp.address) if tcp else None
            except OSError:
                udp.close()
                if not tries:
                    raise

    def _bound_tcp(self, address: Address) -> TcpTransport:
        return TcpTransport(
            address,
            lambda data, source: self._take(data, source, Transport.TCP),
            lambda destination: self._failed(destination, Transport.TCP),
            self._allowed,
        )

    @property
    def address(self) -> Address:
        return self._udp.address

    def on_fault(self, told: Callable[[str], object]) -> None:
        """Tell what keeps us from accepting connections."""
        if self._tcp is not None:
            self._tcp.on_fault = told

    def limit_hosts(
        self, most: int, has_no_limit: Callable[[str], bool], refused: Callable[[str, str], object]
    ) -> None:
        """Accept at most so many connections from one host; `has_no_limit` is asked of a host.

        `refused` is told of each connection that is refused: its host, and why.
        """
        if self._tcp is not None:
            self._tcp.most_of_host = most
            self._tcp.has_no_limit, self._tcp.on_refused = has_no_limit, refused

    def follow(self, closed: Closed, keeps: Keeps) -> None:
        """Tell whose connection is gone, and ask whose is to stay though nothing goes by it."""
        if self._tcp is not None:
            self._tcp.on_closed = lambda peer: closed(peer, Transport.TCP)
            self._tcp.keeps = lambda peer: keeps(peer, Transport.TCP)

    def counts(self) -> Mapping[str, int]:
        """TCP's connections and messages by what became of them."""
        return {} if self._tcp is None else self._tcp.counts

    async def start(self) -> None:
        self._udp.start()
        if self._tcp is not None:
            await self._tcp.start()

    async def close(self) -> None:
        self._udp.close()
        if self._tcp is not None:
            await self._tcp.close()

    def _take(self, data: bytes, source: Address, transport: Transport) -> None:
        if source[0] in self._allowed:
            self._received(data, source, transport)
        else:
            self._strange(source[0])

    def send(self, data: bytes, destination: Address, transport: Transport) -> None:
        """Send a message. Over TCP a failure is told; over UDP the timers of SIP send it again."""
        if transport is Transport.UDP:
            self._udp.send(data, destination)
        elif self._tcp is not None:
            self._tcp.send(data, destination)
        else:
            asyncio.get_running_loop().call_soon(self._failed, destination, transport)
