"""Runs a media plane: binds its ports, wakes it every tick, carries its packets."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.hearing import Thresholds
from callflow.media.latching import Sources
from callflow.media.messages import Command, Report
from callflow.media.plane import Plane
from callflow.media.rtp import Block
from callflow.net.mmsg import BATCH, BatchSocket

TICK: Final = 0.01
"""Seconds between two looks at the sockets and the clock."""
_ROUNDS: Final = 4
"""Batches read from one port in one tick; what is more waits in its buffer for the next."""


_Arrivals = tuple[int, Block, NDArray[np.int64], Sources]
"""Index of the port, packets, lengths, sources."""


class MediaRunner:
    """A plane inside this event loop."""

    def __init__(self, bound: Sequence[socket.socket], *, capacity: int, thresholds: Thresholds) -> None:
        """Owns the sockets `bound` from now on."""
        self._sockets = [BatchSocket(one) for one in bound]
        self.plane = Plane(lambda: secrets.randbits(32), capacity=capacity, thresholds=thresholds)
        self.on_report: Callable[[Report], None] = lambda report: None
        self.on_lateness: Callable[[float], None] = lambda seconds: None
        """Told how late each tick began."""
        self._timer: asyncio.TimerHandle | None = None
        self._handing_over = False

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports, in the order of their indices."""
        return tuple(batch_socket.port for batch_socket in self._sockets)

    @property
    def legs(self) -> int:
        return self.plane.legs

    def counts(self) -> dict[str, int]:
        unsent = sum(one.unsent for one in self._sockets)
        overflowed = sum(one.overflowed for one in self._sockets)
        return {**self.plane.counts, "unsent": unsent, "dropped_buffer_full": overflowed}

    async def start(self) -> None:
        """Begin to tick in the running loop."""
        self._arm(asyncio.get_running_loop().time())

    async def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        for batch_socket in self._sockets:
            batch_socket.close()
        self._sockets = []

    def command(self, command: Command) -> None:
        """Tell the plane to do something."""
        self.plane.obey(command, asyncio.get_running_loop().time())
        self._hand_over()

    def _arm(self, at: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(at, self._tick, at)

    def _tick(self, due: float) -> None:
        now = asyncio.get_running_loop().time()
        self.on_lateness(now - due)
        # Ticks that were missed altogether are not made up for: the plane goes by the clock.
        self._arm(max(due + TICK, now + TICK / 2))
        self._receive(now)
        for batch in self.plane.tick(now):
            self._sockets[batch.port].send(batch.packets, batch.destinations)
        self._send_reports(now)
        self._hand_over()

    def _receive(self, now: float) -> None:
        ready = [*range(len(self._sockets))]
        for _ in range(_ROUNDS):
            came = [(port, *self._sockets[port].receive()) for port in ready]
            came = [each for each in came if len(each[1])]
            if not came:
                return
            self._take(came, now)
            ready = [port for port, block, *_ in came if len(block) == BATCH]

    def _take(self, came: list[_Arrivals], now: float) -> None:
        """All ports in one block: what a block costs it costs once a tick and not once a port."""
        ports = np.repeat([port for port, *_ in came], [len(block) for _, block, *_ in came])
        block, lengths, sources = (np.concatenate([each[part] for each in came]) for part in (1, 2, 3))
        self.plane.receive(ports.astype(np.int64), block, lengths, sources, now)

    def _send_reports(self, now: float) -> None:
        """RTCP leaves by the RTP port: a phone knows a report by its SSRC, not by where it comes from."""
        for report in self.plane.rtcp_due(now):
            packet = np.frombuffer(report.datagram, np.uint8)[None, :]
            self._sockets[report.port].send(packet, np.array([report.destination], np.uint64))

    def _hand_over(self) -> None:
        # A report may lead to a command, and that to reports: those wait until their elders are told.
        if self._handing_over:
            return
        self._handing_over = True
        try:
            while reports := self.plane.take_reports():
                for report in reports:
                    self.on_report(report)
        finally:
            self._handing_over = False
