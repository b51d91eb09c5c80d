"""Many UDP packets in one system call: `recvmmsg` and `sendmmsg` of Linux, through ctypes.

Where the C library has neither, the same interface works packet by packet.
"""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.latching import Sources
from callflow.media.rtp import SLOT, Block

BATCH: Final = 512
"""Packets in one system call at most."""
_BUFFER: Final = 4 * 1024 * 1024
"""Bytes of receive buffer asked for: 100 ms of fifty legs and more."""
_MSG_DONTWAIT: Final = 0x40
_SO_MEMINFO: Final = 55
"""Linux: nine counters of a socket's memory, the last of them datagrams dropped for want of buffer."""
_IOVEC: Final = np.dtype([("base", np.uint64), ("size", np.uint64)])
_MMSGHDR: Final = np.dtype(
    {
        "names": ["name", "name_size", "iov", "iov_count", "control", "control_size", "flags", "size"],
        "formats": [np.uint64, np.uint32, np.uint64, np.uint64, np.uint64, np.uint64, np.int32, np.uint32],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""`struct mmsghdr` of 64-bit Linux."""
_SOCKADDR: Final = np.dtype([("family", "=u2"), ("port", ">u2"), ("host", ">u4"), ("zero", "V8")])
"""`struct sockaddr_in`."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
HAS_BATCHES = (
    hasattr(_libc, "recvmmsg") and hasattr(_libc, "sendmmsg") and ctypes.sizeof(ctypes.c_void_p) == 8
)


class _Vector:
    """Packet buffers with the headers that the kernel wants beside them."""

    def __init__(self, width: int) -> None:
        self.block = np.zeros((BATCH, width), np.uint8)
        self.addresses = np.zeros(BATCH, _SOCKADDR)
        self._iov = np.zeros(BATCH, _IOVEC)
        self.headers = np.zeros(BATCH, _MMSGHDR)
        rows = np.arange(BATCH, dtype=np.uint64)
        self._iov["base"] = self.block.ctypes.data + rows * np.uint64(width)
        self._iov["size"] = width
        self.headers["name"] = self.addresses.ctypes.data + rows * np.uint64(_SOCKADDR.itemsize)
        self.headers["iov"] = self._iov.ctypes.data + rows * np.uint64(_IOVEC.itemsize)
        self.headers["iov_count"] = 1
        self.headers["name_size"] = _SOCKADDR.itemsize
        self.addresses["family"] = socket.AF_INET
        self.first = self.pointer()
        """Where the headers begin, for the system call."""

    def set_sizes(self, size: int) -> None:
        self._iov["size"] = size

    def pointer(self, row: int = 0) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.headers.ctypes.data + row * _MMSGHDR.itemsize)


def bound_socket(host: str, port: int) -> socket.socket:
    """A UDP socket with a receive buffer for many callers. Raises `OSError` where the address is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        bound.setblocking(False)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def bound_sockets(host: str, ports: Iterable[int]) -> list[socket.socket]:
    """All of them or none. Raises `OSError`."""
    bound: list[socket.socket] = []
    try:
        for port in ports:
            bound.append(bound_socket(host, port))
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


class BatchSocket:
    """A bound UDP socket for batches of packets."""

    def __init__(self, bound: socket.socket) -> None:
        """Owns `bound` from now on."""
        self.socket = bound
        self.unsent = 0
        """Packets that the kernel would not take."""
        self._fileno = bound.fileno()
        self._in, self._out = _Vector(SLOT), _Vector(SLOT)
        none = np.empty(0, np.int64)
        self._nothing = self._in.block[:0], none, none.astype(np.uint64)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def overflowed(self) -> int:
        """Datagrams that found the receive buffer full; 0 where the system does not tell."""
        try:
            counters = self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
        except OSError:
            return 0
        return int(struct.unpack("9I", counters)[8]) if len(counters) == 36 else 0

    def close(self) -> None:
        self.socket.close()

    def receive(self) -> tuple[Block, NDArray[np.int64], Sources]:
        """What has come, up to `BATCH` packets: rows, lengths, sources. Valid until the next call."""
        count = self._receive_batch() if HAS_BATCHES else self._receive_one_by_one()
        if not count:
            # Most looks at most sockets find nothing: they must cost nothing but the look.
            return self._nothing
        addresses = self._in.addresses[:count]
        sources = addresses["host"].astype(np.uint64) << np.uint64(16) | addresses["port"].astype(np.uint64)
        return self._in.block[:count], self._in.headers["size"][:count].astype(np.int64), sources

    def send(self, packets: Block, destinations: Sources) -> None:
        """Send each row to its destination; what the kernel refuses is counted and passed over."""
        for start in range(0, len(packets), BATCH):
            self._send_batch(packets[start : start + BATCH], destinations[start : start + BATCH])

    def _receive_batch(self) -> int:
        count = int(_libc.recvmmsg(self._fileno, self._in.first, BATCH, _MSG_DONTWAIT, None))
        if count <= 0:
            return 0
        # The kernel has written the size of each address over the room that there is for it.
        self._in.headers["name_size"][:count] = _SOCKADDR.itemsize
        return count

    def _receive_one_by_one(self) -> int:
        for row in range(BATCH):
            try:
                size, address = self.socket.recvfrom_into(memoryview(self._in.block[row]))
            except OSError:
                # BlockingIOError: that was all. Any other belongs to one packet: the next tick goes on.
                return row
            self._in.headers["size"][row] = size
            self._in.addresses["host"][row] = int.from_bytes(socket.inet_aton(address[0]), "big")
            self._in.addresses["port"][row] = address[1]
        return BATCH

    def _send_batch(self, packets: Block, destinations: Sources) -> None:
        count, width = packets.shape
        if not HAS_BATCHES:
            self._send_one_by_one(packets, destinations)
            return
        out = self._out
        out.block[:count, :width] = packets
        out.set_sizes(width)
        out.addresses["host"][:count] = destinations >> np.uint64(16)
        out.addresses["port"][:count] = destinations & np.uint64(0xFFFF)
        row = 0
        while row < count:
            sent = _libc.sendmmsg(
                self._fileno, out.pointer(row) if row else out.first, count - row, _MSG_DONTWAIT
            )
            if sent > 0:
                row += sent
            elif ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                self.unsent += count - row
                return
            else:
                # One bad destination must not cost the others their packet.
                self.unsent += 1
                row += 1

    def _send_one_by_one(self, packets: Block, destinations: Sources) -> None:
        for packet, destination in zip(packets, destinations.tolist(), strict=True):
            host = socket.inet_ntoa((destination >> 16).to_bytes(4, "big"))
            try:
                self.socket.sendto(packet.tobytes(), (host, destination & 0xFFFF))
            except OSError:
                self.unsent += 1
