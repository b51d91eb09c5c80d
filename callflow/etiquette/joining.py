"""csr-01, csr-16, gas-02, gas-03: a seat has picked up; both hear the greeting, and then each other.

Whoever waited long hears the apology in the greeting's place. While others still wait it may be a short one,
and a trainee has another.
"""

from enum import Enum, auto

from callflow.actions import Action, Conclude, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import JoiningManners
from callflow.etiquette.words import LONGEST
from callflow.events import (
    Event,
    HungUp,
    Outcome,
    Party,
    PromptFinished,
    SeatAnswered,
    SeatHungUp,
    SeatLost,
)

BOTH = (Party.CALLER, Party.SEAT)


class Phase(Enum):
    WAITING = auto()
    """for the seat"""
    GREETING = auto()
    DONE = auto()


class Joining(Machine[Phase]):
    """From the seat's answer to the first word that passes between the two."""

    rules = ("csr-01", "csr-16", "gas-02", "gas-03")

    @property
    def begins_serving(self) -> bool:
        return True

    def __init__(self, manners: JoiningManners, waited: float, *, greets: bool = True) -> None:
        """`waited` is for how many seconds the caller has waited for the seat.

        `greets`: whether csr-01 is in force; without it only the apology of csr-16 and the like keep the two
        apart for a moment.
        """
        super().__init__(Phase.WAITING)
        self._manners = manners
        self._waited = waited
        self._greets = greets
        self._greeting = ""

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case Phase.WAITING, SeatAnswered():
                return self._greet(event, now)
            case Phase.GREETING, PromptFinished(prompt=prompt) if prompt == self._greeting:
                return self._join()
            case Phase.GREETING, SeatHungUp() | SeatLost():
                return self._enter(Phase.DONE, None, StopSaying(), self._concluded(Outcome.SEAT_LEFT))
            case _, SeatAnswered():
                raise IllegalEvent(event, self.phase)
        return []

    def _due(self, at: float) -> list[Action]:
        # A greeting that was never told to have ended keeps nobody apart.
        return self._join()

    def _greet(self, answered: SeatAnswered, now: float) -> list[Action]:
        say = greeting_of(self._manners, answered, self._waited)
        if say.rule == "csr-01" and not self._greets:
            return self._join()
        self._greeting = say.prompt
        return self._enter(Phase.GREETING, now + LONGEST, NOBODY_HEARD, say)

    def _join(self) -> list[Action]:
        return self._enter(Phase.DONE, None, BOTH_HEARD, self._concluded(Outcome.JOINED))

    def _concluded(self, outcome: Outcome) -> Conclude:
        return Conclude("csr-01", outcome)


def greeting_of(manners: JoiningManners, answered: SeatAnswered, waited: float) -> Say:
    """What both hear when this seat has picked up; `waited` are seconds."""
    if waited > manners.late_after:
        return Say(manners.late, "csr-16", BOTH)
    if answered.trainee and manners.trainee:
        return Say(manners.trainee.prompt, manners.trainee.rule, BOTH)
    if answered.overflow and manners.overflow:
        return Say(manners.overflow.prompt, manners.overflow.rule, BOTH)
    return Say(manners.greeting, "csr-01", BOTH, {"seat": answered.seat})
