"""Plays scenarios: live over SIP and RTP on loopback, or on the virtual clock."""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from callflow import resources
from callflow.adapters.prompts import PromptLibrary, Samples
from callflow.adapters.softphone import CallOver, CallReport, Line, Softphone
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.simulate import Simulation
from callflow.codec import RATE, Law
from callflow.config import Setup
from callflow.demo.comparison import Row, compare
from callflow.demo.listener import Listener
from callflow.demo.listening import Heard
from callflow.demo.scenarios import Cue, Do, Scenario
from callflow.facts import Fact
from callflow.media.g711 import encode
from callflow.net.media_port import MediaPort
from callflow.service import media_of, running

Told = Callable[[Scenario, Fact], None]
"""Is told each fact as it happens."""

SPEECH = "where_are_you_open"
"""What a caller says who speaks; see `resources.CALLERS`."""
QUIETER: Final = -28.0
"""Decibels by which a caller speaks more quietly who cannot be made out: at about -45 dBFS."""
_NOISE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Performance:
    """A scenario that was played, and how it went."""

    scenario: Scenario
    facts: list[Fact]
    report: CallReport | None
    rows: list[Row]
    faults: list[str]
    tones: list[Heard] = field(default_factory=list)
    """What each party heard of the other."""

    @property
    def good(self) -> bool:
        heard = all(tone.good for tone in self.tones)
        return heard and not self.faults and all(row.good for row in self.rows)


@functools.cache
def speech(words: str = SPEECH) -> Samples:
    """The caller's speech at 8 kHz. Raises `SourceError` where its recording is harmed."""
    return PromptLibrary.load(resources.CALLERS).pcm(words, {})


def quiet() -> bytes:
    """The same speech too quiet to be made out, as ready µ-law: a phone's own coding would lose it."""
    return encode((speech() * 10 ** (QUIETER / 20)).astype(np.int16), Law.PCMU).tobytes()


def noise(level: float) -> bytes:
    """A minute of even noise of that level (dBFS) as µ-law, the same at every call."""
    samples = np.random.default_rng(8).normal(0.0, 32768 * 10 ** (level / 20), round(_NOISE_SECONDS * RATE))
    return encode(samples.clip(-32768, 32767).astype(np.int16), Law.PCMU).tobytes()


def on_free_ports(setup: Setup, password: str) -> Setup:
    """The same set-up on loopback, on ports that nobody uses, with one account for the softphone."""
    config = setup.config
    config = config.model_copy(
        update={
            "sip": config.sip.model_copy(update={"listen": ("127.0.0.1", 0), "advertise": None}),
            "media": config.media.model_copy(update={"host": None, "advertise": None, "ports": (0,) * 4}),
            "http": config.http.model_copy(update={"listen": ("127.0.0.1", 0)}),
        }
    )
    return replace(setup, config=config, accounts={"caller": password})


def play_virtual(scenario: Scenario, setup: Setup, told: Told, *, as_configured: bool = False) -> Performance:
    """On the virtual clock: exact, and over at once.

    `as_configured`: under the rules that the configuration has in force, and no others.
    """
    if not as_configured:
        setup = replace(setup, house=scenario.manners(setup.house))
    ledger = Ledger("simulated", lambda fact: told(scenario, fact))
    call = Call(setup.flow, setup.house, ledger)
    seconds = len(speech()) / RATE
    acts = scenario.simulated(seconds)
    fields = {"number": "13800138000", **setup.config.fields}
    Simulation(call, lambda prompt: setup.prompts.duration(prompt, fields), acts).run()
    return judge(scenario, setup, list(ledger), None)


async def play_live(
    scenario: Scenario,
    setup: Setup,
    told: Told,
    recordings: Path,
    media: Callable[[Setup], MediaPort] = media_of,
) -> Performance:
    """Over SIP and RTP, in real time, with pyVoIP as the caller. Raises `CallflowError`, `OSError`."""
    password = secrets.token_hex(8)
    setup = on_free_ports(replace(setup, house=scenario.manners(setup.house)), password)
    listener = Listener(functools.partial(told, scenario))
    async with running(setup, [listener], lambda: media(setup)) as service:
        line = Line(*service.sip_address, "caller", password)
        recording = recordings / f"{scenario.name}.wav"
        async with Softphone.open(line, echo_db=scenario.echo_db, record=recording) as phone:
            report = await play_caller(scenario, phone, listener)
    return judge(scenario, setup, listener.facts, report)


async def play_caller(scenario: Scenario, phone: Softphone, listener: Listener) -> CallReport:
    """Call, and let the caller do its part until the call is over."""
    await phone.call("10086")
    async with asyncio.TaskGroup() as tasks:
        acting = [
            tasks.create_task(_act(cue, phone, listener), name=f"demo.{cue.do.name}") for cue in scenario.cues
        ]
        if scenario.noise_db is not None:
            acting.append(tasks.create_task(_hiss(phone, scenario.noise_db), name="demo.noise"))
        report = await phone.report()
        for task in acting:
            task.cancel()
    await listener.ended()
    return report


async def _hiss(phone: Softphone, level: float) -> None:
    with contextlib.suppress(CallOver):
        await phone.speak(noise(level))


async def _act(cue: Cue, phone: Softphone, listener: Listener) -> None:
    """Do as the cue says."""
    loop = asyncio.get_running_loop()
    at = await (listener.heard(cue.prompt) if cue.prompt else listener.answered()) + cue.after
    await asyncio.sleep(max(0.0, at - loop.time()))
    # The other side may end the call in the middle of an act: then there is nothing left to do.
    with contextlib.suppress(CallOver):
        match cue.do:
            case Do.SPEAK | Do.SPEAK_UP:
                await phone.speak(encode(speech(), Law.PCMU).tobytes())
            case Do.MUMBLE:
                await phone.speak(quiet() * cue.times)
            case Do.PRESS:
                await phone.press(cue.key)
            case Do.HANG_UP:
                await phone.hang_up()


def judge(scenario: Scenario, setup: Setup, facts: list[Fact], report: CallReport | None) -> Performance:
    """How the call went."""
    rows = compare(facts, setup.house, report)
    faults = [*scenario.faults(facts)]
    if faults:
        faults = [*scenario.not_in_force(setup.house), *faults]
    if not rows:
        faults.append("nothing that is prescribed was measured")
    return Performance(scenario, facts, report, rows, faults)
