"""`callflow seat`: what a seat does beside calls, asked of a running controller as the seat's page asks."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any, Final

import click

from callflow.adapters.plain_text import plain
from callflow.cli.screen import ERR, OUT, write_json

_TIMEOUT: Final = 5.0
"""Seconds."""
_TELLS: Final = (400, 401, 403, 409, 429)
"""The statuses whose answer says why."""
_ASKED: Final = ("login", "logout", "away", "ready", "show")


class Refused(Exception):
    """The controller does not do it, or cannot be reached."""


class Desk:
    """One seat at one controller."""

    def __init__(self, at: str, seat: str, password: str) -> None:
        self._at = at.rstrip("/")
        # The password is for the controller, and for no proxy that the environment names.
        direct, cookies = urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        self._browser = urllib.request.build_opener(direct, cookies)
        self._who = {"seat": seat, "password": password}

    def log_in(self, phone: str = "") -> dict[str, Any]:
        """Open the seat's page, and sit at `phone` where that is said. Raises `Refused`."""
        view: dict[str, Any] = json.loads(self._post("/seat/login", **self._who, phone=phone))
        return view

    def asks(self, act: str, **form: str) -> None:
        """Raises `Refused`."""
        self._post("/seat/do", act=act, **form)

    def look(self) -> dict[str, Any]:
        """What the seat's page shows. Raises `Refused`."""
        view: dict[str, Any] = json.loads(self._ask(f"{self._at}/seat/me"))
        return view

    def get(self, path: str) -> bytes:
        """A page that the seat may see. Raises `Refused`."""
        return self._ask(f"{self._at}{path}")

    def leave(self) -> None:
        """Log out of the page; the seat sits where it sits. Raises `Refused`."""
        self._post("/seat/logout")

    def _post(self, path: str, **form: str) -> bytes:
        return self._ask(f"{self._at}{path}", urllib.parse.urlencode(form).encode())

    def _ask(self, url: str, form: bytes | None = None) -> bytes:
        try:
            with self._browser.open(url, form, timeout=_TIMEOUT) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(_told(error)) from None
        except OSError as error:
            raise Refused(f"{url}: {error}") from None


@click.command()
@click.argument("number")
@click.argument("what", type=click.Choice(_ASKED))
@click.option("--phone", default="", help="Where to log in; the seat's own phone where it is not said.")
@click.option("--reason", default="", help="Why it is away.")
@click.option(
    "--at", default="http://127.0.0.1:9464", show_default=True, help="Where the controller's HTTP is."
)
@click.option(
    "--password-env",
    default="CALLFLOW_SEAT_PASSWORD",
    show_default=True,
    help="The environment variable that has the password of the seat's page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what its page shows as JSON.")
def seat(number: str, what: str, phone: str, reason: str, at: str, password_env: str, as_json: bool) -> None:
    """Log seat NUMBER in or out, say that it is away or ready, or show it.

    Exit status 1 where the controller refuses, as while the seat talks.
    """
    if (phone and what != "login") or (reason and what != "away"):
        raise click.UsageError("--phone goes with login, --reason with away")
    if password_env not in os.environ:
        raise click.UsageError(f"the environment has no {password_env}, which shall have the password")
    desk = Desk(at, number, os.environ[password_env])
    try:
        desk.log_in(phone)
        if what != "show" and not phone:
            desk.asks(what, reason=reason)
        view = desk.look()
        desk.leave()
    except Refused as refused:
        ERR.print(f"callflow: {plain(str(refused))}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    if as_json:
        write_json(view)
    else:
        OUT.print(plain(_line(view)), markup=False, soft_wrap=True)


def _line(view: dict[str, Any]) -> str:
    reason = f" ({view['reason']})" if view["reason"] else ""
    where = f" at {view['phone']}" if view["phone"] else ""
    return f"seat {view['seat']}{where}: {view['state']}{reason} for {view['for_seconds']:.0f} s"


def _told(error: urllib.error.HTTPError) -> str:
    told = error.read().decode("utf-8", "replace").strip()
    if error.code == 404:
        return "it keeps no such thing"
    return told if error.code in _TELLS and told else f"HTTP {error.code}"
