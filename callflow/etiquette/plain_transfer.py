"""A transfer without the house's manners: what is left of it where csr-24 and its like are switched off.

Nobody is asked: the target rings, and who answers has the call, as with any PBX. Where the rule is only
observed, what the caller would have been asked is noted. A caller whom nobody takes is still not lost.
"""

from enum import Enum, auto

from callflow.actions import (
    Action,
    BeginHold,
    Conclude,
    DropTarget,
    EndHold,
    JoinTarget,
    Note,
    Notice,
    RingTarget,
    TellSeat,
)
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import TransferManners
from callflow.events import (
    Event,
    HoldRequested,
    HungUp,
    OfTarget,
    Outcome,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TargetAnswered,
    TargetDeclined,
    TransferRequested,
    Way,
)


class Phase(Enum):
    IDLE = auto()
    RINGING = auto()
    DONE = auto()


class PlainTransfer(Machine[Phase]):
    """From the seat's wish to the target's answer."""

    rules = ()

    def __init__(
        self, manners: TransferManners, *, unhearing: bool, music: str | None, observed: bool
    ) -> None:
        """`unhearing`: the seat's phone is on its own hold; `music`: what the caller hears meanwhile."""
        super().__init__(Phase.IDLE)
        self._target = ""
        self._unhearing = unhearing
        self._manners = manners
        self._music = music
        self._observed = observed
        self._seat_gone = False

    @property
    def transfers(self) -> bool:
        return True

    @property
    def target(self) -> str:
        return self._target

    @property
    def unhearing(self) -> bool:
        return self._unhearing

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.IDLE, TransferRequested():
                return self._ring(event, now)
            case Phase.DONE, OfTarget(event=TargetAnswered()):
                return [DropTarget("too_late")]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None, DropTarget("caller_hung_up"))
            case _, OfTarget(event=TargetAnswered()):
                return self._join()
            case _, OfTarget(event=TargetDeclined(why=why)):
                return self._failed(why)
            case _, SeatHungUp() | SeatLost():
                self._seat_gone = True
            case _, HoldRequested(way=Way.PHONE):
                self._unhearing = True
            case _, SeatResumed():
                self._unhearing = False
                return self._failed("taken_back", DropTarget("taken_back"))
        return []

    def _due(self, at: float) -> list[Action]:
        return self._failed("no_answer", DropTarget("no_answer"))

    def _ring(self, wish: TransferRequested, now: float) -> list[Action]:
        self._target = wish.target
        would: list[Action] = []
        if self._observed:
            asks = {"would": "ask", "prompt": self._manners.question[-1]}
            would.append(Note("rule.observed", self._manners.rule, asks))
        held = (NOBODY_HEARD, BeginHold(self._music), TellSeat(Notice.TARGET_RINGS))
        offered = Note("transfer.offered", None, {"target": wish.target})
        ring_for = self._manners.queue_for if wish.queue else self._manners.ring_for
        rung = RingTarget(wish.target, queue=wish.queue)
        return self._enter(Phase.RINGING, now + ring_for, *would, *held, offered, rung)

    def _join(self) -> list[Action]:
        done = Note("transfer.completed", None, {"target": self._target})
        return self._conclude(Outcome.TRANSFERRED, EndHold(), JoinTarget(), BOTH_HEARD, done)

    def _failed(self, why: str, *first: Action) -> list[Action]:
        told = Note("transfer.failed", None, {"why": why, "target": self._target})
        notice = Notice.TAKEN_BACK if why == "taken_back" else Notice.TARGET_NOT_THERE
        outcome = Outcome.TRANSFEROR_GONE if self._seat_gone else Outcome.TRANSFER_FAILED
        heard = [] if self._unhearing or self._seat_gone else [BOTH_HEARD]
        return self._conclude(outcome, *first, EndHold(), told, TellSeat(notice), *heard)

    def _conclude(self, outcome: Outcome, *actions: Action) -> list[Action]:
        return self._enter(Phase.DONE, None, *actions, Conclude(None, outcome))
