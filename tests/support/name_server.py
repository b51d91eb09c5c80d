"""A small DNS server on a loopback socket, for a zone that the test writes down."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], tuple[int, list[str]]]
"""(name with its last dot, kind) → TTL in seconds, and the records as in a zone file."""


class NameServer(asyncio.DatagramProtocol):
    """Answers from its zone; what it is `silent` about it never answers."""

    def __init__(self, zone: Zone, silent: frozenset[str]) -> None:
        self.asked: list[str] = []
        self.port = 0
        self._zone = zone
        self._silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # By its base classes the loop's own is none before Python 3.12.
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {name}")
        if name in self._silent:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if (alias := self._zone.get((name, "CNAME"))) is not None:
            response.answer.append(dns.rrset.from_text_list(name, alias[0], "IN", "CNAME", alias[1]))
            name = alias[1][0]
        if (found := self._zone.get((name, kind))) is not None:
            response.answer.append(dns.rrset.from_text_list(name, found[0], "IN", kind, found[1]))
        elif not any(known == name for known, _ in self._zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def name_server(zone: Zone, silent: frozenset[str] = frozenset()) -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone, silent), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
