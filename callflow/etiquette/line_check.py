"""What every check of a line has in common: words, pauses, a second opinion, and the end.

A check says the words of a script. Every pause counts from the end of the prompt before it, and the line is
listened to all the while; a sign of life ends the check at once, in the middle of a word if need be, and the
call goes on. What counts as such a sign is for those who extend this: a key does on every line.

Nobody is released on the word of one pair of ears. When the pause after the last words is over, a second pair
that has listened since the check began is asked whether it has heard a person. If it has, the caller is
alive; if it has not, the caller is released in that instant. An answer that does not come within half a
second counts once as if somebody had been heard, but proves it not: the last words and their pause come
again. Where it is late a second time, what stands in for it decides: the strictest reckoning of the first
ears, to which whatever might have been a person was one. Where there is not even that, they have heard nobody
through two announcements and two pauses, and that is enough. So a detector that is broken can neither hang up
on a person who says something nor keep a dead line for ever, and the release is never later than half a
second after its pause.
"""

from abc import abstractmethod
from collections import Counter
from enum import Enum, auto
from typing import Final, Literal

from callflow.actions import (
    Action,
    AskOpinion,
    Conclude,
    HangUp,
    ListenClosely,
    ListenNoLonger,
    Note,
    Say,
    StopSaying,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.line_script import Script, Word
from callflow.etiquette.machine import Machine
from callflow.events import (
    CallAnswered,
    CallConfirmed,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineState,
    OpinionGiven,
    Outcome,
    Party,
    PathJudged,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)

ANSWER_WITHIN: Final = 0.5
"""Seconds that the second pair of ears has for its answer."""
MOST_LATE: Final = 1
"""How often an answer that did not come is taken for a sign of life."""
Sign = Literal["sound", "speech", "key", "opinion", "seat", "not_found_so"]
Stop = Sign | LineState
"""What stops a check: a sign of life, the seat, or a line that is not as it was said to be."""
LATE: Final = "late"
"""Who gives an opinion that is none: it did not come in time."""


class Phase(Enum):
    GREETING = auto()
    """What comes before the check is being said."""
    LISTENING = auto()
    HEARING = auto()
    """Somebody makes a sound, and it is not known yet how well that can be made out."""
    SAYING = auto()
    ASKING = auto()
    """the second pair of ears"""
    DONE = auto()


class LineCheck(Machine[Phase]):
    """One check of one line."""

    def __init__(
        self,
        script: Script,
        phase: Phase,
        *,
        to: tuple[Party, ...] = (Party.CALLER,),
        by: str = "line",
        at_fault: bool = False,
    ) -> None:
        """`to` hears the words; `by` is who began it, `line` or `seat`.

        `at_fault`: it is our side that lets nothing through, as far as that is known yet.
        """
        super().__init__(phase)
        self._script = script
        self._to = to
        self._by = by
        self._at_fault = at_fault
        self._said: Counter[str] = Counter()
        """How many words have been said, by rule: who comes back to a script goes on in it."""
        self._saying = ""
        self._state: LineState | None = None
        """What the line was found to be last."""
        self._sounding = False
        self._listens = False
        """Whether the second pair of ears is open."""
        self._begun = False
        self._late = 0

    @property
    def at_work(self) -> bool:
        return self.phase is not Phase.DONE

    @property
    def follows_line(self) -> bool:
        return True

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case _, PathJudged(at_fault=at_fault):
                self._at_fault = at_fault
                return []
            case _, DigitPressed():
                return self._alive("key")
            case _, LineJudged(state=state):
                self._state = state
                return self._judged(state, now)
            case _, LineHeard(heard=heard):
                self._sounding = heard is Heard.SOUND
                return self._heard(heard, now)
            case Phase.SAYING, PromptFinished(prompt=self._saying):
                return self._listen(now)
            case Phase.ASKING, OpinionGiven(alive=alive, by=by) if by != LATE:
                given = Note("opinion.given", self._script.rule, {"alive": alive, "by": by})
                return [given, *(self._alive("opinion") if alive else self._end(by))]
            case Phase.ASKING, OpinionGiven(alive=alive):
                return self._unanswered(now, may_live=alive)
            case _, OpinionGiven() | PromptStarted() | PromptFinished() | PromptStopped():
                return []
            case _, CallAnswered() | CallConfirmed():
                return []
        return self._otherwise(event, now)

    # --- what those who extend it decide ---

    @abstractmethod
    def _heard(self, heard: Heard, now: float) -> list[Action]:
        """The line begins or ceases to sound."""

    @abstractmethod
    def _judged(self, state: LineState, now: float) -> list[Action]:
        """The line is found to be something else."""

    def _go_on(self, at: float) -> list[Action]:
        """The pause after a word that is not the last is over."""
        return self._say(at)

    def _otherwise(self, event: Event, now: float) -> list[Action]:
        """Something that has to do with neither the line nor the words."""
        raise IllegalEvent(event, self.phase)

    # --- words and pauses ---

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.ASKING:
                return self._unanswered(at)
            case Phase.HEARING:
                return self._alive("sound")
            case _ if self._all_said:
                return self._enter(Phase.ASKING, at + ANSWER_WITHIN, AskOpinion())
            case _:
                return self._go_on(at)

    @property
    def _all_said(self) -> bool:
        return self._said[self._script.rule] >= len(self._script.words)

    def _say(self, at: float) -> list[Action]:
        """The next of the script's words, or the last again."""
        word = self._script.words[min(self._said[self._script.rule], len(self._script.words) - 1)]
        self._said[self._script.rule] += 1
        self._saying = self._prompt(word)
        begins = self._begin()
        return self._enter(Phase.SAYING, None, *begins, Say(self._saying, self._script.rule, self._to))

    def _prompt(self, word: Word) -> str:
        return word.our_fault if word.our_fault and self._at_fault else word.prompt

    def _begin(self) -> list[Action]:
        if self._begun:
            return []
        self._begun = True
        details = {"state": self._state, "by": self._by}
        return [Note("line_check.begun", self._script.rule, details), *self._listen_closely()]

    def _listen_closely(self) -> list[Action]:
        opened, self._listens = self._listens, True
        return [] if opened else [ListenClosely()]

    def _listen(self, now: float) -> list[Action]:
        """The words have been heard to their end: so long as the pause is, the line is listened to."""
        said = min(self._said[self._script.rule], len(self._script.words))
        return self._enter(Phase.LISTENING, now + self._script.words[said - 1].pause)

    def _turn_to(self, script: Script, now: float) -> list[Action]:
        """The line is of another kind than was thought: go on with what is said there."""
        silenced = self._cut_off()
        self._script = script
        return [*silenced, *self._say(now)]

    def _cut_off(self) -> list[Action]:
        """What is being said counts as unsaid: who comes back to the script hears it from its beginning."""
        if self.phase is not Phase.SAYING:
            return []
        self._said[self._script.rule] -= 1
        return [StopSaying()]

    # --- the ends ---

    def _unanswered(self, at: float, *, may_live: bool = False) -> list[Action]:
        """The second pair of ears has not answered in time; `may_live` is what stands in for its answer."""
        self._late += 1
        note = Note("opinion.late", self._script.rule, {"times": self._late})
        if self._late <= MOST_LATE:
            return [note, *self._say(at)]
        return [note, *(self._alive("opinion") if may_live else self._end(LATE))]

    def _alive(self, why: Stop) -> list[Action]:
        return self._stop(why, Outcome.ALIVE)

    def _stop(self, why: Stop, outcome: Outcome) -> list[Action]:
        silenced = [StopSaying()] if self.phase is Phase.SAYING else []
        told = [Note("line_check.stopped", self._script.rule, {"why": why})] if self._begun else []
        return self._enter(
            Phase.DONE, None, *silenced, *told, *self._ears_shut(), Conclude(self._script.rule, outcome)
        )

    def _end(self, by: str) -> list[Action]:
        """Nobody was made out by either pair of ears, and the caller has been told."""
        script = self._script
        ended = Note("line_check.ended", script.rule, {"state": self._state, "by": by})
        released = HangUp(script.reason, script.rule)
        conclude = Conclude(script.rule, script.outcome)
        return self._enter(Phase.DONE, None, ended, *self._ears_shut(), released, conclude)

    def _ears_shut(self) -> list[Action]:
        opened, self._listens = self._listens, False
        return [ListenNoLonger()] if opened else []
