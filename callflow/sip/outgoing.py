"""One call of ours before it is answered: whom we call and how, and what has come of it so far."""

from dataclasses import dataclass, field

from callflow.sip.address import Hop
from callflow.sip.body import SDP
from callflow.sip.client_transaction import InviteClient
from callflow.sip.fields import Headers
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, Response
from callflow.sip.session import Fields, Prover, Session
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom we call, as whom, and what we offer."""

    target: Uri
    """The Request-URI and the To."""
    caller: NameAddress
    """The From, without a tag."""
    offer: bytes
    """A session description."""
    hops: tuple[Hop, ...]
    """Where the INVITE goes; the next one where the one before cannot be reached or is not available."""
    fields: Fields = ()
    """Further header fields: identity, brief, Alert-Info."""
    routes: tuple[str, ...] = ()
    """Proxies that the INVITE goes through, as Route header fields."""
    max_forwards: int = 70
    prover: Prover | None = None
    has_other_ways: bool = False
    """Whether whoever calls has somewhere else to try when nothing is heard at all from the last hop."""


@dataclass(slots=True)
class Outgoing:
    """A call of ours, and its one INVITE after the other."""

    session: str
    plan: Plan
    call_id: str
    tag: str
    client: InviteClient | None = None
    """Of the INVITE on its way."""
    cseq: int = 0
    has_progress: bool = False
    """Whether the INVITE on its way has had a provisional response: before it there is no CANCEL."""
    cancelled: str | None = None
    """Why we want it no longer."""
    is_cancelling: bool = False
    is_over: bool = False
    """Whether the floor above knows how it ended, or ended it."""
    earlies: dict[str, Session] = field(default_factory=dict)
    """The early dialogs by the tag of who rings."""
    acks: dict[str, Send] = field(default_factory=dict)
    """The ACK to each fork's 2xx."""
    _proof: Fields = ()
    _hop: int = 0

    @property
    def hop(self) -> Hop:
        return self.plan.hops[self._hop]

    @property
    def proof(self) -> Fields:
        """What the latest challenge wanted; an ACK bears it too (§13.2.2.4)."""
        return self._proof

    @property
    def has_another(self) -> bool:
        """Whether there is somewhere else to try."""
        return self.plan.has_other_ways or self._hop + 1 < len(self.plan.hops)

    def next_hop(self) -> bool:
        """Whether there is another way; from now on it is gone."""
        self._hop += 1
        return self._hop < len(self.plan.hops)

    def can_prove(self, response: Response) -> bool:
        """Whether a challenge can be answered; the next INVITE answers it."""
        prover = self.plan.prover
        self._proof = prover.prove(response, "INVITE", str(self.plan.target)) if prover else ()
        return bool(self._proof)

    def invite(self, tells: Fields) -> Request:
        """The next INVITE, but for its Via: after a challenge or at another hop the number is a new one."""
        self.cseq += 1
        plan = self.plan
        headers = [
            ("max-forwards", str(plan.max_forwards)),
            *(("route", route) for route in plan.routes),
            ("from", str(plan.caller.tagged(self.tag))),
            ("to", f"<{plan.target}>"),
            ("call-id", self.call_id),
            ("cseq", f"{self.cseq} INVITE"),
            *tells,
            *self._proof,
            *plan.fields,
            ("content-type", SDP),
        ]
        return Request(Headers(headers), plan.offer, "INVITE", str(plan.target))
