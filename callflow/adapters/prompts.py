"""The prompts of a house: read once at start, spoken in calls as 8 kHz samples.

What goes wrong with a recording is found at start, with its place in prompts.yaml; in a call nothing
is read, nothing is rendered, and what cannot be said raises instead of being silence.
"""

import hashlib
import io
import re
import wave
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow import document
from callflow.adapters.prompt_manifest import Manifest, Piece, Wanted, mismatches, pieces, read, wanted
from callflow.document import Document, did_you_mean
from callflow.errors import CallflowError, Fault, SourceError

Samples = NDArray[np.int16]

RATE: Final = 8000
"""Samples a second: the telephone's."""

_JOIN: Final = 0.06
"""Seconds between two recordings spoken as one phrase."""
_PAUSE: Final = 0.25
"""Seconds where the text has punctuation between them."""
_HEARD: Final = 104
"""The peak of what is heard on a telephone, of 32768: -50 dBFS. A recording all below it is a silent one."""


class CannotSpeak(CallflowError):
    """A prompt was asked for that no recording can say."""


@dataclass(frozen=True)
class Clip:
    """One recording, as samples and what they measure."""

    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @cached_property
    def loudness(self) -> float:
        """LUFS, as BS.1770 measures it."""
        return loudness(self.samples / 32768)

    @property
    def edges(self) -> tuple[float, float]:
        """The level of the first and of the last 20 ms, in dBFS."""
        window = RATE // 50
        return level(self.samples[:window] / 32768), level(self.samples[-window:] / 32768)


def level(signal: NDArray[np.float64]) -> float:
    """The RMS level in dBFS; -120 for silence."""
    return float(10 * np.log10(np.mean(signal**2) + 1e-12))


def loudness(signal: NDArray[np.float64], rate: int = RATE) -> float:
    """LUFS of a mono signal by ITU-R BS.1770-4; one shorter than a block of 400 ms is one block."""
    size = min(len(signal), round(0.4 * rate))
    blocks = np.lib.stride_tricks.sliding_window_view(signal, size)[:: max(1, size // 4)]
    spectrum = np.abs(np.fft.rfft(blocks, n=2 * size, axis=1)) ** 2
    # Parseval: half a spectrum, of a block that was padded to twice its length.
    power = (spectrum * _ear(size, rate)).sum(axis=1) / size**2
    heard = power[power > 10 ** ((-70 + 0.691) / 10)]
    if not len(heard):
        return -70.0
    return float(-0.691 + 10 * np.log10(np.mean(heard[heard >= np.mean(heard) / 10])))


def _ear(size: int, rate: int) -> NDArray[np.float64]:
    """The power response of BS.1770's two filters at the bins of a padded block."""
    # The standard tabulates its filters for 48 kHz; in frequency they hold for every rate.
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * size, 1 / rate) / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    bass_cut = (1 - z) ** 2 / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * bass_cut) ** 2)


def decode(data: bytes) -> Clip:
    """The clip in a WAV file's bytes; raises `ValueError` where it is not of the one format we play."""
    try:
        with wave.open(io.BytesIO(data)) as sound:
            form = sound.getframerate(), sound.getnchannels(), 8 * sound.getsampwidth()
            frames = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a PCM WAV file; {_why_no_wav(data, error)}") from None
    if form != (RATE, 1, 16):
        got = f"{form[0]} Hz, {form[1]} channels, {form[2]} bit"
        raise ValueError(f"it is {got}; 8000 Hz, 1 channel, 16 bit PCM is right")
    if not frames:
        raise ValueError("it has no samples")
    samples = np.frombuffer(frames, "<i2").astype(np.int16)
    if int(samples.max()) - int(samples.min()) < 2 * _HEARD:
        raise ValueError("it is silent from its beginning to its end; record the words again")
    samples.flags.writeable = False
    return Clip(samples)


