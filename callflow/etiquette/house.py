"""A house: one document's etiquette, as the parameters and words of all rules.

A house is written in YAML; it may extend another and then says only what differs. The text comes
in as a `Document`: who reads the file is not this floor's business.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import pydantic

from callflow.document import Document, Duration, Shape, did_you_mean
from callflow.errors import SourceError
from callflow.events import LONGEST_ESTIMATE

CARRIED = (
    "csr-01", "csr-04", "csr-16", "csr-23", "csr-24", "csr-25", "csr-35", "csr-36",
    "gas-02", "gas-03", "gas-04", "gas-09", "gas-10", "gas-11",
    "log-02", "log-03",
    "crs-02", "crs-03", "crs-04", "crs-14",
    "hst-02", "hst-08",
)  # fmt: skip
"""The ids in rules.yaml that the controller carries so far, in their order there."""

Mode = Literal["enforce", "observe", "off"]
"""Whether a rule decides, only notes what it would have done, or is not there."""
NEVER = 86_400.0
"""Seconds; no call lasts so long."""

Pause = Annotated[Duration, pydantic.Field(gt=0, le=60)]
Patience = Annotated[Duration, pydantic.Field(gt=0, le=7200)]
PromptKey = Annotated[str, pydantic.Field(min_length=1)]
TelephoneKey = Annotated[str, pydantic.Field(pattern=r"^[0-9*#]$")]
RuleId = Annotated[str, pydantic.Field(pattern=r"^[a-z]+-[0-9]{2}$")]


class AnsweringManners(Shape):
    """csr-01."""

    greeting: PromptKey
    ring_for: Annotated[Duration, pydantic.Field(ge=0)]
    """Seconds from the call's arrival to our answer."""
    within: Pause
    """Seconds within which an answer is good."""
    settle: Annotated[Duration, pydantic.Field(ge=0, le=2)]
    """Seconds between the confirmed answer and the first word."""

    @pydantic.model_validator(mode="after")
    def _answers_in_time(self) -> "AnsweringManners":
        if self.ring_for >= self.within:
            raise ValueError("ring_for must be shorter than within")
        return self


class SilentLineManners(Shape):
    """csr-04."""

    greeting_again: PromptKey
    no_sound: PromptKey
    pause: Pause
    repeat_after_greeting: Annotated[int, pydantic.Field(ge=1, le=5)] = 1
    """How often greeting_again is said; the answering greeting comes before it."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """What is said after the greeting, in order."""
        return (self.greeting_again,) * self.repeat_after_greeting + (self.no_sound,)


class ClosingManners(Shape):
    """csr-35, csr-36."""

    anything_else: PromptKey
    hint: PromptKey
    """Which key brings help; said after anything_else."""
    goodbye: PromptKey
    hanging_up: PromptKey
    help_key: TelephoneKey
    answer_within: Pause
    """Seconds that the caller has to answer anything_else."""
    pause: Pause
    """Seconds between the last words and the release."""
    short_sound: Pause
    """A sound shorter than this (seconds) is taken for thanks and goodbye."""
    hear_out: Pause
    """Seconds of unbroken sound after which the hint is given although the caller still speaks."""


class ConsentManners(Shape):
    """How a caller is asked, and what counts as an answer."""

    by: Annotated[tuple[Literal["key", "seat", "voice"], ...], pydantic.Field(min_length=1)]
    yes: TelephoneKey
    no: TelephoneKey
    within: Pause
    """Seconds to answer, from the end of the hint."""
    asks: Annotated[int, pydantic.Field(ge=1, le=5)]

    @pydantic.model_validator(mode="after")
    def _tells_yes_from_no(self) -> "ConsentManners":
        if self.yes == self.no:
            raise ValueError("yes and no must be different keys")
        return self


class Offer(Shape):
    """What a caller may have instead of waiting."""

    key: TelephoneKey
    prompt: PromptKey
    leads_to: Literal["callback", "message", "closing"]


class RecallManners(Shape):
    """How a seat is called back to a caller who waits."""

    calling: PromptKey
    not_reached: PromptKey
    gone: PromptKey
    """The apology when the seat is not there any more."""
    back: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)]
    """What both hear before they are joined again."""
    ring_for: Pause
    offer_for: Pause
    """Seconds between a recall that failed and the queue."""
    offers: tuple[Offer, ...]
    """The first with the recall, the second when it failed; every key that was named goes on working."""


class HoldRules(Shape):
    """Under which ids of rules.yaml the house's hold stands."""

    ask: RuleId
    remind: RuleId
    back: RuleId


