"""One call: the flow says what is wanted, the house's rules how it is done, the ledger that it was.

Events come in from the line; what goes out are the actions that need a line: ring, answer, say, stop
saying, hang up. The call has one deadline, the earliest of all its machines.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from callflow.actions import (
    Action,
    CheckLine,
    Close,
    Conclude,
    FindSeat,
    Gate,
    Greet,
    HandToQueue,
    HangUp,
    JoinTarget,
    Keep,
    Note,
    Say,
    StopSaying,
    TakeMessage,
    TakeNumber,
    TellCallerGone,
)
from callflow.call.journal import CallEntry, LegEntry, RuleEntry
from callflow.call.keeping import KEPT, PATIENCE, Keeping
from callflow.call.ledger import Ledger
from callflow.call.manners import Manners
from callflow.call.notes import Notes
from callflow.etiquette.house import House
from callflow.etiquette.machine import Machine
from callflow.etiquette.modes import Houses
from callflow.events import (
    LOST_MEDIA,
    WITHOUT_A_WORD,
    CallAnswered,
    CallArrived,
    CallerDescribed,
    CallerLost,
    DigitPressed,
    Ending,
    Event,
    FactKept,
    Heard,
    HeldByCaller,
    HoldRequested,
    HungUp,
    LineHeard,
    LineJudged,
    MessageFailed,
    MessageStored,
    NobodyThere,
    NuisanceCalled,
    OfSeat,
    OfTarget,
    Outcome,
    Party,
    PathJudged,
    PromptFinished,
    PromptStarted,
    QueueMoved,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    ResumedByCaller,
    RuleConcluded,
    SeatAnswered,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
    WordsKept,
)
from callflow.flow.model import Flow
from callflow.flow.run import FlowRun

OF_THE_SEAT = (
    SeatAnswered, SeatHungUp, SeatLost, SeatResumed, HoldRequested,
    RecallRinging, RecallAnswered, RecallFailed, NobodyThere, QueueMoved,
    TransferRequested, OfTarget, OfSeat, WordsKept, CallerDescribed, NuisanceCalled,
)  # fmt: skip
"""What is for whoever is there when the caller can hear again, or for the first time."""
OF_THE_DISK = (MessageStored, MessageFailed)
NO_SEAT_ANY_MORE = (
    Outcome.SEAT_LEFT, Outcome.TRANSFEROR_GONE,
    Outcome.CALLBACK_WANTED, Outcome.MESSAGE_WANTED, Outcome.CLOSING_WANTED,
    Outcome.TOO_OFTEN, Outcome.ATTENDANT_WANTED,
)  # fmt: skip
"""From then on the call is ours alone, and has its limit again."""


class Call:
    """One caller, from arrival to end."""

    def __init__(
        self,
        flow: Flow,
        house: House,
        ledger: Ledger,
        houses: Houses | None = None,
        *,
        keeps: bool = False,
        lengths: Mapping[str, float] | None = None,
    ) -> None:
        """`houses` has the house for who waits in a queue, where it differs.

        `lengths` are those of the flow's prompts, in seconds.

        `keeps`: there is a journal; a consent is on disk before it is acted on, and the ledger tells so.
        """
        self.ledger = ledger
        self._keeps = keeps
        self._keeping: Keeping | None = None
        self._kept = 0
        self._notes = Notes(ledger)
        self.ended = False
        self._manners = Manners(house, self._notes, houses)
        self._queue = ""
        self._flow = FlowRun(flow, lengths)
        self._flow_name = flow.name
        self._limit_after = flow.limits.call
        self._limit: float | None = None
        self._answered = False
        self._spoken_to = False
        """Whether we have said a first word."""
        self._saying: Say | None = None
        self._held_since: float | None = None
        self._missed: list[Event] = []
        """What the seat did while the caller's side held the call, or was not answered."""
        self.tells_caller_gone = False
        """Whether those who are left are told in a sentence that the caller has hung up."""
        self._judged_meanwhile: LineJudged | None = None
        """What the line was found to be last while the caller's side held the call."""

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called, in seconds; None when only an event can change anything."""
        if self.ended:
            return None
        if self._keeping is not None:
            return self._keeping.until
        known = [self._limit]
        if not self.held_by_caller:
            known += [self._flow.deadline, *(rule.deadline for rule in self._manners.rules)]
        return min((at for at in known if at is not None), default=None)

    def entry(self, legs: tuple[LegEntry, ...]) -> CallEntry:
        """The call as it is written down, on those legs."""
        rules = tuple(RuleEntry(rule.rules, rule.phase.name, rule.deadline) for rule in self._manners.rules)
        flow = self._flow
        return CallEntry(
            self.ledger.call, self._flow_name, flow.step, flow.deadline, rules, self._limit, legs
        )

    @property
    def keeps_keys(self) -> bool:
        """Whether the caller's keys are for us, and not for the seat that the caller speaks with."""
        return not self._manners.served

    @property
    def please_wait(self) -> str:
        """What somebody hears who is to wait for a transfer."""
        return self._manners.house.transfer.waiting

    @property
    def caller_gone(self) -> str:
        """What those hear whose caller has hung up meanwhile."""
        return self._manners.house.transfer.caller_gone

    @property
    def transfer_done(self) -> str:
        """What a seat hears that still listens when its caller has been put through."""
        return self._manners.house.transfer.done

    @property
    def about(self) -> CallerDescribed:
        """Who calls and why, as far as somebody has said so."""
        return self._manners.about

    @property
    def whom(self) -> str:
        """The seat that the caller leaves word for; empty for nobody in particular."""
        return self._manners.whom

    @property
    def hears_somebody(self) -> bool:
        """Whether a person is heard on the caller's line now, or may be there in its noise."""
        return self._manners.hears_somebody

    @property
    def watches_line(self) -> bool:
        """Whether a caller who is silent is asked, told and released (csr-04 and its like)."""
        return self._manners.watched

    @property
    def target_awaits_key(self) -> bool:
        """Whether a key of the target's phone is what it was asked for."""
        return not self.ended and self._manners.target_awaits_key

    @property
    def transfers(self) -> bool:
        """Whether a transfer is under way: no other begins beside it."""
        return not self.ended and self._manners.transfers

    @property
    def seat_tells(self) -> bool:
        """Whether the seat speaks for the target alone, and its keys are about that."""
        return not self.ended and self._manners.seat_tells

    @property
    def names_minutes(self) -> bool:
        """Whether the house announces a wait in minutes, which the seat may name."""
        return self._manners.house.hold_in_force[0].estimate is not None

    @property
    def asks(self) -> bool:
        """Whether the caller is being asked something that a seat may hear the answer to."""
        return self._manners.asks

    @property
    def awaits_key(self) -> bool:
        """Whether a key is what the caller was asked for: only then may a tone in the audio be one."""
        return not self.ended and (
            self._flow.awaits_key or any(rule.awaits_key for rule in self._manners.rules)
        )

    @property
    def held_by_caller(self) -> bool:
        """Whether the caller's side holds the call: what is said then nobody hears, and no pause counts."""
        return self._held_since is not None

    def receive(self, event: Event, now: float) -> list[Action]:
        """What is to be done because `event` happened at `now`. After the end: nothing."""
        if self.ended or (isinstance(event, DigitPressed) and not self._spoken_to):
            # A key pressed before our first word belongs to whatever was dialled before us.
            return []
        if isinstance(event, PathJudged):
            self._manners.path_judged(event, now)
            return []
        if self._keeping is not None and not isinstance(event, CallerLost):
            return self._while_keeping(self._keeping, event, now)
        match event:
            case CallerLost():
                return self.part(LOST_MEDIA, now)
            case FactKept():
                # The disk answered when the call had gone on.
                return []
            case HeldByCaller() if not self.keeps_keys:
                # The two speak with each other: between them we count no pause.
                return []
            case ResumedByCaller() if not self.held_by_caller:
                return []
            case HeldByCaller():
                return self._hold(now)
            case ResumedByCaller():
                return self._resume(now)
            case _ if self.held_by_caller and not isinstance(event, HungUp):
                return self._while_held(event, now)
            case _ if self._manners.unanswered and isinstance(event, OF_THE_SEAT):
                self._missed.append(event)
                return self._work_off(deque(), now, self._manners.answer())
        return self._work_off(deque([event]), now)

    def connected(self, seat: str, now: float) -> list[Action]:
        """Whom `seat` has called has answered: from now on that is the caller, and the two speak.

        The flow waits where callers are who speak with a seat: what it would do to get there is done.
        """
        self._answered = True
        self._notes.seat = seat
        self._manners.is_seats_own = True
        self._flow.receive(CallArrived("", ""), now)
        return self._work_off(deque(), now, [Gate(frozenset()), *self._manners.serve(now)])

    def tick(self, now: float) -> list[Action]:
        """What is to be done because time has passed."""
        if self._keeping is not None:
            return self._go_on(now, durable=False) if now >= self._keeping.until else []
        done: list[Action] = []
        if self._limit is not None and now >= self._limit:
            self._limit = None
            done += self.part("call_limit", now)
        machines: tuple[Machine[Any] | FlowRun, ...] = (*self._manners.rules, self._flow)
        for machine in machines:
            if not (self.ended or self.held_by_caller or self._keeping):
                done += self._work_off(deque(), now, machine.tick(now))
        return done

    def part(self, reason: Ending, now: float) -> list[Action]:
        """End the call with the last words and the pause, whatever it is doing (a limit, a shutdown)."""
        if self.ended:
            return []
        before = self._go_on(now, durable=False) if self._keeping else []
        self._flow.stop()
        self._held_since = None
        if not self._answered:
            # Nobody listens to a call that still rings: it is refused.
            self._manners.rules = []
            return self._work_off(deque(), now, [HangUp(reason)])
        return [*before, *self._work_off(deque(), now, self._manners.part(reason, now))]

    def give_up(self, reason: Ending, now: float) -> list[Action]:
        """End the call without a word: the last resort of a call whose own machines are broken."""
        if self.ended:
            return []
        self._end(now, Party.CALLFLOW, reason)
        return [HangUp(reason)]

    # --- events and the actions they lead to, until nothing is left to work off ---

    def _work_off(self, events: deque[Event], now: float, actions: Iterable[Action] = ()) -> list[Action]:
        done: list[Action] = []
        pending = deque(actions)
        while (pending or events) and not self.ended:
            if not pending:
                pending.extend(self._take(events.popleft(), now))
                continue
            action = pending.popleft()
            if self._keeps and isinstance(action, Note) and action.fact in KEPT:
                return [*done, self._keep(action, pending, events, now)]
            done += self._one(action, pending, events, now)
        return done

    def _one(self, action: Action, pending: deque[Action], events: deque[Event], now: float) -> list[Action]:
        """Do one action as far as it is the call's own; what is left is for who has the lines."""
        match action:
            case Conclude():
                pending.extendleft(reversed(self._over(action, events, now)))
                return []
            case Note():
                self._write(action, now)
                return []
            case Greet() | Close() | TakeNumber() | TakeMessage() | CheckLine():
                pending.extendleft(reversed(self._start(action, now)))
                return []
            case FindSeat(unanswered=False) if not self._answered:
                pending.extendleft(reversed(self._manners.pick_up(action, now)))
                return []
            case HandToQueue() if self._manners.is_seats_own:
                # A party that a seat has called did not call us to wait for another.
                pending.extendleft(reversed(self._manners.leave(now)))
                return []
            case FindSeat() | HandToQueue():
                self._enter_queue(action, pending, now)
                if not self._answered:
                    return [*self._manners.wait_unanswered(now), action]
            case JoinTarget() | Gate():
                self._manners.joins(action, now)
            case HangUp(reason=reason, rule=rule):
                self._end(now, Party.CALLFLOW, reason, rule)
            case Say():
                self._saying = action
                self._notes.wanted(action, now)
            case StopSaying():
                self._saying = None
        return [action]

    def _enter_queue(self, action: FindSeat | HandToQueue, pending: deque[Action], now: float) -> None:
        if isinstance(action, FindSeat):
            self._queue = action.queue
            self._manners.comes_for(action.matter)
        pending.extendleft(reversed(self._manners.queue(self._queue, now)))

    def _over(self, concluded: Conclude, events: deque[Event], now: float) -> list[Action]:
        """A rule is at its end: what that is the beginning of."""
        outcome = concluded.outcome
        if outcome is not Outcome.UNCHECKED:
            self.ledger.write(now, "rule.concluded", concluded.rule, outcome=outcome)
        begun = self._concluded(outcome, now)
        events.append(RuleConcluded(outcome))
        if outcome is Outcome.PICKED_UP:
            missed, self._missed = self._missed, []
            events.extend(missed)
        return begun

    def _write(self, note: Note, now: float) -> None:
        details = {**note.details, "durable": False} if note.fact in KEPT else note.details
        self.ledger.write(now, note.fact, note.rule, **details)

    def _start(self, begun: Greet | Close | TakeNumber | TakeMessage | CheckLine, now: float) -> list[Action]:
        manners = self._manners
        match begun:
            case Greet():
                return manners.greet(now)
            case Close():
                return manners.close(now)
            case TakeNumber():
                return manners.take_number(begun, self._queue, now)
            case TakeMessage():
                return manners.take_message(begun, now)
            case CheckLine():
                return manners.check_line(now)

    def _concluded(self, outcome: Outcome, now: float) -> list[Action]:
        # While people speak with each other nothing of ours ends their call.
        if outcome in (Outcome.JOINED, Outcome.SEAT_BACK, Outcome.TRANSFERRED):
            self._limit = None
        elif outcome in NO_SEAT_ANY_MORE:
            self._limit = now + self._limit_after
        return self._manners.concluded(outcome, now)

    def _take(self, event: Event, now: float) -> list[Action]:
        self._note(event, now)
        actions: list[Action] = []
        if not isinstance(event, RuleConcluded):
            actions = self._manners.receive(event, now)
        actions += self._flow.receive(event, now)
        if event == RuleConcluded(Outcome.GREETED) and not self._manners.watched:
            # Without a watch over the line every caller counts as heard.
            actions += self._flow.receive(RuleConcluded(Outcome.ALIVE), now)
        if isinstance(event, HungUp):
            # What is over with the call is told before its end; all else is done by letting go.
            for action in actions:
                if isinstance(action, Note):
                    self.ledger.write(now, action.fact, action.rule, **action.details)
                self.tells_caller_gone |= isinstance(action, TellCallerGone)
            self.tells_caller_gone |= event.reason in WITHOUT_A_WORD
            self._end(now, event.by, event.reason)
            return []
        return actions

    def _note(self, event: Event, now: float) -> None:
        self._notes.event(event, now)
        match event:
            case CallArrived(caller=caller, withheld=withheld):
                self._limit = now + self._limit_after
                self._manners.calling = "" if withheld else caller
            case CallAnswered():
                self._answered = True
            case PromptStarted():
                self._spoken_to = True
            case PromptFinished(prompt=prompt) if self._saying and self._saying.prompt == prompt:
                self._saying = None

    # --- a consent is on its way to the disk ---

    def _keep(self, note: Note, actions: deque[Action], events: deque[Event], now: float) -> Keep:
        self._kept += 1
        self._keeping = Keeping(self._kept, note, now + PATIENCE, actions, events)
        return Keep(self._kept, note)

    def _while_keeping(self, keeping: Keeping, event: Event, now: float) -> list[Action]:
        match event:
            case FactKept(number=number):
                return self._go_on(now, durable=True) if number == keeping.number else []
            case HungUp():
                return [*self._go_on(now, durable=False), *self.receive(event, now)]
        keeping.missed.append(event)
        return []

    def _go_on(self, now: float, *, durable: bool) -> list[Action]:
        """Act on the consent, and then on all that has happened since."""
        assert self._keeping is not None
        keeping, self._keeping = self._keeping, None
        written = keeping.written(durable=durable)
        self.ledger.write(now, written.fact, written.rule, **written.details)
        done = self._work_off(keeping.events, now, keeping.actions)
        return [*done, *(action for event in keeping.missed for action in self.receive(event, now))]

    # --- the caller's side holds the call: time stands still ---

    def _hold(self, now: float) -> list[Action]:
        self._held_since = now
        self.ledger.write(now, "call.held", by=Party.CALLER)
        return [StopSaying()] if self._saying else []

    def _while_held(self, event: Event, now: float) -> list[Action]:
        # Music on the caller's side is no sign of life; but what still sounds afterwards may be one.
        if isinstance(event, LineHeard):
            self._manners.sound = event if event.heard is Heard.SOUND else None
        elif isinstance(event, LineJudged):
            self._judged_meanwhile = event
        elif isinstance(event, (*OF_THE_SEAT, *OF_THE_DISK)):
            # What the seat does meanwhile is not forgotten.
            self._missed.append(event)
        elif not isinstance(event, DigitPressed):
            self._note(event, now)
        return []

    def _resume(self, now: float) -> list[Action]:
        held_for = now - (now if self._held_since is None else self._held_since)
        self._held_since = None
        self.ledger.write(now, "call.resumed", by=Party.CALLER, seconds=round(held_for, 3))
        for rule in self._manners.rules:
            rule.postpone(held_for)
        self._flow.postpone(held_for)
        still_sounding = [LineHeard(Heard.SOUND, now)] if self._manners.sound else []
        # What the caller could not hear is said again from its beginning.
        again = [self._saying] if self._saying else []
        missed, self._missed = self._missed, []
        judged, self._judged_meanwhile = self._judged_meanwhile, None
        found = [judged] if judged else []
        return self._work_off(deque([*still_sounding, *found, *missed]), now, again)

    def _end(self, now: float, by: Party, reason: str, rule: str | None = None) -> None:
        self.ended = True
        self.ledger.write(now, "call.ended", rule, by=by, reason=reason)
