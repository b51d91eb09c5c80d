"""`callflow demo`: watch real calls, and see the prescribed times beside the measured ones."""

import asyncio
import functools
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import structlog

from callflow import config, resources
from callflow.cli.screen import OUT, faults_told, write_json
from callflow.cli.transcript import Transcript, result_of, table_of
from callflow.config import Setup
from callflow.demo import trunk_stage
from callflow.demo.hold_scenarios import SEATED
from callflow.demo.hold_stage import NUMBERS, play_seated
from callflow.demo.line_scenarios import LINES
from callflow.demo.scenarios import DEMOS, Scenario
from callflow.demo.seated import SeatedScenario
from callflow.demo.stage import Performance, Told, play_live
from callflow.demo.transfer_scenarios import TRANSFERS
from callflow.demo.trunk_stage import play_trunk
from callflow.errors import CallflowError
from callflow.etiquette.house import House
from callflow.events import Party

WITH_SEATS: Final = {**SEATED, **TRANSFERS, **LINES}
ONE_WAY_TRUNK: Final = "one-way-trunk"
ALL: Final = {*DEMOS, *WITH_SEATS, ONE_WAY_TRUNK}


@click.command()
@click.argument("name", type=click.Choice(sorted(ALL)), default="silent-line")
@click.option("--house", type=click.Choice(resources.house_names()), help="Under this house's manners.")
@click.option("--json", "as_json", is_flag=True, help="Facts, then results, one JSON object a line.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("callflow-demo"),
    show_default=True,
    help="Where what the phones heard is kept as WAV.",
)
def demo(name: str, house: str | None, as_json: bool, output: Path) -> None:
    """Play a call: a controller on free loopback ports, and pyVoIP in a process of its own as the caller.

    Where seats have a part, baresip is each seat's phone, in another process. The exit status is 0 only if
    every pause was as prescribed, by our ledger and at the caller's socket, and if all heard each other
    when they should, and not when they should not.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with faults_told(as_json=as_json):
        setup = _under(config.default(), house)
        scenarios = _scenarios(name, setup.house)
        output.mkdir(parents=True, exist_ok=True)
        told = _teller(name, scenarios, setup, as_json)
        playing = play_trunk if name == ONE_WAY_TRUNK else functools.partial(_play, scenarios)
        performances = asyncio.run(playing(setup, told, output))
    show(performances, as_json=as_json)
    sys.exit(0 if all(performance.good for performance in performances) else 1)


def show(performances: list[Performance], *, as_json: bool) -> None:
    """The results: a table, or JSON."""
    if as_json:
        for performance in performances:
            tones = [tone.as_dict() for tone in performance.tones]
            write_json({**result_of(performance), "tones": tones})
        return
    OUT.print(table_of(performances))
    for performance in performances:
        _show_tones(performance)
        for fault in performance.faults:
            OUT.print(f"[bold red]WRONG[/] {performance.scenario.name}: {fault}")
        if performance.report and performance.report.recording:
            path = performance.report.recording
            seated = isinstance(performance.scenario, SeatedScenario)
            who = "the caller" if seated else performance.scenario.title
            OUT.print(f"What {who} heard: {path}", soft_wrap=True)


def _show_tones(performance: Performance) -> None:
    for heard in performance.tones:
        tone = heard.as_dict()
        wanted = "is heard by" if heard.wanted else "is kept from"
        good = "[green]good[/]" if heard.good else "[bold red]WRONG[/]"
        way = f"the {tone['by']}'s {tone['hz']:.0f} Hz {wanted} the {tone['to']}"
        OUT.print(f"{way}: {tone['level_db']} dB  {good}")


def _scenarios(name: str, house: House) -> tuple[Scenario, ...]:
    if name == ONE_WAY_TRUNK:
        return trunk_stage.scenarios(house)
    if name in WITH_SEATS:
        return (WITH_SEATS[name](house),)
    return tuple(scenario.under(house) for scenario in DEMOS[name])


def _under(setup: Setup, house: str | None) -> Setup:
    """The same set-up under another house. Raises `CallflowError` where a word has no recording."""
    if house is None:
        return setup
    setup = replace(setup, house=resources.read_house(resources.HOUSES / f"{house}.yaml"))
    said = setup.house.all_prompts
    if missing := sorted(setup.prompts.missing(said)):
        raise CallflowError(f"the house {house!r} says {', '.join(missing)}, which has no audio")
    return setup


def _teller(name: str, scenarios: tuple[Scenario, ...], setup: Setup, as_json: bool) -> Told:
    if as_json:
        return lambda scenario, fact: write_json({"scenario": scenario.name, **fact.as_dict()})
    OUT.print(f"[bold]{name}[/]: " + "; ".join(scenario.title for scenario in scenarios))
    # What is said of a transfer names both seats.
    fields = {"seat": NUMBERS[Party.SEAT], "target": NUMBERS[Party.TARGET], **setup.config.fields}
    setup = replace(setup, config=setup.config.model_copy(update={"fields": fields}))
    return Transcript(OUT, setup, several=len(scenarios) > 1).tell


async def _play(scenarios: tuple[Scenario, ...], setup: Setup, told: Told, output: Path) -> list[Performance]:
    plays = [
        play_seated(scenario, setup, told, output)
        if isinstance(scenario, SeatedScenario)
        else play_live(scenario, setup, told, output)
        for scenario in scenarios
    ]
    return list(await asyncio.gather(*plays))
