"""A leg from which nothing comes is proved alive, or the other parties are not left in silence for it."""

from typing import Literal

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.events import DigitPressed
from callflow.media.messages import (
    Latched,
    NoPackets,
    PacketsPaused,
    PacketsResumed,
    PacketsStopped,
    Play,
    ReportCame,
)
from callflow.sip.happenings import TrunkChanged
from callflow.sip.message import respond
from tests.support.exchange import Exchange, sdp
from tests.support.sip_phone import OFFER, THEM

pytestmark = pytest.mark.conversation

SERVICE = read_flow(resources.FLOWS / "service.yaml")
CALLER, SEAT = 1, 2
NO_OPTIONS = frozenset({"OPTIONS"})


def served(*seats: str, trunk: str = "") -> Exchange:
    """A caller speaks with 8001; neither phone ever answers OPTIONS."""
    exchange = Exchange(*SERVICE, *(seats or ("8001",)), trunk=trunk)
    exchange.caller_deaf_to = NO_OPTIONS
    for phone in exchange.phones.values():
        phone.deaf_to = NO_OPTIONS
    exchange.calls()
    exchange.tells(CALLER, Latched())
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.tells(SEAT, Latched())
    exchange.passes(10.0)
    assert "call.joined" in exchange.told
    exchange.commands.clear()
    return exchange


def falls_silent(exchange: Exchange, leg: int) -> None:
    """The plane tells of it two seconds after the last packet."""
    exchange.passes(2.0)
    exchange.tells(leg, PacketsStopped())


def state(exchange: Exchange, seat: str) -> SeatState:
    return exchange.controller.switchboard.seats[seat].state


def goes_down(exchange: Exchange, trunk: str) -> None:
    """The trunk's keepalive is answered no more."""
    controller = exchange.controller
    told = controller._take([TrunkChanged(trunk, "down", None)], exchange.now)
    exchange.take(controller._work.off(told, exchange.now))


def ended(exchange: Exchange) -> tuple[object, object] | None:
    ends = [fact for fact in exchange.facts if fact.fact == "call.ended"]
    return (ends[0].details["by"], ends[0].details["reason"]) if ends else None


def test_a_seat_whose_phone_dies_is_replaced() -> None:
    exchange = served("8001", "8002")
    falls_silent(exchange, SEAT)
    exchange.passes(7.9)
    assert "OPTIONS" not in exchange.phones["8001"].asked
    exchange.passes(0.2)
    assert exchange.phones["8001"].asked[-1] == "OPTIONS"
    exchange.passes(5.0)
    assert exchange.phones["8001"].asked[-1] == "BYE"
    assert exchange.said()[-1][1] == "seat_gone"
    assert state(exchange, "8001") is SeatState.UNREACHABLE
    exchange.passes(2.5)
    assert exchange.phones["8002"].asked == ["INVITE"], "the caller is at the head of the queue"
    assert len(exchange.phones["8001"].invites) == 1, "a dead phone is not rung"
    assert ended(exchange) is None


def test_a_caller_who_is_gone_lets_the_seat_go_with_a_sentence() -> None:
    exchange = served()
    falls_silent(exchange, CALLER)
    exchange.passes(13.1)
    told = [
        command.prompt for command in exchange.commands if isinstance(command, Play) and command.leg == SEAT
    ]
    assert told == ["caller_has_hung_up"]
    assert state(exchange, "8001") is SeatState.WRAP_UP
    assert exchange.said()[-1][1] == "hanging_up", "the caller may hear us yet"
    exchange.passes(6.8)
    assert ended(exchange) is None
    exchange.passes(0.2)
    assert ended(exchange) == ("callflow", "media_lost")
    assert "BYE" in exchange.hears
    assert exchange.phones["8001"].asked[-1] == "BYE"
    exchange.passes(64.0)
    in_hand = exchange.controller.in_hand()
    assert in_hand == dict.fromkeys(in_hand, 0)


@pytest.mark.parametrize("leg", [CALLER, SEAT])
def test_packets_that_come_again_are_a_sign_of_life(leg: int) -> None:
    exchange = served()
    falls_silent(exchange, leg)
    exchange.passes(12.9)
    exchange.tells(leg, PacketsResumed())
    exchange.passes(60.0)
    assert ended(exchange) is None
    assert "seat.lost" not in exchange.told


