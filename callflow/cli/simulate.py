"""`callflow simulate`: the same calls on a virtual clock, in milliseconds."""

import sys
from pathlib import Path

import click

from callflow import config
from callflow.cli.demo import show
from callflow.cli.screen import FILE, OUT, faults_told, write_json
from callflow.cli.transcript import Transcript
from callflow.config import Setup
from callflow.demo.scenarios import DEMOS, Scenario
from callflow.demo.stage import Performance, play_virtual
from callflow.facts import Fact


@click.command()
@click.argument("name", type=click.Choice(sorted(DEMOS)), default="silent-line")
@click.option("--config", "configuration", type=FILE, help="Of this configuration.")
@click.option("--flow", type=FILE, help="This flow instead of the configured one.")
@click.option("--json", "as_json", is_flag=True, help="Facts, then results, one JSON object a line.")
def simulate(name: str, configuration: Path | None, flow: Path | None, as_json: bool) -> None:
    """Play a call without telephones: what would be said and when, exact to the millisecond.

    With --config, by the rules that are in force there. The exit status is 0 only if every pause is as
    prescribed.
    """
    with faults_told(as_json=as_json):
        setup = config.read(configuration) if configuration else config.default()
        if flow:
            setup = config.with_flow(setup, flow)
        scenarios = [scenario.under(setup.house) for scenario in DEMOS[name]]
        own = configuration is not None
        performances = [_play(scenario, name, setup, as_json, as_configured=own) for scenario in scenarios]
    show(performances, as_json=as_json)
    sys.exit(0 if all(performance.good for performance in performances) else 1)


def _play(scenario: Scenario, name: str, setup: Setup, as_json: bool, *, as_configured: bool) -> Performance:
    transcript = Transcript(OUT, setup, several=len(DEMOS[name]) > 1)

    def told(scenario: Scenario, fact: Fact) -> None:
        if as_json:
            write_json({"scenario": scenario.name, **fact.as_dict()})
        else:
            transcript.tell(scenario, fact)

    return play_virtual(scenario, setup, told, as_configured=as_configured)
