"""A prompt that the plane does not have: its call goes on as if it had been heard, and other words are said.

Whatever a house or a flow names is proved before a call, so this is a fault of ours; but a caller must not
pay for it with silence, and a call that waits for the end of a prompt must not wait for ever.
"""

from typing import Final

from callflow.call.leg import Effect, Leg
from callflow.call.table import CallTable
from callflow.events import Event, PromptFinished, PromptStarted
from callflow.media.messages import Play, PromptUnknown
from callflow.sip.happenings import Counted

_MOST: Final = 10
"""So many in a row, and none of them heard: the call would only go round."""
_WITHOUT_NEUTRAL: Final = 5
"""As how many one counts whose neutral words are not there either."""


class Unsaid:
    """Says the house's neutral words in place of what cannot be said."""

    def __init__(self, table: CallTable, neutral: str) -> None:
        """`neutral` is a prompt that needs nothing filled in."""
        self._table = table
        self._neutral = neutral

    def is_awaited(self, event: PromptUnknown) -> bool:
        """Whether somebody waits for the end of that prompt."""
        return not event.is_music and event.prompt != self._neutral

    def told(self, leg: Leg | None, event: PromptUnknown, now: float) -> list[Effect]:
        """Play the neutral words and count the fault; the caller tells the call that the prompt is over."""
        counted: list[Effect] = [Counted("fault", "prompt_unknown")]
        ledger = self._table.ledger_of(leg.call) if leg else None
        if leg is None or ledger is None:
            return counted
        awaited = self.is_awaited(event)
        if not event.is_music:
            leg.unsaid += 1 if awaited else _WITHOUT_NEUTRAL
        ledger.write_of(leg.name, now, "prompt.unknown", None, prompt=event.prompt.partition("?")[0])
        return [*counted, Play(leg.media, self._neutral)] if awaited and not self.is_mute(leg) else counted

    def is_mute(self, leg: Leg) -> bool:
        """Whether nothing can be said to a leg any more."""
        return leg.unsaid > _MOST

    def heard(self, leg: Leg, event: Event) -> None:
        """A leg hears words again."""
        match event:
            case PromptStarted(prompt=prompt) if prompt != self._neutral:
                leg.unsaid = 0
            case PromptFinished(prompt=prompt) if prompt == self._neutral:
                leg.unsaid = 0
