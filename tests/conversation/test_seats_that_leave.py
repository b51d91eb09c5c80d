"""How a seat leaves: by hanging up, however early, or lost; and how often it is rung again."""

import pytest

from callflow import resources
from callflow.call.seats import SeatState
from callflow.config import read_flow
from callflow.media.messages import PacketsStopped
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation

SERVICE = read_flow(resources.FLOWS / "service.yaml")


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(*SERVICE, "8001")


def joined(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(2.01)
    assert "call.joined" in exchange.told


def state(exchange: Exchange) -> SeatState:
    return exchange.controller.switchboard.seats["8001"].state


@pytest.mark.rule("csr-36")
@pytest.mark.parametrize("talks", [0.1, 3.0, 19.0])
def test_a_seat_that_hangs_up_early_has_finished(exchange: Exchange, talks: float) -> None:
    """It is followed by the closing, writes up, and is not rung for that call."""
    joined(exchange)
    exchange.passes(talks)
    exchange.phones["8001"].hangs_up()
    assert state(exchange) is SeatState.WRAP_UP
    exchange.passes(4.0)
    assert exchange.said()[-1][1] == "press_1_for_help" or exchange.said()[-1][1] == "anything_else"
    assert "seat.lost" not in exchange.told
    exchange.passes(30.0)
    assert exchange.told[-1] == "call.ended"
    assert len(exchange.phones["8001"].invites) == 1


def test_thirteen_early_hang_ups_are_not_thirteen_calls(exchange: Exchange) -> None:
    """Wrap-up applies after each call, and one caller rings the seat once."""
    joined(exchange)
    exchange.phones["8001"].hangs_up()
    exchange.passes(50.0)
    assert len(exchange.phones["8001"].invites) == 1


def test_a_reason_that_tells_of_a_fault_is_evidence(exchange: Exchange) -> None:
    joined(exchange)
    exchange.passes(5.0)
    exchange.phones["8001"].asks("BYE", b"", None, 'Reason: Q.850;cause=102;text="Recovery on timer expiry"')
    exchange.passes(0.1)
    assert "seat.lost" in exchange.told
    assert len(exchange.phones["8001"].invites) == 2


def test_a_lost_seat_is_rung_once_and_then_the_queue_has_its_caller(exchange: Exchange) -> None:
    joined(exchange)
    phone = exchange.phones["8001"]
    for times in (1, 2):
        exchange.passes(5.0)
        exchange.tells(2 if times == 1 else 3, PacketsStopped())
        exchange.passes(0.5)
        phone.hangs_up()
        exchange.passes(1.0)
        if times == 1:
            phone.answers()
            exchange.passes(4.0)
    assert exchange.told.count("seat.lost") == 2
    assert len(phone.invites) == 2, "not a third time at once"
    exchange.passes(3.0)
    assert exchange.told.count("queue.entered") == 2
    assert state(exchange) is SeatState.WRAP_UP
    exchange.passes(15.0)
    assert len(phone.invites) == 3, "from the queue, when it has written up"
