"""What is heard in one call: who hears whom, what is said to whom, and how loud."""

from dataclasses import dataclass, field
from typing import Final

from callflow.actions import (
    AskOpinion,
    BeginHold,
    EndHold,
    ListenClosely,
    ListenNoLonger,
    Say,
    SetVolume,
    StopSaying,
)
from callflow.call.calling import recording
from callflow.call.dial_plan import Attendance
from callflow.call.ears import listening
from callflow.call.leg import Effect, Leg
from callflow.call.spelling import Spell, Spelling
from callflow.errors import CallflowError
from callflow.etiquette.briefing import OWN_WORDS
from callflow.events import Event, Party
from callflow.media.messages import (
    Command,
    Confer,
    Join,
    KeepFrom,
    OpenGate,
    Play,
    PlayBoth,
    PlayMusic,
    SetGain,
    ShutGate,
    StopMusic,
    StopPlaying,
)

BOTH: Final = frozenset({Party.CALLER, Party.SEAT})


@dataclass(slots=True, kw_only=True)
class Sound:
    """The legs of a call as the plane knows them."""

    caller: Leg
    seat: Leg | None = None
    """Whoever has picked up."""
    target: Leg | None = None
    """Whom the call is to be transferred to: rung, or listening to the brief."""
    supervisor: Leg | None = None
    """Who attends the call."""
    attendance: Attendance = Attendance.LISTEN
    own_words: str = ""
    """What the seat has said for the target, by its name in the plane."""
    shut: frozenset[Party] = BOTH
    """Who of caller and seat the other does not hear."""
    volume: int = 0
    """By how many decibels the caller hears the seat louder than its phone sends."""
    spell: Spell | None = field(default=None, repr=False)
    """Says what nobody knows before the call; without it that is not said."""
    _says_to_both: bool = False
    _spelling: Spelling = field(default_factory=Spelling, repr=False)

    # --- who hears whom ---

    def bring_together(self) -> list[Command]:
        """Caller and seat hear each other, and whoever attends the call hears them."""
        assert self.seat is not None
        caller, seat = self.caller.media, self.seat.media
        if self.supervisor is None:
            return [Join(caller, seat)]
        third = self.supervisor.media
        unheard_by = {
            Attendance.LISTEN: (caller, seat),
            Attendance.WHISPER: (caller,),
            Attendance.BARGE: (),
        }
        return [Confer(caller, (seat, third)), KeepFrom(third, unheard_by[self.attendance])]

    def gate(self, shut: frozenset[Party]) -> list[Command]:
        """Who of the two is not heard by the other from now on."""
        self.shut = shut
        if self.seat is None:
            return []
        legs = {Party.CALLER: self.caller, Party.SEAT: self.seat}
        if self.supervisor is not None:
            # A shut gate would keep a party from the supervisor too: it is kept from the other one alone.
            both = {leg.media for leg in legs.values()}
            return [
                KeepFrom(leg.media, tuple(both - {leg.media}) if party in shut else ())
                for party, leg in legs.items()
            ]
        return [ShutGate(leg.media) if party in shut else OpenGate(leg.media) for party, leg in legs.items()]

    def louder(self) -> list[Command]:
        """As loud as the seat has asked for."""
        return [SetGain(self.seat.media, float(self.volume))] if self.seat else []

    def play_music(self, action: BeginHold | EndHold) -> list[Command]:
        """What the caller hears between the words while it waits."""
        if isinstance(action, EndHold):
            return [StopMusic(self.caller.media)]
        # Without music there is quiet between the words: the caller's leg always has a stream.
        return [PlayMusic(self.caller.media, action.music)] if action.music else []

    def listen(self, action: ListenClosely | AskOpinion | ListenNoLonger | SetVolume) -> list[Command]:
        """Hear the caller better, or let it hear the seat better."""
        if not isinstance(action, SetVolume):
            return [listening(action, self.caller.media)]
        self.volume = action.decibels
        return self.louder()

    # --- what is said ---

    def speak(self, action: Say | StopSaying) -> list[Command]:
        """Say it to all whom it is for, or fall silent."""
        to_both, caller = self._says_to_both, self.caller.media
        self._spelling.stop()
        if not self.caller.is_open:
            # Who is not answered and has offered no audio hears nobody.
            return []
        if isinstance(action, StopSaying):
            self._says_to_both = False
            also = [StopPlaying(self.seat.media)] if to_both and self.seat else []
            return [StopPlaying(caller), *also]
        if action.secret and self.spell and Party.CALLER in action.to:
            return [Play(caller, self._begin_spelling(action))]
        name = recording(action.prompt, {**action.fields, **action.secret})
        if Party.TARGET in action.to:
            name = self.own_words if action.prompt == OWN_WORDS else name
            return [
                Play(leg.media, name) for leg in (self.caller, self.target) if leg and leg.party in action.to
            ]
        hears = self.seat is not None and Party.SEAT in action.to
        self._says_to_both = hears and Party.CALLER in action.to
        if self.seat is None or not hears:
            return [Play(caller, name)] if Party.CALLER in action.to else []
        if self._says_to_both and self.supervisor is None:
            return [PlayBoth(caller, name)]
        # Three are no pair: each of the two is told by itself.
        first = [Play(caller, name)] if self._says_to_both else []
        return [*first, Play(self.seat.media, name)]

    def _begin_spelling(self, say: Say) -> str:
        """The first of the recordings that say it; the name of none where it cannot be said."""
        assert self.spell is not None
        try:
            return self._spelling.begin(self.spell(say.prompt, say.secret))
        except CallflowError:
            # The plane tells that it does not have this. What was to be said is nothing for a log.
            return recording(say.prompt, dict.fromkeys(say.secret, ""))

    def go_on(self, event: Event) -> list[Effect] | None:
        """What the plane tells of the caller's leg is about one recording of several that say a prompt."""
        recording = self._spelling.go_on(event)
        if recording is None:
            return None
        return [Play(self.caller.media, recording)] if recording else []
