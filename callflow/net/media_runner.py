"""Runs a media plane: binds its ports, wakes it every tick, carries its packets."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Final

from callflow.media.messages import Command, Report
from callflow.media.plane import Plane
from callflow.media.thresholds import Thresholds
from callflow.net.media_sockets import MediaSockets

TICK: Final = 0.01
"""Seconds between two looks at the sockets and the clock."""
_RTCP_EVERY: Final = 10
"""Ticks between two looks for reports: they are rare, and no audio."""


class MediaRunner:
    """A plane inside this event loop."""

    def __init__(
        self,
        bound: Sequence[socket.socket],
        *,
        capacity: int,
        thresholds: Thresholds,
        rtcp: Sequence[socket.socket | None] = (),
    ) -> None:
        """Owns the sockets from now on; `rtcp` has the odd neighbour of each of `bound`, or is empty."""
        self._sockets = MediaSockets(bound, rtcp)
        self.plane = Plane(lambda: secrets.randbits(32), capacity=capacity, thresholds=thresholds)
        self.on_report: Callable[[Report], None] = lambda report: None
        self.on_lateness: Callable[[float], None] = lambda seconds: None
        """Told how late each tick began."""
        self._timer: asyncio.TimerHandle | None = None
        self._handing_over = False
        self._ticks = 0

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports, in the order of their indices."""
        return self._sockets.ports

    @property
    def legs(self) -> int:
        return self.plane.legs

    def counts(self) -> dict[str, int]:
        return {**self.plane.counts, **self._sockets.counts()}

    async def start(self) -> None:
        """Begin to tick in the running loop."""
        self._arm(asyncio.get_running_loop().time())

    async def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._sockets.close()

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
        for came in self._sockets.receive():
            self.plane.receive(*came, now)
        for batch in self.plane.tick(now):
            self._sockets.send(batch)
        self._exchange_reports(now)
        self._hand_over()

    def _exchange_reports(self, now: float) -> None:
        self._ticks += 1
        if self._ticks % _RTCP_EVERY == 0:
            for came in self._sockets.receive_rtcp():
                self.plane.receive_rtcp(*came, now)
        for report in self.plane.rtcp_due(now):
            self._sockets.send_rtcp(report)

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
