"""What a seat sees on its page, and asks for by it, in whole calls."""

import pytest

from callflow import config, resources
from callflow.call.desk import Act, Asked, View
from callflow.etiquette.house import House
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation


@pytest.fixture
def exchange(house: House) -> Exchange:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    return Exchange(flow, house, "8001", "8002")


def view(exchange: Exchange, seat: str = "8001") -> View:
    return exchange.controller.desk_of(seat, exchange.now)


def asks(exchange: Exchange, act: Act, minutes: int | None = None) -> None:
    exchange.take(exchange.controller.desk_asks("8001", Asked(act, minutes), exchange.now))


def joined(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(33.0)


def test_a_seat_sees_who_rings_and_nobody_elses_caller(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    seen = view(exchange)
    assert (seen.state, seen.caller, seen.called) == ("ringing", "1001", "4001")
    assert view(exchange, "8002").caller == ""


def test_hold_by_the_page_is_asked_for_like_any_other(exchange: Exchange) -> None:
    joined(exchange)
    assert view(exchange).matter == ""
    asks(exchange, Act.HOLD)
    exchange.passes(6.0)
    assert (view(exchange).matter, view(exchange).matter_seconds) == ("asked", 6.0)
    asks(exchange, Act.YES)
    given = next(fact for fact in exchange.facts if fact.fact == "consent.given")
    assert (given.details["how"], given.details["seat"]) == ("seat", "8001")
    assert view(exchange).matter == "agreed"
    exchange.passes(12.0)
    seen = view(exchange)
    assert (seen.state, seen.matter) == ("holding", "waits")
    assert seen.next_word_in == pytest.approx(20.0)
    asks(exchange, Act.RESUME)
    exchange.passes(5.0)
    assert (view(exchange).state, view(exchange).matter) == ("talking", "")


def test_a_caller_who_says_no_is_not_held(exchange: Exchange) -> None:
    joined(exchange)
    asks(exchange, Act.HOLD)
    exchange.passes(5.0)
    asks(exchange, Act.NO)
    assert view(exchange).matter in ("", "will_not_wait")
    assert "hold.started" not in exchange.told
    assert exchange.said()[-1][1] == "no_need_to_wait"


def test_who_talks_is_not_away_and_who_is_away_is_not_rung(exchange: Exchange) -> None:
    joined(exchange)
    asks(exchange, Act.AWAY)
    assert view(exchange).state == "talking"
    exchange.says("BYE", cseq=2)
    assert view(exchange).state == "wrap_up"
    asks(exchange, Act.AWAY)
    exchange.passes(60.0)
    assert view(exchange).state == "away"
    asks(exchange, Act.READY)
    assert view(exchange).state == "ready"


def test_without_a_call_nothing_is_asked(exchange: Exchange) -> None:
    for act in (Act.HOLD, Act.RESUME, Act.YES, Act.NO):
        asks(exchange, act)
    assert [fact for fact in exchange.facts if fact.call] == []


def test_a_transfer_by_the_page(exchange: Exchange) -> None:
    joined(exchange)
    wish = Asked(Act.TRANSFER, target="8002")
    for nobody in ("8001", "9999", ""):
        exchange.take(exchange.controller.desk_asks("8001", Asked(Act.TRANSFER, target=nobody), exchange.now))
    assert view(exchange).matter == ""
    exchange.take(exchange.controller.desk_asks("8001", wish, exchange.now))
    assert view(exchange).matter == "transfer_asked"
    exchange.passes(5.0)
    asks(exchange, Act.YES)
    assert view(exchange).matter == "target_rings"
    assert view(exchange, "8002").caller == "1001"
    exchange.phones["8002"].answers()
    assert view(exchange).matter == "target_asked"
    exchange.phones["8002"].hangs_up()
    exchange.passes(1.0)
    assert view(exchange).matter == "not_taken"
    exchange.passes(2.0)
    assert (view(exchange).state, view(exchange).matter) == ("talking", "")
    assert view(exchange, "8002").caller == ""
