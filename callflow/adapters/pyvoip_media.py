"""pyVoIP's RTP with exact times of arrival, ready µ-law and key presses.

pyVoIP polls its socket every 10 ms and keeps no arrival times, goes deaf at a one-byte datagram,
codes audio in 8 bits and cannot press keys. Here the kernel stamps what arrives, an `Ear` keeps it,
and a `Mouth` says what each packet carries. Sequence, timestamps and SSRC stay pyVoIP's.

Linux only, for the kernel's stamps.
"""

import socket
import struct
import threading
import time
from itertools import count
from typing import Any, Final

import pyVoIP.VoIP  # noqa: F401  # pyVoIP's other modules cannot be imported before this one
from pyVoIP import RTP

from callflow.adapters import ear
from callflow.adapters.mouth import TICK_S, Announce, Mouth

# Not in Python's socket module; the value is the same on every Linux but Alpha, PA-RISC and SPARC.
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("@ll")


class TimedSocket(socket.socket):
    """A UDP socket that knows when the kernel took in the datagram that `recv` gave last."""

    def __init__(self, host: str) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.bind((host, 0))
        self.arrived = time.monotonic()

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data, ancillary, _, _ = self.recvmsg(bufsize, socket.CMSG_SPACE(_TIMESPEC.size), flags)
        now, wall = time.monotonic(), time.time()
        self.arrived = now
        for level, kind, stamp in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(stamp)
                # The stamp is wall time, which may be set at any moment: only its age is used.
                self.arrived = now - (wall - seconds - nanoseconds / 1e9)
        return data


class Ear:
    """Keeps what arrives, and tells where sound begins and ends."""

    # A packet may lie in the kernel's buffer until pyVoIP's next poll.
    POLL_S: Final = 0.05

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._lock = threading.Lock()
        self._sounds = ear.Sounds()
        self.packets: list[ear.Packet] = []

    @property
    def sounds(self) -> list[tuple[float, float]]:
        return list(self._sounds.spans)

    def heard(self, packet: ear.Packet) -> None:
        self.silent_at(packet.arrived)
        with self._lock:
            self.packets.append(packet)
            begins = packet.audible and self._sounds.heard(packet.arrived, packet.arrived + packet.seconds)
        if begins:
            self._announce("sound_started", packet.arrived)

    def silent_at(self, now: float) -> None:
        with self._lock:
            ended = self._sounds.silent_at(now)
        if ended is not None:
            self._announce("sound_ended", ended)

    def finish(self) -> None:
        """The call is over, and with it the sound that was going on."""
        with self._lock:
            ended = self._sounds.finish()
        if ended is not None:
            self._announce("sound_ended", ended)


class MediaSocket(TimedSocket):
    """pyVoIP's RTP socket; turns its audio packets into key presses while a key is down."""

    def __init__(self, host: str, mouth: Mouth, *, sends: bool = True) -> None:
        super().__init__(host)
        self._mouth = mouth
        self._sends = sends
        self._pressed = b""
        """The timestamp of the beginning of the key press, which all its packets carry."""
        self.event_kind = 0
        """The payload type of telephone events; 0 where the answer has none."""

    def sendto(self, packet: Any, address: Any) -> int:  # type: ignore[override]
        stroke = self._mouth.stroke
        if not self._sends:
            return len(packet)
        if stroke:
            if stroke.first:
                self._pressed = packet[4:8]
            kind = stroke.first << 7 | self.event_kind
            packet = b"".join(
                (packet[:1], bytes([kind]), packet[2:4], self._pressed, packet[8:12], stroke.payload())
            )
        return super().sendto(packet, address)


class Media(RTP.RTPClient):
    """pyVoIP's media of a call on a socket that was bound before the call was offered.

    `start` comes again with every re-INVITE; pyVoIP would start a second pair of threads.
    """

    def __init__(self, line: MediaSocket, mouth: Mouth, hearing: Ear, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sin: TimedSocket = line
        self.sout = line
        # Frames are ready µ-law; pyVoIP would send them as whatever the answer names first.
        self.preference = RTP.PayloadType.PCMU
        self._mouth = mouth
        self._hearing = hearing
        self._threads: list[threading.Thread] = []
        self._ticks = count(1)
        self._began = 0.0
        self._ticked = 0.0
        events = [number for number, kind in self.assoc.items() if kind == RTP.PayloadType.EVENT]
        line.event_kind = events[0] if events else 0

    def start(self) -> None:
        if self._threads:
            return
        self.sin.setblocking(False)
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self.recv, self.trans)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        if not self.NSD:
            return
        self.NSD = False
        for thread in self._threads:
            thread.join(2 * TICK_S)
        self._drain()
        self._hearing.finish()
        self.sin.close()

    def _drain(self) -> None:
        while True:
            try:
                self.parse_packet(self.sin.recv(8192))
            except BlockingIOError:
                return

    def parse_packet(self, packet: bytes) -> None:
        parsed = ear.parse(packet, self.sin.arrived)
        if parsed is not None:
            self._hearing.heard(parsed)
            self._mouth.heard(parsed)

    def encode_packet(self, payload: bytes) -> bytes:
        # pyVoIP packs these right after, and sends a malformed packet once they are too large.
        self.outSequence %= 1 << 16
        self.outTimestamp %= 1 << 32
        self._ticked = time.monotonic()
        self._hearing.silent_at(self._ticked - Ear.POLL_S)
        return self._mouth.frame(self._ticked)

    @property
    def trans_delay_reduction(self) -> float:
        """pyVoIP divides each sleep by this. It sleeps a frame less its own work and never makes up
        for oversleeping (49.6 packets a second); so the quotient is made the time to the next tick."""
        now = time.monotonic()
        wanted = self._began + next(self._ticks) * TICK_S - now
        if wanted < -10 * TICK_S:
            self._began -= wanted
        sleep = max(TICK_S - (now - self._ticked), 1e-6)
        return sleep / max(wanted, 1e-6)


def fit(line: MediaSocket, mouth: Mouth, hearing: Ear) -> None:
    """Have pyVoIP make its media of these; it looks the class up by name at each call."""

    def client(*args: Any, **options: Any) -> Media:
        return Media(line, mouth, hearing, *args, **options)

    RTP.RTPClient = client  # type: ignore[assignment, misc]