def test_a_caller_whose_side_answers_is_never_ended_for_silence() -> None:
    exchange = served()
    exchange.caller_deaf_to = frozenset()
    falls_silent(exchange, CALLER)
    exchange.passes(300.0)
    assert ended(exchange) is None
    assert exchange.hears.count("OPTIONS") > 10, "asked again and again"
    exchange.caller_deaf_to = NO_OPTIONS
    exchange.passes(27.0)
    assert ended(exchange) == ("callflow", "media_lost")


def test_a_seat_whose_phone_answers_and_sends_nothing_leaves_no_caller_in_silence() -> None:
    exchange = served("8001", "8002")
    exchange.phones["8001"].deaf_to = frozenset()
    falls_silent(exchange, SEAT)
    exchange.passes(12.9)
    assert "seat.lost" not in exchange.told
    exchange.passes(0.2)
    assert exchange.said()[-1][1] == "seat_gone"
    exchange.passes(2.5)
    assert exchange.phones["8002"].asked == ["INVITE"]


@pytest.mark.parametrize("leg", [CALLER, SEAT])
def test_no_such_call_is_the_end_at_once(leg: int) -> None:
    exchange = served("8001", "8002")
    falls_silent(exchange, leg)
    exchange.passes(8.1)
    if leg == SEAT:
        phone = exchange.phones["8001"]
        phone._replies(respond(phone.requests[-1], 481, "Call Does Not Exist", to_tag="x"))
        assert "seat.lost" in exchange.told
    else:
        exchange.caller_deaf_to = frozenset({"INVITE"})
        exchange.answers_caller_side(481, "Call Does Not Exist")
        assert exchange.hears[-1] == "INVITE", "some answer so to every OPTIONS"
        exchange.answers_caller_side(481, "Call Does Not Exist")
        assert ended(exchange) == ("callflow", "gone")


def test_a_caller_that_is_heard_is_not_ended_for_a_481() -> None:
    """Its trunk was away for a while, and knows nothing of the dialog any more; but its audio comes."""
    exchange = served(trunk="pbx")
    goes_down(exchange, "pbx")
    exchange.answers_caller_side(481, "Call Does Not Exist")
    exchange.passes(60.0)
    assert ended(exchange) is None


def test_a_caller_whose_side_knows_no_options_in_dialogs_is_not_ended_for_it() -> None:
    exchange = served()
    exchange.passes(2.0)
    exchange.tells(CALLER, PacketsPaused())
    for _ in range(5):
        exchange.passes(15.0)
        if exchange.hears[-1] == "OPTIONS":
            exchange.answers_caller_side(481, "Call Does Not Exist")
    assert "INVITE" in exchange.hears
    assert ended(exchange) is None


def test_a_caller_who_has_sent_comfort_noise_is_listening() -> None:
    exchange = served()
    exchange.passes(2.0)
    exchange.tells(CALLER, PacketsPaused())
    exchange.passes(300.0)
    assert ended(exchange) is None


def test_a_phone_that_has_sent_comfort_noise_and_does_not_answer_has_a_minute() -> None:
    exchange = served("8001", "8002")
    exchange.passes(2.0)
    exchange.tells(SEAT, PacketsPaused())
    exchange.passes(56.0)
    assert "seat.lost" not in exchange.told
    exchange.passes(20.0)
    assert "seat.lost" in exchange.told


@pytest.mark.parametrize("leg", [CALLER, SEAT])
def test_a_leg_that_reports_by_rtcp_is_there(leg: int) -> None:
    """DTX without comfort noise: nothing comes but a report every five seconds."""
    exchange = served()
    falls_silent(exchange, leg)
    for _ in range(30):
        exchange.passes(5.0)
        exchange.tells(leg, ReportCame())
    assert ended(exchange) is None
    assert "seat.lost" not in exchange.told
    exchange.passes(27.0)
    assert ended(exchange) is not None or "seat.lost" in exchange.told, "the reports have stopped too"


def test_a_seat_that_waits_on_its_own_hold_owes_no_packets() -> None:
    exchange = served()
    exchange.phones["8001"].holds()
    exchange.passes(4.5)
    exchange.presses("1")
    falls_silent(exchange, SEAT)
    exchange.passes(20.0)
    assert "seat.lost" not in exchange.told
    exchange.phones["8001"].resumes()
    falls_silent(exchange, SEAT)
    exchange.passes(7.9)
    assert "OPTIONS" not in exchange.phones["8001"].asked, "counted anew from the resume"
    exchange.passes(5.2)
    assert "seat.lost" in exchange.told


