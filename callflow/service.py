"""The assembled service: one controller at its sockets, with its metrics and its log."""

import asyncio
import gc
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from callflow import resources
from callflow.adapters.control import ControlSocket, usual_path
from callflow.adapters.earlier_life import EarlierLife
from callflow.adapters.http import HttpServer
from callflow.adapters.http_names import Names
from callflow.adapters.http_peer import Peers
from callflow.adapters.journal import JournalFile
from callflow.adapters.logs import FactLog
from callflow.adapters.message_files import MessageFiles
from callflow.adapters.metrics import Metrics
from callflow.adapters.page_logins import PageLogins
from callflow.adapters.process_faults import tell_faults
from callflow.adapters.seat_pages import SeatPages
from callflow.adapters.seat_sessions import SeatSessions
from callflow.adapters.second_opinion import SecondOpinion
from callflow.adapters.trace import TraceRing
from callflow.adapters.trace_pages import TracePages, only
from callflow.bind_faults import named
from callflow.call.controller import Controller, Settings
from callflow.call.journal import FactEntry, Journalled
from callflow.call.recorder import Message, Written
from callflow.codec import Law
from callflow.config import Setup
from callflow.facts import Fact
from callflow.media.g711 import encode
from callflow.media.messages import LegCommand, LoadPrompt, Overheard
from callflow.media.ports import PortPool
from callflow.net.driver import Driver
from callflow.net.media_port import MediaPort
from callflow.net.media_process import MediaProcess
from callflow.net.media_runner import MediaRunner
from callflow.net.mmsg import bound_sockets, rtcp_sockets
from callflow.net.scouts import Scouts
from callflow.net.transports import Transports
from callflow.sinks import FactSink, Sinks
from callflow.sip.address import Address, AllowList
from callflow.sip.call_rates import CallRates
from callflow.sip.endpoint import Endpoint
from callflow.sip.guesses import Guesses
from callflow.sip.happenings import Counted, Noticed, Refused
from callflow.sip.registrar import Registrar

_NOT_ALLOWED: Final = Counted("dropped", "not_allowed")


