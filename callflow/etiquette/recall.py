"""The way back from waiting: the seat is returned to the caller, or the caller gets to the head of the queue.

A seat whose caller will not wait, or has waited too long, is rung anew (20 s); the caller hears that, and
what may be had instead. Not reached: words, the next offer, and after 20 s more the head of the queue. A seat
that is gone: an apology, then the queue. A seat that is back: both hear the words of return, and are joined
when those have ended. However long it takes, no interval without a word is longer than the house's.
"""

from enum import Enum, auto

from callflow.actions import (
    Action,
    CancelRecall,
    HandToQueue,
    Note,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Say,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import HoldManners, Offer, RecallManners
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    Event,
    HungUp,
    LineHeard,
    Outcome,
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

LEADS_TO = {
    "callback": Outcome.CALLBACK_WANTED,
    "message": Outcome.MESSAGE_WANTED,
    "closing": Outcome.CLOSING_WANTED,
}


class Phase(Enum):
    IDLE = auto()
    RINGING = auto()
    """the seat's phone"""
    OFFERING = auto()
    """The seat was not reached; the queue is next."""
    RETURNING = auto()
    """Both hear the words of return."""
    LEAVING = auto()
    """The caller hears the apology before the queue."""
    DONE = auto()


class Recalling(Machine[Phase]):
    """From the decision that a caller must wait no longer, to whoever serves that caller next."""

    rules = ()

    def __init__(self, manners: RecallManners, hold: HoldManners, *, seat_gone: bool = False) -> None:
        """`seat_gone` says that the seat has no leg any more that could be resumed or ended."""
        super().__init__(Phase.IDLE)
        self.outcome: Outcome | None = None
        """What came of it, once that is known."""
        self._manners = manners
        self._rules = hold.rules
        self._every = hold.every
        self._seat_gone = seat_gone
        self._words = Words()
        self._to_offer: list[Offer] = []
        self._offered: dict[str, Offer] = {}
        self._step = self._word_due = 0.0

    @property
    def awaits_key(self) -> bool:
        return self.phase in (Phase.RINGING, Phase.OFFERING) and bool(self._offered)

    def ring(self, now: float, *words: str, offers: bool) -> list[Action]:
        """Ring the seat and say `words` and that it is rung; `offers`: also what may be had instead."""
        self._to_offer = [*self._manners.offers] if offers else []
        self._step = now + self._manners.ring_for
        said = self._tell(Phase.RINGING, now, *words, self._manners.calling, *self._next_offer())
        return [NOBODY_HEARD, Recall(self._manners.ring_for), *said]

    def welcome(self, now: float) -> list[Action]:
        """The seat is there: say the words of return to both."""
        says = [Say(prompt, self._rules.back, (Party.CALLER, Party.SEAT)) for prompt in self._manners.back]
        # Where the house has no words for it, there is nothing to wait for.
        due = now + LONGEST if says else now
        return self._enter(Phase.RETURNING, due, NOBODY_HEARD, *self._words.say(*says))

    def leave(self, now: float) -> list[Action]:
        """The seat is gone for good: apologise, and on to the queue."""
        self._seat_gone = True
        apology = Say(self._manners.gone, self._rules.ask)
        return self._enter(Phase.LEAVING, now + LONGEST, NOBODY_HEARD, *self._words.say(apology))

    def stop(self) -> list[Action]:
        """Somebody else takes care of the caller from now on; the seat's leg is left as it is."""
        ringing: list[Action] = [CancelRecall()] if self.phase is Phase.RINGING else []
        return self._enter(Phase.DONE, None, *ringing, *self._words.stop())

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, RecallAnswered():
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None, *self._end_seat())
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.RINGING | Phase.OFFERING, DigitPressed(digit=digit) if digit in self._offered:
                return self._take(self._offered[digit])
            case _, SeatHungUp() | SeatLost():
                return self._seat_left(now)
            case _, RecallAnswered() | RecallFailed() | SeatResumed():
                return self._seat_news(event, now)
            case _, PromptStarted() | PromptFinished() | PromptStopped() | RecallRinging():
                return []
            case _, LineHeard() | DigitPressed() | AnswerAttested() | AnswerRecognised():
                return []
        raise IllegalEvent(event, self.phase)

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._step += seconds
        self._word_due += seconds

    def _due(self, at: float) -> list[Action]:
        if self.phase in (Phase.RETURNING, Phase.LEAVING):
            return self._said(at)
        if at < self._step:
            return self._remind(at)
        return self._not_reached(at, CancelRecall()) if self.phase is Phase.RINGING else self._to_queue()

    def _seat_news(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.RINGING | Phase.OFFERING, RecallAnswered():
                # An answer that crosses our CANCEL is an answer all the same.
                self._seat_gone = False
                return [ReplaceSeat(), *self.welcome(now)]
            case _, RecallAnswered():
                return [CancelRecall()]
            case Phase.RINGING, RecallFailed():
                return self._not_reached(now)
            case Phase.RINGING, SeatResumed() if not self._seat_gone:
                return [CancelRecall(), *self.welcome(now)]
            case Phase.OFFERING, SeatResumed() if not self._seat_gone:
                return self.welcome(now)
            case _:
                return []

    def _seat_left(self, now: float) -> list[Action]:
        self._seat_gone = True
        # Who hangs up a held call may be about to pick up the one that rings.
        return self.leave(now) if self.phase in (Phase.OFFERING, Phase.RETURNING) else []

    def _not_reached(self, at: float, *first: Action) -> list[Action]:
        told = Note("recall.failed", self._rules.ask)
        if not self._offered:
            self._enter(Phase.OFFERING, at)
            return [*first, told, *self._to_queue()]
        self._step = at + self._manners.offer_for
        said = self._tell(Phase.OFFERING, at, self._manners.not_reached, *self._next_offer())
        return [*first, told, *said]

    def _next_offer(self) -> list[str]:
        offer = self._to_offer.pop(0) if self._to_offer else None
        if offer is None:
            return []
        self._offered[offer.key] = offer
        return [offer.prompt]

    def _tell(self, phase: Phase, now: float, *prompts: str) -> list[Action]:
        self._word_due = now + self._every
        says = [Say(prompt, self._rules.ask) for prompt in prompts]
        return self._enter(phase, min(self._step, self._word_due), *self._words.say(*says))

    def _remind(self, at: float) -> list[Action]:
        if self._words.speaking:
            # Words that outlast the interval count as over, or a lost message would silence all that follow.
            self._word_due = at + self._every
            return self._enter(self.phase, min(self._step, self._word_due), *self._words.go_on())
        ringing = self.phase is Phase.RINGING
        return self._tell(self.phase, at, self._manners.calling if ringing else self._manners.not_reached)

    def _said(self, now: float) -> list[Action]:
        more = self._words.go_on()
        if self.phase in (Phase.RINGING, Phase.OFFERING):
            return more
        if more:
            return self._enter(self.phase, now + LONGEST, *more)
        if self.phase is Phase.LEAVING:
            return self._to_queue()
        return self._conclude(Outcome.SEAT_BACK, BOTH_HEARD)

    def _take(self, offer: Offer) -> list[Action]:
        taken = Note("offer.taken", self._rules.ask, {"offer": offer.leads_to})
        return self._conclude(LEADS_TO[offer.leads_to], taken, *self._words.stop(), *self._end_seat())

    def _to_queue(self) -> list[Action]:
        rest = [*self._words.stop(), *self._end_seat()]
        return self._conclude(Outcome.QUEUED, *rest, HandToQueue("seat_not_back"))

    def _end_seat(self) -> list[Action]:
        ringing: list[Action] = [CancelRecall()] if self.phase is Phase.RINGING else []
        gone, self._seat_gone = self._seat_gone, True
        return ringing if gone else [*ringing, ReleaseSeat()]

    def _conclude(self, outcome: Outcome, *actions: Action) -> list[Action]:
        self.outcome = outcome
        return self._enter(Phase.DONE, None, *actions)
