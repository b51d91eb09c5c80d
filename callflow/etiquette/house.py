"""A house: one document's etiquette, as the parameters and words of all rules.

How it is read from YAML, laid over the houses that it extends, is in `house_files`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import pydantic

from callflow.document import Path, Shape
from callflow.errors import WrongAt
from callflow.etiquette.bases import Base
from callflow.etiquette.parameters import (
    AnsweringManners,
    ClosingManners,
    HoldManners,
    JoiningManners,
    NuisanceManners,
    QueueManners,
    RecallManners,
    SeatClosingManners,
    SeatsWordsManners,
    SilentLineManners,
    TransferManners,
    UnclearLineManners,
)
from callflow.prompt_keys import PromptKey, PromptUse, prompt_uses

CARRIED = (
    "csr-01", "csr-04", "csr-05", "csr-06", "csr-07", "csr-10",
    "csr-16", "csr-23", "csr-24", "csr-25", "csr-30", "csr-35", "csr-36",
    "gas-02", "gas-03", "gas-04", "gas-05", "gas-06", "gas-09", "gas-10", "gas-11", "gas-18",
    "log-02", "log-03", "log-04", "log-13",
    "crs-02", "crs-03", "crs-04", "crs-05", "crs-06", "crs-10", "crs-14",
    "hst-02", "hst-03", "hst-05", "hst-08",
)  # fmt: skip
"""The ids in rules.yaml that the controller carries so far, in their order there."""

Mode = Literal["enforce", "observe", "off"]
"""Whether a rule decides, only notes what it would have done, or is not there."""
MODES: tuple[Mode, ...] = get_args(Mode)
"""From the one in which most is done to the one in which nothing is."""
NEVER = 86_400.0
"""Seconds; no call lasts so long."""
_WITH_SEATS = frozenset(
    ("seats_words", "hold", "recall", "transfer", "nuisance", "seat_closing", "queue", "joining")
)
"""The parts of a house that only a call with a queue or a seat needs; every other part is always needed."""


class House(Shape):
    """One etiquette, whole."""

    version: Annotated[Literal[1], pydantic.Field(alias="callflow-house")]
    name: Annotated[str, pydantic.Field(min_length=1)]
    title: str
    extends: str | None = None
    rules: dict[str, Mode] = pydantic.Field(default_factory=dict)
    """What is switched off; a rule that is not named is enforced."""
    neutral: PromptKey = "log_please_wait"
    """What is heard in place of a prompt that turns out in a call to have no audio."""
    answering: AnsweringManners
    silent_line: SilentLineManners
    faint_line: UnclearLineManners
    noisy_line: UnclearLineManners
    no_response: UnclearLineManners | None = None
    """For a caller who is silent in the middle of a call; None: what the flow says there is all."""
    seats_words: SeatsWordsManners
    closing: ClosingManners
    hold: HoldManners
    recall: RecallManners
    transfer: TransferManners
    nuisance: NuisanceManners
    seat_closing: SeatClosingManners
    queue: QueueManners
    joining: JoiningManners

    _own: dict[str, Mode] | None = pydantic.PrivateAttr(None)
    """What a general `enforce` gives back of each rule, where that is no longer what `rules` says."""
    _bases: tuple[Base, ...] = pydantic.PrivateAttr(())

    @pydantic.model_validator(mode="after")
    def _gives_each_key_one_meaning(self) -> "House":
        consent = self.hold.consent
        said: dict[str, Path] = {}
        for path, key in (
            (("hold", "consent", "yes"), consent.yes),
            (("hold", "consent", "no"), consent.no),
            *((("recall", "offers", nth, "key"), each.key) for nth, each in enumerate(self.recall.offers)),
        ):
            if key in said:
                what = "the keys of recall.offers and of hold.consent must all differ; {!r} is given twice"
                raise WrongAt(what.format(key), path, said[key])
            said[key] = path
        return self

    @property
    def bases(self) -> tuple[Base, ...]:
        """The houses that it extends, the nearest first."""
        return self._bases

    def over(self, *bases: Base) -> "House":
        """The same house, known to extend others."""
        house = self.model_copy()
        house._bases = bases
        return house

    def enforces(self, rule: str) -> bool:
        return self.mode(rule) == "enforce"

    def observes(self, rule: str) -> bool:
        """Whether it is only noted what the rule would do."""
        return self.mode(rule) == "observe"

    @property
    def observes_any(self) -> bool:
        """Whether any rule is only noted."""
        return "observe" in self.rules.values()

    def mode(self, rule: str) -> Mode:
        return self.rules.get(rule, "enforce")

    def in_mode(self, mode: Mode) -> "House":
        """The same house in another mode: one switch for everything, whatever was said before.

        What the house itself does not enforce stays so under a switch for more, unless somebody has named
        that rule.
        """
        own = self._given_back
        return self._with({rule: _less(mode, own.get(rule, "enforce")) for rule in CARRIED}, own)

    def in_modes(self, modes: Mapping[str, Mode]) -> "House":
        """The same house with the rules that are named in other modes."""
        if not modes:
            return self
        enforced: dict[str, Mode] = {rule: mode for rule, mode in modes.items() if mode == "enforce"}
        return self._with(self.rules | dict(modes), self._given_back | enforced)

    @property
    def _given_back(self) -> dict[str, Mode]:
        return self.rules if self._own is None else self._own

    def _with(self, rules: dict[str, Mode], own: dict[str, Mode]) -> "House":
        house = self.model_copy(update={"rules": rules})
        house._own = own
        return house

    @property
    def as_if_enforced(self) -> "House":
        """The same house, with what is only observed in force, and all else not."""
        modes: dict[str, Mode] = {
            rule: "enforce" if self.mode(rule) == "observe" else "off" for rule in CARRIED
        }
        return self.model_copy(update={"rules": modes})

    @property
    def hold_in_force(self) -> tuple[HoldManners, RecallManners]:
        """The hold without the words of rules that are not in force."""
        hold, recall = self.hold, self.recall
        if not self.enforces(hold.rules.remind):
            hold = hold.model_copy(update={"every": NEVER})
        if hold.estimate and not self.enforces(hold.estimate.rule):
            hold = hold.model_copy(update={"estimate": None})
        if not self.enforces(hold.rules.back):
            recall = recall.model_copy(update={"back": ()})
        return hold, recall

    @property
    def joining_in_force(self) -> JoiningManners:
        """The greeting without what is not in force: the apology, the trainee's, the short one."""
        joining = self.joining
        update: dict[str, object] = {} if self.enforces("csr-16") else {"late_after": NEVER}
        if joining.trainee and not self.enforces(joining.trainee.rule):
            update["trainee"] = None
        if joining.overflow and not self.enforces(joining.overflow.rule):
            update["overflow"] = None
        return joining.model_copy(update=update)

    @property
    def transfer_in_force(self) -> TransferManners:
        """The transfer without what is not in force: the seat's own words, what is said of who is away."""
        transfer, update = self.transfer, dict[str, object]()
        for name in ("own_words", "away", "too_often"):
            part = getattr(transfer, name)
            if part and not self.enforces(part.rule):
                update[name] = None
        return transfer.model_copy(update=update)

    def without(self, *rules: str) -> "House":
        """The same house with `rules` switched off."""
        return self.model_copy(update={"rules": self.rules | dict.fromkeys(rules, "off")})

    @property
    def prompt_uses(self) -> tuple[PromptUse, ...]:
        """Every place where the house names a prompt."""
        return tuple(prompt_uses(self))

    def is_needed(self, use: PromptUse, *, with_seats: bool) -> bool:
        """Whether such a use comes up in calls; `with_seats`: callers meet a queue or a seat."""
        return with_seats or use.path[0] not in _WITH_SEATS

    @property
    def prompts(self) -> frozenset[str]:
        """Every prompt that the rules may say to a caller who meets no queue and no seat."""
        return frozenset(use.key for use in self.prompt_uses if self.is_needed(use, with_seats=False))

    @property
    def all_prompts(self) -> frozenset[str]:
        """Every prompt that the rules may say."""
        return frozenset(use.key for use in self.prompt_uses)


def _less(one: Mode, other: Mode) -> Mode:
    """The mode of the two in which less is done."""
    return max(one, other, key=MODES.index)