def _why_no_wav(data: bytes, error: Exception) -> str:
    """The reason, in plain words, why Python's `wave` does not read these bytes."""
    if not data:
        return "it is empty"
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return "it does not begin as one: save it as WAV, 8000 Hz, 1 channel, 16 bit"
    if "unknown format" in str(error):
        return "its samples are coded otherwise; save it as 16 bit PCM"
    return "its header is damaged or cut off; copy it or save it again"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording with its words and where prompts.yaml declares it."""

    name: str
    text: str
    file: Path
    clip: Clip
    is_item: bool
    source: Document
    path: document.Path

    def fault(self, what: str) -> Fault:
        return self.source.fault((*self.path, "file"), what)


@dataclass(frozen=True, slots=True)
class _Speech:
    """One prompt made ready: its pieces, their clips (None for a slot), and its slots' lists."""

    text: str
    pieces: tuple[Piece, ...]
    clips: tuple[Clip | None, ...]
    slots: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Directory:
    """One directory read: its manifest, its recordings by name, and what is wrong with it."""

    source: Document
    manifest: Manifest
    recorded: dict[str, Recorded]
    faults: list[Fault]

    def speeches(self) -> Iterator[tuple[str, _Speech]]:
        for key, prompt in self.manifest.prompts.items():
            found = pieces(prompt.text)
            names = [key] if not prompt.slots else [f"{key}.{i + 1}" for i in range(len(prompt.parts))]
            words = iter(names)
            clips = tuple(None if piece.is_slot else self.recorded[next(words)].clip for piece in found)
            yield key, _Speech(prompt.text, found, clips, prompt.slots)


def _read_directory(directory: Path, lists: set[str]) -> _Directory:
    source, manifest = read(directory)
    recorded: dict[str, Recorded] = {}
    faults = list(mismatches(source, manifest, lists | manifest.lists.keys()))
    for want in wanted(manifest):
        outcome = _read_recording(directory, source, want)
        if isinstance(outcome, Fault):
            faults.append(outcome)
        else:
            recorded[want.name] = outcome
    return _Directory(source, manifest, recorded, sorted(set(faults)))


def _read_recording(directory: Path, source: Document, want: Wanted) -> Recorded | Fault:
    file = want.recording.file
    if not file:
        return source.fault(want.path, f"{want.name} has no file yet; `callflow prompts build` makes one")
    try:
        data = (directory / file).read_bytes()
    except OSError as error:
        return source.fault((*want.path, "file"), f"{file} cannot be read: {error.strerror}")
    found = hashlib.sha256(data).hexdigest()
    if found != want.recording.sha256:
        return source.fault((*want.path, "sha256"), f"{file} has the sha256 {found}")
    try:
        clip = decode(data)
    except ValueError as error:
        return source.fault((*want.path, "file"), f"{file}: {error}")
    return Recorded(want.name, want.text, directory / file, clip, want.is_item, source, want.path)


def fewest(value: str, entries: Container[str]) -> tuple[str, ...] | None:
    """`value` as the fewest of `entries`, of equally few the ones with the longest first; None if none do.

    Digits alone are hard to make out, so a number is spoken in as large pieces as there are.
    """
    best: list[tuple[str, ...] | None] = [()]
    """The best cover of the value's last 0, 1, 2 … characters."""
    for start in reversed(range(len(value))):
        covers = [
            (value[start:end], *rest)
            for end in range(len(value), start, -1)
            if value[start:end] in entries and (rest := best[len(value) - end]) is not None
        ]
        best.append(min(covers, key=len, default=None))
    return best[-1]


