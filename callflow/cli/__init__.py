"""The command line. Exit status: 0 good, 1 found wrong, 2 wrongly called."""

import importlib
from typing import Final

import click

from callflow import __version__

_COMMANDS: Final = {
    "check": ("callflow.cli.check:check", "Check configurations, flows, houses and prompts."),
    "demo": ("callflow.cli.demo:demo", "Watch a real call, and see prescribed times beside measured ones."),
    "hear": ("callflow.cli.hear:hear", "Hear recordings as calls are heard; find a trunk's thresholds."),
    "phone": ("callflow.cli.phone:phone", "Call a number as an outside caller would."),
    "prompts": ("callflow.cli.prompts:prompts", "List, check and render the prompts."),
    "rules": ("callflow.cli.rules:rules", "List the rules of the houses and where they are carried."),
    "run": ("callflow.cli.run:run", "Serve calls until told to stop."),
    "seat": ("callflow.cli.seat:seat", "Log a seat in or out, say that it is away or ready."),
    "simulate": ("callflow.cli.simulate:simulate", "Play a call on a virtual clock, in milliseconds."),
    "trace": ("callflow.cli.trace:trace", "Show the SIP of a recent call, or write it to a capture file."),
}
"""Command → where it is, and what it does: neither needs the command's own imports."""


class _Commands(click.Group):
    """Imports a command when it is called: `callflow --help` loads no numpy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="callflow")
def main() -> None:
    """Telephone etiquette, enforced: a SIP call-flow controller for call centres."""
