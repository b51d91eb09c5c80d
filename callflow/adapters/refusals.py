"""Counts each refusal that a person should know about, and logs it with the reason and what would help.

The log has at most one line a second of each kind and source (`log_repeats`), one a minute of a source that
`sip.allow` does not name, and the number of those passed over. Which sources are remembered is bounded.
"""

import asyncio
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from callflow.adapters.refusal_help import HELP
from callflow.sip.happenings import Refused

_PAGES: Final = {
    400: "page_malformed", 403: "page_forbidden", 404: "page_missing", 405: "page_method", 429: "page_login",
}  # fmt: skip
_CONNECTIONS: Final = {
    "refused": "not_allowed", "too_many": "connections", "too_many_of_source": "connections_of_source",
    "descriptors": "descriptors",
}  # fmt: skip
EVERY: Final = 60.0
"""Seconds between two lines of one source that is not allowed."""
MOST_SOURCES: Final = 200
"""Sources told apart in one such minute; all further ones are logged together as `others`."""
_OTHERS: Final = "others"


class Refusals:
    """The counter and the log lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counter = Counter(
            "callflow_refusals_total", "What was refused and somebody should know of.", ["kind"],
            registry=registry,
        )  # fmt: skip
        # A rate over a series that was not there before its first event misses that event.
        self._series = {kind: self._counter.labels(kind) for kind in HELP}
        self._strangers: dict[str, int] = {}
        """Packets of each source that is not allowed since its last line."""
        self._log = structlog.get_logger("callflow")

    def request(self, refused: Refused) -> None:
        """A SIP request has been refused."""
        self._tell(
            refused.refusal,
            refused.source,
            f"{refused.status} {refused.reason}",
            method=refused.method,
            **({"came": refused.came} if refused.came else {}),
        )

    def connection(self, host: str, why: str) -> None:
        """A TCP connection from there has been refused; `why` as in `callflow.net.tcp_connection`."""
        if why == "refused":
            self.stranger(host)
        elif why in _CONNECTIONS:
            self._tell(_CONNECTIONS[why], host, why)

    def page(self, source: str, status: int, reason: str) -> None:
        """An HTTP request has been refused. 401 (not logged in) and 409 (not possible now) are not logged."""
        if kind := _PAGES.get(status):
            self._tell(kind, source, f"{status} {reason}")

    def stranger(self, host: str) -> None:
        """A packet or connection has come from a source that is not allowed. Cheap, as floods come here."""
        self._series["not_allowed"].inc()
        known = host if host in self._strangers or len(self._strangers) < MOST_SOURCES else _OTHERS
        if known in self._strangers:
            self._strangers[known] += 1
            return
        if not self._strangers:
            asyncio.get_running_loop().call_later(EVERY, self._tell_strangers)
        self._strangers[known] = 0
        self._tell_stranger(known, 1)

    def _tell_strangers(self) -> None:
        """A minute is over: log the sources that went on sending, and forget the others."""
        going_on = {host: count for host, count in self._strangers.items() if count}
        for host, count in going_on.items():
            self._tell_stranger(host, count)
        self._strangers = dict.fromkeys(going_on, 0)
        if going_on:
            asyncio.get_running_loop().call_later(EVERY, self._tell_strangers)

    def _tell_stranger(self, host: str, packets: int) -> None:
        reason = "sip.allow does not name the source"
        self._log.warning(
            "refused",
            kind="not_allowed",
            source=host,
            reason=reason,
            help=HELP["not_allowed"],
            packets=packets,
        )

    def _tell(self, kind: str, source: str, reason: str, **details: str) -> None:
        self._series[kind].inc()
        self._log.warning("refused", kind=kind, source=source, reason=reason, help=HELP[kind], **details)
