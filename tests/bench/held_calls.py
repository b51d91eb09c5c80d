"""A hundred and fifty joined calls, a third of them held: what is lost, how late the reminders are.

sipp is all callers and all seats; their audio comes from `tests.bench.handsets`. Who is asked whether to
wait presses 1, so each held call was agreed to as a caller agrees.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import structlog

from callflow import config, resources
from callflow.config import Setup
from callflow.config_seats import QueueConfig, SeatConfig, SeatsConfig
from callflow.demo.stage import on_free_ports
from callflow.facts import Fact
from callflow.net.media_process import MediaProcess
from callflow.service import Service, running
from callflow.sinks import FactSink
from callflow.sip.address import Address
from tests.bench.handsets import Heard, Press, Talk, handsets
from tests.bench.load import cpu_of, idle_lateness, own_cpu
from tests.bench.stopwatch import Figure, percentile
from tests.support.phones import free_port
from tests.support.sipp import sipp

CALLS, RATE = 150, 25
HELD_EACH = 3
"""Of so many calls one is held."""
TALK, UNTIL_HELD = 78, 9
"""Seconds of each call, and of them before the hold; the question and the thanks take seven more.

No sipp runs for more than 90 s.
"""
EVERY = 10.0
"""Seconds between reminders, so that a minute has enough of them to tell how late they are."""
PORTS = range(30000, 30000 + 2 * CALLS)
"""The callers' are even, the seats' odd."""
HERE = Path(__file__).parent
_CALL_ID = re.compile(rb"\r\nCall-ID: *(\S+)", re.IGNORECASE)
_AUDIO = re.compile(rb"\r\nm=audio (\d+)")


@dataclass
class Ledgers(FactSink):
    """Keeps what is measured, and lets callers who are asked agree."""

    pipe: Connection
    started: dict[str, float] = field(default_factory=dict)
    """When each hold began, by the call."""
    reminders: list[float] = field(default_factory=list)
    """Seconds by which each came late."""
    held_for: list[float] = field(default_factory=list)
    lost: int = 0
    joined: set[str] = field(default_factory=set)
    _ports: dict[str, int] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)

    def fact(self, fact: Fact) -> None:
        match fact.fact, fact.details.get("prompt"):
            case "call.arrived", _:
                self._ports[fact.call] = int(str(fact.details["caller"]).removeprefix("c"))
            case "call.joined", _:
                self.joined.add(fact.call)
            case "prompt.started", "press_1_to_wait":
                self.pipe.send(Press(self._ports[fact.call], 1))
            case "prompt.started", "still_working":
                self._told[fact.call] = number = self._told.get(fact.call, 0) + 1
                self.reminders.append(fact.at - self.started[fact.call] - number * EVERY)
            case "hold.started", _:
                self.started[fact.call] = fact.at
            case "call.ended", _ if fact.call in self.started:
                self.held_for.append(fact.at - self.started[fact.call])
            case "leg.quality", _:
                self.lost += int(fact.details["lost"] or 0)


@dataclass
class Wiretap:
    """Reads in the signalling where each handset is to send to."""

    service: Service
    pipe: Connection
    _ours: dict[bytes, int] = field(default_factory=dict)
    _theirs: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._saw = self.service.saw

    def saw(self, now: float, incoming: bool, peer: Address, data: bytes) -> None:
        self._saw(now, incoming, peer, data)
        call, audio = _CALL_ID.search(data), _AUDIO.search(data)
        if not (call and audio) or call[1] in self._ours.keys() & self._theirs.keys():
            return
        (self._theirs if incoming else self._ours)[call[1]] = int(audio[1])
        if call[1] in self._ours and call[1] in self._theirs:
            self.pipe.send(Talk(self._theirs[call[1]], self._ours[call[1]]))


def prepared() -> Setup:
    """All seats at one account, which is one sipp's; and reminders that come often."""
    setup = config.default()
    seats = {str(8001 + number): SeatConfig(phone="seat1") for number in range(CALLS)}
    people = SeatsConfig(at=seats, queues={"service": QueueConfig()})
    setup = replace(setup, config=setup.config.model_copy(update={"seats": people}))
    setup = on_free_ports(config.with_flow(setup, resources.FLOWS / "service.yaml"), "unused")
    media = setup.config.media.model_copy(update={"ports": (0,) * 16})
    # The callers all come by one host, as by a PBX, which has no limit of its own.
    sip = setup.config.sip.model_copy(update={"allow": ("127.0.0.1/32",)})
    hold = setup.house.hold.model_copy(update={"every": EVERY})
    return replace(
        setup,
        config=setup.config.model_copy(update={"media": media, "sip": sip}),
        house=setup.house.model_copy(update={"hold": hold}),
        accounts={"seat1": "secret"},
    )


