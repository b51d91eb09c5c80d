"""Transfers after the seat has spoken with the target: REFER with Replaces."""

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.etiquette.house import House
from callflow.events import DigitPressed
from callflow.flow.model import Flow
from callflow.media.messages import Join, Play
from callflow.sip.headers import NameAddress
from tests.support.switchroom import Handset, Switchroom

pytestmark = pytest.mark.conversation


@pytest.fixture
def service() -> tuple[Flow, House]:
    return read_flow(resources.FLOWS / "service.yaml")


def desk(room: Switchroom, seat: str) -> Handset:
    return room.handsets[f"p{seat}"]


@pytest.fixture
def room(service: tuple[Flow, House]) -> Switchroom:
    """8001 serves a caller, has put it on its phone's hold, and speaks with 8002."""
    room = Switchroom(*service, "8001", "8002")
    room.calls()
    room.passes(1.0)
    desk(room, "8001").answers()
    room.passes(30.0)
    desk(room, "8001").holds()
    desk(room, "8001").dials("8002")
    room.passes(0.5)
    desk(room, "8002").rings()
    desk(room, "8002").answers()
    assert desk(room, "8001").heard[-1] == "200"
    room.commands.clear()
    return room


def refers(room: Switchroom, tag: str = "") -> None:
    phone = desk(room, "8001")
    replaces = f"{phone.call_id}%3Bto-tag%3D{tag or phone.tag}%3Bfrom-tag%3Dmine"
    phone.asks("REFER", b"", None, f"Refer-To: <sip:8002@192.0.2.1?Replaces={replaces}>")
    room.passes(4.5)


def legs(room: Switchroom) -> tuple[int, int]:
    """The caller's and the target's, in the plane."""
    (one,) = [one for one in room.controller._rooms.values() if one.target is not None]
    assert one.target is not None
    return one.caller.media, one.target.media


def state(room: Switchroom, seat: str) -> SeatState:
    seats = room.controller.switchboard.seats
    return seats.state(seats[seat], room.now)


def nothing_left(room: Switchroom) -> None:
    room.passes(400.0)
    assert room.controller.in_hand() == dict.fromkeys(room.controller.in_hand(), 0)


def test_whom_the_seat_spoke_with_is_asked_too_and_not_rung_again(room: Switchroom) -> None:
    refers(room)
    phone, target = desk(room, "8001"), desk(room, "8002")
    assert phone.notified() == [("SIP/2.0 100 Trying", "active")]
    assert room.said()[-2][1] == "may_i_transfer"
    assert target.asked.count("INVITE") == 1
    caller_leg, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    assert Join(caller_leg, target_leg) not in room.commands
    room.tells(target_leg, DigitPressed("1"))
    room.passes(2.5)
    assert Join(caller_leg, target_leg) in room.commands
    assert phone.notified()[-1] == ("SIP/2.0 200 OK", "terminated")
    assert target.asked.count("INVITE") == 1
    assert state(room, "8002") is SeatState.TALKING
    room.says("BYE", cseq=2)
    assert target.asked[-1] == "BYE"
    nothing_left(room)


def test_the_caller_does_not_want_it_and_the_target_is_let_go(room: Switchroom) -> None:
    refers(room)
    room.presses("2")
    room.passes(1.0)
    assert desk(room, "8002").asked[-1] == "BYE"
    assert desk(room, "8001").notified()[-1] == ("SIP/2.0 603 Decline", "terminated")
    assert len(desk(room, "8001").invites) == 2, "a deaf seat is called back"
    assert state(room, "8002") is SeatState.READY
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_the_target_does_not_agree(room: Switchroom) -> None:
    refers(room)
    _, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    room.tells(target_leg, DigitPressed("2"))
    room.passes(3.0)
    assert "transfer.declined" in room.told
    assert desk(room, "8002").asked[-1] == "BYE"
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_the_caller_hangs_up_while_it_is_asked(room: Switchroom) -> None:
    refers(room)
    room.says("BYE", cseq=2)
    room.passes(2.5)
    assert desk(room, "8002").asked[-1] == "BYE"
    nothing_left(room)


