"""`callflow phone`: call a number with the softphone and watch, listen and press keys."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import termios
import threading
import tty
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from callflow.adapters import ear
from callflow.adapters.softphone import CallOver, CallReport, Fact, Line, NoKeys, Softphone, dialable
from callflow.cli.screen import FILE
from callflow.config_secrets import Secret
from callflow.errors import CallflowError

HANG_UP = "h"
KEYS = "0123456789*#ABCD"
WORDS = {
    "registered": "registered",
    "unregistered": "not registered",
    "ringing": "it rings",
    "answered": "[bold green]answered[/]",
    "failed": "[bold red]refused[/]: {status} {reason}",
    "digit_sent": "pressed [bold]{digit}[/]",
    "keyless": "[red]this call takes no keys[/]",
    "spoken": "said",
    "sound_started": "[cyan]sound[/]",
    "sound_ended": "[dim]silence[/]",
    "bye": "[bold]the other side hung up[/]",
    "hung_up": "[bold]hung up[/]",
}


@dataclass(frozen=True, slots=True)
class Transcript:
    """What happens, for a person or, one JSON object a line, for a program."""

    console: Console
    as_json: bool

    def calling(self, number: str) -> None:
        if not self.as_json:
            masked = "…" + number[-2:]
            self.console.print(f"calling {masked}; type keys to press them, [bold]{HANG_UP}[/] to hang up")

    def tell(self, fact: Fact, *, since: float) -> None:
        if self.as_json:
            self._write({"fact": fact.what, "at": fact.at, **fact.details})
            return
        words = WORDS[fact.what].format(**fact.details)
        self.console.print(f"[dim]{fact.at - since:8.2f}[/]  {words}", highlight=False)

    def fail(self, error: CallflowError) -> None:
        if self.as_json:
            self._write({"error": str(error)})
        else:
            self.console.print(f"[red]{error}[/]", highlight=False)

    def sum_up(self, report: CallReport) -> None:
        if self.as_json:
            self._write({"report": asdict(report)})
            return
        came = report.reception
        self.console.print(
            f"heard {len(report.sounds)} sounds in {came.packets} packets, {came.lost} lost, "
            f"{came.duplicates} twice, {came.reordered} late; jitter up to {came.max_jitter * 1000:.1f} ms"
        )
        if report.recording:
            self.console.print(f"recorded in {report.recording}", highlight=False)

    def _write(self, record: dict[str, object]) -> None:
        click.echo(json.dumps(record, default=str))


def _server(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, int]:
    host, _, port = value.partition(":")
    if not host or not (port or "5060").isdecimal():
        raise click.BadParameter("give HOST or HOST:PORT")
    return host, int(port or "5060")


def _ulaw_file(_context: click.Context, _option: click.Parameter, path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        with wave.open(str(path)) as file:
            if file.getparams()[:3] != (1, 2, ear.RATE):
                raise click.BadParameter("must be 8 kHz, mono, 16 bit")
            return ear.ulaw(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
    except (wave.Error, EOFError) as error:
        raise click.BadParameter("is no WAV file") from error


def _password(_context: click.Context, _option: click.Parameter, path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return Secret(password=None, password_file=path).secret(Path())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("number")
@click.option("--server", default="127.0.0.1:5060", show_default=True, callback=_server, help="HOST[:PORT]")
@click.option("--user", default="caller", show_default=True, help="Register and call as this user.")
@click.option(
    "--password-file", "password", type=FILE, callback=_password, help="Its one line is the password."
)
@click.option(
    "--record", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Keep what is heard."
)
@click.option(
    "--say",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_ulaw_file,
    help="Say this WAV file (8 kHz, mono, 16 bit) when answered.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; times are monotonic seconds.")
def phone(
    number: str,
    server: tuple[str, int],
    user: str,
    password: str,
    record: Path | None,
    say: bytes,
    as_json: bool,
) -> None:
    """Call NUMBER as an outside caller would and show what happens.

    Type keys to press them; h or Ctrl-C hangs up.
    """
    transcript = Transcript(Console(), as_json)
    try:
        line = Line(*server, user, password)
        number = dialable(number)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(asyncio.run(_call(line, number, record, say, transcript)))


async def _call(line: Line, number: str, record: Path | None, say: bytes, transcript: Transcript) -> int:
    """The whole call; the exit status."""
    async with asyncio.TaskGroup() as tasks:
        try:
            async with Softphone.open(line, record=record) as softphone:
                transcript.calling(number)
                tasks.create_task(_show(softphone, transcript), name="phone.show")
                typing = tasks.create_task(_obey_keys(softphone), name="phone.keys")
                try:
                    report = await _talk(softphone, number, say)
                finally:
                    typing.cancel()
        except CallflowError as error:
            transcript.fail(error)
            return 1
    transcript.sum_up(report)
    return 0


async def _talk(softphone: Softphone, number: str, say: bytes) -> CallReport:
    await softphone.call(number)
    if say:
        # Whoever hangs up in the middle of it has heard enough.
        with contextlib.suppress(CallOver):
            await softphone.speak(say)
    return await softphone.report()


async def _show(softphone: Softphone, transcript: Transcript) -> None:
    since = None
    async for fact in softphone.facts:
        since = fact.at if since is None else since
        transcript.tell(fact, since=since)


async def _obey_keys(softphone: Softphone) -> None:
    async for key in _typed():
        if key == HANG_UP:
            await softphone.hang_up()
        elif key in KEYS and softphone.talking:
            with contextlib.suppress(CallOver, NoKeys):
                await softphone.press(key)


async def _typed() -> AsyncIterator[str]:
    """The keys as they are typed, Ctrl-C as `HANG_UP`; never ends by itself."""
    loop = asyncio.get_running_loop()
    keys: asyncio.Queue[str] = asyncio.Queue(maxsize=64)
    loop.add_signal_handler(signal.SIGINT, _offer, keys, HANG_UP)
    # A thread, as a file cannot be polled; it is left behind in its read.
    threading.Thread(target=_read_keys, args=(loop, keys), daemon=True).start()
    try:
        with _single_keys():
            while True:
                yield await keys.get()
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _offer(keys: asyncio.Queue[str], typed: str) -> None:
    with contextlib.suppress(asyncio.QueueFull):
        for key in typed:
            keys.put_nowait(key)


def _read_keys(loop: asyncio.AbstractEventLoop, keys: asyncio.Queue[str]) -> None:
    # Not through sys.stdin, whose lock a thread left behind would hold at exit.
    while typed := os.read(0, 64):
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(_offer, keys, typed.decode(errors="replace"))


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """A terminal gives keys without waiting for Enter."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setcbreak(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
