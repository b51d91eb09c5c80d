"""csr-23 and its like: held only on consent, never left without a word, given back with thanks.

The seat presses Hold. By its phone's key it is deaf from then on, and its voice is shut off at once; by a
feature code or its page it goes on hearing, and may attest the spoken answer. Either way the caller is asked.

- Yes: the caller waits (`waiting`), reminded, and with an end in any case.
- No, or no answer: a seat that hears goes on talking; a deaf one is called back (`recall`).
- The seat comes back: both hear the words of return, then each other.
- The seat hangs up or is lost while the caller waits: an apology, and the head of the queue.

A transfer's question takes the place of this one; then this machine is at its end. What becomes of a call
that nobody holds when its seat hangs up is not decided here: it ends with `SEAT_LEFT`, and `seat_closing`
gets the same event.
"""

from enum import Enum, auto

from callflow.actions import (
    Action,
    CancelRecall,
    Conclude,
    Note,
    Notice,
    ReleaseSeat,
    ReplaceSeat,
    Say,
    TellSeat,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.consent import Asking, Consent, Question
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD, SEAT_UNHEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import HoldManners, RecallManners
from callflow.etiquette.recall import LEADS_TO, Recalling
from callflow.etiquette.recall import Phase as RecallPhase
from callflow.etiquette.waiting import Ending, Waiting
from callflow.etiquette.waiting import Phase as WaitingPhase
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
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
    TransferRefused,
    TransferRequested,
    Way,
)

BOTH = (Party.CALLER, Party.SEAT)
NO_NEWS = (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    LineHeard,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RecallFailed,
    RecallRinging,
    SeatResumed,
    TransferRefused,
)
"""What changes nothing while the two speak with each other."""


class Phase(Enum):
    JOINED = auto()
    """Seat and caller speak with each other."""
    ASKING = auto()
    WAITING = auto()
    """The caller agreed."""
    GIVING_BACK = auto()
    """to the seat, or to the queue"""
    DONE = auto()