def test_the_target_hangs_up_while_the_caller_is_asked_and_is_rung_anew(room: Switchroom) -> None:
    refers(room)
    desk(room, "8002").hangs_up()
    room.presses("1")
    assert desk(room, "8002").asked.count("INVITE") in (1, 2)
    room.passes(30.0)
    assert "transfer.completed" not in room.told
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_a_dialog_that_is_not_ours_is_not_found(room: Switchroom) -> None:
    refers(room, tag="nobodys")
    assert desk(room, "8001").notified()[-1][0] == "SIP/2.0 481 Call/Transaction Does Not Exist"
    assert "transfer.asked" not in room.told
    assert desk(room, "8002").asked[-1] != "BYE", "the seat goes on speaking with its colleague"


# --- before the target has picked up ---


@pytest.fixture
def ringing(service: tuple[Flow, House]) -> Switchroom:
    """8001 serves a caller, has put it on its phone's hold, and 8002 rings for 8001's own call."""
    room = Switchroom(*service, "8001", "8002")
    room.calls()
    room.passes(1.0)
    desk(room, "8001").answers()
    room.passes(30.0)
    desk(room, "8001").holds()
    desk(room, "8001").dials("8002")
    room.passes(0.5)
    desk(room, "8002").rings()
    room.commands.clear()
    return room


def test_a_target_that_still_rings_rings_on_for_the_transfer(ringing: Switchroom) -> None:
    refers(ringing)
    phone, target = desk(ringing, "8001"), desk(ringing, "8002")
    assert phone.heard[-1] == "487", "its own call is over"
    assert ringing.said()[-2][1] == "may_i_transfer"
    ringing.presses("1")
    assert target.asked.count("INVITE") == 1
    target.answers()
    ringing.passes(4.5)
    caller_leg, target_leg = legs(ringing)
    assert Join(caller_leg, target_leg) not in ringing.commands
    ringing.tells(target_leg, DigitPressed("1"))
    ringing.passes(2.5)
    assert Join(caller_leg, target_leg) in ringing.commands
    assert phone.notified()[-1] == ("SIP/2.0 200 OK", "terminated")
    ringing.says("BYE", cseq=2)
    nothing_left(ringing)


def test_a_target_that_picks_up_before_the_caller_has_agreed_waits(ringing: Switchroom) -> None:
    refers(ringing)
    desk(ringing, "8002").answers()
    caller_leg, target_leg = legs(ringing)
    assert Play(target_leg, "still_transferring") in ringing.commands
    ringing.tells(target_leg, DigitPressed("1"))
    assert Join(caller_leg, target_leg) not in ringing.commands
    ringing.presses("1")
    ringing.passes(4.5)
    assert Join(caller_leg, target_leg) not in ringing.commands
    ringing.tells(target_leg, DigitPressed("1"))
    ringing.passes(2.5)
    assert Join(caller_leg, target_leg) in ringing.commands
    ringing.says("BYE", cseq=2)
    nothing_left(ringing)


def test_the_caller_does_not_want_it_and_the_target_rings_no_longer(ringing: Switchroom) -> None:
    refers(ringing)
    ringing.presses("2")
    assert "CANCEL" in desk(ringing, "8002").asked
    assert state(ringing, "8002") is SeatState.READY
    ringing.says("BYE", cseq=2)
    nothing_left(ringing)


def test_nobody_picks_up_whom_the_seat_had_called(ringing: Switchroom) -> None:
    refers(ringing)
    ringing.presses("1")
    ringing.passes(23.0)
    assert "CANCEL" in desk(ringing, "8002").asked
    assert desk(ringing, "8001").notified()[-1] == ("SIP/2.0 408 Request Timeout", "terminated")
    ringing.says("BYE", cseq=2)
    nothing_left(ringing)


# --- the target's phone takes the place of the seat's (INVITE with Replaces) ---


@pytest.fixture
def served(service: tuple[Flow, House]) -> Switchroom:
    """8001 serves a caller."""
    room = Switchroom(*service, "8001", "8002")
    room.calls()
    room.passes(1.0)
    desk(room, "8001").answers()
    room.passes(30.0)
    room.commands.clear()
    return room


