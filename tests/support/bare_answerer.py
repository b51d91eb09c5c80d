"""A SIP answerer that knows the least there is: registrar, one call, tones, a BYE.

It notes when it truly sent and got what, which is what a softphone's report is held against.
Loopback only; nothing is sent twice.
"""

import asyncio
import hashlib
import re
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from callflow.adapters import ear

HOST = "127.0.0.1"
USER, PASSWORD, NUMBER = "1001", "open sesame", "4001"
REALM, NONCE = "bare", "5f1c"
FRAME, TICK_S = 160, 0.02
SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


@dataclass(frozen=True, slots=True)
class Sound:
    """A tone of so many seconds, or silence."""

    seconds: float
    tone: bool = True


def silence(seconds: float) -> Sound:
    return Sound(seconds, tone=False)


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r$", message, re.M)
    return found[1] if found else ""


@dataclass
class BareAnswerer(asyncio.DatagramProtocol):
    """See `answerer`."""

    script: tuple[Sound, ...] = ()
    """What the caller hears once the ACK came, and then a BYE."""
    refuse: str = ""
    """The status line that answers INVITE, if not 200."""
    ring_for_ever: bool = False
    says_bye: bool = True
    takes_keys: bool = True
    crosses_cancel: bool = False
    """Answers with 200 as if it had left before the CANCEL came."""

    requests: list[str] = field(default_factory=list)
    sent_sounds: list[tuple[float, float]] = field(default_factory=list)
    sent: list[ear.Packet] = field(default_factory=list)
    received: list[ear.Packet] = field(default_factory=list)
    answered_at: float = 0.0
    bye_sent_at: float = 0.0
    bye_came_at: float = 0.0
    _caller: tuple[str, int] = (HOST, 0)
    _invite: str = ""
    _playing: asyncio.Task[None] | None = None

    def open(self, transport: asyncio.DatagramTransport) -> None:
        self._sip = transport
        self.port: int = transport.get_extra_info("sockname")[1]
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.setblocking(False)
        self._rtp.bind((HOST, 0))
        asyncio.get_running_loop().add_reader(self._rtp, self._hear)

    async def close(self) -> None:
        self._stop()
        if self._playing:
            await asyncio.gather(self._playing, return_exceptions=True)
        asyncio.get_running_loop().remove_reader(self._rtp)
        self._rtp.close()
        self._sip.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message, self._caller = data.decode(), addr
        self.requests.append(message)
        match message.split()[0]:
            case "REGISTER" if self._authorised(message):
                self._answer(message, "200 OK", contact=header(message, "Contact"))
            case "REGISTER":
                self._answer(message, "401 Unauthorized", challenge=True)
            case "INVITE":
                self._invited(message)
            case "ACK" if self.answered_at and not self._playing:
                self._playing = asyncio.create_task(self._play(), name="answerer.play")
            case "BYE":
                self.bye_came_at = time.monotonic()
                self._stop()
                self._answer(message, "200 OK")
            case "CANCEL":
                self._answer(message, "200 OK")
                if self.crosses_cancel:
                    self._accept()
                else:
                    self._answer(self._invite, "487 Request Terminated")

    def _stop(self) -> None:
        if self._playing:
            self._playing.cancel()

    def of(self, method: str) -> list[str]:
        return [message for message in self.requests if message.startswith(method)]

    def _authorised(self, message: str) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', header(message, "Authorization")))
        if not said:
            return False
        ours = _md5(f"{USER}:{REALM}:{PASSWORD}")
        asked = _md5(f"{message.split()[0]}:{said['uri']}")
        return str(said["response"]) == _md5(f"{ours}:{said['nonce']}:{asked}")

    def _invited(self, message: str) -> None:
        if not self._authorised(message):
            self._answer(message, "401 Unauthorized", challenge=True)
            return
        self._invite = message
        if self.refuse:
            self._answer(message, self.refuse)
            return
        self._answer(message, "100 Trying")
        self._answer(message, "180 Ringing")
        if not self.ring_for_ever:
            asyncio.get_running_loop().call_later(0.05, self._accept)

    def _accept(self) -> None:
        self.answered_at = time.monotonic()
        body = SDP.format(host=HOST, port=self._rtp.getsockname()[1])
        if not self.takes_keys:
            body = re.sub(r" 101\r|a=\w+:101 .*?\r\n", lambda found: "\r" * found[0].startswith(" "), body)
        self._answer(self._invite, "200 OK", contact=f"<sip:{NUMBER}@{HOST}:{self.port}>", body=body)

    def _answer(
        self, request: str, status: str, *, contact: str = "", challenge: bool = False, body: str = ""
    ) -> None:
        to = header(request, "To") + ("" if status.startswith("100") else ";tag=bare")
        lines = [f"SIP/2.0 {status}", f"Via: {header(request, 'Via')}", f"To: {to}"]
        lines += [f"{name}: {header(request, name)}" for name in ("From", "Call-ID", "CSeq")]
        lines += [f"Contact: {contact}"] * bool(contact)
        lines += [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5'] * challenge
        lines += ["Content-Type: application/sdp"] * bool(body)
        lines += [f"Content-Length: {len(body)}", "", body]
        self._sip.sendto("\r\n".join(lines).encode(), self._caller)

    def _hear(self) -> None:
        datagram = self._rtp.recv(2048)
        packet = ear.parse(datagram, time.monotonic())
        assert packet
        self.received.append(packet)

    async def _play(self) -> None:
        found = re.search(r"m=audio (\d+)", self._invite)
        assert found
        caller = HOST, int(found[1])
        began = time.monotonic()
        for sound in self.script:
            first = len(self.sent)
            for _ in range(round(sound.seconds / TICK_S)):
                await asyncio.sleep(began + len(self.sent) * TICK_S - time.monotonic())
                self._send_frame(caller, tone=sound.tone)
            if sound.tone:
                self.sent_sounds.append((self.sent[first].arrived, self.sent[-1].arrived + TICK_S))
        if self.says_bye:
            self._hang_up()

    def _send_frame(self, caller: tuple[str, int], *, tone: bool) -> None:
        at = len(self.sent) * FRAME
        wave = 8000 * np.sin(2 * np.pi * 440 / 8000 * np.arange(at, at + FRAME)) if tone else np.zeros(FRAME)
        head = struct.pack("!BBHII", 0x80, 0, len(self.sent), at, 0xBA2E)
        datagram = head + ear.ulaw(wave)
        packet = ear.parse(datagram, time.monotonic())
        assert packet
        self._rtp.sendto(datagram, caller)
        self.sent.append(packet)

    def _hang_up(self) -> None:
        contact = header(self._invite, "Contact").strip("<>")
        lines = (
            f"BYE {contact} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bKbare;rport",
            "Max-Forwards: 70",
            f"From: {header(self._invite, 'To')};tag=bare",
            f"To: {header(self._invite, 'From')}",
            f"Call-ID: {header(self._invite, 'Call-ID')}",
            "CSeq: 1 BYE",
            "Content-Length: 0",
        )
        self.bye_sent_at = time.monotonic()
        self._sip.sendto("\r\n".join((*lines, "", "")).encode(), self._caller)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@asynccontextmanager
async def answerer(
    *script: Sound, refuse: str = "", ring_for_ever: bool = False, says_bye: bool = True
) -> AsyncIterator[BareAnswerer]:
    """A bare answerer on a free port of the loopback."""
    bare = BareAnswerer(script, refuse, ring_for_ever, says_bye)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: bare, local_addr=(HOST, 0)
    )
    bare.open(transport)
    try:
        yield bare
    finally:
        await bare.close()
