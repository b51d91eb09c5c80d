"""`make mutants`: which small faults in the rules of manners would no test notice? Slow, so never a test.

Each mutant gets a process of its own, in which its source stands in for the module; no file is changed.
"""

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import hypothesis
import pytest
from rich.console import Console

from tests.mutation.mutants import Mutant, as_it_is, mutants

RULES: Final = Path("callflow/etiquette")
MODULES: Final = [
    RULES / f"{name}.py" for name in ("consent", "hold", "recall", "seat_closing", "waiting", "words")
]
SURVIVED: Final = 0


class Impostor(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant to whoever imports its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, self._mutant.module, "exec"), module.__dict__)


def judge(mutant: Mutant, tests: list[str], seconds: int) -> int:
    """Start the tests against `mutant` in a process of their own; its id."""
    child = os.fork()
    if child:
        return child
    signal.alarm(seconds)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("callflow", "tests")]:
        del sys.modules[name]
    sys.meta_path.insert(0, Impostor(mutant))
    hypothesis.settings.register_profile("mutants", database=None)
    hypothesis.settings.load_profile("mutants")
    # What is imported before it starts, it cannot rewrite; it need not.
    quietly = [
        "-x",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    os._exit(pytest.main([*quietly, *tests]))


def survivors(found: list[Mutant], tests: list[str], seconds: int) -> Iterator[Mutant]:
    """The mutants that no test notices, as they turn up; a mutant that goes on for ever is noticed."""
    running: dict[int, Mutant] = {}
    waiting = [*reversed(found)]
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            mutant = waiting.pop()
            running[judge(mutant, tests, seconds)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == SURVIVED:
            yield mutant


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", type=Path, default=MODULES, help="files of the package")
    parser.add_argument("--tests", action="append", help="where the tests are; tests/pure/etiquette")
    parser.add_argument("--seconds", type=int, default=30, help="for one mutant")
    arguments = parser.parse_args()
    tests = arguments.tests or ["tests/pure/etiquette"]
    os.environ.setdefault("CALLFLOW_EXAMPLES", "40")
    if [*survivors([as_it_is(arguments.modules[0])], tests, 10 * arguments.seconds)] == []:
        parser.error(f"{', '.join(tests)} fails without any mutant")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    found = [mutant for path in arguments.modules for mutant in mutants(path)]
    alive = 0
    for mutant in survivors(found, tests, arguments.seconds):
        alive += 1
        console.print(f"{mutant.module}:{mutant.line}: {mutant.what}", markup=False)
    console.print(f"{len(found)} mutants, {alive} survived")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
