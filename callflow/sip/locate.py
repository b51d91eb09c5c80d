"""Finding a server: from its name to the addresses to try, in order (RFC 3263 §4, RFC 2782).

For UDP and TCP over IPv4; what a domain offers by TLS is passed over. Nothing is asked from here: `locate`
says what it must still know, and is called again with the answers.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callflow.sip.address import Hop, Transport
from callflow.sip.uri import Uri

USUAL_PORT: Final = 5060
MOST: Final = 16
"""Records of one answer that are looked at, and candidates."""
_SERVICES: Final = {"SIP+D2U": Transport.UDP, "SIP+D2T": Transport.TCP}

Chance = Callable[[], float]
"""A number from 0 up to and without 1, each as likely."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the configuration names: a host or an IPv4 address; port and transport where it says so."""

    host: str
    port: int | None = None
    transport: Transport | None = None

    @classmethod
    def of(cls, uri: Uri) -> "Target":
        """Where requests to `uri` go that have no route (§4). Raises `ValueError` for any but UDP and TCP."""
        transport = uri.params.get("transport")
        return cls(uri.host, uri.port, Transport(transport.upper()) if transport else None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address to try."""

    host: str
    """IPv4, in dotted form."""
    port: int
    transport: Transport

    @property
    def hop(self) -> Hop:
        return Hop((self.host, self.port), self.transport)


@dataclass(frozen=True, slots=True)
class Question:
    kind: str
    """`NAPTR`, `SRV` or `A`."""
    name: str


@dataclass(frozen=True, slots=True)
class Naptr:
    order: int
    preference: int
    service: str
    """Such as `SIP+D2U`."""
    replacement: str
    """The name to ask for SRV, without the last dot."""


@dataclass(frozen=True, slots=True)
class Srv:
    priority: int
    weight: int
    port: int
    target: str
    """Without the last dot; empty where the service is not offered at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question led to: records of its kind (for `A` the addresses), or the reason for none."""

    records: Sequence[Naptr | Srv | str] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Located:
    """Where the target is: `candidates` in the order to try, or none and the reason."""

    candidates: tuple[Candidate, ...]
    reason: str = ""


Answers = Mapping[Question, Answer]


class _Unasked(Exception):
    """Without these answers it goes no further."""

    def __init__(self, questions: Iterable[Question]) -> None:
        super().__init__()
        self.questions = tuple(questions)


def locate(target: Target, answers: Answers, chance: Chance) -> Located | tuple[Question, ...]:
    """The candidates, or the questions to ask next; at most three rounds of them.

    `chance` spreads servers of one priority by their weights.
    """
    if ":" in target.host:
        return Located((), "not_ipv4")
    try:
        found = _candidates(target, answers, chance)
    except _Unasked as unasked:
        return unasked.questions
    if found:
        return Located(tuple(dict.fromkeys(found))[:MOST])
    return Located((), _reason(answers))


def _candidates(target: Target, answers: Answers, chance: Chance) -> list[Candidate]:
    if _is_ipv4(target.host):
        return [Candidate(target.host, target.port or USUAL_PORT, target.transport or Transport.UDP)]
    if target.port is not None:
        # A port given forbids SRV, whose port would be another (§4.2).
        return _at(target.host, target.port, target.transport or Transport.UDP, answers)
    services = _services(target, answers)
    records = _ask(answers, *[Question("SRV", name) for _, name in services])
    offered = [
        (transport, [record for record in found if isinstance(record, Srv)])
        for (transport, _), found in zip(services, records, strict=True)
    ]
    if not any(servers for _, servers in offered):
        return _at(target.host, USUAL_PORT, target.transport or Transport.UDP, answers)
    order = [(transport, srv) for transport, servers in offered for srv in by_weight(servers, chance)]
    # All names in one round, before the first is missed.
    _ask(answers, *[Question("A", srv.target) for _, srv in order if srv.target and not _is_ipv4(srv.target)])
    return [
        c for transport, srv in order if srv.target for c in _at(srv.target, srv.port, transport, answers)
    ]


def _services(target: Target, answers: Answers) -> list[tuple[Transport, str]]:
    """Transport and name to ask for SRV, in the order to try (§4.1)."""
    if target.transport is not None:
        return [(target.transport, _service(target.transport, target.host))]
    (records,) = _ask(answers, Question("NAPTR", target.host))
    wanted = [r for r in records if isinstance(r, Naptr) and r.service in _SERVICES and r.replacement]
    wanted.sort(key=lambda naptr: (naptr.order, naptr.preference))
    if wanted:
        return [(_SERVICES[naptr.service], naptr.replacement) for naptr in wanted]
    return [(transport, _service(transport, target.host)) for transport in Transport]


def by_weight(servers: Sequence[Srv], chance: Chance) -> list[Srv]:
    """By priority; within one, each is the next with a likelihood of its weight (RFC 2782)."""
    # Those of no weight stand first, which gives them the small chance that the RFC wants them to have.
    left = sorted(servers, key=lambda srv: (srv.priority, srv.weight > 0))
    order = []
    while left:
        equals = [srv for srv in left if srv.priority == left[0].priority]
        chosen = _drawn(equals, int(chance() * (sum(srv.weight for srv in equals) + 1)))
        left.remove(chosen)
        order.append(chosen)
    return order


def _drawn(servers: list[Srv], number: int) -> Srv:
    """The first at which the running sum of the weights reaches `number`."""
    running = 0
    for srv in servers:
        running += srv.weight
        if running >= number:
            return srv
    return servers[-1]


def _at(host: str, port: int, transport: Transport, answers: Answers) -> list[Candidate]:
    if _is_ipv4(host):
        return [Candidate(host, port, transport)]
    (records,) = _ask(answers, Question("A", host))
    return [Candidate(str(address), port, transport) for address in records]


def _ask(answers: Answers, *questions: Question) -> list[Sequence[Naptr | Srv | str]]:
    """The records of each; raises `_Unasked` with those that have no answer yet."""
    if unasked := [question for question in dict.fromkeys(questions) if question not in answers]:
        raise _Unasked(unasked)
    return [answers[question].records[:MOST] for question in questions]


def _reason(answers: Answers) -> str:
    """The last one told is the nearest to the address: that of the A record, if it came to that."""
    if any(isinstance(record, Srv) and not record.target for a in answers.values() for record in a.records):
        return "not_offered"
    reasons = [answer.reason for answer in answers.values() if answer.reason]
    return reasons[-1] if reasons else "no_address"


def _service(transport: Transport, host: str) -> str:
    return f"_sip._{transport.value.lower()}.{host}"


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
