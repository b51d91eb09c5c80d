"""Whole calls with seats: found, joined, held only with consent, left politely; on a virtual clock."""

from itertools import pairwise
from pathlib import Path

import pytest

from callflow import resources
from callflow.call.queues import QueuePlan, Strategy
from callflow.call.seats import SeatPlan, SeatState
from callflow.config import read_flow
from callflow.etiquette.house import House
from callflow.events import DigitPressed
from callflow.flow.model import Flow
from callflow.media.messages import HearTones, IgnoreTones, LegQuality, PacketsResumed, PacketsStopped, Play
from tests.support.exchange import Exchange, sdp
from tests.support.sip_phone import OFFER, THEM

pytestmark = pytest.mark.conversation

SERVICE: Path = resources.FLOWS / "service.yaml"


@pytest.fixture
def service() -> tuple[Flow, House]:
    return read_flow(SERVICE)


@pytest.fixture
def exchange(service: tuple[Flow, House]) -> Exchange:
    return Exchange(*service, "8001")


def joined(exchange: Exchange, talks: float = 30.0) -> None:
    """The caller speaks with seat 8001."""
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    phone.rings()
    exchange.passes(1.0)
    phone.answers()
    exchange.passes(2.5 + talks)
    assert exchange.told[-2:] == ["call.joined", "rule.concluded"]
    exchange.sound()


def state(exchange: Exchange, seat: str = "8001") -> SeatState:
    seats = exchange.controller.switchboard.seats
    return seats.state(seats[seat], exchange.now)


@pytest.mark.rule("csr-01")
def test_a_caller_is_joined_with_a_seat_when_both_have_heard_the_greeting(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(0.5)
    phone = exchange.phones["8001"]
    assert (phone.asked, state(exchange)) == (["INVITE"], SeatState.RINGING)
    phone.rings()
    phone.answers()
    assert phone.asked == ["INVITE", "ACK"]
    assert exchange.sound() == ["Join 1", "ShutGate 1", "ShutGate 2", "ShutGate 1", "ShutGate 2"]
    assert "call.joined" not in exchange.told
    exchange.passes(2.0)
    assert exchange.sound() == ["OpenGate 1", "OpenGate 2"]
    assert exchange.said() == [(0.501, "greeting")]
    assert "call.joined" in exchange.told
    assert state(exchange) is SeatState.TALKING


def test_the_answer_of_a_seats_183_stands_where_its_200_has_none(exchange: Exchange) -> None:
    """RFC 6337 §3.1.1."""
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    phone.progresses(183, sdp())
    phone.answers(bare=True)
    exchange.passes(3.0)
    assert phone.asked == ["INVITE", "ACK"]
    assert "call.joined" in exchange.told


def test_the_caller_hangs_up_and_the_seat_writes_up(exchange: Exchange) -> None:
    joined(exchange)
    exchange.says("BYE", cseq=2)
    assert exchange.phones["8001"].asked == ["INVITE", "ACK", "BYE"]
    assert state(exchange) is SeatState.WRAP_UP
    exchange.passes(16.0)
    assert state(exchange) is SeatState.READY
    exchange.passes(60.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)


def test_who_hangs_up_while_it_rings_lets_the_phone_fall_silent(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].rings()
    exchange.says("BYE", cseq=2)
    assert exchange.phones["8001"].asked[-2:] == ["CANCEL", "ACK"]
    exchange.passes(60.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)


@pytest.mark.rule("crs-02")
def test_who_waits_hears_a_word_and_whoever_picks_up_stops_it(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].rings()
    exchange.passes(3.0)
    assert exchange.said() == [(3.201, "queue_please_wait")]
    exchange.phones["8001"].answers()
    assert "prompt.stopped" in exchange.told
    assert exchange.said()[-1] == (round(exchange.now, 3), "greeting")


@pytest.mark.rule("csr-16")
def test_who_waited_long_hears_the_apology(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service, "8001", "8002")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].rings()
    exchange.passes(24.0)
    assert exchange.phones["8001"].asked[-1] == "ACK"
    exchange.phones["8002"].rings()
    exchange.phones["8002"].answers()
    assert exchange.said()[-1][1] == "greeting_late"
    exchange.passes(3.0)
    assert [fact.details.get("seat") for fact in exchange.facts if fact.fact == "call.joined"] == ["8002"]


@pytest.mark.parametrize(
    ("status", "told"), [(486, "seat.failed"), (603, "seat.declined"), (404, "seat.failed")]
)
def test_a_seat_that_does_not_take_it_leads_on(service: tuple[Flow, House], status: int, told: str) -> None:
    exchange = Exchange(*service, "8001", "8002")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers(status, "No")
    assert told in exchange.told
    assert exchange.phones["8002"].asked == ["INVITE"]


