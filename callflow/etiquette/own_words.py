"""hst-05: what the target is to know of the call, in the seat's own words; ten seconds of them at most.

The caller has agreed to be put through and is held meanwhile, so the seat speaks for the target alone. It
hears what to do and a tone; `#`, or the end of its time, ends it. Who says nothing has said nothing: the
target hears the house's brief in any case.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, KeepWords, Notice, Say, TellSeat, WordsSpoken
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import OwnWordsManners
from callflow.etiquette.words import LONGEST
from callflow.events import DigitPressed, Event, Party, PromptFinished, WordsKept

ENDS: Final = "#"
TONE: Final = 0.3
"""Seconds of the tone before the words."""
PATIENCE: Final = 2.0
"""Seconds that the words may take on their way to where they are played; after that there are none."""


class Phase(Enum):
    ASKING = auto()
    SPEAKING = auto()
    KEEPING = auto()
    DONE = auto()


class OwnWords(Machine[Phase]):
    """From the request to speak to words that can be played; the events are those of the seat's leg."""

    rules = ("hst-05",)

    def __init__(self, manners: OwnWordsManners) -> None:
        super().__init__(Phase.ASKING)
        self.seconds = 0.0
        """How long they are; 0 where there are none."""
        self._manners = manners

    @property
    def is_over(self) -> bool:
        return self.phase is Phase.DONE

    def begin(self, now: float) -> list[Action]:
        asked = Say(self._manners.ask, self._manners.rule, (Party.SEAT,))
        return self._enter(Phase.ASKING, now + LONGEST, TellSeat(Notice.SAY_BRIEF), asked)

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.ASKING, PromptFinished(prompt=self._manners.ask):
                return self._listen(now)
            case Phase.SPEAKING, DigitPressed(digit=key) if key == ENDS:
                return self._spoken(now)
            case Phase.ASKING, DigitPressed(digit=key) if key == ENDS:
                # Who knows that there is nothing to say need not hear how to say it.
                return self._enter(Phase.DONE, None)
            case Phase.SPEAKING | Phase.KEEPING, WordsKept(seconds=seconds):
                self.seconds = seconds
                return self._enter(Phase.DONE, None)
        return []

    def stop(self) -> list[Action]:
        """Nobody is to be told anything any more."""
        speaking = self.phase is Phase.SPEAKING
        return self._enter(Phase.DONE, None, *([WordsSpoken()] if speaking else []))

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.ASKING:
                # Words that were never told to have ended keep nobody waiting.
                return self._listen(at)
            case Phase.SPEAKING:
                return self._spoken(at)
        return self._enter(Phase.DONE, None)

    def _listen(self, now: float) -> list[Action]:
        return self._enter(Phase.SPEAKING, now + TONE + self._manners.at_most, KeepWords())

    def _spoken(self, now: float) -> list[Action]:
        return self._enter(Phase.KEEPING, now + PATIENCE, WordsSpoken())
