"""What a seat sees on its page, and asks for by it, in whole calls."""

import pytest

from callflow import config, resources
from callflow.call.desk_view import Act, Asked, View
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


def refuses(exchange: Exchange, act: Act, seat: str = "8001", *, phone: str = "", target: str = "") -> str:
    """Why a seat cannot have it."""
    return exchange.controller.desk_refuses(seat, Asked(act, phone=phone, target=target), exchange.now)


def offered(exchange: Exchange) -> None:
    """8001 transfers its caller to 8002, which rings."""
    joined(exchange)
    described = Asked(Act.DESCRIBE, surname="王", matter="报修")
    exchange.take(exchange.controller.desk_asks("8001", described, exchange.now))
    wish = Asked(Act.TRANSFER, target="8002")
    exchange.take(exchange.controller.desk_asks("8001", wish, exchange.now))
    exchange.passes(5.0)
    asks(exchange, Act.YES)


def answers(exchange: Exchange, act: Act) -> None:
    exchange.take(exchange.controller.desk_asks("8002", Asked(act), exchange.now))


def test_a_seat_is_heard_from_the_joining_on(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    assert not view(exchange).unheard
    assert refuses(exchange, Act.HOLD) == "not_yours"
    exchange.phones["8001"].answers()
    exchange.passes(0.5)
    seen = view(exchange)
    assert (seen.state, seen.unheard) == ("talking", True)
    assert refuses(exchange, Act.HOLD) == "not_heard_yet"
    exchange.passes(33.0)
    assert (view(exchange).state, view(exchange).unheard) == ("talking", False)
    assert refuses(exchange, Act.HOLD) == ""


def test_after_a_refused_hold_everything_may_be_asked_again(exchange: Exchange) -> None:
    joined(exchange)
    asks(exchange, Act.HOLD)
    exchange.passes(5.0)
    assert refuses(exchange, Act.HOLD) == "caller_is_asked"
    asks(exchange, Act.NO)
    exchange.passes(5.0)
    seen = view(exchange)
    assert (seen.state, seen.deaf, seen.unheard) == ("talking", False, False)
    assert [
        act for act in (Act.HOLD, Act.TRANSFER, Act.LOUDER) if refuses(exchange, act, target="8002")
    ] == []
    asks(exchange, Act.HOLD)
    exchange.passes(1.0)
    assert view(exchange).matter == "asked"


def test_who_comes_back_before_the_answer_is_not_asking_any_more(exchange: Exchange) -> None:
    joined(exchange)
    asks(exchange, Act.HOLD)
    exchange.passes(1.0)
    asks(exchange, Act.RESUME)
    exchange.passes(5.0)
    assert view(exchange).matter == ""
    assert refuses(exchange, Act.HOLD) == ""


def test_the_receiving_seat_reads_who_comes_and_takes_the_caller_by_its_page(exchange: Exchange) -> None:
    offered(exchange)
    seen = view(exchange, "8002")
    assert (seen.state, seen.target, seen.comes_from) == ("ringing", True, "8001")
    assert (seen.surname, seen.about) == ("王", "报修")
    assert refuses(exchange, Act.ACCEPT, "8002") == "not_answered"
    answers(exchange, Act.ACCEPT)
    exchange.phones["8002"].answers()
    exchange.passes(0.5)
    seen = view(exchange, "8002")
    assert (seen.state, seen.unheard, seen.asked) == ("talking", True, False)
    assert refuses(exchange, Act.ACCEPT, "8002") == "brief_plays"
    while not view(exchange, "8002").asked:
        exchange.passes(0.5)
        assert exchange.now < 120.0
    assert refuses(exchange, Act.ACCEPT, "8002") == ""
    answers(exchange, Act.ACCEPT)
    exchange.passes(10.0)
    assert "transfer.completed" in exchange.told
    seen = view(exchange, "8002")
    assert (seen.state, seen.target, seen.unheard, seen.comes_from) == ("talking", False, False, "")


def test_the_receiving_seat_declines_by_its_page_when_it_is_asked(exchange: Exchange) -> None:
    offered(exchange)
    exchange.phones["8002"].answers()
    while not view(exchange, "8002").asked:
        exchange.passes(0.5)
        assert exchange.now < 120.0
    answers(exchange, Act.DECLINE)
    assert view(exchange).matter == "not_taken"
    exchange.passes(5.0)
    assert (view(exchange).state, view(exchange, "8002").caller) == ("talking", "")


def test_the_receiving_seat_declines_by_its_page_while_its_phone_rings(exchange: Exchange) -> None:
    offered(exchange)
    answers(exchange, Act.DECLINE)
    exchange.passes(0.5)
    assert "transfer.declined" in exchange.told
    assert view(exchange).matter == "not_taken"
    assert "CANCEL" in [request.method for request in exchange.phones["8002"].requests]
    exchange.passes(10.0)
    assert (view(exchange).state, view(exchange).unheard) == ("talking", False)
    assert view(exchange, "8002").caller == ""


@pytest.mark.parametrize(
    ("act", "more", "why"),
    [
        (Act.YES, {}, "nothing_asked"),
        (Act.RESUME, {}, "nobody_waits"),
        (Act.STOP, {}, "no_check"),
        (Act.ACCEPT, {}, "no_transfer"),
        (Act.DECLINE, {}, "no_transfer"),
        (Act.AWAY, {}, "in_a_call"),
        (Act.READY, {}, "in_a_call"),
        (Act.LOGOUT, {}, "in_a_call"),
        (Act.LOGIN, {"phone": "nowhere"}, "no_such_phone"),
        (Act.TRANSFER, {"target": "8001"}, "own_number"),
        (Act.TRANSFER, {"target": "9999"}, "no_such_target"),
        (Act.TRANSFER, {"target": "8002"}, ""),
        (Act.DESCRIBE, {}, ""),
    ],
)
def test_what_a_seat_in_a_call_cannot_have_has_a_reason(
    exchange: Exchange, act: Act, more: dict[str, str], why: str
) -> None:
    joined(exchange)
    assert refuses(exchange, act, **more) == why


def test_without_a_call_the_reason_is_that_there_is_none(exchange: Exchange) -> None:
    assert {refuses(exchange, act) for act in (Act.HOLD, Act.TRANSFER, Act.YES, Act.LOUDER)} == {"no_call"}
    assert refuses(exchange, Act.AWAY) == ""


def test_while_the_caller_waits_and_while_the_other_is_rung_the_reason_is_another(exchange: Exchange) -> None:
    joined(exchange)
    asks(exchange, Act.HOLD)
    exchange.passes(5.0)
    asks(exchange, Act.YES)
    exchange.passes(6.0)
    assert (refuses(exchange, Act.HOLD), refuses(exchange, Act.RESUME)) == ("caller_waits", "")
    wish = Asked(Act.TRANSFER, target="8002")
    exchange.take(exchange.controller.desk_asks("8001", wish, exchange.now))
    exchange.passes(5.0)
    asks(exchange, Act.YES)
    assert refuses(exchange, Act.TRANSFER, target="8002") == "transfer_runs"
