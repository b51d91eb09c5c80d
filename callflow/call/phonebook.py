"""Where each seat's phone is, as its registration tells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callflow.sip.address import Hop
from callflow.sip.registrar import Binding
from callflow.sip.uri import Uri

Bindings = Callable[[str, float], Sequence[Binding]]
"""Where an account can be reached now, the newest last."""


@dataclass(frozen=True, slots=True)
class Place:
    """A seat's phone."""

    seat: str
    target: Uri
    hops: tuple[Hop, ...]
    """Where its REGISTER came from, which leads through its NAT; then where else it may be reached."""

    @property
    def hop(self) -> Hop:
        return self.hops[0]


class Phonebook:
    """Looks phones up among those that have registered."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def is_registered(self, phone: str, now: float) -> bool:
        return bool(self._bindings(phone, now))

    def find(self, seat: str, phone: str | None, now: float) -> Place | None:
        """The phone that a seat sits at, at its newest registration; None where it has none."""
        bindings = self._bindings(phone, now) if phone else ()
        if not bindings:
            return None
        newest = bindings[-1]
        return Place(seat, newest.contact.uri, newest.hops)
