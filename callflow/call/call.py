"""One call: the flow says what is wanted, the house's rules how it is done, the ledger that it was.

Events come in from the line; what goes out are the actions that need a line: ring, answer, say, stop
saying, hang up. The call has one deadline, the earliest of all its machines.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from callflow.actions import (
    Action,
    Close,
    Conclude,
    FindSeat,
    Gate,
    Greet,
    HandToQueue,
    HangUp,
    Note,
    Say,
    StopSaying,
)
from callflow.call.journal import CallEntry, LegEntry, RuleEntry
from callflow.call.ledger import Ledger
from callflow.call.notes import Notes
from callflow.etiquette.answering import Answering
from callflow.etiquette.closing import Closing
from callflow.etiquette.hold import Hold
from callflow.etiquette.hold import Phase as HoldPhase
from callflow.etiquette.house import House
from callflow.etiquette.joining import Joining
from callflow.etiquette.line_check import SilentLine
from callflow.etiquette.machine import Machine
from callflow.etiquette.parting import Parting
from callflow.etiquette.plain import PlainJoining
from callflow.etiquette.queueing import Queueing
from callflow.etiquette.seat_closing import SeatClosing
from callflow.events import (
    CallAnswered,
    CallArrived,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HeldByCaller,
    HoldRequested,
    HungUp,
    LineHeard,
    NobodyThere,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    ResumedByCaller,
    RuleConcluded,
    SeatAnswered,
    SeatHungUp,
    SeatLost,
    SeatResumed,
)
from callflow.flow.model import Flow
from callflow.flow.run import FlowRun

OF_THE_SEAT = (
    SeatAnswered, SeatHungUp, SeatLost, SeatResumed, HoldRequested,
    RecallRinging, RecallAnswered, RecallFailed, NobodyThere,
)  # fmt: skip
"""What does not wait until the caller's side has come back."""


