"""Flows with seats, numbers and messages: what they say, where they lead, and each fault at its place."""

import pytest

from callflow.actions import Action, Close, FindSeat, Say, TakeMessage, TakeNumber
from callflow.errors import SourceError
from callflow.events import (
    CallArrived,
    DigitPressed,
    Event,
    NobodyThere,
    Outcome,
    PromptFinished,
    RuleConcluded,
)
from callflow.flow.load import load
from callflow.flow.run import FlowRun

pytestmark = pytest.mark.pure

TEXT = """\
callflow: 1
name: desk
title: 人工服务
house: csr-standard
start: serve
steps:
  serve:
    {do: seat, queue: service, answer: with_seat, nobody: sorry, next: close, callback: number, message: tape}
  number: {do: take_number, say: which, hint: how, rule: csr-25, next: close, otherwise: sorry}
  tape: {do: message, at_most: 1m, next: close}
  sorry: {do: say, say: nobody_there, next: close}
  close: {do: close, more: serve}
"""
ARRIVED = CallArrived("", "")


def follow(text: str, *events: Event) -> list[Action]:
    run = FlowRun(load(text, "desk.yaml")[0])
    return [action for event in events for action in run.receive(event, 0.0)]


def concluded(outcome: Outcome) -> RuleConcluded:
    return RuleConcluded(outcome)


def test_a_caller_may_wait_before_the_answer_or_after_it() -> None:
    assert follow(TEXT, ARRIVED) == [FindSeat("service", unanswered=True)]
    assert follow(TEXT.replace("with_seat", "at_once"), ARRIVED) == [FindSeat("service")]
    assert follow(TEXT.replace(" answer: with_seat,", ""), ARRIVED) == [FindSeat("service")]


NUMBER = TakeNumber(("which", "how"), "number_is", "will_call_back", "csr-25")
MESSAGE = TakeMessage("message_after_tone", "message_taken", "message_not_taken", 60.0)


@pytest.mark.parametrize(
    ("event", "leads_to"),
    [
        (NobodyThere("no_seats"), Say("nobody_there")),
        (concluded(Outcome.CALLBACK_WANTED), NUMBER),
        (concluded(Outcome.MESSAGE_WANTED), MESSAGE),
        (concluded(Outcome.CLOSING_WANTED), Close()),
    ],
)
def test_each_way_to_leave_the_seat_has_its_step(event: Event, leads_to: Action) -> None:
    assert follow(TEXT, ARRIVED, event)[1:] == [leads_to]


@pytest.mark.parametrize("outcome", [Outcome.CALLBACK_WANTED, Outcome.MESSAGE_WANTED])
def test_what_has_no_step_leads_on(outcome: Outcome) -> None:
    text = TEXT.replace(", callback: number, message: tape", "").replace("nobody: sorry", "nobody: number")
    text = text.replace("more: serve", "more: tape")
    assert follow(text, ARRIVED, concluded(outcome))[1:] == [Close()]


@pytest.mark.parametrize(
    ("outcome", "leads_to"),
    [
        (Outcome.NUMBER_TAKEN, [Close()]),
        (Outcome.NUMBER_NOT_TAKEN, [Say("nobody_there")]),
        (Outcome.JOINED, []),
    ],
)
def test_after_a_number(outcome: Outcome, leads_to: list[Action]) -> None:
    wanted = concluded(Outcome.CALLBACK_WANTED)
    # What is keyed and said meanwhile is not the flow's.
    between = (DigitPressed("1"), PromptFinished("which"))
    assert follow(TEXT, ARRIVED, wanted, *between, concluded(outcome))[2:] == leads_to


def test_after_a_message() -> None:
    told = (concluded(Outcome.MESSAGE_WANTED), concluded(Outcome.JOINED), concluded(Outcome.MESSAGE_OVER))
    assert follow(TEXT, ARRIVED, *told)[2:] == [Close()]


def test_every_prompt_of_the_new_steps_is_known_before_a_call() -> None:
    flow, _ = load(TEXT, "desk.yaml")
    assert set(flow.prompts.values()) == {
        "which", "how", "number_is", "will_call_back",
        "message_after_tone", "message_taken", "message_not_taken", "nobody_there",
    }  # fmt: skip
    assert flow.read_back == frozenset({"number_is"})
    assert flow.messages == [("steps", "tape", "do")]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("callback: number", "callback: numer", "8:89: there is no step 'numer'; did you mean 'number'?"),
        ("message: tape}", "message: tap}", "8:106: there is no step 'tap'; did you mean 'tape'?"),
        ("otherwise: sorry", "otherwise: x",
         "9:90: there is no step 'x'; known are close, number, serve, sorry, tape"),
        ("rule: csr-25", "rule: csr-24", "9:58: 'csr-25' is right here, not 'csr-24'"),
        ("at_most: 1m", "at_most: 11m", "10:32: '11m' is out of range; from 5s to 10m is right here"),
        ("with_seat", "later", "8:40: 'later' is not known here; known are at_once, with_seat"),
        (", message: tape", "", "10:3: no way leads to the step 'tape'"),
    ],
)  # fmt: skip
def test_each_fault_is_told_at_its_place(right: str, wrong: str, told: str) -> None:
    assert right in TEXT
    with pytest.raises(SourceError) as caught:
        load(TEXT.replace(right, wrong, 1), "desk.yaml")
    assert [str(fault) for fault in caught.value.faults] == [f"desk.yaml:{told}"]
