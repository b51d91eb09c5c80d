"""Legs behind one host: each has the source that it has announced, and no other call's stream."""

import numpy as np
import pytest

from callflow.media.departed import BARRED, FRESH, QUARANTINE
from callflow.media.latching import QUIET
from callflow.media.sources import source_key
from callflow.media.streams import PROOF
from tests.pure.media.test_latching import Address, Wire

pytestmark = pytest.mark.pure

HOST = "192.0.2.1"
A, B, S, X, Y = (HOST, 4000), (HOST, 4002), (HOST, 7078), (HOST, 9000), (HOST, 9002)
FIRST, SECOND, THIRD = 1, 2, 3


def after_a_call(source: Address, announced: Address | None, *hosts: str) -> Wire:
    """The source has sent the first leg's packets for a second; then the leg was closed."""
    wire = Wire()
    wire.expect(FIRST, announced, *hosts)
    wire.stream(source, 0.0, 1.0)
    wire.latches.release(FIRST, 1.0)
    return wire


# --- the announced source ---


@pytest.mark.parametrize("after", [0.02, 1.0, 4.9, 5.1, 60.0])
def test_the_announced_source_wins_whenever_it_comes(after: float) -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    assert wire.come(X, now=0.1, ssrc=8) == [FIRST]
    assert wire.come(A, now=0.1 + after) == [FIRST]
    assert wire.come(X, A, now=0.2 + after) == [-1, FIRST]
    assert wire.told == [(FIRST, X), (FIRST, A)]


@pytest.mark.parametrize("after", [0.02, 1.0, 4.9, 5.1, 60.0])
def test_a_leg_that_was_taken_for_another_yields_and_waits_for_its_own(after: float) -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    assert wire.come(B, now=0.1) == [FIRST]
    assert wire.expect(SECOND, B, HOST, now=0.1 + after)
    assert wire.latches.take_yielded() == [(FIRST, source_key(A))]
    assert wire.come(B, A, now=0.2 + after) == [SECOND, FIRST]
    assert wire.come(A, B, now=0.3 + after) == [FIRST, SECOND]
    assert wire.latches.take_yielded() == []


def test_a_leg_that_has_its_announced_source_never_yields() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A, now=0.1)
    assert not wire.expect(SECOND, A, HOST, now=1.0)
    assert wire.come(A, now=1.1) == [FIRST]
    assert wire.latches.take_yielded() == []


def test_while_two_have_announced_a_source_only_the_known_stream_is_heard() -> None:
    """A phone with one fixed port has restarted: what it says in its new call is not for the old one."""
    wire = Wire()
    wire.expect(FIRST, S, HOST)
    wire.stream(S, 0.0, 1.0)
    assert not wire.expect(SECOND, S, HOST, now=2.0)
    assert set(wire.stream(S, 2.0, 1.0, ssrc=8)) == {-1}
    assert wire.latches.counts["contested"] == 50
    # The re-INVITE that moves the later leg has reached its phone.
    assert wire.latches.move(SECOND, 1, S, (HOST,), 3.0) == (None, True)
    assert set(wire.stream(S, 3.0, 1.0, port=1, ssrc=8)) == {SECOND}
    assert wire.come(S, now=4.0) == [FIRST]


def test_the_later_of_two_gets_the_source_when_the_earlier_is_over() -> None:
    wire = Wire()
    wire.expect(FIRST, S, HOST)
    wire.stream(S, 0.0, 1.0)
    wire.expect(SECOND, S, HOST, now=2.0)
    wire.latches.release(FIRST, 3.0)
    assert wire.come(S, now=3.1, ssrc=8) == [SECOND]


def test_two_that_wait_with_one_address_are_told_apart_by_another_port() -> None:
    wire = Wire()
    assert wire.expect(FIRST, A, HOST)
    assert not wire.expect(SECOND, A, HOST, now=0.1)
    assert wire.latches.move(SECOND, 1, A, (HOST,), 0.2) == (None, True)
    assert wire.come(A, port=1, now=0.3) == [SECOND]
    assert wire.come(A, now=0.3) == [FIRST]


