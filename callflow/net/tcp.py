"""SIP over TCP: connections in both directions, each used both ways (RFC 3261 §18).

No callback comes from within `send`: the SIP core may send from anywhere. A connection belongs to its peer's
address and port; a response to a peer whose connection has gone needs the core to find its other address
(§18.2.2), as nobody listens where the peer dialled from.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from callflow.net.acceptor import Acceptor, listen
from callflow.net.tcp_connection import REASONS, Connection, Limits
from callflow.sip.address import Address, AllowList, is_sendable
from callflow.sip.stream import Ping

_MOST_OF_HOST: Final = 500
_KINDS: Final = ("accepted", "dialled", "failed", "unsent", "pings", *REASONS)


class TcpTransport:
    """One listening socket, and all connections to and from peers."""

    def __init__(
        self,
        address: Address,
        received: Callable[[bytes, Address], None],
        failed: Callable[[Address], None],
        allowed: AllowList,
        limits: Limits | None = None,
    ) -> None:
        """`failed` is told of each peer that could not be reached, or was lost (RFC 3261 §18.4).

        Raises `OSError` where `address` is taken.
        """
        self.on_closed: Callable[[Address], object] = lambda peer: None
        """Told whose connection is gone, for whatever reason."""
        self.keeps: Callable[[Address], bool] = lambda peer: False
        """Whether a connection is to stay though nothing goes by it."""
        self.on_fault: Callable[[str], object] = lambda kind: None
        """Told what keeps us from accepting, as `accept_emfile`."""
        self.counts = dict.fromkeys(_KINDS, 0)
        """Connections by how they began and ended, messages unsent, pings; since the start."""
        self.on_refused: Callable[[str, str], object] = lambda host, why: None
        """Told of each connection that may not stay: from which host, and which of the `REASONS`."""
        self.most_of_host = _MOST_OF_HOST
        """Connections accepted from one host."""
        self.has_no_limit: Callable[[str], bool] = lambda host: False
        """Asked of a host whether `most_of_host` is not for it."""
        self._received = received
        self._failed = failed
        self._allowed = allowed
        self._limits = limits or Limits()
        self._connections: dict[Address, Connection] = {}
        self._of_hosts: dict[str, set[Connection]] = {}
        """The accepted ones of each host."""
        self._dialling: dict[Address, list[bytes]] = {}
        """What waits for each connection that is being opened."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._socket = listen(address)
        # Whoever asks by HTTP how we are must find room still.
        self._acceptor = Acceptor(self._socket, lambda: Connection(self, self._limits, None), reserves=2)
        self._acceptor.make_room = self._make_room
        self._acceptor.on_refused = self._refused
        self._acceptor.on_fault = lambda what: self.on_fault(f"accept_{what}")

    def __len__(self) -> int:
        """Connections there are, and that are being opened."""
        return len(self._connections) + len(self._dialling)

    @property
    def address(self) -> Address:
        host, port = self._socket.getsockname()
        return host, port

    async def start(self) -> None:
        """Accept. Sending needs no start."""
        self._acceptor.start()

    async def close(self) -> None:
        """End all connections; nothing of it is left when this returns."""
        self._closed = True
        await self._acceptor.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A task that was cancelled before its first step has cleared up nothing.
        for destination in list(self._dialling):
            self._give_up(destination)
        for connection in list(self._connections.values()):
            connection.drop("stopped")
        # The loop closes aborted sockets in its next round.
        await asyncio.sleep(0)

    def send(self, data: bytes, destination: Address) -> None:
        """By the connection to `destination`, or by one that is opened for it."""
        connection = self._connections.get(destination)
        if connection is not None and connection.alive:
            self.counts["unsent"] += not connection.send(data)
        elif destination in self._dialling:
            self._wait(data, destination)
        elif self._closed or not is_sendable(*destination) or len(self) >= self._limits.connections:
            self.counts["unsent"] += 1
            self._fail(destination)
        else:
            self._dialling[destination] = [data]
            task = asyncio.create_task(self._dial(destination), name="sip.tcp.dial")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def opened(self, connection: Connection) -> str:
        peer = connection.peer
        if self._closed:
            return "stopped"
        if connection.accepted and (why := self._why_not(peer[0])):
            self.on_refused(peer[0], why)
            return why
        if connection.accepted:
            self._of_hosts.setdefault(peer[0], set()).add(connection)
        if before := self._connections.get(peer):
            before.drop("replaced")
        self._connections[peer] = connection
        self.counts["accepted" if connection.accepted else "dialled"] += 1
        for data in self._dialling.pop(peer, ()):
            self.counts["unsent"] += not connection.send(data)
        return ""

    def closed(self, connection: Connection, reason: str) -> None:
        self.counts[reason] += 1
        if (others := self._of_hosts.get(connection.peer[0])) is not None:
            others.discard(connection)
            if not others:
                del self._of_hosts[connection.peer[0]]
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]
            if not self._closed:
                self.on_closed(connection.peer)
        if reason in ("lost", "slow"):
            self._fail(connection.peer)

    def is_kept(self, connection: Connection) -> bool:
        return self.keeps(connection.peer)

    def took(self, message: bytes | Ping, source: Address) -> None:
        if isinstance(message, Ping):
            self.counts["pings"] += 1
        else:
            self._received(message, source)

    def _why_not(self, host: str) -> str:
        """Why a connection from there is not taken; empty where it is."""
        if host not in self._allowed:
            return "refused"
        if len(self._of_hosts.get(host, ())) >= self.most_of_host and not self.has_no_limit(host):
            return "too_many_of_source"
        return "too_many" if len(self) >= self._limits.connections and not self._make_room() else ""

    def _make_room(self) -> bool:
        """Whether a connection has given way that was accepted a while ago and has said nothing whole yet.

        Who holds many connections open and says nothing must not keep phones out.
        """
        silent = [each for each in self._connections.values() if each.gives_way]
        if silent:
            silent[0].drop("too_many")
        return bool(silent)

    def _refused(self) -> None:
        self.counts["too_many"] += 1
        self.on_refused("", "descriptors")

    def _wait(self, data: bytes, destination: Address) -> None:
        waiting = self._dialling[destination]
        if len(waiting) < self._limits.waiting:
            waiting.append(data)
        else:
            self.counts["unsent"] += 1

    async def _dial(self, destination: Address) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.opening):
                await loop.create_connection(
                    lambda: Connection(self, self._limits, destination), *destination, family=socket.AF_INET
                )
        except OSError:
            self._fail(destination)
        finally:
            self._give_up(destination)

    def _give_up(self, destination: Address) -> None:
        """What still waits has no connection to leave by."""
        self.counts["unsent"] += len(self._dialling.pop(destination, ()))

    def _fail(self, destination: Address) -> None:
        self.counts["failed"] += 1
        if not self._closed:
            asyncio.get_running_loop().call_soon(self._failed, destination)
