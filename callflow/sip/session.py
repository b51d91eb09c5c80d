"""An INVITE session, the called side: ringing, answered, confirmed, over (RFC 3261 §13.3, §15)."""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from callflow.sip.dialog import Dialog
from callflow.sip.message import Request
from callflow.sip.reliable import Reliable
from callflow.sip.transaction import T1, T2, InviteServer, NonInviteServer, Send


class Stage(Enum):
    EARLY = auto()
    ANSWERED = auto()
    """Our 200 is out, its ACK is not here yet."""
    CONFIRMED = auto()
    OVER = auto()


class Wait(IntEnum):
    """What a session waits for, each with a deadline of its own."""

    ACK = auto()
    PRACK = auto()
    ANSWER = auto()
    """For us: the INVITE's Expires."""
    REFRESH = auto()


@dataclass(slots=True)
class Session:
    """One caller's INVITE and what became of it."""

    id: str
    transaction: InviteServer
    """Of the INVITE, or of the latest re-INVITE."""
    dialog: Dialog
    stage: Stage = Stage.EARLY
    deadline: float | None = None
    bye_wanted: str | None = None
    """The reason of a BYE that waits for the ACK: a server must not send it earlier (§15)."""
    established: bool = False
    """Whether the first INVITE has had its ACK."""
    offering: bool = False
    """The 200 in hand carries our offer, so the ACK must carry the answer."""
    update: NonInviteServer | None = None
    """The UPDATE with an offer that is not answered yet."""
    reliable: Reliable | None = None
    """Our 180, until its PRACK is here."""
    interval: int | None = None
    """The session interval of RFC 4028 in seconds; None without a timer."""
    _ok: Send | None = None
    _interval: float = T1
    _give_up: float = 0.0

    @property
    def request(self) -> Request:
        """The INVITE or re-INVITE in hand."""
        return self.transaction.request

    def answered(self, ok: Send, now: float) -> None:
        """Our 200 has left: it is repeated until the ACK is here (§13.3.1.4)."""
        self.stage, self._ok = Stage.ANSWERED, ok
        self._interval, self._give_up = T1, now + 64 * T1
        self.deadline = now + T1

    def confirmed(self) -> None:
        self.stage, self.deadline, self.established = Stage.CONFIRMED, None, True

    def over(self) -> None:
        self.stage, self.deadline = Stage.OVER, None

    def repeat_ok(self, now: float) -> Send | None:
        """The 200 once more, or None when the ACK has not come in 64 * T1 and never will."""
        if now >= self._give_up:
            return None
        self._interval = min(2 * self._interval, T2)
        self.deadline = min(now + self._interval, self._give_up)
        return self._ok
