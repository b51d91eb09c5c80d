"""A target that is none of our seats: whom the seat has called past us, and a trusted trunk can find.

Its dialog with the seat is not ours, so the target is called anew with Replaces (RFC 3891), and its side puts
our call in that dialog's place. It is asked like any target. A trunk is trusted where its configuration says
`takes_replaces`; to anybody else nothing is sent, because whoever can make us call out can make us pay.
"""

from dataclasses import dataclass

from callflow.events import TransferRequested, Way
from callflow.sip.address import Hop
from callflow.sip.happenings import Referred
from callflow.sip.identity import number
from callflow.sip.session import Fields, Prover
from callflow.sip.trunks import Trunks
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Whom to call, by which way, and what to say."""

    target: Uri
    hops: tuple[Hop, ...]
    fields: Fields
    prover: Prover | None

    @property
    def wish(self) -> TransferRequested:
        """What the call is told of it; its number is no recording of ours, so it is not spoken."""
        return TransferRequested(number(self.target), Way.PHONE, elsewhere=True)


def elsewhere(trunks: Trunks, refer: Referred) -> Elsewhere | None:
    """Where a REFER with Replaces leads outside; None where no trusted trunk is there."""
    trunk = trunks.replacing(refer.target.host)
    if trunk is None or refer.replaces is None:
        return None
    hops = trunks.hops(trunk)
    fields = (("replaces", str(refer.replaces)), ("require", "replaces"))
    return Elsewhere(refer.target, hops, fields, trunks.prover(trunk)) if hops else None
