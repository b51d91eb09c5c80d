"""All calls: which one a datagram or a sound belongs to, and what each wants done. Still pure."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from callflow.actions import Action, Answer, HangUp
from callflow.agenda import Agenda
from callflow.call.call import Call
from callflow.call.journal import CallEntry, Journalled
from callflow.call.ledger import Ledger, Sink
from callflow.call.leg import Broke, Effect, Leg
from callflow.errors import IllegalEvent, PeerError
from callflow.etiquette.house import House
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Event,
    HeldByCaller,
    HungUp,
    Party,
    ResumedByCaller,
)
from callflow.flow.model import Flow
from callflow.media.messages import (
    CloseLeg,
    Latched,
    LegQuality,
    MediaEvent,
    NoPackets,
    PacketsStopped,
    Report,
    SourceTaken,
)
from callflow.media.ports import PortPool, PortsBusy
from callflow.sip.address import Address, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import (
    Answered,
    Confirmed,
    Counted,
    Ended,
    Invited,
    KeySignalled,
    Output,
    Reanswered,
    Reoffered,
)
from callflow.sip.locate import Candidate
from callflow.sip.sdp import Agreed, Offer, accept, offered

_MOST_LEAVING: Final = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """What every call of this controller has in common."""

    flow: Flow
    house: House
    media_host: str
    """The IPv4 address that callers send their audio to."""
    most_calls: int
    journals: bool = False
    """Whether each change of a call is to be written down."""


class Controller:
    """Datagrams, reports of the plane and time come in; effects go out."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        ports: PortPool,
        new_call: Callable[[], str],
        sink: Sink | None = None,
    ) -> None:
        """`new_call` names calls; `sink` is told every fact as it happens."""
        self._settings = settings
        self._endpoint = endpoint
        self._ports = ports
        self._new_call = new_call
        self._sink = sink
        self._calls: dict[str, tuple[Call, Leg]] = {}
        self._by_leg: dict[int, str] = {}
        self._last_leg = 0
        self._written: dict[str, CallEntry] = {}
        self._leaving: dict[int, Ledger] = {}
        """The ledgers of legs that are closed, and not yet told of for the last time."""
        self._agenda: Agenda[str] = Agenda()

    def __len__(self) -> int:
        """Calls that are not over."""
        return len(self._calls)

    @property
    def deadline(self) -> float | None:
        known = (self._agenda.next, self._endpoint.deadline)
        return min((at for at in known if at is not None), default=None)

    def in_hand(self) -> dict[str, int]:
        """What must come to nothing when all calls are over and 32 s have passed."""
        return {**self._endpoint.in_hand(), "calls": len(self._calls), "ports": len(self._ports)}

    def receive(
        self, data: bytes, source: Address, now: float, transport: Transport = Transport.UDP
    ) -> list[Effect]:
        """A SIP message has come."""
        return self._take(self._endpoint.receive(data, source, now, transport), now)

    def failed(self, destination: Address, transport: Transport, now: float) -> list[Effect]:
        """Nothing can be carried there."""
        return self._take(self._endpoint.failed(destination, transport, now), now)

    def hear(self, report: Report) -> list[Effect]:
        """The plane tells of a leg; what it tells may be older than the leg's end."""
        if isinstance(report.event, MediaEvent):
            return self._media_told(report.leg, report.event, report.at)
        session = self._by_leg.get(report.leg)
        return self._happen(session, report.event, report.at) if session else []

    def tick(self, now: float) -> list[Effect]:
        """Deadlines have come."""
        effects = self._take(self._endpoint.tick(now), now)
        for session in self._agenda.take_due(now):
            effects += self._act(session, lambda call: call.tick(now), now)
        return effects

    def located(self, trunk: str, candidates: Sequence[Candidate], now: float) -> list[Effect]:
        """A trunk's addresses as DNS has them now."""
        return self._take(self._endpoint.trunks.located(trunk, candidates, now), now)

    @property
    def registered(self) -> bool:
        """Whether any trunk still thinks that we take calls."""
        return self._endpoint.trunks.registered

    def drain(self, now: float) -> list[Effect]:
        """Take no new calls, and tell those who would send us some."""
        self._endpoint.calls.draining = True
        return self._take(self._endpoint.trunks.stop(now), now)

    def part(self, reason: str, now: float) -> list[Effect]:
        """Bring every call to its end with the last words and the pause."""
        effects: list[Effect] = []
        for session in [*self._calls]:
            effects += self._act(session, lambda call: call.part(reason, now), now)
        return effects

    # --- what SIP tells ---

    def _take(self, outputs: list[Output], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for output in outputs:
            match output:
                case Invited():
                    effects += self._invited(output, now)
                case Confirmed(session=session):
                    effects += self._happen(session, CallConfirmed(), now)
                case Reoffered(session=session, offer=offer):
                    effects += self._reoffered(session, offer, now)
                case Answered(session=session, answer=answer):
                    effects += self._answered(session, answer, now)
                case Reanswered(session=session, answer=answer):
                    effects += self._reanswered(session, answer, now)
                case KeySignalled(session=session, key=key):
                    effects += self._signalled(session, key, now)
                case Ended(session=session, reason=reason):
                    effects += self._ended(session, reason, now)
                case _:
                    effects.append(output)
        return effects

    def _invited(self, invited: Invited, now: float) -> list[Effect]:
        try:
            leg = self._new_leg(invited, now)
        except PeerError as error:
            refused: list[Effect] = [*self._endpoint.calls.refuse(invited.session, error, now)]
            return [*refused, Counted("rejected", str(error.status))]
        settings = self._settings
        call = Call(settings.flow, settings.house, Ledger(self._new_call(), self._sink))
        self._calls[invited.session] = call, leg
        self._by_leg[leg.media] = invited.session
        return self._happen(invited.session, CallArrived(invited.caller, invited.called), now)

    def _new_leg(self, invited: Invited, now: float) -> Leg:
        """Find a port and an agreement for the caller. Raises `PeerError`."""
        if len(self._calls) >= self._settings.most_calls:
            raise PeerError(503, "Service Unavailable")
        offer = Offer.read(invited.offer) if invited.offer else None
        self._last_leg += 1
        leg = Leg(invited.session, self._last_leg, invited.source, offer.remote if offer else None)
        try:
            leg.port = self._ports.open(leg.media, leg.remote, leg.hosts, now)
        except PortsBusy:
            raise PeerError(503, "Service Unavailable") from None
        # Only now is it known which port stands in the description.
        if offer:
            leg.agreed = offer.answered(self._local(leg), leg.media)
            leg.description = leg.agreed.answer
        else:
            leg.description = offered(self._local(leg), leg.media)
        return leg

    def _local(self, leg: Leg) -> Address:
        return self._settings.media_host, self._ports.numbers[leg.port]

    def _reoffered(self, session: str, offer: bytes, now: float) -> list[Effect]:
        _, leg = self._calls[session]
        version = leg.descriptions + 1
        if not offer:
            # The caller's side wants ours; what comes of it stands in the ACK.
            leg.descriptions = version
            description = offered(self._local(leg), leg.media, version)
            return [*self._endpoint.calls.answer(session, description, now)]
        try:
            agreed = Offer.read(offer).answered(self._local(leg), leg.media, version)
        except PeerError as error:
            return [*self._endpoint.calls.refuse(session, error, now)]
        leg.descriptions = version
        moved = self._move(session, agreed, now)
        return [*moved, *self._endpoint.calls.answer(session, agreed.answer, now), *self._holds(session, now)]

    def _answered(self, session: str, answer: bytes, now: float) -> list[Effect]:
        """The ACK should have brought the answer to our offer (RFC 3264 §5)."""
        if session not in self._calls:
            return []
        try:
            agreed = accept(answer)
        except PeerError:
            bye = self._endpoint.calls.hang_up(session, "no usable answer", now)
            return [*bye, Counted("odd", "no_answer"), *self._ended(session, "no_answer", now)]
        return [*self._move(session, agreed, now), *self._holds(session, now)]

    def _reanswered(self, session: str, answer: bytes, now: float) -> list[Effect]:
        """Our re-INVITE was taken; where its answer cannot be read, what was agreed before stands."""
        if session not in self._calls:
            return []
        try:
            agreed = accept(answer)
        except PeerError:
            return [Counted("odd", "no_answer")]
        return [*self._move(session, agreed, now), *self._holds(session, now)]

    def _signalled(self, session: str, key: str, now: float) -> list[Effect]:
        """A key by INFO counts only where it cannot come as telephone-event too: it must not count twice."""
        known = self._calls.get(session)
        if known is None:
            return []
        agreed = known[1].agreed
        if agreed is None or agreed.event_type is not None:
            return [Counted("odd", "info_key_beside_telephone_event")]
        return self._happen(session, DigitPressed(key), now)

    def _move(self, session: str, agreed: Agreed, now: float) -> list[Effect]:
        """Go by what was agreed, for the first time or anew."""
        _, leg = self._calls[session]
        if agreed.remote != leg.remote:
            leg.remote = agreed.remote
            self._ports.moved(leg.media, leg.remote, leg.hosts, now)
        return [leg.go_by(agreed)]

    def _holds(self, session: str, now: float) -> list[Effect]:
        """Whether the caller's side holds the call now, or has come back."""
        call, leg = self._calls[session]
        if leg.agreed is None or leg.agreed.peer_listens != call.held_by_caller:
            return []
        event = ResumedByCaller() if leg.agreed.peer_listens else HeldByCaller()
        return self._happen(session, event, now)

    def _ended(self, session: str, reason: str, now: float) -> list[Effect]:
        if session not in self._calls:
            return []
        by = Party.CALLER if reason in ("bye", "cancelled", "expired") else Party.CALLFLOW
        effects = self._happen(session, HungUp(by, "" if reason == "bye" else reason), now)
        return [*effects, *self._forget(session)]

    # --- what a call wants ---

    def _happen(self, session: str, event: Event, now: float) -> list[Effect]:
        if session not in self._calls:
            return []
        return self._act(session, lambda call: call.receive(event, now), now)

    def _act(self, session: str, work: Callable[[Call], list[Action]], now: float) -> list[Effect]:
        """Let a call do something, and do what it wants; whatever happens it keeps a deadline."""
        call, _ = self._calls[session]
        try:
            actions = work(call)
        except IllegalEvent:
            # A fault of ours; the caller must not be the one who pays for it.
            return [Counted("fault", "illegal_event"), *self._perform(session, [], now)]
        except Exception as error:
            return [Broke(error), *self._perform(session, _last_words(call, now), now)]
        return self._perform(session, actions, now)

    def _media_told(self, leg: int, event: MediaEvent, now: float) -> list[Effect]:
        match event:
            case LegQuality():
                self._note_quality(leg, event, now)
                return []
            case Latched():
                self._ports.latched(leg)
                return []
            case NoPackets():
                return [Counted("media", "no_packets")]
            case PacketsStopped():
                return [Counted("media", "packets_stopped")]
            case SourceTaken():
                return [Counted("media", "source_taken"), *self._elsewhere(leg, now)]
        return []

    def _elsewhere(self, media: int, now: float) -> list[Effect]:
        """Another leg at this port has the address that this one was to send from: offer another port."""
        session = self._by_leg.get(media)
        if session is None:
            return []
        _, leg = self._calls[session]
        if leg.agreed is None:
            return []
        try:
            moved = leg.move_to(self._ports.change(leg.media, leg.remote, leg.hosts, now))
        except PortsBusy:
            return [Counted("media", "no_other_port")]
        leg.descriptions += 1
        description = leg.agreed.again(self._local(leg), leg.media, leg.descriptions)
        return [moved, *self._endpoint.calls.reoffer(session, description, now)]

    def _note_quality(self, leg: int, quality: LegQuality, now: float) -> None:
        """How well a leg was heard is told after its end: the last word of its ledger."""
        ledger = self._leaving.pop(leg, None)
        if ledger is not None:
            ledger.write(now, "leg.quality", **asdict(quality))

    def _perform(self, session: str, actions: list[Action], now: float) -> list[Effect]:
        call, leg = self._calls[session]
        effects: list[Effect] = []
        for action in actions:
            effects += leg.perform(action, self._endpoint.calls, now)
            if isinstance(action, Answer):
                effects += self._happen(session, CallAnswered(), now)
            elif isinstance(action, HangUp):
                effects += [each for each in self._forget(session) if isinstance(each, Journalled)]
        if session in self._calls:
            self._agenda.put(session, call.deadline)
            effects += leg.await_key(call.awaits_key)
            effects += self._journal(call, leg)
        return effects

    def _journal(self, call: Call, leg: Leg) -> list[Effect]:
        if not self._settings.journals or call.ended:
            return []
        entry = call.entry((leg.entry(self._endpoint.calls),))
        if self._written.get(call.ledger.call) == entry:
            return []
        self._written[call.ledger.call] = entry
        return [Journalled(call.ledger.call, entry)]

    def _forget(self, session: str) -> list[Effect]:
        call, leg = self._calls.pop(session)
        self._leaving[leg.media] = call.ledger
        if len(self._leaving) > _MOST_LEAVING:
            # A plane that died tells nothing any more.
            del self._leaving[next(iter(self._leaving))]
        self._agenda.put(session, None)
        del self._by_leg[leg.media]
        self._ports.close(leg.media)
        over = self._written.pop(call.ledger.call, None)
        return [CloseLeg(leg.media), *([Journalled(call.ledger.call, None)] if over else [])]


def _last_words(call: Call, now: float) -> list[Action]:
    """A call that broke is ended as politely as it still can be."""
    try:
        return call.part("fault", now)
    except Exception:
        # Not even that is left to it.
        return call.give_up("fault", now)
