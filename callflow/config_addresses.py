"""Addresses and host names as a configuration has them: ours, those of peers, and whom we let in."""

import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Final

import pydantic

from callflow.sip.address import Address
from callflow.sip.locate import Target
from callflow.suggestions import shown

_NOBODYS: Final = tuple(IPv4Network(each) for each in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"))
"""Addresses that no host has: of no network, of groups, of no use yet, and that of all."""
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_LONGEST_NAME: Final = 253
_PORT: Final = re.compile(r"[0-9]{1,5}")


def is_nobodys(network: IPv4Network) -> bool:
    """Whether no host can have an address in it."""
    return any(network.subnet_of(each) for each in _NOBODYS)


def lets_in_this_machine(network: IPv4Network) -> bool:
    return network.overlaps(_LOOPBACK)


def lets_in_others(network: IPv4Network) -> bool:
    return not network.subnet_of(_LOOPBACK) and not is_nobodys(network)


def address_of(host: str) -> IPv4Address | None:
    """The address that a peer is named by; None where it is named by a name."""
    try:
        return IPv4Address(host)
    except ValueError:
        return None


def _host(text: object) -> str:
    try:
        return str(IPv4Address(str(text)))
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IPv4 address, as 192.0.2.10") from None


def _own_host(text: object) -> str:
    host = _host(text)
    if host != "0.0.0.0" and is_nobodys(IPv4Network(host)):
        raise ValueError(f"{shown(text)} is no machine's own address, as 192.0.2.10")
    return host


def _reached_at(text: object) -> str:
    host = _host(text)
    if is_nobodys(IPv4Network(host)):
        raise ValueError(
            f"nothing can be sent to {shown(text)}; write the address that peers reach us at, as 192.0.2.10"
        )
    return host


def _address(text: object) -> Address:
    host, colon, port = str(text).rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError(f"{shown(text)} is not HOST:PORT, as 127.0.0.1:5060")
    return _own_host(host), int(port)


def _network(text: object) -> str:
    try:
        return str(IPv4Network(str(text)))
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IPv4 network, as 10.0.0.0/8") from None


def _is_host_name(text: str) -> bool:
    """Whether it is a name that DNS may know, or the address of a machine."""
    *labels, last = text.split(".")
    if last.isdecimal():
        # No domain has a name of digits alone (RFC 3696 §2): this is meant for an address.
        address = address_of(text)
        return address is not None and not is_nobodys(IPv4Network(address))
    return len(text) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in (*labels, last))


def _peer(text: object) -> Target:
    """A host, with a port where that is said."""
    host, colon, port = (text if isinstance(text, str) else "").partition(":")
    host = host.lower().removesuffix(".")
    if not _is_host_name(host) or (colon and not (_PORT.fullmatch(port) and 1 <= int(port) <= 65535)):
        raise ValueError(f"{shown(text)} is not HOST or HOST:PORT, as sip.example.net or 192.0.2.1:5060")
    return Target(host, int(port) if port else None)


def _domain(text: object) -> object:
    if text != "":
        try:
            _peer(text)
        except ValueError:
            raise ValueError(f"{shown(text)} is not a host name, as example.net") from None
    return text


HostPort = Annotated[Address, pydantic.BeforeValidator(_address)]
Host = Annotated[str, pydantic.BeforeValidator(_own_host)]
"""Where we listen: an address of this machine, or 0.0.0.0 for all of them."""
ReachedAt = Annotated[str, pydantic.BeforeValidator(_reached_at)]
"""What peers are told to send to."""
Network = Annotated[str, pydantic.BeforeValidator(_network)]
Peer = Annotated[Target, pydantic.BeforeValidator(_peer)]
Domain = Annotated[str, pydantic.BeforeValidator(_domain)]
