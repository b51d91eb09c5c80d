"""Asks DNS what `sip.locate` must know. What goes wrong is an answer without records, never an exception."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.resolver

from callflow.sip.locate import Answer, Candidate, Located, Naptr, Question, Srv, Target, locate

LEAST_GOOD_FOR: Final = 30.0
"""Seconds; also of what was not found."""
MOST_GOOD_FOR: Final = 3600.0
_TRY: Final = 2.0
"""Seconds that one name server has; all of them together have `_LIFETIME`."""
_LIFETIME: Final = 5.0

SystemLookup = Callable[[str], Awaitable[Sequence[str]]]
"""A name's IPv4 addresses, by /etc/hosts and whatever else the system knows; raises `OSError`."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a target is, and for how many seconds that is known."""

    candidates: tuple[Candidate, ...]
    reason: str
    """Why there are none: `no_such_name`, `no_address`, `no_answer`, `not_offered`, `not_ipv4`."""
    good_for: float


async def system_lookup(name: str) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LIFETIME):
        found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Resolver:
    """The system's name servers, or those given."""

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        port: int = 53,
        lifetime: float = _LIFETIME,
        system: SystemLookup = system_lookup,
    ) -> None:
        """`nameservers` are addresses, all at `port`; one question takes at most `lifetime` seconds."""
        self._dns = _configured() if nameservers is None else dns.asyncresolver.Resolver(configure=False)
        if nameservers is not None:
            self._dns.nameservers = list(nameservers)
            self._dns.port = port
        self._dns.timeout = min(_TRY, lifetime)
        self._dns.lifetime = lifetime
        self._system = system

    async def locate(self, target: Target) -> Found:
        """The addresses to try, in order (RFC 3263)."""
        answers: dict[Question, Answer] = {}
        good_for = MOST_GOOD_FOR
        while not isinstance(step := locate(target, answers, random.random), Located):
            told = await asyncio.gather(*(self._ask(question) for question in step))
            answers |= {question: answer for question, (answer, _) in zip(step, told, strict=True)}
            good_for = min(good_for, *(seconds for _, seconds in told))
        if not step.candidates:
            return Found((), step.reason, LEAST_GOOD_FOR)
        return Found(step.candidates, "", max(good_for, LEAST_GOOD_FOR))

    async def _ask(self, question: Question) -> tuple[Answer, float]:
        """The answer, and for how many seconds it is good.

        That there is no NAPTR, as with most domains, says nothing of how long the rest is good.
        """
        answer, good_for = await self._ask_dns(question)
        if question.kind == "A" and not answer.records:
            return await self._ask_system(question.name, answer), LEAST_GOOD_FOR
        return answer, good_for

    async def _ask_dns(self, question: Question) -> tuple[Answer, float]:
        try:
            found = await self._dns.resolve(question.name, question.kind, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer(reason="no_such_name"), MOST_GOOD_FOR
        except dns.resolver.NoAnswer:
            return Answer(reason="no_address"), MOST_GOOD_FOR
        except (dns.exception.DNSException, OSError):
            # Timeouts, refusals, and servers that send what nobody can read.
            return Answer(reason="no_answer"), LEAST_GOOD_FOR
        records = tuple(_READ[question.kind](record) for record in found)
        return Answer(records), float(found.chaining_result.minimum_ttl)

    async def _ask_system(self, name: str, answer: Answer) -> Answer:
        try:
            return Answer(tuple(await self._system(name)))
        except (OSError, UnicodeError):
            # What DNS said is the better reason; a name that no host can have is a UnicodeError.
            return answer


def _configured() -> dns.asyncresolver.Resolver:
    try:
        return dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        # A system without name servers may still know names.
        return dns.asyncresolver.Resolver(configure=False)


def _naptr(record: Any) -> Naptr:
    # Only "s" leads to SRV, and only an empty regular expression keeps the name as it is (RFC 3263 §4.1).
    usable = record.flags.lower() == b"s" and not record.regexp
    service = record.service.decode("ascii", "replace").upper() if usable else ""
    return Naptr(record.order, record.preference, service, _name(record.replacement))


def _srv(record: Any) -> Srv:
    return Srv(record.priority, record.weight, record.port, _name(record.target))


def _address(record: Any) -> str:
    return str(record.address)


def _name(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).rstrip(".")


_READ: Final[dict[str, Callable[[Any], Naptr | Srv | str]]] = {"NAPTR": _naptr, "SRV": _srv, "A": _address}