class Service:
    """See `running`."""

    def __init__(self, setup: Setup, sinks: Iterable[FactSink], media: Callable[[], MediaPort]) -> None:
        config = setup.config
        self._setup = setup
        self.metrics = Metrics(setup.flow.name, setup.house, setup.modes, resources.rulebook())
        self.metrics.on_broken = self.fact
        self._log = FactLog()
        self.media = media()
        self.media.on_lateness = self.metrics.media.tick_lateness
        if isinstance(self.media, MediaProcess):
            process = self.media.process
            tell_faults(process, "media_process", self.counted, self.broke)
            self.media.on_down = lambda: self._driver.media_gone(process.silent)
            self.media.on_up = lambda: self._driver.media_back()
        self.metrics.media.watch(self.media.counts)
        with named(f"journal {config.journal}", helps=False):
            self._journal = JournalFile(config.journal) if config.journal else None
        if self._journal is not None:
            journal = self._journal
            self.metrics.processes.watch_journal(lambda: journal.lost)
        self._messages = MessageFiles(config.recordings) if config.recordings else None
        self.second_opinion = SecondOpinion()
        tell_faults(self.second_opinion.process, "second_opinion", self.counted, self.broke)
        self.metrics.processes.watch_media(lambda: self.has_media, lambda: self.second_opinion.is_up)
        self.draining = False
        self.trace = TraceRing(time.time() - time.monotonic())
        self._allowed = AllowList(config.sip.allow)
        with named(f"sip.listen {_shown(config.sip.listen)}"):
            self._wire = Transports(
                config.sip.listen,
                lambda *received: self._driver.receive(*received),
                lambda *failed: self._driver.failed(*failed),
                self._allowed,
                tcp=config.sip.tcp,
                strange=self._uninvited,
            )
        most = config.limits.per_source.connections
        self._wire.limit_hosts(most, self._has_no_limit, self.metrics.refusals.connection)
        self._wire.follow(
            lambda *peer: self._driver.disconnected(*peer), lambda *peer: self._driver.keeps(*peer)
        )
        self._wire.on_fault(lambda kind: self.counted(Counted("fault", kind)))
        peers = Peers(config.http.proxies, tls=config.http.tls)
        self.http = HttpServer(
            config.http.listen, self.metrics, self._why_not_ready, Names(config.http.names), peers
        )
        self.http.on_fault = lambda kind: self.counted(Counted("fault", kind))
        self.http.on_broken = self.broke
        self.http.on_refused = self.metrics.refusals.page
        self.http.on_crowded = partial(self.metrics.refusals.connection, "", "descriptors")
        self.controller = self._new_controller()
        self._driver = Driver(self.controller, self.media, self)
        self._earlier_life: EarlierLife | None = None
        if self._journal is not None:
            seats = self.controller.switchboard.seats
            self._earlier_life = EarlierLife(self._journal, self._registrar, seats, self.fact)
        self._sinks = Sinks(self._all_sinks(sinks), self.broke)
        self.second_opinion.on_opinion = self._driver.hear
        self._control = self._serve_pages(peers)
        self.metrics.sip.watch_connections(self._wire.counts)
        self._scouts = Scouts(
            {name: trunk.target for name, trunk in config.sip.trunks.items()}, self._driver.located
        )

    def _all_sinks(self, others: Iterable[FactSink]) -> Iterator[FactSink]:
        """Whoever is told every fact: a new sink is one line here."""
        yield self._log
        yield from others
        # They judge a call when it is over, and what they find comes after its end.
        yield self.metrics
        if self._earlier_life is not None:
            yield self._earlier_life

    def _serve_pages(self, peers: Peers) -> ControlSocket:
        """The seats' pages by HTTP, and the trace by HTTP and by the control socket."""
        people, wrong = self._setup.config.seats, self.metrics.wrong_passwords
        logins = PageLogins(
            self._setup.seat_passwords, self._registrar.guard.guesses, partial(wrong.told, "web")
        )
        pages = SeatPages(
            logins,
            self._driver.desk_of,
            self._driver.desk_asks,
            self._driver.desk_refuses,
            SeatSessions(people.page_idle),
            peers,
        )
        trace = TracePages(self.trace, lambda: self.sip_address)
        self.http.add_routes(pages.routes())
        self.http.add_routes(trace.routes(only(pages.seat, people.supervisors)))
        return ControlSocket(trace.routes(), self.broke)

    @property
    def sip_address(self) -> Address:
        return self._wire.address

    @property
    def has_media(self) -> bool:
        """Whether the plane works; one inside our own loop does while we do."""
        return self.media.is_up if isinstance(self.media, MediaProcess) else True

    def _why_not_ready(self) -> str:
        if self.draining:
            return "draining"
        return "" if self.has_media else "no_media"

    def fact(self, fact: Fact) -> None:
        if fact.fact in ("call.arrived", "call.dialled"):
            # Its INVITE is the datagram in hand.
            self.trace.name_latest(fact.call)
        self._sinks.fact(fact)

    def counted(self, counted: Counted) -> None:
        self.metrics.sip.counted(counted)
        if isinstance(counted, Refused):
            self.metrics.refusals.request(counted)
        else:
            self._log.counted(counted)

    def _uninvited(self, host: str) -> None:
        """A packet has come from a source that is not allowed."""
        self.metrics.sip.counted(_NOT_ALLOWED)
        self.metrics.refusals.stranger(host)

    def _has_no_limit(self, host: str) -> bool:
        """Whether what one source may take is not for this one: a PBX that is named singly, or a trunk."""
        return host in self._setup.config.sip.single_hosts or bool(self._endpoint.trunks.at(host))

    def noticed(self, noticed: Noticed) -> None:
        self.metrics.sip.noticed(noticed)
        self._log.noticed(noticed)

    def journalled(self, change: Journalled) -> None:
        if self._journal is not None:
            self._journal.write(change)

    def to_keep(self, entry: FactEntry) -> None:
        if self._journal is not None:
            self._journal.write(entry)

    def to_write(self, message: Message) -> None:
        refused: Written | None = Written(message.number, why="no_folder")
        if self._messages is not None:
            refused = self._messages.write(message)
        if refused:
            asyncio.get_running_loop().call_soon(self._driver.written, refused)

    def listens(self, command: LegCommand) -> None:
        self.second_opinion.told(command)

    def overheard(self, leg: int, heard: Overheard) -> None:
        self.second_opinion.overheard(leg, heard)

    def saw(self, now: float, incoming: bool, peer: Address, data: bytes) -> None:
        self.trace.saw(now, incoming, peer, data)

    def broke(self, error: Exception) -> None:
        self.metrics.sip.counted(Counted("fault", type(error).__name__))
        self._log.broke(error)

    async def start(self) -> None:
        """Raises `OSError` where an address is taken, with its key in the configuration."""
        await self.media.start()
        await self.second_opinion.start()
        if self._journal is not None:
            loop = asyncio.get_running_loop()
            self._journal.on_kept = lambda entry: loop.call_soon_threadsafe(self._driver.kept, entry)
        if self._messages is not None:
            there = asyncio.get_running_loop()
            self._messages.on_written = lambda told: there.call_soon_threadsafe(self._driver.written, told)
        await self._sinks.start()
        self._load_prompts()
        with named(f"http.listen {_shown(self._setup.config.http.listen)}"):
            await self.http.start()
        await self._start_control()
        self._driver.start(self._wire)
        await self._wire.start()
        self._scouts.start()
        if self._earlier_life is not None:
            for call, consents in self._earlier_life.end_calls(self._driver.end_earlier):
                self._log.cut_off(call, consents)
                self.metrics.processes.cut_off()
        # What stands now stands until the end: to look it through again would be a pause for every call.
        gc.collect()
        gc.freeze()

    async def _start_control(self) -> None:
        """Raises `OSError` where the path that the configuration names cannot be had."""
        own = self._setup.config.http.control
        if own is not None:
            with named(f"http.control {own}", helps=False):
                await self._control.start(own)
            return
        try:
            await self._control.start(usual_path(self.http.address[1]))
        except OSError as error:
            self._log.no_control(error)

    async def drain(self) -> None:
        """Stop as people would: no new calls, and those that stand come to a polite end."""
        self.draining = True
        await self._driver.drain(self._setup.config.drain)

    def hurry(self) -> None:
        """Begin the last words of all calls at once, if the service drains."""
        self._driver.hurry()

    def drop_calls(self) -> None:
        """End all calls without a word: somebody will not wait."""
        self._driver.drop_all("service_stops")

    async def close(self) -> None:
        gc.unfreeze()
        await self._scouts.close()
        await self._wire.close()
        self._driver.close()
        await self.media.close()
        await self.second_opinion.close()
        await self.http.close()
        await self._control.close()
        await self._sinks.close()
        if self._journal is not None:
            await asyncio.to_thread(self._journal.close)
        if self._messages is not None:
            await asyncio.to_thread(self._messages.close)

    def _new_controller(self) -> Controller:
        config, setup = self._setup.config, self._setup
        sip_host, sip_port = self._wire.address
        digests = tuple(algorithm.upper() for algorithm in config.sip.digest)
        registrar = self._registrar = Registrar(
            setup.accounts, config.sip.realm, secrets.token_bytes(32), digests
        )
        # Many come by a PBX: it is slowed per account alone.
        registrar.guard.guesses = Guesses(config.sip.single_hosts)
        registrar.guard.on_wrong = partial(self.metrics.wrong_passwords.told, "sip")
        contact = (config.sip.advertise or sip_host, sip_port)
        endpoint = self._endpoint = Endpoint(
            contact,
            registrar,
            self._allowed,
            lambda: secrets.token_hex(8),
            random.random,
            setup.trunks,
            self._rates(),
        )
        received_at = config.media.host if config.media.host != "0.0.0.0" else None
        media_host = config.media.advertise or received_at or contact[0]
        people = config.seats
        settings = Settings(
            setup.flow,
            setup.house,
            media_host,
            config.limits.calls,
            journals=config.journal is not None,
            seats=tuple(seat.plan(number, setup.pins.get(number)) for number, seat in people.at.items()),
            queues=people.queue_plans,
            wrap_up=people.wrap_up,
            pauses=people.pauses.plan(),
            media_timeout=config.media.timeout,
            media_timeouts=setup.media_timeouts,
            phones=people.phones,
            away_reasons=people.away_reasons,
            calls_out=people.calls_out.plan(setup.trunks),
            modes=setup.modes,
            sayable=setup.sayable,
            hearing=setup.thresholds_of_trunks,
            lengths=setup.sayings.lengths,
            spell=setup.spell,
        )
        ports = PortPool(self.media.ports)
        return Controller(settings, endpoint, ports, _new_call_id, self.fact, now=time.monotonic())

    def _rates(self) -> CallRates:
        config = self._setup.config
        limit, singles = config.limits.per_source, config.sip.single_hosts
        # Help must be reached whoever has called before.
        never = frozenset(config.seats.calls_out.emergency)
        return CallRates(limit.calls_per_second, limit.burst, singles.__contains__, never)

    def _load_prompts(self) -> None:
        prompts = self._setup.prompts
        whole = ((name, prompts.pcm(prompt, own)) for name, prompt, own in self._setup.recordings)
        for name, samples in (*whole, *self._setup.spelling.items()):
            ulaw, alaw = (encode(samples, law).tobytes() for law in (Law.PCMU, Law.PCMA))
            self.media.command(LoadPrompt(name, ulaw, alaw))


