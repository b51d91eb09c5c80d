"""What the phones talk through, each in a process of its own: our plane, and a plain relay in C."""

import asyncio
import multiprocessing
import resource
import shutil
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from callflow.codec import Law
from callflow.media.messages import Join, OpenLeg
from callflow.media.plane import Plane
from callflow.media.thresholds import Thresholds
from callflow.net.media_runner import MediaRunner

Address = tuple[str, int]

_SOURCE = Path(__file__).with_name("relay.c")


@dataclass(frozen=True, slots=True)
class Account:
    """What a relay has done so far."""

    relayed: int
    overflowed: int
    user: float
    """µs of CPU."""
    kernel: float
    strangers: int = 0
    """Packets that were nobody's."""
    lateness: tuple[float, ...] = ()
    """Seconds by which each tick since the last account began late."""


class Relay(Protocol):
    def account(self) -> Account:
        """As of now."""


def compiler() -> str | None:
    """A C compiler, where there is one."""
    return shutil.which("cc")


class Deaf:
    """Ears that hear nothing, in the place of the plane's."""

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        return lambda *_, **__: []


def deafen(plane: Plane) -> None:
    """Take the plane's ears out: what is left is what it costs without hearing."""
    plane._parts.hearing = plane._intake._hearing = Deaf()  # type: ignore[assignment]


@contextmanager
def plane(bound: list[socket.socket], legs: list[Address], *, hears: bool = True) -> Iterator[Relay]:
    """Our plane at the sockets `bound`, its `legs` joined in pairs."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_run_plane, args=(bound, legs, there, hears), daemon=True
    )
    process.start()
    try:
        here.recv()
        yield _Piped(here)
    finally:
        here.send("stop")
        process.join(5)
        process.kill()


class _Piped:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def account(self) -> Account:
        self._pipe.send("account")
        account: Account = self._pipe.recv()
        return account


def _run_plane(bound: list[socket.socket], legs: list[Address], pipe: Connection, hears: bool) -> None:
    asyncio.run(_serve_plane(bound, legs, pipe, hears))


async def _serve_plane(
    bound: list[socket.socket], legs: list[Address], pipe: Connection, hears: bool
) -> None:
    runner = MediaRunner(bound, capacity=len(legs), thresholds=Thresholds())
    if not hears:
        deafen(runner.plane)
    stopped = asyncio.Event()
    late: list[float] = []
    runner.on_lateness = late.append

    def asked() -> None:
        if pipe.recv() == "stop":
            stopped.set()
        else:
            used, counts = resource.getrusage(resource.RUSAGE_SELF), Counter(runner.counts())
            overflowed = counts["dropped_buffer_full"] + counts["unsent"]
            cpu = used.ru_utime * 1e6, used.ru_stime * 1e6
            nobodys = counts["dropped_unknown_source"]
            pipe.send(Account(counts["relayed"], overflowed, *cpu, nobodys, tuple(late)))
            late.clear()

    for leg, source in enumerate(legs):
        opened = OpenLeg(leg, leg % len(bound), Law.PCMA, 101, source, (source[0],), heard=leg % 2 == 0)
        runner.command(opened)
    for leg in range(0, len(legs), 2):
        runner.command(Join(leg, leg + 1))
    await runner.start()
    asyncio.get_running_loop().add_reader(pipe.fileno(), asked)
    pipe.send("ready")
    await stopped.wait()
    await runner.close()


@contextmanager
def in_c(bound: list[socket.socket], legs: list[Address], tick: float) -> Iterator[Relay]:
    """The relay of `relay.c`; it wakes up for each packet if `tick`, in seconds, is 0."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "relay"
        subprocess.run([compiler() or "cc", "-O2", "-o", program, _SOURCE], check=True)
        numbers = [one.fileno() for one in bound]
        process = subprocess.Popen(
            [program, str(round(tick * 1000)), str(len(legs)), *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=numbers, text=True, bufsize=1,
        )  # fmt: skip
        try:
            yield _Plain(process, legs)
        finally:
            process.communicate(timeout=5)


class _Plain:
    def __init__(self, process: subprocess.Popen[str], legs: list[Address]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._in.write("".join(f"{port}\n" for _, port in legs))

    def account(self) -> Account:
        self._in.write("\n")
        relayed, overflowed, user, kernel = map(int, self._out.readline().split())
        return Account(relayed, overflowed, user, kernel)
