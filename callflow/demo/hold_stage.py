"""Plays a call with a seat: a controller on loopback, pyVoIP as the caller, baresip at the seat."""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from callflow import resources
from callflow.adapters import ear
from callflow.adapters.seat_phone import SeatPhone
from callflow.adapters.seat_phone_recording import tone
from callflow.adapters.softphone import CallOver, CallReport, Line, Softphone
from callflow.codec import Law
from callflow.config import Setup, with_flow
from callflow.config_seats import SeatsConfig
from callflow.demo.comparison import compare
from callflow.demo.hold_measures import rows_of
from callflow.demo.listener import Listener
from callflow.demo.listening import HZ, SECONDS, SENT_DB, Heard, Recorded, Toned, heard
from callflow.demo.seated import Act, SeatedScenario, Verb
from callflow.demo.stage import Performance, Told, on_free_ports, speech
from callflow.events import Party
from callflow.facts import Fact
from callflow.media.g711 import encode
from callflow.net.media_port import MediaPort
from callflow.service import media_of, running

SEAT: Final = "8001"
YES: Final = "yes_please"
"""What the caller says who agrees aloud; see `resources.CALLERS`."""
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
    setup = with_a_seat(setup, scenario, password)
    listener = Listener(functools.partial(told, scenario))
    heard_by = {who: recordings / f"{scenario.name}.{who}.wav" for who in (Party.CALLER, Party.SEAT)}
    async with asyncio.timeout(LONGEST), running(setup, [listener], lambda: media(setup)) as service:
        host, port = service.sip_address
        seat_line, line = Line(host, port, "seat", password), Line(host, port, "caller", password)
        async with (
            SeatPhone.open(seat_line, answers=scenario.answers, record=heard_by[Party.SEAT]) as seat,
            Softphone.open(line, record=heard_by[Party.CALLER]) as caller,
        ):
            stage = _Stage(caller, seat, listener)
            report = await stage.play(scenario.acts)
            await listener.ended()
            return _judge(scenario, setup, stage, report, await stage.listened(report))


def with_a_seat(setup: Setup, scenario: SeatedScenario, password: str) -> Setup:
    """On free ports, with one seat at one phone, and the flow that leads to it under the same house."""
    house = scenario.patience.of(setup.house) if scenario.patience else setup.house
    people = {
        "wrap_up": "5s",
        "at": {SEAT: {"phone": "seat"}},
        "queues": {"service": dict(scenario.queue)},
    }
    config = setup.config.model_copy(update={"seats": SeatsConfig.model_validate(people)})
    setup = with_flow(replace(setup, config=config), resources.FLOWS / "service.yaml")
    setup = on_free_ports(replace(setup, house=house), password)
    return replace(setup, accounts={"caller": password, "seat": password})


@dataclass(slots=True)
class _Stage:
    """The two phones, and what they did."""

    caller: Softphone
    seat: SeatPhone
    listener: Listener
    tones: list[Toned] = field(default_factory=list)
    seat_hung_up_at: float | None = None
    seat_is_gone: bool = False

    async def play(self, acts: Sequence[Act]) -> CallReport:
        """Let both do their parts until the call is over."""
        await self.caller.call("10086")
        async with asyncio.TaskGroup() as tasks:
            acting = [tasks.create_task(self._act(act), name=f"demo.{act.verb.name}") for act in acts]
            report = await self.caller.report()
            for task in acting:
                task.cancel()
        return report

    async def listened(self, report: CallReport) -> list[Heard]:
        """What each heard of the other's tones."""
        recorded: dict[Party, Recorded | None] = {Party.CALLER: None, Party.SEAT: None}
        if report.recording and report.recorded_from is not None:
            recorded[Party.CALLER] = Recorded.read(report.recording, report.recorded_from)
        if not self.seat_is_gone and (kept := await self.seat.recording()):
            recorded[Party.SEAT] = Recorded.read(kept.path, kept.began)
        other = {Party.CALLER: Party.SEAT, Party.SEAT: Party.CALLER}
        tones = sorted(self.tones, key=lambda tone: (tone.began, tone.by))
        return [heard(tone, recorded[other[tone.by]]) for tone in tones]

    async def _act(self, act: Act) -> None:
        cue = await self.listener.first(act.when.found)
        await asyncio.sleep(max(0.0, cue.at + act.when.after - asyncio.get_running_loop().time()))
        # The other side may end the call in the middle of an act: then there is nothing left to do.
        with contextlib.suppress(CallOver):
            await (self._seat_does(act) if act.who is Party.SEAT else self._caller_does(act))

    async def _caller_does(self, act: Act) -> None:
        match act.verb:
            case Verb.SPEAK:
                await self.caller.speak(encode(speech(YES), Law.PCMU).tobytes())
            case Verb.TONE:
                await self.caller.speak(ear.ulaw(tone(HZ[Party.CALLER], SECONDS, SENT_DB)))
                ended = next(f.at for f in reversed(self.caller.history) if f.what == "spoken")
                self.tones.append(Toned(Party.CALLER, ended - SECONDS, ended, act.heard))
            case Verb.PRESS:
                await self.caller.press(act.keys)
            case Verb.HANG_UP:
                await self.caller.hang_up()
            case verb:
                raise ValueError(f"a caller cannot {verb.name}")

    async def _seat_does(self, act: Act) -> None:
        match act.verb:
            case Verb.TONE:
                began, ended = await self.seat.send_tone(HZ[Party.SEAT], SECONDS, SENT_DB)
                self.tones.append(Toned(Party.SEAT, began, ended, act.heard))
            case Verb.PRESS:
                await self.seat.press(act.keys)
            case Verb.HOLD:
                await self.seat.hold()
            case Verb.RESUME:
                await self.seat.resume()
            case Verb.HANG_UP:
                self.seat_hung_up_at = await self.seat.hang_up()
            case Verb.VANISH:
                self.seat_is_gone = True
                await self.seat.vanish()
            case verb:
                raise ValueError(f"a seat cannot {verb.name}")


def _judge(
    scenario: SeatedScenario, setup: Setup, stage: _Stage, report: CallReport, tones: list[Heard]
) -> Performance:
    facts: list[Fact] = stage.listener.facts
    rows = [
        *compare(facts, setup.house, report),
        *rows_of(facts, setup.house, report, stage.seat_hung_up_at),
    ]
    faults = [
        *scenario.faults(facts),
        *scenario.phone_faults([fact.what for fact in stage.seat.history]),
    ]
    missed = sum(act.verb is Verb.TONE for act in scenario.acts) - len(tones)
    if missed:
        faults.append(f"{missed} tones were not sent to their end")
    return Performance(scenario, facts, report, rows, faults, tones)