def test_one_private_address_in_two_houses_is_no_conflict() -> None:
    wire = Wire()
    private = ("192.168.1.10", 4000)
    wire.expect(FIRST, private, private[0], "203.0.113.1")
    assert wire.come(("203.0.113.1", 700)) == [FIRST]
    assert wire.expect(SECOND, private, private[0], "203.0.113.2", now=1.0)
    assert wire.come(("203.0.113.2", 700), ("203.0.113.1", 700), now=1.1) == [SECOND, FIRST]


# --- by host alone ---


def test_a_source_of_another_leg_is_never_taken_by_its_host_at_whatever_port() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.expect(SECOND, ("10.0.0.5", 4000), HOST, port=1)
    assert wire.come(A, port=1, now=0.1) == [-1]
    assert wire.come(A, port=0, now=0.2) == [FIRST]
    assert wire.come(A, port=1, now=0.3) == [-1]
    assert wire.come(X, port=1, now=0.4) == [SECOND]


@pytest.mark.parametrize("lasts", [0.1, QUARANTINE + 1, BARRED - 0.5])
def test_a_stream_that_goes_on_after_its_call_takes_no_leg(lasts: float) -> None:
    wire = after_a_call(X, X, HOST)
    wire.expect(SECOND, B, HOST, now=1.2)
    assert set(wire.stream(X, 1.0, lasts)) == {-1}
    assert wire.come(B, X, now=1.0 + lasts, ssrc=9) == [SECOND, -1]


def test_a_stream_that_never_ends_is_nobodys_for_as_long_as_it_goes_on() -> None:
    wire = after_a_call(X, X, HOST)
    assert set(wire.stream(X, 1.0, 3 * BARRED)) == {-1}
    wire.expect(SECOND, B, HOST, now=1.0 + 3 * BARRED)
    assert set(wire.stream(X, 1.0 + 3 * BARRED, 2.0)) == {-1}
    assert wire.come(B, now=4.0 + 3 * BARRED, ssrc=9) == [SECOND]


PRIVATE = ("10.0.0.50", 7078)


def test_a_phone_behind_a_nat_that_begins_a_new_call_at_once_is_heard() -> None:
    """Its source is the old one, without a pause; its stream is a new one, and nobody else waits for it."""
    wire = after_a_call(X, PRIVATE, PRIVATE[0], HOST)
    wire.stream(X, 1.0, 0.2)
    wire.expect(SECOND, PRIVATE, PRIVATE[0], HOST, now=1.2)
    assert wire.come(X, now=1.3) == [-1], "its last packets are still the old call's"
    assert wire.come(X, now=1.4, ssrc=8) == [SECOND]


def test_another_stream_of_a_barred_source_is_not_for_a_leg_that_is_behind_no_nat() -> None:
    """A seat's phone with one fixed port that is rung again must not be taken for the caller beside it."""
    wire = after_a_call(X, X, HOST)
    wire.expect(SECOND, A, HOST, now=1.2)
    assert set(wire.stream(X, 1.2, 1.0, ssrc=8)) == {-1}
    assert wire.come(A, now=2.3) == [SECOND]


@pytest.mark.parametrize(("quiet", "slot"), [(FRESH - 0.1, -1), (FRESH, SECOND), (FRESH + 0.1, SECOND)])
def test_a_source_that_has_been_quiet_begins_anew(quiet: float, slot: int) -> None:
    """A phone behind NAT that calls again has the same source as before."""
    wire = after_a_call(X, None, HOST)
    wire.come(X, now=2.0)
    wire.expect(SECOND, None, HOST, now=2.0 + quiet)
    assert wire.come(X, now=2.0 + quiet, ssrc=8) == [slot]


def test_a_source_may_begin_anew_before_its_leg_is_there() -> None:
    wire = after_a_call(X, None, HOST)
    assert set(wire.stream(X, 5.0, 0.1, ssrc=8)) == {-1}
    wire.expect(SECOND, None, HOST, now=5.1)
    assert wire.come(X, now=5.1, ssrc=8) == [SECOND]


