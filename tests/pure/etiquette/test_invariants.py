"""Whatever callers do, and whenever: nobody is released without words, pause and a second opinion.

Nothing is said after the end, and any sign of life stops a check of the line in the same instant.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callflow import config, resources
from callflow.actions import (
    Action,
    Answer,
    AskOpinion,
    HangUp,
    ListenClosely,
    ListenNoLonger,
    Ring,
    Say,
    StopSaying,
)
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
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
    LineJudged,
    LineState,
    OpinionGiven,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    ResumedByCaller,
)

pytestmark = pytest.mark.pure

SETUP = config.default()
MANNERS = SETUP.house


def enforced(name: str) -> House:
    """A house with all in force that ends calls of the living."""
    house = resources.read_house(resources.HOUSES / f"{name}.yaml")
    return house.in_modes({house.faint_line.rule: "enforce", house.noisy_line.rule: "enforce"})


def ends_of(house: House) -> dict[str, float]:
    """After which words a caller may be released, and after which pause."""
    closing, unclear = house.closing, (house.faint_line, house.noisy_line, house.no_response)
    ends = dict.fromkeys((closing.goodbye, closing.hanging_up), closing.pause)
    ends |= {house.silent_line.no_sound: house.silent_line.pause}
    return ends | {manners.last: manners.pause for manners in unclear if manners}


SECONDS = 2.0
"""How long every prompt lasts here."""


class AnyCaller(RuleBasedStateMachine):
    """A caller who speaks, presses, waits and hangs up at random, on an ideal line."""

    house = MANNERS

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.call = Call(SETUP.flow, self.house, Ledger("c"))
        self.listened = False
        """Whether the second pair of ears is open."""
        self.opinion: OpinionGiven | None = OpinionGiven(alive=False)
        self.late = 0
        """How often it did not answer since a check began."""
        self.given: bool | None = None
        """What it said last."""
        self.state: LineState | None = None
        """What the line was found to be last, since a check began."""
        self.saying: tuple[str, float] | None = None
        self.last_words = ""
        self.last_words_at = 0.0
        self.sounding = self.answered = False
        self.hung_up_by_us: float | None = None
        self.happen(CallArrived("1", "2"))

    def happen(self, event: Event) -> None:
        self.do(self.call.receive(event, self.now))

    def do(self, actions: list[Action]) -> None:
        for before, action in zip([None, *actions], actions, strict=False):
            assert self.hung_up_by_us is None, f"{action} after the end"
            match action:
                case Answer():
                    self.answered = True
                    self.happen(CallAnswered())
                    self.happen(CallConfirmed())
                case ListenClosely():
                    self.listen(anew=before == ListenNoLonger())
                case ListenNoLonger():
                    self.listened = False
                case AskOpinion():
                    assert self.listened
                    self.late += self.opinion is None
                    if self.opinion:
                        self.given = self.opinion.alive
                        self.happen(self.opinion)
                case Say(prompt=prompt):
                    self.stop()
                    self.saying = (prompt, self.now + SECONDS)
                    self.happen(PromptStarted(prompt))
                case StopSaying():
                    self.stop()
                case HangUp(reason=reason):
                    assert not (self.sounding and reason == "silent_line"), "a speaking caller was released"
                    if reason.endswith("_line"):
                        assert self.given is False or self.late > 1, "released without a second opinion"
                        assert self.state is not LineState.SPEECH
                    self.hung_up_by_us = self.now
                case Ring():
                    pass

    def listen(self, *, anew: bool) -> None:
        """`anew` in the middle of a check, else for another one: then what was is over."""
        self.listened, self.given = True, None
        if not anew:
            self.late, self.state = 0, None

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

    @rule(state=st.sampled_from([*LineState]))
    def is_found(self, state: LineState) -> None:
        """The line is judged; a person who can be made out ends any check at once."""
        if self.call.held_by_caller:
            return
        self.state = state
        self.happen(LineJudged(state, self.now))
        if state is LineState.SPEECH:
            self.no_check_is_at_work()

    @rule(opinion=st.sampled_from([None, OpinionGiven(alive=False), OpinionGiven(alive=True)]))
    def ears_turn(self, opinion: OpinionGiven | None) -> None:
        """How the second pair of ears answers from now on."""
        self.opinion = opinion

    def no_check_is_at_work(self) -> None:
        told = [fact.fact for fact in self.call.ledger if fact.fact.startswith("line_check.")]
        assert self.call.ended or not told or told[-1] != "line_check.begun"

    @rule(digit=st.sampled_from("0129*#"))
    def press(self, digit: str) -> None:
        self.happen(DigitPressed(digit))
        if not self.call.held_by_caller:
            self.no_check_is_at_work()

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
            pause = ends_of(self.house)[self.last_words]
            assert self.hung_up_by_us >= self.last_words_at + pause - 1e-6

    @invariant()
    def a_living_call_always_has_a_next_step(self) -> None:
        if not self.call.ended:
            assert self.call.deadline is not None

    @invariant()
    def the_audit_agrees(self) -> None:
        if self.call.ended:
            assert self.call.deadline is None
            broken = [v for v in judge(self.call.ledger.facts, self.house) if v.judgement is Judgement.BROKEN]
            assert broken == []


class WatchedCaller(AnyCaller):
    """The same where a faint or noisy line is ended too."""

    house = enforced("csr-standard")


class GasCaller(AnyCaller):
    """csr-04's place taken by gas-05, and gas-06 for both kinds of bad lines."""

    house = enforced("gas-hotline")


class LogisticsCaller(AnyCaller):
    """A caller who does not answer is released in the middle of the call (log-04)."""

    house = enforced("logistics")


def test_who_was_heard_once_and_answers_nothing_any_more_is_told_and_released() -> None:
    """log-04: a person who was judged to speak before the check may have gone since."""
    caller = LogisticsCaller()
    caller.is_found(LineState.SPEECH)
    caller.wait(12.0)
    caller.wait(12.0)
    assert caller.last_words == "log_cannot_hear"
    assert caller.hung_up_by_us is not None


def test_a_detector_that_is_late_twice_in_one_check_decides_nothing_more() -> None:
    """After the last words the line is listened to anew, which makes no check of its own."""
    caller = WatchedCaller()
    caller.is_found(LineState.FAINT)
    caller.begin_to_speak()
    caller.ears_turn(None)
    for _ in range(3):
        caller.wait(12.0)
    assert (caller.hung_up_by_us, caller.late) == (24.2, 2)


EXAMPLES = int(os.environ.get("CALLFLOW_EXAMPLES", "150"))
for machine in (AnyCaller, WatchedCaller, GasCaller, LogisticsCaller):
    machine.TestCase.settings = settings(
        max_examples=EXAMPLES if machine is AnyCaller else EXAMPLES // 2,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
TestAnyCaller = AnyCaller.TestCase
TestWatchedCaller = WatchedCaller.TestCase
TestGasCaller = GasCaller.TestCase
TestLogisticsCaller = LogisticsCaller.TestCase
