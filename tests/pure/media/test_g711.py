"""G.711 against the interpreter's own."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest

from callflow.codec import Law
from callflow.media.g711 import IDLE, LINEAR, POWER, decode, encode

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    # Gone from Python 3.13 on; 3.11 and 3.12 prove it for all.
    audioop = pytest.importorskip("audioop")

pytestmark = pytest.mark.pure

Convert = Callable[[bytes, int], bytes]
CODES = np.arange(256, dtype=np.uint8)
SAMPLES = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
BOTH = pytest.mark.parametrize(
    ("law", "to_linear", "from_linear"),
    [(Law.PCMU, audioop.ulaw2lin, audioop.lin2ulaw), (Law.PCMA, audioop.alaw2lin, audioop.lin2alaw)],
)


@BOTH
def test_every_code_is_decoded_alike(law: Law, to_linear: Convert, from_linear: Convert) -> None:
    theirs = np.frombuffer(to_linear(CODES.tobytes(), 2), np.int16)
    assert np.array_equal(decode(CODES, law), theirs)
    assert np.array_equal(LINEAR[law.row], theirs)


@BOTH
def test_every_sample_is_encoded_as_near(law: Law, to_linear: Convert, from_linear: Convert) -> None:
    theirs = np.frombuffer(from_linear(SAMPLES.tobytes(), 2), np.uint8)
    ours = encode(SAMPLES, law)
    wide = SAMPLES.astype(np.int32)
    our_distance = np.abs(decode(ours, law) - wide)
    their_distance = np.abs(decode(theirs, law) - wide)
    # Theirs rounds negative samples away from zero before it looks for the nearest code.
    assert np.all(our_distance <= their_distance)
    assert np.array_equal(ours[SAMPLES >= 0], theirs[SAMPLES >= 0])


@BOTH
def test_codes_come_back_from_their_samples(law: Law, to_linear: Convert, from_linear: Convert) -> None:
    again = encode(decode(CODES, law), law)
    zero = decode(CODES, law) == 0
    assert np.array_equal(again[~zero], CODES[~zero])
    assert IDLE[law.row] == encode(np.zeros(1, np.int16), law)[0]


def test_power_is_relative_to_full_scale() -> None:
    assert POWER[0, 0] == pytest.approx((32124 / 32768) ** 2)
    assert POWER[0, 0xFF] == 0.0
    assert 0 < POWER[1, 0xD5] < 1e-7
