"""Recordings of calls as the line had them: WAV of any rate, or raw G.711, as samples of 8 kHz."""

import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE, Law
from callflow.errors import CallflowError
from callflow.media.g711 import Samples, decode

RAW: Final = {
    **dict.fromkeys((".ulaw", ".ul", ".pcmu"), Law.PCMU),
    **dict.fromkeys((".alaw", ".al", ".pcma"), Law.PCMA),
}
"""Law by the ending of a file that has no header."""
_MOST_SECONDS: Final = 4 * 3600


class CannotHear(CallflowError):
    """The file is no recording that can be read."""


def recordings(path: Path) -> list[Path]:
    """The file itself, or what a folder has of recordings. Raises `CannotHear` where that is nothing."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*") if one.suffix.lower() in (".wav", *RAW))
    if not found:
        raise CannotHear(f"{path} holds no WAV and no {', '.join(RAW)}")
    return found


def read(path: Path) -> Samples:
    """Its first channel at 8 kHz. Raises `CannotHear`, or `OSError`."""
    law = RAW.get(path.suffix.lower())
    if law is not None:
        return decode(np.fromfile(path, np.uint8), law)
    try:
        with wave.open(str(path), "rb") as sound:
            rate, width, channels = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
            if sound.getnframes() > _MOST_SECONDS * rate:
                raise CannotHear(f"{path} is longer than {_MOST_SECONDS // 3600} hours")
            data = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise CannotHear(f"{path} is no WAV with PCM: {error}") from None
    if not rate:
        raise CannotHear(f"{path} says that it has no samples a second")
    return _at_our_rate(_first_channel(data, width, channels), rate)


def _first_channel(data: bytes, width: int, channels: int) -> NDArray[np.float64]:
    """Samples of full scale 1."""
    whole = data[: len(data) // (width * channels) * width * channels]
    codes = np.frombuffer(whole, np.uint8).reshape(-1, channels, width)[:, 0]
    if width == 1:
        # WAV of 8 bits is unsigned.
        return (codes[:, 0].astype(np.float64) - 128) / 128
    padded = np.zeros((len(codes), 4), np.uint8)
    padded[:, 4 - width :] = codes
    return padded.view("<i4")[:, 0].astype(np.float64) / 2**31


def _at_our_rate(sound: NDArray[np.float64], rate: int) -> Samples:
    """The same at 8 kHz, what is above 4 kHz left out."""
    if rate != RATE and len(sound):
        count = round(len(sound) * RATE / rate)
        spectrum = np.fft.rfft(sound)
        kept = np.zeros(count // 2 + 1, np.complex128)
        shared = min(len(spectrum), len(kept))
        kept[:shared] = spectrum[:shared]
        sound = np.fft.irfft(kept, count) * (count / len(sound))
    samples: Samples = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
    return samples
