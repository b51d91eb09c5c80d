"""What demos of `callflow demo` told, each played in a process of its own, several side by side."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

LONGEST: Final = 200.0
"""Seconds after which a demo is given up."""


AT_ONCE: Final = 4
"""A demo takes a seventh of a processor, with three phones a quarter, and each measures true time."""
BETWEEN: Final = 1.5
"""Seconds between two beginnings: four processes load their libraries in each."""


@dataclass(frozen=True, slots=True)
class Play:
    """A demo to be played."""

    demo: str
    options: tuple[str, ...] = ()
    module: str = "callflow"
    """Another one plants a fault into it."""


@dataclass(frozen=True, slots=True)
class Played:
    status: int
    facts: list[dict[str, Any]]
    results: dict[str, dict[str, Any]]
    """By the name of the scenario."""

    @property
    def result(self) -> dict[str, Any]:
        """Of the only scenario."""
        (result,) = self.results.values()
        return result

    def told(self, *names: str) -> list[dict[str, Any]]:
        """The facts of these names, in the order of the ledger."""
        return [fact for fact in self.facts if fact["fact"] in names]

    def said(self, scenario: str) -> list[str]:
        return [
            fact["prompt"]
            for fact in self.facts
            if fact["fact"] == "prompt.started" and fact["scenario"] == scenario
        ]

    def ended(self, scenario: str) -> dict[str, Any]:
        """How the call ended; what is told afterwards is how well its legs were heard."""
        (ended,) = (fact for fact in self.told("call.ended") if fact["scenario"] == scenario)
        return ended


class Demos:
    """Demos that are begun while somebody waits for one, `AT_ONCE` of them at a time, in their order."""

    def __init__(self, folder: Path, plays: Mapping[str, Play]) -> None:
        self._folder = folder
        self._waiting = dict(plays)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._begun_at = 0.0
        for _ in range(AT_ONCE):
            self._begin_one()
            time.sleep(BETWEEN)

    def __getitem__(self, name: str) -> Played:
        """What the demo told. Raises `TimeoutError` where it comes to no end."""
        given_up_at = time.monotonic() + LONGEST
        while name in self._waiting or self._processes[name].poll() is None:
            if time.monotonic() > given_up_at:
                raise TimeoutError(f"{name} has not ended, after {self._told(name)[-300:]}")
            if len(self._playing) < AT_ONCE and time.monotonic() > self._begun_at + BETWEEN:
                self._begin_one()
            time.sleep(0.1)
        complaints = (self._folder / f"{name}.err").read_text()
        assert not complaints, complaints
        return _played(self._processes[name].returncode, self._told(name))

    def close(self) -> None:
        """End what nobody waits for any more."""
        for process in self._playing:
            process.kill()
            process.wait()

    @property
    def _playing(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self._processes.values() if process.poll() is None]

    def _told(self, name: str) -> str:
        return (self._folder / f"{name}.jsonl").read_text()

    def _begin_one(self) -> None:
        if not self._waiting:
            return
        name, self._begun_at = next(iter(self._waiting)), time.monotonic()
        play = self._waiting.pop(name)
        command = [sys.executable, "-m", play.module, "demo", play.demo, "--json", *play.options]
        output = ["--output", str(self._folder / name)]
        told, complaints = self._folder / f"{name}.jsonl", self._folder / f"{name}.err"
        # Into files: nobody reads the pipe of one while another is waited for.
        with told.open("wb") as out, complaints.open("wb") as err:
            self._processes[name] = subprocess.Popen(
                [*command, *output], stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )


def _played(status: int, told: str) -> Played:
    lines = [json.loads(line) for line in told.splitlines()]
    return Played(
        status,
        [line for line in lines if "fact" in line],
        {line["scenario"]: line for line in lines if "measures" in line},
    )


def assert_on_time(result: dict[str, Any]) -> None:
    """Every length of time is as prescribed, by the ledger and at the caller's socket."""
    for measured in result["measures"]:
        if measured["at_most"]:
            assert measured["caller"] <= measured["prescribed"] + 0.1
        else:
            assert measured["caller"] == pytest.approx(measured["prescribed"], abs=0.1)
        assert measured["caller"] == pytest.approx(measured["ledger"], abs=0.05)
    assert result["good"] is True
