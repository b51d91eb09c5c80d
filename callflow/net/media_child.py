"""The plane's own process: `python -m callflow.net.media_child DESCRIPTOR`.

It ends when the controller's end of the channel does, however that comes about: no orphan holds ports.
"""

import asyncio
import socket
import sys
from typing import Any, Final

from callflow.media.messages import Command, Report
from callflow.net.channel import Began, Begin, Channel, State
from callflow.net.media_runner import MediaRunner

_TELL_EVERY: Final = 0.25
"""Seconds between two messages about our state."""


class Child:
    """A plane that takes its commands from the channel and gives its reports to it."""

    def __init__(self, channel: Channel, runner: MediaRunner) -> None:
        self._channel = channel
        self._runner = runner
        self._reports: list[Report] = []
        self._lateness: list[float] = []
        runner.on_report = self._report
        runner.on_lateness = self._lateness.append

    def obey(self, message: Any) -> None:
        if isinstance(message, Command):
            self._runner.command(message)

    def tell_state(self) -> None:
        state = State(self._runner.legs, self._runner.counts(), self._lateness[:])
        self._lateness.clear()
        self._channel.send(state)
        asyncio.get_running_loop().call_later(_TELL_EVERY, self.tell_state)

    def _report(self, report: Report) -> None:
        if not self._reports:
            # One message for all that one tick has to tell.
            asyncio.get_running_loop().call_soon(self._flush)
        self._reports.append(report)

    def _flush(self) -> None:
        reports, self._reports = self._reports, []
        self._channel.send(reports)


async def serve(descriptor: int) -> None:
    """Run a plane until the channel ends."""
    channel = await Channel.over(socket.socket(fileno=descriptor))
    child: Child | None = None
    runner: MediaRunner | None = None
    async for message in channel.messages():
        if child is not None:
            child.obey(message)
        elif isinstance(message, Begin):
            bound = [socket.socket(fileno=number) for number in message.descriptors]
            rtcp = [None if number is None else socket.socket(fileno=number) for number in message.rtcp]
            runner = MediaRunner(bound, capacity=message.capacity, thresholds=message.thresholds, rtcp=rtcp)
            child = Child(channel, runner)
            await runner.start()
            channel.send(Began())
            child.tell_state()
    if runner is not None:
        await runner.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
