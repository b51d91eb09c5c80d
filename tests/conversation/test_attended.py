"""Transfers after the seat has spoken with the target: REFER with Replaces."""

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.etiquette.house import House
from callflow.events import DigitPressed
from callflow.flow.model import Flow
from callflow.media.messages import Join
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
