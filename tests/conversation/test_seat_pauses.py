"""A seat that did not take a call is not rung again at once, also where it is the only one left."""

from itertools import pairwise

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.sip.message import respond
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation

SERVICE = read_flow(resources.FLOWS / "service.yaml")


def waiting(*seats: str) -> Exchange:
    exchange = Exchange(*SERVICE, *seats)
    exchange.calls()
    exchange.passes(1.0)
    return exchange


def rung_until(exchange: Exchange, status: int, reason: str, seconds: float) -> list[float]:
    """When the lone seat is rung, if it always answers so: seconds since the first time, by halves."""
    phone, rung, first = exchange.phones["8001"], list[float](), exchange.now
    while exchange.now < first + seconds:
        if len(phone.invites) > len(rung):
            rung.append(exchange.now - first)
            phone.answers(status, reason)
        exchange.passes(0.5)
    return rung


@pytest.mark.parametrize(
    ("status", "reason", "pause"),
    [(486, "Busy Here", 10.0), (600, "Busy Everywhere", 10.0), (603, "Decline", 30.0), (480, "Away", 30.0)],
)
def test_a_lone_seat_that_does_not_want_the_call_has_its_pause(
    status: int, reason: str, pause: float
) -> None:
    rung = rung_until(waiting("8001"), status, reason, 100.0)
    gaps = [after - before for before, after in pairwise(rung)]
    assert gaps
    assert gaps == pytest.approx([pause] * len(gaps), abs=0.501)


def test_the_pauses_of_a_faulty_phone_double_up_to_two_minutes() -> None:
    rung = rung_until(waiting("8001"), 500, "Server Error", 290.0)
    gaps = [after - before for before, after in pairwise(rung)]
    assert gaps == pytest.approx([10.0, 20.0, 40.0, 80.0, 120.0], abs=0.501)


def test_retry_after_is_kept() -> None:
    exchange = waiting("8001")
    phone = exchange.phones["8001"]
    invite = phone.invites[-1]
    phone._replies(respond(invite, 486, "Busy Here", ("retry-after", "45 (lunch)"), to_tag="x"))
    exchange.passes(44.5)
    assert len(phone.invites) == 1
    exchange.passes(3.0)
    assert len(phone.invites) == 2


def test_the_state_says_so_and_the_caller_waits_meanwhile() -> None:
    exchange = waiting("8001")
    exchange.phones["8001"].answers(603, "Decline")
    seat = exchange.controller.switchboard.seats["8001"]
    assert (seat.state, seat.reason) == (SeatState.PAUSED, "declined")
    assert exchange.controller.desk_of("8001", exchange.now).state == "paused"
    exchange.passes(25.0)
    assert "nobody_there" not in [prompt for _, prompt in exchange.said()]


def test_another_seat_is_rung_at_once() -> None:
    exchange = waiting("8001", "8002")
    exchange.phones["8001"].answers(486, "Busy Here")
    assert len(exchange.phones["8002"].invites) == 1


def test_a_phone_that_does_not_even_say_100_is_taken_for_faulty() -> None:
    exchange = Exchange(*SERVICE, "8001")
    phone = exchange.phones["8001"]
    phone.deaf_to = frozenset({"INVITE"})
    exchange.calls()
    exchange.passes(22.0)
    seat = exchange.controller.switchboard.seats["8001"]
    assert (seat.state, seat.reason) == (SeatState.PAUSED, "failed")
