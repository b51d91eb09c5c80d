"""The ways by which a call leaves: each trunk in its order, as it is when it is its turn."""

from dataclasses import dataclass, field

from callflow.call.phonebook import Place
from callflow.sip.address import Hop
from callflow.sip.headers import NameAddress
from callflow.sip.session import Fields, Prover
from callflow.sip.trunks import TrunkPlan, Trunks
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Way:
    """One way to whom is called."""

    target: Uri
    caller: NameAddress
    """The From."""
    hops: tuple[Hop, ...]
    fields: Fields = ()
    prover: Prover | None = None
    place: Place | None = None
    """Where it is a seat's phone that is to ring."""
    trunk: str = ""
    """The trunk that it goes by, if by one."""
    is_last: bool = True
    """Whether there is no other after it."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A number that is none of ours."""

    number: str = field(repr=False)
    caller_id: str = field(repr=False)
    """What the call shows; empty for our account at the trunk."""
    seat: str
    """Who calls, where the trunk has no account either."""
    is_urgent: bool = False
    """Whether it goes by a trunk that wants no calls now, too."""


class WaysOut:
    """The trunks that seats' calls go out by."""

    def __init__(self, trunks: Trunks, plans: tuple[TrunkPlan, ...]) -> None:
        """`plans` are in the order to try."""
        self._trunks = trunks
        self._plans = plans

    def nth(self, tried: int, outside: Outside, now: float) -> Way | None:
        """The way after so many; None where there is no other."""
        if tried >= len(self._plans):
            return None
        plan = self._plans[tried]
        shown = NameAddress(Uri("sip", outside.caller_id or plan.user or outside.seat, plan.domain))
        return Way(
            target=Uri("sip", outside.number, plan.domain),
            caller=shown,
            hops=self._trunks.hops(plan.name, None if outside.is_urgent else now),
            fields=(("p-asserted-identity", str(shown)),) if outside.caller_id else (),
            prover=self._trunks.prover(plan.name),
            trunk=plan.name,
            is_last=tried + 1 == len(self._plans),
        )
