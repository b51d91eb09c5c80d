"""A peer at a loopback address of its own that speaks SIP by hand: calls, and whatever a test writes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Address = tuple[str, int]
SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} {media}\r\n"


class BareCaller:
    """A UDP socket at a loopback address of its own."""

    def __init__(self, server: Address, host: str) -> None:
        self._server = server
        self.host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self._calls = 0

    async def invites(self, media: str = "RTP/AVP 0", number: str = "10086") -> str:
        """The first response that is final."""
        self._calls += 1
        name = f"{self.host}-{self._calls}"
        body = SDP.format(host=self.host, port=40_000 + 2 * self._calls, media=media)
        port = self._socket.getsockname()[1]
        text = (
            f"INVITE sip:{number}@{self._server[0]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:{port};branch=z9hG4bK{name}\r\n"
            f"From: <sip:p@{self.host}>;tag=1\r\nTo: <sip:{number}@{self._server[0]}>\r\n"
            f"Call-ID: {name}\r\nCSeq: 1 INVITE\r\n"
            f"Contact: <sip:p@{self.host}:{port}>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        await self.sends(text.encode())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while True:
                answer = (await loop.sock_recvfrom(self._socket, 65535))[0].decode()
                if f"Call-ID: {name}\r\n" in answer and not answer.startswith("SIP/2.0 1"):
                    return answer

    async def sends(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendto(self._socket, data, self._server)

    async def receives(self) -> str:
        """The next message."""
        async with asyncio.timeout(10):
            return (await asyncio.get_running_loop().sock_recvfrom(self._socket, 65535))[0].decode()

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def caller_at(server: Address, host: str) -> AsyncIterator[BareCaller]:
    caller = BareCaller(server, host)
    try:
        yield caller
    finally:
        caller.close()
