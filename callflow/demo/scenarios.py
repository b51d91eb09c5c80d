"""The calls that can be watched, each a caller's part and the end that it must come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from callflow.call import simulate
from callflow.events import Party
from callflow.facts import Fact


class Do(Enum):
    SPEAK = auto()
    PRESS = auto()
    HANG_UP = auto()


@dataclass(frozen=True, slots=True)
class Cue:
    """What the caller does, and when: so many seconds after the end of a prompt."""

    do: Do
    prompt: str
    after: float
    key: str = ""

    def simulated(self, speech: float) -> tuple[simulate.Act, ...]:
        """The same act on the virtual clock; `speech` is how long the caller speaks, in seconds."""
        match self.do:
            case Do.SPEAK:
                return simulate.speaks(self.after, mark=self.prompt, seconds=speech)
            case Do.PRESS:
                return (simulate.presses(self.key, self.after, mark=self.prompt),)
            case Do.HANG_UP:
                return (simulate.hangs_up(self.after, mark=self.prompt),)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call."""

    name: str
    title: str
    cues: tuple[Cue, ...]
    ended_by: Party
    reason: str
    must_say: tuple[str, ...]
    """The prompts that must have been heard to their end, in this order among others."""
    echo_db: float | None = None
    """The caller's phone gives back what it hears, at this level."""

    def faults(self, facts: list[Fact]) -> Iterator[str]:
        """In what the call did not go as it must."""
        ended = next((fact for fact in facts if fact.fact == "call.ended"), None)
        if ended is None:
            yield "the call never ended"
            return
        if (ended.details["by"], ended.details["reason"]) != (self.ended_by, self.reason):
            yield f"ended by {ended.details['by']} ({ended.details['reason'] or 'hung up'})"
        said = iter([fact.details["prompt"] for fact in facts if fact.fact == "prompt.finished"])
        for prompt in self.must_say:
            if prompt not in said:
                yield f"{prompt} was not said to its end, or out of order"
                return


SILENT = Scenario(
    "silent",
    "a caller whose line is silent",
    (),
    Party.CALLFLOW,
    "silent_line",
    ("greeting", "greeting_again", "no_sound"),
)
SPEAKER = Scenario(
    "speaker",
    "a caller who speaks in the second pause",
    (Cue(Do.SPEAK, "greeting_again", 2.0), Cue(Do.HANG_UP, "main_menu", 1.0)),
    Party.CALLER,
    "",
    ("greeting", "greeting_again", "main_menu"),
)
ECHO = Scenario(
    "echo",
    "a silent caller whose phone gives our words back at -20 dB",
    (),
    Party.CALLFLOW,
    "silent_line",
    ("greeting", "greeting_again", "no_sound"),
    echo_db=-20.0,
)
STAYER = Scenario(
    "stayer",
    "a caller who has been helped and does not hang up",
    (Cue(Do.PRESS, "greeting", 1.0, "1"),),
    Party.CALLFLOW,
    "caller_stayed",
    ("greeting", "opening_hours", "anything_else", "press_1_for_help", "hanging_up"),
)

DEMOS: dict[str, tuple[Scenario, ...]] = {
    "silent-line": (SILENT,),
    "speaks-up": (SPEAKER, ECHO),
    "no-hang-up": (STAYER,),
}
"""Demo → the calls it plays side by side."""
