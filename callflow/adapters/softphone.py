"""A softphone to call with: pyVoIP in a process of its own, as seen from asyncio.

pyVoIP shares nothing with callflow's own SIP and RTP, which is what a test of them wants. All times
are seconds of `time.monotonic()`, one clock for every process of a machine on Linux.

One softphone makes one call. None of these waits has an end of its own; give them one with
`asyncio.timeout`.
"""

import asyncio
import base64
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from callflow.adapters.ear import Reception
from callflow.errors import CallflowError

LEAVE_S: Final = 3.0
_LONGEST_LINE: Final = 16 * 1024 * 1024


class CallFailed(CallflowError):
    """The call was not answered but refused, with this SIP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class NotRegistered(CallflowError):
    """The server did not accept the registration, or did not answer."""


class NoKeys(CallflowError):
    """The call was answered without telephone events (RFC 4733), so no key can be pressed."""


class CallOver(CallflowError):
    """The call or the softphone's process ended before what was asked for was done."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where and as whom to register."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        dialable(self.user)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, told when it was certain: `sound_ended` 0.6 s after `at`."""

    what: Literal[
        "registered", "unregistered", "ringing", "answered", "failed", "digit_sent", "keyless", "spoken",
        "sound_started", "sound_ended", "bye", "hung_up",
    ]  # fmt: skip
    at: float
    details: dict[str, Any] = field(default_factory=dict)
    """`digit` of `digit_sent`; `status` and `reason` of `failed`."""


@dataclass(frozen=True, slots=True)
class Ended:
    """When the BYE came (`far`) or left (`caller`)."""

    at: float
    by: Literal["caller", "far"]


@dataclass(frozen=True, slots=True)
class CallReport:
    """What the caller measured, at its own sockets and by the kernel's stamps."""

    invited_at: float
    """The INVITE left."""
    answered_at: float
    """The 200 came."""
    sounds: list[tuple[float, float]]
    """From the first audible packet's arrival to 20 ms after the last one's."""
    reception: Reception
    bye_at: float | None
    """The far side's BYE came."""
    hung_up_at: float | None
    """The caller's BYE left."""
    recording: Path | None
    """What the caller heard: 8 kHz 16-bit mono."""
    recorded_from: float | None = None
    """When the first sample of the recording came."""

    @property
    def starts(self) -> list[float]:
        """When each sound began."""
        return [start for start, _ in self.sounds]

    @property
    def ends(self) -> list[float]:
        """When each sound was over."""
        return [end for _, end in self.sounds]

    @property
    def silences(self) -> list[float]:
        """Seconds of each silence between two sounds."""
        return [after[0] - before[1] for before, after in pairwise(self.sounds)]


