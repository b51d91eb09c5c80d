"""People's voices for the evaluation: recordings that are installed here, and our own prompts.

Debian's asterisk-core-sounds-*-wav are people reading telephone sentences. They are used where they are
installed, and belong to nobody's repository; without them only our own prompts speak.
"""

import functools
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE

Wave = NDArray[np.float32]
"""Samples of full scale 1."""

_PROMPTS: Final = Path(__file__).parents[2] / "prompts"
_ASTERISK: Final = Path("/usr/share/asterisk/sounds")
_TUNED: Final = (_ASTERISK / "en_US_f_Allison", _PROMPTS / "zh-CN")
_HELD_OUT: Final = (
    _ASTERISK / "fr_CA_f_June",
    _ASTERISK / "it_IT_m_Carlo",
    _ASTERISK / "ru_RU_f_IvrvoiceRU",
    _PROMPTS / "callers" / "zh-CN",
)
_FRAME: Final = 160
_WORD: Final = RATE // 5
"""Samples of the shortest word: 200 ms."""
_FADE: Final = 80
_NO_VOICES: Final = ("beep", "tone", "jingle", "monkeys", "weasels", "silence")


@dataclass(frozen=True, slots=True)
class Voices:
    """What a group of people say, each piece of active level 0 dB and without silence around it."""

    phrases: tuple[Wave, ...]
    """1 to 6 s each."""
    words: tuple[Wave, ...]
    """200 ms each: the loudest of a short recording."""


_others: list[Path] = []


def use(folders: list[Path]) -> None:
    """Take the recordings in these folders for the held-out voices."""
    _others[:] = folders
    voices.cache_clear()


@functools.cache
def voices(*, held_out: bool, installed: bool = True) -> Voices:
    """Those that the detector was tuned with, or those that it was not."""
    folders = [folder for folder in (_HELD_OUT if held_out else _TUNED) if folder.is_dir()]
    if not installed:
        folders = [folder for folder in folders if folder.is_relative_to(_PROMPTS)]
    if held_out and _others:
        folders = _others
    pieces = [
        piece
        for folder in folders
        for path in sorted(folder.rglob("*.wav"))
        if not any(word in str(path.relative_to(folder)) for word in _NO_VOICES)
        for piece in [_trimmed(read(path))]
        if len(piece) >= _WORD
    ]
    levelled = [piece / active_level(piece) for piece in pieces]
    short = [piece for piece in levelled if len(piece) <= 1.2 * RATE] or levelled
    long = [piece[: 6 * RATE] for piece in levelled if len(piece) >= RATE] or levelled
    return Voices(tuple(long), tuple(_word(piece) for piece in short))


def read(path: Path) -> Wave:
    """A WAV file of 8 kHz and 16 bits."""
    with wave.open(str(path)) as audio:
        assert (audio.getframerate(), audio.getsampwidth(), audio.getnchannels()) == (RATE, 2, 1)
        samples = np.frombuffer(audio.readframes(audio.getnframes()), "<i2")
    return samples.astype(np.float32) / np.float32(32768)


def frame_power(piece: Wave) -> NDArray[np.float32]:
    """Of each whole frame of 20 ms."""
    frames = piece[: len(piece) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power: NDArray[np.float32] = np.square(frames).mean(1)
    return power


def active_level(piece: Wave) -> float:
    """The RMS of what is said, without the pauses: frames within 20 dB of the loud ones."""
    power = frame_power(piece)
    return float(np.sqrt(power[power > np.percentile(power, 95) / 100].mean()))


def _trimmed(piece: Wave) -> Wave:
    """Without the silence before and after."""
    power = frame_power(piece)
    if not len(power) or power.max() < 1e-5:
        return piece[:0]
    loud = np.flatnonzero(power > power.max() / 1000)
    return piece[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]


def _word(piece: Wave) -> Wave:
    """200 ms of it, where it is loudest, faded in and out over 10 ms, of active level 0 dB."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(piece, dtype=np.float64))])
    at = int((energy[_WORD:] - energy[:-_WORD]).argmax())
    word = piece[at : at + _WORD].copy()
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    word[:_FADE] *= ramp
    word[-_FADE:] *= ramp[::-1]
    levelled: Wave = word / np.float32(active_level(word))
    return levelled
