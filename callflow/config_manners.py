"""The part of the configuration that is about manners: which rules are in force, and where."""

from collections.abc import Iterator
from typing import Annotated

import pydantic

from callflow.document import Document, Path, Shape
from callflow.errors import Fault, Unknown, UnknownName
from callflow.etiquette.house import CARRIED, House, Mode
from callflow.etiquette.modes import Modes
from callflow.etiquette.rulebook import Rulebook


def _carried(rule: str) -> str:
    if rule not in CARRIED:
        raise UnknownName(f"{rule!r} is not carried", Unknown(rule, CARRIED))
    return rule


Rule = Annotated[str, pydantic.AfterValidator(_carried)]


Some = Mode | dict[Rule, Mode]


class MannersConfig(Shape):
    """Which of the house's rules are in force, and where: `enforce`, `observe` or `off`."""

    default: Mode = "enforce"
    """For all rules that the house enforces."""
    rules: dict[Rule, Mode] = {}  # noqa: RUF012
    queues: dict[str, Some] = {}  # noqa: RUF012
    """For who waits in a queue, or is served from it: one mode for all rules, or modes for single ones."""
    trunks: dict[str, Some] = {}  # noqa: RUF012

    def over(self, house: House) -> House:
        """The house with what holds everywhere."""
        return house.in_mode(self.default).in_modes(self.rules)

    @property
    def named(self) -> Iterator[tuple[Path, str, Mode]]:
        """Each rule that is named, with its path under `manners` and its mode."""
        yield from ((("rules", rule), rule, mode) for rule, mode in self.rules.items())
        for kind, places in (("queues", self.queues), ("trunks", self.trunks)):
            for place, some in places.items():
                if not isinstance(some, str):
                    yield from (((kind, place, rule), rule, mode) for rule, mode in some.items())


def mode_notes(manners: MannersConfig, house: House, rulebook: Rulebook, source: Document) -> Iterator[Fault]:
    """Notes, which are no faults: which of the rules that are named are not there, or never begin.

    `house` is as its file says it, before `manners` is laid over it.
    """
    follows = _follows(house)
    houses, own = _houses(manners, house), f"the house {house.name!r}"
    for path, rule, mode in manners.named:
        before = follows.get(rule)
        if others := rulebook.in_place_of(rule, house):
            what = f"this changes nothing: {own} has {' and '.join(others)} in place of {rule}"
        elif not rulebook.is_in(rule, house):
            what = f"this changes nothing: {own} has no part that stands under {rule}"
        elif mode == "enforce" and before and not any(each.enforces(before) for each in houses):
            what = (
                f"{rule} never begins by itself: it follows {before}, which is enforced nowhere; "
                f"enforce {before} too"
            )
        else:
            continue
        yield source.fault(("manners", *path), what, at_key=True)


def _houses(manners: MannersConfig, house: House) -> list[House]:
    """The house as it is in force: everywhere, by each trunk, and in each queue."""
    everywhere, modes = manners.over(house), Modes(manners.queues, manners.trunks)
    by_trunk = (modes.house(everywhere, trunk=name) for name in manners.trunks)
    return [everywhere, *by_trunk, *(modes.house(everywhere, queue=name) for name in manners.queues)]


def _follows(house: House) -> dict[str, str]:
    """Rules that begin only at the end of what another does, and that other."""
    lines = (house.silent_line.rule, house.faint_line.rule, house.noisy_line.rule)
    found = dict.fromkeys(lines, "csr-01")
    if house.hold.estimate:
        found[house.hold.estimate.rule] = house.hold.rules.ask
    if house.transfer.own_words:
        found[house.transfer.own_words.rule] = house.transfer.rule
    return found


def one_mode(said: object) -> object:
    return {"default": said} if isinstance(said, str) else said
