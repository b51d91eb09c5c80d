"""How wrong passwords slow the next ones, and whom they must not keep out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.sip import guesses
from callflow.sip.guesses import FIRST, FORGOTTEN, FREE, LONGEST, NEWCOMERS, Guesses

pytestmark = pytest.mark.pure

HOME, THIEF, OTHER, PBX = "192.0.2.1", "192.0.2.66", "192.0.2.67", "192.0.2.9"
ROUNDING = 1e-6
"""Seconds, of sums of times."""


def fails(one: Guesses, times: int, account: str = "a", source: str = THIEF, now: float = 0.0) -> float:
    """So many failures, each as soon as it may be; when the last was."""
    for _ in range(times):
        now += one.wait(account, source, now)
        one.failed(account, source, now)
    return now


def test_the_first_failures_have_no_pause_and_then_it_doubles() -> None:
    one, now, waits = Guesses(), 0.0, list[float]()
    for _ in range(FREE + 7):
        now = fails(one, 1, now=now)
        waits.append(one.wait("a", THIEF, now))
    assert waits == [*[0.0] * FREE, FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, 16 * FIRST, LONGEST, LONGEST]


def test_a_source_is_slowed_for_every_account_and_an_account_for_every_source_that_failed() -> None:
    one = Guesses()
    now = fails(one, 8)
    assert one.wait("b", THIEF, now) > 0
    # Passwords that are sprayed over accounts.
    spray = Guesses()
    for number in range(FREE + 3):
        spray.failed(f"a{number}", THIEF, 0.0)
    assert spray.wait("unknown", THIEF, 0.0) == pytest.approx(4 * FIRST)
    # Sources that take turns at an account.
    turns = Guesses()
    for number in range(FREE + 3):
        turns.failed("a", f"10.0.0.{number}", 0.0)
    assert turns.wait("a", "10.0.0.0", 0.0) == pytest.approx(4 * FIRST)
    assert turns.wait("b", "10.0.0.0", 0.0) == 0


def test_a_source_that_has_not_failed_may_try_during_the_pause() -> None:
    one = Guesses()
    now = fails(one, 50)
    assert one.wait("a", THIEF, now) == LONGEST
    assert one.wait("a", HOME, now) == 0
    # Newcomers that fail as well are let through one by one.
    one.failed("a", OTHER, now)
    assert one.wait("a", HOME, now) == NEWCOMERS
    assert one.wait("a", HOME, now + NEWCOMERS) == 0


def test_a_shared_source_is_slowed_per_account_only() -> None:
    one = Guesses([PBX])
    now = fails(one, 12, source=PBX)
    assert one.is_shared(PBX)
    assert one.wait("a", PBX, now) == LONGEST
    assert one.wait("b", PBX, now) == 0


def test_failures_are_forgotten_in_time_and_by_the_right_password() -> None:
    one = Guesses()
    now = fails(one, 12)
    assert one.wait("a", THIEF, now + FORGOTTEN) == 0
    assert len(one) == 0
    one = Guesses([PBX])
    now = fails(one, 12, source=PBX)
    one.succeeded("a", PBX)
    assert (one.wait("a", PBX, now), len(one)) == (0, 0)
    # Mistakes are forgiven to their source, and what it has guessed elsewhere is not.
    one = Guesses()
    for _ in range(20):
        one.failed("a", HOME, 0.0)
        one.failed("b", THIEF, 0.0)
        one.succeeded("a", HOME)
        one.succeeded("a", THIEF)
        assert one.wait("a", HOME, 0.0) == 0
    assert one.wait("b", THIEF, 0.0) == LONGEST
    # The right password does not forget what others have guessed.
    one = Guesses()
    now = fails(one, 12)
    one.succeeded("a", HOME)
    assert one.wait("a", THIEF, now) == LONGEST


def test_what_is_remembered_is_bounded() -> None:
    one = Guesses()
    for number in range(guesses.MOST + 100):
        one.failed("a", f"{number}", 0.0)
        one.failed(f"b{number}", "x", 0.0)
        one.failed("", "y", 0.0)
    assert len(one) == 2 * guesses.MOST
    assert len(one._accounts["b10000"].sources) == 1


SOURCES = st.sampled_from([THIEF, OTHER, PBX])


@given(st.lists(st.tuples(st.sampled_from("ab"), SOURCES, st.floats(0.0, 40.0)), max_size=150))
def test_pauses_are_bounded_and_hold_for_each_source(
    tries: list[tuple[str, str, float]],
) -> None:
    one, now, judged = Guesses([PBX]), 0.0, list[tuple[float, str]]()
    for account, source, gap in tries:
        now += gap
        wait = one.wait(account, source, now)
        assert 0 <= wait <= LONGEST + ROUNDING
        if not wait:
            one.failed(account, source, now)
            judged.append((now, source))
        # Whoever has never failed waits at most as long as newcomers do.
        assert one.wait(account, HOME, now) <= NEWCOMERS + ROUNDING
    for source in (THIEF, OTHER):
        times = [at for at, by in judged if by == source]
        beyond = times[FREE:]
        assert all(later - earlier >= FIRST - ROUNDING for earlier, later in pairwise(beyond))
