"""Where packets come from and go to."""

import ipaddress
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

Address = tuple[str, int]
"""IPv4 address in dotted form, and port."""


class Transport(Enum):
    """What carries a message; the value stands in Via."""

    UDP = "UDP"
    TCP = "TCP"

    @property
    def reliable(self) -> bool:
        """Whether what is sent arrives or the sender is told: nothing need be said twice (RFC 3261 §17)."""
        return self is Transport.TCP


class Hop(NamedTuple):
    """Where a message goes next, and by what."""

    address: Address
    transport: Transport = Transport.UDP


@lru_cache(maxsize=4096)
def is_sendable(host: str, port: int) -> bool:
    """Whether a socket would take it: one impossible port must never cost us the socket."""
    if not 1 <= port <= 65535:
        return False
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast or host == "255.255.255.255")


class AllowList:
    """The networks whose packets are read at all."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises `ValueError` for what is no IPv4 network, such as `10.0.0.0/8`."""
        self._networks = [ipaddress.IPv4Network(network) for network in networks]
        self._admitted: dict[str, frozenset[str]] = {}
        self._known: dict[str, bool] = {}

    def admit(self, who: str, hosts: Iterable[str]) -> None:
        """Let `who` in at these addresses, and no longer at those named before."""
        self._admitted[who] = frozenset(hosts)
        self._known.clear()

    def __contains__(self, host: str) -> bool:
        known = self._known.get(host)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[host] = self._is_allowed(host)
        return known

    def _is_allowed(self, host: str) -> bool:
        address = ipaddress.IPv4Address(host)
        by_name = any(host in hosts for hosts in self._admitted.values())
        return by_name or any(address in network for network in self._networks)
