"""One call: the flow says what is wanted, the house's rules how it is done, the ledger that it was.

Events come in from the line; what goes out are the actions that need a line: ring, answer, say, stop
saying, hang up. The call has one deadline, the earliest of all its machines.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from callflow.actions import Action, Close, Conclude, Greet, HangUp, Say, StopSaying
from callflow.call.journal import CallEntry, LegEntry, RuleEntry
from callflow.call.ledger import Ledger
from callflow.etiquette.answering import Answering
from callflow.etiquette.closing import Closing
from callflow.etiquette.house import House
from callflow.etiquette.line_check import SilentLine
from callflow.etiquette.machine import Machine
from callflow.etiquette.parting import Parting
from callflow.events import (
    CallAnswered,
    CallArrived,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HeldByCaller,
    HungUp,
    LineHeard,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    ResumedByCaller,
    RuleConcluded,
)
from callflow.flow.model import Flow
from callflow.flow.run import FlowRun


class Call:
    """One caller, from arrival to end."""

    def __init__(self, flow: Flow, house: House, ledger: Ledger) -> None:
        self.ledger = ledger
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
        self._asked_for: dict[str, tuple[str | None, float]] = {}
        """Prompt → the rule that it was last said for, and when it was wanted."""
        self._saying: Say | None = None
        self._held_since: float | None = None

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
                    events.append(RuleConcluded(outcome))
                case Greet():
                    done += self._greet(now)
                case Close():
                    done += self._close(now)
                case HangUp() as hang_up:
                    self._end(now, Party.CALLFLOW, hang_up.reason, hang_up.rule)
                    done.append(hang_up)
                case Say(prompt=prompt, rule=rule) as say:
                    self._saying, self._asked_for[prompt] = say, (rule, now)
                    done.append(say)
                case StopSaying() as stop:
                    self._saying = None
                    done.append(stop)
                case action:
                    done.append(action)
        return done

    def _take(self, event: Event, now: float) -> list[Action]:
        self._note(event, now)
        actions: list[Action] = []
        if not isinstance(event, RuleConcluded):
            actions = [action for rule in self._rules for action in rule.receive(event, now)]
        actions += self._flow.receive(event, now)
        if event == RuleConcluded(Outcome.GREETED) and not self._watched:
            # Without a watch over the line every caller counts as heard.
            actions += self._flow.receive(RuleConcluded(Outcome.ALIVE), now)
        if isinstance(event, HungUp):
            self._end(now, event.by, event.reason)
        return actions

    def _note(self, event: Event, now: float) -> None:
        write = self.ledger.write
        match event:
            case CallArrived(caller=caller, called=called):
                self._limit = now + self._limit_after
                write(now, "call.arrived", caller=caller, called=called)
            case CallAnswered():
                self._answered = True
                write(now, "call.answered", "csr-01")
            case PromptStarted(prompt=prompt):
                self._spoken_to = True
                rule, wanted_at = self._asked_for.get(prompt, (None, now))
                write(now, "prompt.started", rule, prompt=prompt, waited=round(now - wanted_at, 4))
            case PromptFinished(prompt=prompt):
                if self._saying and self._saying.prompt == prompt:
                    self._saying = None
                write(now, "prompt.finished", self._asked_for.get(prompt, (None, now))[0], prompt=prompt)
            case PromptStopped(prompt=prompt):
                write(now, "prompt.stopped", self._asked_for.get(prompt, (None, now))[0], prompt=prompt)
            case DigitPressed(digit=digit):
                write(now, "digit.pressed", digit=digit)
            case LineHeard(heard=heard, since=since):
                self._sound = event if heard is Heard.SOUND else None
                write(now, "line.heard", heard=heard, since=round(since, 3))

    # --- the caller's side holds the call: time stands still ---

    def _hold(self, now: float) -> list[Action]:
        self._held_since = now
        self.ledger.write(now, "call.held", by=Party.CALLER)
        return [StopSaying()] if self._saying else []

    def _while_held(self, event: Event, now: float) -> list[Action]:
        # Music on the caller's side is no sign of life; but what still sounds afterwards may be one.
        if isinstance(event, LineHeard):
            self._sound = event if event.heard is Heard.SOUND else None
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
        return self._work_off(deque(still_sounding), now, again)

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

    def _begin(self, machine: Machine[Any], first: Event, now: float) -> list[Action]:
        self._rules = [machine]
        actions = machine.receive(first, now)
        if self._sound:
            actions += machine.receive(self._sound, now)
        return self._work_off(deque(), now, actions)

    def _end(self, now: float, by: Party, reason: str, rule: str | None = None) -> None:
        self.ended = True
        self.ledger.write(now, "call.ended", rule, by=by, reason=reason)
