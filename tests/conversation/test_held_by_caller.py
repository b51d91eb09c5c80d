"""The caller's side puts us on hold: time stands still, nobody is released, the words come again."""

import pytest

from callflow import resources
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.simulate import Act, Simulation, hangs_up
from callflow.config import read_flow
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.events import Event, HeldByCaller, ResumedByCaller
from callflow.facts import Fact
from callflow.flow.model import Flow
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation

SECONDS = 3.0


def call(flow: Flow, house: House, *acts: Act) -> list[Fact]:
    ledger = Ledger("c")
    Simulation(Call(flow, house, ledger), lambda prompt: SECONDS, acts).run()
    return list(ledger)


def act(event: Event, after: float, mark: str | None = None) -> Act:
    return Act(event, after, mark)


def told(facts: list[Fact]) -> list[tuple[float, str, str]]:
    names = ("prompt.started", "prompt.stopped", "call.held", "call.resumed", "call.ended")
    return [
        (round(fact.at, 3), fact.fact, str(fact.details.get("prompt") or fact.details.get("reason") or ""))
        for fact in facts
        if fact.fact in names
    ]


def test_in_a_pause_the_rest_of_the_pause_comes_after(hotline: Flow, house: House) -> None:
    held = act(HeldByCaller(), 2.0, "greeting_again"), act(ResumedByCaller(), 62.0, "greeting_again")
    facts = call(hotline, house, *held)
    assert told(facts)[1:] == [
        (8.2, "prompt.started", "greeting_again"),
        (13.2, "call.held", ""),
        (73.2, "call.resumed", ""),
        (76.2, "prompt.started", "no_sound"),
        (84.2, "call.ended", "silent_line"),
    ]
    assert {verdict.judgement for verdict in judge(facts, house)} == {Judgement.KEPT}


def test_in_a_prompt_the_prompt_is_said_again_from_its_beginning(hotline: Flow, house: House) -> None:
    held = act(HeldByCaller(), 6.0, "greeting"), act(ResumedByCaller(), 26.0, "greeting")
    assert told(call(hotline, house, *held))[1:7] == [
        (8.2, "prompt.started", "greeting_again"),
        (9.2, "call.held", ""),
        (9.2, "prompt.stopped", "greeting_again"),
        (29.2, "call.resumed", ""),
        (29.2, "prompt.started", "greeting_again"),
        (37.2, "prompt.started", "no_sound"),
    ]


def test_who_hangs_up_while_holding_is_gone(hotline: Flow, house: House) -> None:
    facts = call(hotline, house, act(HeldByCaller(), 2.0, "greeting"), hangs_up(200.0, mark="greeting"))
    assert told(facts)[-1] == (203.2, "call.ended", "")


def test_only_the_limit_ends_a_call_that_is_held_for_ever(hotline: Flow, house: House) -> None:
    facts = call(hotline, house, act(HeldByCaller(), 2.0, "greeting"))
    assert told(facts)[-2:] == [
        (1800.0, "prompt.started", "hanging_up"),
        (1808.0, "call.ended", "call_limit"),
    ]


def test_a_reinvite_without_an_offer_whose_ack_has_no_answer_changes_nothing(house: House) -> None:
    """What was agreed before stands (RFC 3264 §5 wants an answer; a living caller is not ended for that)."""
    flow, _ = read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(5.0)
    exchange.says("INVITE", cseq=2)
    exchange.says("ACK", cseq=2)
    exchange.passes(5.0)
    assert "BYE" not in exchange.hears
    assert "call.ended" not in exchange.told
