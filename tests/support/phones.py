"""Foreign phones from Debian, driven by their consoles: baresip and linphonec."""

import asyncio
import contextlib
import os
import socket
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Address = tuple[str, int]


def free_port() -> int:
    """A port that nobody has just now, neither by UDP nor by TCP. Raises `OSError`."""
    for _ in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port = int(udp.getsockname()[1])
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free by UDP and TCP alike")


class Phone(Protocol):
    """What the tests ask of a phone."""

    async def call(self, number: str) -> None: ...
    async def press(self, key: str) -> None: ...
    async def hang_up(self) -> None: ...
    def heard(self) -> Path:
        """The recording of what was heard, once the phone has ended."""


@dataclass(frozen=True, slots=True)
class _Console:
    process: asyncio.subprocess.Process

    async def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def _console(folder: Path, command: list[str], farewell: str) -> AsyncIterator[_Console]:
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "console.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, cwd=folder, env=environment
        )
    console = _Console(process)
    try:
        yield console
        await console.type(farewell)
        async with asyncio.timeout(8):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True)
class Baresip:
    console: _Console
    folder: Path
    server: Address

    async def call(self, number: str) -> None:
        await self.console.type(f"/dial sip:{number}@{self.server[0]}:{self.server[1]}\n")

    async def press(self, key: str) -> None:
        await self.console.type(key)

    async def hang_up(self) -> None:
        await self.console.type("/hangup\n")

    def heard(self) -> Path:
        (recording,) = self.folder.glob("dump-*-dec.wav")
        return recording


@asynccontextmanager
async def baresip(
    folder: Path, server: Address, user: str, password: str, *, answers: bool = False
) -> AsyncIterator[Baresip]:
    """baresip, registered at `server`, silent, recording what it hears; it may answer calls at once."""
    modules = ["stdio", "g711", "aufile", "sndfile"]
    config = [
        "module_path /usr/lib/baresip/modules",
        "sip_listen 127.0.0.1:0",
        "net_interface 127.0.0.1",
        f"audio_source aufile,{folder}/silence.wav",
        f"snd_path {folder}",
        *(f"module {name}.so" for name in modules),
        "module_tmp account.so",
        "module_app menu.so",
    ]
    (folder / "config").write_text("\n".join(config) + "\n")
    account = f"<sip:{user}@{server[0]}:{server[1]};transport=udp>;auth_pass={password};regint=60"
    mode = "auto" if answers else "manual"
    (folder / "accounts").write_text(f"{account};audio_codecs=pcma,pcmu;answermode={mode}\n")
    with wave.open(str(folder / "silence.wav"), "wb") as silence:
        silence.setparams((1, 2, 8000, 0, "NONE", ""))
        silence.writeframes(bytes(2 * 8000 * 60))
    command = ["baresip", "-4", "-f", str(folder), "-n", "127.0.0.1", "-s"]
    async with _console(folder, command, "/quit\n") as console:
        await until_logged(folder, "200 OK")
        yield Baresip(console, folder, server)


@dataclass(frozen=True, slots=True)
class Linphone:
    console: _Console
    folder: Path
    server: Address

    async def call(self, number: str) -> None:
        await self.console.type(f"call sip:{number}@{self.server[0]}:{self.server[1]}\n")

    async def press(self, key: str) -> None:
        await self.console.type(f"{key}\n")

    async def answer(self) -> None:
        await self.console.type("answer\n")

    async def hold(self) -> None:
        """By re-INVITE, as its key does."""
        await self.console.type("pause\n")

    async def resume(self) -> None:
        await self.console.type("resume\n")

    async def hang_up(self) -> None:
        await self.console.type("terminate\n")

    def heard(self) -> Path:
        return self.folder / "heard.wav"


@asynccontextmanager
async def linphone(
    folder: Path, server: Address, user: str, password: str, is_registered: Callable[[], bool]
) -> AsyncIterator[Linphone]:
    """linphonec, calling as `user`, with files for a sound card; `is_registered` asks the registrar."""
    (folder / ".local" / "share" / "linphone").mkdir(parents=True)
    ports = f"sip_port={free_port()}\nsip_tcp_port=0\nsip_tls_port=0"
    (folder / "rc").write_text(f"[sip]\n{ports}\nbind_address=127.0.0.1\nuse_ipv6=0\n")
    command = ["linphonec", "-c", str(folder / "rc"), "-d", "0"]
    where = f"{server[0]}:{server[1]}"
    async with _console(folder, command, "quit\n") as console:
        await until_logged(folder, "linphonec>")
        await console.type(f"soundcard use files\nrecord {folder}/heard.wav\n")
        await console.type(f"register sip:{user}@{where} sip:{where} {password}\n")
        # It does not print that it is registered, and begins its recording anew if that comes in a call: on
        # busy cores two seconds were not always enough, and a call's first words were missing.
        await until(is_registered, "linphonec never registered")
        await asyncio.sleep(0.5)
        yield Linphone(console, folder, server)


async def until(done: Callable[[], bool], why: str) -> None:
    """Raises `TimeoutError` where it does not become true within 15 s."""
    for _ in range(150):
        if done():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(why)


async def until_logged(folder: Path, words: str) -> None:
    """Until the phone's console has printed `words`. Raises `TimeoutError`."""
    # The console tells by printing only.
    log = folder / "console.log"
    await until(lambda: words in log.read_text(errors="replace"), f"{words!r} was never printed")
