"""The phones of a call with seats, and what they do: pyVoIP calls, baresip is at every seat."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from callflow.adapters import ear
from callflow.adapters.seat_phone import SeatPhone
from callflow.adapters.seat_phone_recording import tone
from callflow.adapters.softphone import CallOver, CallReport, Softphone
from callflow.codec import Law
from callflow.demo.listener import Listener
from callflow.demo.listening import HZ, SECONDS, SENT_DB, Heard, Recorded, Toned, heard
from callflow.demo.seated import Act, Verb
from callflow.demo.stage import speech
from callflow.events import Party
from callflow.media.g711 import encode

YES: Final = "yes_please"
"""What the caller says who agrees aloud; see `resources.CALLERS`."""


@dataclass(slots=True)
class Cast:
    """The phones, and what they did."""

    caller: Softphone
    seats: dict[Party, SeatPhone]
    """The seat's, and the target's where there is one."""
    listener: Listener
    tones: list[Toned] = field(default_factory=list)
    seat_hung_up_at: float | None = None
    transfer_told: int | None = None
    """The status that the seat's phone was told of its transfer."""
    vanished: set[Party] = field(default_factory=set)

    async def play(self, acts: Sequence[Act]) -> CallReport:
        """Let all do their parts until the call is over."""
        await self.caller.call("10086")
        async with asyncio.TaskGroup() as tasks:
            acting = [tasks.create_task(self._act(act), name=f"demo.{act.verb.name}") for act in acts]
            report = await self.caller.report()
            for task in acting:
                task.cancel()
        return report

    async def listened(self, report: CallReport) -> list[Heard]:
        """What each heard of the others' tones."""
        recorded = {Party.CALLER: _of_caller(report)}
        for who, phone in self.seats.items():
            kept = None if who in self.vanished else await phone.recording()
            recorded[who] = Recorded.read(kept.path, kept.began) if kept else None
        return [*_heard(sorted(self.tones, key=lambda tone: (tone.began, tone.by)), recorded)]

    async def _act(self, act: Act) -> None:
        cue = await self.listener.first(act.when.found, consulted=act.when.consulted)
        await asyncio.sleep(max(0.0, cue.at + act.when.after - asyncio.get_running_loop().time()))
        # The other side may end the call in the middle of an act: then there is nothing left to do.
        with contextlib.suppress(CallOver):
            await (self._caller_does(act) if act.who is Party.CALLER else self._seat_does(act))

    async def _caller_does(self, act: Act) -> None:
        match act.verb:
            case Verb.SPEAK:
                await self.caller.speak(encode(speech(YES), Law.PCMU).tobytes())
            case Verb.TONE:
                await self.caller.speak(ear.ulaw(tone(HZ[Party.CALLER], SECONDS, SENT_DB)))
                ended = next(f.at for f in reversed(self.caller.history) if f.what == "spoken")
                self.tones.append(Toned(Party.CALLER, ended - SECONDS, ended, act.heard_by))
            case Verb.PRESS:
                await self.caller.press(act.keys)
            case Verb.HANG_UP:
                await self.caller.hang_up()
            case verb:
                raise ValueError(f"a caller cannot {verb.name}")

    async def _seat_does(self, act: Act) -> None:
        phone = self.seats[act.who]
        match act.verb:
            case Verb.TONE:
                began, ended = await phone.send_tone(HZ[act.who], SECONDS, SENT_DB)
                self.tones.append(Toned(act.who, began, ended, act.heard_by))
            case Verb.PRESS:
                await phone.press(act.keys)
            case Verb.HOLD:
                await phone.hold()
            case Verb.RESUME:
                await phone.resume()
            case Verb.TRANSFER:
                self.transfer_told = await phone.transfer(act.keys)
            case Verb.CONSULT:
                await phone.consult(act.keys)
            case Verb.COMPLETE:
                self.transfer_told = await phone.complete()
            case Verb.HANG_UP:
                self.seat_hung_up_at = await phone.hang_up()
            case Verb.VANISH:
                self.vanished.add(act.who)
                await phone.vanish()
            case verb:
                raise ValueError(f"a seat cannot {verb.name}")


def _of_caller(report: CallReport) -> Recorded | None:
    if report.recording is None or report.recorded_from is None:
        return None
    return Recorded.read(report.recording, report.recorded_from)


def _heard(tones: Sequence[Toned], recorded: dict[Party, Recorded | None]) -> Iterator[Heard]:
    """Every tone in everybody else's recording."""
    for sent in tones:
        yield from (heard(sent, who, heard_there) for who, heard_there in recorded.items() if who != sent.by)
