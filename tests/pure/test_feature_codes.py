"""A seat's keys: a star and a digit is for us, everything else is the caller's."""

import pytest

from callflow.call.feature_codes import Code, FeatureCodes, PassOn

pytestmark = pytest.mark.pure


def pressed(keys: str, *, minutes: bool = False, then_wait: float = 0.0) -> list[Code | PassOn]:
    """What came of `keys`, one a second, and of the wait after the last."""
    codes, told = FeatureCodes(), []
    for at, key in enumerate(keys):
        told += codes.tick(float(at)) + codes.press(key, float(at), minutes=minutes)
    return told + codes.tick(len(keys) - 1 + then_wait)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("*1", [Code("1")]),
        ("*2", [Code("2")]),
        ("*41", [Code("4", "1")]),
        ("*40", [Code("4", "0")]),
        ("*455", [Code("4", "5"), PassOn("5")]),
        ("*4", []),
        ("*4*", [PassOn("*4*")]),
        ("*4#", [PassOn("*4#")]),
        ("*0", [Code("0")]),
        ("*38002#", [Code("3", "8002")]),
        ("7", [PassOn("7")]),
        ("*7", [PassOn("*7")]),
        ("**", [PassOn("**")]),
        ("12#", [PassOn("1"), PassOn("2"), PassOn("#")]),
        ("*38002*", [Code("3*", "8002")]),
        ("*3*", [PassOn("*3*")]),
        ("*3" + "1" * 17, [PassOn("*3" + "1" * 17)]),
        ("*1*2", [Code("1"), Code("2")]),
    ],
)
def test_what_keys_mean(keys: str, told: list[Code | PassOn]) -> None:
    assert pressed(keys) == told


@pytest.mark.parametrize(
    ("keys", "waits", "told"),
    [("*", 1.9, []), ("*", 2.0, [PassOn("*")]), ("*3800", 1.9, []), ("*3800", 2.0, [PassOn("*3800")])],
)
def test_what_is_no_code_after_two_seconds_is_the_callers(
    keys: str, waits: float, told: list[Code | PassOn]
) -> None:
    assert pressed(keys, then_wait=waits) == told


@pytest.mark.parametrize(
    ("keys", "waits", "told"),
    [
        ("*1", 1.9, []),
        ("*1", 2.0, [Code("1")]),
        ("*1#", 0.0, [Code("1")]),
        ("*15#", 0.0, [Code("1", "5")]),
        ("*112", 2.0, [Code("1", "12")]),
        ("*1123", 0.0, [PassOn("*1123")]),
        ("*2", 0.0, [Code("2")]),
    ],
)
def test_where_the_house_names_minutes_the_code_for_hold_may(
    keys: str, waits: float, told: list[Code | PassOn]
) -> None:
    assert pressed(keys, minutes=True, then_wait=waits) == told
