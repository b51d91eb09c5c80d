"""The parameters and words of each rule, as a house's YAML says them."""

from typing import Annotated, Literal

import pydantic

from callflow.document import Duration, Form, Shape
from callflow.events import LONGEST_ESTIMATE
from callflow.prompt_keys import (
    AheadPrompt,
    MatterPrompt,
    MinutesPrompt,
    NumberPrompt,
    PromptKey,
    SeatPrompt,
    SurnamePrompt,
    TargetPrompt,
)

Pause = Annotated[Duration, pydantic.Field(gt=0, le=60)]
Patience = Annotated[Duration, pydantic.Field(gt=0, le=7200)]
TelephoneKey = Annotated[
    str, pydantic.Field(pattern=r"^[0-9*#]$"), Form("a key of a telephone: one of 0 to 9, * and #")
]
RuleId = Annotated[str, pydantic.Field(pattern=r"^[a-z]+-[0-9]{2}$"), Form("the id of a rule, as csr-04")]


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
    """csr-04, gas-05."""

    rule: RuleId
    greeting_again: PromptKey
    asks: tuple[PromptKey, ...] = ()
    """What is said after it, where the house has more to say before the last words."""
    no_sound: PromptKey
    our_fault: PromptKey
    """In place of the last words where the line is silent by a fault that is not the caller's."""
    pause: Pause
    repeat_after_greeting: Annotated[int, pydantic.Field(ge=1, le=5)] = 1
    """How often greeting_again is said; the answering greeting comes before it."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """What is said after the greeting, in order."""
        return (self.greeting_again,) * self.repeat_after_greeting + (*self.asks, self.no_sound)


class UnclearLineManners(Shape):
    """csr-06, csr-07, gas-06, log-04: what a caller hears who cannot be made out, before the end."""

    rule: RuleId
    asks: tuple[PromptKey, ...] = ()
    """What the caller is asked to do; after each the line is listened to."""
    listen: Pause = 5.0
    last: PromptKey
    pause: Pause
    """Seconds between the last words and the release."""

    @property
    def prompts(self) -> tuple[str, ...]:
        return (*self.asks, self.last)


class SeatsWordsManners(Shape):
    """csr-05, csr-10: what a seat has said for it with one key, and how loud the caller hears it."""

    lift_handset: PromptKey
    """csr-05."""
    apology: PromptKey
    """csr-10, before the volume is raised."""
    most: Annotated[int, pydantic.Field(ge=3, le=12)] = 12
    """Decibels by which the seat is heard louder at most."""


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
    question: Annotated[tuple[MinutesPrompt, ...], pydantic.Field(min_length=1)]
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


class AwayManners(Shape):
    """crs-06: whom the caller was to be put through to is away."""

    rule: RuleId
    gone: PromptKey
    """Says so, and nothing worse."""
    back_in: MinutesPrompt
    """When about the target is back, with the minutes."""
    offer: PromptKey
    """Names the key that brings a message."""
    key: TelephoneKey
    within: Pause
    """Seconds to press it, from the end of the offer."""


class TooOftenManners(Shape):
    """crs-10: in place of one more transfer a number is taken, and the right person calls back."""

    rule: RuleId
    asks: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)]
    read_back: NumberPrompt
    thanks: PromptKey


class OwnWordsManners(Shape):
    """hst-05: the seat says itself what the target is to know."""

    rule: RuleId
    ask: PromptKey
    """What the seat hears before the tone."""
    at_most: Annotated[Duration, pydantic.Field(ge=1, le=10)]
    """Seconds."""


class NuisanceManners(Shape):
    """csr-30, gas-18: a caller who wants nothing that the house does."""

    rule: RuleId
    words: PromptKey
    wait: Pause
    """Seconds in which the caller may hang up."""
    leaving: PromptKey
    """What a caller hears who stays, and is left to the automatic attendant."""


class TransferManners(Shape):
    """csr-24; crs-05, hst-03: how a caller comes to another seat."""

    rule: RuleId
    upwards: RuleId | None = None
    """Under which rule it goes to the supervisor on duty; None for `rule`."""
    question: Annotated[tuple[TargetPrompt, ...], pydantic.Field(min_length=1)]
    """With the target's number."""
    question_elsewhere: Annotated[tuple[PromptKey, ...], pydantic.Field(min_length=1)] | None = None
    """In its place where the target is none of the house's seats."""
    hint: PromptKey
    every: Pause
    """Seconds from the start of one word to the start of the next while the target is looked for."""
    waiting: PromptKey
    busy_waiting: PromptKey | None = None
    """In its place while nobody of a queue is free (hst-03)."""
    ring_for: Pause
    queue_for: Patience = 120.0
    """Seconds for which a queue is waited for."""
    own_words: OwnWordsManners | None = None
    brief: Annotated[tuple[SeatPrompt, ...], pydantic.Field(min_length=1)]
    """What the target hears of the call, with the number of the seat that transfers it."""
    who: SurnamePrompt | None = None
    """Says the caller's surname to the target (crs-05)."""
    matter: MatterPrompt | None = None
    """Says what the call is about."""
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
    serving: PromptKey | None = None
    """In its place where the target speaks with somebody else."""
    away: AwayManners | None = None
    stays: PromptKey
    """What caller and seat hear where the caller does not want it."""
    done: PromptKey = "transfer_done"
    """What a seat hears that still listens when its caller has been put through."""
    caller_gone: PromptKey = "caller_has_hung_up"
    """What seat and target hear when the caller has hung up meanwhile."""
    most: Annotated[int, pydantic.Field(ge=1, le=9)] = 2
    """How often one call may be transferred."""
    too_often: TooOftenManners | None = None

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
    place: AheadPrompt | None = None
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

    greeting: SeatPrompt
    """With the seat's number."""
    late: PromptKey
    late_after: Pause
    """Seconds of waiting after which the greeting is the apology."""
    trainee: TraineesGreeting | None = None
    overflow: ShortGreeting | None = None
