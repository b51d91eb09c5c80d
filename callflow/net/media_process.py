"""The media plane in a process of its own: neither the interpreter lock nor a busy loop touches the audio.

The UDP sockets are the controller's and only lent. Should the plane's process die, another takes its
place at once: it is told the prompts, the legs and what was being said to each, so that callers hear
the words again and no call ends.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from callflow.errors import CallflowError
from callflow.events import PromptFinished, PromptStopped
from callflow.media.hearing import Thresholds
from callflow.media.messages import (
    CloseLeg,
    Command,
    LoadPrompt,
    MoveLeg,
    OpenLeg,
    Play,
    Report,
    StopPlaying,
)
from callflow.net.channel import Began, Begin, Channel, State

_PATIENCE: Final = 20.0
"""Seconds that a new process has to begin."""
_MOST_DEATHS: Final = 5
_WITHIN: Final = 60.0
"""More than `_MOST_DEATHS` deaths within so many seconds: it is hopeless, and said so."""


class MediaGone(CallflowError):
    """The plane's process cannot be kept alive."""


class MediaProcess:
    """A plane in a child process."""

    def __init__(self, bound: Sequence[socket.socket], *, capacity: int, thresholds: Thresholds) -> None:
        """Owns the sockets `bound` from now on."""
        self.on_report: Callable[[Report], None] = lambda report: None
        self.on_lateness: Callable[[float], None] = lambda seconds: None
        self.on_death: Callable[[], None] = lambda: None
        """Told each time that the process has died and another takes its place."""
        self._bound = bound
        self._capacity = capacity
        self._thresholds = thresholds
        self._memory = _Memory()
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
        return len(self._memory.legs)

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
        for one in self._bound:
            one.close()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        deaths: list[float] = []
        while len(deaths) <= _MOST_DEATHS:
            await self._live_once()
            deaths = [at for at in deaths if loop.time() - at < _WITHIN] + [loop.time()]
            self.on_death()

    async def _live_once(self) -> None:
        """From the process's start to its end."""
        ours, theirs = socket.socketpair()
        lent = (theirs.fileno(), *(one.fileno() for one in self._bound))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callflow.net.media_child", str(theirs.fileno()),
            pass_fds=lent, stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        channel = await Channel.over(ours)
        channel.send(Begin(lent[1:], self._capacity, self._thresholds))
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
                    self._memory.forget_said(report)
                    self.on_report(report)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end that the closed channel brings; see to it where it does not."""
    try:
        async with asyncio.timeout(_PATIENCE / 4):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class _Memory:
    """What a new process must be told to go on where the old one died."""

    def __init__(self) -> None:
        self.legs: dict[int, OpenLeg] = {}
        self._prompts: dict[str, LoadPrompt] = {}
        self._playing: dict[int, Play] = {}

    def note(self, command: Command) -> None:
        match command:
            case LoadPrompt(prompt=prompt):
                self._prompts[prompt] = command
            case OpenLeg(leg=leg):
                self.legs[leg] = command
            case MoveLeg(leg=leg) if leg in self.legs:
                moved = {field.name: getattr(command, field.name) for field in fields(command)}
                self.legs[leg] = replace(self.legs[leg], **moved)
            case CloseLeg(leg=leg):
                self.legs.pop(leg, None)
                self._playing.pop(leg, None)
            case Play(leg=leg):
                self._playing[leg] = command
            case StopPlaying(leg=leg):
                self._playing.pop(leg, None)

    def forget_said(self, report: Report) -> None:
        playing = self._playing.get(report.leg)
        if playing and report.event in (PromptFinished(playing.prompt), PromptStopped(playing.prompt)):
            del self._playing[report.leg]

    def commands(self) -> list[Command]:
        return [*self._prompts.values(), *self.legs.values(), *self._playing.values()]
