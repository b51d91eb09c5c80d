"""The SIP of recent calls, kept for who must find out what went wrong: a ladder to read, a pcap to open.

A bounded ring in memory: the oldest call makes room for the newest. What is kept has callers' numbers in
it; it leaves the process only when it is asked for, at the HTTP address that the admin has chosen.
"""

import re
import struct
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from callflow.sip.address import Address

MOST_CALLS: Final = 200
MOST_MESSAGES: Final = 120
"""Of one call: a peer that retransmits for ever must not fill the memory."""
MOST_BYTES: Final = 32 << 20
"""Of all calls together."""
MOST_OF_CALL: Final = 512 << 10
"""Bytes of one call."""
MOST_OF_MESSAGE: Final = 32 << 10
"""Bytes; what is longer is refused anyway, and only its beginning is kept."""
_OVERHEAD: Final = 300
"""Bytes that a message takes beside its text."""
_CALL_ID: Final = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_PCAP_RAW_IP: Final = 101


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram of a call."""

    at: float
    """Seconds since 1970, UTC."""
    incoming: bool
    peer: Address
    data: bytes

    @property
    def title(self) -> str:
        """`INVITE`, `200 OK (INVITE)`."""
        first, _, rest = self.data.partition(b"\r\n")
        line = first.decode("utf-8", "replace")
        if not line.startswith("SIP/2.0 "):
            return line.partition(" ")[0]
        cseq = re.search(rb"^cseq[ \t]*:[ \t]*\d+[ \t]+(\S+)", rest, re.IGNORECASE | re.MULTILINE)
        method = cseq[1].decode("utf-8", "replace") if cseq else "?"
        return f"{line.removeprefix('SIP/2.0 ')} ({method})"


class _Kept:
    """The messages of one call, the latest of them."""

    def __init__(self) -> None:
        self.size = 0
        self.messages: deque[Message] = deque()

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self.size += _size(message)
        while len(self.messages) > MOST_MESSAGES or self.size > MOST_OF_CALL:
            self.size -= _size(self.messages.popleft())


def _size(message: Message) -> int:
    return len(message.data) + _OVERHEAD


class TraceRing:
    """The messages of the latest calls, by their SIP Call-ID."""

    def __init__(self, wall_minus_monotonic: float) -> None:
        """The difference turns our monotonic times into times of day."""
        self._offset = wall_minus_monotonic
        self.size = 0
        """Bytes that are kept, about."""
        self._calls: OrderedDict[str, _Kept] = OrderedDict()
        self._names: dict[str, str] = {}
        self._latest = ""
        """The Call-ID of the message that came last."""

    def saw(self, now: float, incoming: bool, peer: Address, data: bytes) -> None:
        """A datagram came from `peer` or is on its way there."""
        call_id = _call_id(data)
        if incoming:
            self._latest = call_id or ""
        if call_id is None or data[:7] == b"OPTIONS" or data[:8] == b"REGISTER":
            return
        if call_id not in self._calls:
            if not data.startswith(b"INVITE"):
                # What belongs to no call that we saw begin would only push such a call out.
                return
            self._calls[call_id] = _Kept()
        kept = self._calls[call_id]
        self.size -= kept.size
        kept.add(Message(now + self._offset, incoming, peer, data[:MOST_OF_MESSAGE]))
        self.size += kept.size
        self._forget_oldest()

    def name_latest(self, call: str) -> None:
        """Our own name for the call that has just begun, under which it can be asked for too."""
        if self._latest in self._calls:
            self._names[call] = self._latest

    def calls(self) -> list[tuple[str, str, float, int]]:
        """Our name, the SIP Call-ID, when it began and how many messages are kept; the latest first."""
        named = {call_id: call for call, call_id in self._names.items()}
        calls = [(call_id, kept.messages) for call_id, kept in self._calls.items()]
        return [(named.get(c, ""), c, kept[0].at, len(kept)) for c, kept in calls[::-1]]

    def messages(self, call: str) -> list[Message]:
        """Of the call with this name or Call-ID; empty where none is kept."""
        kept = self._calls.get(self._names.get(call, call))
        return [*kept.messages] if kept else []

    def _forget_oldest(self) -> None:
        while len(self._calls) > MOST_CALLS or self.size > MOST_BYTES:
            gone, kept = self._calls.popitem(last=False)
            self.size -= kept.size
            self._names = {call: call_id for call, call_id in self._names.items() if call_id != gone}


def _call_id(data: bytes) -> str | None:
    # As nearly everybody writes it, and we do ourselves: to find that takes no regular expression.
    head = data[:4096].partition(b"\r\n\r\n")[0]
    value = head.partition(b"\r\nCall-ID: ")[2].partition(b"\r\n")[0]
    if not value or b" " in value:
        found = _CALL_ID.search(head)
        value = found[1] if found else b""
    return value.decode("utf-8", "replace") or None


def pcap(messages: Iterable[Message], own: Address) -> bytes:
    """The messages as a capture file that any network analyser opens; `own` is our SIP address."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _PCAP_RAW_IP)]
    for message in messages:
        source, target = (message.peer, own) if message.incoming else (own, message.peer)
        packet = _ipv4(source, target, message.data)
        seconds, fraction = divmod(message.at, 1)
        parts.append(struct.pack("<IIII", int(seconds), int(fraction * 1e6), len(packet), len(packet)))
        parts.append(packet)
    return b"".join(parts)


def _ipv4(source: Address, target: Address, data: bytes) -> bytes:
    data = data[: 65535 - 28]
    udp = struct.pack("!HHHH", source[1], target[1], 8 + len(data), 0) + data
    addresses = bytes(int(part) for host in (source[0], target[0]) for part in host.split("."))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    checksum = _checksum(head + addresses)
    return head[:10] + struct.pack("!H", checksum) + addresses + udp


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
