"""A seat that a caller hears louder: limited at full scale, sample by sample (csr-10)."""

import numpy as np
import pytest

from callflow.codec import Law
from callflow.media.g711 import HIGHEST, STEP, TRANSLATED, decode, encode, gain_row

pytestmark = pytest.mark.pure

CODES = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize("to", list(Law))
def test_louder_is_limited_and_never_turns_over(law: Law, to: Law) -> None:
    """csr-10: a seat that is heard louder is cut at full scale; no sample comes out with another sign."""
    said = decode(CODES, law).astype(np.int64)
    order = np.argsort(said, kind="stable")
    for decibels in range(3, HIGHEST + STEP, STEP):
        heard = decode(TRANSLATED[gain_row(decibels), law.row, to.row], to).astype(np.int64)
        assert np.all(heard * said >= 0)
        assert np.all(np.diff(heard[order]) >= 0), "louder stays louder"
        assert np.abs(heard).max() == np.abs(decode(CODES, to).astype(np.int64)).max()
        wanted = np.clip(said * 10 ** (decibels / 20), -32768, 32767)
        assert np.all(np.abs(heard - wanted) <= np.maximum(np.abs(wanted) * 0.04, 20))


def test_a_full_scale_tone_at_the_limit_is_a_full_scale_tone() -> None:
    tone = (32767 * np.sin(2 * np.pi * 440 * np.arange(800) / 8000)).astype(np.int16)
    louder = TRANSLATED[gain_row(HIGHEST), 0, 0][encode(tone, Law.PCMU)]
    heard = decode(louder, Law.PCMU).astype(np.int64)
    assert np.abs(heard).max() == 32124
    assert np.corrcoef(heard, tone)[0, 1] > 0.9
