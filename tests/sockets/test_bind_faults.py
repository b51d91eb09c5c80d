"""What keeps the service from starting: named by its key, in one line."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callflow import config
from callflow.service import running

pytestmark = pytest.mark.sockets

TAKEN = "address already in use; another program has it: stop that one, or choose another port"
FOREIGN = "cannot assign requested address; it is no address of this machine, which `ip address` lists"
FIRST = 41000 + os.getpid() % 500 * 16
"""The first of our ports for audio; test runs at the same time have others."""
USUAL = {
    "sip": "{listen: '127.0.0.1:0'}",
    "http": "{listen: '127.0.0.1:0'}",
    "media": f"{{ports: {FIRST}-{FIRST + 3}, process: inside}}",
}
"""Ports that are free."""


@contextmanager
def taken(kind: socket.SocketKind, port: int = 0) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            other.listen()
        yield other.getsockname()[1]


def refusal(folder: Path, **said: str) -> str:
    path = folder / "callflow.yaml"
    lines = [f"{key}: {value}\n" for key, value in (USUAL | said).items()]
    path.write_text("callflow-config: 1\n" + "".join(lines))

    async def start() -> None:
        async with asyncio.timeout(20), running(config.read(path)):
            pass

    with pytest.raises(OSError, match=r"^(sip|http|media)\.") as caught:
        asyncio.run(start())
    return str(caught.value)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_sip_port(tmp_path: Path, kind: socket.SocketKind) -> None:
    with taken(kind) as port:
        told = refusal(tmp_path, sip=f"{{listen: '127.0.0.1:{port}'}}")
    assert told == f"sip.listen 127.0.0.1:{port}: {TAKEN}"


def test_a_taken_http_port(tmp_path: Path) -> None:
    with taken(socket.SOCK_STREAM) as port:
        told = refusal(tmp_path, http=f"{{listen: '127.0.0.1:{port}'}}")
    assert told == f"http.listen 127.0.0.1:{port}: {TAKEN}"


def test_a_taken_media_port(tmp_path: Path) -> None:
    with taken(socket.SOCK_DGRAM, FIRST + 10):
        told = refusal(tmp_path, media=f"{{ports: {FIRST + 8}-{FIRST + 11}}}")
    assert told == f"media.ports {FIRST + 8}-{FIRST + 10} at 127.0.0.1: {TAKEN}"


def test_addresses_of_other_machines(tmp_path: Path) -> None:
    sip = "{listen: '192.0.2.1:0', allow: [192.0.2.0/24]}"
    media = f"{{host: 127.0.0.1, advertise: 192.0.2.1, ports: {FIRST}-{FIRST + 3}, process: inside}}"
    told = refusal(tmp_path, sip=sip, media=media)
    assert told == f"sip.listen 192.0.2.1:0: {FOREIGN}"
    assert refusal(tmp_path, http="{listen: '192.0.2.1:0'}") == f"http.listen 192.0.2.1:0: {FOREIGN}"


def test_a_control_socket_whose_folder_is_not_there_yet(tmp_path: Path) -> None:
    if Path("/run/callflow").exists():
        pytest.skip("a service has its folder here")
    told = refusal(tmp_path, http="{listen: '127.0.0.1:0', control: /run/callflow/own.sock}")
    assert told == "http.control /run/callflow/own.sock: no such file or directory"


def test_a_journal_that_has_become_another_file_since_it_was_checked(tmp_path: Path) -> None:
    path = tmp_path / "callflow.yaml"
    path.write_text("callflow-config: 1\njournal: j\n")
    setup = config.read(path)
    (tmp_path / "j").write_text("mine\n")

    async def start() -> None:
        async with running(setup):
            pass

    with pytest.raises(OSError, match=f"^journal {tmp_path}/j: .* is there and is no journal"):
        asyncio.run(start())
    assert (tmp_path / "j").read_text() == "mine\n"
