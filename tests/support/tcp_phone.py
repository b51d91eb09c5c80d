"""A seat's phone by TCP, at real sockets of loopback: it registers, and shows what comes to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from callflow.sip.address import Address
from callflow.sip.credentials import Credentials
from callflow.sip.message import Request, Response, parse
from callflow.sip.stream import StreamReader


class Connection:
    """One TCP connection, read message by message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._messages = StreamReader()

    @property
    def local(self) -> Address:
        address: Address = self._writer.get_extra_info("sockname")
        return address

    def send(self, *lines: str) -> None:
        self._writer.write("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())

    async def next(self) -> Request | Response:
        """The message that comes next. Raises `ConnectionError` where there is none."""
        while True:
            item = self._messages.take()
            if isinstance(item, bytes):
                return parse(item)
            if not (data := await self._reader.read(65536)):
                raise ConnectionError("closed by the other side")
            self._messages.feed(data)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


class TcpPhone:
    """Registers from one port, and listens at another, which its Contact names."""

    def __init__(self, service: Address, user: str, password: str) -> None:
        self.service, self.user = service, user
        self.connections: asyncio.Queue[Connection] = asyncio.Queue()
        """Those that the service has opened."""
        self._credentials = Credentials(user, password, lambda: "cnonce")
        self._cseq = 0
        self._opened: list[Connection] = []
        self.address: Address = ("127.0.0.1", 0)

    async def __aenter__(self) -> "TcpPhone":
        self._server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self.address = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in self._opened:
            await connection.close()

    async def dials(self) -> Connection:
        """A connection of its own to the service."""
        connection = Connection(*await asyncio.open_connection(*self.service))
        self._opened.append(connection)
        return connection

    async def registers(self, connection: Connection, expires: int = 300) -> int:
        """By that connection; the status."""
        while True:
            self._cseq += 1
            uri = f"sip:{self.service[0]}"
            proof = [f"{name}: {value}" for name, value in self._credentials.fields("REGISTER", uri)]
            connection.send(
                f"REGISTER {uri} SIP/2.0",
                f"Via: SIP/2.0/TCP {self.address[0]}:{self.address[1]};branch=z9hG4bKr{self._cseq}",
                f"From: <sip:{self.user}@h>;tag=1",
                f"To: <sip:{self.user}@h>",
                "Call-ID: by-tcp",
                f"CSeq: {self._cseq} REGISTER",
                f"Contact: <sip:{self.user}@{self.address[0]}:{self.address[1]};transport=tcp>",
                f"Expires: {expires}",
                *proof,
            )
            answer = await connection.next()
            assert isinstance(answer, Response)
            if answer.status != 401 or not self._credentials.challenged(answer):
                return answer.status

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self._opened.append(connection)
        self.connections.put_nowait(connection)


@asynccontextmanager
async def tcp_phone(service: Address, user: str, password: str) -> AsyncIterator[tuple[TcpPhone, Connection]]:
    """A phone that has registered, and the connection by which it has."""
    async with TcpPhone(service, user, password) as phone:
        connection = await phone.dials()
        assert await phone.registers(connection) == 200
        yield phone, connection
