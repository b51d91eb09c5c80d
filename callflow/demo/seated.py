"""A call in which seats have a part too: what each does and when, and what each must hear of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from callflow.demo.scenarios import Scenario
from callflow.etiquette.house import House
from callflow.events import Party
from callflow.facts import Fact


class Verb(Enum):
    SPEAK = auto()
    """the caller's spoken yes"""
    TONE = auto()
    PRESS = auto()
    HOLD = auto()
    """The phone's own key: re-INVITE, sendonly."""
    RESUME = auto()
    TRANSFER = auto()
    """The phone's own key: REFER without Replaces (RFC 3515), to the seat whose number is `keys`."""
    CONSULT = auto()
    """Hold the caller, and call the seat whose number is `keys`."""
    COMPLETE = auto()
    """The phone's own key after that: REFER with Replaces (RFC 3891)."""
    HANG_UP = auto()
    VANISH = auto()
    """The phone's process is killed: no BYE, no RTP, nobody at its address."""


@dataclass(frozen=True, slots=True)
class When:
    """The nth fact of that name (and prompt), and so many seconds more."""

    fact: str
    prompt: str | None = None
    nth: int = 1
    after: float = 1.0
    consulted: bool = False
    """Whether it is a fact of the seat's call to its colleague."""

    def found(self, facts: Sequence[Fact]) -> Fact | None:
        """That fact, if it has happened."""
        same = [fact for fact in facts if fact.fact == self.fact and self._is_named(fact)]
        return same[self.nth - 1] if len(same) >= self.nth else None

    def _is_named(self, fact: Fact) -> bool:
        return self.prompt is None or fact.details.get("prompt") == self.prompt


@dataclass(frozen=True, slots=True)
class Act:
    """What one of them does."""

    who: Party
    verb: Verb
    when: When
    keys: str = ""
    heard_by: tuple[Party, ...] = ()
    """Who must hear the tone; no other may."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in a house's place, in seconds, so that a demo of minutes becomes one that is watched."""

    warn_after: float
    recall_after: float
    escalate_after: float
    ring_for: float
    offer_for: float

    def of(self, house: House) -> House:
        """The same house with these limits; every word and every interval stays."""
        hold = {
            "warn_after": self.warn_after,
            "recall_after": self.recall_after,
            "escalate_after": self.escalate_after,
        }
        recall = {"ring_for": self.ring_for, "offer_for": self.offer_for}
        return house.model_copy(
            update={
                "hold": house.hold.model_copy(update=hold),
                "recall": house.recall.model_copy(update=recall),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatedScenario(Scenario):
    """One call with a caller and a seat, and perhaps the seat that it is to be transferred to."""

    acts: tuple[Act, ...]
    answers: tuple[float | None, ...] = (1.0,)
    """For each time that the seat's phone rings: seconds until it is picked up, None for never."""
    must_tell: tuple[str, ...]
    """Facts that the ledger must have, in this order among others."""
    never: tuple[str, ...] = ()
    """Facts that it must not have."""
    phone_tells: tuple[str, ...]
    """What must happen to the seat's phone, in this order; nothing may follow but the end."""
    transfer_told: int | None = None
    """The SIP status that its phone must be told of its transfer (RFC 3515 section 2.4.5), if any."""
    target_answers: tuple[float | None, ...] = ()
    """As `answers`, for the phone of the second seat; nothing where there is none."""
    target_tells: tuple[str, ...] = ()
    """As `phone_tells`, of that phone."""
    target_hears: tuple[str, ...] = ()
    """The prompts that must be said to the target, in this order among others."""
    patience: Patience | None = None
    queue: tuple[tuple[str, str], ...] = ()
    """Settings of the queue that differ from what they are without a configuration."""

    def faults(self, facts: list[Fact]) -> Iterator[str]:
        yield from Scenario.faults(self, [fact for fact in facts if fact.leg != Party.TARGET])
        names = [fact.fact for fact in facts]
        yield from _missing(self.must_tell, names, "is not in the ledger")
        yield from (f"{name} is in the ledger" for name in self.never if name in names)
        # The last of them may end when the target is the caller's seat, which is told nothing by itself.
        to_target = (f for f in facts if f.leg == Party.TARGET and f.fact == "prompt.started")
        said = [str(fact.details["prompt"]) for fact in to_target]
        yield from _missing(self.target_hears, said, "was not said to the target")

    def phone_faults(self, history: Sequence[str], who: Party = Party.SEAT) -> Iterator[str]:
        """In what the phone of the seat, or of the target, had not the part that it must have."""
        tells = self.target_tells if who is Party.TARGET else self.phone_tells
        first, then = tuple(history[: len(tells)]), history[len(tells) :]
        if first != tells or {*then} - {"ended"}:
            yield f"the {who}'s phone was {_listed(history)}, not {_listed(tells)}"


def _missing(wanted: Sequence[str], names: Sequence[str], fault: str) -> Iterator[str]:
    """The first that is not among the others in its order."""
    told = iter(names)
    for name in wanted:
        if name not in told:
            yield f"{name} {fault}, or out of order"
            return


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "never rung"
