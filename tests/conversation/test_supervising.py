"""A supervisor in a call: who may, what it hears, that each time is told, and how it ends."""

from collections.abc import Sequence

import pytest

from callflow import resources
from callflow.call.destinations import SUPERVISOR
from callflow.call.seats import SeatPlan, SeatState
from callflow.config import read_flow
from callflow.etiquette.house import House
from callflow.events import DigitPressed
from callflow.flow.model import Flow
from callflow.media.messages import Confer, Join, KeepFrom, Play, PlayBoth, ShutGate
from tests.support.switchroom import Handset, Switchroom

pytestmark = pytest.mark.conversation

CALLER, SEAT, CHIEF = 1, 2, 3
"""The legs in the plane, as they come."""


@pytest.fixture
def service() -> tuple[Flow, House]:
    return read_flow(resources.FLOWS / "service.yaml")


def chief(room: Switchroom) -> Handset:
    return room.handsets["p8009"]


@pytest.fixture
def room(service: tuple[Flow, House]) -> Switchroom:
    """8001 serves a caller; 8009 is a supervisor, 8002 is not."""
    seats = [SeatPlan(number, f"p{number}", frozenset({"service"})) for number in ("8001", "8002")]
    room = Switchroom(*service, *seats, SeatPlan("8009", "p8009", frozenset({SUPERVISOR})))
    room.calls()
    room.passes(1.0)
    for seat in ("8002", "8001"):
        if room.handsets[f"p{seat}"].invites:
            room.handsets[f"p{seat}"].answers()
            room.serving = seat  # type: ignore[attr-defined]
    room.passes(30.0)
    room.commands.clear()
    return room


def serving(room: Switchroom) -> str:
    return str(room.serving)  # type: ignore[attr-defined]


def attends(room: Switchroom, code: str = "*54") -> None:
    chief(room).dials(f"{code}{serving(room)}")
    room.passes(3.0)


def company(room: Switchroom) -> Sequence[object]:
    """What the plane was told last of who hears whom, as far as the supervisor is concerned."""
    told = [
        command
        for command in room.commands
        if isinstance(command, Join | Confer) or (isinstance(command, KeepFrom) and command.leg == CHIEF)
    ]
    room.commands.clear()
    return told[-2:]


@pytest.mark.parametrize(("code", "unheard"), [("*54", (CALLER, SEAT)), ("*55", (CALLER,)), ("*56", ())])
def test_a_supervisor_listens_whispers_or_joins(
    room: Switchroom, code: str, unheard: tuple[int, ...]
) -> None:
    attends(room, code)
    assert chief(room).heard[-1] == "200"
    assert company(room) == [Confer(CALLER, (SEAT, CHIEF)), KeepFrom(CHIEF, unheard)]
    mode = {"*54": "listen", "*55": "whisper", "*56": "barge"}[code]
    [fact] = [fact for fact in room.facts if fact.fact == "supervision.started"]
    assert (fact.call, fact.leg, fact.details["mode"]) == ("call-1", "seat 8009", mode)


def test_a_key_changes_how_it_is_there(room: Switchroom) -> None:
    attends(room)
    room.tells(CHIEF, DigitPressed("3"))
    assert company(room) == [Confer(CALLER, (SEAT, CHIEF)), KeepFrom(CHIEF, ())]
    room.tells(CHIEF, DigitPressed("2"))
    assert company(room)[-1] == KeepFrom(CHIEF, (CALLER,))
    changed = [fact.details["mode"] for fact in room.facts if fact.fact == "supervision.changed"]
    assert changed == ["barge", "whisper"]
    room.tells(CHIEF, DigitPressed("9"))
    assert company(room) == []


