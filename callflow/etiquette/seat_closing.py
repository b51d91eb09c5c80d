"""csr-36, gas-04, hst-08: the seat has hung up first; the caller is not dropped for that.

A seat that finished is followed, after 0.3 s, by the closing: anything else, goodbye, and the caller hangs up
first. A caller who wants help gets the same seat, or the head of the queue if that cannot be reached. A seat
that was lost (not heard for 2 s before, a phone that answers no more, a BYE whose Reason tells of a fault) is
apologised for, rung once, and replaced; a short talk alone is no loss. A seat that left before it was joined
has served nobody: an apology, and the head of the queue. During a hold or a transfer the seat's hang-up
closes nothing: then the event is not for here. A seat that comes back and at once wants to hold or transfer
ends this with `SEAT_BACK`, and the rule that begins then gets the same event.
"""

from enum import Enum, auto

from callflow.actions import Action, CancelRecall, Conclude, HangUp, Note
from callflow.errors import IllegalEvent
from callflow.etiquette.house import House
from callflow.etiquette.machine import Machine
from callflow.etiquette.plain_closing import closing_of
from callflow.etiquette.recall import Phase as RecallPhase
from callflow.etiquette.recall import Recalling
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    HungUp,
    LineHeard,
    Outcome,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
)

OF_THE_CLOSING = (DigitPressed, LineHeard, PromptStarted, PromptFinished, PromptStopped)
NO_NEWS = (
    *OF_THE_CLOSING,
    AnswerAttested,
    AnswerRecognised,
    HoldRequested,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
)
"""What changes nothing before the closing, or without a seat."""


class Phase(Enum):
    JOINED = auto()
    """The seat is there yet."""
    PAUSING = auto()
    CLOSING = auto()
    GIVING_BACK = auto()
    """to the same seat, or to the queue"""
    DONE = auto()


class SeatClosing(Machine[Phase]):
    """From the seat's hang-up to the caller's, or to the next seat."""

    rules = ("csr-35", "csr-36", "gas-04", "hst-08")

    def __init__(self, house: House, *, may_recall: bool = True) -> None:
        """`may_recall`: a lost seat is rung once more before the caller goes to the queue."""
        super().__init__(Phase.JOINED)
        self._house = house
        self._may_recall = may_recall
        self._manners = house.seat_closing
        self._back = Recalling(house.recall, house.hold, seat_gone=True)
        self._closing = closing_of(house)
        self._sound: LineHeard | None = None

    @property
    def begins_serving(self) -> bool:
        # The same seat may be rung once more.
        return True

    @property
    def awaits_key(self) -> bool:
        if self.phase is Phase.CLOSING:
            return self._closing.awaits_key
        return self.phase is Phase.GIVING_BACK and self._back.awaits_key

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, RecallAnswered():
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case Phase.GIVING_BACK, HoldRequested() | TransferRequested():
                return self._wanted_elsewhere()
            case Phase.GIVING_BACK, _:
                return self._follow(self._back.receive(event, now))
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.JOINED, SeatHungUp() | SeatLost():
                return self._seat_left(event, now)
            case Phase.CLOSING, _ if isinstance(event, OF_THE_CLOSING):
                return self._closed(self._closing.receive(event, now), now)
            case _, RecallAnswered():
                return [CancelRecall()]
            case _, LineHeard(heard=heard):
                self._sound = event if heard is Heard.SOUND else None
            case _ if not isinstance(event, NO_NEWS):
                raise IllegalEvent(event, self.phase)
        return []

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._closing.postpone(seconds)
        self._back.postpone(seconds)

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.PAUSING:
                sound = self._closing.receive(self._sound, at) if self._sound else []
                return self._closed([*self._closing.receive(ConversationOver(), at), *sound], at)
            case Phase.CLOSING:
                return self._closed(self._closing.tick(at), at)
            case _:
                return self._follow(self._back.tick(at))

    def _seat_left(self, event: SeatHungUp | SeatLost, now: float) -> list[Action]:
        rule = self._manners.rule
        has_served = isinstance(event, SeatLost) or event.talked > 0
        if has_served and not self._was_lost(event):
            return self._enter(Phase.PAUSING, now + self._manners.pause, Note("seat.hung_up", rule))
        recalls = has_served and self._may_recall and not (isinstance(event, SeatLost) and event.is_dead)
        gone = self._house.recall.gone
        back = self._back.ring(now, gone, offers=False) if recalls else self._back.leave(now)
        return self._follow([Note("seat.lost", rule, {"hung_up": isinstance(event, SeatHungUp)}), *back])

    def _was_lost(self, event: SeatHungUp | SeatLost) -> bool:
        """Whether there is evidence that the call failed, and the seat did not mean to end it."""
        match event:
            case SeatHungUp(unheard=unheard, by_fault=by_fault):
                return by_fault or unheard >= self._manners.lost_after
            case _:
                return True

    def _closed(self, actions: list[Action], now: float) -> list[Action]:
        """Go on with the closing, or with the help that the caller wants."""
        outcome = next((action.outcome for action in actions if isinstance(action, Conclude)), None)
        if outcome is Outcome.HELP_WANTED:
            rest = [action for action in actions if not isinstance(action, Conclude)]
            return self._follow([*rest, *self._back.ring(now, offers=False)])
        if any(isinstance(action, HangUp) for action in actions):
            return self._enter(Phase.DONE, None, *actions)
        return self._enter(Phase.CLOSING, self._closing.deadline, *actions)

    def _wanted_elsewhere(self) -> list[Action]:
        if self._back.phase is not RecallPhase.RETURNING:
            return []
        conclude = Conclude(self._manners.rule, Outcome.SEAT_BACK)
        return self._enter(Phase.DONE, None, *self._back.stop(), conclude)

    def _follow(self, actions: list[Action]) -> list[Action]:
        if self._back.outcome is None:
            phase = Phase.DONE if self._back.phase is RecallPhase.DONE else Phase.GIVING_BACK
            return self._enter(phase, self._back.deadline, *actions)
        return self._enter(Phase.DONE, None, *actions, Conclude(self._manners.rule, self._back.outcome))