def test_all_ring_and_the_first_has_the_call(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service, "8001", "8002", queue=QueuePlan("service", strategy=Strategy.ALL))
    exchange.calls()
    exchange.passes(1.0)
    for phone in exchange.phones.values():
        phone.rings()
    exchange.phones["8002"].answers()
    assert exchange.phones["8001"].asked == ["INVITE", "CANCEL", "ACK"]
    assert (state(exchange), state(exchange, "8002")) == (SeatState.READY, SeatState.TALKING)
    assert "seat.failed" not in exchange.told


def test_nobody_there(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service)
    exchange.calls()
    exchange.passes(1.0)
    assert exchange.said() == [(0.201, "leave_number")]


@pytest.mark.rule("csr-23")
def test_hold_by_the_phones_key_asks_first(exchange: Exchange) -> None:
    joined(exchange)
    phone = exchange.phones["8001"]
    phone.holds()
    assert exchange.sound() == ["OpenGate 1", "ShutGate 2"]
    begun = exchange.now
    exchange.passes(5.0)
    assert exchange.said()[-2:] == [(begun, "may_i_hold"), (begun + 2, "press_1_to_wait")]
    assert "hold.started" not in exchange.told
    exchange.presses("1")
    exchange.passes(2.5)
    assert "hold.started" in exchange.told
    assert state(exchange) is SeatState.HOLDING
    exchange.passes(65.0)
    words = [at for at, prompt in exchange.said() if prompt == "still_working"]
    assert [round(b - a, 6) for a, b in pairwise(words)] == [30.0]
    phone.resumes()
    exchange.passes(5.0)
    assert [prompt for _, prompt in exchange.said()[-2:]] == ["sorry_to_keep_you", "thanks_for_waiting"]
    assert exchange.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]
    assert phone.asked.count("INVITE") == 1


@pytest.mark.rule("csr-23")
def test_a_caller_who_will_not_wait_gets_the_seat_back(exchange: Exchange) -> None:
    joined(exchange)
    phone = exchange.phones["8001"]
    phone.holds()
    exchange.passes(5.0)
    exchange.presses("2")
    assert "hold.refused" in exchange.told
    # The phone is deaf, so it is rung anew.
    assert phone.asked == ["INVITE", "ACK", "INVITE"]
    phone.rings()
    phone.answers()
    exchange.passes(6.0)
    assert phone.asked == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    assert exchange.sound()[-2:] == ["OpenGate 1", "OpenGate 3"]
    exchange.says("BYE", cseq=2)
    exchange.passes(60.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)


@pytest.mark.rule("csr-23")
def test_hold_by_code_and_the_answer_attested(exchange: Exchange) -> None:
    joined(exchange)
    for key in "*1":
        exchange.tells(2, DigitPressed(key))
    exchange.passes(5.0)
    assert exchange.said()[-1][1] == "press_1_to_wait"
    exchange.tells(2, DigitPressed("1"))
    exchange.passes(3.0)
    given = next(fact for fact in exchange.facts if fact.fact == "consent.given")
    assert (given.details["how"], given.details["seat"]) == ("seat", "8001")
    assert "hold.started" in exchange.told


@pytest.mark.rule("csr-36")
def test_the_seat_hangs_up_first_and_the_caller_is_asked(exchange: Exchange) -> None:
    joined(exchange)
    exchange.phones["8001"].hangs_up()
    exchange.passes(1.0)
    assert exchange.said()[-1][1] == "anything_else"
    assert "BYE" not in exchange.hears
    exchange.passes(30.0)
    assert exchange.hears[-1] == "BYE"
    assert exchange.said()[-1][1] == "hanging_up"
    exchange.passes(60.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)


@pytest.mark.parametrize("private", [False, True])
def test_who_calls_is_shown_to_the_seat_unless_nobody_shall_know(exchange: Exchange, private: bool) -> None:
    extra = ["P-Asserted-Identity: <sip:13800000000@pbx>", "Diversion: <sip:4000@pbx>;reason=no-answer"]
    wish = ["Privacy: id"] if private else []
    exchange.receives(exchange.caller.request("INVITE", *extra, *wish), THEM)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(1.0)
    [invite] = exchange.phones["8001"].invites
    assert invite.from_.uri.user == ("anonymous" if private else "13800000000")
    assert ("13800000000" in invite.to_bytes().decode()) is not private
    assert "4000" in (invite.headers.get("diversion") or "")
    assert invite.headers.get("max-forwards") == "69"


