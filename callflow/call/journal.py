"""What is kept of each call so that another controller could take it up: plain values, written on change.

The plane is a process of its own and outlives the controller, so a leg's audio goes on; what would be lost is
who is on it, where the dialog stands and what was due when. Times are those of the machine's monotonic clock,
which goes on through a restart of the program; a machine that itself restarts has no calls left.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from callflow.codec import Law
from callflow.facts import Detail
from callflow.sip.address import Address, Hop, Transport
from callflow.sip.dialog import Dialog
from callflow.sip.headers import NameAddress
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class DialogEntry:
    """A dialog as it is written down (RFC 3261 §12)."""

    call_id: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...]
    source: tuple[str, int, str]
    """Host, port, transport."""
    local_cseq: int
    remote_cseq: int
    ours: bool

    @classmethod
    def of(cls, dialog: Dialog) -> "DialogEntry":
        return cls(
            call_id=dialog.call_id,
            local=str(dialog.local),
            remote=str(dialog.remote),
            target=str(dialog.target),
            routes=tuple(dialog.routes),
            source=(*dialog.source.address, dialog.source.transport.value),
            local_cseq=dialog.local_cseq,
            remote_cseq=dialog.remote_cseq,
            ours=dialog.ours,
        )

    def dialog(self) -> Dialog:
        """The dialog again."""
        host, port, transport = self.source
        return Dialog(
            call_id=self.call_id,
            local=NameAddress.parse(self.local),
            remote=NameAddress.parse(self.remote),
            target=Uri.parse(self.target),
            routes=list(self.routes),
            source=Hop((host, port), Transport(transport)),
            remote_cseq=self.remote_cseq,
            local_cseq=self.local_cseq,
            ours=self.ours,
        )


@dataclass(frozen=True, slots=True)
class LegEntry:
    """One leg: its session, and its audio as the plane has it."""

    session: str
    media: int
    """Its number in the plane."""
    party: str
    seat: str
    port: int
    """The index of our UDP port."""
    remote: Address | None
    source: str
    law: str | None
    event_type: int | None
    descriptions: int
    """How many session descriptions we have given."""
    dialog: DialogEntry | None

    @property
    def agreed_law(self) -> Law | None:
        return next((law for law in Law if str(law) == self.law), None)


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule at work."""

    rules: tuple[str, ...]
    phase: str
    deadline: float | None


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call as it stands."""

    call: str
    flow: str
    step: str | None
    flow_deadline: float | None
    rules: tuple[RuleEntry, ...]
    ends_by: float | None
    """The call's limit."""
    legs: tuple[LegEntry, ...]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "CallEntry":
        """Raises `ValueError` for what is no entry."""
        try:
            read = json.loads(text)
            rules = tuple(RuleEntry(tuple(r["rules"]), r["phase"], r["deadline"]) for r in read["rules"])
            legs = tuple(_leg(leg) for leg in read["legs"])
            return cls(**{**read, "rules": rules, "legs": legs})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no entry of a journal: {error}") from None


def _leg(read: Mapping[str, Any]) -> LegEntry:
    remote, dialog = read["remote"], read["dialog"]
    if dialog is not None:
        dialog = {**dialog, "routes": tuple(dialog["routes"]), "source": tuple(dialog["source"])}
    return LegEntry(
        **{
            **read,
            "remote": None if remote is None else (str(remote[0]), int(remote[1])),
            "dialog": None if dialog is None else DialogEntry(**dialog),
        }
    )


@dataclass(frozen=True, slots=True)
class FactEntry:
    """A fact that a call waits for until it is on disk."""

    call: str
    number: int
    at: float
    """Seconds on the controller's monotonic clock."""
    fact: str
    rule: str | None
    details: Mapping[str, Detail]

    def as_json(self) -> str:
        return json.dumps({"kept": asdict(self)}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class CutOff:
    """A call of an earlier life of the program has been ended; the facts that were kept of it stay."""

    call: str

    def as_json(self) -> str:
        return json.dumps({"cut_off": self.call})


@dataclass(frozen=True, slots=True)
class Journalled:
    """A call stands otherwise than before; without an entry it is over."""

    call: str
    entry: CallEntry | None
