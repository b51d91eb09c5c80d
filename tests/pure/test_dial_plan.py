"""What a number means that a seat's phone has dialled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.call.dial_plan import (
    CallsOut,
    DialPlan,
    Emergency,
    Meaning,
    Out,
    Refused,
    Service,
    ToSeat,
    Wish,
    allowed,
)

pytestmark = pytest.mark.pure

PLAN = DialPlan(
    CallsOut(allow=("0[1-9]*", "1[3-9]xxxxxxxxx", "95xxx")),
    lambda number: number in ("8001", "02"),
    {"1": "x"},
)


@pytest.mark.parametrize(
    ("dialled", "meaning"),
    [
        ("8001", ToSeat("8001")),
        ("02", ToSeat("02")),
        ("02112345678", Out("02112345678")),
        ("021-1234 5678", Out("02112345678")),
        ("13812345678", Out("13812345678")),
        ("13812345678#", Out("13812345678")),
        ("95599", Out("95599")),
        ("110", Emergency("110")),
        ("119#", Emergency("119")),
        ("*508001", Service(Wish.LOGIN, "8001")),
        ("*508001*2468", Service(Wish.LOGIN, "8001", "2468")),
        ("*50 8001", Service(Wish.LOGIN, "8001")),
        ("*51", Service(Wish.LOGOUT)),
        ("*52", Service(Wish.AWAY)),
        ("*521", Service(Wish.AWAY, reason="x")),
        ("*53", Service(Wish.READY)),
    ],
)
def test_what_is_dialled_means_one_thing(dialled: str, meaning: Meaning) -> None:
    assert PLAN.read(dialled) == meaning


@pytest.mark.parametrize(
    "dialled",
    ["001", "0044123", "+862112345678", "138123456789", "1281234567", "9559", "8009", "", "anna", "02112a",
     "٠٢١١٢٣", "0" + "2" * 40, "110@evil", "1 1 0 0"],
)  # fmt: skip
def test_what_fits_no_pattern_whole_is_refused(dialled: str) -> None:
    assert PLAN.read(dialled) == Refused("not_allowed")


@pytest.mark.parametrize("code", ["*", "*5", "*50", "*50*1", "*508001*", "*522", "*54", "*508001*12a", "**"])
def test_a_service_number_that_is_none_is_refused(code: str) -> None:
    assert PLAN.read(code) == Refused("no_service")


def test_nobody_can_make_an_emergency_number_mean_something_else() -> None:
    greedy = DialPlan(CallsOut(allow=("1*",)), lambda number: True, {})
    assert greedy.read("120") == Emergency("120")


def test_a_pin_is_not_shown() -> None:
    assert "2468" not in repr(PLAN.read("*508001*2468"))
    assert "0211" not in repr(PLAN.read("02112345678"))


@pytest.mark.parametrize(
    "pattern", ["", "*", "0**", "0*1", "a", "[9-1]", "[]", "[a]", "0.", "+86", "0|1", "(0)", "0\n"]
)
def test_what_is_no_pattern_is_told(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|backwards"):
        allowed([pattern])


@given(st.text(alphabet="0123456789*#+x[]-.()%@;", max_size=20))
def test_nothing_goes_out_but_digits(dialled: str) -> None:
    match PLAN.read(dialled):
        case Out(number=number):
            assert number.isdigit()
            assert number[0] in "019"
