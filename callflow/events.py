"""What happened: the past tense that all floors share.

Times are not in the events: whoever hands one over says `now` beside it, in seconds of a monotonic clock.
Personal data is not in their `repr`, because that is what a traceback in a log shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, get_args

LONGEST_ESTIMATE = 30
"""Minutes; nobody is asked to wait on a line for longer."""
MOST_AHEAD = 30
"""Callers; where more are served before, no number is named."""


class Party(StrEnum):
    """Who does a thing in a call."""

    CALLER = "caller"
    SEAT = "seat"
    TARGET = "target"
    """The seat that a call is to be transferred to."""
    CALLFLOW = "callflow"


class Heard(StrEnum):
    """What the caller's line sounds like."""

    SOUND = "sound"
    SILENCE = "silence"


class LineState(StrEnum):
    """What the caller's line has been like of late, as far as it can be heard."""

    SPEECH = "speech"
    """A person can be made out."""
    SILENT = "silent"
    """Nothing, comfort noise, or a hum: no person."""
    FAINT = "faint"
    """A person who is too quiet to be made out, on a line that is quiet itself."""
    NOISY = "noisy"
    """Noise in which nobody could be made out."""
    TONE = "tone"
    """Busy tone, a fax, music: a machine."""
    ECHO = "echo"
    """Nothing but our own words, come back."""
    NO_PACKETS = "no_packets"
    """No audio comes at all."""


class LineWish(StrEnum):
    """What a seat that speaks with a caller can ask for about the caller's line."""

    LOUDER = "louder"
    """The caller finds the seat too quiet."""
    SOFTER = "softer"
    APOLOGISE = "apologise"
    """The words that go with it."""
    LIFT_HANDSET = "lift_handset"
    """The caller is on a loudspeaker and cannot be made out."""
    TOO_QUIET = "too_quiet"
    TOO_NOISY = "too_noisy"
    SILENT = "silent"
    STOP = "stop"
    """What was begun by one of the three before shall not go on."""


class Way(StrEnum):
    """How a seat asks for something: by a key of its phone, a feature code, its page, a command."""

    PHONE = "phone"
    """The phone's own hold: it has stopped listening, and the seat hears nobody."""
    CODE = "code"
    PAGE = "page"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; the root of this file."""


@dataclass(frozen=True, slots=True)
class CallArrived(Event):
    caller: str = field(repr=False)
    """The caller's number or name as signalled; personal data."""
    called: str = field(repr=False)
    """The number that was dialled."""
    trunk: str = ""
    """By which of the configured trunks, if by one."""
    withheld: bool = False
    """Whether the caller wants nobody to know the number."""


@dataclass(frozen=True, slots=True)
class CallAnswered(Event):
    """Our 200 OK has left."""


@dataclass(frozen=True, slots=True)
class CallConfirmed(Event):
    """The caller's ACK is here: both sides may speak."""


@dataclass(frozen=True, slots=True)
class PromptStarted(Event):
    prompt: str


@dataclass(frozen=True, slots=True)
class PromptFinished(Event):
    """The prompt was heard to its end; every pause counts from here."""

    prompt: str


@dataclass(frozen=True, slots=True)
class PromptStopped(Event):
    """The prompt was cut short by the controller."""

    prompt: str


@dataclass(frozen=True, slots=True)
class DigitPressed(Event):
    digit: str = field(repr=False)
    """One of 0-9, *, #, A-D; personal data."""

    def __post_init__(self) -> None:
        if len(self.digit) != 1 or self.digit not in "0123456789*#ABCD":
            raise ValueError(f"{self.digit!r} is not a telephone key")


@dataclass(frozen=True, slots=True)
class LineHeard(Event):
    """The line changed to another sound."""

    heard: Heard
    since: float
    """When the line truly began to sound so, in seconds of the same clock; a little before the event."""


@dataclass(frozen=True, slots=True)
class LineJudged(Event):
    """The line is found to be of another kind than it was."""

    state: LineState
    since: float
    """When it truly began to be so, in seconds of the same clock."""
    level: float | None = None
    """dBFS of what a person says, or where nobody speaks of all that is heard; None without packets."""
    floor: float | None = None
    """dBFS of what is heard between the words; None where that is not known yet."""


@dataclass(frozen=True, slots=True)
class PathJudged(Event):
    """What is known of a caller of whom nothing has come."""

    at_fault: bool
    """Whether it is our side that lets nothing through, and not the caller's telephone."""


@dataclass(frozen=True, slots=True)
class OpinionGiven(Event):
    """The answer to `AskOpinion`: did a second pair of ears hear a person?"""

    alive: bool
    by: str = "neural"
    """`neural`, `late` where it did not answer in time, or `strict`: the first ears' strictest reckoning.

    That is asked where no neural detector is at hand, and where it has heard nobody in something loud.
    """


@dataclass(frozen=True, slots=True)
class HeldByCaller(Event):
    """The caller's side holds the call: nobody there hears us."""


@dataclass(frozen=True, slots=True)
class ResumedByCaller(Event):
    """The caller is back."""


