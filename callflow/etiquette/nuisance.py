"""csr-30, gas-18: who wants nothing that the house does is told so, and left to the automatic attendant.

Both hear the words and go on hearing each other: the caller has ten seconds to hang up or to say what it
wants after all. A seat that goes on with the call (`*2`, its page, a hold, a transfer) has ended the matter.
A caller who stays, or whom the seat leaves meanwhile, is not hung up on: the seat is free, and the flow says
what the attendant has to offer.
"""

from enum import Enum, auto

from callflow.actions import Action, Conclude, Note, ReleaseSeat, Say, StopSaying
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import NuisanceManners
from callflow.etiquette.words import LONGEST
from callflow.events import (
    Event,
    HoldRequested,
    HungUp,
    NuisanceCalled,
    Outcome,
    Party,
    PromptFinished,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
)


class Phase(Enum):
    IDLE = auto()
    SAYING = auto()
    WAITING = auto()
    LEAVING = auto()
    DONE = auto()


class Nuisance(Machine[Phase]):
    """From the seat's finding to the attendant, or to a call that goes on."""

    rules = ("csr-30", "gas-18")

    def __init__(self, manners: NuisanceManners) -> None:
        super().__init__(Phase.IDLE)
        self._manners = manners
        self._seat_gone = False

    @property
    def keeps_caller(self) -> bool:
        return self.phase is not Phase.DONE

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.IDLE, NuisanceCalled():
                told = Note("nuisance.told", self._manners.rule)
                said = self._say(self._manners.words, Party.CALLER, Party.SEAT)
                return self._enter(Phase.SAYING, now + LONGEST, told, said)
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.SAYING, PromptFinished(prompt=self._manners.words):
                return self._enter(Phase.WAITING, now + self._manners.wait)
            case Phase.LEAVING, PromptFinished(prompt=self._manners.leaving):
                return self._conclude()
            case Phase.SAYING | Phase.WAITING, SeatResumed() | HoldRequested() | TransferRequested():
                silenced = [StopSaying()] if self.phase is Phase.SAYING else []
                return self._enter(Phase.DONE, None, *silenced, Note("nuisance.over", self._manners.rule))
            case Phase.SAYING | Phase.WAITING, SeatHungUp() | SeatLost():
                self._seat_gone = True
                return self._leave(now)
        return []

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.SAYING:
                return self._enter(Phase.WAITING, at + self._manners.wait)
            case Phase.WAITING:
                return self._leave(at)
        return self._conclude()

    def _leave(self, now: float) -> list[Action]:
        released: list[Action] = [] if self._seat_gone else [ReleaseSeat()]
        said = self._say(self._manners.leaving, Party.CALLER)
        return self._enter(Phase.LEAVING, now + LONGEST, *released, said)

    def _say(self, prompt: str, *to: Party) -> Say:
        return Say(prompt, self._manners.rule, to)

    def _conclude(self) -> list[Action]:
        return self._enter(Phase.DONE, None, Conclude(self._manners.rule, Outcome.ATTENDANT_WANTED))