def takes_over(room: Switchroom, by: str, *, referred_by: str) -> Handset:
    phone = desk(room, by)
    invite = desk(room, "8001").invites[-1]
    ours = NameAddress.parse(invite.headers.need("from")).params["tag"]
    theirs = desk(room, "8001")._tag(invite)
    replaces = f"Replaces: {invite.call_id};to-tag={ours};from-tag={theirs}"
    phone.extra = (replaces, *((f"Referred-By: <sip:{referred_by}@192.0.2.1>",) if referred_by else ()))
    phone.dials("10086")
    room.passes(4.5)
    return phone


@pytest.mark.parametrize("referred_by", ["8001", "p8001"])
def test_who_was_asked_to_take_the_call_over_waits_for_both_consents(
    served: Switchroom, referred_by: str
) -> None:
    phone = takes_over(served, "8002", referred_by=referred_by)
    assert phone.heard[-1] == "200"
    caller_leg, target_leg = legs(served)
    assert Play(target_leg, "still_transferring") in served.commands
    assert served.said()[-2][1] == "may_i_transfer"
    served.presses("1")
    served.passes(4.5)
    assert Join(caller_leg, target_leg) not in served.commands
    served.tells(target_leg, DigitPressed("1"))
    served.passes(2.5)
    assert Join(caller_leg, target_leg) in served.commands
    assert desk(served, "8001").asked[-1] == "BYE"
    assert state(served, "8002") is SeatState.TALKING
    served.says("BYE", cseq=2)
    nothing_left(served)


def test_who_was_not_asked_takes_nobody_over(served: Switchroom) -> None:
    for referred_by in ("", "8002", "9999"):
        assert takes_over(served, "8002", referred_by=referred_by).heard[-1] == "403"
    assert "transfer.asked" not in served.told
    served.says("BYE", cseq=2)
    nothing_left(served)


def test_the_caller_stays_with_the_seat_all_the_same(served: Switchroom) -> None:
    takes_over(served, "8002", referred_by="8001")
    served.presses("2")
    served.passes(3.0)
    assert state(served, "8002") is SeatState.READY
    assert state(served, "8001") is SeatState.TALKING
    served.says("BYE", cseq=2)
    nothing_left(served)


# --- crossed on the way ---


def test_a_notify_that_is_lost_stops_nothing(room: Switchroom) -> None:
    desk(room, "8001").deaf_to = frozenset({"NOTIFY"})
    refers(room)
    caller_leg, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    room.tells(target_leg, DigitPressed("1"))
    room.passes(2.5)
    assert Join(caller_leg, target_leg) in room.commands
    room.passes(6.0)
    assert desk(room, "8001").asked[-1] == "BYE", "who was never told is hung up for"
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_the_seat_resumes_in_the_instant_in_which_the_target_agrees(room: Switchroom) -> None:
    refers(room)
    caller_leg, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    room.tells(target_leg, DigitPressed("1"))
    desk(room, "8001").resumes()
    room.passes(2.5)
    # Both have agreed: what crosses their word on the way takes nothing back.
    assert Join(caller_leg, target_leg) in room.commands
    assert "transfer.completed" in room.told
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_the_seat_resumes_just_before_the_target_agrees(room: Switchroom) -> None:
    refers(room)
    caller_leg, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    desk(room, "8001").resumes()
    room.tells(target_leg, DigitPressed("1"))
    room.passes(2.5)
    assert Join(caller_leg, target_leg) not in room.commands
    assert desk(room, "8001").notified()[-1] == ("SIP/2.0 487 Request Terminated", "terminated")
    assert desk(room, "8002").asked[-1] == "BYE"
    room.says("BYE", cseq=2)
    nothing_left(room)


@pytest.mark.parametrize("who", ["8001", "8002", "caller"])
def test_a_bye_that_crosses_the_completion(room: Switchroom, who: str) -> None:
    refers(room)
    caller_leg, target_leg = legs(room)
    room.presses("1")
    room.passes(4.5)
    room.tells(target_leg, DigitPressed("1"))
    room.passes(1.0)
    if who == "caller":
        room.says("BYE", cseq=2)
    elif who == "8001":
        desk(room, "8001").hangs_up()
    else:
        desk(room, "8002").says("BYE") if desk(room, "8002").dialled else desk(room, "8002").hangs_up()
    room.passes(3.0)
    assert (Join(caller_leg, target_leg) in room.commands) is (who == "8001")
    if who != "caller":
        room.passes(30.0)
        room.says("BYE", cseq=2)
    nothing_left(room)
