"""One leg of a call: a SIP session and its audio, the caller's or a seat's."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from callflow.call.journal import DialogEntry, FactEntry, Journalled, LegEntry
from callflow.call.recorder import Message
from callflow.events import Party
from callflow.media.messages import Command, HearTones, IgnoreTones, MoveLeg, OpenLeg
from callflow.media.thresholds import Thresholds
from callflow.sip.address import Address
from callflow.sip.calls import Calls
from callflow.sip.happenings import Output
from callflow.sip.sdp import Agreed

Effect = Output | Command | Journalled | FactEntry | Message
"""What leaves the pure floors: messages, commands to the plane, things to count or write down, our faults."""


class Side(StrEnum):
    """Which part of the exchange a leg belongs to: what its phone says and what is heard of it goes there."""

    CALLER = "caller"
    SEAT = "seat"
    TARGET = "target"
    FROM_SEAT = "from_seat"
    """A seat's phone that calls, or whom it calls, until the answer; a service number; a supervisor."""
    FAREWELL = "farewell"
    """It hears a last sentence, and is in no call any more."""


IN_CALL: Final = frozenset({Side.CALLER, Side.SEAT, Side.TARGET})
"""The sides that take part in a caller's call."""


@dataclass(slots=True)
class Leg:
    """A party as the signalling and the plane know it."""

    call: str
    session: str
    media: int
    """The leg's number in the plane."""
    source: str
    """The IPv4 address that its signalling comes from."""
    remote: Address | None
    """Where its side said it wants its audio."""
    party: Party = Party.CALLER
    side: Side = Side.CALLER
    seat: str = ""
    """The seat's number, where it is one."""
    port: int = 0
    """The index of our UDP port that its audio comes to."""
    agreed: Agreed | None = None
    """None until the answer to our offer is here, where it is we who offered."""
    description: bytes = b""
    """What we said of our audio: the answer, or our offer."""
    offer: bytes = b""
    """What we have offered last, where it is we who offered."""
    ports_tried: int = 0
    """How many other ports it was offered without a packet from it."""
    descriptions: int = 1
    """How many session descriptions we have given."""
    is_open: bool = False
    hears_tones: bool = False
    """Whether the plane takes tones in its audio for keys."""
    quiet_since: float | None = None
    """Since when nothing has come from it at all; None while packets come."""
    trunk: str = ""
    """The name of the trunk by which the caller has come, if by one."""
    is_established: bool = False
    """Whether its dialog stands: answered, and acknowledged."""
    is_confirmed: bool = False
    """Whether the caller's side has acknowledged our answer."""
    is_missed: bool = False
    """Whether the plane has waited for its first packet in vain."""
    was_heard: bool = False
    """Whether a packet has come from it."""
    rings: bool = False
    """Whether the phone has told that it rings."""
    thresholds: Thresholds | None = None
    """How its line is heard, where its trunk is other than most."""
    is_deaf: bool = False
    """Whether the phone is on its own hold, and hears nobody."""
    unsaid: int = 0
    """How many prompts in a row the plane did not have for it."""
    joined_at: float | None = None
    """Since when it and the caller hear each other."""

    def takes_part(self, party: Party) -> None:
        """From now on it is that party of a caller's call."""
        self.party, self.side = party, Side(party.value)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where its audio may come from: where it said, or behind the same NAT as its signalling."""
        return (self.remote[0], self.source) if self.remote else (self.source,)

    @property
    def name(self) -> str:
        """How the ledger calls it."""
        return f"seat {self.seat}" if self.seat else self.party.value

    def await_key(self, wanted: bool) -> list[Effect]:
        """Listen for tones where keys can come in no other way, for as long as one is asked for."""
        wanted = wanted and self.agreed is not None and self.agreed.event_type is None
        if wanted == self.hears_tones or not self.is_open:
            return []
        self.hears_tones = wanted
        return [HearTones(self.media) if wanted else IgnoreTones(self.media)]

    def entry(self, calls: Calls) -> LegEntry:
        """The leg as it is written down."""
        dialog, agreed = calls.dialog(self.session), self.agreed
        return LegEntry(
            session=self.session,
            media=self.media,
            party=self.party,
            seat=self.seat,
            port=self.port,
            remote=self.remote,
            source=self.source,
            law=str(agreed.law) if agreed else None,
            event_type=agreed.event_type if agreed else None,
            descriptions=self.descriptions,
            dialog=DialogEntry.of(dialog) if dialog else None,
        )

    def move_to(self, port: int) -> Command:
        """What the plane must do to hear the leg at another port of ours."""
        assert self.agreed is not None
        self.port = port
        return self._move(self.agreed, port)

    def go_by(self, agreed: Agreed) -> Command:
        """What the plane must do about what offer and answer came to."""
        self.agreed = agreed
        if self.is_open:
            return self._move(agreed)
        self.is_open = True
        return OpenLeg(
            self.media,
            self.port,
            agreed.law,
            agreed.event_type,
            agreed.remote,
            self.hosts,
            thresholds=self.thresholds,
            heard=self.party is Party.CALLER,
            laws=agreed.laws,
            event_types=agreed.event_types,
            listens=agreed.peer_listens,
            sends=agreed.peer_sends,
        )

    def _move(self, agreed: Agreed, port: int | None = None) -> Command:
        return MoveLeg(
            self.media,
            agreed.law,
            agreed.event_type,
            agreed.remote,
            self.hosts,
            port,
            laws=agreed.laws,
            event_types=agreed.event_types,
            listens=agreed.peer_listens,
            sends=agreed.peer_sends,
        )