class Estimate(Shape):
    """crs-04: a wait over 30 s is announced in minutes."""

    rule: RuleId
    minutes: Annotated[int, pydantic.Field(ge=1, le=LONGEST_ESTIMATE)]
    """What the question names where the seat names nothing."""


class HoldManners(Shape):
    """csr-23; gas-09 to gas-11; log-02, log-03; crs-03, crs-04, crs-14; hst-02."""

    rules: HoldRules
    consent: ConsentManners
    question: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)]
    """The reason, where the house gives one, and the question."""
    hint: PromptKey
    refusing: Literal["no", "callback"]
    """What the refusal means: no more than that, or the choice to be called back."""
    estimate: Estimate | None = None
    thanks: PromptKey
    going_on: PromptKey
    """What both hear when the caller will not wait and the seat never went away."""
    every: Pause
    """Seconds from the start of one word to the start of the next while the caller waits."""
    reminder: PromptKey
    music: PromptKey | None = None
    offers_from: Annotated[int, pydantic.Field(ge=1, le=100)] | None = None
    """With which reminder the first of recall.offers is named too, and then with each; None: with none."""
    consent_lasts: Annotated[Duration, pydantic.Field(ge=0, le=600)]
    """Seconds for which a consent is good for another hold; 0: every hold is asked for."""
    warn_after: Patience
    recall_after: Patience
    escalate_after: Patience

    @pydantic.model_validator(mode="after")
    def _leaves_nobody_without_a_word(self) -> "HoldManners":
        # A caller who speaks is heard out for half the time again.
        if self.consent.within * 1.5 > self.every:
            raise ValueError("consent.within must not be longer than two thirds of every")
        if not self.warn_after <= self.recall_after < self.escalate_after:
            raise ValueError("warn_after, recall_after and escalate_after must come in this order")
        return self


class SeatClosingManners(Shape):
    """csr-36, gas-04, hst-08: the seat has hung up, the caller has not."""

    rule: RuleId
    pause: Pause
    """Seconds between the seat's hang-up and the first word of the closing."""
    lost_after: Patience
    """A seat that was not heard for so long (seconds) before it hung up was lost, not finished."""
    least_talk: Annotated[Duration, pydantic.Field(ge=0, le=600)]
    """A conversation shorter than this (seconds) was not finished either."""


class TransferManners(Shape):
    """csr-24; crs-05, crs-10, hst-03: how a caller comes to another seat."""

    rule: RuleId
    question: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)]
    """With the target's number."""
    hint: PromptKey
    every: Pause
    """Seconds from the start of one word to the start of the next while the target is looked for."""
    waiting: PromptKey
    ring_for: Pause
    brief: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)]
    """What the target hears of the call, with the number of the seat that transfers it."""
    will_you_take_it: PromptKey
    """Names both keys."""
    take: TelephoneKey = "1"
    decline: TelephoneKey = "2"
    within: Pause = 8.0
    asks: Annotated[int, pydantic.Field(ge=1, le=5)] = 2
    connecting: PromptKey
    """What caller and target hear before they are joined."""
    not_taken: PromptKey
    """What the caller hears whom the target did not take."""
    stays: PromptKey
    """What caller and seat hear where the caller does not want it."""
    most: Annotated[int, pydantic.Field(ge=1, le=9)] = 2
    """How often one call may be transferred (crs-10)."""

    @pydantic.model_validator(mode="after")
    def _tells_yes_from_no(self) -> "TransferManners":
        if self.take == self.decline:
            raise ValueError("take and decline must be different keys")
        return self


