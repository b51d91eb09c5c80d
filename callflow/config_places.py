"""Ports and addresses of a configuration that cannot all be had, and queues that nobody serves."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from callflow.config_addresses import address_of, is_nobodys, lets_in_others, lets_in_this_machine
from callflow.config_seats import SeatsConfig
from callflow.config_sip import SipConfig
from callflow.document import Document
from callflow.errors import Fault
from callflow.sip.address import Address

_ANY = "0.0.0.0"


class Media(Protocol):
    """The part of a configuration that is about audio."""

    @property
    def host(self) -> str | None: ...
    @property
    def advertise(self) -> str | None: ...
    @property
    def ports(self) -> tuple[int, ...]: ...


def port_faults(media: Media, sip: SipConfig, http: Address, source: Document) -> Iterator[Fault]:
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
    """A fault where nobody who is let in can reach where SIP listens."""
    if sip.trunks and not sip.accounts:
        # Trunks are let in wherever they are.
        return
    if told := _shut_out(sip):
        place = ("sip", "allow") if ("sip", "allow") in source.values else ("sip", "listen")
        yield source.fault(place, told)


def _shut_out(sip: SipConfig) -> str:
    """Why nobody can come; empty where somebody can."""
    listen, allow = IPv4Address(sip.listen[0]), [IPv4Network(each) for each in sip.allow]
    who = "no phone could register" if sip.trunks else "nobody could reach it"
    let_in = lets_in_this_machine if listen.is_loopback else lets_in_others
    if any(let_in(each) for each in allow):
        return ""
    if all(is_nobodys(each) for each in allow):
        right = "127.0.0.0/8" if listen.is_loopback else "192.0.2.0/24"
        return f"nobody is let in: {who}; name who may come, as allow: [{right}]"
    if listen.is_loopback:
        return (
            f"SIP listens at {listen}, where only this machine can come, and it is not let in: {who}; "
            "add 127.0.0.0/8, or let SIP listen at an address of your network"
        )
    right = "phones, as allow: [192.0.2.0/24]" if sip.trunks else "PBX, as allow: [192.0.2.1/32]"
    return f"only this machine is let in, and SIP listens at {listen}: {who}; name your {right}"


def advertise_faults(media: Media, sip: SipConfig, source: Document) -> Iterator[Fault]:
    """A fault where peers on other machines are told to send to their own."""
    if IPv4Address(sip.listen[0]).is_loopback or not _others_come(sip):
        return
    for place, host in (
        (("sip", "advertise"), sip.advertise),
        (("media", "advertise"), media.advertise),
        (("media", "host"), None if media.advertise else media.host),
    ):
        if host and IPv4Address(host).is_loopback:
            told = (
                f"other machines would be told to send to {host}, which is each of them itself; "
                "write the address that they reach this machine at, as 192.0.2.10"
            )
            yield source.fault(place, told)


def _others_come(sip: SipConfig) -> bool:
    """Whether somebody may come from another machine, as far as that can be known."""
    if any(lets_in_others(IPv4Network(each)) for each in sip.allow):
        return True
    at = (address_of(trunk.at.host) for trunk in sip.trunks.values())
    return any(address is not None and not address.is_loopback for address in at)


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
