"""Whatever seat and caller do, and whenever: nobody is held without consent or left without a word."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callflow import resources
from callflow.actions import (
    Action,
    BeginHold,
    CancelRecall,
    Conclude,
    EndHold,
    Gate,
    Note,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Say,
)
from callflow.etiquette.hold import Hold, Phase
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    HungUp,
    LineHeard,
    Party,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
    Way,
)
from tests.pure.etiquette.stage import SECONDS, Stage

pytestmark = pytest.mark.pure

HOUSES = {name: resources.read_house(resources.HOUSES / f"{name}.yaml") for name in resources.house_names()}
EPSILON = 1e-6


class Watched(Stage):
    """A stage that knows who is held, deaf, ringing and heard, and objects to what must never be."""

    def __init__(self, machine: Hold, consent_lasts: float) -> None:
        super().__init__(machine)
        self.consent_lasts = consent_lasts
        self.consented_at: float | None = None
        self.shut: frozenset[Party] = frozenset()
        self.words_at = 0.0
        self.held = self.ringing = self.deaf = self.ended = False
        self.seated = True
        self.hung_up = False
        self.conclusions: list[Conclude] = []

    def do(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            assert not self.ended or action == CancelRecall(), f"{action} after the end"
            self.watch(action)
        done = super().do(actions)
        self.ended = self.machine.phase is Phase.DONE
        return done

    def watch_fact(self, note: Note) -> None:
        match note.fact:
            case "hold.asked":
                self.consented_at = self.consented_at if self.consent_lasts else None
            case "consent.given":
                assert note.details["how"] == "key" or not self.deaf, "a deaf seat attested"
                self.consented_at = self.now
            case "hold.started":
                assert self.consented_at is not None, "held without consent"
                # The words of thanks come between the consent and the wait.
                assert self.now <= self.consented_at + self.consent_lasts + SECONDS + EPSILON

    def watch(self, action: Action) -> None:
        match action:
            case Note():
                self.watch_fact(action)
            case BeginHold():
                assert not self.held
                self.held = True
            case EndHold():
                assert self.held
                self.held = False
            case Gate(shut=shut):
                self.shut = shut
            case Recall():
                assert not self.ringing, "rung twice"
                self.ringing = True
            case CancelRecall():
                self.ringing = False
            case ReplaceSeat():
                self.deaf, self.seated = False, True
            case ReleaseSeat():
                assert self.seated, "ended a leg that is not there"
                self.seated = False
            case Say():
                self.words_at = self.now
            case Conclude():
                self.conclusions.append(action)


class AnySeat(RuleBasedStateMachine):
    """A seat and a caller who do everything a telephone can, at any time."""

    @initialize(
        name=st.sampled_from(["csr-standard", "gas-hotline", *HOUSES]), lasts=st.sampled_from([0.0, 20.0])
    )
    def join(self, name: str, lasts: float) -> None:
        house = HOUSES[name]
        consent = house.hold.consent.model_copy(update={"by": ("key", "seat")})
        manners = house.hold.model_copy(update={"consent_lasts": lasts, "consent": consent})
        self.every = manners.every
        self.stage = Watched(Hold(manners, house.recall), lasts)
        self.sounding = False

    def happen(self, *happened: Event) -> None:
        self.stage.happen(*happened)

    @property
    def seated(self) -> bool:
        return self.stage.seated and not self.stage.ended

    @rule(seconds=st.sampled_from([0.001, 0.5, 2.0, 4.0, 7.999, 8.0, 15.0, 20.0, 30.0, 61.0, 300.0]))
    def wait(self, seconds: float) -> None:
        self.stage.wait(seconds)

    @rule(before=st.sampled_from([0.0, 0.001]))
    def wait_for_what_is_due(self, before: float) -> None:
        due = self.stage.next_due
        if due is not None:
            self.stage.wait(max(0.0, due - self.stage.now - before))

    @rule()
    def hear_the_words_out(self) -> None:
        self.wait_for_the_end_of_the_words()

    def wait_for_the_end_of_the_words(self) -> None:
        while self.stage.saying:
            self.stage.wait(self.stage.said_at + SECONDS - self.stage.now)

    @precondition(lambda self: self.seated and not self.stage.deaf)
    @rule(minutes=st.sampled_from([None, 1, 9]))
    def press_hold(self, minutes: int | None) -> None:
        self.stage.deaf = True
        self.happen(HoldRequested(Way.PHONE, minutes))

    @precondition(lambda self: self.seated and not self.stage.deaf)
    @rule(way=st.sampled_from([Way.PHONE, Way.CODE]))
    def ask_to_the_end(self, way: Way) -> None:
        self.stage.deaf = way is Way.PHONE
        self.happen(HoldRequested(way))
        self.wait_for_the_end_of_the_words()

    @precondition(lambda self: self.stage.machine.phase is Phase.ASKING)
    @rule(key=st.sampled_from("112"))
    def answer(self, key: str) -> None:
        self.happen(DigitPressed(key))
        self.wait_for_the_end_of_the_words()

    @precondition(lambda self: self.seated and self.stage.deaf)
    @rule()
    def press_resume(self) -> None:
        self.stage.deaf = False
        self.happen(SeatResumed(Way.PHONE))

    @precondition(lambda self: self.seated)
    @rule(event=st.sampled_from([HoldRequested, SeatResumed]), way=st.sampled_from([Way.CODE, Way.PAGE]))
    def click(self, event: Any, way: Way) -> None:
        self.happen(event(way))

    @precondition(lambda self: self.seated)
    @rule(yes=st.booleans())
    def attest(self, yes: bool) -> None:
        self.happen(AnswerAttested(yes, "8001"))

    @rule(digit=st.sampled_from("112345#"))
    def press(self, digit: str) -> None:
        self.happen(DigitPressed(digit))

    @rule(yes=st.booleans())
    def recognise(self, yes: bool) -> None:
        self.happen(AnswerRecognised(yes))

    @rule()
    def speak_or_fall_silent(self) -> None:
        self.sounding = not self.sounding
        self.happen(LineHeard(Heard.SOUND if self.sounding else Heard.SILENCE, self.stage.now))

    @precondition(lambda self: self.stage.ringing)
    @rule(event=st.sampled_from([RecallAnswered(), RecallFailed(486), RecallRinging()]))
    def answer_the_recall(self, event: Event) -> None:
        self.stage.ringing = isinstance(event, RecallRinging)
        self.happen(event)

    @rule(event=st.sampled_from([RecallAnswered(), RecallFailed(487)]))
    def answer_too_late(self, event: Event) -> None:
        if not self.stage.ringing:
            self.happen(event)

    @precondition(lambda self: self.seated)
    @rule(event=st.sampled_from([SeatHungUp(60.0, 0.0), SeatLost()]), really=st.integers(0, 2))
    def leave(self, event: Event, really: int) -> None:
        if really == 0:
            self.stage.seated = False
            self.happen(event)

    @rule(event=st.sampled_from([HungUp(Party.CALLER), TransferRequested()]), really=st.integers(0, 4))
    def end(self, event: Event, really: int) -> None:
        if really == 0:
            self.stage.hung_up = self.stage.hung_up or (isinstance(event, HungUp) and not self.stage.ended)
            self.happen(event)

    @invariant()
    def a_caller_whom_the_seat_cannot_hear_is_never_long_without_a_word(self) -> None:
        stage = self.stage
        if not stage.ended and Party.SEAT in stage.shut and stage.saying is None:
            assert stage.machine.deadline is not None
            assert stage.machine.deadline <= stage.words_at + SECONDS + self.every + EPSILON

    @invariant()
    def there_is_always_a_next_step_for_who_waits(self) -> None:
        alone = self.stage.machine.phase in (Phase.JOINED, Phase.DONE)
        assert (self.stage.machine.deadline is None) == alone

    @invariant()
    def while_held_neither_hears_the_other_and_afterwards_both_do(self) -> None:
        if self.stage.held:
            assert self.stage.shut == {Party.CALLER, Party.SEAT}
        if self.stage.machine.phase is Phase.JOINED:
            assert self.stage.shut == frozenset()

    @invariant()
    def a_phone_on_hold_is_never_heard(self) -> None:
        if self.stage.deaf and self.stage.seated and not self.stage.ended:
            assert Party.SEAT in self.stage.shut

    @invariant()
    def nothing_rings_and_nobody_is_held_when_it_is_over(self) -> None:
        if self.stage.machine.phase in (Phase.JOINED, Phase.DONE):
            assert not self.stage.ringing
            assert not self.stage.held

    @invariant()
    def who_ended_it_is_known(self) -> None:
        assert len(self.stage.conclusions) == (self.stage.ended and not self.stage.hung_up)

    def teardown(self) -> None:
        """Left alone, every wait comes to the seat or to somebody else."""
        if hasattr(self, "stage"):
            self.stage.wait(3600.0)
            assert self.stage.machine.phase in (Phase.JOINED, Phase.DONE)
            self.who_ended_it_is_known()


EXAMPLES = os.environ.get("CALLFLOW_EXAMPLES")
AnySeat.TestCase.settings = settings(
    max_examples=int(EXAMPLES or "200"),
    stateful_step_count=60 if EXAMPLES else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnySeat = AnySeat.TestCase
