"""Transfers by feature code in whole calls: asked, rung, briefed, agreed; and every way back."""

from collections.abc import Callable

import pytest

from callflow import config, resources
from callflow.call.seats import SeatState
from callflow.etiquette.house import House
from callflow.events import DigitPressed, LineJudged, LineState
from callflow.media.messages import HearTones, IgnoreTones, Join, Play
from callflow.sip.message import respond
from tests.support.exchange import Exchange, sdp

pytestmark = pytest.mark.conversation

CALLER, SEAT, TARGET = 1, 2, 3
"""The legs in the plane, as they come."""


@pytest.fixture
def served(house: House) -> Exchange:
    """A caller who speaks with 8001; 8002 is free."""
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001", "8002")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(30.0)
    exchange.commands.clear()
    return exchange


def keys(exchange: Exchange, leg: int, digits: str) -> None:
    for digit in digits:
        exchange.tells(leg, DigitPressed(digit))


def transfers(exchange: Exchange) -> list[str]:
    return [fact for fact in exchange.told if fact.startswith(("transfer.", "consent."))]


def state(exchange: Exchange, seat: str) -> SeatState:
    seats = exchange.controller.switchboard.seats
    return seats.state(seats[seat], exchange.now)


def asked(exchange: Exchange) -> None:
    keys(exchange, SEAT, "*38002#")
    exchange.passes(4.5)


def rung(exchange: Exchange) -> None:
    asked(exchange)
    exchange.presses("1")
    exchange.phones["8002"].rings()


def briefed(exchange: Exchange) -> None:
    rung(exchange)
    exchange.passes(3.0)
    exchange.phones["8002"].answers()
    exchange.passes(4.5)


@pytest.mark.rule("csr-24")
def test_csr_24_both_agree_and_are_joined(served: Exchange) -> None:
    asked(served)
    assert "INVITE" not in served.phones["8002"].asked
    served.presses("1")
    assert served.phones["8002"].asked == ["INVITE"]
    served.phones["8002"].rings()
    assert state(served, "8002") is SeatState.RINGING
    served.passes(3.0)
    served.phones["8002"].answers()
    served.passes(4.5)
    assert Join(CALLER, TARGET) not in served.commands
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert transfers(served) == [
        "transfer.asked",
        "consent.given",
        "transfer.offered",
        "transfer.briefed",
        "transfer.accepted",
        "transfer.completed",
    ]
    heard = [(command.leg, command.prompt) for command in served.commands if isinstance(command, Play)]
    assert heard == [
        (CALLER, "still_transferring"),
        (TARGET, "transfer_brief?seat=8001"),
        (TARGET, "press_1_to_take"),
        (CALLER, "connecting_you"),
        (TARGET, "connecting_you"),
        (SEAT, "transfer_done"),
    ]
    assert Join(CALLER, TARGET) in served.commands
    assert "BYE" not in served.phones["8001"].asked, "it is thanked first"
    served.passes(2.5)
    assert served.phones["8001"].asked[-1] == "BYE"
    assert (state(served, "8001"), state(served, "8002")) == (SeatState.WRAP_UP, SeatState.TALKING)
    assert served.hears == ["100", "180", "200"], "the caller's leg must see nothing of it"
    joined = [fact.details["seat"] for fact in served.facts if fact.fact == "call.joined"]
    assert joined == ["8001", "8002"], "the ledger names the seat that is joined"


def test_a_seat_that_leaves_its_caller_to_the_transfer_writes_up_and_is_rung_again(served: Exchange) -> None:
    keys(served, SEAT, "*38002#")
    served.phones["8001"].hangs_up()
    served.passes(4.5)
    served.presses("1")
    assert state(served, "8001") is SeatState.WRAP_UP, "it holds nobody"
    served.passes(16.0)
    assert state(served, "8001") is SeatState.READY


def test_who_has_taken_a_call_is_its_seat(served: Exchange) -> None:
    briefed(served)
    keys(served, TARGET, "1")
    served.passes(30.0)
    served.phones["8002"].holds()
    served.passes(4.5)
    served.presses("1")
    served.passes(3.0)
    assert state(served, "8002") is SeatState.HOLDING
    served.phones["8002"].resumes()
    served.passes(5.0)
    served.phones["8002"].hangs_up()
    served.passes(1.0)
    assert served.said()[-1][1] == "anything_else"


