"""log-04: a caller who was asked something in the middle of a call, and neither answers nor is heard.

The flow has asked as often as it does, and not a sound has come since: the caller is told that nothing is
heard, given 5 s, and released. Any sign of life, however faint or noisy, ends it, and the flow goes on.
"""

from callflow.actions import Action
from callflow.etiquette.line_check import LineCheck, Phase
from callflow.etiquette.line_script import Script
from callflow.events import Heard, LineState

SIGNS = (LineState.SPEECH, LineState.FAINT, LineState.NOISY)


class NoResponse(LineCheck):
    """From the last question that nobody answered to the release."""

    rules = ("log-04",)

    @classmethod
    def of(cls, script: Script, at_fault: bool = False) -> "NoResponse":
        """Not begun yet; `at_fault` as everywhere."""
        return cls(script, Phase.LISTENING, at_fault=at_fault)

    def begin(self, now: float) -> list[Action]:
        return self._say(now)

    def _heard(self, heard: Heard, now: float) -> list[Action]:
        return self._alive("sound") if heard is Heard.SOUND else []

    def _judged(self, state: LineState, now: float) -> list[Action]:
        return self._alive(state) if state in SIGNS else []
