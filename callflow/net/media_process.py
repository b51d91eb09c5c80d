"""The media plane in a process of its own: neither the interpreter lock nor a busy loop touches the audio.

The UDP sockets are the controller's and only lent. Should the plane's process die, another takes its
place at once: it is told the prompts, the legs and what was being said to each, so that callers hear
the words again and no call ends.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from callflow.errors import CallflowError
from callflow.media.messages import Command, Report
from callflow.media.thresholds import Thresholds
from callflow.net.channel import Began, Begin, Channel, State
from callflow.net.media_memory import Memory

_PATIENCE: Final = 20.0
"""Seconds that a new process has to begin."""
_MOST_DEATHS: Final = 5
_WITHIN: Final = 60.0
"""More than `_MOST_DEATHS` deaths within so many seconds: it is hopeless, and said so."""


class MediaGone(CallflowError):
    """The plane's process cannot be kept alive."""


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
        self.on_death: Callable[[], None] = lambda: None
        """Told each time that the process has died and another takes its place."""
        self._bound = bound
        self._rtcp = rtcp
        self._capacity = capacity
        self._thresholds = thresholds
        self._memory = Memory()
        self._state = State(0, {})
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._keeping: asyncio.Task[None] | None = None
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
        return self._process.pid if self._process else None

    def counts(self) -> Mapping[str, int]:
        """At most a quarter of a second old; they begin anew with a new process."""
        return self._state.counts

    def command(self, command: Command) -> None:
        self._memory.note(command)
        if self._channel:
            self._channel.send(command)

    async def start(self) -> None:
        """Start the process. Raises `MediaGone` where it does not begin."""
        self._keeping = asyncio.create_task(self._keep(), name="media.keep")
        beginning = asyncio.create_task(self._began.wait(), name="media.begin")
        await asyncio.wait({self._keeping, beginning}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not beginning.done():
            beginning.cancel()
            await self.close()
            raise MediaGone("the media plane's process did not begin")

    async def close(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        for one in (*self._bound, *filter(None, self._rtcp)):
            one.close()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        deaths: list[float] = []
        while len(deaths) <= _MOST_DEATHS:
            await self._live_once()
            deaths = [at for at in deaths if loop.time() - at < _WITHIN] + [loop.time()]
            for report in self._memory.lose(loop.time()):
                self.on_report(report)
            self.on_death()

    async def _live_once(self) -> None:
        """From the process's start to its end."""
        ours, theirs = socket.socketpair()
        lent = tuple(one.fileno() for one in self._bound)
        rtcp = tuple(one.fileno() if one else None for one in self._rtcp)
        passed = (theirs.fileno(), *lent, *(number for number in rtcp if number is not None))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callflow.net.media_child", str(theirs.fileno()),
            pass_fds=passed, stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        channel = await Channel.over(ours)
        channel.send(Begin(lent, rtcp, self._capacity, self._thresholds))
        for command in self._memory.commands():
            channel.send(command)
        self._channel = channel
        try:
            async for message in channel.messages():
                self._take(message)
        finally:
            self._channel = None
            await channel.close()
            await _ended(self._process)

    def _take(self, message: Any) -> None:
        match message:
            case Began():
                self._began.set()
            case State():
                self._state = message
                for seconds in message.lateness:
                    self.on_lateness(seconds)
            case [*reports]:
                for report in reports:
                    self._memory.hear(report)
                    self.on_report(report)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end that the closed channel brings; see to it where it does not."""
    try:
        async with asyncio.timeout(_PATIENCE / 4):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
