"""`callflow run` as a process of its own, with its log, its metrics, its signals and its limits.

async with callflow_run(tmp_path, SERVICE) as run:
    assert await run.get("/readyz") == (200, "ready\\n")
"""

import asyncio
import json
import os
import random
import re
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import aiohttp

from tests.support.rtp_packets import Address

PASSWORD = "open sesame"
"""Of the seats' phones."""
PAGE_PASSWORD = "of the page"
"""Of the seats' pages."""
BEGINS_WITHIN = 40.0


def free_ports(count: int) -> int:
    """The first of so many neighbouring ports, from an even one, that nobody has now.

    They are below those that the kernel gives to whoever asks for any port: none is gone a moment later.
    """
    for _ in range(200):
        first = random.randrange(12_000, 32_000 - count, 2)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise OSError("no neighbouring ports are free")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def service_with(seats: int, folder: Path, *more: str, drain: str = "5s") -> str:
    """A configuration whose callers are served by so many seats, each with a phone `p8001` and so on."""
    first = free_ports(36)
    numbers = [str(8001 + number) for number in range(seats)]
    lines = [
        "callflow-config: 1",
        "sip:",
        f"  listen: 127.0.0.1:{first + 32}",
        "  allow: [127.0.0.1/32]",
        "  accounts:",
        *(f"    p{number}: {{password: '{PASSWORD}'}}" for number in numbers),
        "    caller: {password: 'secret'}",
        f"media: {{ports: {first}-{first + 31}}}",
        f"http: {{listen: '127.0.0.1:{first + 34}'}}",
        "flow: service.yaml",
        "seats:",
        "  wrap_up: 1s",
        "  at:",
        *(
            f"    '{number}': {{phone: p{number}, skills: [gas], password: '{PAGE_PASSWORD}'}}"
            for number in numbers
        ),
        "  queues:",
        "    service: {skills: [gas], strategy: longest_idle, ring_for: 20s, longest_wait: 10m}",
        f"drain: {drain}",
        *more,
    ]
    path = folder / "callflow.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


class Run:
    """The process; its log is read as it comes, unless the test has its standard error."""

    def __init__(self, process: asyncio.subprocess.Process, config: str) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []
        self.other: list[str] = []
        """What is no line of the log."""
        text = Path(config).read_text(encoding="utf-8")
        self.sip: Address = ("127.0.0.1", _port(r"  listen: 127.0.0.1:(\d+)", text))
        self.http: Address = ("127.0.0.1", _port(r"http: .*:(\d+)'", text))

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self, module: str = "media_child") -> list[int]:
        """The processes that it has started to run `module`, without those that are dead."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _is_child(entry, self.pid, module):
                found.append(int(entry.name))
        return found

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text. Raises `OSError` where nobody listens."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client,
            client.get(f"http://{self.http[0]}:{self.http[1]}{path}") as got,
        ):
            return got.status, await got.text()

    async def metric(self, name: str) -> float:
        """The sum over all labels of a metric; `name` may have some."""
        _, text = await self.get("/metrics")
        lines = [line for line in text.splitlines() if line.startswith(name) and not line.startswith("#")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async def metrics(self, name: str) -> dict[str, float]:
        """The series of a metric that are not nought, by all that stands before the value."""
        _, text = await self.get("/metrics")
        lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith(name)]
        return {series: float(value) for series, _, value in lines if float(value)}

    async def until(self, done: Callable[[], bool], within: float = 15.0) -> None:
        """Raises `TimeoutError` where it does not become true."""
        async with asyncio.timeout(within):
            while True:
                if done():
                    return
                await asyncio.sleep(0.05)

    async def until_ready(self, status: int = 200, within: float = BEGINS_WITHIN) -> None:
        """Until `/readyz` says so. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while True:
                try:
                    if (await self.get("/readyz"))[0] == status:
                        return
                except (OSError, aiohttp.ClientError):
                    # It does not listen yet.
                    assert self.process.returncode is None, "callflow has ended"
                await asyncio.sleep(0.05)

    def told(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log of one event."""
        return [line for line in self.log if line["event"] == event]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def read_log(self) -> None:
        """Until the process has ended."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.other.append(line.decode("utf-8", "replace"))


def _port(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found is not None
    return int(found[1])


def _is_child(entry: Path, parent: int, module: str) -> bool:
    try:
        command = (entry / "cmdline").read_text()
        state = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return module in command and int(state[1]) == parent and state[0] != "Z"


@asynccontextmanager
async def callflow_run(
    config: str, *, descriptors: int | None = None, stderr: IO[bytes] | None = None
) -> AsyncIterator[Run]:
    """It runs and is ready; `descriptors` is how many it may have, `stderr` what it has for its own."""

    def limit() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callflow", "run", config, "--json",
        stdin=asyncio.subprocess.DEVNULL, stderr=stderr or asyncio.subprocess.PIPE, preexec_fn=limit,
        limit=1 << 22,
    )  # fmt: skip
    run = Run(process, config)
    reading = asyncio.create_task(run.read_log()) if stderr is None else None
    try:
        await run.until_ready()
        yield run
    finally:
        await _ended(run, reading)


async def _ended(run: Run, reading: asyncio.Task[None] | None) -> None:
    if run.process.returncode is None:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(run.pid, number)
                async with asyncio.timeout(3):
                    await run.process.wait()
                    break
            except TimeoutError:
                continue
    if reading:
        await reading
