"""csr-25: who cannot be served now is asked for a telephone number, and called back.

The caller keys the number and ends it with #; # alone stands for the number that called. `*` begins anew. The
number is read back, and counts when the caller has pressed 1; 2 brings the question again. A caller who keys
nothing, or nothing that could be a number, is asked again; three times in all.
"""

import re
from enum import Enum, auto
from typing import Final

from callflow.actions import Action, CancelRecall, Conclude, Note, Say, TakeNumber
from callflow.etiquette.machine import Machine
from callflow.etiquette.words import LONGEST, Words
from callflow.events import DigitPressed, Event, HungUp, Outcome, PromptFinished, RecallAnswered

TRIES: Final = 3
"""How often the caller is asked, in all."""
FIRST_KEY: Final = 10.0
"""Seconds to begin, from the end of the question."""
NEXT_KEY: Final = 6.0
"""Seconds from one key to the next."""
ANSWER: Final = 8.0
"""Seconds to confirm, from the end of the number."""
RIGHT, WRONG = "1", "2"
_NUMBER: Final = re.compile(r"\+?[0-9]{5,20}")


class Phase(Enum):
    ASKING = auto()
    ENTERING = auto()
    READING_BACK = auto()
    CONFIRMING = auto()
    THANKING = auto()
    DONE = auto()


class TakingNumber(Machine[Phase]):
    """From the question for a number to the promise to call it."""

    rules = ("csr-25", "crs-10")

    def __init__(self, wanted: TakeNumber, calling: str, queue: str, whom: str = "") -> None:
        """`calling` is who calls: used where it is a number, so empty for a caller who withholds it.

        `queue` is where the caller waited; `whom` is who is to call back, where that is known.
        """
        super().__init__(Phase.ASKING)
        self._wanted = wanted
        self._calling = calling
        self._queue = queue
        self._whom = whom
        self._words = Words()
        self._tries = 0
        self._keyed = ""
        self._number = ""

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.ENTERING, Phase.CONFIRMING)

    def begin(self, now: float) -> list[Action]:
        return self._ask(now, *self._wanted.asks)

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, RecallAnswered():
                # A seat that picks up when its caller has chosen otherwise.
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.ASKING | Phase.ENTERING, DigitPressed(digit=key) if key in "0123456789*#":
                return self._key(key, now)
            case Phase.READING_BACK | Phase.CONFIRMING, DigitPressed(digit=key) if key in (RIGHT, WRONG):
                return self._confirm(now) if key == RIGHT else self._again(now)
        return []

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.ENTERING:
                return self._entered(self._keyed, at)
            case Phase.CONFIRMING:
                return self._read_back(at) if self._may_try() else self._give_up()
            case _:
                # Words that were never told to have ended keep nobody waiting.
                return self._said(at)

    # --- the question ---

    def _ask(self, now: float, *prompts: str) -> list[Action]:
        if not self._may_try():
            return self._give_up()
        self._keyed = ""
        return self._say(Phase.ASKING, now, *(Say(prompt, self._wanted.rule) for prompt in prompts))

    def _again(self, now: float) -> list[Action]:
        return self._ask(now, self._wanted.asks[-1])

    def _may_try(self) -> bool:
        self._tries += 1
        return self._tries <= TRIES

    def _key(self, key: str, now: float) -> list[Action]:
        """Who knows what to do need not hear the question out."""
        silenced = self._words.stop()
        if key == "#":
            return [*silenced, *self._entered(self._keyed or self._calling, now)]
        # One digit more than any number has is kept, so that it is seen to be none.
        self._keyed = "" if key == "*" else (self._keyed + key)[:21]
        return self._enter(Phase.ENTERING, now + NEXT_KEY, *silenced)

    def _entered(self, number: str, now: float) -> list[Action]:
        if not _NUMBER.fullmatch(number):
            return self._again(now)
        self._number = number
        return self._read_back(now)

    # --- the answer ---

    def _read_back(self, now: float) -> list[Action]:
        spoken = {"number": self._number.removeprefix("+")}
        read_back = Say(self._wanted.read_back, self._wanted.rule, secret=spoken)
        return self._say(Phase.READING_BACK, now, read_back)

    def _confirm(self, now: float) -> list[Action]:
        details = {"kind": "callback", "number": self._number, "queue": self._queue}
        details |= {"for": self._whom} if self._whom else {}
        opened = Note("ticket.opened", self._wanted.rule, details)
        return [opened, *self._say(Phase.THANKING, now, Say(self._wanted.thanks, self._wanted.rule))]

    def _said(self, now: float) -> list[Action]:
        more = self._words.go_on()
        if more:
            return self._enter(self.phase, now + LONGEST, *more)
        match self.phase:
            case Phase.ASKING:
                return self._enter(Phase.ENTERING, now + FIRST_KEY)
            case Phase.READING_BACK:
                return self._enter(Phase.CONFIRMING, now + ANSWER)
            case _:
                return self._conclude(Outcome.NUMBER_TAKEN)

    def _say(self, phase: Phase, now: float, *says: Say) -> list[Action]:
        return self._enter(phase, now + LONGEST, *self._words.say(*says))

    def _give_up(self) -> list[Action]:
        return self._conclude(Outcome.NUMBER_NOT_TAKEN)

    def _conclude(self, outcome: Outcome) -> list[Action]:
        return self._enter(Phase.DONE, None, *self._words.stop(), Conclude(self._wanted.rule, outcome))
