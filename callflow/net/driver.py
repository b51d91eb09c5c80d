"""Lets the pure floors run: feeds them what the sockets bring, does what they want, keeps one timer."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, Protocol

from callflow.call.controller import Controller
from callflow.call.desk_view import Asked, View
from callflow.call.journal import CallEntry, FactEntry, Journalled
from callflow.call.leg import Effect
from callflow.call.recorder import Message, Written
from callflow.events import Ending
from callflow.guard import Broke, guarded
from callflow.media.messages import (
    AskOpinion,
    CloseLeg,
    Command,
    LegCommand,
    ListenClosely,
    ListenNoLonger,
    Overheard,
    Report,
)
from callflow.net.absence import Absence
from callflow.net.media_port import MediaPort
from callflow.sip.address import Address, Transport
from callflow.sip.happenings import Counted, Noticed, RegistrationChanged, TrunkChanged
from callflow.sip.locate import Candidate
from callflow.sip.transaction import Send

_LAST_WORDS: Final = 20.0
"""Seconds that calls have to end politely once they must."""
_GOODBYE: Final = 2.0
"""Seconds that trunks have to answer our unregistering."""
_LOOK: Final = 0.02


class Wire(Protocol):
    """Where SIP messages leave by."""

    def send(self, data: bytes, destination: Address, transport: Transport) -> None: ...


class Observer(Protocol):
    """Who wants to know what no call's ledger holds."""

    def saw(self, now: float, incoming: bool, peer: Address, data: bytes) -> None:
        """A SIP message came, or is about to leave."""

    def counted(self, counted: Counted) -> None: ...

    def noticed(self, noticed: Noticed) -> None:
        """A trunk or our registration there has changed its state."""

    def journalled(self, change: Journalled) -> None:
        """A call stands otherwise than before."""

    def to_keep(self, entry: FactEntry) -> None:
        """A call waits until this fact is on disk."""

    def to_write(self, message: Message) -> None:
        """A caller's message is to become a file; `Driver.written` is told what became of it."""

    def listens(self, command: LegCommand) -> None:
        """The plane is about to be told whom the second pair of ears is to hear, or that a leg is over."""

    def overheard(self, leg: int, heard: Overheard) -> None:
        """It hears this; `Driver.hear` is told its opinion."""

    def broke(self, error: Exception) -> None:
        """A fault of ours that was kept from the other calls."""


