"""Every press is told once, whatever the network and the phone make of it (RFC 4733)."""

import random

import pytest

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
