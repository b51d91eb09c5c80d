"""Counts wrong passwords, by SIP and at the pages, and logs them in the form that `deploy/fail2ban` matches.

JSON     {"source": "192.0.2.1", "kind": "sip", "account": "seat1", "event": "auth.failed", …}
console  <time> [warning  ] auth.failed account=seat1 kind=sip source=192.0.2.1

`source` is the IP address that received our challenge, or that sent the page's form. `repeated` is the number
of lines of that kind and source that were left out before this one.
"""

import re
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter

_STRANGE: Final = re.compile(r"[^A-Za-z0-9_.@+-]")
_LONGEST: Final = 40

Kind = Literal["sip", "web"]


class WrongPasswords:
    """The counter and the log lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = Counter(
            "callflow_wrong_passwords_total", "Passwords that were wrong, by where they were given.", ["at"],
            registry=registry,
        )  # fmt: skip
        kinds: tuple[Kind, ...] = ("sip", "web")
        self._series = {kind: counter.labels(kind) for kind in kinds}
        self._log = structlog.get_logger("callflow")

    def told(self, kind: Kind, account: str, source: str) -> None:
        """`account` is what the client has claimed. It is cleaned, so that it cannot imitate a log line."""
        self._series[kind].inc()
        shown = _STRANGE.sub("?", account[:_LONGEST]) or "?"
        self._log.warning("auth.failed", source=source, kind=kind, account=shown)
