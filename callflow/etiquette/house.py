"""A house: one document's etiquette, as the parameters and words of all rules.

A house is written in YAML; it may extend another and then says only what differs. The text comes
in as a `Document`: who reads the file is not this floor's business.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, get_args

import pydantic

from callflow.document import Document, Shape, did_you_mean
from callflow.errors import SourceError
from callflow.etiquette.parameters import (
    AnsweringManners,
    ClosingManners,
    HoldManners,
    JoiningManners,
    NuisanceManners,
    PromptKey,
    QueueManners,
    RecallManners,
    SeatClosingManners,
    SeatsWordsManners,
    SilentLineManners,
    TransferManners,
    UnclearLineManners,
)

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


class House(Shape):
    """One etiquette, whole."""

    version: Annotated[Literal[1], pydantic.Field(alias="callflow-house")]
    name: PromptKey
    title: str
    extends: str | None = None
    rules: dict[str, Mode] = pydantic.Field(default_factory=dict)
    """What is switched off; a rule that is not named is enforced."""
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

    @pydantic.model_validator(mode="after")
    def _gives_each_key_one_meaning(self) -> "House":
        keys = [offer.key for offer in self.recall.offers]
        if len({*keys, self.hold.consent.yes, self.hold.consent.no}) < len(keys) + 2:
            raise ValueError("the keys of recall.offers and of hold.consent must all differ")
        return self

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
    def prompts(self) -> frozenset[str]:
        """Every prompt that the carried rules may say."""
        closing = self.closing
        words = {closing.anything_else, closing.hint, closing.goodbye, closing.hanging_up}
        return frozenset({self.answering.greeting, *words}) | self.line_prompts

    @property
    def line_prompts(self) -> frozenset[str]:
        """Every prompt that a caller may hear who cannot be made out."""
        silent, unclear = self.silent_line, (self.faint_line, self.noisy_line, self.no_response)
        words = {prompt for manners in unclear if manners for prompt in manners.prompts}
        return frozenset({*silent.prompts, silent.our_fault, *words})

    @property
    def waiting_prompts(self) -> frozenset[str]:
        """Every prompt that the hold, and a seat that hangs up first, may say besides the closing."""
        hold, recall = self.hold, self.recall
        words = {*hold.question, hold.hint, hold.thanks, hold.going_on, hold.reminder, *recall.back}
        words |= {self.queue.first, self.queue.again} | ({self.queue.place} if self.queue.place else set())
        words |= {self.joining.greeting, self.joining.late}
        words |= self.line_prompts | {self.seats_words.lift_handset, self.seats_words.apology}
        transfer = self.transfer
        words |= {
            *(transfer.question_elsewhere or ()),
            *transfer.question,
            transfer.hint,
            transfer.stays,
            transfer.waiting,
            *transfer.brief,
        }
        words |= {transfer.will_you_take_it, transfer.connecting, transfer.not_taken, transfer.caller_gone}
        words.add(transfer.done)
        words |= {self.nuisance.words, self.nuisance.leaving}
        some = (transfer.busy_waiting, transfer.who, transfer.matter, transfer.serving)
        words |= {word for word in some if word}
        if away := transfer.away:
            words |= {away.gone, away.back_in, away.offer}
        if transfer.own_words:
            words.add(transfer.own_words.ask)
        if transfer.too_often:
            words |= {*transfer.too_often.asks, transfer.too_often.thanks}
        words |= {hold.music} if hold.music else set()
        words |= {each.prompt for each in (self.joining.trainee, self.joining.overflow) if each}
        words |= {recall.calling, recall.not_reached, recall.gone, *(offer.prompt for offer in recall.offers)}
        return frozenset(words)


def _less(one: Mode, other: Mode) -> Mode:
    """The mode of the two in which less is done."""
    return max(one, other, key=MODES.index)


def read(document: Document, find: Callable[[str], Document]) -> House:
    """The house in `document`, laid over those it extends; `find` gives a house's document by name.

    Raises `SourceError` with every fault. A house that extends itself is a fault too.
    """
    return read_whole(document, find)[0]


def read_whole(document: Document, find: Callable[[str], Document]) -> tuple[House, Document]:
    """The same, with the document that it was read from: its own, and what it has from others."""
    document = _over_its_bases(document, find, ())
    house = document.read_as(House)
    unknown = [
        document.fault(("rules", rule), f"{rule!r} is not carried" + _known(rule), at_key=True)
        for rule in house.rules
        if rule not in CARRIED
    ]
    if unknown:
        raise SourceError(*unknown)
    return house, document


def _over_its_bases(document: Document, find: Callable[[str], Document], seen: tuple[str, ...]) -> Document:
    base = document.data.get("extends") if isinstance(document.data, dict) else None
    if base is None:
        return document
    if base in seen:
        raise SourceError(document.fault(("extends",), f"{base!r} extends itself"))
    return document.over(_over_its_bases(find(base), find, (*seen, base)))


def _known(rule: str) -> str:
    return did_you_mean(rule, list(CARRIED))
