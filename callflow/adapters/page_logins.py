"""Checks the passwords of seats' pages, and limits how often they may be tried."""

import hmac
import math
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from callflow.sip.guesses import Guesses


class WrongPassword(web.HTTPForbidden):
    """Logged as `auth.failed`, and not as a refusal again."""


class PageLogins:
    """The passwords of the pages, by the seats' numbers."""

    def __init__(
        self,
        passwords: Mapping[str, str],
        guesses: Guesses | None = None,
        on_wrong: Callable[[str, str], object] = lambda seat, source: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`guesses` may be those of SIP, so that a source is slowed in both; the clock is the same then.

        `on_wrong` is told of each wrong password: of which seat, and from which IP address.
        """
        self._passwords = passwords
        self._guesses = guesses or Guesses()
        self._on_wrong = on_wrong
        self._clock = clock

    def check(self, seat: str, password: str, source: str, *, is_at_home: bool) -> None:
        """Raises `HTTPForbidden` for a wrong password, `HTTPTooManyRequests` after too many.

        `is_at_home`: the seat's page is open at `source` already. The right password is accepted there:
        guesses of strangers must not lock a seat out.
        """
        known, now = self._passwords.get(seat), self._clock()
        # A SIP account has no blank in its name, so the two never share an entry.
        account = f"seat {seat}" if known is not None else ""
        is_right = hmac.compare_digest((known or "").encode(), password.encode()) and known is not None
        if not is_right:
            self._on_wrong(seat, source)
        wait = self._guesses.wait(account, source, now)
        if wait and not (is_right and is_at_home):
            again = str(max(1, math.ceil(wait)))
            raise web.HTTPTooManyRequests(
                text=f"too many wrong passwords; try again in {again} s", headers={"Retry-After": again}
            )
        if not is_right:
            self._guesses.failed(account, source, now)
            raise WrongPassword(text="no such seat, or a wrong password; a phone's password opens no page")
        self._guesses.succeeded(account, source)
