"""What a call costs that hears two seconds of a prompt and sends as much audio back: controller and plane."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from callflow import config
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.net.media_process import MediaProcess
from callflow.service import Service, running
from tests.bench.callers_audio import talking
from tests.bench.load import cpu_of, own_cpu
from tests.bench.stopwatch import Figure
from tests.support.leftovers import counted
from tests.support.sipp import sipp

RATE, SECONDS, LISTENS = 40, 8, 2.0
"""Calls a second, for how many seconds, and the seconds of each."""
CALLS = RATE * SECONDS
ASTERISK = 9.6
"""CPU ms of such a call, audio both ways, measured in another run."""
PORT = 14000
AUDIO = range(PORT + 4, PORT + 4 * CALLS, 4)
"""The ports that sipp gives to its calls, one after the other; at the first, it listens itself."""
SILENCE = b"\xd5" * 160
"""20 ms of it in A-law."""


def prepared() -> Setup:
    """Answers at once."""
    setup = on_free_ports(config.default(), "unused")
    media = setup.config.media.model_copy(update={"ports": (0,) * 16})
    answering = setup.house.answering.model_copy(update={"ring_for": 0.0})
    house = setup.house.model_copy(update={"answering": answering})
    # The callers all come by one host, as by a PBX, which has no limit of its own.
    sip = setup.config.sip.model_copy(update={"allow": ("127.0.0.1/32",)})
    return replace(setup, config=setup.config.model_copy(update={"media": media, "sip": sip}), house=house)


async def measure(line: str, audio: bytes | None) -> list[Figure]:
    """All calls, each packet of whose callers bears `audio`, or the prompt's echo."""
    async with running(prepared()) as service:
        assert isinstance(service.media, MediaProcess)
        assert service.media.pid is not None
        plane, controller = sum(cpu_of(service.media.pid)), own_cpu()
        status = await _call(service, audio)
        await service.drain()
        plane, controller = sum(cpu_of(service.media.pid)) - plane, own_cpu() - controller
        answered = counted(service, "callflow_answer_delay_seconds_count")
        counts = service.media.counts()
    cost = (plane + controller) / CALLS * 1000
    what = (
        f"CPU a call of {LISTENS:.0f} s with its prompt, {line} ({RATE}/s, {answered:.0f} of {CALLS} "
        f"answered, status {status}, load {os.getloadavg()[0]:.1f})"
    )
    against = f"{cost / ASTERISK:.2f} × Asterisk's {ASTERISK}, a figure of another run"
    return [
        Figure(what, (cost,), "ms", against),
        Figure("  of which the controller", (controller / CALLS * 1000,), "ms"),
        Figure("  of which the plane", (plane / CALLS * 1000,), "ms"),
        Figure("  packets sent and received", ((counts["sent"] + counts["received"]) / CALLS,), ""),
    ]


async def _call(service: Service, audio: bytes | None) -> int:
    where = ("-mp", str(PORT), "-rtp_echo", "-d", str(int(LISTENS * 1000)), "-l", str(CALLS))
    bounded = ("-timeout", str(SECONDS + 15))
    with tempfile.TemporaryDirectory() as folder, talking(AUDIO, audio):
        return await sipp(
            "hangs_up.xml", service.sip_address, Path(folder), *where, *bounded, calls=CALLS, rate=RATE
        )


def figures() -> Iterator[Figure]:
    if shutil.which("sipp"):
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        yield from asyncio.run(measure("silent callers", SILENCE))
        yield from asyncio.run(measure("callers who send its echo", None))
