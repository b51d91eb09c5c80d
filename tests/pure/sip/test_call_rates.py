"""New calls of one source: so many at once, so many in the long run, and no limit for who has none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.sip import call_rates
from callflow.sip.call_rates import CallRates

pytestmark = pytest.mark.pure

PHONE, OTHER, PBX = "192.0.2.1", "192.0.2.2", "192.0.2.9"


def begun(rates: CallRates, calls: int, now: float, source: str = PHONE, number: str = "8001") -> int:
    """How many of so many calls at that moment have begun."""
    return sum(not rates.wait(source, number, now) for _ in range(calls))


def test_a_burst_is_taken_and_then_the_rate_holds() -> None:
    rates = CallRates(2.0, 5)
    assert begun(rates, 20, 0.0) == 5
    assert rates.wait(PHONE, "8001", 0.0) == pytest.approx(0.5)
    assert begun(rates, 20, 1.0) == 2
    assert begun(rates, 20, 1000.0) == 5


def test_each_source_has_its_own_limit_and_exempt_ones_have_none() -> None:
    rates = CallRates(1.0, 1, lambda source: source == PBX, frozenset({"110"}))
    assert (begun(rates, 9, 0.0), begun(rates, 9, 0.0, OTHER)) == (1, 1)
    assert begun(rates, 9, 0.0, PBX) == 9
    assert begun(rates, 9, 0.0, number="110") == 9


def test_the_sources_that_are_remembered_are_bounded() -> None:
    rates = CallRates(1.0, 1)
    for number in range(call_rates.MOST_SOURCES + 50):
        rates.wait(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "8001", 0.0)
    assert len(rates) == call_rates.MOST_SOURCES


@given(st.lists(st.floats(0.0, 30.0), max_size=80), st.floats(0.1, 20.0), st.integers(1, 20))
def test_calls_never_exceed_the_burst_plus_the_rate(gaps: list[float], per_second: float, burst: int) -> None:
    rates, now, taken = CallRates(per_second, burst), 0.0, list[float]()
    for gap in gaps:
        now += gap
        wait = rates.wait(PHONE, "1", now)
        if not wait:
            taken.append(now)
        assert wait <= 1.0 / per_second + 1e-6
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            seconds = taken[last] - taken[first]
            assert last - first + 1 <= burst + seconds * per_second + 1e-6
