"""`callflow hear`: what the ears make of recordings, and what thresholds a trunk wants."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import yaml
from rich.box import SIMPLE_HEAD
from rich.table import Table

from callflow.adapters.listening import FRAME_SECONDS, Heard, listen, suggested
from callflow.adapters.recordings import read, recordings
from callflow.cli.screen import ERR, OUT, faults_told, write_json
from callflow.codec import Law
from callflow.events import LineHeard, LineJudged
from callflow.media.thresholds import Thresholds

_LAWS: Final = {"ulaw": Law.PCMU, "alaw": Law.PCMA}


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, readable=False, path_type=Path)
)
@click.option("--law", type=click.Choice([*_LAWS]), default="alaw", help="The law of the line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw one recording as a PNG.")
@click.option("--trunk", help="Print the thresholds for this trunk, of which these are ordinary calls.")
def hear(paths: tuple[Path, ...], law: str, as_json: bool, plot: Path | None, trunk: str | None) -> None:
    """Hear recordings of callers (WAV, or raw .ulaw and .alaw), or folders of them, as calls are heard.

    A table tells when a person was heard, and what kind of line it was taken for. With --trunk the recordings
    are taken for ordinary calls of a trunk, and what is printed belongs into the configuration.
    """
    with faults_told(as_json=as_json):
        files = [file for path in paths for file in recordings(path)]
        if plot is not None and len(files) != 1:
            raise click.UsageError("--plot draws one recording at a time")
        heard = {file: listen(read(file), Thresholds(), _LAWS[law]) for file in files}
    if trunk is not None:
        click.echo(trunk_yaml(trunk, suggested([*heard.values()], Thresholds())), nl=False)
    elif as_json:
        for file, one in heard.items():
            write_json(as_value(file, one))
    else:
        for file, one in heard.items():
            OUT.print(as_table(file, one))
    if plot is not None:
        _draw(files[0], heard[files[0]], plot)


def trunk_yaml(trunk: str, thresholds: Thresholds) -> str:
    """What stands in the configuration."""
    tree = {"sip": {"trunks": {trunk: {"hearing": asdict(thresholds)}}}}
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return text


def as_value(file: Path, heard: Heard) -> dict[str, Any]:
    """The same as the table, for programs."""
    return {
        "file": str(file),
        "seconds": round(heard.seconds, 2),
        "voice": None if heard.voice is None else round(heard.voice, 1),
        "told": [{"at": round(at, 2), **_said(event)} for at, event in heard.told],
    }


def _said(event: LineHeard | LineJudged) -> dict[str, Any]:
    since = {"since": round(event.since, 2)}
    if isinstance(event, LineHeard):
        return {"heard": event.heard, **since}
    return {"state": event.state, **since, "level": event.level, "floor": event.floor}


def as_table(file: Path, heard: Heard) -> Table:
    voice = "nobody was heard" if heard.voice is None else f"voice at {heard.voice:.1f} dBFS"
    table = Table(title=f"{file}: {heard.seconds:.2f} s, {voice}", box=SIMPLE_HEAD, title_justify="left")
    for name in ("told at s", "since s", "heard", "line", "level dBFS", "floor dBFS"):
        table.add_column(name, justify="left" if name in ("heard", "line") else "right")
    for at, event in heard.told:
        times = f"{at:.2f}", f"{event.since:.2f}"
        if isinstance(event, LineHeard):
            frame = min(max(round(event.since / FRAME_SECONDS), 0), len(heard.level) - 1)
            levels = _decibels(heard.level[frame]), _decibels(heard.floor[frame])
            table.add_row(*times, event.heard, "", *levels)
        else:
            table.add_row(*times, "", event.state, _decibels(event.level), _decibels(event.floor))
    return table


def _decibels(level: Any) -> str:
    return "" if level is None else f"{float(level):.1f}"


def _draw(file: Path, heard: Heard, plot: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        ERR.print("callflow: --plot needs matplotlib: pip install 'callflow-sip[plot]'", markup=False)
        sys.exit(1)
    figure = Figure(figsize=(12, 5), layout="constrained")
    axes = figure.subplots()
    seconds = [number * FRAME_SECONDS for number in range(len(heard.level))]
    axes.plot(seconds, heard.level, linewidth=0.8, label="level")
    axes.plot(seconds, heard.floor, linewidth=1.0, label="noise floor")
    axes.fill_between(seconds, -100, 0, where=heard.sounding.tolist(), alpha=0.15, label="a person")
    for at, state in heard.states():
        axes.axvline(at, linewidth=0.8, linestyle=":")
        axes.annotate(str(state), (at, -3), rotation=90, verticalalignment="top", fontsize=8)
    axes.set(title=file.name, xlabel="s", ylabel="dBFS", ylim=(-100, 0))
    axes.legend(loc="lower right")
    figure.savefig(plot, format="png")
