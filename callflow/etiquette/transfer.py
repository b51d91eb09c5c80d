"""csr-24 and its like: the caller is asked, the target answers and agrees, and only then are they joined.

The seat wants to transfer the call. The caller is asked first, with the target's number; whoever says no, or
nothing, stays. Then the target is rung, hears the brief, and is asked too (`briefing`); the caller waits
meanwhile and is spoken to at the house's interval. Before that the seat may say in its own words what the
target shall know (`own_words`). Both have agreed: they are told and joined. In every other case the caller
hears why (`not_there`) and goes back to the seat that had the call.

Nothing makes this a blind transfer: a seat that hangs up meanwhile has only left, and the caller whom the
target does not take is then given back to it anew, or to the queue.
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
    ReleaseSeat,
    RingTarget,
    Say,
    TellCallerGone,
    TellSeat,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.briefing import Answer, Briefing
from callflow.etiquette.consent import Asking, Consent, Question
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD, SEAT_UNHEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.not_there import NotThere
from callflow.etiquette.own_words import OwnWords
from callflow.etiquette.parameters import HoldManners, TransferManners
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    CallerDescribed,
    DigitPressed,
    Event,
    HoldRequested,
    HungUp,
    LineHeard,
    NobodyThere,
    NuisanceCalled,
    OfSeat,
    OfTarget,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    QueueMoved,
    RecallAnswered,
    SeatDeclined,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    SeatRinging,
    TargetAnswered,
    TargetBusy,
    TargetDeclined,
    TargetHungUp,
    TargetRinging,
    TransferRequested,
    Way,
    WordsKept,
)
from callflow.facts import Detail

BOTH = (Party.CALLER, Party.SEAT)
OF_THE_CALLER = (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    LineHeard,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)

NO_NEWS = (
    CallerDescribed,
    NobodyThere,
    NuisanceCalled,
    OfSeat,
    QueueMoved,
    RecallAnswered,
    SeatDeclined,
    SeatRinging,
    TransferRequested,
    WordsKept,
)
"""What changes nothing, or comes too late."""
NOTHING_KNOWN = CallerDescribed()


class Phase(Enum):
    IDLE = auto()
    ASKING = auto()
    """the caller"""
    TELLING = auto()
    """The seat says what the target is to know."""
    RINGING = auto()
    """the target"""
    BRIEFING = auto()
    """and asking the target"""
    CONNECTING = auto()
    """Both have agreed, and are told."""
    RETURNING = auto()
    """The target did not take it; the caller is told."""
    DONE = auto()


class Transfer(Machine[Phase]):
    """One transfer of a joined call."""

    rules = ("csr-24", "crs-05", "hst-03", "log-13")

    def __init__(
        self,
        manners: TransferManners,
        hold: HoldManners,
        *,
        seat: str,
        unhearing: bool,
        about: CallerDescribed = NOTHING_KNOWN,
    ) -> None:
        """`seat` is the number of the one that transfers; `unhearing`: its phone is on its own hold.

        `about` is what is known of the caller: the target is to know it too.
        """
        super().__init__(Phase.IDLE)
        self._manners = manners
        self._hold = hold
        self._seat = seat
        self._unhearing = unhearing
        self._about = about
        self._seat_gone = False
        self._wish = TransferRequested()
        self._target = ""
        self._waiting = manners.waiting
        """What the caller is told while it waits."""
        self._asking: Asking | None = None
        self._telling: OwnWords | None = None
        self._briefing: Briefing | None = None
        self._not_there: NotThere | None = None
        self._words = Words()
        self._ring_ends = self._word_due = 0.0
        self._told: set[Party] = set()
        """Who has heard to the end that they are put through."""

    @property
    def transfers(self) -> bool:
        return True

    @property
    def asks_caller(self) -> bool:
        return self.phase is Phase.ASKING

    @property
    def target(self) -> str:
        return self._target

    @property
    def unhearing(self) -> bool:
        return self._unhearing

    @property
    def awaits_key(self) -> bool:
        parts = (self._asking if self.phase is Phase.ASKING else None, self._not_there)
        return any(part is not None and part.awaits_key for part in parts)

    @property
    def target_awaits_key(self) -> bool:
        return self.phase is Phase.BRIEFING and self._briefing is not None and self._briefing.awaits_key

    @property
    def seat_tells(self) -> bool:
        return self.phase is Phase.TELLING

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, OfTarget(event=TargetAnswered()):
                return [DropTarget("too_late")]
            case Phase.DONE, _:
                return []
            case Phase.IDLE, TransferRequested():
                return self._ask(event, now)
            case _, HungUp():
                return self._caller_left(event)
            case _, OfTarget(event=inner):
                return self._of_target(inner, now)
            case _, SeatHungUp() | SeatLost():
                return self._seat_left(event, now)
            case _, HoldRequested() | SeatResumed():
                return self._seat_turns(event, now)
            case Phase.TELLING, OfSeat() | WordsKept():
                inner = event.event if isinstance(event, OfSeat) else event
                return self._told_by_seat(self._telling.receive(inner, now) if self._telling else [], now)
            case _ if isinstance(event, OF_THE_CALLER):
                return self._of_caller(event, now)
            case _ if isinstance(event, NO_NEWS):
                return []
        raise IllegalEvent(event, self.phase)

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._ring_ends += seconds
        self._word_due += seconds
        for part in (self._asking, self._telling, self._briefing, self._not_there):
            if part:
                part.postpone(seconds)

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.ASKING if self._asking:
                return self._asked(self._asking.tick(at), at)
            case Phase.CONNECTING:
                return self._join()
            case Phase.RETURNING if self._not_there:
                return self._explained(self._not_there.tick(at), at)
            case Phase.RINGING if at >= self._ring_ends:
                return self._failed(TargetDeclined("no_answer"), at, DropTarget("no_answer"))
            case _ if at >= self._word_due:
                return self._say_again(at)
            case Phase.TELLING if self._telling:
                return self._told_by_seat(self._telling.tick(at), at)
        return self._briefed(self._briefing.tick(at) if self._briefing else [], at)

    # --- the caller is asked ---

    def _ask(self, request: TransferRequested, now: float) -> list[Action]:
        manners = self._manners
        self._wish, self._target = request, request.target
        question = Question(manners.question, manners.hint, self._rule, {"target": request.name})
        if request.elsewhere and manners.question_elsewhere:
            question = Question(manners.question_elsewhere, manners.hint, self._rule)
        self._asking = Asking(self._hold.consent, question, seat_hears=not self._unhearing)
        asked = Note("transfer.asked", self._rule, {"target": request.target, "way": request.way})
        gate = SEAT_UNHEARD if self._unhearing else BOTH_HEARD
        begun = self._asking.begin(now, sounding=False)
        return self._enter(Phase.ASKING, self._asking.deadline, gate, asked, TellSeat(Notice.ASKING), *begun)

    def _of_caller(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.ASKING, _ if self._asking:
                return self._asked(self._asking.receive(event, now), now)
            case _, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                self._words.go_on()
                if self.phase is Phase.CONNECTING:
                    return self._has_heard(Party.CALLER)
            case Phase.RETURNING, _ if self._not_there:
                return self._explained(self._not_there.receive(event, now), now)
        return []

    def _asked(self, actions: list[Action], now: float) -> list[Action]:
        assert self._asking is not None
        match self._asking.consent:
            case Consent.GIVEN:
                return [*actions, *self._agreed(now)]
            case Consent.REFUSED | Consent.UNANSWERED as consent:
                told = Note("transfer.failed", self._manners.rule, {"why": f"caller_{consent}"})
                return [*actions, told, *self._stays(now)]
        return self._enter(Phase.ASKING, self._asking.deadline, *actions)

    def _stays(self, now: float) -> list[Action]:
        if self._unhearing or self._seat_gone:
            return [TellSeat(Notice.CALLER_STAYS), *self._conclude(self._failure)]
        stays = Say(self._manners.stays, self._manners.rule, BOTH)
        return [TellSeat(Notice.CALLER_STAYS), stays, BOTH_HEARD, *self._conclude(self._failure)]

    # --- the seat says what the target is to know; the target is rung and asked ---

    def _agreed(self, now: float) -> list[Action]:
        """The caller waits from now on, and is told so."""
        self._word_due = now + self._manners.every
        said = self._words.say(Say(self._waiting, self._manners.rule))
        held = (NOBODY_HEARD, BeginHold(self._hold.music), *said)
        manners = self._manners.own_words
        if not (self._wish.own_words and manners) or self._unhearing or self._seat_gone:
            return [*held, *self._ring(now)]
        self._telling = OwnWords(manners)
        return self._go_on(Phase.TELLING, *held, *self._telling.begin(now))

    def _told_by_seat(self, actions: list[Action], now: float) -> list[Action]:
        assert self._telling is not None
        if self._telling.is_over:
            return [*actions, *self._ring(now)]
        return self._go_on(Phase.TELLING, *actions)

    def _ring(self, now: float) -> list[Action]:
        manners = self._manners
        self._ring_ends = now + (manners.queue_for if self._wish.queue else manners.ring_for)
        offered = Note("transfer.offered", manners.rule, {"target": self._target})
        rung = (TellSeat(Notice.TARGET_RINGS), offered, RingTarget(self._target, queue=self._wish.queue))
        return self._go_on(Phase.RINGING, *rung)

    def _of_target(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.RINGING, TargetAnswered():
                return self._brief(now)
            case Phase.RINGING, TargetDeclined():
                return self._failed(event, now)
            case Phase.RINGING, TargetBusy():
                return self._waits_for_queue(now)
            case Phase.BRIEFING | Phase.CONNECTING, TargetHungUp():
                return self._failed(TargetDeclined("hung_up"), now)
            case Phase.BRIEFING, _ if self._briefing and not isinstance(event, TargetRinging):
                return self._briefed(self._briefing.receive(event, now), now)
            case Phase.CONNECTING, PromptFinished(prompt=prompt) if prompt == self._manners.connecting:
                return self._has_heard(Party.TARGET)
            case _, TargetAnswered():
                return [DropTarget("too_late")]
        return []

    def _waits_for_queue(self, now: float) -> list[Action]:
        """A caller who has to wait for a busy line is told so (hst-03), at once and not only in time."""
        if not self._manners.busy_waiting or self._waiting == self._manners.busy_waiting:
            return []
        self._waiting = self._manners.busy_waiting
        return self._say_again(now)

    def _brief(self, now: float) -> list[Action]:
        seconds = self._telling.seconds if self._telling else 0.0
        self._briefing = Briefing(self._manners, {"seat": self._seat}, self._about, own_words=seconds > 0)
        begun = self._briefing.begin(now)
        known: dict[str, Detail] = {"from": self._seat, "own_words": round(seconds, 1)}
        known |= {"matter": self._about.matter} if self._about.matter else {}
        known |= {"surname": self._about.surname} if self._about.surname else {}
        return self._go_on(Phase.BRIEFING, Note("transfer.briefed", self._manners.rule, known), *begun)

    def _briefed(self, actions: list[Action], now: float) -> list[Action]:
        assert self._briefing is not None
        match self._briefing.answer:
            case Answer.AGREED:
                return [*actions, *self._connect(now)]
            case Answer.DECLINED | Answer.UNANSWERED as answer:
                return [*actions, *self._failed(TargetDeclined(answer), now, DropTarget(answer))]
        return self._go_on(Phase.BRIEFING, *actions)

    def _say_again(self, at: float) -> list[Action]:
        self._word_due = at + self._manners.every
        return self._go_on(self.phase, *self._words.say(Say(self._waiting, self._manners.rule)))

    def _go_on(self, phase: Phase, *actions: Action) -> list[Action]:
        """The caller waits for the target; the next word, or what the target does, comes first."""
        part = self._telling if phase is Phase.TELLING else self._briefing
        own = part.deadline if part else self._ring_ends
        deadlines = [at for at in (self._word_due, own) if at is not None]
        return self._enter(phase, min(deadlines), *actions)

    # --- how it ends ---

    def _connect(self, now: float) -> list[Action]:
        accepted = Note("transfer.accepted", self._manners.rule, {"target": self._target})
        said = Say(self._manners.connecting, self._manners.rule, (Party.CALLER, Party.TARGET))
        return self._enter(Phase.CONNECTING, now + LONGEST, accepted, EndHold(), *self._words.say(said))

    def _has_heard(self, party: Party) -> list[Action]:
        self._told.add(party)
        return self._join() if self._told >= {Party.CALLER, Party.TARGET} else []

    def _join(self) -> list[Action]:
        done = Note("transfer.completed", self._manners.rule, {"target": self._target})
        return [JoinTarget(), BOTH_HEARD, done, *self._conclude(Outcome.TRANSFERRED)]

    def _failed(self, declined: TargetDeclined, now: float, *first: Action) -> list[Action]:
        name = "transfer.declined" if declined.why == "declined" else "transfer.failed"
        held = [EndHold()] if self.phase in (Phase.RINGING, Phase.BRIEFING) else []
        told = Note(name, self._manners.rule, {"why": declined.why, "target": self._target})
        known = TellSeat(Notice.TARGET_NOT_THERE)
        hears = not (self._unhearing or self._seat_gone)
        self._not_there = NotThere(self._manners, declined, to=BOTH if hears else (Party.CALLER,))
        said = self._not_there.begin(now)
        return self._enter(Phase.RETURNING, self._not_there.deadline, *first, *held, told, known, *said)

    def _explained(self, actions: list[Action], now: float) -> list[Action]:
        """The caller hears why, and may want a message instead."""
        assert self._not_there is not None
        if not self._not_there.is_over:
            return self._enter(Phase.RETURNING, self._not_there.deadline, *actions)
        if not self._not_there.message_wanted:
            return [*actions, *self._give_back()]
        rest: list[Action] = [] if self._seat_gone else [ReleaseSeat()]
        return [*actions, *rest, *self._conclude(Outcome.MESSAGE_WANTED)]

    def _give_back(self) -> list[Action]:
        returned = Note("transfer.returned", self._manners.rule, {"seat": self._seat})
        heard = [] if self._unhearing or self._seat_gone else [BOTH_HEARD]
        return [returned, *heard, *self._conclude(self._failure)]

    @property
    def _failure(self) -> Outcome:
        return Outcome.TRANSFEROR_GONE if self._seat_gone else Outcome.TRANSFER_FAILED

    def _conclude(self, outcome: Outcome) -> list[Action]:
        return self._enter(Phase.DONE, None, Conclude(self._manners.rule, outcome))

    @property
    def _rule(self) -> str:
        """Under which rule the caller is asked."""
        upwards = self._manners.upwards if self._wish.upwards else None
        return upwards or self._manners.rule

    # --- what the seat and the caller do meanwhile ---

    def _seat_left(self, event: Event, now: float) -> list[Action]:
        """Whoever wanted the transfer has left: the caller is ours to look after."""
        self._seat_gone, self._unhearing = True, False
        hung_up = isinstance(event, SeatHungUp)
        left = Note("transfer.transferor_left", self._manners.rule, {"hung_up": hung_up})
        return [left, *self._says_no_more(now)]

    def _says_no_more(self, now: float) -> list[Action]:
        """The seat speaks for nobody any more: the target hears the house's brief alone."""
        if self.phase is not Phase.TELLING or self._telling is None:
            return []
        return self._told_by_seat(self._telling.stop(), now)

    def _seat_turns(self, event: Event, now: float) -> list[Action]:
        match event:
            case HoldRequested(way=Way.PHONE):
                self._unhearing = True
                if self._asking and self.phase is Phase.ASKING:
                    return [SEAT_UNHEARD, *self._asking.receive(event, now)]
                return self._says_no_more(now)
            case SeatResumed(way=way) if way is Way.PHONE or not self._unhearing:
                self._unhearing = False
                if self.phase is not Phase.CONNECTING:
                    return self._taken_back(now)
        return []

    def _taken_back(self, now: float) -> list[Action]:
        """The seat wants the caller again, before the target has agreed."""
        why = {"why": "taken_back", "target": self._target}
        told = Note("transfer.failed", self._manners.rule, why)
        match self.phase:
            case Phase.ASKING if self._asking:
                rest = self._asking.cut_short()
            case Phase.TELLING if self._telling:
                rest = [*self._words.stop(), *self._telling.stop(), EndHold()]
            case Phase.RINGING | Phase.BRIEFING:
                rest = [*self._words.stop(), DropTarget("taken_back"), EndHold()]
            case _:
                rest = self._not_there.stop() if self._not_there else self._words.stop()
        known = TellSeat(Notice.TAKEN_BACK)
        return [*rest, told, known, BOTH_HEARD, *self._conclude(Outcome.TRANSFER_FAILED)]

    def _caller_left(self, event: HungUp) -> list[Action]:
        before = self.phase
        gone: list[Action] = [Note("transfer.failed", self._manners.rule, {"why": "caller_hung_up"})]
        if before in (Phase.RINGING, Phase.BRIEFING):
            gone += [DropTarget("caller_hung_up"), EndHold()]
        elif before is Phase.CONNECTING:
            gone.append(DropTarget("caller_hung_up"))
        rest: list[Action] = [] if self._seat_gone else [ReleaseSeat()]
        return self._enter(Phase.DONE, None, *gone, TellCallerGone(), *rest)
