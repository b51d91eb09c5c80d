"""Whether what a line says is our own audio, come back within 640 ms."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.levels import Floats
from callflow.media.past import SAID, Past, Samples
from callflow.media.rtp import FRAME
from callflow.media.thresholds import Limits

Slots = NDArray[np.int64]

WINDOW: Final = 8
"""Frames that are compared: 160 ms."""
_HEARD: Final = WINDOW * FRAME
_SAID: Final = SAID * FRAME
_FRAME_SECONDS: Final = 0.02
_EARLIER, _LATER = 4, 12
"""Samples around an echo's place that a phone's hybrid smears it over."""
_FILTERED: Final = 0.92
"""Likeness to our own audio, filtered as fits best, from which a sound is its echo; voices come to 0.8."""
_WORTH: Final = 0.4
"""Likeness without any filter from which one is tried."""
_DAMPING: Final = 1e-3


class Echoes:
    """Where each line's echo was found, and until when it is one."""

    def __init__(self, past: Past, limits: Limits) -> None:
        self._past = past
        self._limits = limits
        self._out_at = np.full(len(past.frames), -np.inf)
        """When a prompt's frame was last sent."""
        self._behind = np.zeros(len(past.frames), np.int64)
        """Samples from where a frame was found among our own audio to where it stood in the line's."""

    def open(self, slot: int) -> None:
        self._out_at[slot] = -np.inf

    def sent(self, slots: Slots, now: float) -> None:
        """Something of ours was sent there that is not silence."""
        self._out_at[slots] = now

    def possible(self, slots: Slots, now: float) -> NDArray[np.bool_]:
        """Where an echo could be: something was sent lately enough."""
        lately: NDArray[np.bool_] = now - self._out_at[slots] <= SAID * _FRAME_SECONDS
        return lately

    def find(self, slots: Slots, quiet: Floats, now: float) -> NDArray[np.bool_]:
        """In which lines the last `WINDOW` frames are our own: first where each echo was found before.

        There it mostly is again, and that costs little; nothing found elsewhere could change the verdict.
        `quiet` has the power below which nothing is loud on each line.
        """
        echoes = self.possible(slots, now)
        asked = np.flatnonzero(echoes)
        if len(asked):
            heard = self._past.heard(slots[asked], _HEARD)
            left = quiet[asked] * np.float32(_HEARD)
            found = self._found_again(slots[asked], heard, left)
            for index in np.flatnonzero(~found):
                one = slice(index, index + 1)
                found[index] = self._is_found(slots[asked[one]], heard[index], left[one])
            echoes[asked] = found
        return echoes

    def _window(self, slots: Slots) -> NDArray[np.int64]:
        """Where each line's window lies in what is remembered of our own audio to it."""
        return (self._past.frames[slots] - self._past.sent[slots] + SAID - WINDOW) * FRAME

    def _found_again(self, slots: Slots, heard: Samples, left: Floats) -> NDArray[np.bool_]:
        """Whether each line's echo stands where it stood before."""
        place = self._window(slots) - self._behind[slots]
        known = (place >= 0) & (place <= _SAID - _HEARD)
        said = self._past.said(slots, place, _HEARD)
        likeness = _likeness(_dots(heard, said), _dots(said, said), _dots(heard, heard))
        found: NDArray[np.bool_] = known & self._explains(slots, heard, likeness, left)
        for row in np.flatnonzero(known & ~found & (likeness >= _WORTH)):
            found[row] = self._is_filtered(slots[row : row + 1], heard[row], int(place[row]), left[row])
        return found

    def _is_found(self, slot: Slots, heard: Samples, left: Floats) -> bool:
        """Whether one line's echo stands anywhere in our own audio; the place is remembered."""
        said = self._past.said(slot, np.zeros(1, np.int64), _SAID)[0]
        likeness, place = correlation(heard, said)
        explained = bool(self._explains(slot, heard[None], np.array([likeness]), left)[0])
        if not (explained or (likeness >= _WORTH and self._is_filtered(slot, heard, place, left[0]))):
            return False
        self._behind[slot] = self._window(slot) - place
        return True

    def _is_filtered(self, slot: Slots, heard: Samples, place: int, left: np.float32) -> bool:
        """Whether a short filter makes what stands at `place` in our own audio what is heard, nearly."""
        around = self._past.said(slot, np.array([place - _LATER]), _HEARD + _EARLIER + _LATER)[0]
        likeness = filtered_likeness(heard, around)
        return likeness >= _FILTERED or float(heard @ heard) * (1 - likeness**2) < float(left)

    def _explains(
        self, slots: Slots, heard: Samples, likeness: NDArray[np.float64], left: Floats
    ) -> NDArray[np.bool_]:
        """Whether what is `likeness` like our own audio is that, or no more than `left` is without it."""
        explained: NDArray[np.bool_] = likeness >= self._limits.echo_likeness[slots]
        explained |= _dots(heard, heard) * (1 - likeness**2) < left
        return explained


def correlation(heard: Samples, said: Samples) -> tuple[float, int]:
    """How alike `heard` is to the part of `said` that it is most like, and where that begins.

    0 to 1, whatever their levels.
    """
    window, places = len(heard), len(said) - len(heard) + 1
    # What wraps around lies behind the last place.
    spectrum = np.fft.rfft(said) * np.conj(np.fft.rfft(heard, len(said)))
    products = np.fft.irfft(spectrum, len(said))[:places]
    energy = np.concatenate([[0.0], np.cumsum(np.square(said, dtype=np.float64))])
    said_energy = energy[window:] - energy[:-window]
    likeness = _likeness(products, said_energy, _dots(heard[None], heard[None]), window)
    at = int(likeness.argmax())
    return float(likeness[at]), at


def filtered_likeness(heard: Samples, around: Samples) -> float:
    """How alike `heard` is to `around`, which begins earlier and ends later, filtered as fits best."""
    taps = np.lib.stride_tricks.sliding_window_view(around, len(heard)).astype(np.float64)
    alike = taps @ taps.T
    alike += np.eye(len(alike)) * (np.trace(alike) * _DAMPING / len(alike) + 1e-12)
    rest = heard - np.linalg.solve(alike, taps @ heard) @ taps
    left = float(rest @ rest) / max(float(heard @ heard), 1e-12)
    return float(np.sqrt(max(1 - left, 0.0)))


def _likeness(
    products: NDArray[np.floating],
    said_energy: NDArray[np.floating],
    heard_energy: NDArray[np.floating],
    window: int = _HEARD,
) -> NDArray[np.float64]:
    likeness = np.abs(products) / np.sqrt(np.maximum(said_energy * heard_energy, 1e-12))
    # Next to silence even rounding looks like anything at all.
    bounded: NDArray[np.float64] = np.where(said_energy < 1e-6 * window, 0.0, np.minimum(likeness, 1.0))
    return bounded


def _dots(one: Samples, other: Samples) -> NDArray[np.float64]:
    """The product of each row with its fellow."""
    products: NDArray[np.float64] = np.einsum("ij,ij->i", one, other).astype(np.float64)
    return products
