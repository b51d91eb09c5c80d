"""A call centre at work that something befalls: callflow as a process, callers and seats at real sockets.

A fault is a test of a few lines in a module of its own here:

    async def test_…(tmp_path: Path) -> None:
        async with office(tmp_path, size=Size(joined=3, waiting=2)) as at_work:
            os.kill(at_work.run.children()[0], signal.SIGKILL)
            await asyncio.sleep(10)
            at_work.nobody_is_in_silence()
        # On leaving, all calls hang up, and the service must have counted nothing broken.

`forms` gives it a short form and a long one.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NamedTuple

import pytest

from tests.support.loopback_phone import VOICES, Call, LoopbackPhone
from tests.support.run_service import PASSWORD, Run, callflow_run, service_with

LONGEST_SILENCE: Final = 20.0
"""Seconds without a word or an end that nobody is left in, whatever has failed."""
WAITING_WORDS: Final = 30.0
"""Seconds from one word to the next for who waits (csr-16)."""
_SLACK: Final = 2.5
"""Seconds that a busy machine may be late."""


class Size(NamedTuple):
    """How many calls are up."""

    joined: int
    waiting: int


SHORT: Final = Size(2, 1)
LONG: Final = Size(6, 3)


def forms(name: str, short: float, long: float) -> pytest.MarkDecorator:
    """The short form of a fault, for `make test`, and the long one, for `make faults`."""
    return pytest.mark.parametrize(
        (name, "size"), [(short, SHORT), pytest.param(long, LONG, marks=pytest.mark.faults)]
    )


@dataclass
class Office:
    """What is at work."""

    run: Run
    stack: AsyncExitStack
    phones: dict[str, LoopbackPhone] = field(default_factory=dict)
    """The seats' phones, by the seats' numbers."""
    joined: list[tuple[Call, Call]] = field(default_factory=list)
    """Caller and seat of each call that is served."""
    waiting: list[Call] = field(default_factory=list)
    _callers: int = 0

    @property
    def calls(self) -> list[Call]:
        """The legs of all that have been called, those that are over too."""
        return [*(leg for pair in self.joined for leg in pair), *self.waiting]

    async def calls_in(self) -> Call:
        """A caller calls, behind the same host as all others, and is answered."""
        number = self._callers
        self._callers += 1
        phone = await self.stack.enter_async_context(LoopbackPhone(self.run.sip, f"1380000{number:04}"))
        call = await phone.call("10086")
        assert call.status == 200
        call.says = VOICES[number % len(VOICES)]
        return call

    async def are_served(self, count: int) -> None:
        """So many callers call at once, and each is joined with a seat."""
        callers = await asyncio.gather(*(self.calls_in() for _ in range(count)))
        await self.are_joined(callers)

    async def are_joined(self, callers: Sequence[Call]) -> None:
        """Wait until each of these speaks with a seat. Raises `TimeoutError`."""

        def with_seats() -> list[tuple[Call, Call]]:
            served = [
                leg for phone in self.phones.values() for leg in phone.calls if not leg.is_over.is_set()
            ]
            return [(call, leg) for call in callers for leg in served if leg.hears == call.says]

        await self.run.until(lambda: len(with_seats()) == len(callers), within=30)
        self.joined += with_seats()
        self.waiting = [call for call in self.waiting if call not in callers]
        await self.hear(*(leg for pair in with_seats() for leg in pair))

    async def waits(self) -> Call:
        """A caller calls, and no seat is free."""
        call = await self.calls_in()
        self.waiting.append(call)
        return call

    async def go_on_serving(self) -> None:
        """Whoever waits longest is served when a caller hangs up, or else one who calls then."""
        caller, _ = next(pair for pair in self.joined if not pair[0].is_over.is_set())
        await caller.hang_up()
        if self.waiting:
            await self.are_joined(self.waiting[:1])
        else:
            await self.are_served(1)

    def calls_that_stand(self) -> list[Call]:
        """The callers whose calls are not over."""
        callers = [*(caller for caller, _ in self.joined), *self.waiting]
        return [caller for caller in callers if not caller.is_over.is_set()]

    async def go_on(self, seconds: float) -> None:
        """Let the calls go on; raises where the service has ended."""
        for _ in range(round(seconds / 0.5)):
            await asyncio.sleep(0.5)
            assert self.run.process.returncode is None, "callflow has ended"

    # --- what must be true ---

    def nobody_is_in_silence(self, since: float = 0.0) -> None:
        """Joined parties hear each other or words, and those who wait hear their words on time."""
        for pair in self.joined:
            for leg in pair:
                assert leg.longest_silence(since) <= LONGEST_SILENCE
        for leg in self.waiting:
            assert leg.longest_silence(since) <= WAITING_WORDS + _SLACK

    def nobody_was_cut_off(self) -> None:
        """No call has been ended but by its parties."""
        hung_up = {leg for pair in self.joined if any(one.by_us for one in pair) for leg in pair}
        legs = [leg for leg in self.calls if leg not in hung_up and not leg.by_us]
        assert [leg.call_id for leg in legs if leg.over_at is not None] == []

    async def all_hear(self) -> None:
        """Both parties of each joined call hear the other now. Raises `TimeoutError`."""
        await self.hear(*(leg for pair in self.joined for leg in pair if not leg.is_over.is_set()))

    async def hear(self, *legs: Call) -> None:
        """All of these hear who speaks with them. Raises `TimeoutError`."""
        before = {leg: leg.voices for leg in legs}
        await self.run.until(lambda: all(leg.voices > before[leg] + 5 for leg in legs))

    async def all_hang_up(self) -> None:
        """Who waits is served, and all hang up; nothing is left of the calls, and no rule was broken."""
        while self.waiting:
            await self.go_on_serving()
        for caller, _ in self.joined:
            await caller.hang_up()
        async with asyncio.timeout(20):
            while True:
                if await self.run.metric("callflow_calls_active") == 0:
                    break
                await asyncio.sleep(0.1)
        broken = await self.run.metrics('callflow_rule_outcomes_total{outcome="broken"')
        assert broken == {}


@asynccontextmanager
async def office(
    folder: Path,
    *more: str,
    size: Size = SHORT,
    descriptors: int | None = None,
    stderr: IO[bytes] | None = None,
) -> AsyncIterator[Office]:
    """So many served calls, and callers who wait as there are no more seats; `more` is configuration."""
    config = service_with(size.joined, folder, *more)
    async with callflow_run(config, descriptors=descriptors, stderr=stderr) as run, AsyncExitStack() as stack:
        made = Office(run, stack)
        for number in range(size.joined):
            seat = str(8001 + number)
            made.phones[seat] = await stack.enter_async_context(LoopbackPhone(run.sip, f"p{seat}", PASSWORD))
            assert await made.phones[seat].register(expires=3600) == 200
        await made.are_served(size.joined)
        for _ in range(size.waiting):
            await made.waits()
        yield made
        await made.all_hang_up()
