"""A provisional response that is repeated until its PRACK is here (RFC 3262), the called side."""

from dataclasses import dataclass

from callflow.sip.message import Request
from callflow.sip.transaction import T1, Send


@dataclass(slots=True)
class Reliable:
    """One response that waits for its PRACK."""

    rack: tuple[int, int, str]
    """What the PRACK must name: RSeq, CSeq number and method."""
    send: Send
    deadline: float
    give_up: float
    describes: bool = False
    """Whether it has a session description."""
    interval: float = T1

    @classmethod
    def sent(
        cls, invite: Request, rseq: int, send: Send, now: float, *, describes: bool = False
    ) -> "Reliable":
        rack = rseq, invite.cseq.number, invite.cseq.method
        return cls(rack, send, now + T1, now + 64 * T1, describes)

    def is_meant_by(self, prack: Request) -> bool:
        """Whether the RAck of `prack` is ours (§3)."""
        words = (prack.headers.get("rack") or "").split()
        return words == [str(part) for part in self.rack]

    def repeat(self, now: float) -> Send | None:
        """The response once more, at intervals that double without limit; None when none ever will come."""
        if now >= self.give_up:
            return None
        self.interval *= 2
        self.deadline = min(now + self.interval, self.give_up)
        return self.send