@dataclass(frozen=True, slots=True)
class ConversationOver(Event):
    """What the caller came for is done: the closing may begin."""


Ending = Literal[
    "silent_line", "faint_line", "noisy_line", "said_goodbye", "caller_stayed", "flow_over", "seat_hung_up",
    "call_limit", "service_stops", "no_media", "media_lost", "fault", "transferred",
    "cancelled", "expired", "no_ack", "no_prack", "no_refresh", "no_answer", "gone",
    "declined", "busy", "failed", "no_such_number",
]  # fmt: skip
"""Why a call ends, where that is not simply that a party has hung up."""
_ENDINGS: Final[Mapping[str, Ending]] = {ending: ending for ending in get_args(Ending)}


def ending_of(reason: str) -> Ending | Literal[""]:
    """The same of why a SIP session ended; empty for an ordinary BYE."""
    return "" if reason == "bye" else _ENDINGS.get(reason, "gone")


LOST_MEDIA: Final = "media_lost"
"""Why a call ends from whose caller nothing comes any more."""
NO_ACK: Final = "no_ack"
"""Why a call ends whose answer the caller's side has never acknowledged."""
WITHOUT_A_WORD: Final = (LOST_MEDIA, NO_ACK, "gone")
"""Ends that no caller has brought about by hanging up: the seat would wonder."""


@dataclass(frozen=True, slots=True)
class HungUp(Event):
    by: Party
    reason: Ending | Literal[""] = ""
    """A word for machines, such as `cancelled` or `no_ack`; empty for an ordinary BYE."""


@dataclass(frozen=True, slots=True)
class CallerLost(Event):
    """Nothing comes from the caller's side any more. It may hear us yet: it is told, and released."""


@dataclass(frozen=True, slots=True)
class SeatRinging(Event):
    """A seat's phone rings for the caller."""

    seat: str


@dataclass(frozen=True, slots=True)
class SeatDeclined(Event):
    """A seat did not take the call."""

    seat: str
    why: str
    """`declined` by a person, `busy`, `no_answer`, or `failed`."""


@dataclass(frozen=True, slots=True)
class SeatAnswered(Event):
    """A seat has picked up: the two are to be joined."""

    seat: str
    """Its number."""
    trainee: bool = False
    overflow: bool = False
    """Whether other callers still wait."""


@dataclass(frozen=True, slots=True)
class QueueMoved(Event):
    """The caller has another place in the queue."""

    ahead: int
    """How many others are served before."""


@dataclass(frozen=True, slots=True)
class NobodyThere(Event):
    """No seat can be found."""

    why: str
    """`no_seats` or `waited`."""


@dataclass(frozen=True, slots=True)
class HoldRequested(Event):
    """The seat wants the caller to wait; by `Way.PHONE` it is deaf from now on."""

    way: Way
    minutes: int | None = None
    """How long the seat expects the caller to wait, if it said so."""

    def __post_init__(self) -> None:
        if self.minutes is not None and not 1 <= self.minutes <= LONGEST_ESTIMATE:
            raise ValueError(f"{self.minutes} is no estimate in minutes; 1 to {LONGEST_ESTIMATE} is")


@dataclass(frozen=True, slots=True)
class SeatResumed(Event):
    """The seat wants the caller back; by `Way.PHONE` it hears again."""

    way: Way


@dataclass(frozen=True, slots=True)
class LineRequested(Event):
    """The seat wants something done about the caller's line, or said because of it."""

    wish: LineWish
    way: Way


@dataclass(frozen=True, slots=True)
class SeatHungUp(Event):
    """The seat's BYE is here, and answered."""

    talked: float
    """Seconds for which seat and caller were joined."""
    unheard: float
    """Seconds since the seat's last packet of audio."""
    by_fault: bool = False
    """Whether its phone has said that something failed."""


@dataclass(frozen=True, slots=True)
class SeatLost(Event):
    """The seat's phone is gone without a BYE: a keepalive was answered 408 or 481."""

    is_dead: bool = False
    """Whether nothing comes from the phone any more: then there is no use in ringing it."""


@dataclass(frozen=True, slots=True)
class RecallRinging(Event):
    """The seat's phone rings anew (180)."""


@dataclass(frozen=True, slots=True)
class RecallAnswered(Event):
    """The seat has picked up the new call: this leg takes the place of its old one."""


@dataclass(frozen=True, slots=True)
class RecallFailed(Event):
    """The seat's phone was busy, refused, or cannot be reached."""

    status: int
    """The SIP answer, 300 to 699."""


@dataclass(frozen=True, slots=True)
class AnswerAttested(Event):
    """The seat heard the caller's spoken answer and says with a key what it was."""

    yes: bool
    seat: str
    """The seat's number."""


@dataclass(frozen=True, slots=True)
class FactKept(Event):
    """The journal has a fact on disk that the call waits for."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageStored(Event):
    """The message that the caller has spoken is a file."""


@dataclass(frozen=True, slots=True)
class MessageFailed(Event):
    """Nothing came of the caller's message."""


