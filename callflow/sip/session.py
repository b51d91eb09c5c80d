"""An INVITE session, whoever began it: ringing, answered, confirmed, over (RFC 3261 §13, §15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Protocol

from callflow.sip.dialog import Dialog
from callflow.sip.grammar import tokens
from callflow.sip.message import Request, Response
from callflow.sip.refresh import Timer
from callflow.sip.reliable import Reliable
from callflow.sip.server_transaction import InviteServer, NonInviteServer
from callflow.sip.subscription import Subscription
from callflow.sip.transaction import T1, T2, Send, State

Fields = tuple[tuple[str, str], ...]
"""Header fields: name and value."""


class Prover(Protocol):
    """Who can answer a digest challenge."""

    def prove(self, response: Response, method: str, uri: str) -> Fields:
        """What a request that `response` has challenged must bear; nothing where it is hopeless."""

    def accepted(self) -> None:
        """The last proof was good."""


class Stage(Enum):
    CALLING = auto()
    """We call, and nobody has answered yet."""
    EARLY = auto()
    """We are called, and have not answered yet."""
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
    """The peer's, or ours."""
    REOFFER = auto()
    """To send our re-INVITE again."""
    REFERRAL = auto()
    """For the end of the subscription to what becomes of a REFER."""


@dataclass(slots=True)
class Session:
    """One INVITE and what became of it."""

    id: str
    dialog: Dialog
    transaction: InviteServer | None = None
    """Of the peer's INVITE, or of its latest re-INVITE."""
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
    answer_wanted: bytes | None = None
    """The description for the 200 that waits for a PRACK."""
    """Our provisional response, until its PRACK is here."""
    rseq: int = 0
    """How many of them there were (RFC 3262 §3), or the number of the peer's latest."""
    timer: Timer | None = None
    """Of RFC 4028."""
    peer_allow: Sequence[str] = ()
    """The values of the peer's Allow, which are seldom asked for."""
    description: bytes = b""
    """The last session description of ours that was sent."""
    early_answer: bytes = b""
    """The answer that came before the 200; it stands where the 200 has none (RFC 6337 §3.1.1)."""
    prover: Prover | None = None
    """Where the peer may ask who we are within the call."""
    reoffer: bytes | None = None
    """The session description of our re-INVITE, wanted or in hand."""
    reoffer_sent: bool = False
    reoffers_tried: int = 0
    reoffer_not_before: float = 0.0
    """After a clash; seconds of the machines' clock."""
    refer: NonInviteServer | None = None
    """The REFER that is not decided yet."""
    first_refer: int | None = None
    """The CSeq number of the dialog's first REFER."""
    referral: Subscription | None = None
    """To what becomes of the REFER that was accepted."""
    _ok: Send | None = None
    _interval: float = T1
    _give_up: float = 0.0

    @property
    def in_hand(self) -> bool:
        """Whether an INVITE, re-INVITE or UPDATE with an offer still waits for our answer."""
        return self.update is not None or self.is_asked

    @property
    def is_asked(self) -> bool:
        """Whether an INVITE or re-INVITE still waits for our answer."""
        return self.transaction is not None and self.transaction.state is State.PROCEEDING

    @property
    def request(self) -> Request:
        """The INVITE or re-INVITE in hand."""
        assert self.transaction is not None
        return self.transaction.request

    def peer_takes(self, method: str) -> bool:
        """Whether the peer says that it takes the method (§20.5)."""
        return method.lower() in tokens(self.peer_allow)

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
