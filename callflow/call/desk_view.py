"""The words between a seat's page and the calls: what it may ask for, and what it is shown."""

from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What a page can ask for."""

    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    """Another seat shall take the call."""
    DESCRIBE = "describe"
    """Who calls, and why."""
    NUISANCE = "nuisance"
    """The caller wants nothing that the house does (csr-30)."""
    YES = "yes"
    """The caller said yes aloud."""
    NO = "no"
    ACCEPT = "accept"
    """The receiving seat of a transfer takes the caller."""
    DECLINE = "decline"
    READY = "ready"
    """The last call is written up, or the seat is back."""
    AWAY = "away"
    LOGIN = "login"
    """The seat sits at a phone from now on."""
    LOGOUT = "logout"
    LOUDER = "louder"
    SOFTER = "softer"
    APOLOGISE = "apologise"
    LIFT_HANDSET = "lift_handset"
    TOO_QUIET = "too_quiet"
    TOO_NOISY = "too_noisy"
    SILENT = "silent"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks for, and what it says beside."""

    act: Act
    minutes: int | None = None
    """How long the caller is to wait."""
    phone: str = ""
    """Where it logs in; empty for its own."""
    reason: str = ""
    """Why it is away."""
    target: str = ""
    """The number of the seat or queue that a call is to be transferred to."""
    own_words: bool = False
    """Whether the seat says itself what the target is to know."""
    surname: str = field(default="", repr=False)
    matter: str = ""


class Matter(StrEnum):
    """Where the question stands that the caller was asked."""

    NONE = ""
    ASKED = "asked"
    AGREED = "agreed"
    WAITS = "waits"
    WILL_NOT_WAIT = "will_not_wait"
    TRANSFER_ASKED = "transfer_asked"
    TARGET_RINGS = "target_rings"
    TARGET_ASKED = "target_asked"
    """It has picked up, and hears who comes."""
    NOT_TAKEN = "not_taken"
    LINE_CHECKED = "line_checked"
    """The caller is told that it cannot be made out, and will be released unless it is."""


@dataclass(frozen=True, slots=True)
class View:
    """One seat at one moment. Times are seconds."""

    seat: str
    state: str
    for_seconds: float
    caller: str = field(default="", repr=False)
    called: str = field(default="", repr=False)
    matter: str = ""
    matter_seconds: float = 0.0
    """How long the matter has stood so."""
    next_word_in: float | None = None
    """Until the waiting caller is spoken to again."""
    phone: str = ""
    """Where it is logged in; empty for nowhere."""
    reason: str = ""
    """Why it is away."""
    surname: str = field(default="", repr=False)
    """Who calls, as far as somebody has said so."""
    about: str = ""
    """What the call is about."""
    comes_from: str = ""
    """The seat that wants to transfer it here."""
    unheard: bool = False
    """Whether the caller does not hear the seat yet: the greeting is playing, or who comes is being told."""
    deaf: bool = False
    """Whether its phone is on its own hold."""
    target: bool = False
    """Whether the call is to be transferred to this seat."""
    asked: bool = False
    """Whether it has heard who comes, and its answer counts."""