def lines(folder: Path, name: str, rows: Iterable[str]) -> tuple[str, str]:
    """The option by which sipp gives each call a line of a file."""
    file = folder / name
    file.write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    return "-inf", str(file)


@asynccontextmanager
async def seats(service: Service, folder: Path) -> AsyncIterator[None]:
    """All seats, registered; one of `HELD_EACH` holds."""
    here = ("-p", str(free_port()))
    known = ("-s", "seat1", "-au", "seat1", "-ap", "secret")
    if await sipp("registers.xml", service.sip_address, folder, *here, *known, calls=1):
        raise RuntimeError("the seats could not register")
    rows = (f"{port};{'no' if n % HELD_EACH else 'yes'};" for n, port in enumerate(PORTS[1::2]))
    options = (*lines(folder, "seats.csv", rows), "-d", str(UNTIL_HELD * 1000))
    scenario = str(HERE / "held_seats.xml")
    answering = asyncio.create_task(
        sipp(scenario, service.sip_address, folder, *here, *options, calls=CALLS), name="bench.seats"
    )
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.wait({answering})


async def callers(service: Service, folder: Path) -> int:
    """All calls, to their end: sipp's exit status."""
    rows = (f"{port};" for port in PORTS[::2])
    options = (*lines(folder, "callers.csv", rows), "-d", str(TALK * 1000))
    scenario = str(HERE / "held_callers.xml")
    return await sipp(
        scenario, service.sip_address, folder, *options, "-l", str(CALLS), calls=CALLS, rate=RATE
    )


async def measure(pipe: Connection) -> Iterator[Figure]:
    ledgers = Ledgers(pipe)
    idle = await idle_lateness()
    async with running(prepared(), [ledgers]) as service:
        assert isinstance(service.media, MediaProcess)
        assert service.media.pid is not None
        tap, begun = Wiretap(service, pipe), asyncio.get_running_loop().time()
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(service, "saw", tap.saw):
            async with seats(service, Path(folder)):
                status = await callers(service, Path(folder))
        cpu = own_cpu(), sum(cpu_of(service.media.pid))
        seconds = asyncio.get_running_loop().time() - begun
        pipe.send("stop")
        heard = await asyncio.to_thread(pipe.recv)
        await asyncio.sleep(1.0)
        in_hand = service.controller.in_hand()
        left = in_hand["calls"] + in_hand["legs"] + in_hand["ports"] + service.media.legs
        counts = dict(service.media.counts())
    what = f"{CALLS} joined calls (of {CALLS} {len(ledgers.joined)} joined, status {status}), "
    what += f"{len(ledgers.started)} held {min(ledgers.held_for, default=0.0):.0f} s or more, "
    what += f"{seconds:.0f} s in all, load {os.getloadavg()[0]:.1f}"
    shares = [100 * part / seconds for part in cpu]
    return iter([*described(what, ledgers, counts, heard, idle, left), *costs(shares)])


def described(
    what: str, ledgers: Ledgers, counts: dict[str, int], heard: Heard, idle: list[float], left: int
) -> Iterator[Figure]:
    late = [1000 * one for one in ledgers.reminders] or [float("nan")]
    what = f"{what}: {len(ledgers.reminders)} reminders late, p50"
    for name, share in ((what, 0.5), ("  p99", 0.99), ("  the latest", 1.0)):
        yield Figure(name, (percentile(late, share),), "ms")
    yield Figure("  an idle loop's own timers late, p99", (percentile(idle, 0.99),), "ms")
    yield Figure(f"  lost on the way to the plane, of {heard.sent}", (ledgers.lost,), "packets")
    yield Figure(f"  lost on the way from the plane, of {heard.came}", (heard.missed,), "packets")
    full = counts.get("dropped_buffer_full", 0)
    yield Figure(
        "  found a full buffer, the plane's and the handsets'", (full + heard.overflowed,), "packets"
    )
    skipped = counts.get("frames_skipped", 0) + counts.get("unsent", 0)
    yield Figure("  frames skipped, packets unsent", (skipped,), "")
    yield Figure("  commands that could not be carried out", (counts.get("impossible_command", 0),), "")
    yield Figure("  calls, legs and ports left afterwards", (left,), "")
    steps = [1000 * one for one in heard.lateness]
    yield Figure("  the handsets' own lateness, p99", (percentile(steps, 0.99),), "ms")


def costs(shares: list[float]) -> Iterator[Figure]:
    for who, share in zip(("controller", "plane"), shares, strict=True):
        yield Figure(f"  the {who}, of one core", (share,), "%")


def figures() -> Iterator[Figure]:
    if not shutil.which("sipp"):
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with handsets(PORTS) as pipe:
        yield from asyncio.run(measure(pipe))
