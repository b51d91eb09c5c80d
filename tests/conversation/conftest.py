"""What all conversations share: the state of their calls stays plain."""

from collections.abc import Iterator

import pytest

from callflow.call.room import Room
from callflow.call.table import CallTable
from tests.support.plain_state import not_plain

EVERY = 20
"""Of so many looks at a call's deadline one walks its whole state: a walk takes a millisecond."""


@pytest.fixture(autouse=True)
def calls_stay_plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After their actions calls are put on the agenda: now and then one is walked, and must be plain."""
    looks, found, real = 0, list[str](), CallTable.watch

    def watch(self: CallTable, room: Room) -> None:
        nonlocal looks
        looks += 1
        if looks % EVERY == 1:
            found.extend(not_plain(room, room.name))
        real(self, room)

    monkeypatch.setattr(CallTable, "watch", watch)
    yield
    assert found == []