class Hold(Machine[Phase]):
    """All holds of one joined call, from the joining until the seat has left it."""

    rules = (
        "csr-23",
        "gas-09",
        "gas-10",
        "gas-11",
        "log-02",
        "log-03",
        "crs-03",
        "crs-04",
        "crs-14",
        "hst-02",
    )

    def __init__(self, manners: HoldManners, recall: RecallManners) -> None:
        super().__init__(Phase.JOINED)
        self._manners = manners
        self._recall = recall
        self._part: Asking | Waiting | Recalling | None = None
        """Who is at work in this phase; nobody while the two are joined."""
        self._unhearing = False
        """Whether the seat's phone is on its own hold."""
        self._sounding = False
        self._minutes: int | None = None
        self._consent_ends: float | None = None

    @property
    def serves(self) -> bool:
        return self.phase is Phase.JOINED

    @property
    def asks_caller(self) -> bool:
        return self.phase is Phase.ASKING

    @property
    def unhearing(self) -> bool:
        return self._unhearing

    @property
    def awaits_key(self) -> bool:
        return self._part is not None and self._part.awaits_key

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, RecallAnswered():
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._caller_left(event, now)
            case _, TransferRequested():
                return self._yield(now)
            case Phase.JOINED, _:
                return self._joined(event, now)
            case _, HoldRequested():
                return self._requested_again(event, now)
            case _, SeatResumed():
                return self._resumed(event, now)
            case (
                Phase.ASKING,
                SeatHungUp() | SeatLost() | RecallRinging() | RecallAnswered() | RecallFailed(),
            ):
                return self._seat_news(event, now)
        return self._drive(event, now)

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        if self._part:
            self._part.postpone(seconds)

    def _due(self, at: float) -> list[Action]:
        return self._follow(self._part.tick(at) if self._part else [], at)

    def _drive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, LineHeard):
            self._sounding = event.heard is Heard.SOUND
        return self._follow(self._part.receive(event, now) if self._part else [], now)

    def _follow(self, actions: list[Action], now: float) -> list[Action]:
        """Go on with the part at work, or with what its end leads to."""
        if ReplaceSeat() in actions:
            self._unhearing = False
        match self._part:
            case Asking(consent=Consent.GIVEN):
                self._consent_ends = now + self._manners.consent_lasts
                return [*actions, *self._wait(now)]
            case Asking(consent=Consent() as consent):
                return [*actions, *self._refused(consent, now)]
            case Waiting(ending=Ending.RESUMED):
                return [*actions, *self._welcome(now)]
            case Waiting(ending=Ending.SEAT_LEFT):
                return [*actions, *self._leave(now)]
            case Waiting(ending=Ending.OFFER, taken=taken):
                return self._conclude(LEADS_TO[taken], *actions)
            case Waiting(ending=Ending.LIMIT, seat_gone=gone):
                return [*actions, *self._call_back(now, seat_gone=gone)]
            case Recalling(outcome=Outcome.SEAT_BACK):
                return self._join(*actions)
            case Recalling(outcome=Outcome() as outcome):
                return self._conclude(outcome, *actions)
        return self._go_on(self.phase, *actions)

    def _go_on(self, phase: Phase, *actions: Action) -> list[Action]:
        return self._enter(phase, self._part.deadline if self._part else None, *actions)

    # --- the question ---

    def _joined(self, event: Event, now: float) -> list[Action]:
        match event:
            case HoldRequested():
                return self._ask(event, now)
            case LineHeard(heard=heard):
                self._sounding = heard is Heard.SOUND
            case SeatHungUp() | SeatLost():
                return self._conclude(Outcome.SEAT_LEFT)
            case TransferRefused(unhearing=True):
                self._unhearing = True
                return [TellSeat(Notice.CALLER_WILL_NOT_WAIT), *self._call_back(now)]
            case RecallAnswered():
                return [CancelRecall()]
            case _ if not isinstance(event, NO_NEWS):
                raise IllegalEvent(event, self.phase)
        return []

    def _ask(self, request: HoldRequested, now: float) -> list[Action]:
        manners = self._manners
        heard = [*self._goes_deaf(request)] if request.way is Way.PHONE else [BOTH_HEARD]
        self._minutes = (request.minutes or manners.estimate.minutes) if manners.estimate else None
        if self._consent_ends is not None and now < self._consent_ends:
            return [*heard, *self._wait(now)]
        fields = {"minutes": str(self._minutes)} if self._minutes else {}
        question = Question(manners.question, manners.hint, manners.rules.ask, fields)
        self._part = asking = Asking(manners.consent, question, seat_hears=not self._unhearing)
        asked = Note("hold.asked", manners.rules.ask, {"way": request.way})
        begun = asking.begin(now, sounding=self._sounding)
        return self._go_on(Phase.ASKING, *heard, asked, *self._estimated(), TellSeat(Notice.ASKING), *begun)

    def _estimated(self) -> list[Action]:
        estimate = self._manners.estimate
        return [Note("hold.estimated", estimate.rule, {"minutes": self._minutes})] if estimate else []

    def _goes_deaf(self, request: HoldRequested) -> list[Action]:
        """A phone that holds us listens no longer, and its music must not be heard."""
        if request.way is not Way.PHONE or self._unhearing:
            return []
        self._unhearing = True
        gate = NOBODY_HEARD if self._waits_unheard else SEAT_UNHEARD
        return [gate, Note("seat.unhearing", self._manners.rules.ask)]

    @property
    def _waits_unheard(self) -> bool:
        held = isinstance(self._part, Waiting) and self._part.phase is WaitingPhase.HELD
        return held or isinstance(self._part, Recalling)

    def _requested_again(self, request: HoldRequested, now: float) -> list[Action]:
        match self._part:
            case Recalling(phase=RecallPhase.RETURNING):
                return self._ask(request, now)
            case Recalling(phase=RecallPhase.LEAVING):
                return []
            case Asking() as asking:
                asking.receive(request, now)
        return self._goes_deaf(request)

    def _seat_news(self, event: Event, now: float) -> list[Action]:
        match event:
            case SeatHungUp() | SeatLost():
                lost = Note("seat.lost", self._manners.rules.ask, {"hung_up": isinstance(event, SeatHungUp)})
                return [lost, *self._cut_short(), *self._leave(now)]
            case RecallAnswered():
                return [CancelRecall()]
        return []

    def _cut_short(self) -> list[Action]:
        return self._part.cut_short() if isinstance(self._part, Asking) else []

    def _refused(self, consent: Consent, now: float) -> list[Action]:
        manners = self._manners
        choice = consent is Consent.REFUSED and manners.refusing == "callback"
        notice = Notice.CALLER_WANTS_CALLBACK if choice else Notice.CALLER_WILL_NOT_WAIT
        told = [Note("hold.refused", manners.rules.ask, {"callback": choice}), TellSeat(notice)]
        if not self._unhearing:
            return self._join(*told, BOTH_HEARD, Say(manners.going_on, manners.rules.ask, BOTH))
        if choice:
            return self._conclude(Outcome.CALLBACK_WANTED, *told, ReleaseSeat())
        return [*told, *self._call_back(now)]

    # --- the wait and the way back ---

    def _wait(self, now: float) -> list[Action]:
        recall = self._recall
        offer = recall.offers[0] if recall.offers else None
        self._part = waiting = Waiting(
            self._manners, ring_for=recall.ring_for, minutes=self._minutes, offer=offer
        )
        listeners = (Party.CALLER,) if self._unhearing else BOTH
        return self._go_on(Phase.WAITING, *waiting.begin(now, *listeners))

    def _resumed(self, event: SeatResumed, now: float) -> list[Action]:
        if event.way is Way.PHONE:
            self._unhearing = False
        elif self._unhearing:
            # Only the phone's own key makes it listen again; but it can be rung.
            again = self._part.ring(now) if isinstance(self._part, Waiting) else []
            return self._go_on(self.phase, TellSeat(Notice.PHONE_ON_HOLD), *again)
        if self.phase is Phase.ASKING:
            return self._join(*self._cut_short(), BOTH_HEARD)
        return self._drive(event, now)

    def _welcome(self, now: float) -> list[Action]:
        self._part = back = Recalling(self._recall, self._manners)
        return self._go_on(Phase.GIVING_BACK, *back.welcome(now))

    def _call_back(self, now: float, *, seat_gone: bool = False) -> list[Action]:
        self._part = back = Recalling(self._recall, self._manners, seat_gone=seat_gone)
        return self._go_on(Phase.GIVING_BACK, *back.ring(now, offers=True))

    def _leave(self, now: float) -> list[Action]:
        self._unhearing = False
        self._part = back = Recalling(self._recall, self._manners, seat_gone=True)
        return self._go_on(Phase.GIVING_BACK, *back.leave(now))

    def _join(self, *actions: Action) -> list[Action]:
        self._part = None
        return self._enter(Phase.JOINED, None, *actions)

    # --- the ends ---

    def _caller_left(self, event: HungUp, now: float) -> list[Action]:
        match self._part:
            case None:
                rest = []
            case Asking():
                rest = [*self._cut_short(), ReleaseSeat()]
            case part:
                rest = part.receive(event, now)
        return self._enter(Phase.DONE, None, *rest)

    def _yield(self, now: float) -> list[Action]:
        match self._part:
            case Waiting() as waiting:
                rest = waiting.end(Ending.TRANSFER, now)
            case Recalling() as back:
                rest = back.stop()
            case _:
                rest = self._cut_short()
        return self._conclude(Outcome.YIELDED, *rest)

    def _conclude(self, outcome: Outcome, *actions: Action) -> list[Action]:
        self._part = None
        return self._enter(Phase.DONE, None, *actions, Conclude(self._manners.rules.ask, outcome))