def test_a_target_whose_phone_answers_on_hold_has_not_taken_the_call(served: Exchange) -> None:
    """It would hear neither the brief nor the caller, and the caller nobody."""
    rung(served)
    phone = served.phones["8002"]
    invite = phone.invites[-1]
    fields = ("contact", "<sip:8002@192.0.2.50:5101>"), ("content-type", "application/sdp")
    phone._replies(respond(invite, 200, "OK", *fields, to_tag=phone._tag(invite), body=sdp("inactive")))
    served.passes(1.0)
    assert phone.asked[-1] == "BYE"
    assert "transfer.completed" not in served.told
    keys(served, TARGET, "1")
    served.passes(30.0)
    assert "transfer.completed" not in served.told
    assert served.controller._rooms["call-1"].seat is not None, "the first seat has its caller again"


def test_what_the_targets_line_sounds_like_is_nobodys_business(served: Exchange) -> None:
    briefed(served)
    served.tells(TARGET, LineJudged(LineState.TONE, served.now, -20.0, -60.0))
    assert not [counted for counted in served.counted if counted.what == "fault"]
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert "transfer.completed" in served.told


def test_a_caller_who_does_not_want_it_stays(served: Exchange) -> None:
    asked(served)
    served.presses("2")
    served.passes(3.0)
    assert transfers(served) == ["transfer.asked", "consent.refused", "transfer.failed"]
    assert served.said()[-1][1] == "no_need_to_transfer"
    assert served.phones["8002"].asked == []
    assert served.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]


def test_an_answer_is_no_agreement(served: Exchange) -> None:
    """A voicemail answers, says something, and never presses a key."""
    briefed(served)
    served.passes(21.0)
    assert transfers(served)[-3:] == ["transfer.briefed", "transfer.failed", "transfer.returned"]
    assert served.phones["8002"].asked[-1] == "BYE"
    assert served.phones["8001"].asked[-1] != "BYE"
    assert served.said()[-1][1] == "target_not_there"
    assert (state(served, "8001"), state(served, "8002")) == (SeatState.TALKING, SeatState.READY)


def test_a_targets_tones_are_keys_where_it_has_nothing_else(served: Exchange) -> None:
    served.phones["8002"].has_events = False
    rung(served)
    served.phones["8002"].answers()
    served.passes(1.0)
    assert HearTones(TARGET) not in served.commands
    served.passes(3.5)
    assert served.commands[-1] == HearTones(TARGET), "only while it is asked"
    keys(served, TARGET, "1")
    assert IgnoreTones(TARGET) in served.commands


def test_a_key_before_the_question_is_no_agreement(served: Exchange) -> None:
    rung(served)
    served.phones["8002"].answers()
    keys(served, TARGET, "1")
    served.passes(1.0)
    assert "transfer.accepted" not in served.told


@pytest.mark.parametrize(
    ("how", "fact", "why"),
    [
        (lambda served: served.phones["8002"].answers(486, "Busy Here"), "transfer.failed", "busy"),
        (lambda served: served.phones["8002"].answers(603, "Decline"), "transfer.declined", "declined"),
        (lambda served: served.phones["8002"].answers(404, "Not Found"), "transfer.failed", "failed"),
        (lambda served: served.passes(21.0), "transfer.failed", "no_answer"),
    ],
)
def test_a_target_that_does_not_take_it(
    served: Exchange, how: Callable[[Exchange], None], fact: str, why: str
) -> None:
    rung(served)
    how(served)
    served.passes(3.0)
    failed = next(each for each in served.facts if each.fact == fact)
    assert failed.details["why"] == why
    assert served.said()[-1][1] == ("target_serving" if why == "busy" else "target_not_there")
    assert served.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]
    assert state(served, "8001") is SeatState.TALKING


def test_a_seat_that_is_busy_is_not_rung(served: Exchange) -> None:
    served.controller.switchboard.turn("8002", SeatState.WRAP_UP, served.now)
    asked(served)
    served.presses("1")
    served.passes(3.0)
    assert served.phones["8002"].asked == []
    assert transfers(served)[-2:] == ["transfer.failed", "transfer.returned"]


def test_the_target_declines_by_key(served: Exchange) -> None:
    briefed(served)
    keys(served, TARGET, "2")
    served.passes(3.0)
    assert "transfer.declined" in served.told
    assert served.phones["8002"].asked[-1] == "BYE"
    assert served.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]


def test_the_first_seat_hangs_up_and_nothing_becomes_blind(served: Exchange) -> None:
    briefed(served)
    served.phones["8001"].hangs_up()
    served.passes(1.0)
    assert Join(CALLER, TARGET) not in served.commands
    assert "transfer.completed" not in served.told
    keys(served, TARGET, "1")
    served.passes(3.0)
    assert transfers(served)[-1] == "transfer.completed"
    assert Join(CALLER, TARGET) in served.commands


