"""`callflow demo`: watch real calls, and see the prescribed times beside the measured ones."""

import asyncio
import logging
import sys
from pathlib import Path

import click
import structlog

from callflow import config
from callflow.cli.screen import OUT, faults_told, write_json
from callflow.cli.transcript import Transcript, result_of, table_of
from callflow.config import Setup
from callflow.demo.scenarios import DEMOS
from callflow.demo.stage import Performance, Told, play_live


@click.command()
@click.argument("name", type=click.Choice(sorted(DEMOS)), default="silent-line")
@click.option("--json", "as_json", is_flag=True, help="Facts, then results, one JSON object a line.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("callflow-demo"),
    show_default=True,
    help="Where what the caller heard is kept as WAV.",
)
def demo(name: str, as_json: bool, output: Path) -> None:
    """Play a call: a controller on free loopback ports, and pyVoIP in a process of its own as the caller.

    The exit status is 0 only if every pause was as prescribed, by our ledger and at the caller's socket.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with faults_told(as_json=as_json):
        setup = config.default()
        output.mkdir(parents=True, exist_ok=True)
        performances = asyncio.run(_play(name, setup, _teller(name, setup, as_json), output))
    show(performances, as_json=as_json)
    sys.exit(0 if all(performance.good for performance in performances) else 1)


def show(performances: list[Performance], *, as_json: bool) -> None:
    """The results: a table, or JSON."""
    if as_json:
        for performance in performances:
            write_json(result_of(performance))
        return
    OUT.print(table_of(performances))
    for performance in performances:
        for fault in performance.faults:
            OUT.print(f"[bold red]WRONG[/] {performance.scenario.name}: {fault}")
        if performance.report and performance.report.recording:
            path = performance.report.recording
            OUT.print(f"What {performance.scenario.title} heard: {path}", soft_wrap=True)


def _teller(name: str, setup: Setup, as_json: bool) -> Told:
    if as_json:
        return lambda scenario, fact: write_json({"scenario": scenario.name, **fact.as_dict()})
    scenarios = DEMOS[name]
    OUT.print(f"[bold]{name}[/]: " + "; ".join(scenario.title for scenario in scenarios))
    return Transcript(OUT, setup, several=len(scenarios) > 1).tell


async def _play(name: str, setup: Setup, told: Told, output: Path) -> list[Performance]:
    plays = [play_live(scenario, setup, told, output) for scenario in DEMOS[name]]
    return list(await asyncio.gather(*plays))