def test_a_source_that_was_left_by_reinvite_takes_no_other_leg() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.stream(A, 0.0, 1.0)
    wire.latches.move(FIRST, 0, B, (HOST,), 1.0)
    assert wire.come(B, now=1.1) == [FIRST]
    wire.expect(SECOND, None, HOST, now=1.2)
    assert set(wire.stream(A, 1.0, 3.0)) == {-1}
    assert wire.come(X, now=4.0) == [SECOND]


# --- a closed leg's stream ---


def test_the_phone_of_a_fixed_port_is_heard_when_it_is_rung_again() -> None:
    """Beside a caller of the same host: neither is taken for the other."""
    wire = after_a_call(S, S, HOST)
    wire.expect(SECOND, S, HOST, now=1.5)
    wire.expect(THIRD, B, HOST, now=1.5)
    assert wire.come(S, now=1.6, ssrc=8) == [SECOND]
    assert wire.come(B, S, now=1.7, ssrc=8) == [THIRD, SECOND]


def test_a_closed_leg_s_stream_reaches_not_even_the_leg_that_announced_its_source() -> None:
    wire = after_a_call(S, S, HOST)
    wire.expect(SECOND, S, HOST, now=1.0)
    assert set(wire.stream(S, 1.0, 0.5)) == {-1}
    assert wire.come(S, now=1.5, ssrc=8) == [SECOND]
    # Stragglers of the one between the other's.
    assert (wire.come(S, now=1.52), wire.come(S, now=1.54, ssrc=8)) == ([-1], [SECOND])
    assert wire.latches.counts["quarantined"] == 26


@pytest.mark.parametrize(("after", "slot"), [(1.0, -1), (QUARANTINE - 0.1, -1), (QUARANTINE, SECOND)])
def test_its_quarantine_has_an_end(after: float, slot: int) -> None:
    wire = after_a_call(S, S, HOST)
    wire.expect(SECOND, S, HOST, now=1.0)
    wire.stream(S, 1.0, after - 0.1)
    assert wire.come(S, now=1.0 + after) == [slot]


def test_a_phone_that_uses_one_ssrc_in_all_its_calls_is_heard_after_a_pause() -> None:
    wire = Wire()
    wire.expect(FIRST, S, HOST)
    wire.stream(S, 0.0, 1.0)
    wire.latches.release(FIRST, 3.0)
    wire.expect(SECOND, S, HOST, now=3.1)
    assert wire.come(S, now=3.2) == [SECOND]


# --- another source of a leg ---


def test_a_leg_that_pauses_stays_where_it_is() -> None:
    """DTX: a phone of another call, on the same host, talks on."""
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.stream(A, 0.0, 1.0)
    assert set(wire.stream(X, 1.0, QUIET - 0.2, ssrc=9)) == {-1}
    assert wire.come(A, now=QUIET + 0.9) == [FIRST]
    assert set(wire.stream(X, QUIET + 0.9, 3.0, ssrc=9)) == {-1}


def test_a_leg_whose_announced_source_is_silent_is_found_by_a_stream_that_has_run_for_a_second() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.stream(A, 0.0, 1.0)
    after = wire.stream(X, 1.0, 7.0, ssrc=9)
    first = after.index(FIRST)
    assert QUIET - 0.1 <= first * 0.02 <= QUIET + 0.1
    assert set(after[first:]) == {FIRST}
    # The announced source has its leg at once.
    assert wire.come(A, X, now=9.0) == [FIRST, -1]


def test_a_stream_that_begins_late_runs_for_a_second_before_it_is_believed() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.stream(A, 0.0, 1.0)
    after = wire.stream(X, 11.0, 2.0, ssrc=9)
    assert after.index(FIRST) == 49


def test_fifty_packets_in_a_burst_prove_nothing() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    assert {wire.come(X, now=10.0 + n / 1000, ssrc=9)[0] for n in range(200)} == {-1}


def test_a_stream_that_is_not_in_order_proves_nothing() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    for n in range(200):
        wire.numbers[X, 9] += n % 25 == 0
        assert wire.come(X, now=10.0 + 0.02 * n, ssrc=9) == [-1]


