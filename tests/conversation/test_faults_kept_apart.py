"""A fault of ours in one call costs no other call a word: planted in every component, one after the other."""

from collections.abc import Callable
from itertools import count, pairwise
from typing import Any

import pytest

from callflow import resources
from callflow.call.call import Call
from callflow.call.caller_side import CallerSide
from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.lost_legs import LostLegs
from callflow.call.manners import Manners
from callflow.call.media_side import MediaSide
from callflow.call.notes import Notes
from callflow.call.queues import QueuePlan, Queues
from callflow.call.room import Room
from callflow.call.seat_side import SeatSide
from callflow.call.seats import SeatPlan, Seats, SeatState
from callflow.call.switchboard import Switchboard
from callflow.call.transferring import Transferring
from callflow.call.trunk_health import TrunkHealth
from callflow.config import read_flow
from callflow.etiquette.hold import Hold
from callflow.events import DigitPressed
from callflow.flow.run import FlowRun
from callflow.media.messages import Latched, PacketsStopped
from callflow.sip.calls import Calls
from callflow.sip.endpoint import Endpoint
from tests.support.exchange import Exchange, SeatPhone
from tests.support.sip_phone import THEM

pytestmark = pytest.mark.conversation

SERVICE = read_flow(resources.FLOWS / "service.yaml")
LONGEST = 20.0
"""Seconds within which a caller hears a word or is ended, whatever fails."""
OF_ONE_CALL: list[tuple[type[Any], str]] = [
    (Call, "receive"), (Call, "tick"),
    (CallerSide, "told"), (CallsFromSeats, "ended"),
    (Leg, "await_key"), (Lines, "accepted"), (Lines, "close"), (Lines, "reoffered"),
    (MediaSide, "told"),
    (Room, "await_key"), (Room, "gate"), (Room, "go_on"), (Room, "perform"), (Room, "picked_up"),
    (Room, "ring"), (Room, "ring_target"), (Room, "speak"), (Room, "target_left"),
    (SeatSide, "heard"), (SeatSide, "tick"), (SeatSide, "told"),
    (Switchboard, "find"), (Switchboard, "hung_up"), (Switchboard, "left"), (Switchboard, "performed"),
    (Switchboard, "picked_up"), (Switchboard, "rings"),
    (Transferring, "performed"), (Transferring, "referred"), (Transferring, "shown"), (Transferring, "told"),
    (TrunkHealth, "ended"),
]  # fmt: skip
"""Methods that are told which call they work for."""
OF_ALL: list[tuple[type[Any], str]] = [
    (Calls, "answer"), (Calls, "hang_up"), (Calls, "reoffer"), (Calls, "tell_referral"),
    (Endpoint, "receive"), (Endpoint, "tick"),
    (FlowRun, "receive"), (FlowRun, "tick"), (Hold, "receive"), (Hold, "tick"), (Manners, "receive"),
    (Notes, "event"), (Queues, "declined"), (Queues, "leave"), (Queues, "tick"), (Seats, "finished"),
    (Seats, "turn"), (Switchboard, "tick"),
]  # fmt: skip
"""Methods that know no call: they fail once, at the n-th time."""


def of_first_call(*values: object) -> bool:
    """Whether the method works for the first call."""
    for value in values:
        name = getattr(value, "call", None)
        name = name.ledger.call if isinstance(name, Call) else name
        name = value.ledger.call if isinstance(value, Call) else name
        if name == "call-1":
            return True
    return False


def plant(patch: pytest.MonkeyPatch, cls: type[Any], method: str, fails: Callable[..., bool]) -> None:
    """Let a method raise where `fails` says so."""
    real = getattr(cls, method)

    def broken(self: Any, *args: Any, **named: Any) -> Any:
        if fails(self, *args):
            raise RuntimeError(f"planted in {cls.__name__}.{method}")
        return real(self, *args, **named)

    patch.setattr(cls, method, broken)


def two_calls(begins: Callable[[Exchange], object] = lambda exchange: None) -> Exchange:
    """The first caller rings at a seat; the second waits, because nobody else works in that queue.

    `begins` is called before the first of them does.
    """
    own = frozenset({"own"})
    seats = SeatPlan("8001", "p8001", own), SeatPlan("8002", "p8002")
    exchange = Exchange(*SERVICE, *seats, queue=QueuePlan("service", own))
    exchange.expects_faults = True
    begins(exchange)
    exchange.calls()
    exchange.passes(1.0)
    exchange.another_calls()
    return exchange