@dataclass(frozen=True, slots=True)
class AnswerRecognised(Event):
    """A recogniser understood the caller's spoken answer."""

    yes: bool


@dataclass(frozen=True, slots=True)
class TransferRequested(Event):
    """The seat wants the call transferred: that question takes the place of any other."""

    target: str = ""
    """The number of the seat, or the name of the queue, that is to take it."""
    way: Way = Way.PHONE
    spoken: str = ""
    """How the caller is told whom; empty for the number."""
    queue: bool = False
    """Whether whoever is free of a queue is to take it."""
    upwards: bool = False
    """Whether it goes to the supervisor on duty."""
    own_words: bool = False
    """Whether the seat says itself what the target is to know."""
    elsewhere: bool = False
    """Whether the target is none of the house's seats."""

    @property
    def name(self) -> str:
        """What stands in the question's slot."""
        return self.spoken or self.target


@dataclass(frozen=True, slots=True)
class CallerDescribed(Event):
    """Who calls and why, for whoever is to take the call: so the caller never says it twice (crs-05)."""

    surname: str = field(default="", repr=False)
    """Personal data."""
    matter: str = ""
    sayable: frozenset[str] = frozenset()
    """Which of the two there is a recording of: `surname`, `matter`."""


@dataclass(frozen=True, slots=True)
class WordsKept(Event):
    """What the seat has said for the target can be played; nothing where it said nothing."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NuisanceCalled(Event):
    """The seat finds that the caller wants nothing that the house does (csr-30)."""


@dataclass(frozen=True, slots=True)
class TargetBusy(Event):
    """Nobody of the queue is free: the caller waits for whoever is first."""


@dataclass(frozen=True, slots=True)
class TargetRinging(Event):
    """The target's phone rings."""


@dataclass(frozen=True, slots=True)
class TargetAnswered(Event):
    """The target has picked up; that is no agreement yet."""


@dataclass(frozen=True, slots=True)
class TargetDeclined(Event):
    """The target does not take the call, or cannot be reached."""

    why: str
    """`declined`, `busy`, `no_answer`, `away` or `failed`."""
    back_in: int | None = None
    """Minutes until the target is back who is away, where that is known."""


@dataclass(frozen=True, slots=True)
class TargetHungUp(Event):
    """The target had picked up, and is gone."""


@dataclass(frozen=True, slots=True)
class OfTarget(Event):
    """Something that happened at the target's phone: so that its keys and words are not the caller's."""

    event: Event


@dataclass(frozen=True, slots=True)
class OfSeat(Event):
    """Something that happened at the seat's phone while the seat speaks for the target alone."""

    event: Event


@dataclass(frozen=True, slots=True)
class TransferRefused(Event):
    """The call stays with the seat, because the caller or the target said no or the transfer failed."""

    unhearing: bool
    """Whether the seat's phone is on its own hold."""


@dataclass(frozen=True, slots=True)
class RuleConcluded(Event):
    """A rule's machine has come to its end and says how; the flow goes on from there."""

    outcome: "Outcome"


class Outcome(StrEnum):
    """How a rule's machine ended."""

    GREETED = "greeted"
    ALIVE = "alive"
    """The caller was heard or pressed a key."""
    SILENT = "silent"
    FAINT = "faint"
    """Too quiet to the end."""
    NOISY = "noisy"
    STOPPED = "stopped"
    """The seat that had the line checked has taken that back, or wants something else."""
    UNCHECKED = "unchecked"
    """A caller who gave no answer was heard meanwhile, or the house has no words for that."""
    HELP_WANTED = "help_wanted"
    RELEASED = "released"
    JOINED = "joined"
    """Seat and caller hear each other."""
    SEAT_LEFT = "seat_left"
    """The seat hung up or was lost while nothing else went on."""
    SEAT_BACK = "seat_back"
    """Seat and caller are joined again."""
    QUEUED = "queued"
    """The caller is at the head of the queue."""
    CALLBACK_WANTED = "callback_wanted"
    MESSAGE_WANTED = "message_wanted"
    CLOSING_WANTED = "closing_wanted"
    """The caller will call again."""
    PICKED_UP = "picked_up"
    """A caller who waited before the answer can hear whom it waited for."""
    NUMBER_TAKEN = "number_taken"
    NUMBER_NOT_TAKEN = "number_not_taken"
    MESSAGE_OVER = "message_over"
    """The caller has spoken, and knows whether it was kept."""
    TRANSFERRED = "transferred"
    """Caller and target speak with each other."""
    TRANSFER_FAILED = "transfer_failed"
    """The caller stays with the seat that wanted to transfer."""
    TRANSFEROR_GONE = "transferor_gone"
    """The same, but that seat has hung up."""
    TOO_OFTEN = "too_often"
    """A number was taken in place of one more transfer."""
    ATTENDANT_WANTED = "attendant_wanted"
    """The caller is left to what needs no seat."""
    YIELDED = "yielded"
    """Another rule speaks with the caller now."""
