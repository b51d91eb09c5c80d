"""The command line. Exit status: 0 good, 1 found wrong, 2 wrongly called."""

import importlib
from typing import Final

import click

from callflow import __version__

_COMMANDS: Final = {
    "check": "callflow.cli.check:check",
    "demo": "callflow.cli.demo:demo",
    "phone": "callflow.cli.phone:phone",
    "prompts": "callflow.cli.prompts:prompts",
    "rules": "callflow.cli.rules:rules",
    "run": "callflow.cli.run:run",
    "simulate": "callflow.cli.simulate:simulate",
}


class _Commands(click.Group):
    """Imports a command when it is called: `callflow --help` need not load numpy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="callflow")
def main() -> None:
    """Telephone etiquette, enforced: a SIP call-flow controller for call centres."""
