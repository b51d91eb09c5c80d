"""Whatever callers do, and whenever: nobody is released without words and pause, nothing after the end."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callflow import config
from callflow.actions import Action, Answer, HangUp, Ring, Say, StopSaying
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.etiquette.audit import judge
from callflow.etiquette.verdict import Judgement
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Event,
    Heard,
    HeldByCaller,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    ResumedByCaller,
)

pytestmark = pytest.mark.pure

SETUP = config.default()
HOUSE = SETUP.house
PARTING = {HOUSE.closing.goodbye, HOUSE.closing.hanging_up, HOUSE.silent_line.no_sound}
SECONDS = 2.0
"""How long every prompt lasts here."""


class AnyCaller(RuleBasedStateMachine):
    """A caller who speaks, presses, waits and hangs up at random, on an ideal line."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.call = Call(SETUP.flow, HOUSE, Ledger("c"))
        self.saying: tuple[str, float] | None = None
        self.last_words = ""
        self.last_words_at = 0.0
        self.sounding = self.answered = False
        self.hung_up_by_us: float | None = None
        self.happen(CallArrived("1", "2"))

    def happen(self, event: Event) -> None:
        self.do(self.call.receive(event, self.now))

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            assert self.hung_up_by_us is None, f"{action} after the end"
            match action:
                case Answer():
                    self.answered = True
                    self.happen(CallAnswered())
                    self.happen(CallConfirmed())
                case Say(prompt=prompt):
                    self.stop()
                    self.saying = (prompt, self.now + SECONDS)
                    self.happen(PromptStarted(prompt))
                case StopSaying():
                    self.stop()
                case HangUp(rule=rule):
                    assert not (self.sounding and rule == "csr-04"), "a speaking caller was released"
                    self.hung_up_by_us = self.now
                case Ring():
                    pass

    def stop(self) -> None:
        if self.saying:
            prompt, self.saying = self.saying[0], None
            self.happen(PromptStopped(prompt))

    @rule(seconds=st.sampled_from([0.001, 0.1, 0.7, 2.0, 4.999, 5.0, 12.0]))
    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = [at for at in (self.call.deadline, self.saying and self.saying[1]) if at is not None]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            if self.saying and self.saying[1] <= self.now:
                prompt, self.saying = self.saying[0], None
                self.last_words, self.last_words_at = prompt, self.now
                self.happen(PromptFinished(prompt))
            else:
                self.do(self.call.tick(self.now))
        self.now = end

    @precondition(lambda self: not self.sounding)
    @rule()
    def begin_to_speak(self) -> None:
        self.sounding = True
        self.happen(LineHeard(Heard.SOUND, self.now))

    @precondition(lambda self: self.sounding)
    @rule()
    def fall_silent(self) -> None:
        self.sounding = False
        self.happen(LineHeard(Heard.SILENCE, self.now))

    @rule(digit=st.sampled_from("0129*#"))
    def press(self, digit: str) -> None:
        self.happen(DigitPressed(digit))

    @precondition(lambda self: self.answered and not self.call.ended)
    @rule()
    def hold_or_resume(self) -> None:
        self.happen(ResumedByCaller() if self.call.held_by_caller else HeldByCaller())

    @invariant()
    def nothing_is_said_to_a_caller_who_cannot_hear_it(self) -> None:
        assert not (self.call.held_by_caller and self.saying and not self.call.ended)

    @precondition(lambda self: not self.call.ended)
    @rule(really=st.integers(0, 5))
    def hang_up(self, really: int) -> None:
        if really == 0:
            self.happen(HungUp(Party.CALLER))

    @invariant()
    def nobody_is_released_without_words_and_pause(self) -> None:
        if self.hung_up_by_us is not None:
            assert self.last_words in PARTING
            assert self.hung_up_by_us >= self.last_words_at + 5.0 - 1e-6

    @invariant()
    def a_living_call_always_has_a_next_step(self) -> None:
        if not self.call.ended:
            assert self.call.deadline is not None

    @invariant()
    def the_audit_agrees(self) -> None:
        if self.call.ended:
            assert self.call.deadline is None
            broken = [v for v in judge(self.call.ledger.facts, HOUSE) if v.judgement is Judgement.BROKEN]
            assert broken == []


AnyCaller.TestCase.settings = settings(
    max_examples=int(os.environ.get("CALLFLOW_EXAMPLES", "150")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyCaller = AnyCaller.TestCase
