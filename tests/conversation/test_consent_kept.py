"""A consent is on disk before it is acted on, and a slow disk keeps nobody waiting for long."""

import pytest

from callflow import config, resources
from callflow.etiquette.house import House
from callflow.facts import Detail
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation


@pytest.fixture
def asked(house: House) -> Exchange:
    """The caller has been asked to wait, and has just agreed."""
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001", journals=True)
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(25.0)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses("1")
    return exchange


def consent(exchange: Exchange) -> list[Detail]:
    """Of each consent in the ledger, whether it was durable."""
    return [fact.details["durable"] for fact in exchange.facts if fact.fact == "consent.given"]


def thanked(exchange: Exchange) -> bool:
    return "hold_thanks" in [prompt for _, prompt in exchange.said()]


def test_nothing_comes_of_a_consent_before_it_is_on_disk(asked: Exchange) -> None:
    asked.passes(0.19)
    assert (consent(asked), thanked(asked)) == ([], False)
    assert asked.to_keep[-1].fact == "consent.given"
    assert asked.to_keep[-1].details["how"] == "key"
    asked.keeps()
    assert (consent(asked), thanked(asked)) == ([True], True)


def test_a_disk_that_does_not_answer_is_waited_for_no_longer_than_that(asked: Exchange) -> None:
    asked.passes(0.2)
    assert (consent(asked), thanked(asked)) == ([False], True)
    asked.keeps()
    asked.passes(3.0)
    assert consent(asked) == [False]
    assert asked.told.count("hold.started") == 1


def test_what_happens_meanwhile_is_not_forgotten(asked: Exchange) -> None:
    asked.phones["8001"].resumes()
    asked.presses("2")
    assert "sorry_to_keep_you" not in [prompt for _, prompt in asked.said()]
    asked.keeps()
    asked.passes(5.0)
    assert "sorry_to_keep_you" in [prompt for _, prompt in asked.said()]
    assert asked.told[-1] == "call.joined"


def test_who_hangs_up_meanwhile_has_agreed_and_is_gone(asked: Exchange) -> None:
    asked.says("BYE", cseq=2)
    assert consent(asked) == [False]
    assert asked.facts[-1].fact in ("call.ended", "seat.state")
    asked.passes(60.0)
    assert asked.controller.in_hand() == dict.fromkeys(asked.controller.in_hand(), 0)


def test_who_must_part_meanwhile_is_told_so(asked: Exchange) -> None:
    asked.take(asked.controller.part("service_stops", asked.now))
    assert consent(asked) == [False]
    asked.passes(10.0)
    assert asked.said()[-1][1] == "hanging_up"


def test_without_a_journal_the_fact_says_so(house: House) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(25.0)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses("1")
    assert (consent(exchange), exchange.to_keep) == ([False], [])