class Driver:
    """One controller at its sockets."""

    def __init__(self, controller: Controller, media: MediaPort, observer: Observer) -> None:
        self._controller = controller
        self._media = media
        self._observer = observer
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._absence = Absence(lambda: self.drop_all("no_media"))
        self._all_over = asyncio.Event()
        self._hurried = asyncio.Event()
        media.on_report = self.hear

    def start(self, wire: Wire) -> None:
        self._wire = wire

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._absence.close()

    def receive(self, data: bytes, source: Address, transport: Transport) -> None:
        """A SIP message has come."""
        self._observer.saw(asyncio.get_running_loop().time(), True, source, data)
        self._run(lambda now: self._controller.receive(data, source, now, transport))

    def failed(self, destination: Address, transport: Transport) -> None:
        """Nothing can be carried there."""
        self._run(lambda now: self._controller.failed(destination, transport, now))

    def disconnected(self, peer: Address, transport: Transport) -> None:
        """The connection with a peer is gone."""
        self._run(lambda now: self._controller.disconnected(peer, transport))

    def keeps(self, peer: Address, transport: Transport) -> bool:
        """Whether the connection with a peer is to stay though nothing goes by it."""
        return self._controller.keeps(peer, transport, asyncio.get_running_loop().time())

    def located(self, trunk: str, candidates: Sequence[Candidate]) -> None:
        """A trunk's addresses as DNS has them now."""
        self._run(lambda now: self._controller.located(trunk, candidates, now))

    def hear(self, report: Report) -> None:
        """The plane tells of a leg, or the second pair of ears does."""
        if isinstance(report.event, Overheard):
            self._observer.overheard(report.leg, report.event)
            return
        self._run(lambda now: self._controller.hear(report))

    def kept(self, entry: FactEntry) -> None:
        """The fact is on disk."""
        self._run(lambda now: self._controller.kept(entry.call, entry.number, now))

    def written(self, written: Written) -> None:
        """What became of a caller's message."""
        self._run(lambda now: self._controller.written(written, now))

    def desk_of(self, seat: str) -> View:
        """What a seat's page shows."""
        return self._controller.desk_of(seat, asyncio.get_running_loop().time())

    def desk_refuses(self, seat: str, asked: Asked) -> str:
        """Why a seat cannot have what its page asks for; empty where it can."""
        return self._controller.desk_refuses(seat, asked, asyncio.get_running_loop().time())

    def desk_asks(self, seat: str, asked: Asked) -> None:
        """A seat asks for something by its page."""
        self._run(lambda now: self._controller.desk_asks(seat, asked, now))

    def end_earlier(self, entry: CallEntry) -> None:
        """End a call of an earlier life of the program."""
        self._run(lambda now: self._controller.end_earlier(entry, now))

    def media_gone(self, silent: float) -> None:
        """The plane is gone, and has done nothing for `silent` seconds; it may come back."""
        self._run(self._controller.media_gone)
        self._absence.gone(silent)

    def media_back(self) -> None:
        """The plane is there again."""
        self._absence.back()
        self._run(self._controller.media_back)

    async def drain(self, patience: float) -> None:
        """Take no new calls; after `patience` seconds, or when hurried, bring the rest to a polite end."""
        self._run(self._controller.drain)
        if not await self._emptied(patience, or_when=self._hurried):
            self._run(lambda now: self._controller.part("service_stops", now))
            if not await self._emptied(_LAST_WORDS):
                self.drop_all("service_stops")
        await self._unregistered()

    async def _unregistered(self) -> None:
        """Wait until no trunk thinks any more that we take calls; a silent one is not waited for long."""
        for _ in range(int(_GOODBYE / _LOOK)):
            if not self._controller.registered:
                return
            await asyncio.sleep(_LOOK)

    def hurry(self) -> None:
        """Have no more patience: the last words begin at once."""
        self._hurried.set()

    def drop_all(self, reason: Ending) -> None:
        """End every call without a word."""
        self._run(lambda now: self._controller.drop_all(reason, now))

    async def _emptied(self, within: float, or_when: asyncio.Event | None = None) -> bool:
        """Whether all calls are over by then, or by the time of another event."""
        self._all_over.clear()
        if len(self._controller):
            events = (self._all_over, or_when) if or_when else (self._all_over,)
            waiting = {asyncio.create_task(event.wait()) for event in events}
            try:
                await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()
        return not len(self._controller)

    def _run(self, work: Callable[[float], list[Effect]]) -> None:
        loop = asyncio.get_running_loop()
        for effect in guarded(lambda: work(loop.time())):
            # An effect that cannot be carried out costs no other: it is reported, and the service goes on.
            for fault in guarded(partial(self._carry_out, effect)):
                self._observer.broke(fault.error)
        if not len(self._controller):
            self._all_over.set()
        self._arm(loop)

    def _carry_out(self, effect: Effect) -> Iterable[Broke]:
        match effect:
            case Send(data=data, destination=destination, transport=transport):
                assert self._wire is not None
                self._observer.saw(asyncio.get_running_loop().time(), False, destination, data)
                self._wire.send(data, destination, transport)
            case Counted():
                self._observer.counted(effect)
            case TrunkChanged() | RegistrationChanged():
                self._observer.noticed(effect)
            case Broke(error=error):
                self._observer.broke(error)
            case ListenClosely() | AskOpinion() | ListenNoLonger() | CloseLeg():
                self._observer.listens(effect)
                self._media.command(effect)
            case Command():
                self._media.command(effect)
            case Journalled():
                self._observer.journalled(effect)
            case FactEntry():
                self._observer.to_keep(effect)
            case Message():
                self._observer.to_write(effect)
        return ()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        deadline = self._controller.deadline
        if deadline == self._armed_for and self._timer is not None:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = None if deadline is None else loop.call_at(deadline, self._wake, deadline)

    def _wake(self, deadline: float) -> None:
        self._timer = None
        # A timer may fire a hair early; the machines must find their deadline come.
        self._run(lambda now: self._controller.tick(max(now, deadline)))
