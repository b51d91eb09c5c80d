"""An office behind one address: phones that ring keep no port, and what cannot be told apart gets another."""

import pytest

from callflow import resources
from callflow.call.queues import QueuePlan, Strategy
from callflow.codec import Law
from callflow.config import read_flow
from callflow.etiquette.house import House
from callflow.flow.model import Flow
from callflow.media.latching import source_key
from callflow.media.messages import Latched, MoveLeg, OpenLeg, SourceTaken, Unlatched
from callflow.sip.happenings import Counted
from tests.support.exchange import Exchange, SeatPhone, sdp
from tests.support.sip_phone import OFFER

pytestmark = pytest.mark.conversation

CALLER, SEAT = 1, 2
PHONES = 600


@pytest.fixture(scope="module")
def service() -> tuple[Flow, House]:
    return read_flow(resources.FLOWS / "service.yaml")


@pytest.fixture
def exchange(service: tuple[Flow, House]) -> Exchange:
    return Exchange(*service, "8001")


def joined(exchange: Exchange) -> SeatPhone:
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    phone.rings()
    phone.answers()
    exchange.passes(5.0)
    assert "call.joined" in exchange.told
    exchange.commands.clear()
    return phone


def moves(exchange: Exchange, leg: int) -> list[MoveLeg]:
    moved = [command for command in exchange.commands if isinstance(command, MoveLeg) and command.leg == leg]
    exchange.commands.clear()
    return moved


def test_six_hundred_phones_behind_one_address_ring_and_any_of_them_may_answer(
    service: tuple[Flow, House],
) -> None:
    numbers = [str(8001 + n) for n in range(PHONES)]
    queue = QueuePlan("service", strategy=Strategy.ALL)
    exchange = Exchange(*service, *numbers, queue=queue)
    exchange.calls()
    exchange.passes(1.0)
    assert sum(phone.asked == ["INVITE"] for phone in exchange.phones.values()) == PHONES
    # Another caller of the same house finds a port, however many ring.
    exchange.another_calls()
    assert "seat.failed" not in exchange.told
    assert exchange.controller.in_hand()["ports"] == PHONES + 2
    exchange.phones["8300"].rings()
    exchange.phones["8300"].answers()
    exchange.passes(5.0)
    assert "call.joined" in exchange.told
    assert exchange.controller.in_hand()["calls"] == 2


def test_a_seat_waits_for_its_packets_from_its_answer_on(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    ports = exchange.controller._ports
    exchange.tells(CALLER, Latched(source_key(("192.0.2.10", 4000))))
    assert not ports._waiting
    exchange.phones["8001"].rings()
    assert not ports._waiting
    exchange.phones["8001"].answers()
    assert [*ports._waiting] == [SEAT]
    exchange.tells(SEAT, Latched(source_key(("192.0.2.50", 4100))))
    assert not ports._waiting
    exchange.tells(SEAT, Unlatched())
    assert [*ports._waiting] == [SEAT]


def test_a_seat_that_cannot_be_told_from_another_leg_is_offered_other_ports_and_not_for_ever(
    exchange: Exchange,
) -> None:
    phone = joined(exchange)
    ports = {_port_of(phone.invites[-1].body)}
    for n in range(4):
        exchange.tells(SEAT, SourceTaken())
        [moved] = moves(exchange, SEAT)
        assert phone.asked[-1] == "INVITE"
        ports.add(_port_of(phone.invites[-1].body))
        phone.answers()
        moves(exchange, SEAT)
        assert moved.port is not None
        assert exchange.controller._ports.numbers[moved.port] == _port_of(phone.invites[-1].body), n
    assert len(ports) > 1
    exchange.counted.clear()
    exchange.tells(SEAT, SourceTaken())
    assert exchange.counted == [Counted("media", "source_taken"), Counted("media", "no_other_port")]
    exchange.tells(SEAT, Latched(source_key(("192.0.2.50", 4100))))
    exchange.tells(SEAT, SourceTaken())
    assert len(moves(exchange, SEAT)) == 1


def _port_of(body: bytes) -> int:
    return int(body.split(b"m=audio ")[1].split()[0])


@pytest.mark.parametrize(
    ("offer", "listens", "sends"),
    [
        (OFFER + b"a=sendonly\r\n", False, True),
        (OFFER + b"a=inactive\r\n", False, False),
        (OFFER + b"a=recvonly\r\n", True, False),
        (OFFER.replace(b"c=IN IP4 192.0.2.10", b"c=IN IP4 0.0.0.0"), False, True),
        (OFFER.replace(b"t=0 0\r\n", b"t=0 0\r\na=sendonly\r\n"), False, True),
    ],
)
def test_a_caller_that_holds_is_held_in_the_plane_too(
    exchange: Exchange, offer: bytes, listens: bool, sends: bool
) -> None:
    joined(exchange)
    exchange.says("INVITE", offer, cseq=2)
    exchange.says("ACK", cseq=2)
    [held] = moves(exchange, CALLER)
    assert (held.listens, held.sends) == (listens, sends)
    exchange.says("INVITE", OFFER, cseq=3)
    exchange.says("ACK", cseq=3)
    [back] = moves(exchange, CALLER)
    assert (back.listens, back.sends) == (True, True)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_seat_s_phone_that_holds_is_held_in_the_plane_too(exchange: Exchange, direction: str) -> None:
    phone = joined(exchange)
    phone.holds(direction)
    [held] = moves(exchange, SEAT)
    assert not held.listens
    phone.resumes()
    [back] = moves(exchange, SEAT)
    assert back.listens


def test_what_a_seat_s_phone_may_send_is_told_to_the_plane(exchange: Exchange) -> None:
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    exchange.commands.clear()
    phone.answers()
    [opened] = [command for command in exchange.commands if isinstance(command, OpenLeg)]
    assert b"RTP/AVP 0 101" in sdp()
    # The phone names one law; both were offered.
    assert (opened.law, set(opened.laws), opened.event_types) == (Law.PCMU, {*Law}, (101,))
