"""`callflow run` as a process of its own: what it costs, what it weighs, how long it takes to be ready."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from callflow.sip.address import Address
from tests.bench import load
from tests.support.phones import free_port

PRODUCT = "callflow, manners enforced"
PASSWORD = "open sesame"
_READY_WITHIN = 120.0
"""Seconds that a start may take."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run."""

    seats: int = 0
    flow: str = "service.yaml"
    calls: int = 600
    """The most that are taken at once."""
    ports: int = 32
    manners: str = "enforce"

    def accounts(self) -> list[str]:
        """The seats' phones, one each."""
        return [f"phone{8001 + number}" for number in range(self.seats)]

    def configuration(self, sip: int, web: int, media: int) -> dict[str, object]:
        """With these ports of loopback. JSON is YAML."""
        at = {str(8001 + number): {"phone": f"phone{8001 + number}"} for number in range(self.seats)}
        seats = {"wrap_up": "1s", "at": at, "queues": {"service": {}}} if self.seats else {}
        return {
            "callflow-config": 1,
            "sip": {
                "listen": f"127.0.0.1:{sip}",
                # All calls come by one host, as from a PBX.
                "allow": ["127.0.0.1/32"],
                "accounts": {account: {"password": PASSWORD} for account in self.accounts()},
            },
            # A peer is measured while the others' phones are silent.
            "media": {"ports": f"{media}-{media + 2 * self.ports - 1}", "timeout": "0s"},
            "http": {"listen": f"127.0.0.1:{web}"},
            "flow": self.flow,
            "limits": {"calls": self.calls},
            "manners": self.manners,
            "drain": "0s",
            **({"seats": seats} if seats else {}),
        }


@dataclass(frozen=True, slots=True)
class Product:
    """One that is ready."""

    process: "subprocess.Popen[bytes]"
    sip: Address
    web: Address
    ready_after: float
    """Seconds from its start until `/readyz` said 200."""

    def cpu(self) -> float:
        """Seconds of all its processes, user and kernel."""
        return sum(cpu_of(pid) for pid in self.processes())

    def memory(self) -> float:
        """MB of all its processes; what several share counts once."""
        return sum(memory_of(pid) for pid in self.processes())

    def processes(self) -> list[int]:
        """Controller, plane and voice detector."""
        return [self.process.pid, *children_of(self.process.pid)]

    def metric(self, name: str) -> float:
        """The sum of a metric's series."""
        text = _get(self.web, "/metrics")
        lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith(name)]
        return sum(float(value) for _, _, value in lines)


@contextmanager
def running(plan: Plan, folder: Path) -> Iterator[Product]:
    """The product by `plan`, its files in `folder`. Raises `RuntimeError` where it does not become ready."""
    sip, web, media = free_port(), free_port(), _free_range(2 * plan.ports)
    configuration = folder / "callflow.yaml"
    configuration.write_text(json.dumps(plan.configuration(sip, web, media)), encoding="utf-8")
    log, begun = (folder / "callflow.log").open("wb"), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "callflow", "run", str(configuration)], stdout=log, stderr=log
    )
    try:
        _until_ready(process, ("127.0.0.1", web), folder)
        yield Product(process, ("127.0.0.1", sip), ("127.0.0.1", web), time.monotonic() - begun)
    finally:
        # A second signal has the last words said at once, a third ends the calls without them.
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def cpu_of(pid: int) -> float:
    """Seconds of one process so far, user and kernel; 0 for one that is no more."""
    try:
        return sum(load.cpu_of(pid))
    except OSError:
        return 0.0


def memory_of(pid: int) -> float:
    """MB of one process (its share of what it has in common with others)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def children_of(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children_of(child)]
    return found


def _until_ready(process: "subprocess.Popen[bytes]", web: Address, folder: Path) -> None:
    until = time.monotonic() + _READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            _get(web, "/readyz")
        except (OSError, http.client.HTTPException):
            # Before it listens, a connection to its port may even meet itself.
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"not ready: {(folder / 'callflow.log').read_text()[-2000:]}")


def _get(web: Address, path: str) -> str:
    with urllib.request.urlopen(f"http://{web[0]}:{web[1]}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def _free_range(ports: int) -> int:
    """The first, an even one, of so many free UDP ports of loopback in a row. Raises `RuntimeError`."""
    for first in range(40_000, 60_000 - ports, ports):
        if all(map(_is_free, range(first, first + ports))):
            return first
    raise RuntimeError(f"there are no {ports} free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
