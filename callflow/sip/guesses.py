"""Limits how often passwords may be guessed: after failures the next attempt has to wait.

The pause grows with the failures of an account and with those of a source (an IP address). Both are forgotten
after a while. The failures of strangers must not lock an account's own phone out: a source that has not
failed at the account may try in between, and `callflow.sip.auth` always accepts the right password from where
the account has registered.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, TypeVar

FREE: Final = 5
"""Failures without a pause: people mistype."""
FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds of the first pause, and of the longest; each failure doubles it."""
NEWCOMERS: Final = 5.0
"""Seconds of pause for sources that have not failed at an account, after one more source has failed there."""
FORGOTTEN: Final = 600.0
"""Seconds after the last failure until all failures are forgotten."""
MOST: Final = 10_000
"""Accounts, and sources, that are remembered; the one that failed longest ago is forgotten first."""
MOST_SOURCES: Final = 64
"""Sources that are remembered of one account."""


@dataclass(slots=True)
class _Slowed:
    failures: int = 0
    failed_at: float = 0.0
    until: float = 0.0

    def fail(self, now: float) -> None:
        self.failures += 1
        self.failed_at = now
        beyond = self.failures - FREE
        self.until = now + min(LONGEST, FIRST * 2 ** min(beyond - 1, 30)) if beyond > 0 else now

    def forgive(self, failures: int) -> None:
        self.failures = max(0, self.failures - failures)
        if self.failures <= FREE:
            self.until = 0.0


@dataclass(slots=True)
class _Account(_Slowed):
    sources: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """How often each has failed here, the latest last."""
    newcomers_from: float = 0.0


SlowedT = TypeVar("SlowedT", bound=_Slowed)
ValueT = TypeVar("ValueT")


class Guesses:
    """The failures of all accounts and sources."""

    def __init__(self, shared: Collection[str] = ()) -> None:
        """`shared` are sources that many people come by, as a PBX: they are slowed per account only."""
        self._shared = frozenset(shared)
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._sources: OrderedDict[str, _Slowed] = OrderedDict()

    def __len__(self) -> int:
        """Accounts and sources that are remembered."""
        return len(self._accounts) + len(self._sources)

    def is_shared(self, source: str) -> bool:
        return source in self._shared

    def wait(self, account: str, source: str, now: float) -> float:
        """Seconds until a password for `account` from `source` is judged; 0 for at once."""
        return max(self._wait_of_source(source, now), self._wait_of_account(account, source, now))

    def failed(self, account: str, source: str, now: float) -> None:
        """A password was judged, and wrong; `account` is empty where there is no such account."""
        if account:
            known = _known(self._accounts, account, now) or _Account()
            if known.sources and source not in known.sources:
                known.newcomers_from = now + NEWCOMERS
            known.fail(now)
            _touch(known.sources, source, known.sources.get(source, 0) + 1, MOST_SOURCES)
            _touch(self._accounts, account, known, MOST)
        if source not in self._shared:
            slowed = _known(self._sources, source, now) or _Slowed()
            slowed.fail(now)
            _touch(self._sources, source, slowed, MOST)

    def succeeded(self, account: str, source: str) -> None:
        """The right password has come from `source`: its failures at this account were mistakes.

        Those from other sources, and at other accounts, are not forgotten.
        """
        known = self._accounts.get(account)
        if known is None:
            return
        failures = known.sources.pop(source, 0)
        known.forgive(failures)
        if source in self._sources:
            self._sources[source].forgive(failures)
        if not known.sources:
            del self._accounts[account]

    def _wait_of_source(self, source: str, now: float) -> float:
        slowed = _known(self._sources, source, now)
        return max(0.0, slowed.until - now) if slowed else 0.0

    def _wait_of_account(self, account: str, source: str, now: float) -> float:
        known = _known(self._accounts, account, now)
        if known is None:
            return 0.0
        until = known.until if source in known.sources else min(known.until, known.newcomers_from)
        return max(0.0, until - now)


def _known(table: OrderedDict[str, SlowedT], key: str, now: float) -> SlowedT | None:
    """The entry, unless it is old enough to be forgotten."""
    found = table.get(key)
    if found is not None and now - found.failed_at >= FORGOTTEN:
        del table[key]
        return None
    return found


def _touch(table: OrderedDict[str, ValueT], key: str, value: ValueT, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > most:
        table.popitem(last=False)
