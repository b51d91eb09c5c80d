"""A call as a person reads it: a line for each fact, and at the end what was prescribed beside what was."""

from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callflow.adapters.logs import mask
from callflow.config import Setup
from callflow.demo.comparison import Row
from callflow.demo.scenarios import Scenario
from callflow.demo.stage import Performance
from callflow.facts import Fact

_UNTOLD: Final = ("prompt.finished",)


class Transcript:
    """Tells the facts of one or several calls, each with seconds since its own arrival."""

    def __init__(self, console: Console, setup: Setup, *, several: bool) -> None:
        self._console = console
        self._setup = setup
        self._several = several
        self._arrived: dict[str, float] = {}

    def tell(self, scenario: Scenario, fact: Fact) -> None:
        since = self._arrived.setdefault(scenario.name, fact.at)
        if fact.fact in _UNTOLD:
            return
        who = f"[cyan]{scenario.name:8}[/] " if self._several else ""
        rule = f" [dim]{fact.rule}[/]" if fact.rule else ""
        self._console.print(f"[dim]{fact.at - since:8.3f}[/]  {who}{self._words(fact)}{rule}", soft_wrap=True)

    def _words(self, fact: Fact) -> str:
        details = fact.details
        match fact.fact:
            case "call.arrived":
                return f"a call arrives from {escape(mask(str(details['caller'])))}"
            case "call.answered":
                return "[green]answered[/]"
            case "prompt.started":
                prompt = str(details["prompt"])
                words = self._setup.prompts.speech_text(prompt, self._setup.config.fields)
                return f"[bold]{prompt}[/] {words}"
            case "prompt.stopped":
                return f"[yellow]{details['prompt']} is cut short[/]"
            case "line.heard":
                return f"[magenta]the line: {details['heard']}[/]"
            case "digit.pressed":
                return "[magenta]the caller presses a key[/]"
            case "call.held" | "call.resumed":
                return f"[yellow]the caller's side {fact.fact.removeprefix('call.')} the call[/]"
            case "rule.concluded":
                return f"[dim]{fact.rule} ends: {details['outcome']}[/]"
            case "call.ended":
                return f"[bold red]ended[/] by {details['by']} {details['reason']}"
        return _of_line(fact)


def _of_line(fact: Fact) -> str:
    """What a line is found to be, and how it is checked."""
    details = fact.details
    match fact.fact:
        case "line.judged":
            level = f" ({details['level']} dBFS)" if "level" in details else ""
            return f"[magenta]the line is found to be {details['state']}{level}[/]"
        case "line_check.begun":
            return f"[yellow]the line is checked[/] (by {details['by']})"
        case "line_check.stopped":
            return f"[green]the check of the line stops:[/] {details['why']}"
        case "opinion.given":
            heard = "has heard somebody" if details["alive"] else "has heard nobody"
            return f"[magenta]the second pair of ears {heard}[/] ({details['by']})"
        case "trunk.one_way":
            return f"[bold red]{fact.leg} lets nothing through[/] ({details['calls']} calls in a row)"
        case "opinion.late":
            return "[yellow]the second pair of ears does not answer[/]"
    return fact.fact


def table_of(performances: Sequence[Performance]) -> Table:
    """Prescribed beside measured, for every length of time, in seconds."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="seconds", title_justify="right")
    for name in ("rule", "from the end of one to the next"):
        table.add_column(name, no_wrap=True)
    for name in ("prescribed", "ledger", "caller"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    for performance in performances:
        if len(performances) > 1:
            table.add_row("", f"[cyan]{performance.scenario.name}[/]")
        for row in performance.rows:
            table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    measure = row.measure
    limit = "≤ " if measure.at_most else ""
    return (
        measure.rule,
        f"{measure.begins} → {measure.ends}",
        f"{limit}{measure.prescribed:.3f}",
        f"{measure.measured:.3f}",
        "-" if row.heard is None else f"{row.heard:.3f}",
        "[green]good[/]" if row.good else "[bold red]WRONG[/]",
    )


def result_of(performance: Performance) -> dict[str, object]:
    """The same for a program."""
    report = performance.report
    return {
        "scenario": performance.scenario.name,
        "good": performance.good,
        "faults": performance.faults,
        "recording": str(report.recording) if report and report.recording else None,
        "measures": [
            {
                "rule": row.measure.rule,
                "from": row.measure.begins,
                "to": row.measure.ends,
                "prescribed": row.measure.prescribed,
                "at_most": row.measure.at_most,
                "ledger": round(row.measure.measured, 4),
                "caller": None if row.heard is None else round(row.heard, 4),
                "good": row.good,
            }
            for row in performance.rows
        ],
    }
