"""Who is rung for whom, and when: queues and seats on given numbers."""

import pytest

from callflow.call.queues import Nobody, Offer, QueuePlan, Queues, Strategy, Withdraw
from callflow.call.seats import SeatChanged, SeatPlan, Seats, SeatState

pytestmark = pytest.mark.pure

A, B, C = "8001", "8002", "8003"


class Floor:
    """Three seats and one queue."""

    def __init__(self, plan: QueuePlan, *plans: SeatPlan) -> None:
        self.phones = {"p8001", "p8002", "p8003"}
        self.seats = Seats(lambda phone, now: phone in self.phones)
        self.seats.add(plans or [SeatPlan(number, f"p{number}") for number in (A, B, C)], 0.0)
        for index, seat in enumerate(self.seats):
            seat.idle_since = float(index)
        self.queues = Queues([plan], self.seats)


def test_the_longest_idle_is_rung_and_then_the_next() -> None:
    floor = Floor(QueuePlan("q", ring_for=20.0))
    assert floor.queues.enter("call", "q", 10.0) == [Offer("call", (A,))]
    assert floor.queues.tick(29.9) == []
    assert floor.queues.deadline == 30.0
    assert floor.queues.tick(30.0) == [Withdraw("call", A), Offer("call", (B,))]
    assert floor.queues.declined("call", B, 31.0) == [Offer("call", (C,))]
    assert floor.queues.declined("call", C, 32.0) == []
    assert floor.queues.deadline == 34.0
    assert floor.queues.tick(34.0) == [Offer("call", (A,))]
    assert floor.queues.answered("call", A) == []
    assert len(floor.queues) == 0
    assert floor.queues.deadline is None


def test_all_ring_and_the_first_to_answer_has_the_call() -> None:
    floor = Floor(QueuePlan("q", strategy=Strategy.ALL))
    assert floor.queues.enter("call", "q", 0.0) == [Offer("call", (A, B, C))]
    assert floor.queues.declined("call", A, 1.0) == []
    assert floor.queues.answered("call", C) == [Withdraw("call", B)]


def test_by_priority_and_among_equals_the_longest_idle() -> None:
    plans = [
        SeatPlan(A, "p8001", priority=2),
        SeatPlan(B, "p8002", priority=1),
        SeatPlan(C, "p8003", priority=1),
    ]
    floor = Floor(QueuePlan("q", strategy=Strategy.PRIORITY), *plans)
    assert floor.queues.enter("call", "q", 0.0) == [Offer("call", (B,))]
    assert floor.queues.declined("call", B, 1.0) == [Offer("call", (C,))]
    assert floor.queues.declined("call", C, 2.0) == [Offer("call", (A,))]


def test_only_who_has_the_skills_is_rung() -> None:
    plans = [SeatPlan(A, "p8001"), SeatPlan(B, "p8002", frozenset({"gas", "billing"}))]
    floor = Floor(QueuePlan("q", frozenset({"gas"})), *plans)
    assert floor.queues.enter("call", "q", 0.0) == [Offer("call", (B,))]
    floor.phones.discard("p8002")
    assert floor.queues.enter("other", "q", 1.0) == [Nobody("other", "no_seats")]


def test_nobody_is_rung_for_two_callers() -> None:
    floor = Floor(QueuePlan("q"))
    offers = [floor.queues.enter(f"call-{n}", "q", 0.0) for n in range(4)]
    assert offers == [[Offer("call-0", (A,))], [Offer("call-1", (B,))], [Offer("call-2", (C,))], []]
    assert [floor.queues.position(f"call-{n}") for n in range(4)] == [1, 2, 3, 4]
    assert floor.queues.leave("call-1") == [Withdraw("call-1", B)]
    assert floor.queues.tick(1.0) == [Offer("call-3", (B,))]


def test_who_was_lost_goes_before_all_who_wait() -> None:
    floor = Floor(QueuePlan("q"))
    for number in (A, B, C):
        floor.seats.turn(number, SeatState.TALKING, 0.0)
    floor.queues.enter("first", "q", 0.0)
    floor.queues.enter("second", "q", 1.0)
    floor.queues.enter("lost", "q", 2.0, head=True)
    floor.queues.enter("lost too", "q", 3.0, head=True)
    floor.seats.finished(B, 4.0)
    assert floor.queues.tick(4.0) == []
    assert floor.seats.deadline == 19.0
    assert floor.seats.tick(19.0) == [SeatChanged(B, SeatState.WRAP_UP, SeatState.READY, 15.0)]
    assert floor.queues.tick(19.0) == [Offer("lost", (B,))]
    assert [floor.queues.position(call) for call in ("lost", "lost too", "first", "second")] == [1, 2, 3, 4]


def test_waiting_has_an_end() -> None:
    floor = Floor(QueuePlan("q", longest_wait=60.0))
    for number in (A, B, C):
        floor.seats.turn(number, SeatState.TALKING, 0.0)
    assert floor.queues.enter("call", "q", 0.0) == []
    assert floor.queues.deadline == 60.0
    assert floor.queues.tick(60.0) == [Nobody("call", "waited")]
    assert len(floor.queues) == 0


def test_an_end_of_waiting_stops_what_rings() -> None:
    floor = Floor(QueuePlan("q", longest_wait=10.0))
    floor.queues.enter("call", "q", 0.0)
    assert floor.queues.tick(10.0) == [Withdraw("call", A), Nobody("call", "waited")]


def test_when_all_go_away_nobody_is_there() -> None:
    floor = Floor(QueuePlan("q"))
    floor.queues.enter("call", "q", 0.0)
    for number in (A, B, C):
        floor.seats.turn(number, SeatState.AWAY, 1.0, "lunch")
    assert floor.queues.declined("call", A, 1.0) == [Nobody("call", "no_seats")]


def test_a_phone_that_is_gone_makes_a_seat_offline_but_ends_no_call() -> None:
    floor = Floor(QueuePlan("q"))
    seat = floor.seats[A]
    assert floor.seats.state(seat, 0.0) is SeatState.READY
    floor.phones.clear()
    assert floor.seats.state(seat, 0.0) is SeatState.OFFLINE
    floor.seats.turn(A, SeatState.TALKING, 0.0)
    assert floor.seats.state(seat, 0.0) is SeatState.TALKING


def test_a_seats_times_are_told() -> None:
    floor = Floor(QueuePlan("q"))
    assert floor.seats.turn(A, SeatState.RINGING, 5.0) == [
        SeatChanged(A, SeatState.READY, SeatState.RINGING, 5.0)
    ]
    assert floor.seats.turn(A, SeatState.RINGING, 6.0) == []
    assert floor.seats.turn(A, SeatState.AWAY, 7.0, "lunch")[0].seconds == 2.0
    assert [changed.reason for changed in floor.seats.turn(A, SeatState.AWAY, 8.0, "training")] == [
        "training"
    ]
    assert floor.seats.at("p8002") is floor.seats[B]
    assert floor.seats.at("nobody") is None
