"""How the controller speaks to the plane, wherever the plane runs."""

from collections.abc import Callable, Mapping
from typing import Protocol

from callflow.media.messages import Command, Report


class MediaPort(Protocol):
    """A plane with its sockets bound."""

    on_report: Callable[[Report], None]
    on_lateness: Callable[[float], None]
    """Told how late each tick began, in seconds."""

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports, in the order of their indices."""

    @property
    def legs(self) -> int:
        """Legs that are open, as far as is known."""

    def counts(self) -> Mapping[str, int]:
        """Packets by what became of them, as far as is known."""

    async def start(self) -> None:
        """Begin to tick."""

    async def close(self) -> None: ...

    def command(self, command: Command) -> None:
        """Tell the plane to do something."""
