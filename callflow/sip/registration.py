"""One account kept registered at one registrar, the client's side (RFC 3261 §10.2).

At most one REGISTER is in hand. What cannot be reached or is overloaded makes room for the next candidate at
once; when all have been tried there is a pause that doubles (after RFC 5626 §4.5). A refusal that time does
not mend, such as a wrong password, is tried again every five minutes. The requests bear no Via: whoever sends
them puts it in front.
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from callflow.errors import IllegalEvent
from callflow.sip.account import Account
from callflow.sip.credentials import Credentials
from callflow.sip.locate import Candidate, Chance
from callflow.sip.message import Request, Response
from callflow.sip.retry import min_expires, retry_after

FIRST_PAUSE: Final = 2.0
"""Seconds; a chance takes up to half of it off, so that many accounts do not come back in one moment."""
LONGEST_PAUSE: Final = 300.0
REFUSED_PAUSE: Final = 300.0
LEAST_MARGIN: Final = 5.0
"""Seconds before the end at which the refresh is due at the latest."""
_REFUSED: Final = (401, 403, 404, 407)


class State(Enum):
    """What the account can count on."""

    TRYING = auto()
    """Not registered; being tried, now or after a pause."""
    REGISTERED = auto()
    """Until `expires_at`, whether or not a refresh goes well."""
    FAILED = auto()
    """Refused, and still tried, but rarely: the configuration is likely wrong."""
    STOPPING = auto()
    STOPPED = auto()


class Registration:
    """The machine of one account: what its methods return is to be sent now, to `candidate`."""

    def __init__(
        self,
        account: Account,
        candidates: Sequence[Candidate],
        new_id: Callable[[], str],
        chance: Chance,
        now: float,
    ) -> None:
        """The first request is due at once. Raises `ValueError` where there is no candidate."""
        self.expires_at: float | None = None
        """When the registration ends that we have; None where we have none."""
        self.refused_with = 0
        """The status of the newest refusal that is not mended by time; 0 after a success."""
        self._account = account
        self._chance = chance
        self._credentials = Credentials(account.login or account.user, account.password, new_id)
        self._call_id, self._tag, self._cseq = new_id(), new_id(), 0
        self._asks = account.expires
        self._in_hand = False
        self._sent_at = now
        self._next_at: float | None = now
        self._pause = FIRST_PAUSE
        self._tried = 0
        """Candidates that have failed since the last success or pause."""
        self._adopted = False
        """Whether a Min-Expires was gone along with since then."""
        self._stopping = self._unregistering = False
        self._candidates: tuple[Candidate, ...] = ()
        self._index = 0
        self.relocate(candidates)

    def relocate(self, candidates: Sequence[Candidate]) -> None:
        """The registrar's addresses as DNS has them now; the current one is kept where it is among them.

        Raises `ValueError` where there is none.
        """
        if not candidates:
            raise ValueError("a registrar needs an address")
        current = self.candidate if self._candidates else candidates[0]
        self._candidates = tuple(candidates)
        self._index = candidates.index(current) if current in candidates else 0

    @property
    def candidate(self) -> Candidate:
        """Where the request goes that was returned last."""
        return self._candidates[self._index]

    @property
    def state(self) -> State:
        if self._stopping:
            return State.STOPPING if self._in_hand else State.STOPPED
        if self.expires_at is not None:
            return State.REGISTERED
        return State.FAILED if self.refused_with else State.TRYING

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called. None once stopped, and while an answer is all that is missing."""
        if self._stopping:
            return None
        return min((at for at in (self._next_at, self.expires_at) if at is not None), default=None)

    def tick(self, now: float) -> Request | None:
        if self.expires_at is not None and now >= self.expires_at:
            self.expires_at = None
        if self._next_at is None or now < self._next_at:
            return None
        return self._send(now)

    def replied(self, response: Response, now: float) -> Request | None:
        """The final response to the request in hand. Raises `IllegalEvent` where none is."""
        self._settle(response)
        if response.status not in (401, 407):
            self._credentials.accepted()
        elif self._credentials.challenged(response):
            return self._send(now)
        else:
            self._credentials.forget()
        return None if self._unregistering else self._judged(response, now)

    def unanswered(self, now: float) -> Request | None:
        """The request in hand timed out, or could not be sent. Raises `IllegalEvent` where none is."""
        self._settle("no answer")
        return None if self._unregistering else self._elsewhere(now, 0)

    def stop(self, now: float) -> Request | None:
        """Unregister: at once, or after the answer that is being waited for."""
        if self._stopping:
            return None
        self._stopping = True
        self._next_at = None
        return None if self._in_hand else self._send(now)

    def _judged(self, response: Response, now: float) -> Request | None:
        if 200 <= response.status < 300:
            return self._registered(self._account.granted(response, self._asks), now)
        if response.status == 423 and self._adopts(min_expires(response)):
            return self._send(now)
        away = retry_after(response)
        if response.status in _REFUSED:
            self.refused_with = response.status
            return self._wait(now + max(REFUSED_PAUSE, away), now)
        if response.status == 503:
            return self._elsewhere(now, away)
        return self._back_off(now, away)

    def _registered(self, granted: int, now: float) -> Request | None:
        self.refused_with = 0
        if granted == 0:
            self.expires_at = None
            return self._back_off(now, 0)
        # The registrar may have counted from when the request came; we hear of it later.
        self.expires_at = self._sent_at + granted
        self._pause = FIRST_PAUSE
        return self._wait(self._sent_at + _refresh_after(granted), now)

    def _adopts(self, least: int) -> bool:
        """Go along with a Min-Expires, once: one that rises with each answer would never end."""
        if self._adopted or least <= self._asks:
            return False
        self._asks, self._adopted = least, True
        return True

    def _elsewhere(self, now: float, away: float) -> Request | None:
        """The next candidate at once (RFC 3263 §4.3); a pause when each has had its turn."""
        # Another server knows nothing of this one's nonces.
        self._credentials.forget()
        self._index = (self._index + 1) % len(self._candidates)
        self._tried += 1
        if self._tried < len(self._candidates):
            return self._send(now)
        return self._back_off(now, away)

    def _back_off(self, now: float, away: float) -> Request | None:
        pause = self._pause * (0.5 + self._chance() / 2)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self._wait(now + max(pause, away), now)

    def _wait(self, until: float, now: float) -> Request | None:
        """Nothing more until then, unless we are to stop: then there is nothing to wait for."""
        self._tried, self._adopted = 0, False
        if self._stopping:
            return self._send(now)
        self._next_at = until
        return None

    def _settle(self, outcome: Response | str) -> None:
        if not self._in_hand:
            raise IllegalEvent(outcome, self.state)
        self._in_hand = False

    def _send(self, now: float) -> Request | None:
        """The next REGISTER: one Call-ID for all, a CSeq that rises. Who stops has one only to unregister."""
        if self._stopping and not self._unregistering:
            if self.expires_at is None:
                return None
            self._unregistering = True
            self.expires_at = None
        self._next_at = None
        self._in_hand = True
        self._sent_at = now
        self._cseq += 1
        expires = 0 if self._unregistering else self._asks
        authorization = self._credentials.fields("REGISTER", self._account.registrar)
        return self._account.request(self._call_id, self._tag, self._cseq, expires, authorization)


def _refresh_after(granted: int) -> float:
    """Seconds: four fifths, at least `LEAST_MARGIN` before the end where there is that much time."""
    return max(min(0.8 * granted, granted - LEAST_MARGIN), granted / 2)
