"""`callflow trace`: the SIP of a recent call, as a ladder or as a capture file."""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from callflow.adapters.plain_text import plain
from callflow.adapters.trace import Message, pcap
from callflow.cli.screen import ERR, OUT, write_json


@click.command()
@click.argument("call", required=False)
@click.option(
    "--server", default="http://127.0.0.1:9464", show_default=True, help="Where callflow's HTTP is."
)
@click.option("--pcap", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write a capture file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def trace(call: str | None, server: str, file: Path | None, as_json: bool) -> None:
    """Show the SIP of CALL, by callflow's name for it or its Call-ID; without CALL, list what is kept."""
    path = "/trace" if call is None else f"/trace/{urllib.parse.quote(call, safe='')}"
    answer = _ask(server.rstrip("/") + path)
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
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        problem = "no such call is kept" if error.code == 404 else f"HTTP {error.code}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        problem = f"{url}: {error}"
    ERR.print(f"callflow: {plain(problem)}", style="red", markup=False, soft_wrap=True)
    sys.exit(1)


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
