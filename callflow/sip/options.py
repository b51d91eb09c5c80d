"""OPTIONS outside of any call: whether somebody is there (RFC 3261 §11)."""

from collections.abc import Callable
from dataclasses import dataclass

from callflow.sip.address import Address, Hop
from callflow.sip.fields import Headers
from callflow.sip.happenings import Output, Probed
from callflow.sip.message import Request, Response
from callflow.sip.transactions import Transactions
from callflow.sip.uri import Uri


def options(target: Uri, ours: Uri, new_id: Callable[[], str], cseq: int = 1) -> Request:
    """The request (§11.1), without a Via. `ours` stands in From and Contact."""
    fields = [
        ("max-forwards", "70"),
        ("from", f"<{ours}>;tag={new_id()}"),
        ("to", f"<{target}>"),
        ("call-id", new_id()),
        ("cseq", f"{cseq} OPTIONS"),
        ("contact", f"<{ours}>"),
        ("accept", "application/sdp"),
    ]
    return Request(Headers(fields), b"", "OPTIONS", str(target))


class Probes:
    """Asks phones whether they are there."""

    def __init__(self, transactions: Transactions, contact: Address, new_id: Callable[[], str]) -> None:
        self._transactions = transactions
        self._ours = Uri("sip", "", *contact)
        self._new_id = new_id

    def ask(self, name: str, target: Uri, hop: Hop, now: float) -> list[Output]:
        """Ask the phone at `hop`; what comes of it is told as `Probed(name, …)`."""
        request = options(target, self._ours, self._new_id)
        return self._transactions.ask(request, hop, _Asked(name), now)[1]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question on its way."""

    name: str

    def replied(self, response: Response, now: float) -> list[Output]:
        # 408 is a proxy's word for silence.
        return [Probed(self.name, response.status != 408)] if response.status >= 200 else []

    def unanswered(self, now: float) -> list[Output]:
        return [Probed(self.name, False)]
