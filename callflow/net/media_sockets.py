"""The plane's UDP sockets: what comes to all ports in one block, and what leaves by all of them in one."""

import select
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from callflow.media.latching import Sources
from callflow.media.plane import Batch, RtcpPacket
from callflow.media.rtp import SLOT, Block
from callflow.net.mmsg import BATCH, Vector

_ROUNDS: Final = 4
"""Batches read from one port in one tick; what is more waits in its buffer for the next."""
_MOST_REPORTS: Final = 64
"""Reports read from one port at one look."""
_LONGEST_REPORT: Final = 2048
_SO_MEMINFO: Final = 55
"""Linux: nine counters of a socket's memory, the last of them datagrams dropped for want of buffer."""


class Arrivals(NamedTuple):
    """Packets that have come, one a row; valid until the next are asked for."""

    ports: NDArray[np.int64]
    """The indices of the ports."""
    block: Block
    lengths: NDArray[np.int64]
    sources: Sources


class MediaSockets:
    """Some ports for audio, and for each the odd neighbour where reports come and go, if it is ours."""

    def __init__(self, bound: Sequence[socket.socket], rtcp: Sequence[socket.socket | None] = ()) -> None:
        """Owns all of them from now on. `rtcp` has one for each of `bound`, or is empty."""
        self._audio = list(bound)
        self._rtcp = list(rtcp) or [None] * len(bound)
        self._port_of = {one.fileno(): port for port, one in enumerate(self._audio)}
        self._poll = select.poll()
        for number in self._port_of:
            self._poll.register(number, select.POLLIN)
        self._in = Vector(BATCH * len(bound), SLOT)
        self._out = Vector(BATCH, 0)
        self._unsent = self._truncated = 0
        self._neighbours_taken = sum(one is None for one in rtcp)

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports for audio, in the order of their indices."""
        return tuple(int(one.getsockname()[1]) for one in self._audio)

    def counts(self) -> dict[str, int]:
        """What the kernel refused and dropped, and ports whose odd neighbour is somebody else's."""
        return {
            "unsent": self._unsent,
            "dropped_buffer_full": sum(_overflowed(one) for one in self._audio),
            "dropped_truncated": self._truncated,
            "rtcp_port_taken": self._neighbours_taken,
        }

    def close(self) -> None:
        for one in (*self._audio, *filter(None, self._rtcp)):
            one.close()
        self._audio, self._rtcp = [], []

    def receive(self) -> Iterator[Arrivals]:
        """What has come to all ports: in one round, but for a port that has more than a batch."""
        # One call for all ports: most have nothing to read, and each of those would cost a call too.
        ready = sorted(self._port_of[number] for number, _ in self._poll.poll(0))
        for _ in range(_ROUNDS):
            counts, row = [0] * len(self._audio), 0
            for port in ready:
                counts[port] = self._in.receive(self._audio[port], row)
                row += counts[port]
            if not row:
                return
            ports = np.repeat(np.arange(len(counts)), counts)
            came = Arrivals(ports, self._in.block[:row], self._in.lengths(row), self._in.sources(row))
            whole = self._in.whole(row)
            yield came if bool(whole.all()) else self._without_truncated(came, whole)
            ready = [port for port in ready if counts[port] == BATCH]

    def _without_truncated(self, came: Arrivals, whole: NDArray[np.bool_]) -> Arrivals:
        """What was cut off must not be taken for a shorter packet."""
        self._truncated += int(np.count_nonzero(~whole))
        ports, block, lengths, sources = came
        return Arrivals(ports[whole], block[whole], lengths[whole], sources[whole])

    def send(self, batch: Batch) -> None:
        """Send each packet by its port to its destination; what the kernel refuses is counted."""
        if len(batch.ports) > len(self._out):
            self._out = Vector(2 * len(batch.ports), 0)
        order = np.argsort(batch.ports.astype(np.uint16), kind="stable")
        self._out.load(batch.packets, batch.sizes, order, batch.destinations)
        row = 0
        for port, count in enumerate(np.bincount(batch.ports).tolist()):
            if count:
                self._unsent += self._out.send(self._audio[port], row, count)
                row += count

    def receive_rtcp(self) -> Iterator[tuple[int, bytes, tuple[str, int]]]:
        """What has come to the odd neighbours: index of the port, datagram, source."""
        for port, one in enumerate(self._rtcp):
            for _ in range(_MOST_REPORTS):
                try:
                    if one is None:
                        break
                    datagram, source = one.recvfrom(_LONGEST_REPORT)
                except BlockingIOError:
                    break
                except OSError:
                    # An ICMP error of an earlier report of ours: it is nobody's datagram.
                    continue
                yield port, datagram, source

    def send_rtcp(self, report: RtcpPacket) -> None:
        """By the odd neighbour unless the phone muxes; without one by the RTP port.

        Most phones take it from there: they know a report by its SSRC, not by where it comes from.
        """
        by = (None if report.mux else self._rtcp[report.port]) or self._audio[report.port]
        host = socket.inet_ntoa((report.destination >> 16).to_bytes(4, "big"))
        try:
            by.sendto(report.datagram, (host, report.destination & 0xFFFF))
        except OSError:
            self._unsent += 1


def _overflowed(bound: socket.socket) -> int:
    """Datagrams that found the receive buffer full; 0 where the system does not tell."""
    try:
        counters = bound.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
    except OSError:
        return 0
    return int(struct.unpack("9I", counters)[8]) if len(counters) == 36 else 0
