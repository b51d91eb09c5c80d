"""`callflow rules`: every rule of the houses, and which of them the controller carries today."""

from typing import Any

import click
from rich.table import Table

from callflow import resources
from callflow.cli.screen import OUT, faults_told, write_json
from callflow.document import did_you_mean
from callflow.etiquette.answering import Answering
from callflow.etiquette.closing import Closing
from callflow.etiquette.hold import Hold
from callflow.etiquette.joining import Joining
from callflow.etiquette.machine import Machine
from callflow.etiquette.no_response import NoResponse
from callflow.etiquette.not_there import NotThere
from callflow.etiquette.nuisance import Nuisance
from callflow.etiquette.own_words import OwnWords
from callflow.etiquette.parting import Parting
from callflow.etiquette.queueing import Queueing
from callflow.etiquette.rulebook import Bounds
from callflow.etiquette.seat_closing import SeatClosing
from callflow.etiquette.seats_check import SeatsCheck
from callflow.etiquette.seats_words import SeatsWords
from callflow.etiquette.silent_line import SilentLine
from callflow.etiquette.taking_number import TakingNumber
from callflow.etiquette.transfer import Transfer

MACHINES: tuple[type[Machine[Any]], ...] = (
    Answering, SilentLine, NoResponse, SeatsCheck, SeatsWords, Closing, Parting, Queueing, Joining, Hold,
    SeatClosing, Transfer, OwnWords, NotThere, TakingNumber, Nuisance,
)  # fmt: skip


def carriers() -> dict[str, str]:
    """Rule → the modules whose machines carry it."""
    found: dict[str, list[str]] = {}
    for machine in MACHINES:
        for rule in machine.rules:
            found.setdefault(rule, []).append(machine.__module__.removeprefix("callflow."))
    return {rule: ", ".join(modules) for rule, modules in found.items()}


@click.command()
@click.option("--house", help="Only the rules of this house.")
@click.option("--carried", is_flag=True, help="Only the rules that the controller carries.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def rules(house: str | None, carried: bool, as_json: bool) -> None:
    """List the rules of the houses: id, who carries it, when it applies, its limits, where it is carried."""
    with faults_told(as_json=as_json):
        data = resources.read_document(resources.RULES).data
        book = resources.rulebook()
    known, limits = data["rules"], data["limits"]
    houses = sorted({rule["house"] for rule in known})
    if house is not None and house not in houses:
        raise click.BadParameter(
            f"there is no house {house!r}{did_you_mean(house, houses)}", param_hint="--house"
        )
    carrying = carriers()
    shown = [
        {**rule, "limits": limits.get(rule["id"], {}), "carried": carrying.get(rule["id"], "")}
        for rule in known
        if (house is None or rule["house"] == house) and (not carried or rule["id"] in carrying)
    ]
    if as_json:
        for rule in shown:
            write_json(rule)
        return
    table = Table("rule", "by", "when", "limits", "carried in", title=f"{len(shown)} rules")
    for rule in shown:
        bounds = book.limits.get(rule["id"], Bounds())
        table.add_row(rule["id"], rule["by"], rule["when"], "\n".join(bounds.told), rule["carried"])
    OUT.print(table)
