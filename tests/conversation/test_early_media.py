"""Callers who wait before the answer: in early media where they offered audio, and answered for a seat."""

import pytest

from callflow.call.queues import QueuePlan
from callflow.errors import SourceError
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.media.messages import Join, KeepKeys, OpenLeg, Play
from tests.support.exchange import Exchange
from tests.support.sip_phone import OFFER, THEM

pytestmark = pytest.mark.conversation

TEXT = """\
callflow: 1
name: early
title: 人工服务
house: csr-standard
start: serve
steps:
  serve: {do: seat, queue: service, answer: with_seat, nobody: sorry, next: close}
  sorry: {do: say, say: nobody_there, next: close}
  close: {do: close, more: serve}
"""


@pytest.fixture
def flow() -> Flow:
    return load(TEXT, "early.yaml")[0]


@pytest.fixture
def exchange(flow: Flow, house: House) -> Exchange:
    return Exchange(flow, house, "8001")


def invites(exchange: Exchange, offer: bytes = OFFER, *fields: str) -> None:
    exchange.receives(exchange.caller.request("INVITE", *fields, body=offer), THEM)
    exchange.passes(0.001)


def seat_picks_up(exchange: Exchange, after: float) -> None:
    exchange.passes(after)
    exchange.phones["8001"].rings()
    exchange.phones["8001"].answers()


def at_rest(exchange: Exchange) -> bool:
    exchange.passes(60.0)
    return exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)


def test_the_words_of_the_queue_are_early_media_and_the_answer_comes_with_the_seat(
    exchange: Exchange,
) -> None:
    invites(exchange)
    assert exchange.hears == ["100", "183"]
    assert b"m=audio" in exchange.responses[-1].body
    exchange.passes(4.0)
    assert exchange.said() == [(3.0, "queue_please_wait")]
    # What cannot be heard is not said: the leg is open before the first word.
    kinds = [type(command) for command in exchange.commands]
    assert kinds.index(OpenLeg) < kinds.index(Play)
    assert exchange.hears == ["100", "183"]
    seat_picks_up(exchange, 1.0)
    assert exchange.hears == ["100", "183", "200"]
    assert exchange.responses[-1].body == exchange.responses[1].body
    assert "seat.answered" not in exchange.told
    exchange.passes(1.0)
    exchange.says("ACK")
    exchange.passes(0.3)
    assert exchange.said()[-1] == (6.201, "greeting")
    exchange.passes(2.0)
    assert "call.joined" in exchange.told
    assert exchange.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]
    exchange.says("BYE", cseq=2)
    assert at_rest(exchange)


def test_without_an_offer_it_only_rings_and_the_two_are_joined_when_the_answer_is_here(
    exchange: Exchange,
) -> None:
    invites(exchange, b"")
    assert exchange.hears == ["100", "180"]
    exchange.passes(13.0)
    assert exchange.said() == []
    seat_picks_up(exchange, 1.0)
    exchange.commands.clear()
    exchange.says("ACK", OFFER)
    opened = [command for command in exchange.commands if isinstance(command, OpenLeg | Join | KeepKeys)]
    assert [type(command) for command in opened] == [OpenLeg, Join, KeepKeys]
    exchange.passes(3.0)
    assert [prompt for _, prompt in exchange.said()] == ["greeting_late"]
    assert "call.joined" in exchange.told


@pytest.mark.rule("csr-16")
def test_csr_16_holds_for_who_waited_long_before_the_answer(exchange: Exchange) -> None:
    invites(exchange)
    seat_picks_up(exchange, 15.0)
    exchange.says("ACK")
    exchange.passes(1.0)
    assert exchange.said()[-1][1] == "greeting_late"


def test_a_proxy_is_told_every_minute_that_the_call_goes_on(flow: Flow, house: House) -> None:
    exchange = Exchange(flow, house, "8001", queue=QueuePlan("service", longest_wait=300.0))
    invites(exchange)
    exchange.passes(130.0)
    assert exchange.hears == ["100", "183", "183", "183"]


def test_a_reliable_provisional_response_is_acknowledged_and_not_repeated(exchange: Exchange) -> None:
    invites(exchange, OFFER, "Require: 100rel")
    progress = exchange.responses[-1]
    assert (progress.status, progress.headers.get("rseq"), b"m=audio" in progress.body) == (183, "1", True)
    exchange.receives(exchange.caller.request("PRACK", "RAck: 1 1 INVITE", cseq=2), THEM)
    assert exchange.hears[-1] == "200"
    exchange.passes(10.0)
    assert exchange.hears.count("183") == 1
    assert exchange.said()[0][1] == "queue_please_wait"


