"""Who sits where, what each seat does, and who has the calls of one that is away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.call.seats import MOST_FORWARDS, SeatPlan, SeatRefused, Seats, SeatState

pytestmark = pytest.mark.pure


def seats(*plans: SeatPlan, registered: bool = True, wrap_up: float = 15.0) -> Seats:
    table = Seats(lambda phone, now: registered, wrap_up, frozenset({"desk", "spare"}))
    table.add(plans or (SeatPlan("8001", "p1"), SeatPlan("8002", "p2"), SeatPlan("8003")), 0.0)
    return table


def state(table: Seats, number: str, now: float = 1.0) -> SeatState:
    return table.state(table[number], now)


def test_a_seat_without_a_phone_is_offline_until_it_logs_in() -> None:
    table = seats()
    assert state(table, "8003") is SeatState.OFFLINE
    [changed] = table.log_in("8003", "desk", 1.0)
    assert (changed.before, changed.after) == (SeatState.OFFLINE, SeatState.READY)
    assert table.at("desk") is table["8003"]
    assert "8003" in [seat.number for seat in table.ready(1.0)]


def test_who_sits_at_a_phone_is_logged_out_by_who_logs_in_there() -> None:
    table = seats()
    [left, _] = table.log_in("8003", "p1", 5.0)
    assert (left.seat, left.after, left.reason) == ("8001", SeatState.OFFLINE, "phone_taken")
    assert (table["8001"].phone, table["8003"].phone) == (None, "p1")
    assert [seat.number for seat in table.ready(5.0)] == ["8002", "8003"]


def test_a_seat_that_logs_in_where_it_sits_stays() -> None:
    table = seats()
    assert table.log_in("8001", "p1", 5.0) == []
    assert state(table, "8001") is SeatState.READY


def test_to_log_in_elsewhere_frees_the_phone_before() -> None:
    table = seats()
    table.log_in("8001", "desk", 5.0)
    assert table.at("p1") is None


@pytest.mark.parametrize("busy", [SeatState.RINGING, SeatState.TALKING, SeatState.HOLDING])
@pytest.mark.parametrize("who", ["8001", "8002"])
def test_nobody_in_a_call_is_moved(busy: SeatState, who: str) -> None:
    table = seats()
    table.turn(who, busy, 1.0)
    with pytest.raises(SeatRefused, match="busy"):
        table.log_in("8001", "p2", 2.0)
    assert (table["8001"].phone, table["8002"].phone) == ("p1", "p2")
    if who == "8001":
        with pytest.raises(SeatRefused, match="busy"):
            table.log_out("8001", 2.0)


def test_what_cannot_be_is_refused_with_its_reason() -> None:
    table = seats()
    with pytest.raises(SeatRefused, match="no_such_phone"):
        table.log_in("8001", "p9", 1.0)
    with pytest.raises(SeatRefused, match="no_such_seat"):
        table.log_in("8009", "desk", 1.0)
    with pytest.raises(SeatRefused, match="not_logged_in"):
        table.log_out("8003", 1.0)


def test_logged_out_it_is_rung_no_more_and_its_wrap_up_is_over() -> None:
    table = seats()
    table.turn("8001", SeatState.WRAP_UP, 1.0)
    table.log_out("8001", 2.0)
    assert table.deadline is None
    assert state(table, "8001", 100.0) is SeatState.OFFLINE
    assert "8001" not in [seat.number for seat in table.at_work(100.0)]


@pytest.mark.parametrize(
    ("before", "after_nothing", "after_talk"),
    [
        (SeatState.READY, SeatState.READY, SeatState.WRAP_UP),
        (SeatState.WRAP_UP, SeatState.WRAP_UP, SeatState.WRAP_UP),
        (SeatState.AWAY, SeatState.AWAY, SeatState.AWAY),
    ],
)
def test_after_its_own_call_a_seat_does_what_it_did(
    before: SeatState, after_nothing: SeatState, after_talk: SeatState
) -> None:
    for over, after in ((Seats.put_down, after_nothing), (Seats.finished, after_talk)):
        table = seats()
        table.turn("8001", before, 1.0, "lunch" if before is SeatState.AWAY else "")
        table.calls("8001", 2.0)
        assert state(table, "8001") is SeatState.TALKING
        over(table, "8001", 3.0)
        assert state(table, "8001", 3.0) is after
        assert table["8001"].reason == ("lunch" if before is SeatState.AWAY else "")
        # What it did before its own call has nothing to say after the next caller's.
        table.turn("8001", SeatState.TALKING, 30.0)
        table.finished("8001", 40.0)
        assert state(table, "8001") is SeatState.WRAP_UP


@pytest.mark.rule("crs-09")
def test_calls_for_a_seat_that_is_away_for_long_go_to_the_other() -> None:
    table = seats(SeatPlan("8001", "p1", forward="8002", forward_after=600.0), SeatPlan("8002", "p2"))
    assert table.serving("8001", 0.0) == "8001"
    table.turn("8001", SeatState.AWAY, 100.0)
    assert table.serving("8001", 699.9) == "8001"
    assert table.serving("8001", 700.0) == "8002"
    table.turn("8001", SeatState.READY, 800.0)
    assert table.serving("8001", 900.0) == "8001"


def test_a_call_is_passed_on_from_one_to_the_next() -> None:
    plans = [SeatPlan(f"{n}", f"p{n}", forward=f"{n + 1}") for n in range(1, 10)]
    table = seats(*plans, SeatPlan("10", "p10"))
    for number in "123":
        table.turn(number, SeatState.AWAY, 0.0)
    assert table.serving("1", 1.0) == "4"
    for number in "456789":
        table.turn(number, SeatState.AWAY, 0.0)
    assert table.serving("1", 1.0) == str(1 + MOST_FORWARDS)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6), st.integers(0, 5))
def test_forwards_that_go_round_end_somewhere(forwards: list[int], first: int) -> None:
    table = seats(*(SeatPlan(f"{n}", f"p{n}", forward=f"{to}") for n, to in enumerate(forwards)))
    for seat in table:
        table.turn(seat.number, SeatState.AWAY, 0.0)
    assert table.serving(f"{first}", 1.0) in table


@given(
    st.lists(
        st.tuples(st.sampled_from(["8001", "8002", "8003"]), st.sampled_from(["p1", "p2", "desk", ""])),
        max_size=20,
    )
)
def test_a_phone_has_one_seat_and_a_seat_one_phone(moves: list[tuple[str, str]]) -> None:
    table = seats()
    for number, phone in moves:
        if phone:
            table.log_in(number, phone, 1.0)
        elif table[number].phone:
            table.log_out(number, 1.0)
        taken = [seat.phone for seat in table if seat.phone]
        assert len(taken) == len(set(taken))
        assert all((seat.phone is None) is (seat.state is SeatState.OFFLINE) for seat in table)