@pytest.mark.parametrize("code", ["*54", "*56"])
def test_a_held_caller_is_kept_from_the_seat_and_not_from_the_supervisor(room: Switchroom, code: str) -> None:
    """The plane gates nobody in a conference: a shut gate would keep the supervisor deaf, and unheard."""
    attends(room, code)
    room.commands.clear()
    room.handsets[f"p{serving(room)}"].holds()
    room.passes(4.5)
    room.presses("1")
    room.passes(3.0)
    assert "hold.started" in room.told
    kept = {command.leg: command.others for command in room.commands if isinstance(command, KeepFrom)}
    assert kept == {CALLER: (SEAT,), SEAT: (CALLER,)}
    assert not [command for command in room.commands if isinstance(command, ShutGate)]
    chief(room).says("BYE")
    gates = [command for command in room.commands if isinstance(command, Join | ShutGate)]
    assert gates == [Join(CALLER, SEAT), ShutGate(CALLER), ShutGate(SEAT)], "two are a pair again, and apart"


def test_a_supervisor_who_comes_while_the_caller_is_held_hears_the_caller(room: Switchroom) -> None:
    room.handsets[f"p{serving(room)}"].holds()
    room.passes(4.5)
    room.presses("1")
    room.passes(3.0)
    room.commands.clear()
    attends(room, "*56")
    assert [command for command in room.commands if isinstance(command, ShutGate)] == []
    kept = {command.leg: command.others for command in room.commands if isinstance(command, KeepFrom)}
    assert kept == {CHIEF: (), CALLER: (SEAT,), SEAT: (CALLER,)}


def test_a_supervisor_stands_in_the_journal_of_the_call_that_it_attends(room: Switchroom) -> None:
    """A restart ends its dialog like those of caller and seat."""
    attends(room)
    entry = room.controller._rooms["call-1"].entry()
    assert [leg.seat for leg in entry.legs] == ["", serving(room), "8009"]
    assert all(leg.dialog is not None for leg in entry.legs)


def test_who_hangs_up_leaves_the_two_alone(room: Switchroom) -> None:
    attends(room)
    chief(room).says("BYE")
    assert company(room)[-1] == Join(CALLER, SEAT)
    assert "supervision.ended" in room.told
    assert room.state("8009") is SeatState.READY
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_the_end_of_the_call_is_the_end_of_it(room: Switchroom) -> None:
    attends(room)
    room.says("BYE", cseq=2)
    assert chief(room).asked[-1] == "BYE"
    assert room.told.index("supervision.ended") > 0
    nothing_left(room)


def test_a_hold_asks_and_reminds_as_ever(room: Switchroom) -> None:
    attends(room)
    room.handsets[f"p{serving(room)}"].holds()
    room.passes(4.5)
    room.presses("1")
    room.passes(33.0)
    assert [prompt for _, prompt in room.said()][-1] == "still_working"
    room.handsets[f"p{serving(room)}"].resumes()
    room.passes(5.0)
    words = [command for command in room.commands if isinstance(command, Play | PlayBoth)]
    assert not [command for command in words if isinstance(command, PlayBoth)], "three are no pair"
    assert {command.leg for command in words if command.prompt == "sorry_to_keep_you"} == {CALLER, SEAT}
    room.says("BYE", cseq=2)
    nothing_left(room)


def test_nobody_else_listens(room: Switchroom) -> None:
    [other] = {"8001", "8002"} - {serving(room)}
    room.handsets[f"p{other}"].dials(f"*54{serving(room)}")
    assert room.handsets[f"p{other}"].heard[-1] == "403"
    assert room.fact("seat.refused")["why"] == "not_allowed"


def test_there_is_nothing_to_hear_where_nobody_speaks(room: Switchroom) -> None:
    [other] = {"8001", "8002"} - {serving(room)}
    chief(room).dials(f"*54{other}")
    assert chief(room).heard[-1] == "480"
    chief(room).dials("*548009")
    assert chief(room).heard[-1] == "403"


def test_a_call_that_ends_before_it_is_heard(room: Switchroom) -> None:
    chief(room).dials(f"*54{serving(room)}")
    room.says("BYE", cseq=2)
    room.passes(5.0)
    assert chief(room).asked[-1] == "BYE"
    assert "supervision.started" not in room.told
    nothing_left(room)


def nothing_left(room: Switchroom) -> None:
    room.passes(400.0)
    assert room.controller.in_hand() == dict.fromkeys(room.controller.in_hand(), 0)