def test_a_call_that_has_come_round_too_often_reaches_no_seat(exchange: Exchange) -> None:
    data = exchange.caller.request("INVITE").replace(b"Max-Forwards: 70", b"Max-Forwards: 1")
    exchange.receives(data, THEM)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(1.0)
    assert exchange.phones["8001"].asked == []
    assert "seat.failed" in exchange.told


@pytest.mark.parametrize(("came_back", "first"), [(False, "seat_gone"), (True, "anything_else")])
def test_a_seat_that_fell_silent_before_it_hung_up_was_lost(
    exchange: Exchange, came_back: bool, first: str
) -> None:
    """Design section 6: who was lost is not closed upon, but given back; a packet is a sign of life."""
    joined(exchange)
    exchange.tells(2, PacketsStopped())
    exchange.passes(0.5)
    if came_back:
        exchange.tells(2, PacketsResumed())
    before = len(exchange.said())
    exchange.phones["8001"].hangs_up()
    exchange.passes(1.0)
    assert exchange.said()[before][1] == first


def test_tones_are_heard_only_in_the_window_of_the_question(service: tuple[Flow, House]) -> None:
    """A caller without telephone-event can agree too, but nobody's music or voice is taken for a key."""
    exchange = Exchange(*service, "8001")
    offer = OFFER.replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")
    exchange.says("INVITE", offer)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(33.0)

    def listens() -> list[str]:
        told = [
            type(each).__name__ for each in exchange.commands if isinstance(each, HearTones | IgnoreTones)
        ]
        exchange.commands.clear()
        return told

    assert listens() == []
    exchange.phones["8001"].holds()
    exchange.passes(1.9)
    assert listens() == []
    exchange.passes(0.2)
    assert listens() == ["HearTones"]
    exchange.presses("1")
    assert listens() == ["IgnoreTones"]
    assert "consent.given" in exchange.told


def test_a_caller_who_hangs_up_while_held_ends_the_hold(exchange: Exchange) -> None:
    joined(exchange)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses("1")
    exchange.passes(20.0)
    exchange.says("BYE", cseq=2)
    assert "hold.ended" in exchange.told
    assert [name for name in exchange.told if name in ("hold.ended", "call.ended")][-1] == "call.ended"


def test_how_well_each_leg_was_heard_is_told_under_its_name(exchange: Exchange) -> None:
    joined(exchange)
    exchange.phones["8001"].hangs_up()
    quality = LegQuality(packets=9, lost=0, jitter=0.1, reordered=0, duplicates=0)
    exchange.tells(2, quality)
    exchange.says("BYE", cseq=2)
    exchange.tells(1, quality)
    told = [fact.leg for fact in exchange.facts if fact.fact == "leg.quality"]
    assert told == ["seat 8001", "caller"]


def test_phones_that_ring_no_longer_are_all_offered_to_the_next_caller(service: tuple[Flow, House]) -> None:
    everybody = QueuePlan("service", strategy=Strategy.ALL)
    exchange = Exchange(*service, "8001", "8002", "8003", queue=everybody)
    exchange.calls()
    exchange.passes(1.0)
    exchange.another_calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(0.5)
    assert [len(phone.invites) for phone in exchange.phones.values()] == [1, 2, 2]


def test_who_waits_is_told_how_many_are_served_before(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service, "8001")
    exchange.another_calls()
    exchange.another_calls()
    exchange.calls()
    leg = exchange.controller._rooms["call-3"].caller.media

    def told() -> list[str]:
        mine = [command for command in exchange.commands if isinstance(command, Play) and command.leg == leg]
        exchange.commands.clear()
        return [command.prompt for command in mine]

    exchange.passes(40.0)
    assert told() == ["queue_please_wait", "queue_place?ahead=2"]
    exchange.phones["8001"].answers()
    exchange.passes(30.0)
    assert told() == ["queue_place?ahead=1"]
    promised = [
        fact.details["ahead"]
        for fact in exchange.facts
        if fact.call == "call-3" and fact.fact == "prompt.started" and fact.details["prompt"] == "queue_place"
    ]
    assert promised == ["2", "1"], "what a caller was told stands in its ledger"


def test_what_a_pbx_does_before_an_opaque_phone_is_no_hold_but_its_code_is(
    service: tuple[Flow, House],
) -> None:
    exchange = Exchange(*service, SeatPlan("8001", "p8001", opaque=True))
    joined(exchange)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    assert "hold.asked" not in exchange.told
    for key in "*1":
        exchange.tells(2, DigitPressed(key))
    assert "hold.asked" in exchange.told