def goes_on(exchange: Exchange) -> None:
    """The first call is served, held by its seat's key, given back, transferred, refused, and closed."""
    phone, other = exchange.phones["8001"], exchange.phones["8002"]
    acts: list[tuple[SeatPhone | None, Callable[[], object]]] = [
        (phone, phone.rings), (phone, phone.answers), (None, lambda: exchange.tells(1, Latched())),
        (phone, phone.holds), (None, lambda: exchange.presses("1")), (phone, phone.resumes),
        (None, lambda: exchange.tells(2, DigitPressed("*"))),
        (None, lambda: exchange.tells(2, DigitPressed("1"))),
        (None, lambda: exchange.presses("2")), (phone, lambda: phone.refers("8002")),
        (None, lambda: exchange.presses("1")),
        (other, other.rings), (other, lambda: other.answers(486, "Busy Here")),
        (phone, phone.hangs_up),
    ]  # fmt: skip
    for who, act in acts:
        if who is None or who.invites:
            act()
        exchange.passes(5.0)


def words(exchange: Exchange, call: str) -> list[float]:
    return [fact.at for fact in exchange.facts if fact.call == call and fact.fact == "prompt.started"]


def ended_at(exchange: Exchange, call: str) -> float | None:
    ends = (fact.at for fact in exchange.facts if fact.call == call and fact.fact == "call.ended")
    return next(ends, None)


def second_is_spoken_to(exchange: Exchange) -> None:
    """Nothing of it is late: a waiting caller hears a word every 30 s, from one beginning to the next."""
    assert ended_at(exchange, "call-2") is None
    said = [*words(exchange, "call-2"), exchange.now]
    assert len(said) > 3
    assert max(after - before for before, after in pairwise(said)) <= 30.001


def all_is_let_go_of(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of either call when both callers have hung up and others have called."""
    monkeypatch.undo()
    exchange.says("BYE", cseq=9)
    exchange.receives(exchange.others[0].request("BYE", cseq=9), THEM)
    for _ in range(3):
        exchange.another_calls()
        exchange.passes(11.0)
        exchange.receives(exchange.others[-1].request("BYE", cseq=9), THEM)
    exchange.passes(64.0)
    in_hand = exchange.controller.in_hand()
    assert in_hand == dict.fromkeys(in_hand, 0)
    seats = exchange.controller.switchboard.seats
    assert {seat.state for seat in seats} <= {SeatState.READY, SeatState.WRAP_UP}


def test_without_a_fault_the_second_caller_is_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = two_calls()
    goes_on(exchange)
    second_is_spoken_to(exchange)
    assert exchange.faults == []
    all_is_let_go_of(exchange, monkeypatch)


@pytest.mark.parametrize("after", [0.0, 2.0], ids=["from the start", "later"])
@pytest.mark.parametrize(("cls", "method"), OF_ONE_CALL)
def test_a_call_in_which_we_always_fail_ends_and_no_other_notices(
    cls: type[Any], method: str, after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: list[float] = []

    def begins(exchange: Exchange) -> None:
        def fails(*values: object) -> bool:
            fails_now = of_first_call(*values) and exchange.now >= after
            planted.extend([exchange.now] if fails_now else [])
            return fails_now

        plant(monkeypatch, cls, method, fails)

    exchange = two_calls(begins)
    goes_on(exchange)
    exchange.passes(LONGEST)
    if not planted:
        assert after > 0, "the scenario never comes that way"
        return
    second_is_spoken_to(exchange)
    end = ended_at(exchange, "call-1")
    later = [at for at in words(exchange, "call-1") if at > planted[0]]
    assert end is not None or later, "the caller sits in silence"
    assert min([*later, *([] if end is None else [end])]) - planted[0] <= LONGEST
    all_is_let_go_of(exchange, monkeypatch)


def test_a_fault_while_one_silent_leg_is_judged_costs_no_other_its_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exchange = two_calls(
        lambda exchange: plant(monkeypatch, LostLegs, "end", lambda lost, leg, now: leg.call == "call-1")
    )
    exchange.caller_deaf_to = frozenset({"OPTIONS"})
    for call in ("call-1", "call-2"):
        exchange.tells(exchange.controller._rooms[call].caller.media, Latched())
    exchange.passes(1.0)
    for call in ("call-1", "call-2"):
        exchange.tells(exchange.controller._rooms[call].caller.media, PacketsStopped())
    exchange.passes(25.0)
    ends = {fact.call: fact.details["reason"] for fact in exchange.facts if fact.fact == "call.ended"}
    assert ends == {"call-1": "fault", "call-2": "media_lost"}
    assert len(exchange.faults) == 1
    all_is_let_go_of(exchange, monkeypatch)


@pytest.mark.parametrize("nth", [2, 3, 8])
@pytest.mark.parametrize(("cls", "method"), OF_ALL)
def test_a_part_that_serves_all_calls_fails_once_and_no_caller_is_left_in_silence(
    cls: type[Any], method: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = count(1)
    plant(monkeypatch, cls, method, lambda *_: next(times) == nth)
    exchange = two_calls()
    goes_on(exchange)
    exchange.passes(40.0)
    for call in ("call-1", "call-2"):
        end = ended_at(exchange, call)
        said = [*words(exchange, call), exchange.now]
        assert end is not None or max(after - before for before, after in pairwise(said)) <= 31.001
    all_is_let_go_of(exchange, monkeypatch)
