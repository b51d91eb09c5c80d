"""A trunk dies with twenty callers who are served and ten who wait: nobody is left in silence."""

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.events import Party
from callflow.media.messages import Latched, PacketsStopped, Play
from callflow.sip.happenings import TrunkChanged
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation

SERVICE = read_flow(resources.FLOWS / "service.yaml")
SERVED, WAITING = 20, 10
LONGEST = 20.0
"""Seconds in which everybody hears a word or is let go of."""


def full_house() -> Exchange:
    seats = [str(8001 + number) for number in range(SERVED)]
    exchange = Exchange(*SERVICE, *seats, trunk="pbx", most_calls=50)
    for number in range(SERVED + WAITING):
        exchange.another_calls()
        room = exchange.controller._rooms[f"call-{number + 1}"]
        exchange.tells(room.caller.media, Latched())
        exchange.passes(0.3)
        for seat, leg in [*room.ringing.items()]:
            exchange.phones[seat].answers()
            exchange.tells(leg.media, Latched())
    exchange.passes(5.0)
    assert sum(fact.fact == "call.joined" for fact in exchange.facts) == SERVED
    return exchange


@pytest.mark.parametrize("is_noticed", [True, False], ids=["its keepalive fails", "only its audio stops"])
def test_all_callers_of_a_dead_trunk_are_let_go_of_and_their_seats_told(is_noticed: bool) -> None:
    exchange = full_house()
    callers = [room.caller for room in exchange.controller._rooms.values()]
    died_at = exchange.now
    invited = sum(len(phone.invites) for phone in exchange.phones.values())
    exchange.passes(2.0)
    for leg in callers:
        assert leg.party is Party.CALLER
        exchange.tells(leg.media, PacketsStopped())
    if is_noticed:
        controller = exchange.controller
        told = controller._take([TrunkChanged("pbx", "down", None)], exchange.now)
        exchange.take(controller._work.off(told, exchange.now))
    exchange.commands.clear()
    exchange.passes(LONGEST + 2.0)
    ends = {fact.call: fact for fact in exchange.facts if fact.fact == "call.ended"}
    assert len(ends) == SERVED + WAITING
    assert {fact.details["reason"] for fact in ends.values()} == {"media_lost"}
    assert max(fact.at for fact in ends.values()) - died_at <= 15.0 + 7.01, "the last words and their pause"
    told_seats = {command.leg for command in exchange.commands if isinstance(command, Play)}
    assert len(told_seats) == 2 * SERVED + WAITING, "each seat hears it, and each caller the last words"
    exchange.passes(7.0)
    assert all(phone.asked[-1] == "BYE" for phone in exchange.phones.values())
    assert sum(len(phone.invites) for phone in exchange.phones.values()) == invited, "rung for nobody"
    assert {seat.state for seat in exchange.controller.switchboard.seats} <= {
        SeatState.WRAP_UP,
        SeatState.READY,
    }
    exchange.passes(64.0)
    in_hand = exchange.controller.in_hand()
    assert in_hand == dict.fromkeys(in_hand, 0)


def test_the_callers_of_another_trunk_go_on() -> None:
    exchange = full_house()
    controller = exchange.controller
    told = controller._take([TrunkChanged("other", "down", None)], exchange.now)
    exchange.take(controller._work.off(told, exchange.now))
    exchange.passes(60.0)
    assert "call.ended" not in exchange.told
