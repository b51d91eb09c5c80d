"""Ports and addresses of a configuration that cannot all be had, and queues that nobody serves."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from callflow.config_seats import SeatsConfig
from callflow.config_sip import SipConfig
from callflow.document import Document
from callflow.errors import Fault
from callflow.sip.address import Address

_ANY = "0.0.0.0"


class Ports(Protocol):
    """The part of a configuration that is about audio."""

    @property
    def host(self) -> str | None: ...
    @property
    def ports(self) -> tuple[int, ...]: ...


def port_faults(media: Ports, sip: SipConfig, http: Address, source: Document) -> Iterator[Fault]:
    """A fault for each port that is wanted twice."""
    # The odd port beside each is RTCP's.
    taken = {port + odd for port in media.ports for odd in (0, 1)}
    host = media.host or sip.listen[0]
    for what, listen, place in (
        ("SIP listens", sip.listen, ("sip", "listen")),
        ("the web side listens", http, ("http", "listen")),
    ):
        if listen[1] in taken and _meet(host, listen[0]):
            told = f"{listen[1]} is among the audio's ports, and {what} there; give it a port outside of them"
            at = ("media", "ports") if ("media", "ports") in source.values else place
            yield source.fault(at, told)
    if sip.tcp and http[1] and sip.listen[1] == http[1] and _meet(sip.listen[0], http[0]):
        yield source.fault(
            ("http", "listen"), f"SIP listens at {http[1]} by TCP already; choose another port"
        )


def _meet(one: str, other: str) -> bool:
    return one == other or _ANY in (one, other)


def reach_faults(sip: SipConfig, source: Document) -> Iterator[Fault]:
    """A fault where SIP listens for others and lets in nobody but this machine."""
    listen = IPv4Address(sip.listen[0])
    if listen.is_loopback or sip.trunks:
        # Trunks are let in wherever they are.
        return
    if all(IPv4Network(each).is_loopback for each in sip.allow):
        told = (
            f"only this machine is let in, and SIP listens at {listen}: nobody could reach it; "
            "name your PBX, as allow: [192.0.2.1/32]"
        )
        place = ("sip", "allow") if ("sip", "allow") in source.values else ("sip", "listen")
        yield source.fault(place, told)


def queue_faults(seats: SeatsConfig, source: Document) -> Iterator[Fault]:
    """A fault for each queue that no seat has all the skills for."""
    skills = {seat.plan(number).skills for number, seat in seats.at.items()}
    for name, queue in seats.queues.items():
        wanted = frozenset(queue.skills)
        if any(wanted <= each for each in skills):
            continue
        if not skills:
            told = f"no seat can serve the queue {name!r}: there is none under seats.at"
        else:
            named = ", ".join(sorted(wanted))
            told = f"no seat can serve the queue {name!r}: none under seats.at has {named} among its skills"
        yield source.fault(("seats", "queues", name, "skills"), told)
