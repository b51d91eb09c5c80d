"""`callflow run`: serve calls until told to stop."""

import asyncio
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import click
import structlog

from callflow import config
from callflow.adapters import logs
from callflow.adapters.log_capture import captured, loop_broke
from callflow.cli.screen import FILE, faults_told
from callflow.config import Setup
from callflow.service import Service, running


@click.command()
@click.argument("configuration", required=False, type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Log in JSON even on a terminal.")
@click.option("--verbose", "-v", is_flag=True, help="Log every prompt and every sound, too.")
def run(configuration: Path | None, as_json: bool, verbose: bool) -> None:
    """Serve calls by CONFIGURATION; without one, SIP on 127.0.0.1:5060/udp with flows/hotline.yaml.

    The first Ctrl-C or SIGTERM lets the calls that stand come to their end; the second has their last words
    said at once; the third ends them without. SIGHUP, as from a terminal that is closed, changes nothing.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _allow_descriptors()
    with faults_told(as_json=as_json):
        setup = config.read(configuration) if configuration else config.default()
        with logs.unblocking(as_json=True if as_json else None, verbose=verbose) as writer, captured():
            asyncio.run(_serve(setup, lambda: writer.dropped))


def _allow_descriptors() -> None:
    """As many as the system lets us have: the usual thousand is few for connections over TCP."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(setup: Setup, log_dropped: Callable[[], int]) -> None:
    log = structlog.get_logger("callflow")
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_broke)
    for note in setup.notes:
        log.warning("configuration.note", place=f"{note.file}:{note.line}:{note.column}", what=note.what)
    stops = Stops()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stops.asked)
    loop.add_signal_handler(signal.SIGHUP, lambda: log.info("signal.ignored", signal="SIGHUP"))
    async with running(setup, log_dropped=log_dropped) as service:
        sip, http = service.sip_address, service.http.address
        log.info(
            "serving",
            sip=f"{sip[0]}:{sip[1]}/udp",
            metrics=f"http://{http[0]}:{http[1]}/metrics",
            flow=setup.flow.name,
            house=setup.house.name,
            rtp_ports=list(service.media.ports),
        )
        await stops.first.wait()
        log.info("draining", calls=len(service.controller), patience=setup.config.drain)
        await _drain(service, stops)
    log.info("stopped")


async def _drain(service: Service, stops: "Stops") -> None:
    drained = asyncio.create_task(service.drain(), name="service.drain")
    for asked, then in ((stops.second, service.hurry), (stops.third, service.drop_calls)):
        waited = asyncio.create_task(asked.wait(), name="service.stops")
        await asyncio.wait({drained, waited}, return_when=asyncio.FIRST_COMPLETED)
        if drained.done():
            waited.cancel()
            break
        structlog.get_logger("callflow").info("hurried", calls=len(service.controller))
        then()
    drained.cancel()
    await asyncio.wait({drained})


class Stops:
    """How often we were asked to stop: politely, soon, at once."""

    def __init__(self) -> None:
        self.first, self.second, self.third = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def asked(self) -> None:
        for event in (self.first, self.second, self.third):
            if not event.is_set():
                event.set()
                return
