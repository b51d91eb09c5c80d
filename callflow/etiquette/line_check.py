"""csr-04: a line that stays silent after the greeting is greeted again, told, and released.

The answering greeting is the first of the two: greeting, 5 s, greeting_again, 5 s, no_sound, 5 s,
hang up. Every pause counts from the end of the prompt before it. A sound or a key ends the sequence
at once, also in the middle of a prompt, and the call goes on: a caller who is alive is never released.
"""

from enum import Enum, auto

from callflow.actions import Action, Conclude, HangUp, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import SilentLineManners
from callflow.events import (
    CallAnswered,
    CallConfirmed,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Outcome,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)


class Phase(Enum):
    GREETING = auto()
    LISTENING = auto()
    SAYING = auto()
    DONE = auto()


class SilentLine(Machine[Phase]):
    """The watch over one line, from the start of the greeting."""

    rules = ("csr-04",)

    def __init__(self, manners: SilentLineManners, greeting: str) -> None:
        super().__init__(Phase.GREETING)
        self._pause = manners.pause
        self._saying = greeting
        self._to_say = [*manners.prompts]

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case Phase.SAYING, LineHeard(heard=Heard.SOUND) | DigitPressed():
                return self._conclude(Outcome.ALIVE, StopSaying())
            case _, LineHeard(heard=Heard.SOUND) | DigitPressed():
                return self._conclude(Outcome.ALIVE)
            case _, LineHeard(heard=Heard.SILENCE) | PromptStarted():
                return []
            case Phase.GREETING, CallAnswered() | CallConfirmed():
                return []
            case Phase.GREETING | Phase.SAYING, PromptFinished(prompt=self._saying):
                return self._enter(Phase.LISTENING, now + self._pause)
            case Phase.GREETING | Phase.SAYING, PromptStopped(prompt=self._saying):
                return []
        raise IllegalEvent(event, self.phase)

    def _due(self, at: float) -> list[Action]:
        if self._to_say:
            self._saying = self._to_say.pop(0)
            return self._enter(Phase.SAYING, None, Say(self._saying, rule="csr-04"))
        return self._conclude(Outcome.SILENT, HangUp("silent_line", rule="csr-04"))

    def _conclude(self, outcome: Outcome, *actions: Action) -> list[Action]:
        return self._enter(Phase.DONE, None, *actions, Conclude("csr-04", outcome))
