"""What to do: the imperative that all floors share. An action is a wish; its fact comes back as an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callflow.events import Ending, Outcome, Party
from callflow.facts import Detail


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do; the root of this file."""


@dataclass(frozen=True, slots=True)
class Ring(Action):
    """Tell the caller's side that the call has been found (180)."""


@dataclass(frozen=True, slots=True)
class Progress(Action):
    """Let the caller hear us before the answer, where its side has offered audio (183); else ring (180)."""


@dataclass(frozen=True, slots=True)
class Answer(Action):
    """Pick up (200)."""


@dataclass(frozen=True, slots=True)
class Say(Action):
    """Speak a prompt; what is being said is stopped first."""

    prompt: str
    rule: str | None = None
    """The etiquette rule that prescribes the words, e.g. `csr-04`."""
    to: tuple[Party, ...] = (Party.CALLER,)
    """Who hears it; `PromptFinished` tells when the caller has."""
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the prompt's slots are filled with, where the call knows it and the configuration does not."""
    secret: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    """The same of what nobody can know before the call, and nobody but the caller shall: personal data."""


@dataclass(frozen=True, slots=True)
class StopSaying(Action):
    """Fall silent at once, in the middle of a word if need be."""


@dataclass(frozen=True, slots=True)
class ListenClosely(Action):
    """Let a second pair of ears hear the caller's line from now on: the call may be ended for its silence."""


@dataclass(frozen=True, slots=True)
class AskOpinion(Action):
    """Ask the second pair of ears whether it has heard a person since; `OpinionGiven` answers."""


@dataclass(frozen=True, slots=True)
class ListenNoLonger(Action):
    """The second pair of ears is needed no more."""


@dataclass(frozen=True, slots=True)
class CheckLine(Action):
    """A caller who was asked something has given no answer and no sound: is anybody there?"""


@dataclass(frozen=True, slots=True)
class SetVolume(Action):
    """How loud the caller hears the seat."""

    decibels: int
    """Above what its phone sends; 0 to 12."""


@dataclass(frozen=True, slots=True)
class HangUp(Action):
    """Release the caller."""

    reason: Ending
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Conclude(Action):
    """A rule's machine is at its end."""

    rule: str | None
    """None where what it did is prescribed by no rule."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Greet(Action):
    """Begin the greeting of the house, and with it the watch for a silent line."""


@dataclass(frozen=True, slots=True)
class Close(Action):
    """Begin the closing of the house."""


@dataclass(frozen=True, slots=True)
class FindSeat(Action):
    """Let the caller wait in a queue until a seat picks up."""

    queue: str
    unanswered: bool = False
    """Whether a caller who is not answered yet is answered only then."""
    matter: str = ""
    """Why callers come there, where that is known."""


@dataclass(frozen=True, slots=True)
class TakeNumber(Action):
    """Ask the caller for a telephone number, to be called back."""

    asks: tuple[str, ...]
    """The question, and how it is answered by key; the last is said again where that is needed."""
    read_back: str
    """Says the number in its slot `number`, and how it is confirmed by key."""
    thanks: str
    rule: str | None = None
    """The etiquette rule that prescribes the question."""


@dataclass(frozen=True, slots=True)
class TakeMessage(Action):
    """Let the caller leave a message."""

    asks: str
    """Said before the tone."""
    taken: str
    not_taken: str
    at_most: float
    """Seconds that the message may last."""


@dataclass(frozen=True, slots=True)
class Beep(Action):
    """Sound a tone."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RecordMessage(Action):
    """Keep what the caller says from now on."""


@dataclass(frozen=True, slots=True)
class StoreMessage(Action):
    """The message is spoken: keep it for good. `MessageStored` or `MessageFailed` tells what came of it."""


class Notice(StrEnum):
    """What a seat is told on its display and its page while a caller waits."""

    ASKING = "asking"
    """The caller is being asked."""
    CALLER_WAITS = "caller_waits"
    """The caller agreed and is held."""
    CALLER_WILL_NOT_WAIT = "caller_will_not_wait"
    CALLER_WANTS_CALLBACK = "caller_wants_callback"
    CALLER_STAYS = "caller_stays"
    """The caller does not want to be transferred."""
    TARGET_RINGS = "target_rings"
    TARGET_NOT_THERE = "target_not_there"
    """The target did not take the call."""
    TOO_OFTEN = "too_often"
    """The call has been transferred as often as the house lets it be."""
    SAY_BRIEF = "say_brief"
    """The caller agreed; the seat is to say what the target shall know."""
    TAKEN_BACK = "taken_back"
    """The seat has the caller again, before the target has agreed."""
    CALLER_WAITS_LONG = "caller_waits_long"
    PHONE_ON_HOLD = "phone_on_hold"
    """The seat wants the caller back, but its own phone holds us: only its own key undoes that."""


@dataclass(frozen=True, slots=True)
class Note(Action):
    """Write a fact into the ledger. What follows in the same list is done only when it is written."""

    fact: str
    rule: str | None
    details: Mapping[str, Detail] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Keep(Action):
    """Write a fact to the journal; `FactKept` tells that it is on disk, and the call waits for that."""

    number: int
    note: Note


@dataclass(frozen=True, slots=True)
class Gate(Action):
    """Decide who of the two is not heard by the other; prompts are heard in any case."""

    shut: frozenset[Party]
    """Whose voice stops here; everybody else's passes."""


@dataclass(frozen=True, slots=True)
class BeginHold(Action):
    """The caller waits from now on: between the words there is music, or quiet."""

    music: str | None
    """What to play, or None for quiet."""


@dataclass(frozen=True, slots=True)
class EndHold(Action):
    """The caller waits no longer: the music stops."""


@dataclass(frozen=True, slots=True)
class TellSeat(Action):
    """Show the seat where the matter stands, by whatever its phone allows and on its page."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class TellSupervisor(Action):
    """Tell the supervisor on duty that this call needs somebody."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Recall(Action):
    """Ring the seat's phone anew, without auto-answer; `CancelRecall` comes in time."""

    ring_for: float
    """Seconds; what the INVITE's Expires may say."""


@dataclass(frozen=True, slots=True)
class CancelRecall(Action):
    """Stop ringing the seat; a leg that was answered in the same instant is ended."""


@dataclass(frozen=True, slots=True)
class ReplaceSeat(Action):
    """The leg that answered the recall is the seat's from now on; its old one is ended."""


@dataclass(frozen=True, slots=True)
class ReleaseSeat(Action):
    """End the seat's leg; the caller stays."""


@dataclass(frozen=True, slots=True)
class RingTarget(Action):
    """Ring the seat that is to take the call."""

    target: str
    queue: bool = False
    """Whether it is a queue: then whoever is free of it."""


@dataclass(frozen=True, slots=True)
class KeepWords(Action):
    """Sound a tone to the seat, and keep what it says from then on for the target."""


@dataclass(frozen=True, slots=True)
class WordsSpoken(Action):
    """The seat has said it: `WordsKept` tells that it can be played."""


@dataclass(frozen=True, slots=True)
class TellCallerGone(Action):
    """Those who are still on the line hear in one sentence that the caller has hung up."""


@dataclass(frozen=True, slots=True)
class DropTarget(Action):
    """Ring the target no longer, or end its leg: the call is not for it."""

    why: str


@dataclass(frozen=True, slots=True)
class JoinTarget(Action):
    """The target is the caller's seat from now on; the one before is let go of."""


@dataclass(frozen=True, slots=True)
class HandToQueue(Action):
    """Give the caller to the next free seat, before all who wait."""

    reason: str
