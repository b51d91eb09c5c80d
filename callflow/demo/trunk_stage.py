"""Plays callers of a trunk that lets nothing of them through: the last is told that the line has trouble."""

import functools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from callflow.adapters.softphone import CallReport, Line, Softphone
from callflow.call.trunk_health import IN_A_ROW
from callflow.config import Setup
from callflow.config_sip import TrunkConfig
from callflow.demo.comparison import compare
from callflow.demo.listener import Listener
from callflow.demo.scenarios import Cue, Do, Scenario
from callflow.demo.stage import Performance, Told, on_free_ports, play_caller
from callflow.etiquette.house import House
from callflow.events import Party
from callflow.facts import Fact
from callflow.net.media_port import MediaPort
from callflow.service import media_of, running
from callflow.sinks import FactSink

TRUNK: Final = "provider"
_STAYS: Final = 4.0
"""Seconds for which a caller stays who comes before: longer than a packet is waited for."""


def before(number: int) -> Scenario:
    """A caller of whom nothing is heard, and who gives up in the middle of the greeting."""
    return Scenario(
        f"unheard-{number}",
        "a caller of whom no packet comes, and who gives up",
        (Cue(Do.HANG_UP, "", _STAYS),),
        Party.CALLER,
        "",
        (),
    )


LAST: Final = Scenario(
    "one-way",
    "the next caller of that trunk, of whom no packet comes either",
    (),
    Party.CALLFLOW,
    "silent_line",
    ("greeting", "greeting_again", "line_trouble"),
)


def scenarios(house: House) -> tuple[Scenario, ...]:
    """All callers, in their order."""
    return (*(before(number) for number in range(1, IN_A_ROW + 1)), LAST.under(house))


class Calls(FactSink):
    """Gives each call's facts to a listener of its own, and keeps what is told of the trunk."""

    def __init__(self) -> None:
        self.of_trunk: list[Fact] = []
        self._told: Callable[[Fact], None] = lambda fact: None
        self._next: Listener | None = None
        self._listeners: dict[str, Listener] = {}

    def expect(self, listener: Listener, told: Callable[[Fact], None]) -> None:
        """The next call that arrives is for this one; `told` hears of the trunk meanwhile."""
        self._next, self._told = listener, told

    def fact(self, fact: Fact) -> None:
        if not fact.call:
            if fact.fact.startswith("trunk."):
                self.of_trunk.append(fact)
                self._told(fact)
            return
        if fact.call not in self._listeners and self._next is not None:
            self._listeners[fact.call], self._next = self._next, None
        if fact.call in self._listeners:
            self._listeners[fact.call].fact(fact)


async def play_trunk(
    setup: Setup, told: Told, recordings: Path, media: Callable[[Setup], MediaPort] = media_of
) -> list[Performance]:
    """One caller after another, in real time. Raises `CallflowError`, `OSError`."""
    password = secrets.token_hex(8)
    setup = _by_trunk(on_free_ports(setup, password))
    calls, played = Calls(), []
    async with running(setup, [calls], lambda: media(setup)) as service:
        line = Line(*service.sip_address, "caller", password)
        for scenario in scenarios(setup.house):
            tell = functools.partial(told, scenario)
            listener = Listener(tell)
            calls.expect(listener, tell)
            recording = recordings / f"{scenario.name}.wav"
            async with Softphone.open(line, record=recording, sends=False) as phone:
                report = await play_caller(scenario, phone, listener)
            faults = [*scenario.faults(listener.facts)]
            if scenario.name == LAST.name:
                faults += _untold(calls.of_trunk)
            played.append(_performance(scenario, setup, listener.facts, report, faults))
    return played


def _by_trunk(setup: Setup) -> Setup:
    """The softphone comes by the trunk, because both are this machine."""
    trunk = TrunkConfig.model_validate({"at": "127.0.0.1:5090", "keepalive": False})
    sip = setup.config.sip.model_copy(update={"trunks": {TRUNK: trunk}})
    config = setup.config.model_copy(update={"sip": sip})
    return replace(setup, config=config, trunks=(trunk.plan(TRUNK, Path()),))


def _untold(of_trunk: list[Fact]) -> Iterator[str]:
    if [(fact.leg, fact.fact) for fact in of_trunk] != [(f"trunk {TRUNK}", "trunk.one_way")]:
        yield f"of the trunk was told {[fact.fact for fact in of_trunk]}, not trunk.one_way"


def _performance(
    scenario: Scenario, setup: Setup, facts: list[Fact], report: CallReport, faults: list[str]
) -> Performance:
    return Performance(scenario, facts, report, compare(facts, setup.house, report), faults)
