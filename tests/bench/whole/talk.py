"""The phones of a whole measurement: sockets of ours, at which a program in C talks and listens."""

import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from callflow.sip.address import Address

_SOURCE = Path(__file__).with_name("blaster.c")


@dataclass(frozen=True, slots=True)
class Heard:
    """What all of them have sent and heard so far."""

    sent: int
    came: int
    """Packets of other phones."""
    median: int
    """Microseconds from phone to phone."""
    p99: int
    worst: int


class Talk:
    """Phones that are talking."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def heard(self) -> Heard:
        self._in.write("\n")
        return Heard(*map(int, self._out.readline().split()))

    def press(self, leg: int) -> None:
        """The key 1."""
        self._in.write(f"1 {leg}\n")

    def words(self) -> list[tuple[int, float]]:
        """The product's that legs have heard begin since this was asked last: the leg, and when (s)."""
        self._in.write("w\n")
        told = [word.split(":") for word in self._out.readline().split()]
        return [(int(leg), int(at) / 1000) for leg, at in told]


class Phones:
    """`legs` of them, each at a port of its own; callers are even, seats odd."""

    def __init__(self, legs: int, folder: Path) -> None:
        """Raises `OSError`, `subprocess.CalledProcessError`."""
        _allow_descriptors(legs + 200)
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(legs)]
        for one in self._sockets:
            one.bind(("127.0.0.1", 0))
        self.addresses: list[Address] = [one.getsockname() for one in self._sockets]
        self._program = folder / "blaster"
        if not self._program.exists():
            subprocess.run([compiler(), "-O2", "-o", self._program, _SOURCE], check=True)

    @contextmanager
    def talking(self, targets: Sequence[int]) -> Iterator[Talk]:
        """They talk to these ports of loopback, one a phone, while the block runs."""
        numbers = [one.fileno() for one in self._sockets]
        process = subprocess.Popen(
            [self._program, str(len(numbers)), *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=numbers, text=True, bufsize=1,
        )  # fmt: skip
        assert process.stdin is not None
        try:
            process.stdin.write("".join(f"{port}\n" for port in targets))
            yield Talk(process)
        finally:
            process.stdin.close()
            process.wait(10)

    def close(self) -> None:
        for one in self._sockets:
            one.close()


def compiler() -> str:
    """A C compiler. Raises `RuntimeError` where there is none."""
    found = shutil.which("cc")
    if found is None:
        raise RuntimeError("no C compiler here (Debian: gcc)")
    return found


def _allow_descriptors(wanted: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(wanted, 4096), most), most))
