"""The second pair of ears: asked where a decision would end a call, and answered within half a second.

A neural detector hears the audio of the few lines that are listened to closely, in a process of its own; one
that has died or hangs is replaced, for ever.
That it has heard nobody is not enough where the plane's ears were in doubt about something that was as loud
as people are. Where it is not installed, or does not answer in time, the plane's own strictest reckoning
stands in for it: then whatever might have been a person is taken for one. Nobody is hung up on for want of an
answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from callflow.adapters.neural_ear import INSTALLED
from callflow.adapters.opinion_messages import Forget, Opinion, Piece, Ready
from callflow.events import OpinionGiven
from callflow.media.messages import (
    AskOpinion,
    CloseLeg,
    LegCommand,
    ListenClosely,
    ListenNoLonger,
    Overheard,
    Report,
)
from callflow.net.channel import Channel
from callflow.net.kept_process import KeptProcess

_WITHIN: Final = 0.45
"""Seconds from the question to an answer, whosever it is."""
_HUNG: Final = 5.0
"""Seconds without a sign of life: the detector yields the processor to audio and signalling."""


@dataclass(slots=True)
class _Question:
    number: int
    timer: asyncio.TimerHandle
    may_live: bool = True
    """What stands in for the answer; without a word from the plane nobody is taken for dead."""
    aloud: bool = False
    """Whether the plane's ears doubt that nobody spoke, whatever the answer."""


class SecondOpinion:
    """Hears closely, and is asked."""

    def __init__(self, *, neural: bool = INSTALLED) -> None:
        self.on_opinion: Callable[[Report], object] = lambda report: None
        self.process = KeptProcess("callflow.adapters.second_opinion_child", hung_after=_HUNG)
        """Who wants to know of deaths and faults asks this."""
        self.process.on_message = self._take
        self.process.on_down = self._down
        self._neural = neural
        self._channel: Channel | None = None
        self._ready = asyncio.Event()
        self._asked = 0
        self._open: dict[int, _Question] = {}
        self._whole: set[int] = set()
        """The legs that the detector has heard from the beginning."""

    @property
    def pid(self) -> int | None:
        return self.process.pid

    @property
    def is_up(self) -> bool:
        """Whether a detector hears; false where none is installed."""
        return self.process.is_up

    async def start(self) -> None:
        """Start the detector's process, where there is one; calls need not wait until it hears."""
        if self._neural:
            self.process.start()

    async def ready(self) -> None:
        """Wait until the detector hears."""
        await self._ready.wait()

    async def close(self) -> None:
        for question in self._open.values():
            question.timer.cancel()
        self._open.clear()
        await self.process.close()

    def told(self, command: LegCommand) -> None:
        """The plane is about to be told this."""
        match command:
            case AskOpinion(leg=leg):
                self._ask(leg)
            case ListenClosely(leg=leg) | ListenNoLonger(leg=leg) | CloseLeg(leg=leg):
                self._forget(leg)
                if self._channel is not None and isinstance(command, ListenClosely):
                    self._whole.add(leg)

    def overheard(self, leg: int, heard: Overheard) -> None:
        """The plane has handed out a piece of a leg."""
        question = self._open.get(leg) if heard.asked else None
        if question is not None:
            question.may_live, question.aloud = heard.may_live, heard.aloud
        if self._channel is not None:
            self._channel.send(Piece(leg, heard.law, heard.audio, question.number if question else 0))
        elif question is not None:
            self._answer(leg, heard.may_live, "strict")

    def _ask(self, leg: int) -> None:
        self._drop(leg)
        self._asked += 1
        loop = asyncio.get_running_loop()
        self._open[leg] = _Question(self._asked, loop.call_later(_WITHIN, self._late, leg))

    def _late(self, leg: int) -> None:
        self._answer(leg, self._open[leg].may_live, "late")

    def _answer(self, leg: int, alive: bool, by: str) -> None:
        self._drop(leg)
        now = asyncio.get_running_loop().time()
        self.on_opinion(Report(now, leg, OpinionGiven(alive, by)))

    def _drop(self, leg: int) -> None:
        question = self._open.pop(leg, None)
        if question:
            question.timer.cancel()

    def _forget(self, leg: int) -> None:
        self._drop(leg)
        self._whole.discard(leg)
        if self._channel is not None:
            self._channel.send(Forget(leg))

    # --- the detector's process ---

    def _down(self) -> None:
        self._channel = None
        self._whole.clear()
        self._ready.clear()

    def _take(self, message: Any, channel: Channel) -> None:
        match message:
            case Ready():
                self._channel = channel
                self._ready.set()
            case Opinion(leg=leg, asked=asked, alive=alive):
                question = self._open.get(leg)
                if question is None or question.number != asked:
                    return
                if alive or (leg in self._whole and not question.aloud):
                    self._answer(leg, alive, "neural")
                else:
                    # What it has not heard, or not made out, may have been a person.
                    self._answer(leg, question.may_live, "strict")
