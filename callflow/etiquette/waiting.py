"""The wait of a caller who agreed to it: thanks, then a reminder every 30 s, and an end in any case.

The wait begins when the thanks have been heard. The seat is warned after a minute and rung anew after three;
after five the supervisor is told, and the caller given another way. All of it counts from the beginning of
the wait, so that the last reminder comes as exactly as the first. A caller who agreed to more minutes than
that is not taken away from the seat before they are over.

A key takes what the house offers instead of waiting, once the caller was told of it: the call back, where
that was the choice, or what is named with a reminder.
"""

from enum import Enum, IntEnum, StrEnum, auto

from callflow.actions import (
    Action,
    BeginHold,
    CancelRecall,
    EndHold,
    Note,
    Notice,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Say,
    TellSeat,
    TellSupervisor,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.gates import NOBODY_HEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import HoldManners, Offer
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    Event,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
)


class Phase(Enum):
    IDLE = auto()
    THANKING = auto()
    HELD = auto()
    DONE = auto()


class Ending(StrEnum):
    """How a wait ends."""

    RESUMED = "resumed"
    SEAT_LEFT = "seat_left"
    LIMIT = "limit"
    OFFER = "offer"
    """The caller has taken what is to be had instead."""
    CALLER = "caller"
    TRANSFER = "transfer"


class Due(IntEnum):
    """What comes due in a wait; at the same instant the first goes first."""

    ESCALATION = auto()
    RECALL = auto()
    WARNING = auto()
    RING_END = auto()
    REMINDER = auto()


