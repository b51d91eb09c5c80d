"""`callflow trace`: the SIP of a recent call, as a ladder or as a capture file."""

import base64
import http.client
import ipaddress
import json
import os
import socket
import sys
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.markup import escape
from rich.table import Table

from callflow.adapters import control
from callflow.adapters.plain_text import plain
from callflow.adapters.trace import Message, pcap
from callflow.cli.screen import ERR, OUT, write_json
from callflow.cli.seat import Desk, Refused

_TIMEOUT: Final = 5.0
"""Seconds."""
_USUAL_PORT: Final = 9464


@click.command()
@click.argument("call", required=False)
@click.option(
    "--server", default="http://127.0.0.1:9464", show_default=True, help="Where callflow's HTTP is."
)
@click.option(
    "--control",
    "path",
    type=click.Path(path_type=Path),
    help="Its control socket (http.control), where that is not the usual one of a server on this machine.",
)
@click.option("--seat", help="A supervisor's number, to log in at the server instead.")
@click.option(
    "--password-env",
    default="CALLFLOW_SEAT_PASSWORD",
    show_default=True,
    help="The environment variable that has the supervisor's password.",
)
@click.option("--pcap", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write a capture file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def trace(
    call: str | None,
    server: str,
    path: Path | None,
    seat: str | None,
    password_env: str,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show the SIP of CALL, by callflow's name for it or its Call-ID; without CALL, list what is kept.

    On the machine that callflow runs on, its user and root need no password.
    """
    wanted = "/trace" if call is None else f"/trace/{urllib.parse.quote(call, safe='')}"
    try:
        if seat is not None:
            answer = _by_http(server, seat, password_env, wanted)
        elif path is not None:
            answer = _by_socket(path, wanted)
        else:
            answer = _ask(server.rstrip("/") + wanted)
    except (Refused, ValueError) as refused:
        ERR.print(f"callflow: {plain(str(refused))}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    if call is None:
        _list(answer["calls"], as_json=as_json)
        return
    messages = [_message(each) for each in answer["messages"]]
    own = (str(answer["own"][0]), int(answer["own"][1]))
    if file is not None:
        file.write_bytes(pcap(messages, own))
        OUT.print(f"{len(messages)} messages written to {file}", markup=False)
    elif as_json:
        for each in answer["messages"]:
            write_json(each)
    else:
        _ladder(messages)


def _ask(url: str) -> Any:
    """A page of a controller on this machine, by its usual control socket. Raises `Refused`."""
    parts = urllib.parse.urlsplit(url)
    found = control.find(parts.port or _USUAL_PORT) if _is_here(parts.hostname or "") else None
    if found is None:
        raise Refused(
            f"there is no control socket of {parts.netloc}: run this on its machine as its user or root, "
            "name the socket by --control, or log in with --seat"
        )
    return _by_socket(found, parts.path)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _by_http(server: str, seat: str, password_env: str, wanted: str) -> Any:
    """Raises `Refused`."""
    if password_env not in os.environ:
        raise click.UsageError(f"the environment has no {password_env}, which shall have the password")
    desk = Desk(server, seat, os.environ[password_env])
    desk.log_in()
    answer = json.loads(desk.get(wanted))
    desk.leave()
    return answer


def _by_socket(path: Path, wanted: str) -> Any:
    """Raises `Refused`."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", wanted)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{path}: {error}") from None
    finally:
        connection.close()
    if answer.status == 404:
        raise Refused("no such call is kept")
    if answer.status != 200:
        raise Refused(f"HTTP {answer.status}")
    return json.loads(body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(str(self._path))


def _message(given: dict[str, Any]) -> Message:
    peer = (str(given["peer"][0]), int(given["peer"][1]))
    return Message(float(given["at"]), bool(given["incoming"]), peer, base64.b64decode(given["data"]))


def _list(calls: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for each in calls:
            write_json(each)
        return
    table = Table("call", "Call-ID", "began", "messages")
    for each in calls:
        began = datetime.fromtimestamp(each["began"], UTC).strftime("%H:%M:%S.%f")[:-3]
        table.add_row(
            *(escape(plain(each[name])) for name in ("call", "call_id")), began, str(each["messages"])
        )
    OUT.print(table)


def _ladder(messages: list[Message]) -> None:
    """Our line on the left, the peer's on the right; an arrow for each message."""
    for message in messages:
        since = message.at - messages[0].at
        title = plain(message.title[:40])[:40]
        arrow = (
            f"<{'-' * (44 - len(title))} {title}"
            if message.incoming
            else f"{title} {'-' * (44 - len(title))}>"
        )
        peer = f"{message.peer[0]}:{message.peer[1]}"
        OUT.print(f"{since:9.3f}  | {arrow} |  {peer}", markup=False, soft_wrap=True)