def test_the_first_seat_hangs_up_and_the_target_does_not_take_it(served: Exchange) -> None:
    rung(served)
    served.phones["8001"].hangs_up()
    served.phones["8002"].answers(486, "Busy Here")
    served.passes(3.0)
    assert len(served.phones["8001"].invites) == 2, "the same seat is rung anew"
    served.phones["8001"].answers()
    served.passes(5.0)
    assert served.told[-1] == "call.joined" or "call.joined" in served.told[-3:]


def test_the_caller_hangs_up_and_everybody_is_let_go(served: Exchange) -> None:
    briefed(served)
    served.says("BYE", cseq=2)
    told = [(command.leg, command.prompt) for command in served.commands if isinstance(command, Play)]
    assert told[-2:] == [(SEAT, "caller_has_hung_up"), (TARGET, "caller_has_hung_up")]
    assert "BYE" not in (served.phones["8001"].asked[-1], served.phones["8002"].asked[-1])
    served.passes(2.5)
    assert served.phones["8001"].asked[-1] == served.phones["8002"].asked[-1] == "BYE"
    assert state(served, "8002") is SeatState.READY
    served.passes(60.0)
    assert served.controller.in_hand() == dict.fromkeys(served.controller.in_hand(), 0)


def test_a_phone_that_refers_while_it_hears_the_last_word_is_answered(served: Exchange) -> None:
    briefed(served)
    served.says("BYE", cseq=2)
    served.phones["8001"].refers("8002")
    assert "603" in served.phones["8001"].statuses
    served.phones["8001"].hangs_up()
    served.passes(60.0)
    assert served.controller.in_hand() == dict.fromkeys(served.controller.in_hand(), 0)


def test_the_target_agrees_while_the_caller_hangs_up(served: Exchange) -> None:
    briefed(served)
    keys(served, TARGET, "1")
    served.says("BYE", cseq=2)
    served.passes(60.0)
    assert "transfer.completed" not in served.told
    assert served.controller.in_hand() == dict.fromkeys(served.controller.in_hand(), 0)


def test_a_seat_that_holds_first_is_asked_for_and_called_back(served: Exchange) -> None:
    served.phones["8001"].holds()
    served.passes(1.0)
    keys(served, SEAT, "*38002#")
    served.passes(4.5)
    assert served.said()[-2:][0][1] == "may_i_transfer"
    served.presses("2")
    served.passes(1.0)
    assert len(served.phones["8001"].invites) == 2, "a deaf seat is called back"


def test_the_seat_takes_the_caller_back_while_it_rings(served: Exchange) -> None:
    rung(served)
    keys(served, SEAT, "*2")
    served.passes(1.0)
    assert "CANCEL" in served.phones["8002"].asked
    assert served.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]


def test_a_call_is_passed_on_twice_and_no_more(served: Exchange) -> None:
    briefed(served)
    keys(served, TARGET, "1")
    served.passes(60.0)
    keys(served, TARGET, "*38001#")
    served.passes(4.5)
    served.presses("1")
    served.phones["8001"].answers()
    served.passes(4.5)
    keys(served, 4, "1")
    served.passes(60.0)
    assert served.told.count("transfer.completed") == 2
    keys(served, 4, "*38002#")
    served.passes(4.5)
    assert served.told.count("transfer.asked") == 2
    refused = next(fact for fact in served.facts if fact.fact == "transfer.refused")
    assert (refused.rule, refused.details["why"]) == ("crs-10", "too_often")


@pytest.mark.parametrize("number", ["8001", "9999", "013800000000"])
def test_nobody_is_transferred_to_who_is_no_other_seat(served: Exchange, number: str) -> None:
    keys(served, SEAT, f"*3{number}#")
    served.passes(1.0)
    assert "transfer.asked" not in served.told


# --- by the phone's own key: REFER ---


def refers(exchange: Exchange, target: str = "8002") -> None:
    exchange.phones["8001"].refers(target)
    exchange.passes(4.5)


def test_the_answer_of_a_targets_183_stands_where_its_200_has_none(served: Exchange) -> None:
    """RFC 6337 §3.1.1."""
    rung(served)
    target = served.phones["8002"]
    target.progresses(183, sdp())
    served.passes(2.0)
    target.answers(bare=True)
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert "transfer.completed" in served.told
    assert target.asked == ["INVITE", "ACK"]


