"""All calls: which one a datagram or a sound belongs to, and what each wants done. Still pure."""

from collections.abc import Callable
from dataclasses import dataclass

from callflow.actions import Action, Answer, HangUp
from callflow.agenda import Agenda
from callflow.call.call import Call
from callflow.call.ledger import Ledger, Sink
from callflow.call.leg import Effect, Leg
from callflow.errors import IllegalEvent, PeerError
from callflow.etiquette.house import House
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    Event,
    HeldByCaller,
    HungUp,
    Party,
    ResumedByCaller,
)
from callflow.flow.model import Flow
from callflow.media.messages import CloseLeg, Latched, Report
from callflow.media.ports import PortPool, PortsBusy
from callflow.sip.address import Address
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Confirmed, Counted, Ended, Invited, Output, Reoffered
from callflow.sip.sdp import Agreed, agree


@dataclass(frozen=True, slots=True)
class Settings:
    """What every call of this controller has in common."""

    flow: Flow
    house: House
    media_host: str
    """The IPv4 address that callers send their audio to."""
    most_calls: int


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

    def receive(self, data: bytes, source: Address, now: float) -> list[Effect]:
        """A SIP datagram has come."""
        return self._take(self._endpoint.receive(data, source, now), now)

    def hear(self, report: Report) -> list[Effect]:
        """The plane tells of a leg; what it tells may be older than the leg's end."""
        if isinstance(report.event, Latched):
            self._ports.latched(report.leg)
            return []
        session = self._by_leg.get(report.leg)
        return self._happen(session, report.event, report.at) if session else []

    def tick(self, now: float) -> list[Effect]:
        """Deadlines have come."""
        effects = self._take(self._endpoint.tick(now), now)
        for session in self._agenda.take_due(now):
            call, _ = self._calls[session]
            effects += self._perform(session, call.tick(now), now)
        return effects

    def drain(self) -> None:
        """Take no new calls."""
        self._endpoint.calls.draining = True

    def part(self, reason: str, now: float) -> list[Effect]:
        """Bring every call to its end with the last words and the pause."""
        effects: list[Effect] = []
        for session, (call, _) in [*self._calls.items()]:
            effects += self._perform(session, call.part(reason, now), now)
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
        if not invited.offer:
            raise PeerError(488, "Not Acceptable Here")
        self._last_leg += 1
        leg = Leg(
            invited.session, self._last_leg, 0, self._agree(invited.offer, self._last_leg, 0), invited.source
        )
        try:
            leg.port = self._ports.open(leg.media, leg.agreed.remote, leg.hosts, now)
        except PortsBusy:
            raise PeerError(503, "Service Unavailable") from None
        # The offer is answered anew: only now is it known which port stands in the answer.
        leg.agreed = self._agree(invited.offer, leg.media, leg.port)
        return leg

    def _agree(self, offer: bytes, leg: int, port: int, version: int = 1) -> Agreed:
        local = (self._settings.media_host, self._ports.numbers[port])
        return agree(offer, local, leg, version)

    def _reoffered(self, session: str, offer: bytes, now: float) -> list[Effect]:
        call, leg = self._calls[session]
        try:
            agreed = self._agree(offer, leg.media, leg.port, leg.answers + 1)
        except PeerError as error:
            return [*self._endpoint.calls.refuse(session, error, now)]
        leg.answers += 1
        if agreed.remote != leg.agreed.remote:
            self._ports.moved(leg.media, agreed.remote, leg.hosts, now)
        moved = leg.move(agreed, self._endpoint.calls, now)
        if agreed.peer_listens == call.held_by_caller:
            event = ResumedByCaller() if agreed.peer_listens else HeldByCaller()
            moved += self._happen(session, event, now)
        return moved

    def _ended(self, session: str, reason: str, now: float) -> list[Effect]:
        if session not in self._calls:
            return []
        by = Party.CALLFLOW if reason == "no_ack" else Party.CALLER
        effects = self._happen(session, HungUp(by, "" if reason == "bye" else reason), now)
        return [*effects, *self._forget(session)]

    # --- what a call wants ---

    def _happen(self, session: str, event: Event, now: float) -> list[Effect]:
        if session not in self._calls:
            return []
        call, _ = self._calls[session]
        try:
            actions = call.receive(event, now)
        except IllegalEvent:
            # A fault of ours; the caller must not be the one who pays for it.
            return [Counted("fault", "illegal_event")]
        return self._perform(session, actions, now)

    def _perform(self, session: str, actions: list[Action], now: float) -> list[Effect]:
        call, leg = self._calls[session]
        effects: list[Effect] = []
        for action in actions:
            effects += leg.perform(action, self._endpoint.calls, now)
            if isinstance(action, Answer):
                effects += self._happen(session, CallAnswered(), now)
            elif isinstance(action, HangUp):
                self._forget(session)
        if session in self._calls:
            self._agenda.put(session, call.deadline)
        return effects

    def _forget(self, session: str) -> list[Effect]:
        _, leg = self._calls.pop(session)
        self._agenda.put(session, None)
        del self._by_leg[leg.media]
        self._ports.close(leg.media)
        return [CloseLeg(leg.media)]
