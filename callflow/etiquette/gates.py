"""Who is not heard by the other, as the rules of a served call say it."""

from typing import Final

from callflow.actions import Gate
from callflow.events import Party

SEAT_UNHEARD: Final = Gate(frozenset({Party.SEAT}))
"""A phone that holds us plays music, which is not for the caller."""
NOBODY_HEARD: Final = Gate(frozenset({Party.CALLER, Party.SEAT}))
BOTH_HEARD: Final = Gate(frozenset())
