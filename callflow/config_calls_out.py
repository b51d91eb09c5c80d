"""The part of the configuration that is about calls to the outside: by which trunks, and to whom."""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

import pydantic

from callflow.call.dial_plan import EMERGENCY, CallsOut, allowed
from callflow.document import Document, Form, Shape
from callflow.errors import Fault, Unknown
from callflow.sip.trunks import TrunkPlan


def _pattern(text: object) -> str:
    allowed([str(text)])
    return str(text)


Number = Annotated[
    str,
    pydantic.Field(pattern=r"^\+?[0-9]{2,20}$"),
    Form("a telephone number of 2 to 20 digits, with or without +"),
]
Pattern = Annotated[str, pydantic.BeforeValidator(_pattern)]


class CallsOutConfig(Shape):
    """Whom seats may call."""

    trunks: tuple[str, ...] = ()
    """Under `sip.trunks`, in the order to try."""
    caller_id: Number | None = None
    """What calls out show, where it is not our account at the trunk."""
    allow: tuple[Pattern, ...] = ()
    """Digits, `x`, `[1-5]` and a `*` at the end; see `callflow.call.dial_plan`."""
    emergency: tuple[
        Annotated[str, pydantic.Field(pattern=r"^[0-9]{2,8}$"), Form("a number of 2 to 8 digits")], ...
    ] = EMERGENCY
    """Allowed to every phone that proves its password, whoever sits there."""

    def plan(self, trunks: Sequence[TrunkPlan]) -> CallsOut:
        known = {trunk.name: trunk for trunk in trunks}
        ordered = tuple(known[name] for name in self.trunks)
        return CallsOut(ordered, self.caller_id or "", self.allow, self.emergency)


def calls_out_faults(out: CallsOutConfig, trunks: Collection[str], source: Document) -> Iterator[Fault]:
    """A fault for each trunk that is named and is not there, and where calls may leave by none."""
    place = ("seats", "calls_out")
    for index, trunk in enumerate(out.trunks):
        if trunk not in trunks:
            told = f"there is no trunk {trunk!r} under sip.trunks"
            yield source.fault((*place, "trunks", index), told, unknown=Unknown(trunk, trunks))
    if place in source.values and not out.trunks and (out.allow or out.emergency):
        wants = [key for key, numbers in (("emergency", out.emergency), ("allow", out.allow)) if numbers]
        where = next((key for key in (*wants, "trunks", "caller_id") if (*place, key) in source.keys), "")
        yield source.fault((*place, where) if where else place, _no_way_out(out, trunks), at_key=True)


def _no_way_out(out: CallsOutConfig, trunks: Collection[str]) -> str:
    what = "no call can leave, no emergency call either" if out.emergency else "no call can leave"
    if trunks:
        return f"{what}: no trunk is named here; add them, as trunks: [{next(iter(trunks))}]"
    return f"{what}: there is no trunk; name one under sip.trunks and here, as trunks: [provider]"
