"""Plays a call with seats: a controller on loopback, pyVoIP as the caller, baresip at every seat."""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from callflow import resources
from callflow.adapters.seat_phone import SeatPhone
from callflow.adapters.softphone import CallReport, Line, Softphone
from callflow.config import Setup, with_flow
from callflow.config_seats import SeatsConfig
from callflow.demo import hold_measures, transfer_measures
from callflow.demo.cast import Cast
from callflow.demo.comparison import Row, compare
from callflow.demo.listener import Listener
from callflow.demo.seated import SeatedScenario, Verb
from callflow.demo.stage import Performance, Told, on_free_ports
from callflow.events import Party
from callflow.facts import Fact
from callflow.net.media_port import MediaPort
from callflow.service import media_of, running

NUMBERS: Final = {Party.SEAT: "8001", Party.TARGET: "8002"}
"""The seats; each has the account of its part's name."""
SKILL: Final = "service"
"""What the queue wants, and the target has not: nobody comes to it but by a transfer."""
_SETTLES: Final = 2.0
"""Seconds that a phone has to tell of the end of its call."""
_LOOK: Final = 0.05
LONGEST: Final = 240.0
"""Seconds after which a call that has not come to its end is given up."""


async def play_seated(
    scenario: SeatedScenario,
    setup: Setup,
    told: Told,
    recordings: Path,
    media: Callable[[Setup], MediaPort] = media_of,
) -> Performance:
    """Over SIP and RTP, in real time. Raises `CallflowError`, `OSError` (`TimeoutError` too)."""
    password = secrets.token_hex(8)
    setup = with_seats(setup, scenario, password)
    listener = Listener(functools.partial(told, scenario))
    async with (
        asyncio.timeout(LONGEST),
        running(setup, [listener], lambda: media(setup)) as service,
        _cast(scenario, service.sip_address, password, recordings, listener) as cast,
    ):
        report = await cast.play(scenario.acts)
        await listener.ended()
        return await _judge(scenario, setup, cast, report)


def with_seats(setup: Setup, scenario: SeatedScenario, password: str) -> Setup:
    """On free ports, each seat at its phone, and the flow that leads to the first under the same house."""
    house = scenario.patience.of(setup.house) if scenario.patience else setup.house
    parts = _parts(scenario)
    at: dict[str, dict[str, Any]] = {NUMBERS[who]: {"phone": who.value} for who in parts}
    at[NUMBERS[Party.SEAT]]["skills"] = [SKILL]
    queue = {"skills": [SKILL], **dict(scenario.queue)}
    people = SeatsConfig.model_validate({"wrap_up": "5s", "at": at, "queues": {"service": queue}})
    config = setup.config.model_copy(update={"seats": people})
    setup = with_flow(replace(setup, config=config), resources.FLOWS / "service.yaml")
    setup = on_free_ports(replace(setup, house=house), password)
    accounts = {"caller": password, **{who.value: password for who in parts}}
    return replace(setup, accounts=accounts)


def _parts(scenario: SeatedScenario) -> dict[Party, tuple[float | None, ...]]:
    """Who sits at a seat, and how each answers."""
    parts = {Party.SEAT: scenario.answers, Party.TARGET: scenario.target_answers}
    return {who: answers for who, answers in parts.items() if answers}


@contextlib.asynccontextmanager
async def _cast(
    scenario: SeatedScenario, server: tuple[str, int], password: str, recordings: Path, listener: Listener
) -> AsyncIterator[Cast]:
    """All the phones, registered."""

    def recording(who: Party) -> Path:
        return recordings / f"{scenario.name}.{who}.wav"

    async with contextlib.AsyncExitStack() as stack:
        seats: dict[Party, SeatPhone] = {}
        for who, answers in _parts(scenario).items():
            opening = SeatPhone.open(
                Line(*server, who.value, password), answers=answers, record=recording(who)
            )
            seats[who] = await stack.enter_async_context(opening)
        line = Line(*server, "caller", password)
        caller = await stack.enter_async_context(Softphone.open(line, record=recording(Party.CALLER)))
        yield Cast(caller, seats, listener)


async def _judge(scenario: SeatedScenario, setup: Setup, cast: Cast, report: CallReport) -> Performance:
    facts = cast.listener.facts
    rows = [*_rows(facts, setup, cast, report)]
    tones = await cast.listened(report)
    await _settled(scenario, cast)
    return Performance(scenario, facts, report, rows, [*_faults(scenario, facts, cast)], tones)


async def _settled(scenario: SeatedScenario, cast: Cast) -> None:
    """Wait a little for what the phones have yet to tell: a BYE takes its time, and so does their word."""
    for who, phone in cast.seats.items():
        tells = scenario.target_tells if who is Party.TARGET else scenario.phone_tells
        for _ in range(round(_SETTLES / _LOOK)):
            if len(phone.history) >= len(tells) or who in cast.vanished:
                break
            await asyncio.sleep(_LOOK)


def _rows(facts: list[Fact], setup: Setup, cast: Cast, report: CallReport) -> Iterator[Row]:
    yield from compare(facts, setup.house, report)
    yield from hold_measures.rows_of(facts, setup.house, report, cast.seat_hung_up_at)
    yield from transfer_measures.rows_of(facts, setup.house, report)


def _faults(scenario: SeatedScenario, facts: list[Fact], cast: Cast) -> Iterator[str]:
    yield from scenario.faults(facts)
    for who, phone in cast.seats.items():
        yield from scenario.phone_faults([fact.what for fact in phone.history], who)
    if cast.transfer_told != scenario.transfer_told:
        yield f"the seat's phone was told {cast.transfer_told} of its transfer, not {scenario.transfer_told}"
    missed = sum(act.verb is Verb.TONE for act in scenario.acts) - len(cast.tones)
    if missed:
        yield f"{missed} tones were not sent to their end"
