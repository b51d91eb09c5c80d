"""Callers of a trunk that lets nothing of them through, in whole calls by the controller."""

import pytest

from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.events import Heard, LineHeard
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import Latched, NoPackets
from tests.support.exchange import Exchange
from tests.support.sip_phone import Phone

pytestmark = pytest.mark.conversation


def of_trunk(exchange: Exchange) -> list[str]:
    return [fact.fact for fact in exchange.facts if not fact.call]


def facts_of(exchange: Exchange, number: int) -> list[Fact]:
    return [fact for fact in exchange.facts if fact.call == f"call-{number}"]


def calls(exchange: Exchange, number: int, *, packets: bool = False, stays: float = 60.0) -> list[str]:
    """One caller after another, of whom no packet comes: the last words, and what else was said before."""
    exchange.caller = Phone(call_id=f"call {number}")
    exchange.calls()
    if packets:
        exchange.tells(number, Latched())
    exchange.passes(2.0)
    if not packets:
        exchange.tells(number, NoPackets())
    exchange.passes(stays)
    facts = facts_of(exchange, number)
    if facts[-1].fact != "call.ended":
        exchange.says("BYE", cseq=2)
    return [str(fact.details["prompt"]) for fact in facts if fact.fact == "prompt.started"]


@pytest.fixture
def exchange(hotline: Flow, house: House) -> Exchange:
    return Exchange(hotline, house, trunk="provider")


def test_the_third_caller_and_all_after_are_told_that_the_line_has_trouble(
    exchange: Exchange, house: House
) -> None:
    told = [calls(exchange, number) for number in range(1, 5)]
    assert told[:2] == [["greeting", "greeting_again", "no_sound"]] * 2
    assert told[2:] == [["greeting", "greeting_again", "line_trouble"]] * 2
    assert of_trunk(exchange) == ["trunk.one_way"]
    for number in range(1, 5):
        facts = facts_of(exchange, number)
        ended = next(fact for fact in facts if fact.fact == "call.ended")
        assert (ended.rule, ended.details["reason"]) == ("csr-04", "silent_line")
        assert {v.judgement for v in judge(facts, house)} == {Judgement.KEPT}


def test_short_calls_count_as_well(exchange: Exchange) -> None:
    for number in range(1, 4):
        calls(exchange, number, stays=1.0)
    assert of_trunk(exchange) == ["trunk.one_way"]
    assert calls(exchange, 4)[-1] == "line_trouble"


def test_the_first_packet_makes_all_as_before(exchange: Exchange) -> None:
    for number in range(1, 4):
        calls(exchange, number, stays=1.0)
    assert calls(exchange, 4, packets=True)[-1] == "no_sound"
    assert of_trunk(exchange) == ["trunk.one_way", "trunk.heard_again"]
    assert calls(exchange, 5)[-1] == "no_sound"


def test_who_comes_by_no_trunk_is_nobody_s_fault(hotline: Flow, house: House) -> None:
    exchange = Exchange(hotline, house)
    told = [calls(exchange, number)[-1] for number in range(1, 5)]
    assert told == ["no_sound"] * 4
    assert of_trunk(exchange) == []


def test_a_voice_ends_it_there_too(exchange: Exchange) -> None:
    for number in range(1, 4):
        calls(exchange, number, stays=1.0)
    exchange.caller = Phone(call_id="call 4")
    exchange.calls()
    exchange.tells(4, NoPackets())
    exchange.passes(14.0)
    exchange.tells(4, Latched())
    exchange.tells(4, LineHeard(Heard.SOUND, exchange.now))
    exchange.passes(3.0)
    assert "call.ended" not in [fact.fact for fact in facts_of(exchange, 4)]
