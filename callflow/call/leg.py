"""The caller's leg: one SIP session and its audio, told what to do in the call's own words."""

from dataclasses import dataclass

from callflow.actions import Action, Answer, HangUp, Ring, Say, StopSaying
from callflow.call.journal import DialogEntry, Journalled, LegEntry
from callflow.media.messages import (
    CloseLeg,
    Command,
    HearTones,
    IgnoreTones,
    MoveLeg,
    OpenLeg,
    Play,
    StopPlaying,
)
from callflow.sip.address import Address
from callflow.sip.calls import Calls
from callflow.sip.happenings import Output
from callflow.sip.sdp import Agreed


@dataclass(frozen=True, slots=True)
class Broke:
    """A fault of ours in one call, kept from the others."""

    error: Exception


Effect = Output | Command | Broke | Journalled
"""What leaves the pure floors: messages, commands to the plane, things to count or write down, our faults."""


@dataclass(slots=True)
class Leg:
    """A caller as the signalling and the plane know them."""

    session: str
    media: int
    """The leg's number in the plane."""
    source: str
    """The address that the INVITE came from."""
    remote: Address | None
    """Where the caller's side said it wants its audio."""
    port: int = 0
    """The index of our UDP port that its audio comes to."""
    agreed: Agreed | None = None
    """None until the ACK answers our offer, where the INVITE had none."""
    description: bytes = b""
    """What our 200 carries: the answer, or our offer."""
    descriptions: int = 1
    """How many session descriptions we have given."""
    is_open: bool = False
    hears_tones: bool = False
    """Whether the plane takes tones in its audio for keys."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where its audio may come from: where it said, or behind the same NAT as its signalling."""
        return (self.remote[0], self.source) if self.remote else (self.source,)

    def perform(self, action: Action, calls: Calls, now: float) -> list[Effect]:
        """Turn one action of the call into SIP and commands to the plane."""
        match action:
            case Ring():
                return [*calls.ring(self.session, now)]
            case Answer():
                answered: list[Effect] = [*calls.answer(self.session, self.description, now)]
                # The ears are open before the caller's side can know that it may speak.
                return [self.go_by(self.agreed), *answered] if self.agreed else answered
            case Say(prompt=prompt):
                return [Play(self.media, prompt)]
            case StopSaying():
                return [StopPlaying(self.media)]
            case HangUp(reason=reason):
                return [*calls.hang_up(self.session, reason, now), CloseLeg(self.media)]
        raise ValueError(f"a leg cannot {action!r}")

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
        agreed = self.agreed
        return MoveLeg(self.media, agreed.law, agreed.event_type, agreed.remote, self.hosts, port)

    def go_by(self, agreed: Agreed) -> Command:
        """What the plane must do about what offer and answer came to."""
        self.agreed = agreed
        audio = agreed.law, agreed.event_type, agreed.remote, self.hosts
        if self.is_open:
            return MoveLeg(self.media, *audio)
        self.is_open = True
        return OpenLeg(self.media, self.port, *audio)
