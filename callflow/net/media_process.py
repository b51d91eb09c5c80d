"""The media plane in a process of its own: neither the interpreter lock nor a busy loop touches the audio.

The UDP sockets are the controller's and only lent. Should the plane's process die or hang, another takes its
place: it is told the prompts, the legs and what was being said to each, so that callers hear the words again
and no call ends. It is tried for ever; meanwhile `is_up` is false.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from callflow.errors import CallflowError
from callflow.media.messages import Command, Report
from callflow.media.thresholds import Thresholds
from callflow.net.channel import Began, Begin, Channel, State
from callflow.net.kept_process import KeptProcess
from callflow.net.media_memory import Memory

_PATIENCE: Final = 20.0
"""Seconds that the first process has to begin."""


class MediaGone(CallflowError):
    """The plane's process does not begin."""


class MediaProcess:
    """A plane in a child process."""

    def __init__(
        self,
        bound: Sequence[socket.socket],
        *,
        capacity: int,
        thresholds: Thresholds,
        rtcp: Sequence[socket.socket | None] = (),
    ) -> None:
        """Owns the sockets from now on; `rtcp` has the odd neighbour of each of `bound`, or is empty."""
        self.on_report: Callable[[Report], None] = lambda report: None
        self.on_lateness: Callable[[float], None] = lambda seconds: None
        self.on_up: Callable[[], object] = lambda: None
        """The plane ticks, for the first time or again."""
        self.on_down: Callable[[], object] = lambda: None
        """It does not any more."""
        self.process = KeptProcess("callflow.net.media_child", self._lent)
        """Who wants to know of deaths and faults asks this."""
        self.process.on_channel = self._begin
        self.process.on_message = self._take
        self.process.on_up = self._up
        self.process.on_down = self._down
        self._bound = bound
        self._rtcp = rtcp
        self._capacity = capacity
        self._thresholds = thresholds
        self._memory = Memory()
        self._state = State(0, {})
        self._channel: Channel | None = None
        self._began = asyncio.Event()

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(int(one.getsockname()[1]) for one in self._bound)

    @property
    def legs(self) -> int:
        """Legs that have been opened and not closed."""
        return self._memory.legs

    @property
    def pid(self) -> int | None:
        return self.process.pid

    @property
    def is_up(self) -> bool:
        return self.process.is_up

    def counts(self) -> Mapping[str, int]:
        """At most a quarter of a second old; they begin anew with a new process."""
        return self._state.counts

    def command(self, command: Command) -> None:
        self._memory.note(command)
        if self._channel:
            self._channel.send(command)

    async def start(self) -> None:
        """Start the process. Raises `MediaGone` where it does not begin."""
        self.process.start()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._began.wait()
        except TimeoutError:
            await self.close()
            raise MediaGone("the media plane's process did not begin") from None

    async def close(self) -> None:
        self.on_down = lambda: None
        await self.process.close()
        for one in (*self._bound, *filter(None, self._rtcp)):
            one.close()

    def _lent(self) -> list[int]:
        return [one.fileno() for one in (*self._bound, *filter(None, self._rtcp))]

    def _begin(self, channel: Channel) -> None:
        lent = tuple(one.fileno() for one in self._bound)
        rtcp = tuple(one.fileno() if one else None for one in self._rtcp)
        channel.send(Begin(lent, rtcp, self._capacity, self._thresholds))
        for command in self._memory.commands():
            channel.send(command)
        self._channel = channel

    def _up(self) -> None:
        self._began.set()
        self.on_up()

    def _down(self) -> None:
        self._channel = None
        for report in self._memory.lose(asyncio.get_running_loop().time()):
            self.on_report(report)
        self.on_down()

    def _take(self, message: Any, _channel: Channel) -> None:
        match message:
            case Began():
                return
            case State():
                self._state = message
                for seconds in message.lateness:
                    self.on_lateness(seconds)
            case [*reports]:
                for report in reports:
                    self._memory.hear(report)
                    self.on_report(report)
