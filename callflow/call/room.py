"""One call with its legs: what the call wants done is done to whom it concerns."""

from callflow.actions import Action, Answer, HangUp, Ring, Say, StopSaying
from callflow.call.call import Call
from callflow.call.journal import CallEntry
from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.media.messages import Play, StopPlaying
from callflow.sip.calls import Calls


class Room:
    """Where a caller, and whoever serves the caller, are brought together."""

    def __init__(self, call: Call, caller: Leg, calls: Calls, lines: Lines) -> None:
        self.call = call
        self.caller = caller
        self._calls = calls
        self._lines = lines

    @property
    def name(self) -> str:
        return self.call.ledger.call

    @property
    def legs(self) -> tuple[Leg, ...]:
        return (self.caller,)

    def perform(self, action: Action, now: float) -> list[Effect]:
        """Turn one action of the call into SIP and commands to the plane."""
        caller = self.caller
        match action:
            case Ring():
                return [*self._calls.ring(caller.session, now)]
            case Answer():
                answered: list[Effect] = [*self._calls.answer(caller.session, caller.description, now)]
                # The ears are open before the caller's side can know that it may speak.
                return [caller.go_by(caller.agreed), *answered] if caller.agreed else answered
            case Say(prompt=prompt):
                return [Play(caller.media, prompt)]
            case StopSaying():
                return [StopPlaying(caller.media)]
            case HangUp(reason=reason):
                return [*self._calls.hang_up(caller.session, reason, now)]
        raise ValueError(f"a call cannot {action!r}")

    def await_key(self) -> list[Effect]:
        """Listen for the caller's tones while a key is asked for."""
        return self.caller.await_key(self.call.awaits_key)

    def close(self) -> list[Effect]:
        """The call is over: no leg is left."""
        return [effect for leg in self.legs for effect in self._lines.close(leg)]

    def entry(self) -> CallEntry:
        """The call as it is written down."""
        return self.call.entry(tuple(leg.entry(self._calls) for leg in self.legs))