class Call:
    """One caller, from arrival to end."""

    def __init__(self, flow: Flow, house: House, ledger: Ledger) -> None:
        self.ledger = ledger
        self._notes = Notes(ledger)
        self.ended = False
        self._house = house
        self._flow = FlowRun(flow)
        self._flow_name = flow.name
        self._limit_after = flow.limits.call
        self._limit: float | None = None
        self._rules: list[Machine[Any]] = []
        self._answered = False
        self._spoken_to = False
        """Whether we have said a first word."""
        self._sound: LineHeard | None = None
        """The unbroken sound that the line makes now, if it makes any."""
        self._saying: Say | None = None
        self._held_since: float | None = None
        self._wanted: FindSeat | None = None
        """The queue that the call wants to wait in, once it is answered."""
        self._seat_event: SeatHungUp | SeatLost | None = None
        self._apart = True
        """Whether seat and caller do not hear each other, one of them at least."""
        self._deaf: HoldRequested | None = None
        """The seat held us before it could hear the caller."""
        self._missed: list[Event] = []
        """What the seat did while the caller's side held the call."""

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called, in seconds; None when only an event can change anything."""
        if self.ended:
            return None
        known = [self._limit]
        if not self.held_by_caller:
            known += [self._flow.deadline, *(rule.deadline for rule in self._rules)]
        return min((at for at in known if at is not None), default=None)

    def entry(self, legs: tuple[LegEntry, ...]) -> CallEntry:
        """The call as it is written down, on those legs."""
        rules = tuple(RuleEntry(rule.rules, rule.phase.name, rule.deadline) for rule in self._rules)
        flow = self._flow
        return CallEntry(
            self.ledger.call, self._flow_name, flow.step, flow.deadline, rules, self._limit, legs
        )

    @property
    def keeps_keys(self) -> bool:
        """Whether the caller's keys are for us, and not for the seat that the caller speaks with."""
        return not any(
            isinstance(rule, PlainJoining) or (isinstance(rule, Hold) and rule.phase is HoldPhase.JOINED)
            for rule in self._rules
        )

    @property
    def asks(self) -> bool:
        """Whether the caller is being asked something that a seat may hear the answer to."""
        return any(isinstance(rule, Hold) and rule.phase is HoldPhase.ASKING for rule in self._rules)

    @property
    def awaits_key(self) -> bool:
        """Whether a key is what the caller was asked for: only then may a tone in the audio be one."""
        return not self.ended and (self._flow.awaits_key or any(rule.awaits_key for rule in self._rules))

    @property
    def held_by_caller(self) -> bool:
        """Whether the caller's side holds the call: what is said then nobody hears, and no pause counts."""
        return self._held_since is not None

    def receive(self, event: Event, now: float) -> list[Action]:
        """What is to be done because `event` happened at `now`. After the end: nothing."""
        if self.ended or (isinstance(event, DigitPressed) and not self._spoken_to):
            # A key pressed before our first word belongs to whatever was dialled before us.
            return []
        match event:
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
        return self._work_off(deque([event]), now)

    def tick(self, now: float) -> list[Action]:
        """What is to be done because time has passed."""
        done: list[Action] = []
        if self._limit is not None and now >= self._limit:
            self._limit = None
            done += self.part("call_limit", now)
        machines: tuple[Machine[Any] | FlowRun, ...] = (*self._rules, self._flow)
        for machine in machines:
            if not (self.ended or self.held_by_caller):
                done += self._work_off(deque(), now, machine.tick(now))
        return done

    def part(self, reason: str, now: float) -> list[Action]:
        """End the call with the last words and the pause, whatever it is doing (a limit, a shutdown)."""
        if self.ended:
            return []
        self._flow.stop()
        self._held_since = None
        if not self._answered:
            # Nobody listens to a call that still rings: it is refused.
            self._rules = []
            return self._work_off(deque(), now, [HangUp(reason)])
        return self._begin(Parting(self._house.closing, reason), ConversationOver(), now)

    def give_up(self, reason: str, now: float) -> list[Action]:
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
            match pending.popleft():
                case Conclude(outcome=outcome, rule=rule):
                    self.ledger.write(now, "rule.concluded", rule, outcome=outcome)
                    done += self._concluded(outcome, now)
                    events.append(RuleConcluded(outcome))
                case Note(fact=fact, rule=rule, details=details):
                    self.ledger.write(now, fact, rule, **details)
                case Gate(shut=shut) as gate:
                    self._gate(shut, now)
                    done.append(gate)
                case Greet() | FindSeat() | HandToQueue() | Close() as begun:
                    done += self._start(begun, now)
                case HangUp() as hang_up:
                    self._end(now, Party.CALLFLOW, hang_up.reason, hang_up.rule)
                    done.append(hang_up)
                case Say() as say:
                    self._saying = say
                    self._notes.wanted(say, now)
                    done.append(say)
                case StopSaying() as stop:
                    self._saying = None
                    done.append(stop)
                case action:
                    done.append(action)
        return done

    def _start(self, begun: Greet | FindSeat | HandToQueue | Close, now: float) -> list[Action]:
        """One of the house's rules begins where the flow or another rule wants it."""
        match begun:
            case Greet():
                return self._greet(now)
            case FindSeat():
                return self._find_seat(begun, now)
            case HandToQueue():
                return [begun, *self._queue(now)]
            case Close():
                return self._close(now)

    def _take(self, event: Event, now: float) -> list[Action]:
        self._note(event, now)
        actions: list[Action] = []
        if self._joining and isinstance(event, HoldRequested | SeatResumed):
            self._deaf = event if isinstance(event, HoldRequested) else None
        if isinstance(event, SeatAnswered) and not self._joining:
            actions += self._join(event, now)
        elif not isinstance(event, RuleConcluded):
            actions = [action for rule in self._rules for action in rule.receive(event, now)]
        actions += self._flow.receive(event, now)
        if event == RuleConcluded(Outcome.GREETED) and not self._watched:
            # Without a watch over the line every caller counts as heard.
            actions += self._flow.receive(RuleConcluded(Outcome.ALIVE), now)
        if isinstance(event, HungUp):
            self._end(now, event.by, event.reason)
        return actions

    def _note(self, event: Event, now: float) -> None:
        self._notes.event(event, now)
        match event:
            case CallArrived():
                self._limit = now + self._limit_after
            case CallAnswered():
                self._answered = True
            case PromptStarted():
                self._spoken_to = True
            case PromptFinished(prompt=prompt) if self._saying and self._saying.prompt == prompt:
                self._saying = None
            case LineHeard(heard=heard):
                self._sound = event if heard is Heard.SOUND else None
            case SeatHungUp() | SeatLost():
                self._seat_event, self._apart = event, True

    # --- the caller's side holds the call: time stands still ---

    def _hold(self, now: float) -> list[Action]:
        self._held_since = now
        self.ledger.write(now, "call.held", by=Party.CALLER)
        return [StopSaying()] if self._saying else []

    def _while_held(self, event: Event, now: float) -> list[Action]:
        # Music on the caller's side is no sign of life; but what still sounds afterwards may be one.
        if isinstance(event, LineHeard):
            self._sound = event if event.heard is Heard.SOUND else None
        elif isinstance(event, OF_THE_SEAT):
            # What the seat does meanwhile is not forgotten.
            self._missed.append(event)
        elif not isinstance(event, DigitPressed):
            self._note(event, now)
        return []

    def _resume(self, now: float) -> list[Action]:
        held_for = now - (now if self._held_since is None else self._held_since)
        self._held_since = None
        self.ledger.write(now, "call.resumed", by=Party.CALLER, seconds=round(held_for, 3))
        for rule in self._rules:
            rule.postpone(held_for)
        self._flow.postpone(held_for)
        still_sounding = [LineHeard(Heard.SOUND, now)] if self._sound else []
        # What the caller could not hear is said again from its beginning.
        again = [self._saying] if self._saying else []
        missed, self._missed = self._missed, []
        return self._work_off(deque([*still_sounding, *missed]), now, again)

    # --- the house's rules, begun when the flow asks for them ---

    @property
    def _watched(self) -> bool:
        # Without a greeting there is no "silent after the greeting".
        return self._house.enforces("csr-04") and self._house.enforces("csr-01")

    def _greet(self, now: float) -> list[Action]:
        house = self._house
        self._rules = [Answering(house.answering, greet=house.enforces("csr-01"))]
        if self._watched:
            self._rules.append(SilentLine(house.silent_line, house.answering.greeting))
        actions = self._rules[0].receive(CallArrived("", ""), now)
        return self._work_off(deque(), now, actions)

    def _close(self, now: float) -> list[Action]:
        house = self._house
        ask, release = house.enforces("csr-35"), house.enforces("csr-36")
        closing = Closing(house.closing, ask=ask, release=release)
        return self._begin(closing, ConversationOver(), now)

    # --- a seat is found, and serves the caller ---

    def _find_seat(self, wanted: FindSeat, now: float) -> list[Action]:
        if not self._answered:
            # Who waits must hear us: the call is picked up first, without a greeting.
            self._wanted = wanted
            self._rules = [Answering(self._house.answering, greet=False)]
            return self._work_off(deque(), now, self._rules[0].receive(CallArrived("", ""), now))
        return [wanted, *self._queue(now)]

    def _queue(self, now: float) -> list[Action]:
        self.ledger.write(now, "queue.entered", "crs-02")
        self._rules, self._notes.queued_at = [], now
        if not self._house.enforces("crs-02"):
            return []
        queueing = Queueing(self._house.queue)
        self._rules = [queueing]
        return self._work_off(deque(), now, queueing.begin(now))

    @property
    def _joining(self) -> bool:
        return any(isinstance(rule, Joining) for rule in self._rules)

    def _join(self, answered: SeatAnswered, now: float) -> list[Action]:
        """The waiting is over: its words stop, and both hear the greeting."""
        silenced = [action for rule in self._rules for action in rule.receive(answered, now)]
        joining = Joining(self._house.joining_in_force, self._notes.waited(now))
        self._rules, self._notes.queued_at = [joining], None
        return [*silenced, *joining.receive(answered, now)]

    def _concluded(self, outcome: Outcome, now: float) -> list[Action]:
        """What the end of one rule's work is the beginning of."""
        house = self._house
        match outcome:
            case Outcome.GREETED if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                return [wanted, *self._queue(now)]
            case Outcome.JOINED | Outcome.SEAT_BACK:
                return self._serve(now)
            case Outcome.SEAT_LEFT if self._limit is None:
                # Nobody serves the caller now: the call has an end again.
                self._limit = now + self._limit_after
                return self._concluded(outcome, now)
            case Outcome.SEAT_LEFT if not house.enforces(house.seat_closing.rule):
                return self._work_off(deque(), now, [HangUp("seat_hung_up")])
            case Outcome.SEAT_LEFT if self._seat_event is not None:
                return self._begin(SeatClosing(house), self._seat_event, now)
        return []

    def _gate(self, shut: frozenset[Party], now: float) -> None:
        """From the moment that both can hear each other, the ledger calls them joined."""
        apart, self._apart = self._apart, bool(shut)
        if apart and not shut:
            self.ledger.write(now, "call.joined", seat=self._notes.seat)

    def _serve(self, now: float) -> list[Action]:
        """Seat and caller speak with each other, for as long as they like."""
        self._limit = None
        deaf, self._deaf = self._deaf, None
        rule = self._house.hold.rules.ask
        hold: Machine[Any] = PlainJoining(rule, observes=self._house.mode(rule) == "observe")
        if self._house.enforces(rule):
            hold = Hold(*self._house.hold_in_force)
        self._rules = [hold]
        if self._sound:
            hold.receive(self._sound, now)
        return self._work_off(deque([deaf]), now) if deaf else []

    def _begin(self, machine: Machine[Any], first: Event, now: float) -> list[Action]:
        self._rules = [machine]
        actions = machine.receive(first, now)
        if self._sound:
            actions += machine.receive(self._sound, now)
        return self._work_off(deque(), now, actions)

    def _end(self, now: float, by: Party, reason: str, rule: str | None = None) -> None:
        self.ended = True
        self.ledger.write(now, "call.ended", rule, by=by, reason=reason)