class Softphone:
    """See `open`. All methods may be used from several tasks of one loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._history: list[Fact] = []
        self._tally: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._report: CallReport | None = None
        self._gone = False
        self._news = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        line: Line,
        *,
        echo_db: float | None = None,
        record: Path | None = None,
        sends: bool = True,
    ) -> AsyncIterator["Softphone"]:
        """A registered softphone; leaving the block hangs up and ends its process.

        With `echo_db` (-20, say) it gives back what it hears, so much fainter and 80 ms later. One that does
        not `sends` is on a way that lets nothing through: no packet of audio leaves it.
        Raises NotRegistered.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callflow.adapters.softphone_process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for us, who hang up first
        )  # fmt: skip
        phone = cls(process)
        listening = asyncio.create_task(phone._listen(), name="softphone.listen")
        try:
            await phone._register(line, echo_db, record, sends=sends)
            yield phone
        finally:
            await phone._leave()
            await listening

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def history(self) -> tuple[Fact, ...]:
        """What has happened so far."""
        return tuple(self._history)

    @property
    def talking(self) -> bool:
        return self._tally["answered"] > 0 and not self._call_over

    async def call(self, number: str) -> None:
        """Call and return when answered. Raises CallFailed, CallOver."""
        await self._tell(do="call", number=dialable(number))
        await self._until(lambda: self._tally["answered"] + self._tally["failed"] > 0)
        for fact in self._history:
            if fact.what == "failed":
                raise CallFailed(fact.details["status"], fact.details["reason"])

    async def press(self, digits: str) -> None:
        """Press keys (0-9 * # A-D), 200 ms each; returns when the last has been sent.

        Raises NoKeys, CallOver.
        """
        if not digits or set(digits) - set("0123456789*#ABCD"):
            raise ValueError("the keys are 0-9 * # A-D")
        await self._tell(do="press", digits=digits)
        await self._sent("digit_sent", len(digits))

    async def speak(self, pcm_ulaw: bytes) -> None:
        """Say 8 kHz µ-law audio after what is still being said; returns at its end. Raises CallOver."""
        await self._tell(do="speak", audio=base64.b64encode(pcm_ulaw).decode())
        await self._sent("spoken", 1)

    async def hang_up(self) -> None:
        """End the call, or take it back while it rings."""
        await self._tell(do="hang_up")

    async def ended(self) -> Ended:
        """Wait for the end of an answered call. Raises CallOver if the process dies instead."""
        await self._until(lambda: self._tally["bye"] + self._tally["hung_up"] > 0)
        fact = next(fact for fact in self._history if fact.what in ("bye", "hung_up"))
        return Ended(fact.at, "far" if fact.what == "bye" else "caller")

    async def report(self) -> CallReport:
        """Wait for the end, then measure; keeps the recording, too."""
        await self.ended()
        await self._tell(do="report")
        await self._until(lambda: self._report is not None)
        assert self._report
        return self._report

    @property
    async def facts(self) -> AsyncIterator[Fact]:
        """What has happened, from the beginning, then what happens, until the process has ended."""
        told = 0
        while True:
            async with self._news:
                await self._news.wait_for(lambda: self._gone or len(self._history) > told)  # noqa: B023
                new = self._history[told:]
            if not new:
                return
            for fact in new:
                yield fact
            told += len(new)

    async def _register(self, line: Line, echo_db: float | None, record: Path | None, *, sends: bool) -> None:
        await self._tell(
            do="open", host=line.host, port=line.port, user=line.user, password=line.password,
            echo_db=echo_db, record=str(record) if record else None, sends=sends,
        )  # fmt: skip
        await self._until(lambda: self._tally["registered"] + self._tally["unregistered"] > 0)
        if not self._tally["registered"]:
            raise NotRegistered(f"{line.host}:{line.port} did not register the softphone")

    async def _leave(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _listen(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            message = json.loads(line)
            async with self._news:
                self._note(message)
                self._news.notify_all()
        async with self._news:
            self._gone = True
            self._news.notify_all()

    def _note(self, message: dict[str, Any]) -> None:
        if report := message.get("report"):
            self._report = _read_report(report)
            return
        fact = Fact(message.pop("fact"), message.pop("at"), message)
        self._tally[fact.what] += 1
        self._history.append(fact)

    async def _tell(self, **command: Any) -> None:
        if self._gone or self._process.stdin is None:
            raise CallOver("the softphone's process has ended")
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise CallOver("the softphone's process has ended") from error

    async def _sent(self, what: str, number: int) -> None:
        # Several tasks may speak or press at once; each waits for its own to be through.
        self._asked[what] += number
        awaited = self._asked[what]
        await self._until(lambda: self._tally[what] >= awaited or self._call_over or self._refused(what))
        if self._refused(what):
            raise NoKeys("the call was answered without telephone events")
        if self._tally[what] < awaited:
            raise CallOver("the call ended first")

    def _refused(self, what: str) -> bool:
        return what == "digit_sent" and self._tally["keyless"] > 0

    @property
    def _call_over(self) -> bool:
        return bool(self._tally["bye"] + self._tally["hung_up"] + self._tally["failed"])

    async def _until(self, come: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(lambda: come() or self._gone)
        if not come():
            raise CallOver("the softphone's process has ended")


def dialable(number: str) -> str:
    """The number itself, if it may stand in a SIP URI as it is. Raises ValueError."""
    # pyVoIP puts it into its headers as it is.
    if not re.fullmatch(r"[0-9A-Za-z+*._-]+", number):
        raise ValueError("a number or user has only letters, digits and + * . _ -")
    return number


def _read_report(report: dict[str, Any]) -> CallReport:
    recording = report.pop("recording")
    return CallReport(
        sounds=[(start, end) for start, end in report.pop("sounds")],
        reception=Reception(**report.pop("reception")),
        recording=Path(recording) if recording else None,
        **report,
    )
