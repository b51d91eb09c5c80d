"""Many phones in one process, at real sockets: they register, call, answer, speak, and note what they hear.

async with LoopbackPhone(server, "caller") as phone:
    call = await phone.call("10086")
    await call.press("1")
    assert call.longest_silence() < 20
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable
from types import TracebackType

from callflow.sip.credentials import Credentials
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.sdp import accept
from tests.support.rtp_packets import Address, event, packet

PATIENCE = 15.0
VOICES = tuple(bytes(0x20 + (n * 7 + which) % 64 for n in range(160)) for which in range(64))
"""20 ms that are loud and no tone that an exchange has; each phone may have its own."""
VOICE = VOICES[0]
SILENCE = b"\xff" * 160
_KNOWN = frozenset(VOICES)
_EVENT = 101
_LOUD = 40
"""Samples of a packet that must be loud for it to be a sound."""


def _now() -> float:
    return asyncio.get_running_loop().time()


def _contact(message: Request | Response) -> str:
    return str(NameAddress.parse(message.headers.need("contact")).uri)


class Call(asyncio.DatagramProtocol):
    """One leg with its audio; `over_at` is when its end was told by the other side."""

    def __init__(self, phone: "LoopbackPhone", call_id: str) -> None:
        self.phone = phone
        self.call_id = call_id
        self.local = self.remote = self.target = ""
        self.cseq = 1
        self.status = 0
        self.began_at = self.talks_since = _now()
        self.over_at: float | None = None
        self.by_us = False
        self.closed_at: float | None = None
        """When it was over for this phone, whoever ended it."""
        self.packets = 0
        self.sounds: list[float] = []
        """When each loud packet came."""
        self.voices = 0
        """Packets with what another of these phones says."""
        self.hears = b""
        """What it has said last."""
        self.says = VOICE
        self.is_over = asyncio.Event()
        self._ssrc = secrets.randbits(32)
        self._sent = 0
        self._audio: asyncio.DatagramTransport | None = None
        self._talking: asyncio.Task[None] | None = None

    # --- audio ---

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._audio, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.phone.host, 0))

    def close(self) -> None:
        if self._talking:
            self._talking.cancel()
        if self._audio:
            self._audio.close()
        self.closed_at = self.closed_at or _now()
        self.is_over.set()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.packets += 1
        if data[12:] in _KNOWN:
            self.voices += 1
            self.hears = data[12:]
        if data[1] & 0x7F == 0 and sum(code & 0x7F < 0x60 for code in data[12:]) > _LOUD:
            self.sounds.append(_now())

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there just now: a plane is being replaced."""

    @property
    def sdp(self) -> bytes:
        assert self._audio is not None
        port = self._audio.get_extra_info("sockname")[1]
        host = self.phone.host
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        ).encode()

    def talk(self, description: bytes) -> None:
        """Send audio to where the other side wants it."""
        remote = accept(description).remote
        self.talks_since = _now()
        if self._talking:
            self._talking.cancel()
        if remote is not None:
            self._talking = asyncio.create_task(self._talk(remote))

    def falls_silent(self) -> None:
        """Send no audio any more."""
        if self._talking:
            self._talking.cancel()

    async def _talk(self, remote: Address) -> None:
        due = _now()
        while True:
            self._send(self.says, remote)
            due += 0.02
            await asyncio.sleep(max(0.0, due - _now()))

    def _send(self, payload: bytes, remote: Address, kind: int = 0) -> None:
        assert self._audio is not None
        number = self._sent
        sent = packet(payload, kind=kind, sequence=number, timestamp=160 * number, ssrc=self._ssrc)
        self._audio.sendto(sent, remote)
        self._sent += 1

    async def press(self, key: str, description: bytes) -> None:
        """A key of 100 ms."""
        remote = accept(description).remote
        assert remote is not None
        assert self._audio is not None
        stamp = 160 * self._sent
        for number in range(8):
            payload = event(key, 160 * min(number + 1, 5), end=number >= 5)
            sent = packet(payload, kind=_EVENT, sequence=self._sent, timestamp=stamp, ssrc=self._ssrc)
            self._audio.sendto(sent, remote)
            self._sent += 1
            await asyncio.sleep(0.02)

    def longest_silence(self, since: float = 0.0, until: float | None = None) -> float:
        """Seconds without a sound from `since` (or from the answer) to `until` (the call's end, or now)."""
        begun = max(since, self.talks_since)
        end = until or self.closed_at or _now()
        times = [begun, *(at for at in self.sounds if begun <= at <= end), end]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    # --- signalling ---

    async def hang_up(self) -> None:
        if not self.is_over.is_set():
            self.by_us = True
            self.cseq += 1
            await self.phone.ask(self.request("BYE"))
            self.close()

    def request(self, method: str, body: bytes = b"", *fields: str, branch: str = "") -> bytes:
        return self.phone.request(
            method, self.target, self.local, self.remote, self.call_id, self.cseq, *fields,
            body=body, branch=branch,
        )  # fmt: skip

    async def ended(self, within: float = PATIENCE) -> None:
        """Wait until the other side has ended it. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            await self.is_over.wait()


class LoopbackPhone(asyncio.DatagramProtocol):
    """A SIP socket: an account, or a caller of none."""

    def __init__(self, server: Address, user: str, password: str = "", host: str = "127.0.0.1") -> None:
        self.server, self.user, self.host = server, user, host
        self.calls: list[Call] = []
        """Those that it has made and taken, the latest last."""
        self.answers_after: float | None = 0.1
        """Seconds of ringing; None for a phone that is not answered."""
        self.is_dead = False
        """Whether it is unplugged: it sends nothing, and nothing reaches it."""
        self.news = asyncio.Event()
        self._credentials = Credentials(user, password, lambda: secrets.token_hex(4))
        self._waiting: dict[tuple[str, str], asyncio.Queue[Response]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: asyncio.DatagramTransport | None = None
        self._registers = f"reg-{secrets.token_hex(6)}"
        self._registrations = 0

    async def __aenter__(self) -> "LoopbackPhone":
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for call in self.calls:
            call.close()
        if self._socket:
            self._socket.close()

    @property
    def address(self) -> Address:
        assert self._socket is not None
        host, port = self._socket.get_extra_info("sockname")
        return host, port

    # --- what it does ---

    async def register(self, expires: int = 300) -> int:
        """The status of the registrar's answer."""
        own, uri = f"<sip:{self.user}@{self.server[0]}>", f"sip:{self.server[0]}:{self.server[1]}"
        for _ in range(3):
            self._registrations += 1
            proof = [f"{name}: {value}" for name, value in self._credentials.fields("REGISTER", uri)]
            data = self.request(
                "REGISTER", uri, f"{own};tag=reg", own, self._registers, self._registrations,
                f"Expires: {expires}", *proof,
            )  # fmt: skip
            answer = await self.ask(data)
            if answer.status != 401 or not self._credentials.challenged(answer):
                self._credentials.accepted()
                return answer.status
        return 401

    async def call(self, number: str) -> Call:
        """Call, and wait for the final answer: `Call.status`. Raises `TimeoutError`."""
        call = Call(self, secrets.token_hex(8))
        await call.open()
        self.calls.append(call)
        call.target = f"sip:{number}@{self.server[0]}:{self.server[1]}"
        call.local = f"<sip:{self.user}@{self.host}>;tag={secrets.token_hex(4)}"
        call.remote = f"<{call.target}>"
        branch = secrets.token_hex(8)
        answer = await self.ask(call.request("INVITE", call.sdp, branch=branch), call)
        call.status, call.remote = answer.status, str(answer.to)
        if answer.status >= 300:
            self.send(call.request("ACK", branch=branch))
            call.close()
            return call
        call.target = _contact(answer)
        self.send(call.request("ACK"))
        call.talk(answer.body)
        return call

    async def taken(self, is_it: Callable[[Call], bool] = lambda call: True) -> Call:
        """The latest call that it has answered and that stands."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [c for c in self.calls if c.status == 200 and not c.is_over.is_set() and is_it(c)]
                if found:
                    return found[-1]
                self.news.clear()
                await self.news.wait()

    def dies(self) -> None:
        """Somebody has pulled its plug, in the middle of its calls."""
        self.is_dead = True
        for call in self.calls:
            call.falls_silent()
            call.is_over.set()

    # --- the wire ---

    def request(
        self,
        method: str,
        uri: str,
        local: str,
        remote: str,
        call_id: str,
        cseq: int,
        *fields: str,
        body: bytes = b"",
        branch: str = "",
    ) -> bytes:
        host, port = self.address
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch or secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: {local}",
            f"To: {remote}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.user}@{host}:{port}>",
            *fields,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def send(self, data: bytes, to: Address | None = None) -> None:
        assert self._socket is not None
        self._socket.sendto(data, to or self.server)

    async def ask(self, data: bytes, call: Call | None = None) -> Response:
        """The final answer; the request is repeated until one comes. Raises `TimeoutError`."""
        request = parse(data)
        assert isinstance(request, Request)
        key = request.call_id, str(request.cseq)
        answers = self._waiting[key] = asyncio.Queue()
        async with asyncio.timeout(32):
            wait: float | None = 0.5
            while True:
                if wait is not None:
                    self.send(data)
                try:
                    async with asyncio.timeout(wait):
                        answer = await answers.get()
                except TimeoutError:
                    wait = min(2 * (wait or 0.5), 4.0)
                    continue
                if answer.status >= 200:
                    return answer
                # It is at work: nothing is repeated any more.
                wait = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.is_dead:
            return
        message = parse(data, addr)
        if isinstance(message, Response):
            waiting = self._waiting.get((message.call_id, str(message.cseq)))
            if waiting is not None:
                waiting.put_nowait(message)
            return
        assert isinstance(message, Request)
        task = asyncio.create_task(self._handle(message, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, request: Request, source: Address) -> None:
        call = next((c for c in self.calls if c.call_id == request.call_id), None)
        match request.method:
            case "INVITE" if call is None:
                await self._rings(request, source)
            case "INVITE" | "UPDATE":
                assert call is not None
                self._reply(request, source, 200, call.sdp)
            case "BYE" | "CANCEL":
                self._reply(request, source, 200)
                if call and call.over_at is None:
                    call.over_at = _now()
                    call.close()
                self.news.set()
            case "ACK":
                return
            case _:
                self._reply(request, source, 200)

    async def _rings(self, request: Request, source: Address) -> None:
        call = Call(self, request.call_id)
        self.calls.append(call)
        tag = secrets.token_hex(4)
        call.local, call.remote = f"{request.to};tag={tag}", str(request.from_)
        call.target = _contact(request)
        await call.open()
        self._reply(request, source, 180, tag=tag)
        if self.answers_after is None:
            return
        await asyncio.sleep(self.answers_after)
        if call.over_at is not None:
            self._reply(request, source, 487, tag=tag)
            return
        call.status = 200
        self._reply(request, source, 200, call.sdp, tag)
        call.talk(request.body)
        self.news.set()

    def _reply(self, request: Request, to: Address, status: int, body: bytes = b"", tag: str = "") -> None:
        host, port = self.address
        fields = [("contact", f"<sip:{self.user}@{host}:{port}>")]
        if body:
            fields.append(("content-type", "application/sdp"))
        answer = respond(request, status, "Whatever", *fields, to_tag=tag or secrets.token_hex(4), body=body)
        self.send(answer.to_bytes(), to)
