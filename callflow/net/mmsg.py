"""Many UDP packets in one system call: `recvmmsg` and `sendmmsg` of Linux, through ctypes.

Where the C library has neither, the same interface works packet by packet.
"""

import ctypes
import errno
import socket
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.latching import Sources
from callflow.media.rtp import Block

BATCH: Final = 512
"""Packets in one system call at most."""
_BUFFER: Final = 4 * 1024 * 1024
"""Bytes of receive buffer asked for: 100 ms of fifty legs and more."""
_MSG_DONTWAIT: Final = 0x40
_MSG_TRUNC: Final = 0x20
"""The kernel's mark on a datagram that was longer than its row."""
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
_SOCKADDR: Final = 16
"""Bytes of `struct sockaddr_in`: family in ours, port and host in the net's order, eight of nothing."""
_FAMILY: Final = int.from_bytes(int(socket.AF_INET).to_bytes(2, "little"), "big") << 48

_libc: Final = ctypes.CDLL(None, use_errno=True)
HAS_BATCHES = (
    hasattr(_libc, "recvmmsg") and hasattr(_libc, "sendmmsg") and ctypes.sizeof(ctypes.c_void_p) == 8
)
if HAS_BATCHES:
    _libc.recvmmsg.argtypes = [*(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int), ctypes.c_void_p]
    _libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]


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


def rtcp_sockets(bound: Sequence[socket.socket]) -> list[socket.socket | None]:
    """The sockets of the ports one above those of `bound` (RFC 3550 §11); None where one is taken."""
    return [_neighbour(*one.getsockname()) for one in bound]


def _neighbour(host: str, port: int) -> socket.socket | None:
    try:
        return bound_socket(host, port + 1)
    except (OSError, OverflowError):
        # Its reports go on as they do with a phone that muxes: no call is lost for want of a report.
        return None


class Vector:
    """Packets, one a row, with the headers that the kernel wants beside them."""

    def __init__(self, rows: int, width: int) -> None:
        """Room for `rows` packets that come, of `width` bytes; with a width of 0, for such as leave only."""
        self.block: Block = np.zeros((rows, width), np.uint8)
        self._names = np.zeros((rows, _SOCKADDR // 8), ">u8")
        self._iov = np.zeros(rows, _IOVEC)
        self._headers = np.zeros(rows, _MMSGHDR)
        numbers = np.arange(rows, dtype=np.uint64)
        self._iov["base"] = self.block.ctypes.data + numbers * np.uint64(width)
        self._iov["size"] = width
        self._headers["name"] = self._names.ctypes.data + numbers * np.uint64(_SOCKADDR)
        self._headers["iov"] = self._iov.ctypes.data + numbers * np.uint64(_IOVEC.itemsize)
        self._headers["iov_count"] = 1
        self._headers["name_size"] = _SOCKADDR
        self._first = self._headers.ctypes.data
        # Views that would cost as much to make as to use.
        self._name, self._name_size = self._names[:, 0], self._headers["name_size"]
        self._base, self._size = self._iov["base"], self._iov["size"]
        self._came, self._flags = self._headers["size"], self._headers["flags"]
        self._packets = self.block

    def __len__(self) -> int:
        return len(self.block)

    # --- in ---

    def receive(self, bound: socket.socket, row: int) -> int:
        """Fill the rows from `row` on with what has come, `BATCH` at most; how many."""
        if not HAS_BATCHES:
            return self._receive_one_by_one(bound, row)
        count = _libc.recvmmsg(bound.fileno(), self._first + row * 64, BATCH, _MSG_DONTWAIT, None)
        return max(int(count), 0)

    def lengths(self, count: int) -> NDArray[np.int64]:
        """Of the first `count` packets that have come."""
        # The kernel has written the size of each address over the room that there is for it.
        self._name_size[:count] = _SOCKADDR
        return self._came[:count].astype(np.int64)

    def whole(self, count: int) -> NDArray[np.bool_]:
        """Which of the first `count` packets that have come fit into their rows."""
        whole: NDArray[np.bool_] = self._flags[:count] & _MSG_TRUNC == 0
        return whole

    def sources(self, count: int) -> Sources:
        """Of the first `count` packets that have come."""
        names = self._name[:count].astype(np.uint64)
        port = names >> np.uint64(32) & np.uint64(0xFFFF)
        return (names & np.uint64(0xFFFFFFFF)) << np.uint64(16) | port

    def _receive_one_by_one(self, bound: socket.socket, row: int) -> int:
        for count in range(BATCH):
            try:
                size, _, flags, address = bound.recvmsg_into([memoryview(self.block[row + count])])
            except OSError:
                # BlockingIOError: that was all. Any other belongs to one packet: the next tick goes on.
                return count
            self._came[row + count], self._flags[row + count] = size, flags
            host = int.from_bytes(socket.inet_aton(address[0]), "big")
            self._name[row + count] = _FAMILY | address[1] << 32 | host
        return BATCH

    # --- out ---

    def load(self, packets: Block, sizes: NDArray[np.int64], order: NDArray[np.intp], to: Sources) -> None:
        """Make the rows of `packets`, in this order, ready to leave; they must stay until they have left."""
        count = len(order)
        self._packets = packets
        self._base[:count] = packets.ctypes.data + order * packets.strides[0]
        self._size[:count] = sizes[order]
        to = to[order]
        self._name[:count] = (to & 0xFFFF) << 32 | to >> 16 | _FAMILY

    def send(self, bound: socket.socket, row: int, count: int) -> int:
        """Send the `count` packets from `row` on; how many the kernel refused."""
        if not HAS_BATCHES:
            return self._send_one_by_one(bound, row, count)
        end, refused = row + count, 0
        while row < end:
            most = min(end - row, BATCH)
            sent = _libc.sendmmsg(bound.fileno(), self._first + row * 64, most, _MSG_DONTWAIT)
            if sent > 0:
                row += sent
            elif ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                return refused + end - row
            else:
                # One bad destination must not cost the others their packet.
                refused += 1
                row += 1
        return refused

    def _send_one_by_one(self, bound: socket.socket, row: int, count: int) -> int:
        refused = 0
        for number in range(row, row + count):
            name, size = int(self._name[number]), int(self._size[number])
            host = socket.inet_ntoa((name & 0xFFFFFFFF).to_bytes(4, "big"))
            packet = ctypes.string_at(int(self._base[number]), size)
            try:
                bound.sendto(packet, (host, name >> 32 & 0xFFFF))
            except OSError:
                refused += 1
        return refused
