"""The seat phone's own process: baresip behind JSON lines on stdin and stdout.

Commands come as `{"id": …, "do": …}` and are answered by `{"done": id, "at": …}`, `{"done": id, "error": …}`,
or `{"done": id, "over": true}` where the call has ended meanwhile; what happens besides goes out as `{"fact":
…, "at": …}`. The first command must be `open`; it carries the password, which therefore stands on no command
line. The end of stdin hangs up and ends the process.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from io import FileIO
from pathlib import Path
from typing import Any, Final

from baresip import Account, Config
from baresip.call import Call
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError, StaleHandleError, TransferFailed
from baresip.events import Event, StackEvent
from baresip.runtime import Runtime
from baresip.ua import UserAgent

from callflow.adapters.seat_phone_recording import Track, tone

LOCAL: Final = "127.0.0.1"
POLL_S: Final = 0.01
_PIECE: Final = 8000
LEAVE_S: Final = 1.0
"""How long the phone may take to de-register."""


class SeatPhone:
    """Obeys commands and writes facts."""

    def __init__(self, out: FileIO) -> None:
        self._out = out
        self._runtime = Runtime()
        self._agent: UserAgent | None = None
        self._server = ""
        self._answers: list[float | None] = []
        self._calls: list[Call] = []
        """Those that stand, the latest answered last."""
        self._track = Track()
        self._record: Path | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def write(self, **message: Any) -> None:
        # With nobody left to listen the call is still to be ended with a BYE.
        with contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps(message).encode() + b"\n")

    def announce(self, what: str, **details: Any) -> None:
        self.write(fact=what, at=time.monotonic(), **details)

    def begin(self, command: dict[str, Any]) -> None:
        """Obey in a task of its own: a tone may be sent while a key is pressed."""
        self._spawn(self._obey(command))

    async def _obey(self, command: dict[str, Any]) -> None:
        begun = time.monotonic()
        try:
            details = await self._do(command)
        except StaleHandleError:
            self.write(done=command["id"], over=True)
        except (BaresipError, ValueError) as error:
            self.write(done=command["id"], error=str(error))
        else:
            self.write(done=command["id"], at=begun, **details)

    async def _do(self, command: dict[str, Any]) -> dict[str, Any]:
        match command:
            case {"do": "open"}:
                await self._open(command)
            case {"do": "hold"}:
                await self._call.hold()
            case {"do": "resume"}:
                await self._call.resume()
            case {"do": "hang_up"}:
                await self._call.hangup()
            case {"do": "transfer", "number": str(number)}:
                return {"status": await self._transfer(number)}
            case {"do": "consult", "number": str(number)}:
                await self._consult(number)
            case {"do": "complete"}:
                return {"status": await self._complete()}
            case {"do": "press", "digits": str(digits)}:
                await self._call.send_dtmf(digits)
            case {"do": "tone"}:
                return await self._send_tone(tone(command["hz"], command["seconds"], command["level_db"]))
            case {"do": "report"}:
                return self._report()
        return {}

    @property
    def _call(self) -> Call:
        if not self._calls:
            raise ValueError("the phone is in no call")
        return self._calls[-1]

    async def _open(self, command: dict[str, Any]) -> None:
        self._answers = command["answers"]
        self._record = Path(command["record"]) if command["record"] else None
        await self._runtime.start(Config(net_interface=LOCAL, native_log_level="error"))
        self._server = f"{command['host']}:{command['port']}"
        account = Account(command["user"], self._server, command["password"])
        self._agent = await UserAgent.create(self._runtime, account)
        self._agent.on_incoming(lambda call: self._spawn(self._ring(call)))
        await self._agent.register()

    async def _ring(self, call: Call) -> None:
        after = self._answers.pop(0) if self._answers else None
        over = asyncio.Event()

        def told(event: StackEvent) -> None:
            if event.event is Event.CALL_CLOSED:
                over.set()

        call.on(told)
        self.announce("ringing")
        if after is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), after)
        if after is None or over.is_set():
            await over.wait()
            self.announce("missed")
            return
        await call.answer()
        self._calls.append(call)
        self.announce("answered")
        self._spawn(self._listen(call, over))
        await over.wait()
        self._calls.remove(call)
        self.announce("ended")

    async def _transfer(self, number: str) -> int | None:
        """What the far end reports; without a report the call has ended."""
        try:
            await self._call.transfer(number)
        except TransferFailed as failed:
            return failed.status
        return 200

    async def _consult(self, number: str) -> None:
        """Call somebody while the first call is on hold."""
        if self._agent is None:
            raise ValueError("the phone is not open")
        await self._call.hold()
        call = await self._agent.dial(f"sip:{number}@{self._server}")
        over = asyncio.Event()
        call.on(lambda event: over.set() if event.event is Event.CALL_CLOSED else None)
        await call.wait_established()
        self._calls.append(call)
        self._spawn(self._listen(call, over))
        self._spawn(self._forget(call, over))

    async def _forget(self, call: Call, over: asyncio.Event) -> None:
        await over.wait()
        self._calls.remove(call)

    async def _complete(self) -> int | None:
        """Hand the first call's peer to the second's; what the far end reports of it."""
        first, *_, consulted = self._calls
        try:
            await first.attended_transfer(consulted)
        except TransferFailed as failed:
            return failed.status
        return 200

    async def _listen(self, call: Call, over: asyncio.Event) -> None:
        while not over.is_set():
            # Before the call is set up, and on a hold, there is nothing to hear.
            with contextlib.suppress(AudioNotActive, AudioRestarted):
                self._track.heard(call.audio.read(_PIECE), time.monotonic())
            await asyncio.sleep(POLL_S)

    async def _send_tone(self, samples: Any) -> dict[str, Any]:
        call, left = self._call, samples.tobytes()
        began = time.monotonic()
        while left:
            try:
                left = left[call.audio.write(left[:_PIECE]) :]
            except AudioRestarted:
                continue
            await asyncio.sleep(POLL_S)
        ends = began + samples.size / 8000
        await asyncio.sleep(max(0.0, ends - time.monotonic()))
        return {"began": began, "ended": ends}

    def _report(self) -> dict[str, Any]:
        if self._record and self._track.began is not None:
            self._track.write_wav(self._record)
            return {"recording": str(self._record), "recorded_from": self._track.began}
        return {"recording": None, "recorded_from": None}

    async def leave(self) -> None:
        """Hang up, keep the recording and de-register, within `LEAVE_S`."""
        self._report()
        with contextlib.suppress(BaresipError, TimeoutError):
            for call in list(self._calls):
                await call.hangup()
            if self._agent:
                await asyncio.wait_for(self._agent.unregister(), LEAVE_S)
        for task in self._tasks:
            task.cancel()
        await self._runtime.close()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _stdout_for_facts_only() -> FileIO:
    """baresip prints; from now on that goes nowhere."""
    out = FileIO(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    # Its log names phone numbers.
    logging.disable(logging.CRITICAL)
    return out


async def main() -> None:
    phone = SeatPhone(_stdout_for_facts_only())
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        phone.begin(json.loads(line))
    await phone.leave()


if __name__ == "__main__":
    asyncio.run(main())