def invites(exchange: Exchange) -> int:
    return len(exchange.phones["8001"].invites)


def test_a_seat_that_dies_on_its_own_hold_is_found() -> None:
    """Nothing is due from it: it is asked, then offered our description again."""
    exchange = served("8001", "8002")
    exchange.phones["8001"].holds()
    exchange.passes(4.5)
    exchange.presses("1")
    exchange.passes(25.0)
    assert "OPTIONS" not in exchange.phones["8001"].asked
    exchange.passes(1.0)
    assert exchange.phones["8001"].asked[-1] == "OPTIONS"
    exchange.phones["8001"].deaf_to = frozenset({"OPTIONS", "INVITE"})
    exchange.passes(64.0)
    assert "seat.lost" in exchange.told
    assert state(exchange, "8001") is SeatState.UNREACHABLE
    exchange.passes(3.0)
    assert exchange.phones["8002"].asked == ["INVITE"]


def test_a_seat_on_its_own_hold_that_answers_is_asked_again_and_again() -> None:
    exchange = served()
    exchange.phones["8001"].deaf_to = frozenset()
    exchange.phones["8001"].holds()
    exchange.passes(4.5)
    exchange.presses("1")
    exchange.passes(160.0)
    assert exchange.phones["8001"].asked.count("OPTIONS") == 5
    assert invites(exchange) == 1, "it is not offered anything"


@pytest.mark.parametrize("form", ["a=inactive", "a=sendonly", "c=IN IP4 0.0.0.0"])
def test_a_caller_that_is_on_hold_from_the_start_is_asked_whether_it_is_there(form: str) -> None:
    flow, house = read_flow(resources.FLOWS / "hotline.yaml")
    exchange = Exchange(flow, house)
    exchange.caller_deaf_to = frozenset({"OPTIONS", "INVITE"})
    offer = OFFER + form.encode() + b"\r\n"
    if form.startswith("c="):
        offer = OFFER.replace(b"c=IN IP4 192.0.2.10", form.encode())
    exchange.says("INVITE", offer)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(20.0)
    assert "call.held" in exchange.told
    assert exchange.said() == [], "nobody would hear it"
    exchange.passes(80.0)
    assert {"OPTIONS", "INVITE"} < set(exchange.hears)
    assert exchange.hears[-1] == "BYE"
    assert ended(exchange) == ("callflow", "gone")


def test_a_seat_that_answers_on_hold_has_its_caller_asked() -> None:
    """The same as its hold key: else the two would be joined, and hear nothing."""
    exchange = Exchange(*SERVICE, "8001")
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    invite = phone.invites[-1]
    contact = ("contact", "<sip:8001@192.0.2.50:5100>"), ("content-type", "application/sdp")
    phone._replies(respond(invite, 200, "OK", *contact, to_tag=phone._tag(invite), body=sdp("inactive")))
    exchange.passes(4.0)
    assert "hold.asked" in exchange.told
    phone.resumes()
    exchange.passes(5.0)
    assert exchange.told[-1] != "hold.asked"
    assert "OpenGate 1" in exchange.sound()


def test_a_caller_who_is_not_there_rings_no_seat() -> None:
    """It waits, is asked, and while nobody knows no seat is rung; then it is ended."""
    exchange = Exchange(*SERVICE, "8001")
    exchange.caller_deaf_to = NO_OPTIONS
    exchange.another_calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.calls()
    exchange.tells(3, Latched())
    exchange.passes(20.0)
    falls_silent(exchange, 3)
    exchange.passes(9.0)
    exchange.receives(exchange.others[0].request("BYE", cseq=2), THEM)
    exchange.passes(2.0)
    assert len(exchange.phones["8001"].invites) == 1, "it writes up"
    exchange.passes(60.0)
    assert len(exchange.phones["8001"].invites) == 1
    assert [fact.details["reason"] for fact in exchange.facts if fact.fact == "call.ended"] == [
        "",
        "media_lost",
    ]