def test_who_gives_up_waiting_ends_all_of_it(exchange: Exchange) -> None:
    invites(exchange)
    exchange.passes(3.0)
    exchange.phones["8001"].rings()
    exchange.says("CANCEL")
    exchange.says("ACK")
    assert exchange.hears[2:] == ["200", "487"]
    assert exchange.phones["8001"].asked == ["INVITE", "CANCEL", "ACK"]
    ended = exchange.facts[-1] if exchange.facts[-1].fact == "call.ended" else exchange.facts[-2]
    assert (ended.details["by"], ended.details["reason"]) == ("caller", "cancelled")
    assert "call.answered" not in exchange.told
    assert at_rest(exchange)


def test_who_is_told_that_nobody_is_there_is_answered_first(flow: Flow, house: House) -> None:
    exchange = Exchange(flow, house)
    invites(exchange)
    assert exchange.hears == ["100", "183", "200"]
    exchange.passes(1.0)
    assert exchange.said() == []
    exchange.says("ACK")
    exchange.passes(60.0)
    assert [prompt for _, prompt in exchange.said()] == [
        "nobody_there", "anything_else", "press_1_for_help", "hanging_up",
    ]  # fmt: skip
    assert exchange.hears[-1] == "BYE"


def test_a_caller_who_never_confirms_the_answer_lets_the_seat_go(exchange: Exchange) -> None:
    invites(exchange)
    seat_picks_up(exchange, 1.0)
    exchange.passes(60.0)
    assert exchange.phones["8001"].asked == ["INVITE", "ACK", "BYE"]
    assert "seat.answered" not in exchange.told
    assert at_rest(exchange)


def test_a_seat_that_has_picked_up_for_nobody_is_told_after_15_seconds(exchange: Exchange) -> None:
    """The caller has died while it waited: our 200 is never acknowledged, and the seat hears nothing."""
    invites(exchange)
    seat_picks_up(exchange, 1.0)
    exchange.passes(14.9)
    assert exchange.phones["8001"].asked == ["INVITE", "ACK"]
    exchange.commands.clear()
    exchange.passes(0.2)
    told = [command.prompt for command in exchange.commands if isinstance(command, Play)]
    assert told == ["caller_has_hung_up"]
    exchange.passes(7.0)
    assert exchange.phones["8001"].asked[-1] == "BYE"
    exchange.passes(60.0)
    assert at_rest(exchange)


def test_a_seat_that_hangs_up_before_the_answer_is_confirmed_leaves_nobody_alone(exchange: Exchange) -> None:
    invites(exchange)
    seat_picks_up(exchange, 1.0)
    exchange.phones["8001"].hangs_up()
    exchange.says("ACK")
    exchange.passes(2.0)
    # It never spoke with its caller, who hears an apology and waits for a seat before all others.
    assert "seat.lost" in exchange.told
    assert exchange.said()[-1][1] == "seat_gone"
    exchange.passes(3.0)
    assert exchange.told.count("queue.entered") == 2
    assert exchange.phones["8001"].asked == ["INVITE", "ACK"], "it writes up"


def test_the_second_time_the_call_is_answered_already(flow: Flow, house: House) -> None:
    exchange = Exchange(flow, house)
    invites(exchange)
    exchange.says("ACK")
    exchange.passes(5.5)
    exchange.presses("1")
    exchange.passes(2.5)
    assert exchange.hears == ["100", "183", "200"]
    assert [prompt for _, prompt in exchange.said()].count("nobody_there") == 2


def test_a_service_that_stops_refuses_who_is_not_answered(exchange: Exchange) -> None:
    invites(exchange)
    exchange.passes(10.0)
    exchange.take(exchange.controller.part("service_stops", exchange.now))
    assert exchange.hears[-1] == "480"
    exchange.says("ACK")
    assert at_rest(exchange)


def test_the_audit_counts_from_the_first_provisional_response(exchange: Exchange, house: House) -> None:
    invites(exchange)
    seat_picks_up(exchange, 6.0)
    exchange.says("ACK")
    exchange.passes(3.0)
    exchange.says("BYE", cseq=2)
    (measure,) = [m for v in judge(exchange.facts, house) if v.rule == "csr-01" for m in v.measures]
    assert (measure.measured, measure.kept) == (0.0, True)
    assert Judgement.BROKEN not in {v.judgement for v in judge(exchange.facts, house) if v.rule == "crs-02"}


def test_only_the_start_can_wait_before_the_answer() -> None:
    text = TEXT.replace("start: serve", "start: hello").replace(
        "  serve:", "  hello: {do: greet, next: serve}\n  serve:"
    )
    with pytest.raises(SourceError) as caught:
        load(text, "early.yaml")
    assert [str(fault) for fault in caught.value.faults] == [
        "early.yaml:8:45: only the start can wait before the answer: here the call is answered already"
    ]
