"""What the commands share of speaking to a person or to a program."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape

from callflow.adapters.plain_text import plain_json
from callflow.errors import CallflowError, Fault, SourceError

OUT: Final = Console(highlight=False)
ERR: Final = Console(stderr=True, highlight=False)
FILE: Final = click.Path(readable=False, path_type=Path)
"""A file of ours; that it cannot be read is told as any other fault of it."""


def write_json(value: Any) -> None:
    """One JSON value on one line."""
    click.echo(plain_json(json.dumps(value, ensure_ascii=False, default=str)))


@contextmanager
def faults_told(*, as_json: bool = False) -> Iterator[None]:
    """Turns our own errors into one line each, and exit status 1."""
    try:
        yield
    except SourceError as error:
        tell_faults(error, as_json=as_json)
        sys.exit(1)
    except (CallflowError, OSError) as error:
        told = _sentence(error)
        if as_json:
            write_json({"error": told})
        else:
            ERR.print(f"[red]callflow:[/] {escape(told)}", soft_wrap=True)
        sys.exit(1)


def _sentence(error: CallflowError | OSError) -> str:
    """The error without the system's number for it."""
    if not (isinstance(error, OSError) and error.strerror):
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def tell_faults(error: SourceError, *, as_json: bool) -> None:
    for fault in error.faults:
        if as_json:
            place = {"file": fault.file, "line": fault.line, "column": fault.column}
            write_json({**place, "what": fault.what})
        else:
            # Not through rich: an editor must be able to find file:line:column whole.
            click.echo(str(fault), err=True)


def tell_notes(notes: Iterable[Fault]) -> None:
    """Print notes, which are no faults, to standard error: standard output is for programs."""
    for note in notes:
        click.echo(f"{note.file}:{note.line}:{note.column}: note: {note.what}", err=True)