def test_two_streams_of_one_source_prove_nothing() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    for n in range(200):
        assert wire.come(X, now=10.0 + 0.02 * n, ssrc=8 + n % 10 // 9) == [-1]


def test_a_leg_behind_nat_whose_mapping_changes_is_found_after_a_second() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", HOST)
    wire.stream(X, 0.0, 1.0)
    after = wire.stream(Y, 1.0, 2.0)
    assert after.index(FIRST) <= 56
    assert set(after[after.index(FIRST) :]) == {FIRST}


def test_a_leg_behind_nat_that_is_heard_is_moved_by_nobody() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", HOST)
    for n in range(300):
        assert wire.come(X, now=0.02 * n) == [FIRST]
        assert wire.come(Y, now=0.02 * n + 0.01, ssrc=9) == [-1]


def test_a_stream_that_had_only_paused_has_its_leg_back() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", HOST)
    wire.stream(X, 0.0, 1.0)
    assert wire.stream(Y, 2.0, 2.0, ssrc=9)[-1] == FIRST
    assert wire.come(X, now=4.0, ssrc=10) == [-1]
    assert wire.come(X, Y, now=4.1) == [FIRST, -1]


def test_of_two_legs_that_are_silent_neither_is_guessed() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.expect(SECOND, B, HOST)
    wire.come(A, B)
    assert set(wire.stream(X, 10.0, 3.0, ssrc=9)) == {-1}


def test_of_many_strangers_none_keeps_a_steady_one_from_its_trial() -> None:
    """Twenty new sources of the leg's own host between two packets of its true new one."""
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    heard = []
    for n in range(400):
        now = 10.0 + 0.02 * n
        wire.come(*((HOST, 10_000 + (20 * n + k) % 50_000) for k in range(20)), now=now, ssrc=9)
        heard += wire.come(X, now=now + 0.01)
    assert heard[-1] == FIRST


# --- two that cannot be told apart ---


def test_where_two_cannot_be_told_apart_the_later_is_to_have_another_port() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", HOST)
    wire.expect(SECOND, ("10.0.0.6", 4000), "10.0.0.6", HOST)
    assert set(wire.stream(X, 0.1, 0.2)) == {-1}
    assert wire.latches.take_crowded() == []
    wire.stream(X, 0.3, 0.2)
    assert wire.latches.take_crowded() == [SECOND]
    assert wire.latches.move(SECOND, 1, ("10.0.0.6", 4000), ("10.0.0.6", HOST), 0.5) == (None, True)
    # Its phone has not heard of it yet: what comes to the old port may still be either's.
    assert set(wire.stream(X, 0.5, 0.2) + wire.stream(Y, 0.5, 0.2, ssrc=8)) == {-1}
    assert wire.come(Y, port=1, now=0.7, ssrc=8) == [SECOND]
    assert wire.come(Y, now=0.71, ssrc=8) == [-1]
    assert wire.come(X, now=0.8) == [FIRST]


def test_legs_that_are_known_by_their_announced_sources_need_no_other_port() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.expect(SECOND, B, HOST)
    assert set(wire.stream(X, 0.0, 1.0)) == {-1}
    assert wire.latches.take_crowded() == []
    assert wire.come(B, A, now=1.0) == [SECOND, FIRST]


# --- the stream of a leg ---


def note(wire: Wire, slot: int, ssrc: int, sequence: int) -> bool:
    packet = np.array([slot]), np.array([ssrc], np.uint32), np.array([sequence % 2**16], np.uint16)
    return bool(wire.latches.streams.note(*packet)[0])


def test_another_stream_of_the_leg_s_source_is_its_own_when_it_runs() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    assert wire.latches.streams.of(FIRST) == 7
    assert [note(wire, FIRST, 8, 65_533 + n) for n in range(PROOF + 1)] == [False] * (PROOF - 1) + [
        True,
        True,
    ]
    assert wire.latches.streams.of(FIRST) == 8


def test_stray_packets_between_those_of_the_leg_s_stream_never_become_its_own() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    for n in range(100):
        assert note(wire, FIRST, 7, n)
        if n % (PROOF - 1):
            assert not note(wire, FIRST, 8, n)
    for n in range(100):
        assert not note(wire, FIRST, 8, 2 * n)


def test_a_leg_that_is_found_elsewhere_has_the_stream_that_is_there() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(X, ssrc=9)
    wire.come(A, now=1.0, ssrc=7)
    assert wire.latches.streams.of(FIRST) == 7
    wire.latches.release(FIRST, 2.0)
    assert wire.latches.streams.of(FIRST) is None


# --- what strangers cost ---


def test_a_stranger_is_no_stranger_any_more_when_a_leg_has_announced_it() -> None:
    wire = Wire()
    wire.expect(FIRST, A, HOST)
    wire.come(A)
    assert set(wire.stream(X, 0.0, 1.0) + wire.stream(("198.51.100.9", 5), 0.0, 1.0)) == {-1}
    wire.expect(SECOND, X, HOST, now=1.0)
    wire.expect(THIRD, ("198.51.100.9", 5), HOST, now=1.0)
    assert wire.come(X, ("198.51.100.9", 5), now=1.0) == [SECOND, THIRD]


def test_a_stranger_is_taken_by_its_host_as_soon_as_a_leg_waits_for_it() -> None:
    wire = Wire()
    strangers: list[Address] = [(HOST, 20_000 + n) for n in range(100)]
    wire.expect(FIRST, A, HOST)
    wire.expect(SECOND, B, HOST)
    assert set(wire.come(*strangers, now=0.0)) == {-1}
    wire.come(A, now=0.01)
    assert wire.come(strangers[50], now=0.01) == [SECOND]


@pytest.mark.parametrize("hosts", [1, 5000])
def test_a_flood_of_strangers_fills_no_table(hosts: int) -> None:
    wire = Wire()
    for slot in range(300):
        wire.expect(slot, (HOST, 2000 + 2 * slot), HOST)
    wire.come(*((HOST, 2000 + 2 * slot) for slot in range(0, 300, 2)))
    for n in range(100):
        flood = [
            (f"192.0.{n % hosts // 250}.{2 + n % hosts % 250}", 10_000 + 200 * n + k) for k in range(200)
        ]
        assert set(wire.come(*flood, now=0.01 * n, ssrc=n)) == {-1}
    sizes = [len(each) for each in _collections(wire.latches._strangers)]
    assert max(sizes) <= 64
    # All that wait are found.
    found = [wire.come((HOST, 2000 + 2 * slot), now=2.0)[0] for slot in range(300)]
    assert found == list(range(300))


def _collections(part: object) -> list[dict[object, object]]:
    own = [value for value in vars(part).values() if isinstance(value, dict)]
    return own + [value for value in vars(vars(part)["_newcomers"]).values() if isinstance(value, dict)]


def test_a_leg_whose_announced_source_another_one_has_is_not_found_by_its_host() -> None:
    wire = Wire()
    wire.expect(FIRST, S, HOST)
    wire.stream(S, 0.0, 0.1)
    wire.expect(SECOND, S, HOST, now=1.0)
    assert set(wire.stream(X, 1.0, 1.0, ssrc=9)) == {-1}


def test_what_could_not_be_told_apart_long_ago_moves_nobody() -> None:
    wire = Wire()
    for slot in (FIRST, SECOND):
        wire.expect(slot, (f"10.0.0.{slot}", 4000), f"10.0.0.{slot}", HOST)
    wire.come(X, now=0.1)
    wire.come(X, now=10.0)
    assert wire.latches.take_crowded() == []


def test_a_leg_that_is_to_send_to_another_port_is_known_at_the_old_one_by_its_source_alone() -> None:
    wire = Wire()
    wire.expect(FIRST, ("10.0.0.5", 4000), "10.0.0.5", HOST)
    assert wire.come(X) == [FIRST]
    wire.latches.move(FIRST, 1, ("10.0.0.5", 4000), ("10.0.0.5", HOST), 1.0)
    wire.expect(SECOND, ("10.0.0.6", 4000), "10.0.0.6", HOST, now=1.0)
    # What else comes to the old port can only be the other leg's.
    assert wire.come(Y, X, now=1.1, ssrc=8) == [SECOND, FIRST]
    assert wire.come(X, port=1, now=1.2) == [FIRST]
    assert wire.come(X, now=1.3) == [-1]
