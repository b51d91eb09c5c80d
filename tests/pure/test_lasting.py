"""Registrations and seats as they are written down, and taken up by the next life of the program."""

import json
from dataclasses import replace

import pytest

from callflow.call.lasting import Registered, SeatEntry, restore_seats
from callflow.call.seats import SeatPlan, Seats, SeatState
from callflow.sip.address import Hop, Transport
from callflow.sip.headers import NameAddress
from callflow.sip.registrar import Binding

pytestmark = pytest.mark.pure

WALL = 1_800_000_000.0
CONTACT = NameAddress.parse('"Phone" <sip:p8001@192.0.2.50:5071;transport=tcp>')


def binding(expires_at: float, cseq: int = 7) -> Binding:
    return Binding(CONTACT, Hop(("192.0.2.50", 40001), Transport.TCP), expires_at, "reg-1", cseq)


def seats(*plans: SeatPlan, desks: tuple[str, ...] = ("desk",)) -> Seats:
    made = Seats(lambda phone, now: True, phones=frozenset(desks))
    made.add(plans or (SeatPlan("8001", "p1"), SeatPlan("8002", "p2"), SeatPlan("8003")), 0.0)
    return made


def written(table: Seats, now: float) -> list[SeatEntry]:
    """As JSON and back, at the time of day `WALL`."""
    lines = [SeatEntry.of(seat, now, WALL).as_json() for seat in table]
    return [SeatEntry.read(json.loads(line)["sits"]) for line in lines]


def shown(table: Seats) -> list[tuple[str, str | None, str, str]]:
    return [(seat.number, seat.phone, seat.state.value, seat.reason) for seat in table]


def test_a_registration_is_the_same_after_a_restart_by_the_time_of_day() -> None:
    told = Registered.of("p8001", [binding(500.0)], now=400.0, wall=WALL)
    again = Registered.read(json.loads(told.as_json())["registered"])
    assert again == told
    # Ten seconds later, and the monotonic clock has begun anew.
    [bound] = again.living(now=3.0, wall=WALL + 10)
    # The connection by which it came is no more: it is called where it listens.
    assert bound == replace(binding(3.0 + 90), source=Hop(("192.0.2.50", 5071), Transport.TCP))


@pytest.mark.parametrize(
    ("contact", "transport", "hop"),
    [
        ("<sip:p@192.0.2.50:5071>", Transport.UDP, Hop(("192.0.2.50", 40001))),
        ("<sip:p@10.0.0.7:5071>", Transport.UDP, Hop(("192.0.2.50", 40001))),
        ("<sip:p@192.0.2.50:5071>", Transport.TCP, Hop(("192.0.2.50", 5071), Transport.TCP)),
        ("<sip:p@10.0.0.7:5071;transport=tcp>", Transport.TCP, Hop(("10.0.0.7", 5071), Transport.TCP)),
        ("<sip:p@phone.example;transport=tcp>", Transport.TCP, Hop(("192.0.2.50", 40001), Transport.TCP)),
    ],
)
def test_a_phone_by_udp_is_called_where_it_came_from_and_one_by_tcp_where_it_listens(
    contact: str, transport: Transport, hop: Hop
) -> None:
    """Where its Contact is a name, which nobody looks up, it came from there at least."""
    source = Hop(("192.0.2.50", 40001), transport)
    one = replace(binding(500.0), contact=NameAddress.parse(contact), source=source)
    told = Registered.of("p8001", [one], now=400.0, wall=WALL)
    assert [bound.source for bound in told.living(0.0, WALL)] == [hop]


def test_what_has_expired_meanwhile_is_not_taken_up() -> None:
    told = Registered.of("p8001", [binding(500.0), binding(700.0)], now=400.0, wall=WALL)
    assert [bound.expires_at for bound in told.living(now=0.0, wall=WALL + 100)] == [200.0]
    assert told.living(now=0.0, wall=WALL + 301) == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"user": "x", "bindings": [{}]},
        {"user": "x", "bindings": 7},
        {"user": "x", "bindings": [{"contact": "<sip:a@b>"}]},
    ],
)
def test_what_is_no_registration_is_told(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no registration"):
        Registered.read(told)


def test_a_contact_that_was_harmed_is_told() -> None:
    told = Registered.of("p8001", [binding(500.0)], now=400.0, wall=WALL)
    harmed = json.loads(told.as_json())["registered"]
    harmed["bindings"][0]["contact"] = "<nothing"
    with pytest.raises(ValueError, match="Bad"):
        Registered.read(harmed).living(0.0, WALL)


def test_seats_sit_where_they_sat_and_are_away_for_their_reason_and_time() -> None:
    before = seats()
    before.log_in("8003", "desk", 10.0)
    before.turn("8001", SeatState.AWAY, 20.0, "午休", minutes=30)
    before.log_out("8002", 30.0)
    after = seats()
    changed = restore_seats(after, written(before, 100.0), now=5.0, wall=WALL + 60)
    assert shown(after) == shown(before)
    assert {(change.seat, change.after.value) for change in changed} == {
        *(("8001", "away"), ("8002", "offline"), ("8003", "ready")),
    }
    # Away since 80 s before the writing, which was 60 s ago.
    assert after["8001"].since == pytest.approx(5.0 - 140)
    assert after["8001"].back_at == pytest.approx(5.0 - 140 + 1800)


def test_two_who_have_changed_places_sit_there() -> None:
    before = seats()
    before.log_out("8002", 0.0)
    before.log_in("8001", "p2", 0.0)
    before.log_in("8002", "p1", 0.0)
    after = seats()
    restore_seats(after, written(before, 1.0), now=0.0, wall=WALL)
    assert [(seat.number, seat.phone) for seat in after][:2] == [("8001", "p2"), ("8002", "p1")]


@pytest.mark.parametrize(
    "state", [SeatState.TALKING, SeatState.HOLDING, SeatState.RINGING, SeatState.WRAP_UP]
)
def test_whose_call_was_cut_off_writes_it_up_and_is_ready_then(state: str) -> None:
    before, after = seats(), seats()
    before.turn("8001", SeatState(state), 1.0)
    restore_seats(after, written(before, 2.0), now=0.0, wall=WALL)
    assert shown(after)[0] == ("8001", "p1", "wrap_up", "")
    after.tick(after.wrap_up)
    assert shown(after)[0] == ("8001", "p1", "ready", "")


def test_who_was_away_and_called_somebody_is_away() -> None:
    before, after = seats(), seats()
    before.turn("8001", SeatState.AWAY, 1.0, "培训")
    before.calls("8001", 2.0)
    restore_seats(after, written(before, 3.0), now=0.0, wall=WALL)
    assert (after["8001"].state, after["8001"].reason) == (SeatState.AWAY, "培训")


def test_what_the_configuration_has_changed_stands() -> None:
    before = seats()
    before.log_out("8001", 0.0)
    before.log_in("8003", "desk", 0.0)
    after = seats(SeatPlan("8001", "p9"), SeatPlan("8003"), desks=())
    restore_seats(after, written(before, 1.0), now=0.0, wall=WALL)
    assert shown(after) == [("8001", "p9", "ready", ""), ("8003", None, "offline", "")]


@pytest.mark.parametrize("change", [{"state": "asleep"}, {"since": "x"}, {"back": []}, {"other": 1}])
def test_what_is_no_seat_is_told(change: dict[str, object]) -> None:
    told = json.loads(written(seats(), 0.0)[0].as_json())["sits"]
    with pytest.raises((ValueError, TypeError)):
        SeatEntry.read({**told, **change})