@asynccontextmanager
async def running(
    setup: Setup,
    sinks: Iterable[FactSink] = (),
    media: Callable[[], MediaPort] | None = None,
    log_dropped: Callable[[], int] = lambda: 0,
) -> AsyncIterator[Service]:
    """A service that has started, and is closed when the block is left. Raises `OSError`.

    `media` makes the plane's runner, where it shall be another than the configuration's; `log_dropped` is
    how many lines the log has lost.
    """
    plane = (media or (lambda: media_of(setup)))()
    try:
        service = Service(setup, sinks, lambda: plane)
    except BaseException:
        # Its ports are bound already.
        await plane.close()
        raise
    service.metrics.processes.watch_log(log_dropped)
    try:
        await service.start()
        yield service
    finally:
        await service.close()


def media_of(setup: Setup) -> MediaPort:
    """The plane that the configuration wants. Raises `OSError` where a port is taken."""
    config = setup.config
    where = MediaProcess if config.media.process == "own" else MediaRunner
    host, ports = config.media.host or config.sip.listen[0], config.media.ports
    with named(f"media.ports {ports[0]}-{ports[-1]} at {host}"):
        bound = bound_sockets(host, ports)
    return where(
        bound,
        # A served call has a leg for its seat, and a third while that is rung anew.
        capacity=config.limits.calls * (3 if config.seats.at else 1) + 8,
        thresholds=setup.thresholds,
        rtcp=rtcp_sockets(bound),
    )


def _shown(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def _new_call_id() -> str:
    """Sorts by time, like a ULID; never the same twice."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(5)}"
