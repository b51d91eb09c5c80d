"""A process of ours that is kept alive: started again for ever when it has died, ended when it hangs."""

import asyncio
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from callflow.net.channel import Channel
from callflow.net.heartbeat import HUNG, LOOK, Heartbeat
from callflow.net.stderr_pipe import StderrPipe

_BEGINS_WITHIN: Final = 20.0
"""Seconds that a new process has until its first message."""
_ENDS_WITHIN: Final = 5.0
"""Seconds that a process has to end by itself when its channel is closed."""
_SHORTEST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0
"""Seconds between a death and the next start; each wait is twice the one before."""
_WAIT_IF_IT_BEGAN: Final = 1.0
"""The longest wait after a process that did work."""
_HEALTHY: Final = 10.0
"""Seconds; a process that has worked so long is started again at once."""


class KeptProcess:
    """Runs `python -m MODULE DESCRIPTOR` for ever, and speaks with it over a channel."""

    def __init__(
        self, module: str, lent: Callable[[], Sequence[int]] = tuple, hung_after: float = HUNG
    ) -> None:
        """`lent` gives the descriptors that the process inherits beside its end of the channel.

        A process that is silent for `hung_after` seconds hangs.
        """
        self.on_channel: Callable[[Channel], object] = lambda channel: None
        """A process has been started, and takes its first messages."""
        self.on_message: Callable[[Any, Channel], object] = lambda message, channel: None
        self.on_up: Callable[[], object] = lambda: None
        """Its first message has come, and has been handled."""
        self.on_down: Callable[[], object] = lambda: None
        """The process that had the channel is gone, or hangs and is being ended."""
        self.on_death: Callable[[], object] = lambda: None
        """A process has ended, and another is going to be started."""
        self.on_hung: Callable[[], object] = lambda: None
        self.on_failed: Callable[[Exception], object] = lambda error: None
        """No process could be started, for want of descriptors or memory; it is tried again."""
        self.on_broke: Callable[[Exception], object] = lambda error: None
        """A message of the process could not be handled; the next ones are."""
        self.on_words: Callable[[str], object] = lambda text: None
        """It has written this to its standard error."""
        self.is_up = False
        self._has_channel = False
        self._module = module
        self._lent = lent
        self._hung_after = hung_after
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._heartbeat = Heartbeat(0.0)
        self._up_since = math.inf

    @property
    def pid(self) -> int | None:
        """Of the process that runs, or ran last."""
        return self._process.pid if self._process else None

    @property
    def silent(self) -> float:
        """Seconds for which the process has told nothing, or had when it ended."""
        return self._heartbeat.silent

    def start(self) -> None:
        """Begin to keep it alive."""
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self._module}")

    async def close(self) -> None:
        """End the process; nothing of it is left when this returns."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})

    async def _keep(self) -> None:
        wait = 0.0
        while True:
            self._up_since = math.inf
            try:
                await self._live_once()
                self.on_death()
            except Exception as error:
                # Whatever it is, without the process there is no service: it is tried again.
                self.on_failed(error)
            wait = self._wait_after(wait)
            await asyncio.sleep(wait)

    def _wait_after(self, wait: float) -> float:
        lived = asyncio.get_running_loop().time() - self._up_since
        if lived >= _HEALTHY:
            return 0.0
        # It could be started: patience does not mend what ended it, and callers hear nothing meanwhile.
        longest = _LONGEST_WAIT if self._up_since == math.inf else _WAIT_IF_IT_BEGAN
        return min(max(2 * wait, _SHORTEST_WAIT), longest)

    async def _live_once(self) -> None:
        """From the process's start to its end. Raises where it cannot be started."""
        async with AsyncExitStack() as stack:
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            errors = StderrPipe(self.on_words)
            stack.callback(errors.close)
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, str(theirs.fileno()),
                pass_fds=(theirs.fileno(), *self._lent()),
                stdin=asyncio.subprocess.DEVNULL, stderr=errors.writing, start_new_session=True,
            )  # fmt: skip
            stack.push_async_callback(_ended, process)
            theirs.close()
            errors.close_writing()
            channel = await Channel.over(ours)
            stack.push_async_callback(channel.close)
            await self._converse(channel, process)
            # It told nothing more, and is of no use now. One that we end ourselves has time to end.
            _kill(process)

    async def _converse(self, channel: Channel, process: asyncio.subprocess.Process) -> None:
        self._heartbeat = Heartbeat(asyncio.get_running_loop().time())
        watching = asyncio.create_task(self._watch(process), name=f"watch {self._module}")
        self._has_channel = True
        try:
            self.on_channel(channel)
            async for message in channel.messages():
                self._heartbeat.beat()
                self._take(message, channel)
        finally:
            watching.cancel()
            self._down()

    def _take(self, message: Any, channel: Channel) -> None:
        try:
            self.on_message(message, channel)
            if not self.is_up:
                self.is_up, self._up_since = True, asyncio.get_running_loop().time()
                self.on_up()
        except Exception as error:
            # One message's fault must not cost us the process.
            self.on_broke(error)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK)
            if self._heartbeat.look(loop.time()) >= (self._hung_after if self.is_up else _BEGINS_WITHIN):
                break
        self._down()
        self.on_hung()
        _kill(process)

    def _down(self) -> None:
        self.is_up = False
        if self._has_channel:
            self._has_channel = False
            self.on_down()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            # Not by its own method: that would take its exit status away from the loop.
            os.kill(process.pid, signal.SIGKILL)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end that the closed channel brings; see to it where it does not."""
    try:
        async with asyncio.timeout(_ENDS_WITHIN):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()
