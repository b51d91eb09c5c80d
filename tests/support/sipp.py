"""sipp, a foreign caller and a foreign seat: it plays a scenario of `tests/interop`."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from callflow.sip.address import Address
from tests.support.phones import free_port

SCENARIOS = Path(__file__).parent.parent / "interop"
LONGEST = 100.0
"""Seconds that a run may take."""

needs_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)"
)


_HEADING: Final = "The following events occurred:"
_OVERLOAD: Final = re.compile(
    r"\d{4}-\d\d-\d\d\t[\d:.]+\t[\d.]+: Overload warning: the \w+ watchdog timer \d+ms has been tripped "
    r"\(\d+\), \d+ trips remaining\.\n?"
)
_REPEATED: Final = re.compile(
    r"\d{4}-\d\d-\d\d\t[\d:.]+\t[\d.]+: Dead call \S+ \(successful\), received 'SIP/2\.0 200 [^']*?"
    r"\nCSeq: \d+ BYE\r?\n[^']*'?\n?"
)
"""It sent its BYE twice, as it read the answer late, and met the second answer when all was over."""


def complaints(folder: Path) -> str:
    """What sipp wrote down as wrong; that the machine was too busy for it is no fault of ours."""
    return faults("".join(path.read_text(errors="replace") for path in sorted(folder.glob("*_errors.log"))))


def faults(written: str) -> str:
    """What is left of sipp's notes without those that tell how busy it was."""
    left = _REPEATED.sub("", _OVERLOAD.sub("", written))
    return "" if left.strip(" \r\n'") in ("", _HEADING) else left


async def sipp(
    scenario: str, target: Address, folder: Path, *options: str, calls: int = 60, rate: int = 30
) -> int:
    """Call `target` as the scenario says: the exit status, 0 where every call went as written."""
    where = f"{target[0]}:{target[1]}"
    async with _started(scenario, folder, where, "-r", str(rate), *options, calls=calls) as process:
        async with asyncio.timeout(LONGEST):
            return await process.wait()


@dataclass(frozen=True, slots=True)
class Seat:
    """A sipp that is called."""

    address: Address
    _process: asyncio.subprocess.Process
    _folder: Path

    @property
    def pid(self) -> int:
        return self._process.pid

    async def outcome(self) -> tuple[int, str]:
        """Once all its calls are over: the exit status, and what it complained of."""
        async with asyncio.timeout(LONGEST):
            return await self._process.wait(), complaints(self._folder)


def is_bound(port: int) -> bool:
    """Whether anybody has this UDP port."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()


@asynccontextmanager
async def seat(scenario: str, folder: Path, *options: str, calls: int = 1) -> AsyncIterator[Seat]:
    """A sipp that answers `calls` calls as the scenario says."""
    port = free_port()
    async with _started(scenario, folder, "-p", str(port), *options, calls=calls) as process:
        await _until_bound(port)
        yield Seat(("127.0.0.1", port), process, folder)


@asynccontextmanager
async def _started(
    scenario: str, folder: Path, *options: str, calls: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sf", str(SCENARIOS / scenario), "-m", str(calls), "-i", "127.0.0.1", "-s", "10086",
        "-nostdin", "-trace_err", "-timeout", "90", "-d", "1000", "-aa", *options,
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_bound(port: int) -> None:
    for _ in range(200):
        if is_bound(port):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"nobody has bound port {port}")
