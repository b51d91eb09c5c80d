"""`callflow check`: is a file right? Configurations, flows, houses and prompts, known by their first key."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.markup import escape

from callflow import config, resources
from callflow.adapters.prompts import PromptLibrary
from callflow.cli.screen import OUT, tell_faults, tell_notes, write_json
from callflow.errors import SourceError


def _config(path: Path) -> str:
    setup = config.read(path)
    tell_notes(setup.notes)
    return f"configuration: flow {setup.flow.name}, house {setup.house.name}, {len(setup.said)} prompts"


def _flow(path: Path) -> str:
    flow, house = config.read_flow(path)
    return f"flow {flow.name}: {len(flow.steps)} steps under house {house.name}"


def _house(path: Path) -> str:
    house = resources.read_house(path)
    told = [f"house {house.name}"]
    for mode, how in (("off", "without"), ("observe", "observing")):
        rules = [rule for rule in house.rules if house.mode(rule) == mode]
        told += [f"{how} {', '.join(rules)}"] if rules else []
    return ", ".join(told)


def _prompts(path: Path) -> str:
    return f"prompts: {len(PromptLibrary.load(path.parent).keys)} keys"


_KINDS: Final[dict[str, Callable[[Path], str]]] = {
    "callflow-config": _config,
    "callflow": _flow,
    "callflow-house": _house,
    "callflow-prompts": _prompts,
}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
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
    data: Any = source.data if isinstance(source.data, dict) else {}
    for key, check_kind in _KINDS.items():
        if key in data:
            return check_kind(path)
    kinds = ", ".join(f"`{key}: 1`" for key in _KINDS)
    raise SourceError(source.fault((), f"what is this? a file of ours says one of {kinds}"))
