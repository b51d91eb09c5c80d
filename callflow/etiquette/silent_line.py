"""csr-04, csr-06, csr-07, gas-05, gas-06: from the greeting until a caller is made out, or there is none.

A line that stays silent is greeted again, told, and released: greeting, 5 s, greeting_again, 5 s, no_sound, 5
s, hang up. The answering greeting is the first of the two. A sound or a key ends that at once.

Where the house's rules for other bad lines are in force, a sound ends it only when it is known how well it
can be made out. A person who is too quiet is asked to speak up, listened to, and told; a line of noise in
which nobody is made out is told so. Both end at once when a person can be made out, or presses a key. A
caller who falls silent before the last words is a silent line again, and each script is gone on with where it
was left.

Where they are not in force, a caller who is too quiet is alive, and so is whoever may be in the noise.
"""

from collections.abc import Callable
from typing import Final

from callflow.actions import Action, ListenClosely, ListenNoLonger, StopSaying
from callflow.etiquette.line_check import LineCheck, Phase
from callflow.etiquette.line_script import Script
from callflow.events import Event, Heard, LineState, PromptFinished

HEAR_OUT: Final = 5.0
"""Seconds of unbroken sound after which a caller is alive however it sounds."""


class SilentLine(LineCheck):
    """The watch over one line, from the start of the greeting."""

    rules = ("csr-04", "csr-06", "csr-07", "gas-05", "gas-06")

    def __init__(
        self,
        script: Script,
        greeting: str,
        *,
        faint: Script | None = None,
        noisy: Script | None = None,
        at_fault: Callable[[], bool] | None = None,
    ) -> None:
        """`faint` and `noisy` are what is said on such a line; None where that is not in force."""
        super().__init__(script, Phase.GREETING, at_fault=at_fault)
        self._silent, self._faint, self._noisy = script, faint, noisy
        self._greeting = greeting
        self._spoke = False
        """Whether somebody was heard over the greeting, or in the pause since the last words."""
        self._was_faint = False
        """The same of somebody too quiet."""

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.phase is Phase.GREETING and event == PromptFinished(self._greeting):
            return self._greeted(now)
        return super().receive(event, now)

    # --- what is heard ---

    def _heard(self, heard: Heard, now: float) -> list[Action]:
        self._spoke |= self._sounding
        match self.phase:
            case Phase.HEARING if not self._sounding:
                # As short as a 喂, and not too quiet: that is somebody.
                return self._alive("sound")
            case _ if not self._sounding or not self._script.is_silent:
                return []
            case _ if not (self._faint or self._noisy):
                return self._alive("sound")
            case Phase.GREETING | Phase.HEARING:
                return []
            case _ if self._state is LineState.NOISY and self._noisy:
                # The noise itself.
                return []
        return self._hear_out(now)

    def _judged(self, state: LineState, now: float) -> list[Action]:
        self._was_faint |= state is LineState.FAINT
        if state is LineState.SPEECH:
            return self._alive("speech")
        other = {LineState.FAINT: self._faint, LineState.NOISY: self._noisy}
        if state not in other or not self._script.is_silent:
            return []
        script = other[state]
        if script is None:
            return self._alive(state)
        at_once = state is LineState.FAINT or self.phase in (Phase.HEARING, Phase.ASKING)
        if self.phase is Phase.GREETING or not at_once:
            # Whoever may be in the noise has the whole pause to be made out.
            return []
        return self._turn_to(script, now)

    def _hear_out(self, now: float) -> list[Action]:
        silenced = [StopSaying()] if self.phase is Phase.SAYING else []
        return self._enter(Phase.HEARING, now + HEAR_OUT, *silenced)

    # --- the pauses ---

    def _greeted(self, now: float) -> list[Action]:
        spoke, self._spoke = self._spoke, False
        if self._state is LineState.FAINT and self._faint:
            return self._turn_to(self._faint, now)
        if not spoke or self._state is LineState.NOISY:
            pause = self._silent.words[0].pause
            return self._enter(Phase.LISTENING, now + pause, *self._listen_closely())
        return self._hear_out(now) if self._sounding else self._alive("sound")

    def _listen(self, now: float) -> list[Action]:
        self._spoke, self._was_faint = self._sounding, False
        # Who has been told to ring from another phone, and tries no more, is not kept by what was said
        # before.
        forget = self._all_said and not self._script.is_silent
        anew = [ListenNoLonger(), ListenClosely()] if forget else []
        return [*super()._listen(now), *anew]

    def _go_on(self, at: float) -> list[Action]:
        match self._state:
            case LineState.NOISY if self._noisy:
                return self._turn_to(self._noisy, at)
            case LineState.FAINT if self._faint:
                return self._turn_to(self._faint, at)
            case _ if self._script.is_silent:
                return self._say(at)
            case _ if self._faint and (self._was_faint or (self._spoke and self._script is self._faint)):
                # What is too short to be judged is no better than what was before.
                return self._turn_to(self._faint, at)
            case _ if self._spoke:
                return self._alive("sound")
        return self._turn_to(self._silent, at)
