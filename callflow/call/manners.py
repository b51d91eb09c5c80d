"""The house's rules in one call: which of them are at work, and what the end of one is the beginning of."""

from dataclasses import replace
from typing import Any

from callflow.actions import (
    Action,
    Conclude,
    FindSeat,
    Gate,
    HangUp,
    JoinTarget,
    Note,
    Notice,
    ReleaseSeat,
    Say,
    TakeMessage,
    TakeNumber,
    TellSeat,
)
from callflow.call.line_watch import LineWatch
from callflow.call.notes import Notes
from callflow.call.recorder import may_be_voice
from callflow.etiquette.answering import Answering
from callflow.etiquette.closing import Closing
from callflow.etiquette.gates import BOTH_HEARD, NOBODY_HEARD
from callflow.etiquette.hold import Hold
from callflow.etiquette.house import House
from callflow.etiquette.joining import Joining, greeting_of
from callflow.etiquette.late_answer import LateAnswer
from callflow.etiquette.leaving import Leaving
from callflow.etiquette.machine import Machine
from callflow.etiquette.modes import Houses
from callflow.etiquette.nuisance import Nuisance
from callflow.etiquette.parameters import TooOftenManners
from callflow.etiquette.parting import Parting
from callflow.etiquette.plain import PlainJoining
from callflow.etiquette.plain_closing import closing_of
from callflow.etiquette.plain_transfer import PlainTransfer
from callflow.etiquette.queueing import Queueing
from callflow.etiquette.seat_closing import SeatClosing
from callflow.etiquette.seats_check import SeatsCheck
from callflow.etiquette.shadow import Shadow
from callflow.etiquette.taking_message import TakingMessage
from callflow.etiquette.taking_number import TakingNumber
from callflow.etiquette.transfer import NOTHING_KNOWN, Transfer
from callflow.events import (
    CallArrived,
    CallerDescribed,
    ConversationOver,
    Ending,
    Event,
    Heard,
    HoldRequested,
    LineHeard,
    LineJudged,
    LineRequested,
    NuisanceCalled,
    OpinionGiven,
    Outcome,
    PathJudged,
    SeatAnswered,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRefused,
    TransferRequested,
)


