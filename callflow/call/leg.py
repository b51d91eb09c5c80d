"""The caller's leg: one SIP session and its audio, told what to do in the call's own words."""

from dataclasses import dataclass

from callflow.actions import Action, Answer, HangUp, Ring, Say, StopSaying
from callflow.media.messages import CloseLeg, Command, MoveLeg, OpenLeg, Play, StopPlaying
from callflow.sip.happenings import Output
from callflow.sip.sdp import Agreed
from callflow.sip.uas import UserAgentServer

Effect = Output | Command
"""What leaves the pure floors: datagrams, commands to the plane, and things to count."""


@dataclass(slots=True)
class Leg:
    """A caller as the signalling and the plane know them."""

    session: str
    media: int
    """The leg's number in the plane."""
    port: int
    """The index of our UDP port that its audio comes to."""
    agreed: Agreed
    source: str
    """The address that the INVITE came from."""
    answers: int = 1
    """How many session descriptions we have answered."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where its audio may come from: where it said, or behind the same NAT as its signalling."""
        return (self.agreed.remote[0], self.source) if self.agreed.remote else (self.source,)

    def perform(self, action: Action, calls: UserAgentServer, now: float) -> list[Effect]:
        """Turn one action of the call into SIP and commands to the plane."""
        match action:
            case Ring():
                return [*calls.ring(self.session, now)]
            case Answer():
                # The ears are open before the caller's side can know that it may speak.
                return [self._open(), *calls.answer(self.session, self.agreed.answer, now)]
            case Say(prompt=prompt):
                return [Play(self.media, prompt)]
            case StopSaying():
                return [StopPlaying(self.media)]
            case HangUp(reason=reason):
                return [*calls.hang_up(self.session, reason, now), CloseLeg(self.media)]
        raise ValueError(f"a leg cannot {action!r}")

    def move(self, agreed: Agreed, calls: UserAgentServer, now: float) -> list[Effect]:
        """Go by what a re-INVITE agreed."""
        self.agreed = agreed
        move = MoveLeg(self.media, agreed.law, agreed.event_type, agreed.remote, self.hosts)
        return [move, *calls.answer(self.session, agreed.answer, now)]

    def _open(self) -> OpenLeg:
        agreed = self.agreed
        return OpenLeg(self.media, self.port, agreed.law, agreed.event_type, agreed.remote, self.hosts)
