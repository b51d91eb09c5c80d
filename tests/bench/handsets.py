"""Handsets that talk at fifty packets a second each, in a process of its own, and press keys when told to.

Each has a port that is known before, for sipp to name it; where it is to send to it is told later.
"""

import multiprocessing
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

GROUPS = 20
STEP = 0.02 / GROUPS
"""Seconds from one group's packets to the next one's."""
_SPEECH = bytes(range(0xD0, 0xD8)) * 20
_EVENT = 101
"""The payload type of telephone-event in sipp's scenarios."""
_KEY_PACKETS, _KEY_ENDS = 8, 3
_MEMINFO = 55


@dataclass(frozen=True, slots=True)
class Talk:
    """From now on `port` sends to `to`."""

    port: int
    to: int


@dataclass(frozen=True, slots=True)
class Press:
    """`port` presses a key (RFC 4733)."""

    port: int
    key: int


@dataclass(slots=True)
class Heard:
    """What all of them have to tell."""

    sent: int = 0
    came: int = 0
    missed: int = 0
    """Sequence numbers of ours that never came."""
    overflowed: int = 0
    lateness: list[float] = field(default_factory=list)
    """Seconds by which each step began late."""


@dataclass(slots=True)
class _Handset:
    socket: socket.socket
    target: tuple[str, int] | None = None
    sequence: int = 0
    key: int = 0
    key_left: int = 0
    """Packets of the key that is being pressed."""
    key_began: int = 0
    last: dict[int, int] = field(default_factory=dict)
    """The sequence number that came last of each source (SSRC): the prompts' and the other party's differ."""

    def packet(self) -> bytes:
        """The next one; 20 ms after the one before."""
        self.sequence += 1
        if not self.key_left:
            return struct.pack("!BBHII", 0x80, 8, self.sequence & 0xFFFF, self.sequence * 160, 1) + _SPEECH
        sent = _KEY_PACKETS - self.key_left
        self.key_began = self.sequence if sent == 0 else self.key_began
        self.key_left -= 1
        ends = 0x80 if self.key_left < _KEY_ENDS else 0
        head = (0x80, _EVENT | (0x80 if sent == 0 else 0), self.sequence & 0xFFFF, self.key_began * 160, 1)
        lasted = min(sent + 1, _KEY_PACKETS - _KEY_ENDS) * 160
        return struct.pack("!BBHIIBBH", *head, self.key, ends | 10, lasted)

    def hear(self, heard: Heard) -> bool:
        """Take one packet; whether there was one."""
        try:
            data = self.socket.recv(2048)
        except BlockingIOError:
            return False
        sequence, _, source = struct.unpack_from("!HII", data, 2)
        gap = (sequence - self.last.get(source, sequence - 1)) & 0xFFFF
        heard.missed += gap - 1 if 1 <= gap < 3000 else 0
        heard.came += 1
        self.last[source] = sequence
        return True


@contextmanager
def handsets(ports: range) -> Iterator[Connection]:
    """They work while the block runs: send `Talk` and `Press`, and at last "stop" to be told `Heard`.

    Raises `OSError` where one of the ports is taken.
    """
    phones = {port: _Handset(_bound(port)) for port in ports}
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(phones, there), daemon=True)
    process.start()
    try:
        yield here
    finally:
        here.close()
        process.join(1)
        process.kill()
        process.join()
        there.close()
        for phone in phones.values():
            phone.socket.close()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound


def _work(phones: dict[int, _Handset], pipe: Connection) -> None:
    heard, everyone = Heard(), list(phones.values())
    step, due = 0, time.perf_counter()
    while _obey(phones, pipe):
        heard.lateness.append(time.perf_counter() - due)
        for phone in everyone[step % GROUPS :: GROUPS]:
            if phone.target:
                phone.socket.sendto(phone.packet(), phone.target)
                heard.sent += 1
            phone.hear(heard)
        step, due = step + 1, due + STEP
        time.sleep(max(due - time.perf_counter(), 0))
    for phone in everyone:
        while phone.hear(heard):
            pass
        counters = struct.unpack("9I", phone.socket.getsockopt(socket.SOL_SOCKET, _MEMINFO, 36))
        heard.overflowed += counters[8]
    pipe.send(heard)


def _obey(phones: dict[int, _Handset], pipe: Connection) -> bool:
    """Whether to go on."""
    while pipe.poll():
        match pipe.recv():
            case Talk(port=port, to=to):
                phones[port].target = ("127.0.0.1", to)
            case Press(port=port, key=key):
                phones[port].key, phones[port].key_left = key, _KEY_PACKETS
            case _:
                return False
    return True
