"""`callflow check`: is a file right? Configurations, flows, houses and prompts, known by their first key."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from callflow import config, config_alone, resources
from callflow.adapters.prompts import PromptLibrary
from callflow.cli.screen import FILE, OUT, tell_faults, tell_notes, write_json
from callflow.document.not_yaml import mistyped_colon
from callflow.errors import SourceError
from callflow.named_files import CONFIGURATION, FLOW, HOUSE, PROMPTS
from callflow.suggestions import did_you_mean


def _config(path: Path) -> str:
    setup, named = config.read_whole(path)
    tell_notes(setup.notes)
    house = _named(named.house)
    return f"configuration: flow {setup.flow.name}, house {house}, {len(setup.said)} prompts"


def _flow(path: Path) -> str:
    named = config.read_named(path)
    faults = config_alone.faults_alone(named, path.parent)
    if faults:
        raise SourceError(*faults)
    told = f"flow {named.flow.name}: {len(named.flow.steps)} steps under house {_named(named.house)}"
    wanted = sorted(config_alone.wanted_alone(named, path.parent))
    return told + (f"; its configuration must have recordings of {', '.join(wanted)}" if wanted else "")


def _house(path: Path) -> str:
    found = resources.house_at(path)
    faults = config_alone.house_faults_alone(found, path.parent)
    if faults:
        raise SourceError(*faults)
    house = found.house
    told = [f"house {_named(found)}"]
    for mode, how in (("off", "without"), ("observe", "observing")):
        rules = [rule for rule in house.rules if house.mode(rule) == mode]
        told += [f"{how} {', '.join(rules)}"] if rules else []
    return ", ".join(told)


def _named(found: resources.ReadHouse) -> str:
    """The house's name, and whether it stands in the place of one of ours."""
    instead = f" (that of {found.path.name}, in place of ours)" if found.replaces_ours else ""
    return f"{found.house.name}{instead}"


def _prompts(path: Path) -> str:
    return f"prompts: {len(PromptLibrary.load(path.parent).keys)} keys"


_KINDS: Final[dict[str, Callable[[Path], str]]] = {
    CONFIGURATION: _config,
    FLOW: _flow,
    HOUSE: _house,
    PROMPTS: _prompts,
}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check configurations, flows, houses and prompts, and all that they name.

    Faults are told as file:line:column: what is wrong and what would be right.
    """
    wrong = 0
    for path in paths:
        try:
            what = _check(path)
        except SourceError as error:
            wrong += 1
            tell_faults(error, as_json=as_json)
            continue
        if as_json:
            write_json({"file": str(path), "good": what})
        else:
            OUT.print(f"[green]good[/] {escape(f'{path}: {what}')}", soft_wrap=True)
    sys.exit(1 if wrong else 0)


def _check(path: Path) -> str:
    source = resources.read_document(path)
    kind = (
        next((key for key in source.data if key in _KINDS), None) if isinstance(source.data, dict) else None
    )
    if kind is not None:
        return _KINDS[kind](path)
    kinds = ", ".join(f"`{key}: 1`" for key in _KINDS)
    mistyped = mistyped_colon(source.data) if isinstance(source.data, str) else ""
    what = f"what is this? a file of ours says one of {kinds}" + (f"; {mistyped}" if mistyped else "")
    first = next(iter(source.data), "") if isinstance(source.data, dict) else ""
    near = did_you_mean(first, [*_KINDS])
    raise SourceError(source.fault((), what + (near if near.startswith("; did you mean") else "")))