class PromptLibrary:
    """Every prompt of a house, ready to be spoken."""

    def __init__(self, directories: Iterable[_Directory]) -> None:
        """Use `load`. What a later directory says stands."""
        self._speeches: dict[str, _Speech] = {}
        self._lists: dict[str, dict[str, Recorded]] = {}
        self._recorded: dict[str, Recorded] = {}
        self.written: dict[str, Document] = {}
        """Where each prompt is written."""
        self.added: dict[tuple[str, str], Document] = {}
        """The names that an overlay adds: kind (`prompt` or `list`) and name, and the document."""
        for nth, directory in enumerate(directories):
            if nth:
                self._note_added(directory)
            self.written |= dict.fromkeys(directory.manifest.prompts, directory.source)
            self._speeches |= directory.speeches()
            self._forget_recordings_of(directory.manifest.prompts)
            self._recorded |= directory.recorded
            for name, items in directory.manifest.lists.items():
                self._lists.setdefault(name, {}).update(
                    {value: directory.recorded[f"{name}/{value}"] for value in items}
                )

    @classmethod
    def load(cls, directory: Path, *overlays: Path) -> "PromptLibrary":
        """Read prompts.yaml and its files; each overlay replaces the keys and list entries it has.

        Raises `SourceError` with every fault of every directory.
        """
        read_ones: list[_Directory] = []
        faults: list[Fault] = []
        lists: set[str] = set()
        for each in (directory, *overlays):
            try:
                read_ones.append(_read_directory(each, lists))
                faults += read_ones[-1].faults
                lists |= read_ones[-1].manifest.lists.keys()
            except SourceError as error:
                faults += error.faults
        if faults:
            raise SourceError(*faults)
        return cls(read_ones)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._speeches)

    @property
    def list_names(self) -> frozenset[str]:
        return frozenset(self._lists)

    def lists_of(self, key: str) -> frozenset[str]:
        """The lists that speak the slots of a prompt."""
        return frozenset(name for names in self._speech(key).slots.values() for name in names)

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """Every recording in use, prompts before lists."""
        return tuple(sorted(self._recorded.values(), key=lambda one: one.is_item))

    def text(self, key: str) -> str:
        """The words with their slots unfilled, as `工号{seat}`."""
        return self._speech(key).text

    def fields(self, key: str) -> frozenset[str]:
        """The names of the slots."""
        return frozenset(self._speech(key).slots)

    def missing(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(keys) - self.keys

    def speech_text(self, key: str, fields: Mapping[str, str]) -> str:
        """What the caller hears, in words: digits as they are read aloud."""
        speech = self._speech(key)
        spoken = {
            slot: "".join(item.text for item in self._items(key, slot, fields)) for slot in speech.slots
        }
        return re.sub(r"\{(\w+)\}", lambda match: spoken[match[1]], speech.text)

    def pcm(self, key: str, fields: Mapping[str, str]) -> Samples:
        """The samples at 8 kHz, not to be written to; raises `CannotSpeak`, never says less."""
        speech = self._speech(key)
        if not speech.slots:
            (clip,) = speech.clips
            assert clip is not None
            return clip.samples
        sounds: list[Samples] = []
        for piece, clip in zip(speech.pieces, speech.clips, strict=True):
            spoken = [clip] if clip else [item.clip for item in self._items(key, piece.text, fields)]
            for index, each in enumerate(spoken):
                pause = _PAUSE if piece.after_mark and not index else _JOIN
                sounds += [_silence(pause), each.samples]
        return np.concatenate(sounds[1:])

    def values(self, key: str, slot: str) -> tuple[str, ...]:
        """Every value of which there is one recording for a slot of a prompt."""
        return tuple(self._items_of(key, slot))

    def spelt(self, key: str, fields: Mapping[str, str]) -> Iterator[tuple[str, Samples]]:
        """The recordings that say a prompt one after the other, each with the pause before it, by a name.

        The name begins with the key. Raises `CannotSpeak`.
        """
        speech = self._speech(key)
        for piece, clip in zip(speech.pieces, speech.clips, strict=True):
            if clip is not None:
                pause = _PAUSE if piece.after_mark else _JOIN
                yield f"{key}?{piece.text}", np.concatenate([_silence(pause), clip.samples])
                continue
            for item in self._items(key, piece.text, fields):
                yield f"{key}?{item.name}", np.concatenate([_silence(_JOIN), item.clip.samples])

    def duration(self, key: str, fields: Mapping[str, str]) -> float:
        """Seconds."""
        return len(self.pcm(key, fields)) / RATE

    def _speech(self, key: str) -> _Speech:
        try:
            return self._speeches[key]
        except KeyError:
            raise CannotSpeak(f"there is no prompt {key!r}{did_you_mean(key, [*self._speeches])}") from None

    def _items(self, key: str, slot: str, fields: Mapping[str, str]) -> Iterator[Recorded]:
        value = fields.get(slot, "")
        if not value:
            raise CannotSpeak(f"the prompt {key!r} needs a value for {{{slot}}}")
        items = self._items_of(key, slot)
        entries = fewest(value, items)
        if entries is None:
            unknown = next((each for each in value if not any(each in entry for entry in items)), value)
            names = ", ".join(repr(name) for name in self._speech(key).slots[slot])
            raise CannotSpeak(f"{{{slot}}} of {key!r} is {value!r}: {unknown!r} is not in {names}")
        yield from (items[entry] for entry in entries)

    def _items_of(self, key: str, slot: str) -> dict[str, Recorded]:
        """What can be spoken in a slot: all lists that it has, as one."""
        found: dict[str, Recorded] = {}
        for name in self._speech(key).slots[slot]:
            found |= self._lists[name]
        return found

    def _note_added(self, overlay: _Directory) -> None:
        manifest, source = overlay.manifest, overlay.source
        for kind, names, known in (
            ("prompt", manifest.prompts, self._speeches),
            ("list", manifest.lists, self._lists),
        ):
            self.added |= {(kind, name): source for name in names if name not in known}

    def _forget_recordings_of(self, keys: Container[str]) -> None:
        self._recorded = {
            name: one for name, one in self._recorded.items() if one.is_item or one.path[1] not in keys
        }


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)
