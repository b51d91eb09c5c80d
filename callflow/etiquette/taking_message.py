"""A caller leaves a message: words, a tone, then what the caller says is kept.

It ends with #, with silence after speech, at its longest, or with the caller's hang-up: also then it is kept,
by whoever has the line. The caller is told what became of it, and nothing is promised that the disk has not.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import (
    Action,
    Beep,
    CancelRecall,
    Conclude,
    RecordMessage,
    Say,
    StoreMessage,
    TakeMessage,
)
from callflow.etiquette.machine import Machine
from callflow.etiquette.words import LONGEST, Words
from callflow.events import (
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    MessageFailed,
    MessageStored,
    Outcome,
    PromptFinished,
    RecallAnswered,
)

BEEP: Final = 0.3
"""Seconds that the tone lasts."""
SETTLE: Final = 0.1
"""Seconds after it, so that its echo is in no message."""
BEGIN: Final = 10.0
"""Seconds to begin to speak."""
PAUSE: Final = 5.0
"""Seconds of silence after speech that end the message."""
STORED: Final = 10.0
"""Seconds that the disk has."""
END_KEY: Final = "#"


class Phase(Enum):
    ASKING = auto()
    BEEPING = auto()
    RECORDING = auto()
    STORING = auto()
    TELLING = auto()
    """what became of the message"""
    DONE = auto()


class TakingMessage(Machine[Phase]):
    """From the words before the tone to those about what became of the message."""

    rules = ()

    def __init__(self, wanted: TakeMessage) -> None:
        super().__init__(Phase.ASKING)
        self._wanted = wanted
        self._words = Words()
        self._ends = 0.0
        """When the message is at its longest."""
        self._sounding = False

    @property
    def awaits_key(self) -> bool:
        return self.phase is Phase.RECORDING

    def begin(self, now: float) -> list[Action]:
        return self._enter(Phase.ASKING, now + LONGEST, *self._words.say(Say(self._wanted.asks)))

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, LineHeard):
            self._sounding = event.heard is Heard.SOUND
        match self.phase, event:
            case _, RecallAnswered():
                # A seat that picks up when its caller has chosen otherwise.
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.ASKING | Phase.TELLING, PromptFinished(prompt=prompt) if self._words.is_saying(prompt):
                return self._said(now)
            case Phase.RECORDING, DigitPressed(digit=key) if key == END_KEY:
                return self._store(now)
            case Phase.RECORDING, LineHeard(since=since):
                return self._listen(max(since + PAUSE, now))
            case Phase.STORING, MessageStored():
                return self._tell(self._wanted.taken, now)
            case Phase.STORING, MessageFailed():
                return self._tell(self._wanted.not_taken, now)
        return []

    def postpone(self, seconds: float) -> None:
        super().postpone(seconds)
        self._ends += seconds

    def _due(self, at: float) -> list[Action]:
        match self.phase:
            case Phase.BEEPING:
                return self._record(at)
            case Phase.RECORDING:
                return self._store(at)
            case Phase.STORING:
                return self._tell(self._wanted.not_taken, at)
            case _:
                return self._said(at)

    def _said(self, now: float) -> list[Action]:
        self._words.go_on()
        if self.phase is Phase.ASKING:
            return self._enter(Phase.BEEPING, now + BEEP + SETTLE, Beep(BEEP))
        return self._enter(Phase.DONE, None, Conclude(None, Outcome.MESSAGE_OVER))

    def _record(self, now: float) -> list[Action]:
        self._ends = now + self._wanted.at_most
        return self._listen(now + BEGIN, RecordMessage())

    def _listen(self, silent_until: float, *actions: Action) -> list[Action]:
        """Who speaks is cut off only at the longest; a silence ends then."""
        until = self._ends if self._sounding else min(silent_until, self._ends)
        return self._enter(Phase.RECORDING, until, *actions)

    def _store(self, now: float) -> list[Action]:
        return self._enter(Phase.STORING, now + STORED, StoreMessage())

    def _tell(self, prompt: str, now: float) -> list[Action]:
        return self._enter(Phase.TELLING, now + LONGEST, *self._words.say(Say(prompt)))