@pytest.mark.parametrize("target", ["%38002", "800%32", "8002;phone-context=x"])
def test_an_escaped_target_is_the_same_seat(served: Exchange, target: str) -> None:
    """RFC 3261 §19.1.4."""
    refers(served, target)
    assert served.phones["8001"].notified() == [("SIP/2.0 100 Trying", "active")]
    assert served.said()[-1][1] == "press_1_to_be_transferred"


def test_a_blind_transfer_of_the_phone_is_not_blind(served: Exchange) -> None:
    refers(served)
    phone = served.phones["8001"]
    assert phone.notified() == [("SIP/2.0 100 Trying", "active")]
    assert served.said()[-1][1] == "press_1_to_be_transferred"
    served.presses("1")
    served.phones["8002"].rings()
    served.passes(2.0)
    served.phones["8002"].answers()
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert phone.notified() == [
        ("SIP/2.0 100 Trying", "active"),
        ("SIP/2.0 180 Ringing", "active"),
        ("SIP/2.0 183 Session Progress", "active"),
        ("SIP/2.0 200 OK", "terminated"),
    ]
    assert "BYE" not in phone.asked
    served.passes(5.0)
    assert phone.asked[-1] == "BYE", "a phone that does not hang up is hung up for"
    assert served.hears == ["100", "180", "200"]


def test_a_phone_that_hangs_up_when_it_is_told_of_the_end_does_it_itself(served: Exchange) -> None:
    refers(served)
    served.presses("1")
    served.phones["8002"].answers()
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(2.5)
    served.phones["8001"].hangs_up()
    served.passes(30.0)
    assert "BYE" not in served.phones["8001"].asked
    assert "seat.left" not in served.told
    assert served.told[-1] != "call.ended"
    served.says("BYE", cseq=2)
    served.passes(60.0)
    assert served.controller.in_hand() == dict.fromkeys(served.controller.in_hand(), 0)


def test_the_phone_is_told_that_the_caller_does_not_want_it(served: Exchange) -> None:
    refers(served)
    served.presses("2")
    served.passes(3.0)
    assert served.phones["8001"].notified()[-1] == ("SIP/2.0 603 Decline", "terminated")


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [(486, "Busy Here", "SIP/2.0 486 Busy Here"), (404, "Not Found", "SIP/2.0 404 Not Found")],
)
def test_the_phone_is_told_the_targets_true_answer(
    served: Exchange, status: int, reason: str, told: str
) -> None:
    refers(served)
    served.presses("1")
    served.phones["8002"].answers(status, reason)
    served.passes(3.0)
    assert served.phones["8001"].notified()[-1] == (told, "terminated")


def test_a_phone_that_holds_first_and_then_refers(served: Exchange) -> None:
    """Desk phones do: so the question of the hold is running, and this one takes its place."""
    served.phones["8001"].holds()
    served.passes(1.0)
    refers(served)
    assert served.said()[-2][1] == "may_i_transfer"
    served.presses("2")
    served.passes(1.0)
    assert served.phones["8001"].notified()[-1] == ("SIP/2.0 603 Decline", "terminated")
    assert len(served.phones["8001"].invites) == 2, "a deaf seat is called back"


def test_the_transferor_hangs_up_after_its_refer_and_the_transfer_goes_on(served: Exchange) -> None:
    refers(served)
    served.phones["8001"].hangs_up()
    served.presses("1")
    served.phones["8002"].answers()
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(3.0)
    assert transfers(served)[-1] == "transfer.completed"
    served.says("BYE", cseq=2)
    served.passes(60.0)
    assert served.controller.in_hand() == dict.fromkeys(served.controller.in_hand(), 0)


@pytest.mark.parametrize("target", ["8001", "9999", "0013800000000"])
def test_a_refer_to_anybody_else_is_refused(served: Exchange, target: str) -> None:
    refers(served, target)
    assert served.phones["8001"].notified() == []
    assert "transfer.asked" not in served.told


def test_a_second_refer_is_refused_and_disturbs_nothing(served: Exchange) -> None:
    refers(served)
    refers(served)
    assert served.told.count("transfer.asked") == 1
    served.presses("1")
    assert served.phones["8002"].asked == ["INVITE"]


def test_a_callers_side_may_not_pass_itself_on(served: Exchange) -> None:
    refer = served.caller.request("REFER", "Refer-To: <sip:8002@192.0.2.1>", cseq=2)
    served.receives(refer, ("192.0.2.10", 5070))
    assert served.hears[-1] == "403"
    assert "transfer.asked" not in served.told
