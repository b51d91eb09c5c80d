"""Finds out where the trunks are, and again whenever that is no longer known for sure (RFC 3263)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from callflow.net.resolver import Resolver
from callflow.sip.locate import Candidate, Target

Located = Callable[[str, Sequence[Candidate]], None]


class Scouts:
    """One task a trunk, for as long as the service runs."""

    def __init__(
        self, targets: Mapping[str, Target], located: Located, resolver: Resolver | None = None
    ) -> None:
        """`located` is told name and addresses, in the order to try; none where nothing was found."""
        self._targets = targets
        self._located = located
        self._resolver = resolver or Resolver()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._scout(name, target), name=f"sip.scout.{name}")
            for name, target in self._targets.items()
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _scout(self, name: str, target: Target) -> None:
        while True:
            found = await self._resolver.locate(target)
            self._located(name, found.candidates)
            await asyncio.sleep(found.good_for)
