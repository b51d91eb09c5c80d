"""Five hundred callers listening at once: how late prompts start, and what a call costs."""

import asyncio
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from callflow import config
from callflow.codec import RATE
from callflow.demo.stage import on_free_ports
from callflow.facts import Fact
from callflow.net.media_process import MediaProcess
from callflow.service import running
from callflow.sinks import FactSink
from tests.bench.stopwatch import Figure, percentile

CALLS, RATE_OF_CALLS, SECONDS = 500, 50, 12
SCENARIO = Path(__file__).parent.parent / "interop" / "hangs_up.xml"


class _Lateness(FactSink):
    """Keeps how long each prompt had to wait for its first packet."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.broken = 0

    def fact(self, fact: Fact) -> None:
        if fact.fact == "prompt.started":
            self.waits.append(float(fact.details["waited"] or 0.0) * 1000)


def cpu_of(pid: int) -> tuple[float, float]:
    """CPU seconds of a process so far: user, kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / 100, int(fields[12]) / 100


def own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def idle_lateness() -> list[float]:
    """How late this loop's own timers are when it has nothing to do, in milliseconds."""
    loop = asyncio.get_running_loop()
    late = []
    for _ in range(200):
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        late.append((loop.time() - due) * 1000)
    return late


async def load() -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    listener = _Lateness()
    setup = on_free_ports(config.default(), "unused")
    media = setup.config.media.model_copy(update={"ports": (0,) * 16})
    limits = setup.config.limits.model_copy(update={"calls": CALLS + 50})
    # The callers all come by one host, as by a PBX, which has no limit of its own.
    sip = setup.config.sip.model_copy(update={"allow": ("127.0.0.1/32",)})
    changed = {"media": media, "limits": limits, "sip": sip}
    setup = replace(setup, config=setup.config.model_copy(update=changed))
    idle = await idle_lateness()
    async with running(setup, [listener]) as service:
        assert isinstance(service.media, MediaProcess)
        pid = service.media.pid
        assert pid is not None
        plane_before, controller_before, begun = cpu_of(pid), own_cpu(), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            sipp = await asyncio.create_subprocess_exec(
                "sipp", f"{service.sip_address[0]}:{service.sip_address[1]}", "-sf", str(SCENARIO),
                "-m", str(CALLS), "-r", str(RATE_OF_CALLS), "-d", str(SECONDS * 1000), "-i", "127.0.0.1",
                "-s", "10086", "-nostdin", "-l", str(CALLS), "-timeout", "60",
                cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            status = await sipp.wait()
        user, kernel = (after - before for after, before in zip(cpu_of(pid), plane_before, strict=True))
        plane, controller = user + kernel, own_cpu() - controller_before
        seconds = time.monotonic() - begun
        counts = service.media.counts()
    sent = counts["sent"]
    waits = listener.waits
    audio = sent * 160 / RATE
    what = f"{CALLS} calls at {RATE_OF_CALLS}/s, {SECONDS} s each, status {status}"
    return [
        Figure(f"{what}: prompt start late, p50", (statistics.median(waits),), "ms"),
        Figure("prompt start late, p99", (percentile(waits, 0.99),), "ms"),
        Figure("prompt start late, max", (max(waits),), "ms"),
        Figure("an idle loop's own timers late, p99", (percentile(idle, 0.99),), "ms"),
        Figure("frames skipped, packets unsent", (counts.get("frames_skipped", 0) + counts["unsent"],), ""),
        Figure("controller CPU a call", (controller / CALLS * 1000,), "ms"),
        Figure("plane CPU a second of a caller's audio, kernel and all", (plane / audio * 1000,), "ms"),
        # sipp listens at no port for audio: the kernel's share has an ICMP error for each packet.
        Figure("plane CPU a packet sent, user", (user / sent * 1e6,), "µs"),
        Figure("plane CPU a packet sent, kernel", (kernel / sent * 1e6,), "µs"),
        Figure("both, of one core", ((plane + controller) / seconds * 100,), "%"),
    ]


def figures() -> Iterator[Figure]:
    if shutil.which("sipp"):
        yield from asyncio.run(load())
