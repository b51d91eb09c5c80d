"""Sinks are told every fact, whatever happens to one of them."""

import asyncio

import pytest

from callflow.facts import Fact
from callflow.sinks import FactSink, Sinks

pytestmark = pytest.mark.pure

FACT = Fact(0.0, "c", "caller", "call.arrived", None, {})


class Noted(FactSink):
    def __init__(self, name: str, told: list[str], *, fails: bool = False) -> None:
        self._name, self._told, self._fails = name, told, fails

    async def start(self) -> None:
        self._note("start")

    def fact(self, fact: Fact) -> None:
        self._note(fact.fact)

    async def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self._told.append(f"{self._name} {what}")
        if self._fails and what != "start":
            raise RuntimeError(what)


def test_all_are_told_in_their_order_and_closed_the_other_way_round() -> None:
    told = list[str]()
    sinks = Sinks([Noted("a", told), Noted("b", told)], print)
    asyncio.run(sinks.start())
    sinks.fact(FACT)
    asyncio.run(sinks.close())
    assert told == ["a start", "b start", "a call.arrived", "b call.arrived", "b close", "a close"]


def test_one_that_fails_is_told_of_and_costs_no_other_a_fact() -> None:
    told, faults = list[str](), list[str]()
    sinks = Sinks([Noted("a", told, fails=True), Noted("b", told)], lambda error: faults.append(str(error)))
    sinks.fact(FACT)
    asyncio.run(sinks.close())
    assert told == ["a call.arrived", "b call.arrived", "b close", "a close"]
    assert faults == ["call.arrived", "close"]


def test_one_that_cannot_work_keeps_the_service_from_starting() -> None:
    class Broken(FactSink):
        async def start(self) -> None:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        asyncio.run(Sinks([Broken()], print).start())


def test_a_sink_without_a_beginning_and_an_end_has_none() -> None:
    class Short(FactSink):
        def fact(self, fact: Fact) -> None:
            told.append(fact.fact)

    told = list[str]()
    sinks = Sinks([Short()], print)
    asyncio.run(sinks.start())
    sinks.fact(FACT)
    asyncio.run(sinks.close())
    assert told == ["call.arrived"]
