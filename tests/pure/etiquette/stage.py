"""A rule's machine on an ideal line: prompts last two seconds, and time passes as it is told to."""

from typing import Any

from callflow.actions import Action, AskOpinion, Note, Say, StopSaying
from callflow.etiquette.machine import Machine
from callflow.events import (
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    LineHeard,
    LineJudged,
    LineState,
    OpinionGiven,
    PromptFinished,
    Way,
)

SECONDS = 2.0
"""How long every prompt lasts."""
PHONE, CODE = HoldRequested(Way.PHONE), HoldRequested(Way.CODE)
YES, NO = DigitPressed("1"), DigitPressed("2")


class Stage:
    """Plays what the machine wants said, tells it when that was heard, and keeps everything with its time."""

    def __init__(self, machine: Machine[Any]) -> None:
        self.machine = machine
        self.now = 0.0
        self.done: list[tuple[float, Action]] = []
        self.saying: Say | None = None
        self.said_at = 0.0
        self.opinion: OpinionGiven | None = OpinionGiven(alive=False)
        """What the second pair of ears answers; None: nothing at all."""

    def happen(self, *events: Event) -> list[Action]:
        """Let `events` happen now; what they led to."""
        return [action for event in events for action in self.do(self.machine.receive(event, self.now))]

    def do(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            self.done.append((round(self.now, 6), action))
            match action:
                case Say():
                    self.saying, self.said_at = action, self.now
                case StopSaying():
                    self.saying = None
                case AskOpinion() if self.opinion:
                    self.happen(self.opinion)
        return actions

    def wait(self, seconds: float) -> "Stage":
        """Let so many seconds pass."""
        end = self.now + seconds
        while (due := self.next_due) is not None and due <= end:
            self.now = max(self.now, due)
            if self.saying and self.said_at + SECONDS <= self.now:
                prompt, self.saying = self.saying.prompt, None
                self.happen(PromptFinished(prompt))
            else:
                self.do(self.machine.tick(self.now))
        self.now = end
        return self

    @property
    def next_due(self) -> float | None:
        known = [self.machine.deadline, self.said_at + SECONDS if self.saying else None]
        return min((at for at in known if at is not None), default=None)

    def speak(self, seconds: float) -> None:
        """The caller makes a sound of that length."""
        self.happen(LineHeard(Heard.SOUND, self.now))
        self.wait(seconds)
        self.happen(LineHeard(Heard.SILENCE, self.now))

    def judged(self, state: LineState) -> list[Action]:
        """The line is found to be that."""
        return self.happen(LineJudged(state, self.now))

    @property
    def said(self) -> list[tuple[float, str]]:
        return [(at, action.prompt) for at, action in self.done if isinstance(action, Say)]

    @property
    def facts(self) -> list[tuple[float, str]]:
        return [(at, action.fact) for at, action in self.done if isinstance(action, Note)]

    def times(self, wanted: Action) -> list[float]:
        """When that very action was wanted."""
        return [at for at, action in self.done if action == wanted]
