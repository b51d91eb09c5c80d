"""Every press is told once, whatever the network and the phone make of it (RFC 4733)."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.media.dtmf import KeyReader
from tests.support.rtp_packets import event

pytestmark = pytest.mark.pure

Packet = tuple[bytes, int]
"""Payload and timestamp."""


def pressing(key: str, timestamp: int, *, packets: int = 5, moving: bool = False) -> list[Packet]:
    """A press: one packet each 20 ms, and its end three times."""
    step = 160 if moving else 0
    going = [(event(key, 160 * n + 160), timestamp + step * n) for n in range(packets)]
    last = packets * 160 + 160
    ends = [(event(key, last, end=True), timestamp + step * (packets + n)) for n in range(3)]
    return [(payload, at % 2**32) for payload, at in going + ends]


def keys(*packets: Packet, reader: KeyReader | None = None, start: float = 0.0) -> str:
    reader = reader or KeyReader()
    told = (reader.receive(payload, at, start + 0.02 * n) for n, (payload, at) in enumerate(packets))
    return "".join(key for key in told if key)


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_a_press_is_told_once(key: str) -> None:
    assert keys(*pressing(key, 1000)) == key


def test_whatever_of_it_is_lost() -> None:
    press = pressing("5", 1000)
    for first in range(len(press)):
        assert keys(*press[first:], *pressing("7", 9000)) == "57"
        assert keys(*press[: first + 1], *pressing("7", 9000)) == "57"


def test_whatever_order_it_comes_in() -> None:
    press = pressing("5", 1000)
    for seed in range(50):
        shuffled = random.Random(seed).sample(press, len(press))
        assert keys(*shuffled, *pressing("5", 9000)) == "55"


def test_a_straggler_of_the_press_before_is_no_press() -> None:
    first, second = pressing("1", 1000), pressing("2", 3000)
    assert keys(*first[:-1], *second[:3], first[-1], *second[3:]) == "12"
    assert keys(*first[:-1], *second, first[-1]) == "12"


def test_the_same_key_twice_is_two_presses() -> None:
    assert keys(*pressing("5", 1000), *pressing("5", 3000)) == "55"
    no_end = pressing("5", 1000)[:-3]
    assert keys(*no_end, *pressing("5", 3000)) == "55"


def test_timestamps_may_wrap() -> None:
    assert keys(*pressing("1", 2**32 - 100), *pressing("2", 1200)) == "12"
    assert keys(*pressing("3", 2**32 - 300, moving=True), *pressing("4", 4000, moving=True)) == "34"


def test_a_phone_that_moves_the_timestamp_with_every_packet() -> None:
    first, second = pressing("5", 1000, moving=True), pressing("5", 4000, moving=True)
    assert keys(*first, *second) == "55"
    for lost in range(len(first)):
        assert keys(*first[:lost], *first[lost + 1 :], *second) == "55"


def test_a_press_of_more_than_65535_samples_is_one() -> None:
    """RFC 4733 §2.5.1.3: it comes as several events, each where the one before came to its end."""
    packets = [
        (event("9", (at - start) + 160), 5000 + start)
        for start in (0, 65_535, 131_070)
        for at in range(start, start + 65_375, 160)
    ]
    assert keys(*packets, (event("9", 65_535, end=True), 5000 + 131_070)) == "9"


def test_a_stream_that_begins_anew_is_not_taken_for_old() -> None:
    """Behind a PBX the source may change, and with it the timestamps go anywhere."""
    reader = KeyReader()
    assert keys(*pressing("1", 3_000_000_000), reader=reader) == "1"
    assert keys(*pressing("2", 2_000_000_000), reader=reader, start=10.0) == "2"
    assert keys(*pressing("3", 2_000_002_000), reader=reader, start=11.0) == "3"


def test_what_is_no_key() -> None:
    flash = event("0", 160).replace(b"\0", b"\x10", 1)
    assert keys((b"", 0), (b"\5\n\0", 0), (flash, 160), (b"\xff" * 4, 320)) == ""
    assert keys((flash, 160), *pressing("1", 2000)) == "1"


# --- what phones make of it, packet by packet with sequence numbers ---


class Line:
    """A reader, and a phone that numbers its packets; some of them get lost or come late."""

    def __init__(self) -> None:
        self.reader = KeyReader()
        self.told = ""
        self.now = 0.0
        self.sequence = 65_530

    def packet(
        self,
        key: str,
        timestamp: int,
        duration: int,
        *,
        end: bool = False,
        marker: bool = False,
        ssrc: int = 7,
        lost: bool = False,
    ) -> None:
        self.sequence += 1
        self.now += 0.02
        if not lost:
            self.comes(key, timestamp, duration, self.sequence, end=end, marker=marker, ssrc=ssrc)

    def comes(
        self,
        key: str,
        timestamp: int,
        duration: int,
        sequence: int,
        *,
        end: bool = False,
        marker: bool = False,
        ssrc: int = 7,
    ) -> None:
        told = self.reader.receive(
            event(key, duration, end=end),
            timestamp % 2**32,
            self.now,
            sequence=sequence % 2**16,
            ssrc=ssrc,
            marker=marker,
        )
        self.told += told or ""

    def press(
        self,
        key: str,
        timestamp: int,
        *,
        lost: frozenset[int] = frozenset(),
        updates: int = 2,
        ends: int = 3,
        marker: bool = True,
        moving_ends: int = 0,
    ) -> None:
        """A press: updates every 20 ms, then ends; those of the numbers in `lost` never come."""
        for n in range(updates):
            first = marker and n == 0
            self.packet(key, timestamp, 160 * (n + 1), marker=first, lost=n in lost)
        for n in range(ends):
            at = timestamp + moving_ends * (n + 1)
            self.packet(key, at, 160 * updates, end=True, lost=updates + n in lost)


SHORT = 560
"""Samples from one short press to the next: 40 ms on, 30 ms off."""


@pytest.mark.parametrize("keys_pressed", ["1111111111", "1212121212", "0123456789*#ABCD", "5566"])
def test_short_presses_are_all_told(keys_pressed: str) -> None:
    line = Line()
    for n, key in enumerate(keys_pressed):
        line.press(key, 1000 + SHORT * n)
    assert line.told == keys_pressed


@pytest.mark.parametrize("survivor", range(5))
def test_of_a_short_press_one_packet_that_comes_is_enough(survivor: int) -> None:
    line = Line()
    for n in range(8):
        line.press("7", 1000 + SHORT * n, lost=frozenset(range(5)) - {survivor})
    assert line.told == "7" * 8


@given(st.lists(st.frozensets(st.integers(0, 4), max_size=4), min_size=1, max_size=12), st.booleans())
def test_whatever_is_lost_of_short_presses_each_is_told_once(
    losses: list[frozenset[int]], marker: bool
) -> None:
    line = Line()
    for n, lost in enumerate(losses):
        line.press("4", 2**32 - 1500 + SHORT * n, lost=lost, marker=marker)
    assert line.told == "4" * len(losses)


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=8), st.booleans())
def test_presses_that_share_one_timestamp_are_told_one_by_one(pressed: list[str], marker: bool) -> None:
    line = Line()
    for key in pressed:
        line.press(key, 5000, marker=marker)
    assert line.told == "".join(pressed)


def test_presses_that_share_one_timestamp_while_packets_are_lost() -> None:
    line = Line()
    for key, lost in (("1", {2, 3, 4}), ("2", {0}), ("2", {4}), ("3", {0, 1})):
        line.press(key, 5000, lost=frozenset(lost))
    assert line.told == "1223"


def test_a_late_packet_of_a_press_before_is_no_press_whatever_its_timestamp() -> None:
    line = Line()
    line.press("1", 5000, lost=frozenset({1, 4}))
    line.packet("2", 5000, 160)
    line.comes("1", 5000, 320, line.sequence - 1, end=True)
    line.comes("1", 5000, 320, line.sequence - 4)
    line.packet("2", 5000, 320)
    line.packet("2", 5000, 320, end=True)
    assert line.told == "12"


@pytest.mark.parametrize("seed", range(30))
def test_packets_of_one_press_in_any_order_are_one(seed: int) -> None:
    press = [(160 * (n + 1), False) for n in range(4)] + [(640, True)] * 3
    order = random.Random(seed).sample(range(7), 7)
    line = Line()
    for n in order:
        line.comes("8", 5000, press[n][0], 100 + n, end=press[n][1])
    line.press("9", 7000)
    assert line.told in ("89", "8")
    assert line.told.count("8") == 1


@pytest.mark.parametrize(
    ("step", "lost"),
    [*itertools.product([1, 16, 160], [set(), {2}, {3}, {2, 3}]), (240, set()), (320, set()), (400, set())],
)
def test_ends_that_are_repeated_with_new_timestamps_are_one_press(step: int, lost: set[int]) -> None:
    line = Line()
    for n in range(4):
        line.press("6", 1000 + 4000 * n, moving_ends=step, lost=frozenset(lost))
    assert line.told == "6666"


def test_another_stream_s_packet_is_another_press() -> None:
    line = Line()
    line.packet("1", 5000, 160, ssrc=7)
    line.packet("1", 5000, 320, ssrc=8)
    line.packet("1", 5000, 480, ssrc=8)
    assert line.told == "11"


def test_a_phone_that_sets_the_marker_on_every_packet() -> None:
    line = Line()
    for start in (1000, 1000 + SHORT):
        for n in range(2):
            line.packet("3", start, 160 * (n + 1), marker=True)
        for _ in range(3):
            line.packet("3", start, 320, end=True, marker=True)
    assert line.told == "33"


def test_presses_of_which_a_phone_sends_only_the_end() -> None:
    line = Line()
    for n in range(4):
        line.press("2", 1000 + SHORT * n, lost=frozenset({0, 1}))
        line.press("2", 50_000 + 1600 * n, updates=0)
    assert line.told == "2" * 8


def test_a_duration_that_stands_still_is_one_press() -> None:
    line = Line()
    for n in range(5):
        line.packet("3", 1000, 160, marker=n == 0)
    for _ in range(3):
        line.packet("3", 1000, 160, end=True)
    assert line.told == "3"


@pytest.mark.parametrize("lost", range(9))
def test_long_presses_of_a_phone_that_moves_its_timestamp_are_told_apart(lost: int) -> None:
    line = Line()
    for start in (1000, 1000 + 1200 + 240):
        for n in range(6):
            line.packet("5", start + 160 * n, 160 * (n + 1), lost=n == lost)
        for n in range(3):
            line.packet("5", start + 160 * (6 + n), 960, end=True, lost=6 + n == lost)
    assert line.told == "55"


def test_a_long_press_goes_on_in_another_event_where_packets_are_lost() -> None:
    line = Line()
    for start in (0, 65_535, 131_070):
        for at in range(160, 65_536, 160):
            line.packet("9", 7000 + start, at, lost=at > 65_000 or at < 400)
    assert line.told == "9"


@pytest.mark.parametrize("jump", [-40_000, 40_000, 2**31])
def test_a_timestamp_that_jumps_between_two_presses(jump: int) -> None:
    line = Line()
    line.press("2", 100_000)
    line.now += 0.5
    line.press("2", 100_000 + jump)
    assert line.told == "22"
