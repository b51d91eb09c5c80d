"""What a flow may say: a start and named steps, each of which does one thing.

The manners are not in the flow. `greet` and `close` hand the caller to the house's rules and take
the caller back when those are done; a flow cannot make them shorter or leave a pause out.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import pydantic

from callflow.document import Duration, Form, Path, Shape
from callflow.prompt_keys import NumberPrompt, PromptKey, PromptUse, prompt_uses

Key = Annotated[
    str, pydantic.Field(pattern=r"^[0-9*#A-D]$"), Form("a key of a telephone: one of 0 to 9, *, #, A to D")
]
StepName = Annotated[
    str,
    pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$"),
    Form("a name of small letters, digits and _, as main_menu"),
]
Wait = Annotated[Duration, pydantic.Field(gt=0, le=120)]


class GreetStep(Shape):
    """Answer, greet, and watch for a silent line (csr-01, csr-04)."""

    do: Literal["greet"]
    next: StepName
    """Where a caller goes who was heard."""


class SayStep(Shape):
    """Say a prompt to its end."""

    do: Literal["say"]
    say: PromptKey
    next: StepName


class WrongKey(Shape):
    """What a caller hears who presses no key of the menu, or none at all."""

    say: PromptKey
    times: Annotated[int, pydantic.Field(ge=1, le=5)] = 2
    """How often the menu is said in all before the flow goes on."""
    then: StepName


class MenuStep(Shape):
    """Say a prompt and wait for one key; a key pressed during the prompt counts."""

    do: Literal["menu"]
    say: PromptKey
    keys: Annotated[dict[Key, StepName], pydantic.Field(min_length=1)]
    within: Wait
    """Seconds for the key, from the end of the prompt."""
    otherwise: WrongKey


class CloseStep(Shape):
    """The house's closing (csr-35, csr-36)."""

    do: Literal["close"]
    more: StepName
    """Where a caller goes who wants something else."""


class SeatStep(Shape):
    """Let the caller wait in a queue, and speak with whoever picks up."""

    do: Literal["seat"]
    queue: StepName
    """One of the configuration's."""
    answer: Literal["at_once", "with_seat"] = "at_once"
    """When the call is answered (200), and costs: `with_seat` lets the caller wait in early media (183)."""
    nobody: StepName
    """Where a caller goes for whom nobody is there."""
    next: StepName
    """Where a caller goes whom no seat serves any longer."""
    callback: StepName | None = None
    """Where a caller goes who would rather be called back than wait; `next` where it is not said."""
    message: StepName | None = None
    """Where a caller goes who would rather leave a message; `next` where it is not said."""
    attendant: StepName | None = None
    """Where a caller goes who wants nothing that a seat does (csr-30); `next` where it is not said."""
    matter: str = ""
    """Why callers come here, one of the list `matters` of the prompts: a second seat is told it."""


class TakeNumberStep(Shape):
    """Ask for a telephone number, read it back, and promise to call it (csr-25)."""

    do: Literal["take_number"]
    say: PromptKey
    hint: PromptKey | None = None
    """How to key the number, where `say` does not tell it; said after it, and alone from then on."""
    read_back: NumberPrompt = "number_is"
    """Says the number in its slot `number`."""
    thanks: PromptKey = "will_call_back"
    rule: Literal["csr-25"] | None = None
    """The rule whose words these are; where it is not in force, `otherwise` comes at once."""
    next: StepName
    otherwise: StepName
    """Where a caller goes who gives no number."""

    @property
    def asks(self) -> tuple[str, ...]:
        return (self.say, self.hint) if self.hint else (self.say,)


class MessageStep(Shape):
    """Let the caller leave a message after a tone; it is a file in the configuration's `recordings`."""

    do: Literal["message"]
    say: PromptKey = "message_after_tone"
    taken: PromptKey = "message_taken"
    not_taken: PromptKey = "message_not_taken"
    at_most: Annotated[Duration, pydantic.Field(ge=5, le=600)] = 120.0
    """Seconds that a message may last."""
    next: StepName


Step = Annotated[
    GreetStep | SayStep | MenuStep | SeatStep | TakeNumberStep | MessageStep | CloseStep,
    pydantic.Field(discriminator="do"),
]


class Limits(Shape):
    """What no call exceeds."""

    call: Annotated[Duration, pydantic.Field(ge=60)] = 1800.0
    """Seconds after which the closing begins, whatever the flow is doing."""


class Flow(Shape):
    """One call flow."""

    version: Annotated[Literal[1], pydantic.Field(alias="callflow")]
    name: StepName
    title: str
    house: str
    """The name of the etiquette that every call of this flow is held to."""
    limits: Limits = Limits()
    start: StepName
    steps: dict[StepName, Step]

    @property
    def queues(self) -> dict[tuple[str, ...], str]:
        """Every queue that callers wait in, by the place where it is named."""
        steps = self.steps.items()
        return {("steps", name, "queue"): step.queue for name, step in steps if isinstance(step, SeatStep)}

    @property
    def prompt_uses(self) -> tuple[PromptUse, ...]:
        """Every place where the flow itself names a prompt."""
        return tuple(prompt_uses(self))

    @property
    def prompts(self) -> dict[Path, str]:
        """Every prompt that the flow itself says, by the place where it says it."""
        return {use.path: use.key for use in self.prompt_uses}

    @property
    def matters(self) -> dict[tuple[str, ...], str]:
        """Why callers come where they wait, by the place where it is named."""
        steps = self.steps.items()
        return {
            ("steps", name, "matter"): step.matter
            for name, step in steps
            if isinstance(step, SeatStep) and step.matter
        }

    @property
    def read_back(self) -> frozenset[str]:
        """The prompts that say a number which nobody knows before the call."""
        return frozenset(step.read_back for step in self.steps.values() if isinstance(step, TakeNumberStep))

    @property
    def messages(self) -> list[tuple[str, ...]]:
        """The places of the steps that record callers."""
        return [("steps", name, "do") for name, step in self.steps.items() if isinstance(step, MessageStep)]


def ways_out(step: Step) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every step that `step` can lead to, with the place inside it where that is said."""
    match step:
        case GreetStep() | SayStep() | MessageStep():
            yield ("next",), step.next
        case TakeNumberStep():
            yield ("next",), step.next
            yield ("otherwise",), step.otherwise
        case CloseStep():
            yield ("more",), step.more
        case SeatStep():
            yield ("nobody",), step.nobody
            yield ("next",), step.next
            # What is not said is `next`.
            yield from (
                ((key,), to) for key in ("callback", "message", "attendant") if (to := getattr(step, key))
            )
        case MenuStep():
            for key, name in step.keys.items():
                yield ("keys", key), name
            yield ("otherwise", "then"), step.otherwise.then
