"""Finding a prompt in what a phone recorded."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


def read_wav(path: Path) -> Samples:
    """An 8 kHz mono 16-bit recording."""
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)


def likeness(recording: Samples, prompt: Samples) -> float:
    """How alike the most similar part of a recording is to a prompt: 1 where it is the prompt itself."""
    size = 1 << (len(recording) + len(prompt)).bit_length()
    product = np.fft.irfft(np.fft.rfft(recording, size) * np.conj(np.fft.rfft(prompt, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(recording**2)])
    windows = energy[len(prompt) :] - energy[: -len(prompt)]
    scale = np.sqrt(np.maximum(windows, 1e-9) * np.sum(prompt**2))
    return float(np.max(product[: len(windows)] / scale, initial=0.0))
