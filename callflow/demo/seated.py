"""A call in which a seat has a part too: what both do and when, and what each must hear of the other."""

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

    def found(self, facts: Sequence[Fact]) -> Fact | None:
        """That fact, if it has happened."""
        same = [fact for fact in facts if fact.fact == self.fact and self._is_named(fact)]
        return same[self.nth - 1] if len(same) >= self.nth else None

    def _is_named(self, fact: Fact) -> bool:
        return self.prompt is None or fact.details.get("prompt") == self.prompt


@dataclass(frozen=True, slots=True)
class Act:
    """What one of the two does."""

    who: Party
    verb: Verb
    when: When
    keys: str = ""
    heard: bool = True
    """Whether the other one must hear the tone, or must not."""


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
    """One call with a caller and a seat."""

    acts: tuple[Act, ...]
    answers: tuple[float | None, ...] = (1.0,)
    """For each time that the seat's phone rings: seconds until it is picked up, None for never."""
    must_tell: tuple[str, ...]
    """Facts that the ledger must have, in this order among others."""
    never: tuple[str, ...] = ()
    """Facts that it must not have."""
    phone_tells: tuple[str, ...]
    """What must happen to the seat's phone first, in this order and nothing else between."""
    patience: Patience | None = None
    queue: tuple[tuple[str, str], ...] = ()
    """Settings of the queue that differ from what they are without a configuration."""

    def faults(self, facts: list[Fact]) -> Iterator[str]:
        yield from Scenario.faults(self, facts)
        names = [fact.fact for fact in facts]
        told = iter(names)
        for name in self.must_tell:
            if name not in told:
                yield f"{name} is not in the ledger, or out of order"
                break
        yield from (f"{name} is in the ledger" for name in self.never if name in names)

    def phone_faults(self, history: Sequence[str]) -> Iterator[str]:
        """In what the seat's phone had not the part that it must have."""
        if tuple(history[: len(self.phone_tells)]) != self.phone_tells:
            yield f"the seat's phone was {', '.join(history)}, not {', '.join(self.phone_tells)}"
