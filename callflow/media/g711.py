"""G.711 by tables: µ-law and A-law to linear samples and back, and the power of each code (ITU-T G.711)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law

Codes = NDArray[np.uint8]
Samples = NDArray[np.int16]


def _decode_ulaw(codes: Codes) -> Samples:
    inverted = ~codes.astype(np.int32) & 0xFF
    exponent, mantissa = (inverted >> 4) & 7, inverted & 15
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    samples: Samples = np.where(inverted & 0x80, -magnitude, magnitude).astype(np.int16)
    return samples


def _decode_alaw(codes: Codes) -> Samples:
    toggled = codes.astype(np.int32) ^ 0x55
    exponent, mantissa = (toggled >> 4) & 7, toggled & 15
    step = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, step, (step + 256) << np.maximum(exponent - 1, 0))
    samples: Samples = np.where(toggled & 0x80, magnitude, -magnitude).astype(np.int16)
    return samples


def _encode_ulaw(samples: Samples) -> Codes:
    wide = samples.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(wide < 0, 0x80, 0)
    codes: Codes = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return codes


def _encode_alaw(samples: Samples) -> Codes:
    wide = samples.astype(np.int32)
    magnitude = np.where(wide < 0, ~wide, wide) >> 4
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 3, 0)
    exponent = np.where(magnitude < 16, 0, exponent)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 15
    sign = np.where(wide < 0, 0, 0x80)
    codes: Codes = ((sign | exponent << 4 | mantissa) ^ 0x55).astype(np.uint8)
    return codes


_ALL_CODES: Final = np.arange(256, dtype=np.uint8)
_ALL_SAMPLES: Final = np.arange(65536, dtype=np.uint16).view(np.int16)

LINEAR: Final[Samples] = np.stack([_decode_ulaw(_ALL_CODES), _decode_alaw(_ALL_CODES)])
"""[law, code] → sample."""
_ENCODED: Final[Codes] = np.stack([_encode_ulaw(_ALL_SAMPLES), _encode_alaw(_ALL_SAMPLES)])
POWER: Final = np.square(LINEAR.astype(np.float32) / 32768)
"""[law, code] → power relative to full scale."""
IDLE: Final = np.array([0xFF, 0xD5], dtype=np.uint8)
"""The code of silence in each law."""
STEP: Final = 3
"""Decibels between two gains."""
LOWEST, HIGHEST = -24, 12
"""Gains in decibels; what would be louder than full scale is cut there."""


UNITY: Final = -LOWEST // STEP
"""The row of no gain."""


def _translations() -> Codes:
    gains = 10 ** (np.arange(LOWEST, HIGHEST + STEP, STEP) / 20)
    louder = gains[:, None, None] * LINEAR.astype(np.float64)
    samples = np.rint(np.clip(louder, -32768, 32767)).astype(np.int16).view(np.uint16)
    codes: Codes = np.moveaxis(_ENCODED[:, samples], 0, 2)
    for law in (0, 1):
        # Untouched is untouched: µ-law has a negative zero, which must not become a positive one.
        codes[UNITY, law, law] = _ALL_CODES
    return codes


TRANSLATED: Final = _translations()
"""[gain from the lowest up, from law, to law, code] → code."""


def gain_row(decibels: float) -> int:
    """The gain that is nearest, within what there is."""
    return (round(min(max(decibels, LOWEST), HIGHEST) / STEP) * STEP - LOWEST) // STEP


def encode(samples: Samples, law: Law) -> Codes:
    """16-bit samples to codes."""
    return encode_row(samples, law.row)


def encode_row(samples: Samples, law: int) -> Codes:
    """16-bit samples to codes of the law that has this row."""
    codes: Codes = _ENCODED[law][samples.view(np.uint16)]
    return codes


def decode(codes: Codes, law: Law) -> Samples:
    """Codes to 16-bit samples."""
    samples: Samples = LINEAR[law.row][codes]
    return samples
