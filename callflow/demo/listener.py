"""Keeps the facts of one call, and wakes who waits for one."""

import asyncio
from collections.abc import Callable

from callflow.facts import Fact
from callflow.sinks import FactSink


class Listener(FactSink):
    """A sink of facts."""

    def __init__(self, told: Callable[[Fact], None]) -> None:
        self.facts: list[Fact] = []
        self.consulted: list[Fact] = []
        """Those of the call that a seat makes to a colleague meanwhile."""
        self._told = told
        self._news = asyncio.Event()

    def fact(self, fact: Fact) -> None:
        if not fact.call:
            # What a seat does is told beside the calls; this is the ledger of one call.
            return
        if self.facts and fact.call != self.facts[0].call:
            self.consulted.append(fact)
        else:
            self.facts.append(fact)
            self._told(fact)
        self._news.set()

    async def first(self, wanted: Callable[[list[Fact]], Fact | None], *, consulted: bool = False) -> Fact:
        """Wait until `wanted` finds a fact among those of the call, or of the one to the colleague."""
        while (found := wanted(self.consulted if consulted else self.facts)) is None:
            self._news.clear()
            await self._news.wait()
        return found

    async def heard(self, prompt: str) -> float:
        """When the prompt was first heard to its end."""
        return await self._named("prompt.finished", prompt)

    async def answered(self) -> float:
        """When we picked up."""
        return await self._named("call.answered", None)

    async def ended(self) -> float:
        """When the call was over."""
        return await self._named("call.ended", None)

    async def _named(self, name: str, prompt: str | None) -> float:
        def wanted(facts: list[Fact]) -> Fact | None:
            return next((f for f in facts if f.fact == name and f.details.get("prompt") == prompt), None)

        return (await self.first(wanted)).at
