"""The phones of the bench: a process of their own, whose cost is nobody else's.

Each sends a packet every 20 ms, no two groups at the same moment, and every packet bears the time at which
it was sent. When it came is the kernel's word: how often the phones look does not matter.
"""

import multiprocessing
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

Address = tuple[str, int]

GROUPS = 20
STEP = 0.02 / GROUPS
"""Seconds from one group's packets to the next one's."""
_MARK = b"cf"
_SPEECH = 150
"""Bytes of audio after the mark and the time: a packet is of 172 bytes."""
_TIMED = 25
"""One packet in so many bears its time where the phones say something."""
_TIMESTAMPNS = 35
"""SO_TIMESTAMPNS of Linux: each datagram comes with its time."""
_MEMINFO = 55
_DRAIN = 0.3


@contextmanager
def apart(work: Callable[[Connection], None]) -> Iterator[Connection]:
    """A process of its own does the work, and gets the other end of the connection."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=work, args=(there,), daemon=True)
    process.start()
    try:
        yield here
    finally:
        here.close()
        process.join(5)
        process.kill()


@dataclass
class Heard:
    """What the phones have to tell."""

    sent: int = 0
    came: int = 0
    overflowed: int = 0
    delays: list[float] = field(default_factory=list)
    """Seconds from one phone's socket to the other's."""
    lateness: list[float] = field(default_factory=list)
    """Seconds by which the phones' own steps began late."""


class Phones:
    """`legs` phones; leg n talks to the relay's port at n modulo the number of its ports."""

    def __init__(self, legs: int, audio: NDArray[np.uint8] | None = None) -> None:
        """`audio`: what each says, [leg, turn, 160] A-law codes again and again; without it, bytes."""
        self._audio = audio
        self._handsets = [self._handset() for _ in range(legs)]
        self.addresses: list[Address] = [one.getsockname() for one in self._handsets]
        self._heard = Heard()

    @staticmethod
    def _handset() -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        return one

    @contextmanager
    def talking(self, ports: list[int]) -> Iterator[Connection]:
        """They talk while the block runs; whoever sends "stop" to the connection is told what they heard."""
        with apart(partial(self._talk, ports)) as pipe:
            yield pipe

    def close(self) -> None:
        for one in self._handsets:
            one.close()

    def _talk(self, ports: list[int], pipe: Connection) -> None:
        targets = [("127.0.0.1", ports[leg % len(ports)]) for leg in range(len(self._handsets))]
        speech = np.random.default_rng(1).integers(0xD0, 0xD8, _SPEECH, np.uint8).tobytes()
        step, due = 0, time.perf_counter()
        while not pipe.poll():
            self._heard.lateness.append(time.perf_counter() - due)
            turn, group = divmod(step, GROUPS)
            for leg in range(group, len(self._handsets), GROUPS):
                head = struct.pack("!BBHII", 0x80, 8, turn & 0xFFFF, turn * 160, leg)
                self._handsets[leg].sendto(head + self._said(leg, turn, speech), targets[leg])
                self._heard.sent += 1
                # One comes while one goes; what is left over waits for the end.
                self._hear(self._handsets[leg])
            step, due = step + 1, due + STEP
            time.sleep(max(due - time.perf_counter(), 0))
        time.sleep(_DRAIN)
        for one in self._handsets:
            while self._hear(one):
                pass
            counters = struct.unpack("9I", one.getsockopt(socket.SOL_SOCKET, _MEMINFO, 36))
            self._heard.overflowed += counters[8]
        pipe.send(self._heard)

    def _said(self, leg: int, turn: int, speech: bytes) -> bytes:
        when = _MARK + struct.pack("!Q", time.time_ns())
        if self._audio is None:
            return when + speech
        said: bytes = self._audio[leg, turn % self._audio.shape[1]].tobytes()
        # A time in each packet would crackle, and crackle is not what people say.
        return when + said[len(when) :] if (turn + leg) % _TIMED == 0 else said

    def _hear(self, handset: socket.socket) -> bool:
        """Take one packet; whether there was one."""
        try:
            data, told, _, _ = handset.recvmsg(2048, 64)
        except BlockingIOError:
            return False
        self._heard.came += self._audio is not None and data[12:14] != _MARK
        if data[12:14] == _MARK and told:
            seconds, nanoseconds = struct.unpack("qq", told[0][2])
            (when,) = struct.unpack_from("!Q", data, 14)
            self._heard.came += 1
            self._heard.delays.append((seconds * 10**9 + nanoseconds - when) / 1e9)
        return True
