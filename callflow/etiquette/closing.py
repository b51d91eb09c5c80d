"""csr-35 and csr-36: the caller is asked for anything else, and hangs up first.

The conversation is over: anything_else is said, with the hint which key brings help. Then the caller

- presses the key: the call goes on;
- makes a short sound, taken for "no, thanks": goodbye, 5 s, hang up (csr-35);
- speaks longer: the hint once more, and after a second speech the call goes on as if the key were pressed;
- stays silent for 5 s: hanging_up, 5 s, hang up (csr-36).

Without csr-36 nobody but the caller ends the call, and the question comes again every 20 s.

The key helps until the very end, and nobody is cut off in mid-sentence: while the line sounds, no
deadline runs, and a pause that was broken begins anew.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, Conclude, HangUp, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import ClosingManners
from callflow.events import (
    ConversationOver,
    DigitPressed,
    Ending,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Outcome,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)

ASKED_AGAIN: Final = 20.0
"""Seconds of silence after which who may not be released is asked once more."""


class Phase(Enum):
    OPEN = auto()
    ASKING = auto()
    """anything_else and the hint are being said."""
    WAITING = auto()
    """for the answer"""
    PARTING = auto()
    """goodbye or hanging_up is being said."""
    LAST_PAUSE = auto()
    HEARING = auto()
    """the caller speaks in a pause"""
    DONE = auto()


class Closing(Machine[Phase]):
    """From the end of the conversation to the release."""

    rules = ("csr-35", "csr-36")

    def __init__(self, manners: ClosingManners, *, ask: bool = True, release: bool = True) -> None:
        """`ask` and `release` say whether csr-35 and csr-36 are in force."""
        super().__init__(Phase.OPEN)
        self._manners = manners
        self._ask = ask
        self._release = release
        self._saying = ""
        self._then_say: list[str] = []
        self._release_rule = "csr-36"
        self._speech_since: float | None = None
        self._hinted_again = False
        self._stays = False
        """Whether the caller has given no answer, and nobody may end the call for that."""

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.WAITING, Phase.LAST_PAUSE, Phase.HEARING)

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case Phase.OPEN, ConversationOver():
                return self._ask_or_tell(now)
            case _, DigitPressed(digit=self._manners.help_key):
                return self._conclude(Outcome.HELP_WANTED, StopSaying())
            case Phase.WAITING | Phase.LAST_PAUSE | Phase.HEARING, DigitPressed():
                return self._hint_again()
            case Phase.ASKING | Phase.PARTING, PromptFinished(prompt=self._saying):
                return self._said(now)
            case _, LineHeard(heard=Heard.SOUND, since=since):
                return self._speech_began(since)
            case _, LineHeard(heard=Heard.SILENCE, since=since):
                return self._speech_ended(since, now)
            case _, DigitPressed() | PromptStarted() | PromptStopped() | PromptFinished():
                return []
        raise IllegalEvent(event, self.phase)

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.HEARING:
                return self._answered_at_length()
            case _ if not self._release:
                return self._stay(at)
            case Phase.WAITING:
                return self._part(self._manners.hanging_up, "csr-36")
            case _:
                return self._let_go()

    def _ask_or_tell(self, now: float) -> list[Action]:
        if self._ask:
            return self._say(Phase.ASKING, "csr-35", self._manners.anything_else, self._manners.hint)
        return self._enter(Phase.WAITING, now + self._manners.answer_within)

    def _said(self, now: float) -> list[Action]:
        if self._then_say:
            return self._say(self.phase, "csr-35", *self._then_say)
        pause = self._manners.answer_within if self.phase is Phase.ASKING else self._manners.pause
        after = Phase.WAITING if self.phase is Phase.ASKING else Phase.LAST_PAUSE
        if self._speech_since is not None:
            # Spoken over the prompt's end and still speaking: hear it out.
            return self._enter(Phase.HEARING, now + self._manners.hear_out)
        return self._enter(after, now + pause)

    def _speech_began(self, since: float) -> list[Action]:
        self._speech_since = since
        if self.phase in (Phase.WAITING, Phase.LAST_PAUSE):
            return self._enter(Phase.HEARING, since + self._manners.hear_out)
        return []

    def _speech_ended(self, since: float, now: float) -> list[Action]:
        began, self._speech_since = self._speech_since, None
        if self.phase is not Phase.HEARING or began is None:
            return []
        if since - began < self._manners.short_sound:
            return self._answered_shortly(now)
        return self._answered_at_length()

    def _answered_shortly(self, now: float) -> list[Action]:
        if self._saying in (self._manners.goodbye, self._manners.hanging_up):
            # The farewell has been said: the answer to it only begins the pause anew.
            return self._enter(Phase.LAST_PAUSE, now + self._manners.pause)
        return self._part(self._manners.goodbye, "csr-35")

    def _answered_at_length(self) -> list[Action]:
        if self._hinted_again:
            return self._conclude(Outcome.HELP_WANTED)
        return self._hint_again()

    def _hint_again(self) -> list[Action]:
        self._hinted_again = True
        return self._say(Phase.ASKING, "csr-35", self._manners.hint)

    def _part(self, prompt: str, rule: str) -> list[Action]:
        self._release_rule = rule
        return self._say(Phase.PARTING, rule, prompt)

    def _say(self, phase: Phase, rule: str, prompt: str, *then: str) -> list[Action]:
        self._saying, self._then_say = prompt, [*then]
        return self._enter(phase, None, Say(prompt, rule=rule))

    def _let_go(self) -> list[Action]:
        reason: Ending = "said_goodbye" if self._release_rule == "csr-35" else "caller_stayed"
        return self._conclude(Outcome.RELEASED, HangUp(reason, rule=self._release_rule))

    def _stay(self, at: float) -> list[Action]:
        """csr-36 is off: only the caller ends the call now. Nobody is left in silence for that."""
        stays, self._stays = self._stays, not self._stays
        return self._ask_or_tell(at) if stays else self._enter(Phase.WAITING, at + ASKED_AGAIN)

    def _conclude(self, outcome: Outcome, *actions: Action) -> list[Action]:
        return self._enter(Phase.DONE, None, *actions, Conclude("csr-35", outcome))
