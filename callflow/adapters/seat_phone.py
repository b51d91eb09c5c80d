"""A phone for a seat: baresip in a process of its own, as seen from asyncio.

It is called, and can do what pyVoIP cannot: ring, be answered, hold, resume and transfer. All times are
seconds of `time.monotonic()`, one clock for every process of a machine on Linux. Loopback only.
"""

import asyncio
import itertools
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from callflow.adapters.softphone import CallOver, Line
from callflow.errors import CallflowError

LEAVE_S: Final = 5.0


class SeatPhoneFailed(CallflowError):
    """The phone could not do what was asked of it."""


@dataclass(frozen=True, slots=True)
class SeatFact:
    """Something that happened to the phone."""

    what: Literal["ringing", "missed", "answered", "ended"]
    at: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What a phone heard: 8 kHz 16-bit mono."""

    path: Path
    began: float
    """When its first sample was heard."""


class SeatPhone:
    """See `open`. All methods may be used from several tasks of one loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.history: list[SeatFact] = []
        """What has happened so far."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, line: Line, *, answers: Sequence[float | None] = (), record: Path | None = None
    ) -> AsyncIterator["SeatPhone"]:
        """A registered phone; leaving the block hangs up and ends its process.

        `answers` has for each call that comes the seconds after which it is answered, or None for never.
        Raises SeatPhoneFailed.
        """
        # What baresip leaves behind when its process is killed is cleared away with the folder.
        with tempfile.TemporaryDirectory(prefix="callflow-seat-") as folder:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "callflow.adapters.seat_phone_process",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "TMPDIR": folder},
                start_new_session=True,  # Ctrl-C is for us, who hang up first
            )  # fmt: skip
            phone = cls(process)
            listening = asyncio.create_task(phone._listen(), name="seat_phone.listen")
            try:
                await phone._register(line, answers, record)
                yield phone
            finally:
                await phone._leave()
                await listening

    @property
    def pid(self) -> int:
        return self._process.pid

    async def hold(self) -> float:
        """Press Hold (re-INVITE, sendonly); when. Raises SeatPhoneFailed, CallOver."""
        return await self._ask_when(do="hold")

    async def resume(self) -> float:
        """Take the call off hold; when. Raises SeatPhoneFailed, CallOver."""
        return await self._ask_when(do="resume")

    async def transfer(self, number: str) -> int | None:
        """Press Transfer (REFER without Replaces, RFC 3515), and wait for what comes of it.

        The SIP status that the phone was told, 200 with the end of its call; None where the call ended
        before, or nothing was told for a minute. Raises SeatPhoneFailed, CallOver.
        """
        status = (await self._ask(do="transfer", number=number))["status"]
        return None if status is None else int(status)

    async def consult(self, number: str) -> float:
        """Hold the call, and call `number`; when it was dialled. From then on the phone speaks there.

        Raises as `hold`.
        """
        return await self._ask_when(do="consult", number=number)

    async def complete(self) -> int | None:
        """Press Transfer once more (REFER with Replaces, RFC 3891); the outcome as of `transfer`."""
        status = (await self._ask(do="complete"))["status"]
        return None if status is None else int(status)

    async def hang_up(self) -> float:
        """Hang up; when. Raises SeatPhoneFailed, CallOver."""
        return await self._ask_when(do="hang_up")

    async def press(self, digits: str) -> float:
        """Press keys (0-9 * # A-D), 100 ms each, to the last; when the first was. Raises as `hold`."""
        return await self._ask_when(do="press", digits=digits)

    async def send_tone(self, hz: float, seconds: float, level_db: float) -> tuple[float, float]:
        """Send a tone, and when it began and ended. `level_db` is against full scale. Raises as `hold`."""
        done = await self._ask(do="tone", hz=hz, seconds=seconds, level_db=level_db)
        return done["began"], done["ended"]

    async def recording(self) -> Recording | None:
        """What was heard so far, kept; None where nothing was. Raises CallOver."""
        done = await self._ask(do="report")
        if done["recording"] is None:
            return None
        return Recording(Path(done["recording"]), done["recorded_from"])

    async def vanish(self) -> None:
        """Be gone at once: no BYE, no RTP, and nobody at its address."""
        self._process.kill()
        await self._process.wait()

    async def _register(self, line: Line, answers: Sequence[float | None], record: Path | None) -> None:
        await self._ask(
            do="open", host=line.host, port=line.port, user=line.user, password=line.password,
            answers=list(answers), record=str(record) if record else None,
        )  # fmt: skip

    async def _ask_when(self, **command: Any) -> float:
        return float((await self._ask(**command))["at"])

    async def _ask(self, **command: Any) -> dict[str, Any]:
        if self._process.returncode is not None or self._process.stdin is None:
            raise CallOver("the seat phone's process has ended")
        number = next(self._ids)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._process.stdin.write(json.dumps({"id": number, **command}).encode() + b"\n")
            await self._process.stdin.drain()
            done: dict[str, Any] = await future
        except ConnectionError as error:
            raise CallOver("the seat phone's process has ended") from error
        finally:
            del self._asked[number]
        if "over" in done:
            raise CallOver("the call has ended")
        if "error" in done:
            raise SeatPhoneFailed(f"the seat's phone: {done['error']}")
        return done

    async def _listen(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            message = json.loads(line)
            if "fact" in message:
                self.history.append(SeatFact(message["fact"], message["at"]))
            elif (asked := self._asked.get(message["done"])) is not None and not asked.done():
                asked.set_result(message)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(CallOver("the seat phone's process has ended"))

    async def _leave(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
