"""csr-24, crs-05, hst-03: the receiving seat hears who comes and why, and agrees with a key.

Answering is not agreeing: a voicemail, a fax and a phone that lies off its hook answer too. So the brief is
followed by a question, and only the key that it names is a yes; no key at all, twice, is a no.
"""

from enum import Enum, StrEnum, auto
from typing import Final

from callflow.actions import Action, Say
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import TransferManners
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    CallerDescribed,
    DigitPressed,
    Event,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)

OWN_WORDS: Final = "own_words"
"""Stands for what the seat has said itself, among the prompts of a brief."""


class Answer(StrEnum):
    """What came of it."""

    AGREED = "agreed"
    DECLINED = "declined"
    UNANSWERED = "unanswered"


class Phase(Enum):
    IDLE = auto()
    BRIEF = auto()
    """being said; keys are discarded"""
    QUESTION = auto()
    """being said; a key counts"""
    WAITING = auto()
    """for the key"""
    DONE = auto()


class Briefing(Machine[Phase]):
    """From the target's answer to its word; the events are those of the target's leg."""

    rules = ()

    def __init__(
        self,
        manners: TransferManners,
        fields: dict[str, str],
        about: CallerDescribed,
        *,
        own_words: bool = False,
    ) -> None:
        """`fields` fill the slots of the brief, such as `seat`: from whom the caller comes.

        `about`: who calls and why; of that is said what there is a recording of. `own_words`: whether the
        seat has said something itself.
        """
        super().__init__(Phase.IDLE)
        self.answer: Answer | None = None
        """Known when it is over."""
        self._manners = manners
        self._fields = fields
        self._about = about
        self._own_words = own_words
        self._words = Words()
        self._asked = 0

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.QUESTION, Phase.WAITING)

    def begin(self, now: float) -> list[Action]:
        """Say who comes and why."""
        if self.phase is not Phase.IDLE:
            raise IllegalEvent("begin", self.phase)
        brief = [self._say(prompt, self._fields) for prompt in self._manners.brief]
        brief += self._who_and_why()
        brief += [self._say(OWN_WORDS, {})] if self._own_words else []
        return self._enter(Phase.BRIEF, now + LONGEST, *self._words.say(*brief))

    def _who_and_why(self) -> list[Say]:
        about, manners = self._about, self._manners
        said = []
        if manners.who and "surname" in about.sayable:
            secret = {"surname": about.surname}
            said.append(Say(manners.who, manners.rule, (Party.TARGET,), secret=secret))
        if manners.matter and "matter" in about.sayable:
            said.append(self._say(manners.matter, {"matter": about.matter}))
        return said

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, _:
                return []
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.QUESTION | Phase.WAITING, DigitPressed(digit=digit) if digit == self._manners.take:
                return self._conclude(Answer.AGREED)
            case Phase.QUESTION | Phase.WAITING, DigitPressed(digit=digit) if digit == self._manners.decline:
                return self._conclude(Answer.DECLINED)
            case _, DigitPressed() | LineHeard() | PromptStarted() | PromptFinished() | PromptStopped():
                return []
        raise IllegalEvent(event, self.phase)

    def _due(self, at: float) -> list[Action]:
        if self.phase is Phase.WAITING:
            return self._ask(at) if self._asked < self._manners.asks else self._conclude(Answer.UNANSWERED)
        # Words that were never told to have ended: nobody waits for a lost message.
        return self._said(at)

    def _said(self, now: float) -> list[Action]:
        more = self._words.go_on()
        if more:
            return self._enter(self.phase, now + LONGEST, *more)
        if self.phase is Phase.BRIEF:
            return self._ask(now)
        return self._enter(Phase.WAITING, now + self._manners.within)

    def _ask(self, now: float) -> list[Action]:
        self._asked += 1
        question = self._say(self._manners.will_you_take_it, {})
        return self._enter(Phase.QUESTION, now + LONGEST, *self._words.say(question))

    def _say(self, prompt: str, fields: dict[str, str]) -> Say:
        return Say(prompt, self._manners.rule, (Party.TARGET,), fields)

    def _conclude(self, answer: Answer) -> list[Action]:
        self.answer = answer
        return self._enter(Phase.DONE, None)
