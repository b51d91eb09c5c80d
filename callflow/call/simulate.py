"""A whole call on a virtual clock: what would be said and done, and when, in milliseconds of real time.

The line is ideal: every action takes effect in the instant it is asked for, a prompt lasts as long as
its audio. The caller is a list of acts, each at a time counted from a mark of the call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from callflow.actions import Action, Answer, AskOpinion, FindSeat, HangUp, Say, StopSaying, StoreMessage
from callflow.call.call import Call
from callflow.errors import CallflowError
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineState,
    MessageStored,
    NobodyThere,
    OpinionGiven,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)

LONGEST = 4 * 3600.0
"""Seconds after which a simulation that has not ended is given up."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the caller does."""

    event: Event
    after: float
    """Seconds from the mark."""
    mark: str | None = None
    """The prompt whose end the time counts from; None for the arrival."""


def speaks(after: float, *, mark: str | None = None, seconds: float = 1.0) -> tuple[Act, Act]:
    """A sound of that length, and the silence after it."""
    return (
        Act(LineHeard(Heard.SOUND, 0.0), after, mark),
        Act(LineHeard(Heard.SILENCE, 0.0), after + seconds, mark),
    )


def is_found(state: LineState, after: float, *, mark: str | None = None) -> Act:
    """The line is judged to be that."""
    return Act(LineJudged(state, 0.0), after, mark)


def presses(digit: str, after: float, *, mark: str | None = None) -> Act:
    return Act(DigitPressed(digit), after, mark)


def hangs_up(after: float, *, mark: str | None = None) -> Act:
    return Act(HungUp(Party.CALLER), after, mark)


class Simulation:
    """Runs `call` to its end; what happened is in the call's ledger."""

    def __init__(self, call: Call, duration: Callable[[str], float], acts: Sequence[Act]) -> None:
        """`duration` gives a prompt's length in seconds."""
        self._call = call
        self._duration = duration
        self._acts = acts
        self._now = 0.0
        self._agenda: list[tuple[float, int, Event]] = []
        self._saying: str | None = None
        self._count = 0

    def run(self) -> None:
        """Raises `CallflowError` when the call does not end by itself."""
        self._mark(None)
        self._happen(CallArrived("simulated", "simulated"))
        while not self._call.ended:
            self._step()

    def _step(self) -> None:
        self._agenda.sort(key=lambda entry: entry[:2])
        due = self._call.deadline
        if self._agenda and (due is None or self._agenda[0][0] <= due):
            self._now, _, event = self._agenda.pop(0)
            self._happen(event)
        elif due is not None and due < LONGEST:
            self._now = due
            self._do(self._call.tick(due))
        else:
            raise CallflowError("the simulated call waits for its caller and would never end")

    def _happen(self, event: Event) -> None:
        if isinstance(event, LineHeard | LineJudged):
            event = replace(event, since=self._now)
        if isinstance(event, PromptFinished):
            self._saying = None
        actions = self._call.receive(event, self._now)
        if isinstance(event, PromptFinished):
            self._mark(event.prompt)
        self._do(actions)

    def _mark(self, mark: str | None) -> None:
        marked = [act for act in self._acts if act.mark == mark]
        # Each act happens once, at the first time its mark comes by.
        self._acts = [act for act in self._acts if act.mark != mark]
        for act in marked:
            self._later(self._now + act.after, act.event)

    def _later(self, at: float, event: Event) -> None:
        self._count += 1
        self._agenda.append((at, self._count, event))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Answer():
                    self._happen(CallAnswered())
                    self._happen(CallConfirmed())
                case Say(prompt=prompt):
                    self._stop()
                    self._saying = prompt
                    self._later(self._now + self._duration(prompt), PromptFinished(prompt))
                    self._happen(PromptStarted(prompt))
                case FindSeat():
                    # A flow is simulated without people.
                    self._later(self._now, NobodyThere("no_seats"))
                case AskOpinion():
                    # The first pair of ears has heard all there is.
                    self._later(self._now, OpinionGiven(alive=False, by="simulated"))
                case StoreMessage():
                    self._later(self._now, MessageStored())
                case StopSaying() | HangUp():
                    self._stop()

    def _stop(self) -> None:
        if self._saying is None:
            return
        stopped, self._saying = self._saying, None
        self._agenda = [entry for entry in self._agenda if entry[2] != PromptFinished(stopped)]
        self._happen(PromptStopped(stopped))
