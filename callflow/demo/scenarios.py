"""The calls that can be watched, each a caller's part and the end that it must come to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from callflow.call import simulate
from callflow.etiquette.house import House
from callflow.events import LineState, Party
from callflow.facts import Fact


class Do(Enum):
    SPEAK = auto()
    MUMBLE = auto()
    """Speak too quietly to be made out."""
    SPEAK_UP = auto()
    """Speak so that it can be made out, on a line that is watched."""
    PRESS = auto()
    HANG_UP = auto()


@dataclass(frozen=True, slots=True)
class Cue:
    """What the caller does, and when: so many seconds after a prompt's end; without one, after the answer."""

    do: Do
    prompt: str
    after: float
    key: str = ""
    times: int = 1
    """How often the same is said without a break."""

    def simulated(self, speech: float) -> tuple[simulate.Act, ...]:
        """The same act on the virtual clock; `speech` is how long the caller speaks, in seconds."""
        match self.do:
            case Do.SPEAK:
                return simulate.speaks(self.after, mark=self.prompt, seconds=speech)
            case Do.MUMBLE:
                return self._judged(LineState.FAINT, speech * self.times)
            case Do.SPEAK_UP:
                return self._judged(LineState.SPEECH, speech)
            case Do.PRESS:
                return (simulate.presses(self.key, self.after, mark=self.prompt),)
            case Do.HANG_UP:
                return (simulate.hangs_up(self.after, mark=self.prompt or None),)

    def _judged(self, state: LineState, speech: float) -> tuple[simulate.Act, ...]:
        """A speech, found to be of a kind after half a second, and no more so two seconds after its end."""
        spoken = simulate.speaks(self.after, mark=self.prompt, seconds=speech)
        found = simulate.is_found(state, self.after + 0.5, mark=self.prompt)
        silent = simulate.is_found(LineState.SILENT, self.after + speech + 2.0, mark=self.prompt)
        return *spoken, found, silent


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
    noise_db: float | None = None
    """The caller's line is noise of this level (dBFS) from the answer on."""
    watched: bool = False
    """Whether the house's rules for faint and noisy lines are in force, which are only observed else."""

    def under(self, house: House) -> "Scenario":
        """The same in another house's words."""
        silent, faint, noisy = house.silent_line, house.faint_line, house.noisy_line
        words = {
            "greeting_again": silent.greeting_again,
            "no_sound": silent.no_sound,
            "speak_up": faint.asks[0] if faint.asks else faint.last,
            "too_quiet": faint.last,
            "too_noisy": noisy.last,
        }
        cues = tuple(replace(cue, prompt=words.get(cue.prompt, cue.prompt)) for cue in self.cues)
        return replace(self, cues=cues, must_say=tuple(words.get(said, said) for said in self.must_say))

    def manners(self, house: House) -> House:
        """The house with what must be in force."""
        return house.in_modes({rule: "enforce" for rule in self._watching(house)} if self.watched else {})

    def not_in_force(self, house: House) -> Iterator[str]:
        """Why the call may not go as it must: its rules that the house does not enforce."""
        for rule in dict.fromkeys(("csr-01", *self._watching(house), "csr-35", "csr-36")):
            if not house.enforces(rule):
                is_so = "only observed" if house.observes(rule) else "off"
                yield f"{rule} is {is_so} here: what is not enforced is not done"

    def _watching(self, house: House) -> tuple[str, ...]:
        """The rules about the line that the call shows."""
        if self.watched:
            return house.faint_line.rule, house.noisy_line.rule
        return (house.silent_line.rule,)

    def simulated(self, speech: float) -> list[simulate.Act]:
        """All the caller does, on the virtual clock; `speech` is how long it speaks, in seconds."""
        noise = [] if self.noise_db is None else [simulate.is_found(LineState.NOISY, 2.0)]
        return [*noise, *(act for cue in self.cues for act in cue.simulated(speech))]

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
QUIET = Scenario(
    "quiet",
    "a caller who is too quiet to be made out, and stays so",
    (Cue(Do.MUMBLE, "greeting", 1.0, times=4),),
    Party.CALLFLOW,
    "faint_line",
    ("greeting", "speak_up", "too_quiet"),
    watched=True,
)
QUIET_SPEAKS_UP = Scenario(
    "quiet-then-clear",
    "a caller who is too quiet, is asked to speak up, and does",
    (
        Cue(Do.MUMBLE, "greeting", 1.0),
        Cue(Do.SPEAK_UP, "speak_up", 1.0),
        Cue(Do.HANG_UP, "main_menu", 1.0),
    ),
    Party.CALLER,
    "",
    ("greeting", "speak_up", "main_menu"),
    watched=True,
)
NOISY = Scenario(
    "noisy",
    "a caller whose line is noise in which nobody is made out",
    (),
    Party.CALLFLOW,
    "noisy_line",
    ("greeting", "too_noisy"),
    noise_db=-30.0,
    watched=True,
)

DEMOS: dict[str, tuple[Scenario, ...]] = {
    "silent-line": (SILENT,),
    "speaks-up": (SPEAKER, ECHO),
    "no-hang-up": (STAYER,),
    "quiet-line": (QUIET,),
    "quiet-line-speaks-up": (QUIET_SPEAKS_UP,),
    "noisy-line": (NOISY,),
}
"""Demo → the calls it plays side by side."""
