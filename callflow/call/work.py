"""The work list: events go to calls, actions are carried out, effects collected, until nothing is left.

Each item concerns one call and runs under that call's guard: a fault in it ends that call politely, keeps the
effects made so far, and touches no other call. What an item leads to is worked off before the item after it,
so the order is that of cause and effect, and nothing recurses however long the chain is.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from callflow.call.leg import Effect
from callflow.call.news import Connected, Deserted, Happened, News, Task
from callflow.call.room import Room
from callflow.errors import IllegalEvent
from callflow.guard import Broke

MOST_STEPS: Final = 20_000
"""Items that one call may cause in one go; a call that needs more goes round in a circle."""
Told = Happened | Connected | Deserted
_TO_DO: Final = (Happened, Connected, Deserted, Task)
"""The types of work; every other type is an effect."""


class CallRunsInCircles(Exception):
    """A call has caused more work than any call can."""


class Work:
    """Works off what one controller has to do."""

    def __init__(
        self,
        tell: Callable[[Told, float], Iterable[News]],
        broken: Callable[[Room, Exception, float], Iterable[News]],
    ) -> None:
        """`tell` lets a call know of something; `broken` ends a call in which we have failed."""
        self._tell = tell
        self._broken = broken

    def off(self, news: Iterable[News], now: float) -> list[Effect]:
        """Work everything off, and give all effects in order. A fault in a call is among them as `Broke`."""
        effects: list[Effect] = []
        steps: Counter[str] = Counter()
        pending = deque(news)
        while pending:
            item = pending.popleft()
            if not isinstance(item, _TO_DO):
                effects.append(item)
                continue
            try:
                _count(item.room, steps)
                following = [*(item.do() if isinstance(item, Task) else self._tell(item, now))]
            except Exception as error:
                pending = _without(item.room, error, pending)
                following = [*(self._broken(item.room, error, now) if item.room else [Broke(error)])]
            pending.extendleft(reversed(following))
        return effects


def _count(room: Room | None, steps: Counter[str]) -> None:
    """Raises `CallRunsInCircles`."""
    if room is None:
        return
    steps[room.name] += 1
    if steps[room.name] > MOST_STEPS:
        del steps[room.name]
        raise CallRunsInCircles(room.name)


def _without(room: Room | None, error: Exception, pending: deque[News]) -> deque[News]:
    """What is left to do when a call has failed; an event that came at a wrong time alone fails nothing."""
    if room is None or isinstance(error, IllegalEvent):
        return pending
    return deque(item for item in pending if not (isinstance(item, _TO_DO) and item.room is room))