class QueueManners(Shape):
    """crs-02: what a caller hears who waits for a seat."""

    first: PromptKey
    first_after: Annotated[Duration, pydantic.Field(ge=0, le=30)]
    """Seconds; who is picked up sooner hears nothing of a queue."""
    again: PromptKey
    place: PromptKey | None = None
    """In its place where others are served before: it says how many."""
    every: Pause
    """Seconds from the start of one word to the start of the next."""


class TraineesGreeting(Shape):
    """gas-03: what a trainee's caller hears in the greeting's place."""

    rule: RuleId
    prompt: PromptKey


class ShortGreeting(Shape):
    """gas-02: what is left of the greeting while other callers wait."""

    rule: RuleId
    prompt: PromptKey


class JoiningManners(Shape):
    """csr-01, csr-16, gas-02, gas-03: what both hear when a seat has picked up."""

    greeting: PromptKey
    """With the seat's number."""
    late: PromptKey
    late_after: Pause
    """Seconds of waiting after which the greeting is the apology."""
    trainee: TraineesGreeting | None = None
    overflow: ShortGreeting | None = None


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
    closing: ClosingManners
    hold: HoldManners
    recall: RecallManners
    transfer: TransferManners
    seat_closing: SeatClosingManners
    queue: QueueManners
    joining: JoiningManners

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

    def mode(self, rule: str) -> Mode:
        return self.rules.get(rule, "enforce")

    def in_mode(self, mode: Mode) -> "House":
        """The same house with all that is enforced in another mode: one switch for everything."""
        rules = {rule: mode if self.enforces(rule) else self.mode(rule) for rule in CARRIED}
        return self.model_copy(update={"rules": rules})

    def in_modes(self, modes: Mapping[str, Mode]) -> "House":
        """The same house with some rules in other modes."""
        return self.model_copy(update={"rules": self.rules | dict(modes)}) if modes else self

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

    def without(self, *rules: str) -> "House":
        """The same house with `rules` switched off."""
        return self.model_copy(update={"rules": self.rules | dict.fromkeys(rules, "off")})

    @property
    def prompts(self) -> frozenset[str]:
        """Every prompt that the carried rules may say."""
        closing = self.closing
        words = {closing.anything_else, closing.hint, closing.goodbye, closing.hanging_up}
        return frozenset({self.answering.greeting, *self.silent_line.prompts, *words})

    @property
    def waiting_prompts(self) -> frozenset[str]:
        """Every prompt that the hold, and a seat that hangs up first, may say besides the closing."""
        hold, recall = self.hold, self.recall
        words = {*hold.question, hold.hint, hold.thanks, hold.going_on, hold.reminder, *recall.back}
        words |= {self.queue.first, self.queue.again} | ({self.queue.place} if self.queue.place else set())
        words |= {self.joining.greeting, self.joining.late}
        transfer = self.transfer
        words |= {*transfer.question, transfer.hint, transfer.stays, transfer.waiting, *transfer.brief}
        words |= {transfer.will_you_take_it, transfer.connecting, transfer.not_taken}
        words |= {hold.music} if hold.music else set()
        words |= {each.prompt for each in (self.joining.trainee, self.joining.overflow) if each}
        words |= {recall.calling, recall.not_reached, recall.gone, *(offer.prompt for offer in recall.offers)}
        return frozenset(words)


def read(document: Document, find: Callable[[str], Document]) -> House:
    """The house in `document`, laid over those it extends; `find` gives a house's document by name.

    Raises `SourceError` with every fault. A house that extends itself is a fault too.
    """
    document = _over_its_bases(document, find, ())
    house = document.read_as(House)
    unknown = [
        document.fault(("rules", rule), f"{rule!r} is not carried" + _known(rule), at_key=True)
        for rule in house.rules
        if rule not in CARRIED
    ]
    if unknown:
        raise SourceError(*unknown)
    return house


def _over_its_bases(document: Document, find: Callable[[str], Document], seen: tuple[str, ...]) -> Document:
    base = document.data.get("extends") if isinstance(document.data, dict) else None
    if base is None:
        return document
    if base in seen:
        raise SourceError(document.fault(("extends",), f"{base!r} extends itself"))
    return document.over(_over_its_bases(find(base), find, (*seen, base)))


def _known(rule: str) -> str:
    return did_you_mean(rule, list(CARRIED))
