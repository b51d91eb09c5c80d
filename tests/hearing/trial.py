"""Line checks heard frame by frame by the plane's own ears, all at once, on a clock of their own.

The second opinion is asked where the ears heard nobody: then csr-04 would end the call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from callflow.adapters.neural_ear import INSTALLED, NeuralEar
from callflow.events import Event, Heard, LineHeard, LineJudged, LineState
from callflow.media.hearing import Hearing
from callflow.media.messages import Overheard
from callflow.media.overhearing import Overhearing
from callflow.media.past import Past
from callflow.media.rtp import FRAME
from callflow.media.thresholds import Thresholds
from tests.hearing.episodes import AUDIO, COMFORT, NOTHING, Episode, Rendered, render

FRAME_SECONDS: Final = 0.02


@dataclass(slots=True)
class Outcome:
    """What became of an episode."""

    episode: Episode
    rendered: Rendered
    sound_at: int | None = None
    """The frame at which a person was heard first."""
    states: list[tuple[int, LineState]] = field(default_factory=list)
    """From which frame on the line was judged what."""
    strict: bool = False
    """Whether something might have been a person, by the ears' strictest reckoning."""
    aloud: bool = False
    """Whether that was as loud as a voice."""
    neural: bool | None = None
    """The second opinion; None where it was not asked, or there is none."""

    @property
    def ended(self) -> bool:
        """Whether the call would have been ended for its silence."""
        second = self.strict if self.neural is None else self.neural or self.aloud
        return self.sound_at is None and not second

    @property
    def ended_without_detector(self) -> bool:
        return self.sound_at is None and not self.strict

    def state_at(self, frame: int) -> LineState:
        """What the line was taken for; silent until something is told."""
        state = LineState.SILENT
        for at, now in self.states:
            if at <= frame:
                state = now
        return state

    @property
    def state_when_spoken(self) -> LineState:
        """At the end of the first pause in which the caller spoke."""
        return self.state_at(self.rendered.spoken[0][1] - 1)


class Trial:
    """Episodes that are heard together; each has a slot."""

    def __init__(self, episodes: Iterable[Episode], *, installed: bool = True) -> None:
        self.outcomes = [Outcome(episode, render(episode, installed=installed)) for episode in episodes]
        self._past = Past(len(self.outcomes))
        self._overhearing = Overhearing(self._past)
        self._ears = Hearing(self._past, self._overhearing, Thresholds())
        self._pieces: list[list[Overheard]] = [[] for _ in self.outcomes]

    def run(self) -> list[Outcome]:
        for slot, outcome in enumerate(self.outcomes):
            self._ears.open(slot, outcome.episode.law)
            self._overhearing.open(slot)
        all_rendered = [outcome.rendered for outcome in self.outcomes]
        said, line = (np.stack([getattr(one, name) for one in all_rendered], 1) for name in ("said", "line"))
        speaking = np.stack([one.speaking for one in all_rendered], 1)
        sends = np.stack([one.sends for one in all_rendered], 1)
        law = np.array([outcome.episode.law.row for outcome in self.outcomes])
        slots = np.arange(len(self.outcomes))
        missing = np.zeros(len(slots), np.bool_)
        for frame in range(len(said)):
            now = frame * FRAME_SECONDS
            self._ears.sent(slots, said[frame], speaking[frame], now)
            come = np.flatnonzero(sends[frame] == AUDIO)
            self._ears.lost(come[missing[come]])
            missing = sends[frame] == NOTHING
            if len(come):
                sizes = np.full(len(come), FRAME)
                self._ears.received(come, line[frame, come], sizes, law[come], now)
            for slot in np.flatnonzero(sends[frame] == COMFORT).tolist():
                self._ears.comfort(slot, now)
            self._note(frame, self._ears.tick(now))
        self._ask()
        return self.outcomes

    def _note(self, frame: int, told: Iterable[tuple[int, Event]]) -> None:
        for slot, event in told:
            outcome = self.outcomes[slot]
            match event:
                case LineHeard(heard=Heard.SOUND) if outcome.sound_at is None:
                    outcome.sound_at = frame
                case LineJudged(state=state):
                    outcome.states.append((frame, state))
                case _:
                    pass
        for slot, piece in self._overhearing.due():
            self._pieces[slot].append(piece)

    def _ask(self) -> None:
        ear = NeuralEar() if INSTALLED else None
        for slot, outcome in enumerate(self.outcomes):
            last = self._overhearing.rest(slot)
            outcome.strict, outcome.aloud = last.may_live, last.aloud
            if outcome.sound_at is None and ear is not None:
                for piece in (*self._pieces[slot], last):
                    ear.hear(slot, piece.law, piece.audio)
                outcome.neural = ear.is_alive(slot)
                ear.forget(slot)
            self._pieces[slot].clear()
