"""Where which rules are in force: for everything, for one queue's callers, for one trunk's.

How an admin begins: `observe` on one queue, a look at what would have been said, `enforce`; and how one rule
is taken back where it does harm, without a word about the others. What is narrower stands over what is wider:
a queue's word over a trunk's, a trunk's over the default, and within one of them a rule's over that for all.
So `enforce` for a queue undoes `off` for everything. What a house itself only observes, such as csr-06, is
enforced only where its rule is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callflow.etiquette.house import House, Mode
from callflow.facts import Fact

Some = Mode | Mapping[str, Mode]
"""One mode for all that is enforced, or modes for single rules."""


@dataclass(frozen=True, slots=True)
class Modes:
    """What holds for queues and trunks by their names; what a queue says stands over what a trunk says."""

    queues: Mapping[str, Some] = field(default_factory=dict)
    trunks: Mapping[str, Some] = field(default_factory=dict)

    def house(self, house: House, *, trunk: str = "", queue: str = "") -> House:
        """The house for a caller who came by a trunk and waits, or waited, in a queue."""
        return _in(_in(house, self.trunks.get(trunk, {})), self.queues.get(queue, {}))

    def may_observe(self, house: House, rule: str) -> bool:
        """Whether the rule is only observed for some callers."""
        modes = (*self.queues.values(), *self.trunks.values())
        return house.observes(rule) or any(
            some == "observe" or (not isinstance(some, str) and some.get(rule) == "observe") for some in modes
        )

    def house_of(self, house: House, facts: Sequence[Fact]) -> House:
        """The house that a call was held to at its end, as its ledger tells."""
        trunk = next((f.details.get("trunk", "") for f in facts if f.fact == "call.arrived"), "")
        queues = [f.details.get("queue", "") for f in facts if f.fact == "queue.entered"]
        return self.house(house, trunk=str(trunk), queue=str(queues[-1]) if queues else "")


@dataclass(frozen=True, slots=True)
class Houses:
    """The house of one call wherever it goes."""

    base: House
    """As it is everywhere."""
    modes: Modes = field(default_factory=Modes)
    trunk: str = ""
    """By which the caller has come, if by one."""

    def in_queue(self, queue: str = "") -> House:
        """The house for who waits in that queue, or is served from it; without one before any."""
        return self.modes.house(self.base, trunk=self.trunk, queue=queue)


def _in(house: House, some: Some) -> House:
    return house.in_mode(some) if isinstance(some, str) else house.in_modes(some)
