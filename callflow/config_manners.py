"""The part of the configuration that is about manners: which rules are in force, and where."""

from typing import Annotated

import pydantic

from callflow.document import Shape
from callflow.errors import Unknown, UnknownName
from callflow.etiquette.house import CARRIED, House, Mode


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


def one_mode(said: object) -> object:
    return {"default": said} if isinstance(said, str) else said
