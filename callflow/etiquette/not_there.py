"""crs-06, hst-03: what a caller hears whom the target does not take, and what it may have instead.

Who is away is said to be away, with when it is back where that is known, and a message is offered; who speaks
with somebody else is said to do so. Nobody is told more of a colleague than that.
"""

from enum import Enum, auto

from callflow.actions import Action, Say
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import AwayManners, TransferManners
from callflow.etiquette.words import LONGEST, Words
from callflow.events import LONGEST_ESTIMATE, DigitPressed, Event, Party, PromptFinished, TargetDeclined


class Phase(Enum):
    SAYING = auto()
    OFFERING = auto()
    """The offer is being said; its key counts."""
    WAITING = auto()
    DONE = auto()


class NotThere(Machine[Phase]):
    """From why the target does not take the call to what the caller wants then."""

    rules = ("crs-06",)

    def __init__(self, manners: TransferManners, declined: TargetDeclined, *, to: tuple[Party, ...]) -> None:
        """`to` is who hears it: the caller, and a seat that listens."""
        super().__init__(Phase.SAYING)
        self.message_wanted = False
        self._manners = manners
        self._declined = declined
        self._to = to
        self._away = manners.away if declined.why == "away" else None
        self._words = Words()

    @property
    def is_over(self) -> bool:
        return self.phase is Phase.DONE

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.OFFERING, Phase.WAITING)

    def begin(self, now: float) -> list[Action]:
        if self._away is not None:
            said = self._of_absence(self._away)
        else:
            busy = self._manners.serving if self._declined.why == "busy" else None
            said = [Say(busy or self._manners.not_taken, self._manners.rule, self._to)]
        return self._enter(Phase.SAYING, now + LONGEST, *self._words.say(*said))

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, _:
                return []
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.OFFERING | Phase.WAITING, DigitPressed(digit=key) if (
                self._away and key == self._away.key
            ):
                self.message_wanted = True
                return self.stop()
        return []

    def stop(self) -> list[Action]:
        """Nothing more is said or awaited."""
        return self._enter(Phase.DONE, None, *self._words.stop())

    def _due(self, at: float) -> list[Action]:
        return self.stop() if self.phase is Phase.WAITING else self._said(at)

    def _of_absence(self, away: AwayManners) -> list[Say]:
        said = [Say(away.gone, away.rule, self._to)]
        minutes = self._declined.back_in
        if minutes is not None and 1 <= minutes <= LONGEST_ESTIMATE:
            said.append(Say(away.back_in, away.rule, self._to, {"minutes": str(minutes)}))
        return said

    def _said(self, now: float) -> list[Action]:
        if more := self._words.go_on():
            return self._enter(self.phase, now + LONGEST, *more)
        if self._away is None:
            return self.stop()
        if self.phase is Phase.SAYING:
            offered = Say(self._away.offer, self._away.rule, self._to)
            return self._enter(Phase.OFFERING, now + LONGEST, *self._words.say(offered))
        return self._enter(Phase.WAITING, now + self._away.within)
