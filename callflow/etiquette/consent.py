"""A caller's consent: asked, then given, refused or unanswered; unanswered is a refusal.

The window opens when the question has been heard to its end: keys pressed before are discarded, because
whoever presses them does not know yet what is asked. The hint which key means what belongs to the window,
and the time to answer counts from the hint's end. There are three ways to answer:

- a key;
- the spoken word, attested with a key by a seat that really hears the caller;
- the spoken word, understood by a recogniser, where the house allows it.

Speech without a key brings the question once more, unless a seat hears it: then the attesting is awaited.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto

from callflow.actions import Action, Note, Say
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import ConsentManners
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    Way,
)
from callflow.facts import Detail


class Consent(StrEnum):
    """How the asking ended."""

    GIVEN = "given"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Phase(Enum):
    IDLE = auto()
    QUESTION = auto()
    """being said; keys are discarded"""
    HINT = auto()
    """being said; an answer counts"""
    WAITING = auto()
    """for the answer"""
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and for which rule."""

    prompts: tuple[str, ...]
    hint: str
    rule: str
    fields: dict[str, str] = field(default_factory=dict)
    """What the slots of the prompts are filled with, such as `minutes`."""


class Asking(Machine[Phase]):
    """One question to the caller, asked until it is answered or often enough."""

    rules = ()

    def __init__(self, manners: ConsentManners, question: Question, *, seat_hears: bool) -> None:
        super().__init__(Phase.IDLE)
        self.consent: Consent | None = None
        """The answer, once there is one."""
        self._manners = manners
        self._question = question
        self._seat_hears = seat_hears
        self._words = Words()
        self._asked = 0
        self._sounding = self._spoke = self._heard_out = False

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.HINT, Phase.WAITING) and "key" in self._manners.by

    def begin(self, now: float, *, sounding: bool) -> list[Action]:
        """Ask for the first time; `sounding` says whether the caller speaks already."""
        if self.phase is not Phase.IDLE:
            raise IllegalEvent("begin", self.phase)
        self._sounding = self._spoke = sounding
        return self._ask(now)

    def cut_short(self) -> list[Action]:
        """Nobody waits for the answer any more: so there is none."""
        return self._conclude(Consent.UNANSWERED, why="cut_short")

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case _, HoldRequested(way=way):
                self._seat_hears = self._seat_hears and way is not Way.PHONE
                return []
            case _, LineHeard(heard=heard):
                return self._sounds(heard, now)
            case Phase.QUESTION | Phase.HINT, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.HINT | Phase.WAITING, DigitPressed() | AnswerAttested() | AnswerRecognised():
                return self._answer(event)
            case _, DigitPressed() | AnswerAttested() | AnswerRecognised():
                return []
            case _, PromptStarted() | PromptFinished() | PromptStopped():
                return []
        raise IllegalEvent(event, self.phase)

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.HINT:
                return self._said(at)
            case Phase.WAITING if self._sounding and not self._heard_out:
                # Nobody is asked again in the middle of a sentence, though not for ever.
                self._heard_out = True
                return self._enter(Phase.WAITING, at + self._manners.within / 2)
            case _:
                # A question that was never told to have ended may not have been heard.
                return self._no_answer(at)

    def _ask(self, now: float) -> list[Action]:
        self._asked += 1
        self._heard_out = False
        question = [self._say(prompt) for prompt in self._question.prompts]
        return self._enter(Phase.QUESTION, now + LONGEST, *self._words.say(*question))

    def _say(self, prompt: str) -> Say:
        to = (Party.CALLER, Party.SEAT) if self._seat_hears else (Party.CALLER,)
        return Say(prompt, rule=self._question.rule, to=to, fields=self._question.fields)

    def _said(self, now: float) -> list[Action]:
        more = self._words.go_on()
        if more:
            return self._enter(self.phase, now + LONGEST, *more)
        if self.phase is Phase.QUESTION and "key" in self._manners.by:
            hint = replace(self._say(self._question.hint), fields={})
            return self._enter(Phase.HINT, now + LONGEST, *self._words.say(hint))
        return self._enter(Phase.WAITING, now + self._manners.within)

    def _sounds(self, heard: Heard, now: float) -> list[Action]:
        fell_silent = self._sounding and heard is Heard.SILENCE
        self._sounding = heard is Heard.SOUND
        self._spoke |= self._sounding
        if not (fell_silent and self.phase is Phase.WAITING) or self._seat_hears:
            return []
        if self._asked < self._manners.asks or self._heard_out:
            return self._no_answer(now)
        return []

    def _answer(self, event: Event) -> list[Action]:
        by = self._manners.by
        how: dict[str, Detail]
        match event:
            case DigitPressed(digit=digit) if "key" in by and digit in (self._manners.yes, self._manners.no):
                yes, how = digit == self._manners.yes, {"how": "key"}
            case AnswerAttested(yes=yes, seat=seat) if "seat" in by and self._seat_hears:
                how = {"how": "seat", "seat": seat}
            case AnswerRecognised(yes=yes) if "voice" in by:
                how = {"how": "voice"}
            case _:
                return []
        return self._conclude(Consent.GIVEN if yes else Consent.REFUSED, **how)

    def _no_answer(self, now: float) -> list[Action]:
        if self._asked < self._manners.asks:
            return self._ask(now)
        return self._conclude(Consent.UNANSWERED, why="speech" if self._spoke else "silence")

    def _conclude(self, consent: Consent, **details: Detail) -> list[Action]:
        self.consent = consent
        told = Note(f"consent.{consent}", self._question.rule, {"asked": self._asked, **details})
        return self._enter(Phase.DONE, None, told, *self._words.stop())
