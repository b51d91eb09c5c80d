"""A rule that is only observed: it runs on the real events, and what it would have said or done is noted.

Nobody hears its words, so nothing tells that they have ended: they are taken to last some seconds. Nobody is
asked for a second opinion either: it is taken to agree.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Final

from callflow.actions import Action, AskOpinion, Conclude, HangUp, Note, Say
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.events import Event, HungUp, OpinionGiven, PromptFinished, PromptStarted, PromptStopped

WORDS: Final = 3.0
"""Seconds that words are taken to last which nobody hears."""


class Phase(Enum):
    WATCHING = auto()
    DONE = auto()


class Shadow(Machine[Phase]):
    """One rule's machine beside those that decide."""

    rules = ()

    def __init__(
        self,
        machine: Machine[Any],
        *observed: str,
        hears: str | None = None,
        begun: Sequence[Action] = (),
        now: float = 0.0,
    ) -> None:
        """`observed`: the rules of whose words is told; `hears`: the only prompt of others that it goes by;
        `begun`: what the machine wanted when it began at `now`.
        """
        super().__init__(Phase.WATCHING)
        self._machine = machine
        self._observed = observed
        self._hears = hears
        self._saying: str | None = None
        self._said_at = 0.0
        self.first = self._noted(begun, now)
        """What is to be noted of its beginning."""

    @property
    def only_watches(self) -> bool:
        return True

    @property
    def follows_line(self) -> bool:
        return self._machine.follows_line

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.phase is Phase.DONE or isinstance(event, OpinionGiven):
            return []
        if isinstance(event, HungUp):
            return self._enter(Phase.DONE, None)
        if isinstance(event, PromptStarted | PromptFinished | PromptStopped) and event.prompt != self._hears:
            # Somebody else's words: its own are heard by nobody.
            return []
        try:
            return self._noted(self._machine.receive(event, now), now)
        except IllegalEvent:
            # The call has gone another way than this rule would have led it.
            return self._enter(Phase.DONE, None)

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._said_at += seconds
        self._machine.postpone(seconds)

    def _due(self, at: float) -> list[Action]:
        if self._saying and at >= self._said_at:
            prompt, self._saying = self._saying, None
            return self._noted(self._machine.receive(PromptFinished(prompt), at), at)
        return self._noted(self._machine.tick(at), at)

    def _noted(self, actions: Sequence[Action], now: float) -> list[Action]:
        notes: list[Action] = []
        over = False
        if AskOpinion() in actions:
            actions = self._machine.receive(OpinionGiven(alive=False), now)
        for action in actions:
            match action:
                case Say(prompt=prompt, rule=rule):
                    self._saying, self._said_at = prompt, now + WORDS
                    notes += self._note(rule, would="say", prompt=prompt)
                case HangUp(reason=reason, rule=rule):
                    notes += self._note(rule, would="hang_up", reason=reason)
                case Conclude():
                    over = True
        if over:
            return self._enter(Phase.DONE, None, *notes)
        known = (self._machine.deadline, self._said_at if self._saying else None)
        return self._enter(Phase.WATCHING, min((at for at in known if at is not None), default=None), *notes)

    def _note(self, rule: str | None, **would: str) -> list[Action]:
        return [Note("rule.observed", rule, would)] if rule in self._observed else []