class Manners:
    """The machines of one call. What its methods return is to be worked off at once."""

    def __init__(self, house: House, notes: Notes, houses: Houses | None = None) -> None:
        """`houses` has the house for who waits in a queue, or is served from it."""
        self.house = house
        self._houses = houses or Houses(house)
        self.rules: list[Machine[Any]] = []
        self.sound: LineHeard | None = None
        """The unbroken sound that the caller's line makes now, if it makes any."""
        self._line = LineWatch()
        self._notes = notes
        self.about = NOTHING_KNOWN
        """Who calls and why, as far as somebody has said so."""
        self.whom = ""
        """The seat that the caller could not be put through to, and leaves word for."""
        self._wish: TransferRequested | None = None
        """Whom the seat wants the caller transferred to."""
        self._too_often: bool | None = None
        """Whether a number is taken in place of a transfer, from a seat whose phone is on its own hold."""
        self._wanted: FindSeat | None = None
        """The queue that the call wants to wait in, once it is answered."""
        self._asked_for = ""
        """Whom the call was to be transferred to last."""
        self.calling = ""
        """Who calls; empty where nobody shall know."""
        self._left: SeatHungUp | SeatLost | None = None
        """How the seat went."""
        self._recalled = ""
        """The seat that was lost and has been rung once more in this call."""
        self.is_seats_own = False
        """Whether the seat has made the call: then its hang-up ends it."""
        self._apart = True
        """Whether seat and caller do not hear each other, one of them at least."""
        self._deaf: HoldRequested | None = None
        """The seat held us before it could hear the caller."""
        self._late: LateAnswer | None = None
        self._joining: Joining | None = None
        self._check: SeatsCheck | None = None
        self._nuisance_rule: Nuisance | None = None
        """The latest of each; at work where it is among the rules."""

    # --- what is asked of it ---

    @property
    def watched(self) -> bool:
        """Whether a silent line is looked for: without a greeting there is no silence after it."""
        return self.house.enforces(self.house.silent_line.rule) and self.house.enforces("csr-01")

    @property
    def served(self) -> bool:
        """Whether seat and caller speak with each other, and nothing is asked of the caller."""
        return any(rule.serves for rule in self.rules)

    @property
    def asks(self) -> bool:
        """Whether the caller is being asked something that a seat may hear the answer to."""
        return any(rule.asks_caller for rule in self.rules)

    @property
    def target_awaits_key(self) -> bool:
        """Whether the target has been asked, and a key of its phone is the answer."""
        return any(rule.target_awaits_key for rule in self.rules)

    @property
    def transfers(self) -> bool:
        """Whether a transfer is under way."""
        return any(rule.transfers and rule.deadline for rule in self.rules)

    @property
    def seat_tells(self) -> bool:
        """Whether the seat speaks for the target alone."""
        return any(rule.seat_tells for rule in self.rules)

    @property
    def hears_somebody(self) -> bool:
        """Whether a person is heard on the caller's line now, or may be there in its noise."""
        return self.sound is not None or may_be_voice(self._line.judged)

    @property
    def unanswered(self) -> bool:
        """Whether the caller waits before the answer, and cannot hear whom it waits for."""
        return self._late_answer is not None

    def receive(self, event: Event, now: float) -> list[Action]:
        """What the rules at work make of an event."""
        match event:
            case LineHeard(heard=heard):
                self.sound = event if heard is Heard.SOUND else None
            case SeatHungUp() | SeatLost():
                self._left, self._apart = event, True
            case HoldRequested() | SeatResumed() if self._greets:
                self._deaf = event if isinstance(event, HoldRequested) else None
            case SeatAnswered() if self._joining not in self.rules:
                return self._join(event, now)
            case TransferRequested():
                self._wish = event
                return self._transfer(event, now)
            case CallerDescribed():
                self.about = event
                return [Note("caller.described", self.house.transfer.rule, _known(event))]
            case NuisanceCalled():
                return self._nuisance(event, now)
            case LineJudged() | OpinionGiven():
                self._line.judged = event if isinstance(event, LineJudged) else self._line.judged
                follow = [rule for rule in self.rules if rule.follows_line]
                return [action for rule in follow for action in rule.receive(event, now)]
            case LineRequested():
                return self._asked_of_line(event, now) if self.served else []
        return self._tell_all(event, now)

    def path_judged(self, judged: PathJudged, now: float) -> None:
        """Whoever is told that its telephone does not work is told the truth."""
        self._line.at_fault = judged.at_fault
        for rule in self.rules:
            if rule.follows_line:
                rule.receive(judged, now)

    def _tell_all(self, event: Event, now: float) -> list[Action]:
        keeps = next((rule for rule in self.rules if rule.keeps_caller), None)
        if keeps and isinstance(event, SeatHungUp | SeatLost):
            # csr-30: a seat that leaves such a caller leaves it to the attendant, not to the closing.
            self._turn_to(keeps)
        return [action for rule in self.rules for action in rule.receive(event, now)]

    # --- what the flow, and one rule after the other, begin ---

    def greet(self, now: float) -> list[Action]:
        """csr-01, and the watch over the line."""
        house = self.house
        answering = Answering(house.answering, greet=house.enforces("csr-01"))
        self.rules = [answering, *self._line.after_greeting(house)]
        return answering.receive(CallArrived("", ""), now)

    def close(self, now: float) -> list[Action]:
        """csr-35 and csr-36."""
        house = self.house
        begun = self._begin(closing_of(house), ConversationOver(), now)
        ideal = Closing(house.closing, ask=True, release=True)
        return [*begun, *self._shadow(ideal, ideal.receive(ConversationOver(), now), now)]

    def part(self, reason: Ending, now: float) -> list[Action]:
        """The last words of a call that cannot go on."""
        return self._begin(Parting(self.house.closing, reason), ConversationOver(), now)

    def leave(self, now: float) -> list[Action]:
        """The seat has left the call that it has made: the other party hears goodbye."""
        return self._begin(Leaving(self.house), ConversationOver(), now)

    def pick_up(self, wanted: FindSeat, now: float) -> list[Action]:
        """Who is to wait must hear us: the call is answered first, without a greeting."""
        self._wanted = wanted
        answering = Answering(self.house.answering, greet=False)
        self.rules = [answering]
        return answering.receive(CallArrived("", ""), now)

    def queue(self, queue: str, now: float) -> list[Action]:
        """crs-02: the caller waits for a seat, under the rules that are in force there."""
        self._notes.ledger.write(now, "queue.entered", "crs-02", queue=queue)
        self.house = self._houses.in_queue(queue)
        self.rules, self._notes.queued_at = [], now
        queueing = Queueing(self.house.queue)
        begun = queueing.begin(now)
        if not self.house.enforces("crs-02"):
            return self._shadow(queueing, begun, now)
        self.rules = [queueing]
        return begun

    def comes_for(self, matter: str) -> None:
        """The flow knows why callers come where this one goes."""
        if matter:
            self.about = replace(self.about, matter=matter, sayable=self.about.sayable | {"matter"})

    def wait_unanswered(self, now: float) -> list[Action]:
        """The queue that the caller is in comes before the answer."""
        self._notes.ledger.write(now, "call.progressed", "csr-01")
        late = self._late = LateAnswer(self.house.answering.settle)
        self.rules.append(late)
        return late.begin(now)

    def answer(self) -> list[Action]:
        """Somebody is there for who waits before the answer, or nobody will be."""
        return self._late_answer.answer() if self._late_answer else []

    def take_number(self, wanted: TakeNumber, queue: str, now: float) -> list[Action]:
        """csr-25, or a number for another reason."""
        if wanted.rule and not self.house.enforces(wanted.rule):
            noted = self._noted(wanted.rule, would="say", prompt=wanted.asks[0])
            return [*noted, Conclude(wanted.rule, Outcome.NUMBER_NOT_TAKEN)]
        taking = TakingNumber(wanted, self.calling, queue, self.whom)
        self._turn_to(taking)
        return taking.begin(now)

    def take_message(self, wanted: TakeMessage, now: float) -> list[Action]:
        """The caller leaves a message."""
        taking = TakingMessage(wanted)
        self._turn_to(taking)
        # Who speaks already is not waited for.
        return [*taking.begin(now), *(taking.receive(self.sound, now) if self.sound else [])]

    def check_line(self, now: float) -> list[Action]:
        """log-04: nobody has answered what the flow asked, and nobody was heard."""
        check, begun = self._line.no_response(self.house, now)
        if check is not None:
            self._turn_to(check)
        return begun

    def concluded(self, outcome: Outcome, now: float) -> list[Action]:
        """What the end of one rule's work is the beginning of."""
        house = self.house
        match outcome:
            case Outcome.GREETED if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                return [wanted]
            case Outcome.GREETED if house.observes("csr-01"):
                return self._shadow(self._line.ideal(house), [Say(house.answering.greeting, "csr-01")], now)
            case Outcome.JOINED | Outcome.SEAT_BACK:
                return self.serve(now)
            case Outcome.YIELDED if self._wish is not None:
                return self._begin_transfer(self._wish, now)
            case Outcome.TRANSFERRED | Outcome.TRANSFER_FAILED | Outcome.TRANSFEROR_GONE:
                return self._transfer_over(outcome, now)
            case Outcome.MESSAGE_WANTED if any(rule.transfers for rule in self.rules):
                self.whom = self._asked_for
            case Outcome.TOO_OFTEN | Outcome.ATTENDANT_WANTED:
                self.rules = [rule for rule in self.rules if rule.only_watches]
            case Outcome.NUMBER_TAKEN | Outcome.NUMBER_NOT_TAKEN if self._too_often is not None:
                return self._number_instead(outcome, now)
            case Outcome.SEAT_LEFT if self.is_seats_own:
                return self.leave(now)
            case Outcome.SEAT_LEFT if not house.enforces(house.seat_closing.rule):
                return [*self._noted(house.seat_closing.rule, would="close"), HangUp("seat_hung_up")]
            case Outcome.SEAT_LEFT if self._left is not None:
                return self._close_after_seat(self._left, now)
        return []

    def _close_after_seat(self, left: SeatHungUp | SeatLost, now: float) -> list[Action]:
        """A lost seat is rung once in a call; lost again, it has its caller go to the queue."""
        seat = self._notes.seat
        closing = SeatClosing(self.house, may_recall=self._recalled != seat)
        self._recalled = seat
        return self._begin(closing, left, now)

    def serve(self, now: float) -> list[Action]:
        """Seat and caller speak with each other, for as long as they like."""
        self._left = None
        deaf, self._deaf = self._deaf, None
        rule = self.house.hold.rules.ask
        observed = self.house.hold if self.house.observes(rule) else None
        hold: Machine[Any] = PlainJoining(rule, observed=observed)
        if self.house.enforces(rule):
            hold = Hold(*self.house.hold_in_force)
        self.rules = [hold, self._line.words(self.house)]
        if self.sound:
            hold.receive(self.sound, now)
        return hold.receive(deaf, now) if deaf else []

    def joins(self, action: Gate | JoinTarget, now: float) -> None:
        """From the moment that both can hear each other, the ledger calls them joined."""
        if isinstance(action, JoinTarget):
            # The target is the seat that serves, from before the first word that passes.
            transfers = (rule for rule in self.rules if rule.transfers)
            self._notes.seat = next((rule.target for rule in transfers), self._notes.seat)
            return
        apart, self._apart = self._apart, bool(action.shut)
        if apart and not action.shut:
            self._notes.ledger.write(now, "call.joined", seat=self._notes.seat)

    # --- the rooms behind ---

    @property
    def _late_answer(self) -> LateAnswer | None:
        late = self._late
        return late if late in self.rules and late and late.is_at_work else None

    @property
    def _greets(self) -> bool:
        """Whether what a seat's phone does is for the rule that comes next."""
        return any(rule.begins_serving for rule in self.rules)

    def _join(self, answered: SeatAnswered, now: float) -> list[Action]:
        """The waiting is over: its words stop, and both hear the greeting."""
        silenced = [action for rule in self.rules for action in rule.receive(answered, now)]
        waited = self._notes.waited(now)
        joining = self._joining = Joining(
            self.house.joining_in_force, waited, greets=self.house.enforces("csr-01")
        )
        self.rules, self._notes.queued_at = [joining], None
        ideal = greeting_of(self.house.joining, answered, waited)
        noted = self._noted(ideal.rule, would="say", prompt=ideal.prompt)
        return [*silenced, *noted, *joining.receive(answered, now)]

    def _asked_of_line(self, wanted: LineRequested, now: float) -> list[Action]:
        """csr-05 to csr-07, csr-10, log-04: the seat wants something done about the caller's line."""
        before, words = self._check, self._line.seats_words
        own = [rule for rule in self.rules if rule is before or rule is words]
        done = [action for rule in own for action in rule.receive(wanted, now)]
        if before in own and before and before.at_work:
            return done
        check, begun = self._line.asked(wanted, self.house, self.sound, now)
        others = [rule for rule in self.rules if rule is not before]
        self._check = check
        # It stands first: where the caller is to be asked something, its words stop before that.
        self.rules = [check, *others] if check else others
        return [*done, *begun]

    def _transfer(self, wish: TransferRequested, now: float) -> list[Action]:
        """The wish takes the place of whatever the rule at work is about; or nothing comes of it."""
        manners = self.house.transfer
        if wish.upwards and manners.upwards and not self.house.enforces(manners.upwards):
            why = {"why": "not_in_force"}
            return [Note("transfer.refused", manners.upwards, why), TellSeat(Notice.TARGET_NOT_THERE)]
        return self._tell_all(wish, now)

    def _begin_transfer(self, wish: TransferRequested, now: float) -> list[Action]:
        unhearing = any(rule.unhearing for rule in self.rules)
        hold, _ = self.house.hold_in_force
        self._wish, self._asked_for = None, wish.target
        manners = self.house.transfer_in_force
        done = sum(fact.fact == "transfer.completed" for fact in self._notes.ledger)
        if manners.too_often and done >= manners.most:
            return self._take_number_instead(manners.too_often, wish, now, unhearing=unhearing)
        transfer: Transfer | PlainTransfer
        if self.house.enforces(manners.rule):
            transfer = Transfer(manners, hold, seat=self._notes.seat, unhearing=unhearing, about=self.about)
        else:
            observed = self.house.observes(manners.rule)
            transfer = PlainTransfer(manners, unhearing=unhearing, music=hold.music, observed=observed)
        self.rules = [transfer]
        return transfer.receive(wish, now)

    def _take_number_instead(
        self, manners: TooOftenManners, wish: TransferRequested, now: float, *, unhearing: bool
    ) -> list[Action]:
        """crs-10: a caller is not pushed from one to the next; the right person calls back."""
        self._too_often, self.whom = unhearing, wish.target
        wanted = TakeNumber(manners.asks, manners.read_back, manners.thanks, manners.rule)
        refused = Note("transfer.refused", manners.rule, {"why": "too_often", "target": wish.target})
        taking = TakingNumber(wanted, self.calling, "", wish.target)
        self.rules = [taking]
        return [refused, TellSeat(Notice.TOO_OFTEN), NOBODY_HEARD, *taking.begin(now)]

    def _number_instead(self, outcome: Outcome, now: float) -> list[Action]:
        unhearing, self._too_often = bool(self._too_often), None
        rule = self.house.transfer.rule
        if outcome is Outcome.NUMBER_TAKEN:
            gone: list[Action] = [] if self._left else [ReleaseSeat()]
            return [*gone, Conclude(rule, Outcome.TOO_OFTEN)]
        self.whom = ""
        if self._left:
            return self._close_after_seat(self._left, now)
        heard = [] if unhearing else [BOTH_HEARD]
        serving = self.serve(now)
        refused = TransferRefused(unhearing)
        return [*heard, *serving, *(action for rule in self.rules for action in rule.receive(refused, now))]

    def _nuisance(self, called: NuisanceCalled, now: float) -> list[Action]:
        """csr-30: only who speaks with a seat can be told to hang up, and once at a time."""
        if not self.served or not self.house.enforces(self.house.nuisance.rule):
            return self._noted(self.house.nuisance.rule, would="say", prompt=self.house.nuisance.words)
        nuisance, before = Nuisance(self.house.nuisance), self._nuisance_rule
        self._nuisance_rule = nuisance
        self.rules = [*(rule for rule in self.rules if rule is not before), nuisance]
        return nuisance.receive(called, now)

    def _transfer_over(self, outcome: Outcome, now: float) -> list[Action]:
        transfer = next(rule for rule in self.rules if rule.transfers)
        if outcome is Outcome.TRANSFEROR_GONE:
            return self._close_after_seat(SeatLost(), now)
        if outcome is Outcome.TRANSFERRED:
            self._notes.seat, self.is_seats_own = transfer.target, False
            return self.serve(now)
        refused = TransferRefused(transfer.unhearing)
        serving = self.serve(now)
        return [*serving, *(action for rule in self.rules for action in rule.receive(refused, now))]

    def _shadow(self, ideal: Machine[Any], begun: list[Action], now: float) -> list[Action]:
        """Let a machine run of which nothing is heard, where any of its rules is observed."""
        observed = [rule for rule in (*ideal.rules, "csr-01") if self.house.observes(rule)]
        if not observed:
            return []
        shadow = Shadow(ideal, *observed, begun=begun, now=now)
        self.rules.append(shadow)
        return shadow.first

    def _noted(self, rule: str | None, **would: str) -> list[Action]:
        """What a rule would do that is only observed."""
        return [Note("rule.observed", rule, would)] if rule and self.house.observes(rule) else []

    def _turn_to(self, machine: Machine[Any]) -> None:
        """From now on `machine` is at work; whoever only watches goes on watching."""
        self.rules = [machine, *(rule for rule in self.rules if rule.only_watches)]

    def _begin(self, machine: Machine[Any], first: Event, now: float) -> list[Action]:
        self._turn_to(machine)
        actions = machine.receive(first, now)
        return [*actions, *machine.receive(self.sound, now)] if self.sound else actions


def _known(about: CallerDescribed) -> dict[str, str]:
    """What the ledger keeps of it."""
    known = {"surname": about.surname, "matter": about.matter}
    return {name: value for name, value in known.items() if value}
