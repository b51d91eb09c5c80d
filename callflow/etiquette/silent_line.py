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

from typing import Final

from callflow.actions import Action, ListenClosely, ListenNoLonger
from callflow.etiquette.line_check import LineCheck, Phase
from callflow.etiquette.line_script import Script
from callflow.events import Event, Heard, LineState, Outcome, PromptFinished

HEAR_OUT: Final = 5.0
"""Seconds after which somebody who makes sounds is alive however they sound."""
JUDGED_WITHIN: Final = 1.2
"""Seconds from the end of a sound to the word of how it was: the ears look at a line once a second."""


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
        at_fault: bool = False,
    ) -> None:
        """`faint` and `noisy` are what is said on such a line; None where that is not in force."""
        super().__init__(script, Phase.GREETING, at_fault=at_fault)
        self._silent = script
        self._spoken_to = {LineState.FAINT: faint, LineState.NOISY: noisy}
        self._greeting = greeting
        self._alive_at = 0.0
        """Until when it is to be known how well the caller can be made out."""
        self._spoke = False
        """Whether somebody was heard over the greeting, or in the pause since the last words."""

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.phase is Phase.GREETING and event == PromptFinished(self._greeting):
            return self._greeted(now)
        return super().receive(event, now)

    # --- what is heard ---

    def _heard(self, heard: Heard, now: float) -> list[Action]:
        self._spoke |= self._sounding
        match self.phase:
            case Phase.HEARING:
                return self._await_judgement(now)
            case _ if not self._sounding or not self._script.is_silent:
                return []
            case _ if not any(self._spoken_to.values()):
                return self._alive("sound")
            case Phase.GREETING:
                return []
            case _ if self._state is LineState.NOISY:
                # The noise itself.
                return []
        return self._hear_out(now)

    def _judged(self, state: LineState, now: float) -> list[Action]:
        if state is LineState.SPEECH and self.phase is Phase.HEARING and not self._begun:
            # The first look may be too soon to tell: nothing has been said yet that would have to stop.
            self._alive_at = min(self._alive_at, now + JUDGED_WITHIN)
            return self._await_judgement(now)
        if state is LineState.SPEECH:
            return self._alive("speech")
        if state not in self._spoken_to or not self._script.is_silent:
            return []
        at_once = state is LineState.FAINT or self.phase in (Phase.HEARING, Phase.ASKING)
        if self._spoken_to[state] and (self.phase is Phase.GREETING or not at_once):
            # Whoever may be in the noise has the whole pause to be made out.
            return []
        return self._speak_to(state, now)

    def _hear_out(self, now: float) -> list[Action]:
        silenced = self._cut_off()
        self._alive_at = now + HEAR_OUT
        return [*silenced, *self._await_judgement(now)]

    def _await_judgement(self, now: float) -> list[Action]:
        """A sound as short as a 喂 is somebody too, unless it is found to be too quiet, or noise."""
        until = self._alive_at if self._sounding else min(self._alive_at, now + JUDGED_WITHIN)
        return self._enter(Phase.HEARING, until)

    # --- the pauses ---

    def _greeted(self, now: float) -> list[Action]:
        if self._state is LineState.FAINT:
            return self._speak_to(self._state, now)
        if not self._spoke or self._state is LineState.NOISY:
            pause = self._silent.words[0].pause
            return self._enter(Phase.LISTENING, now + pause, *self._listen_closely())
        return self._hear_out(now)

    def _listen(self, now: float) -> list[Action]:
        self._spoke = self._sounding
        # Who has been told to ring from another phone, and tries no more, is not kept by what was before.
        forget = self._all_said and not self._script.is_silent
        anew = [ListenNoLonger(), ListenClosely()] if forget else []
        return [*super()._listen(now), *anew]

    def _go_on(self, at: float) -> list[Action]:
        if self._state in self._spoken_to:
            return self._speak_to(self._state, at)
        if self._script.is_silent:
            return self._say(at)
        if not self._spoke:
            return self._turn_to(self._silent, at)
        # What is too short to be judged is no better than the faint voice before, but is no noise.
        faint = self._script.outcome is Outcome.FAINT
        return self._speak_to(LineState.FAINT, at) if faint else self._alive("sound")

    def _speak_to(self, state: LineState, now: float) -> list[Action]:
        """A line of this kind: its words, where they are in force; else whoever may be there is alive."""
        script = self._spoken_to[state]
        return self._turn_to(script, now) if script else self._alive(state)
