"""Who is logged in at a seat's page, until it logs out or is idle for too long."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST: Final = 2_000
"""Sessions; the one that was idle longest makes room."""
IDLE: Final = 3600.0
"""Seconds without any sign that somebody is there."""


@dataclass(slots=True)
class _Session:
    seat: str
    used_at: float
    source: str
    """The IP address that it was opened from."""


class SeatSessions:
    """The sessions of all pages, by the secret that each has."""

    def __init__(self, idle: float = IDLE, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle = idle
        self._clock = clock
        self._sessions: dict[str, _Session] = {}

    def open(self, seat: str, source: str = "") -> str:
        """A new session, asked for from `source`; its secret."""
        self._forget_idle()
        if len(self._sessions) >= MOST:
            del self._sessions[min(self._sessions, key=lambda token: self._sessions[token].used_at)]
        token = secrets.token_urlsafe(24)
        self._sessions[token] = _Session(seat, self._clock(), source)
        return token

    def seat(self, token: str) -> str | None:
        """Whose it is; None where it has ended. That somebody looks is no sign that somebody is there."""
        session = self._sessions.get(token)
        if session is not None and self._clock() - session.used_at >= self._idle:
            del self._sessions[token]
            return None
        return session.seat if session else None

    def used(self, token: str) -> None:
        """Somebody is there."""
        if self.seat(token) is not None:
            self._sessions[token].used_at = self._clock()

    def has(self, seat: str, source: str) -> bool:
        """Whether a session of that seat is open which was opened from there."""
        self._forget_idle()
        return any(each.seat == seat and each.source == source for each in self._sessions.values())

    def close(self, token: str) -> None:
        self._sessions.pop(token, None)

    def _forget_idle(self) -> None:
        for token in list(self._sessions):
            self.seat(token)
