"""Debian's rtpengine in user space: a relay to hold the plane against, told of calls by the ng protocol."""

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from callflow.sip.address import Address
from callflow.sip.sdp import accept, offered
from tests.bench.whole.product import children_of, cpu_of
from tests.support.phones import free_port

PROGRAM = "rtpengine"
_PORTS = 30_000, 39_999
_WITHIN = 5.0


def is_here() -> bool:
    return shutil.which(PROGRAM) is not None


@dataclass(frozen=True, slots=True)
class RtpEngine:
    """One that knows the calls of its phones."""

    process: "subprocess.Popen[bytes]"
    targets: list[int]
    """The port that each phone's audio goes to."""

    def cpu(self) -> float:
        return sum(map(cpu_of, (self.process.pid, *children_of(self.process.pid))))


@contextmanager
def relaying(phones: Sequence[Address]) -> Iterator[RtpEngine]:
    """A call for each two of `phones`. Raises `OSError`, `RuntimeError`."""
    control = free_port()
    process = subprocess.Popen(
        [
            PROGRAM, "--foreground", "--log-stderr", "--log-level=2", "--table=-1", "--num-threads=2",
            "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{control}",
            f"--port-min={_PORTS[0]}", f"--port-max={_PORTS[1]}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(("127.0.0.1", control))
            asking.settimeout(0.5)
            _until_there(asking)
            pairs = zip(phones[::2], phones[1::2], strict=True)
            targets = [port for number, pair in enumerate(pairs) for port in _call(asking, number, pair)]
        yield RtpEngine(process, targets)
    finally:
        process.terminate()
        process.wait(10)


def _until_there(asking: socket.socket) -> None:
    until = time.monotonic() + _WITHIN
    while time.monotonic() < until:
        try:
            _ask(asking, {"command": "ping"})
        except (OSError, RuntimeError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("rtpengine does not answer")


def _call(asking: socket.socket, number: int, pair: tuple[Address, Address]) -> tuple[int, int]:
    """The ports that the two phones of a call send to."""
    caller, seat = pair
    call = {"call-id": f"bench-{number}", "from-tag": "caller"}
    near = _ask(asking, {"command": "offer", **call, "sdp": offered(caller, number + 1).decode()})
    answer = {"command": "answer", **call, "to-tag": "seat", "sdp": offered(seat, number + 1).decode()}
    far = _ask(asking, answer)
    # What the offer has become is shown to the seat, and the answer to the caller.
    return _port(far), _port(near)


def _port(reply: dict[str, str]) -> int:
    remote = accept(reply["sdp"].encode()).remote
    if remote is None:
        raise RuntimeError("rtpengine names no address")
    return remote[1]


def _ask(asking: socket.socket, question: dict[str, str]) -> dict[str, str]:
    cookie = secrets.token_hex(6).encode()
    asking.send(cookie + b" " + encode(question))
    got, _, reply = asking.recv(65536).partition(b" ")
    told = decode(reply)
    if got != cookie or told.get("result") not in ("ok", "pong"):
        raise RuntimeError(f"rtpengine says {told}")
    return told


def encode(told: dict[str, str]) -> bytes:
    """Bencode of a dictionary of texts."""
    pieces = [piece.encode() for key in sorted(told) for piece in (key, told[key])]
    return b"d" + b"".join(b"%d:%s" % (len(piece), piece) for piece in pieces) + b"e"


def decode(data: bytes) -> dict[str, str]:
    """The texts of a bencoded dictionary; what else is in it is passed over. Raises `RuntimeError`."""
    found, _ = _value(data, 0)
    if not isinstance(found, dict):
        raise RuntimeError("no dictionary")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _value(data: bytes, at: int) -> tuple[object, int]:
    match data[at : at + 1]:
        case b"i":
            end = data.index(b"e", at)
            return int(data[at + 1 : end]), end + 1
        case b"l" | b"d" as kind:
            values, at = list[object](), at + 1
            while data[at : at + 1] != b"e":
                value, at = _value(data, at)
                values.append(value)
            if kind == b"l":
                return values, at + 1
            return dict(zip(values[::2], values[1::2], strict=True)), at + 1
        case _:
            colon = data.index(b":", at)
            end = colon + 1 + int(data[at:colon])
            return data[colon + 1 : end].decode("utf-8", "replace"), end