def test_no_seat_is_rung_for_a_waiting_caller_whose_side_holds() -> None:
    """It would pick up and hear nobody, for as long as the hold lasts."""
    exchange = Exchange(*SERVICE, "8001")
    exchange.another_calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.calls()
    exchange.passes(5.0)
    exchange.says("INVITE", OFFER + b"a=sendonly\r\n", cseq=2)
    exchange.says("ACK", cseq=2)
    assert "call.held" in exchange.told
    exchange.receives(exchange.others[0].request("BYE", cseq=2), THEM)
    exchange.passes(40.0)
    assert invites(exchange) == 1
    exchange.says("INVITE", OFFER, cseq=3)
    exchange.says("ACK", cseq=3)
    exchange.passes(1.0)
    assert invites(exchange) == 2, "it is back"


def test_a_waiting_caller_that_only_listens_is_served() -> None:
    """`recvonly` is a microphone that is off: the caller hears whoever picks up."""
    exchange = Exchange(*SERVICE, "8001")
    exchange.says("INVITE", OFFER + b"a=recvonly\r\n")
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(1.0)
    assert invites(exchange) == 1
    assert "call.held" not in exchange.told


def test_a_caller_who_is_doubted_and_answers_is_served() -> None:
    exchange = Exchange(*SERVICE, "8001")
    exchange.calls()
    exchange.tells(CALLER, NoPackets())
    exchange.passes(1.0)
    exchange.phones["8001"].answers(486, "Busy Here")
    exchange.passes(30.0)
    assert "OPTIONS" in exchange.hears
    assert len(exchange.phones["8001"].invites) > 1
    assert ended(exchange) is None


def test_a_caller_to_whom_the_flow_speaks_has_the_words_of_the_silent_line() -> None:
    """csr-04: greeted, told, and released with pauses, and not cut off by a timer of the media."""
    flow, house = read_flow(resources.FLOWS / "hotline.yaml")
    exchange = Exchange(flow, house)
    exchange.caller_deaf_to = NO_OPTIONS
    exchange.calls()
    exchange.passes(2.0)
    exchange.tells(CALLER, NoPackets())
    exchange.passes(60.0)
    assert [prompt for _, prompt in exchange.said()] == ["greeting", "greeting_again", "no_sound"]
    assert ended(exchange) == ("callflow", "silent_line")


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_a_dead_caller_to_whom_the_flow_speaks_is_let_go_where_no_rule_does_that(
    mode: Literal["observe", "off"],
) -> None:
    flow, house = read_flow(resources.FLOWS / "hotline.yaml")
    exchange = Exchange(flow, house.in_mode(mode))
    exchange.caller_deaf_to = NO_OPTIONS
    exchange.calls()
    exchange.passes(2.0)
    exchange.tells(CALLER, NoPackets())
    exchange.passes(40.0)
    assert ended(exchange) == ("callflow", "media_lost")
    assert "BYE" in exchange.hears


def test_a_seat_is_reachable_again_when_it_answers_or_registers() -> None:
    exchange = served("8001", "8002")
    falls_silent(exchange, SEAT)
    exchange.passes(14.0)
    assert state(exchange, "8001") is SeatState.UNREACHABLE
    exchange.passes(16.0)
    assert exchange.phones["8001"].asked[-1] == "OPTIONS"
    exchange.phones["8001"].deaf_to = frozenset()
    exchange.passes(20.0)
    assert len(exchange.phones["8001"].invites) == 2, "it is rung for the caller, who still waits"


def test_the_calls_of_a_trunk_that_is_down_are_asked_at_once() -> None:
    exchange = served(trunk="pbx")
    goes_down(exchange, "pbx")
    assert exchange.hears[-1] == "OPTIONS"
    falls_silent(exchange, CALLER)
    exchange.passes(10.1)
    assert ended(exchange) == ("callflow", "media_lost")


def test_a_trunk_that_is_down_ends_no_call_whose_audio_comes() -> None:
    exchange = served(trunk="pbx")
    goes_down(exchange, "pbx")
    exchange.passes(120.0)
    assert ended(exchange) is None


def test_a_target_whose_phone_dies_gives_the_caller_back() -> None:
    exchange = served("8001", "8002")
    for key in "*38002#":
        exchange.tells(SEAT, DigitPressed(key))
    exchange.passes(4.5)
    exchange.presses("1")
    exchange.phones["8002"].answers()
    exchange.passes(0.5)
    exchange.tells(3, NoPackets())
    exchange.passes(14.0)
    assert state(exchange, "8002") is not SeatState.TALKING
    assert {"transfer.failed", "transfer.declined"} & set(exchange.told)
    assert ended(exchange) is None
