"""What makes a sound a voice: periods of 70 to 400 Hz that no machine holds so unsteadily."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.past import Samples

Floats = NDArray[np.float32]

WINDOW: Final = 320
"""Samples in which periods are looked for: 40 ms hold three of the deepest voice's."""
HOP: Final = 160
_LAGS: Final = slice(10, 58)
"""Periods in samples of 4 kHz: 400 to 70 Hz."""
_BELOW: Final = 6
"""Bins of 25 Hz that hold hum and rumble, and on a telephone no voice."""
_TAPER: Final = np.hanning(WINDOW // 2).astype(np.float32)
_PURE_TAPER: Final = np.hanning(640).astype(np.float32)
_PARTS: Final = 8
"""Of a window, 5 ms each: a third of the deepest voice's period."""
_THROUGHOUT: Final = 0.1
"""Share of the mean power that half of a window's parts must reach."""
PURE_SAMPLES: Final = 640
"""Samples in which a tone's purity is measured: 80 ms."""
_PEAK: Final = 2
"""Bins on both sides of a tone's own that its window spreads it to."""
_TEMPLATE: Final = 320
_NEAREST, _FARTHEST = 480, 800
"""How far back a machine's tone is like itself, in samples: 60 to 100 ms; by then a voice has moved."""
STEADY: Final = _TEMPLATE + _FARTHEST
"""Samples that `steadiness` needs."""


def voicing(sound: Samples) -> Floats:
    """How periodic each row of `WINDOW` samples is, from 0 to 1; noise is below 0.25, a voice mostly above.

    The spectrum's root is taken before it is turned into an autocorrelation: so one strong formant, or a
    hum, or coloured noise counts for less than harmonics that stand at equal distances.
    """
    halved = sound[:, 0::2] + sound[:, 1::2]
    halved = (halved - halved.mean(1, keepdims=True)) * _TAPER
    spectrum = np.abs(np.fft.rfft(halved))
    spectrum[:, :_BELOW] = 0.0
    alike = np.fft.irfft(spectrum, WINDOW // 2)
    periodic: Floats = (alike[:, _LAGS].max(1) / np.maximum(alike[:, 0], 1e-9)).astype(np.float32)
    return periodic


def windows(sound: Samples) -> Samples:
    """Each row cut into its windows: [row, window, sample], one every `HOP` samples."""
    cut: Samples = np.lib.stride_tricks.sliding_window_view(sound, WINDOW, axis=1)[:, ::HOP]
    return cut


def loudness(cut: Samples) -> tuple[Floats, Floats]:
    """The mean power of windows [row, window, sample], and what half of their parts exceed.

    Clicks make the one and not the other.
    """
    parts = cut.reshape(*cut.shape[:2], _PARTS, -1)
    power = np.einsum("...i,...i->...", parts, parts) / parts.shape[-1]
    return power.mean(2), np.sort(power, 2)[:, :, _PARTS // 2]


def lasting(whole: Floats, most: Floats) -> NDArray[np.bool_]:
    """Which windows of such `loudness` sound throughout; a click or two in silence do not."""
    throughout: NDArray[np.bool_] = most >= whole * _THROUGHOUT
    return throughout


def strongest(sound: Samples) -> tuple[Floats, Floats]:
    """Of the last 80 ms of each row: what share of it its two strongest tones are, and which one leads.

    The share is 1 where there is nothing else; the frequency is in Hz, to 12.5 Hz.
    """
    piece = sound[:, -PURE_SAMPLES:]
    power = np.square(np.abs(np.fft.rfft((piece - piece.mean(1, keepdims=True)) * _PURE_TAPER)))
    hertz: Floats = (power.argmax(1) * (8000 / PURE_SAMPLES)).astype(np.float32)
    whole = np.maximum(power.sum(1), 1e-12)
    rows, found = np.arange(len(power)), np.zeros(len(power))
    for _ in range(2):
        near = power.argmax(1)[:, None] + np.arange(-_PEAK, _PEAK + 1)
        near = np.clip(near, 0, power.shape[1] - 1)
        found += np.take_along_axis(power, near, 1).sum(1)
        power[rows[:, None], near] = 0.0
    share: Floats = np.minimum(found / whole, 1.0).astype(np.float32)
    return share, hertz


def steadiness(sound: Samples) -> Floats:
    """How like its last 40 ms each row is to what it was 60 to 100 ms before; a machine's tone comes to 1."""
    template, before = sound[:, -_TEMPLATE:], sound[:, -STEADY:-_NEAREST]
    size = 1024
    spectrum = np.fft.rfft(before, size) * np.conj(np.fft.rfft(template, size))
    products = np.fft.irfft(spectrum, size)[:, : _FARTHEST - _NEAREST + 1]
    energy = np.cumsum(np.square(before, dtype=np.float64), axis=1)
    energy = np.concatenate([np.zeros((len(sound), 1)), energy], axis=1)
    there = energy[:, _TEMPLATE:] - energy[:, :-_TEMPLATE]
    here = np.square(template, dtype=np.float64).sum(1, keepdims=True)
    alike = products / np.sqrt(np.maximum(there * here, 1e-12))
    steady: Floats = np.clip(alike.max(1), 0.0, 1.0).astype(np.float32)
    return steady