class Waiting(Machine[Phase]):
    """From a caller's consent to the end of the wait."""

    rules = ()

    def __init__(
        self, manners: HoldManners, *, ring_for: float, minutes: int | None, offer: Offer | None = None
    ) -> None:
        """`ring_for`: seconds that a recall rings; `minutes`: what the caller agreed to, if it was named.

        `offer` is what may be had instead, and is named with the reminders where the house wants that.
        """
        super().__init__(Phase.IDLE)
        self.ending: Ending | None = None
        self.taken = ""
        """What the caller has taken instead: what the offer leads to."""
        self.seat_gone = False
        self._manners = manners
        self._ring_for = ring_for
        self._offer = offer
        self._keys = {manners.consent.no: "callback"} if manners.refusing == "callback" else {}
        self._minutes = minutes
        self._words = Words()
        self._since = 0.0
        self._reminded = 0
        self._due_at: dict[Due, float] = {}

    @property
    def awaits_key(self) -> bool:
        return self.phase is Phase.HELD and bool(self._keys)

    @property
    def ringing(self) -> bool:
        """Whether the seat's phone is being rung anew."""
        return Due.RING_END in self._due_at

    def begin(self, now: float, *listeners: Party) -> list[Action]:
        """Thank the caller, for `listeners` to hear."""
        if self.phase is not Phase.IDLE:
            raise IllegalEvent("begin", self.phase)
        thanks = Say(self._manners.thanks, self._manners.rules.ask, listeners)
        return self._enter(Phase.THANKING, now + LONGEST, *self._words.say(thanks))

    def ring(self, now: float) -> list[Action]:
        """Ring the seat anew, once at a time, and only a seat whose caller is held."""
        if self.ringing or self.phase is not Phase.HELD:
            return []
        self._due_at[Due.RING_END] = now + self._ring_for
        return self._wait(Recall(self._ring_for))

    def end(self, ending: Ending, now: float) -> list[Action]:
        """The wait is over; whoever ended it says what comes next."""
        held = self.phase is Phase.HELD
        ringing: list[Action] = [CancelRecall()] if self.ringing else []
        self.ending, self._due_at = ending, {}
        told = [self._ended(round(now - self._since, 3)), EndHold()] if held else []
        return self._enter(Phase.DONE, None, *ringing, *self._words.stop(), *told)

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, RecallAnswered():
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                rest: list[Action] = [] if self.seat_gone else [ReleaseSeat()]
                return [*self.end(Ending.CALLER, now), *rest]
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.HELD, DigitPressed(digit=digit) if digit in self._keys:
                return self._take(self._keys[digit], now)
            case _, SeatResumed() | SeatHungUp() | SeatLost() | RecallAnswered() | RecallFailed():
                return self._seat_news(event, now)
            case _, PromptStarted() | PromptFinished() | PromptStopped() | RecallRinging():
                return []
            case _, LineHeard() | DigitPressed() | AnswerAttested() | AnswerRecognised():
                return []
        raise IllegalEvent(event, self.phase)

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._since += seconds
        self._due_at = {due: at + seconds for due, at in self._due_at.items()}

    def _seat_news(self, event: Event, now: float) -> list[Action]:
        match event:
            case SeatResumed() if not self.seat_gone:
                return self.end(Ending.RESUMED, now)
            case SeatHungUp() | SeatLost():
                return self._seat_left(event, now)
            case RecallAnswered() if self.ringing:
                self._due_at.pop(Due.RING_END)
                self.seat_gone = False
                return [ReplaceSeat(), *self.end(Ending.RESUMED, now)]
            case RecallAnswered():
                return [CancelRecall()]
            case RecallFailed() if self.ringing:
                return self._ring_ended(now)
        return []

    def _take(self, wanted: str, now: float) -> list[Action]:
        self.taken = wanted
        taken = Note("offer.taken", self._manners.rules.ask, {"offer": wanted})
        rest: list[Action] = [] if self.seat_gone else [ReleaseSeat()]
        return [taken, *self.end(Ending.OFFER, now), *rest]

    def _seat_left(self, event: Event, now: float) -> list[Action]:
        lost = Note("seat.lost", self._manners.rules.ask, {"hung_up": isinstance(event, SeatHungUp)})
        self.seat_gone = True
        # Who hangs up a held call may be about to pick up the one that rings.
        return [lost] if self.ringing else [lost, *self.end(Ending.SEAT_LEFT, now)]

    def _said(self, now: float) -> list[Action]:
        more = self._words.go_on()
        return self._hold(now) if self.phase is Phase.THANKING else more

    def _hold(self, now: float) -> list[Action]:
        manners = self._manners
        longer = max(0.0, (self._minutes or 0) * 60.0 - manners.recall_after)
        self._since = now
        self._due_at = {
            Due.ESCALATION: now + manners.escalate_after + longer,
            Due.RECALL: now + manners.recall_after + longer,
            Due.WARNING: now + manners.warn_after,
            Due.REMINDER: now + manners.every,
        }
        started = Note("hold.started", manners.rules.ask, {"minutes": self._minutes})
        held = (NOBODY_HEARD, BeginHold(manners.music), TellSeat(Notice.CALLER_WAITS))
        return self._wait(started, *held)

    def _due(self, at: float) -> list[Action]:
        if self.phase is Phase.THANKING:
            # Thanks that were never told to have ended: the plane may be deaf, the caller has agreed.
            return self._said(at)
        due = min(self._due_at, key=lambda due: (self._due_at[due], due))
        del self._due_at[due]
        match due:
            case Due.ESCALATION:
                told = (self._limit("escalation"), TellSupervisor(Notice.CALLER_WAITS_LONG))
                return [*told, *self.end(Ending.LIMIT, at)]
            case Due.RECALL:
                return [self._limit("recall"), *self._wait(), *self.ring(at)]
            case Due.WARNING:
                return self._wait(self._limit("warning"), TellSeat(Notice.CALLER_WAITS_LONG))
            case Due.RING_END:
                return [CancelRecall(), *self._ring_ended(at)]
            case Due.REMINDER:
                return self._remind()

    def _remind(self) -> list[Action]:
        manners = self._manners
        self._reminded += 1
        # A multiple of the interval, because a sum of rounded numbers drifts away from the other limits.
        self._due_at[Due.REMINDER] = self._since + (self._reminded + 1) * manners.every
        if self._words.speaking:
            # Words that outlast the interval count as over, or a lost message would silence all that follow.
            return self._wait(*self._words.go_on())
        reminder = Say(manners.reminder, manners.rules.remind)
        told = Note("hold.reminded", manners.rules.remind)
        return self._wait(told, *self._words.say(reminder, *self._offered()))

    def _offered(self) -> list[Say]:
        """What follows the reminder."""
        first = self._manners.offers_from
        if self._offer is None or first is None or self._reminded < first:
            return []
        self._keys[self._offer.key] = self._offer.leads_to
        return [Say(self._offer.prompt, self._manners.rules.ask)]

    def _ring_ended(self, at: float) -> list[Action]:
        self._due_at.pop(Due.RING_END, None)
        failed = Note("recall.failed", self._manners.rules.ask)
        return [failed, *(self.end(Ending.SEAT_LEFT, at) if self.seat_gone else self._wait())]

    def _wait(self, *actions: Action) -> list[Action]:
        return self._enter(Phase.HELD, min(self._due_at.values()), *actions)

    def _limit(self, step: str) -> Note:
        return Note("hold.limit", self._manners.rules.ask, {"step": step})

    def _ended(self, seconds: float) -> Note:
        rules = self._manners.rules
        if self.ending is Ending.RESUMED:
            return Note("hold.resumed", rules.back, {"seconds": seconds})
        return Note("hold.ended", rules.ask, {"why": self.ending, "seconds": seconds})
