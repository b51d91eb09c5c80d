"""Everything that calls may say under one configuration, what may fill the slots, and what is wrong in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from callflow.adapters.prompts import CannotSpeak, PromptLibrary, Samples
from callflow.call.calling import recording
from callflow.config_seats import SEATS_HEAR, SeatsConfig
from callflow.document import Document, Path
from callflow.errors import Fault, Unknown
from callflow.etiquette.house import House
from callflow.events import LONGEST_ESTIMATE, MOST_AHEAD
from callflow.flow.model import Flow
from callflow.prompt_keys import PromptUse, fillable_slots

SPELT: Final = "number"
"""The slot of what a caller keys, and nobody knows before."""
_CALLS_FILL: Final = fillable_slots() - {"seat"}
"""Slots that are not the configuration's to fill; `seat` is, for greetings before a seat is there."""

Said = tuple[PromptUse, Document]
"""A place where a prompt is named, and the document that has it."""


@dataclass(frozen=True)
class Sayings:
    """What the flow, the house and the calls of seats say."""

    flow: Flow
    house: House
    prompts: PromptLibrary
    seats: SeatsConfig = field(default_factory=SeatsConfig)
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the configuration fills slots with."""

    @property
    def with_seats(self) -> bool:
        """Whether callers meet a queue or a seat."""
        return bool(self.flow.queues or self.seats.at)

    @cached_property
    def house_uses(self) -> tuple[PromptUse, ...]:
        """What of the house comes up in calls."""
        uses = self.house.prompt_uses
        return tuple(use for use in uses if self.house.is_needed(use, with_seats=self.with_seats))

    @cached_property
    def uses(self) -> dict[str, list[PromptUse]]:
        """All places where a prompt is named that may be said, by the prompt."""
        heard = SEATS_HEAR if self.seats.at else frozenset[str]()
        found: dict[str, list[PromptUse]] = {key: [PromptUse((), key, frozenset())] for key in heard}
        for use in (*self.flow.prompt_uses, *self.house_uses):
            found.setdefault(use.key, []).append(use)
        return found

    @property
    def said(self) -> frozenset[str]:
        """Every prompt that a call may say."""
        return frozenset(self.uses)

    @property
    def sayable(self) -> dict[str, frozenset[str]]:
        """What there are recordings of to tell a second seat who calls and why: `surname`, `matter`."""
        transfer, found = self.house.transfer, dict[str, frozenset[str]]()
        for slot, prompt in (("surname", transfer.who), ("matter", transfer.matter)):
            known = prompt in self.prompts.keys and slot in self.prompts.fields(str(prompt))
            found[slot] = frozenset(self.prompts.values(str(prompt), slot) if known else ())
        return found

    @property
    def recordings(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Every recording that the plane needs: its name there, its prompt, what fills the slots."""
        fields = dict(self.fields)
        for prompt in sorted(self.said & self.prompts.keys):
            if self.prompts.fields(prompt) <= fields.keys():
                yield prompt, prompt, fields
            ways = {tuple(own.items()): own for use in self.uses[prompt] for own in self.ways(use)}
            for own in ways.values():
                yield recording(prompt, own), prompt, {**fields, **own}

    def ways(self, use: PromptUse) -> Iterator[dict[str, str]]:
        """Every way in which a call fills the slots of a prompt there, but for numbers that it spells."""
        for slot in sorted(use.fills):
            yield from ({slot: value} for value in self._values(slot, use))

    def _values(self, slot: str, use: PromptUse) -> Iterable[str]:
        match slot:
            case "seat":
                return self.seats.at
            case "target":
                queues = (plan.spoken or plan.number for plan in self.seats.queue_plans)
                return dict.fromkeys(name for name in (*self.seats.at, *queues) if name)
            case "surname" | "matter":
                return sorted(self.sayable[slot])
            case "minutes":
                names = slot in self.filled(use)
                return map(str, range(1, LONGEST_ESTIMATE + 1)) if names else ()
            case "ahead":
                return map(str, range(1, MOST_AHEAD + 1))
        return ()

    def filled(self, use: PromptUse) -> frozenset[str]:
        """The slots that a call fills there; a wait is only named in a house that estimates waits."""
        asks = use.path[:2] == ("hold", "question")
        return use.fills - {"minutes"} if asks and not self.house.hold.estimate else use.fills

    @property
    def lengths(self) -> dict[str, float]:
        """How long the flow's own prompts are (seconds), but for those that a call fills."""
        named = {use.key for use in self.flow.prompt_uses} & self.prompts.keys
        known = (key for key in named if self.prompts.fields(key) <= self.fields.keys())
        return {key: self.prompts.duration(key, self.fields) for key in known}

    @property
    def read_back(self) -> frozenset[str]:
        """The prompts that say a number which nobody knows before the call."""
        return frozenset(key for key, uses in self.uses.items() if any(SPELT in use.fills for use in uses))

    @property
    def spelling(self) -> dict[str, Samples]:
        """The recordings that the plane needs for what callers key, by their names there."""
        found: dict[str, Samples] = {}
        for prompt in sorted(self.read_back & self.prompts.keys):
            for value in self.prompts.values(prompt, SPELT):
                found |= self.prompts.spelt(prompt, {**self.fields, SPELT: value})
        return found

    # --- what is wrong ---

    def faults(self, flow: Document, house: Document, own: Document) -> list[Fault]:
        """A fault for each prompt that could not be said; `own` is the configuration."""
        heard = sorted(SEATS_HEAR - self.prompts.keys) if self.seats.at else ()
        what = "what seats dial is answered with {!r}, which has no audio"
        told = [own.fault(("prompts",), what.format(key)) for key in heard]
        return [*told, *self.faults_of_flow(flow, own), *self.faults_of_house(house, own)]

    def faults_of_flow(self, flow: Document, own: Document) -> list[Fault]:
        """The same of what the flow names."""
        return self.faults_at([(use, flow) for use in self.flow.prompt_uses], own)

    def faults_of_house(self, house: Document, own: Document) -> list[Fault]:
        """The same of what the house names and calls may say."""
        return self.faults_at([(use, house) for use in self.house_uses], own)

    def faults_at(self, said: list[Said], own: Document) -> list[Fault]:
        """No fault twice: one value may stand at several places, by an alias, or for several seats."""
        return sorted({fault for use, source in said for fault in self._faults_at(use, source, own)})

    def _faults_at(self, use: PromptUse, source: Document, own: Document) -> Iterator[Fault]:
        known = self.prompts.keys
        if use.key not in known:
            what = f"the prompt {use.key!r} has no audio"
            yield source.fault(use.path, what, unknown=Unknown(use.key, known))
            return
        slots = self.prompts.fields(use.key)
        if SPELT in use.fills and SPELT not in slots:
            what = f"the prompt {use.key!r} reads a number back and has no slot {{{SPELT}}}"
            yield source.fault(use.path, what)
        lacking = sorted(slots - self.filled(use) - self.fields.keys())
        for slot in lacking:
            yield self._unfilled(use, slot, source, own)
        if not lacking:
            yield from self._unspeakable(use, source, own)

    def _unfilled(self, use: PromptUse, slot: str, source: Document, own: Document) -> Fault:
        if slot in _CALLS_FILL:
            what = f"nothing fills the slot {{{slot}}} of the prompt {use.key!r} here; name another prompt"
            return source.fault(use.path, what)
        return own.fault(("fields",), f"the prompt {use.key!r} needs {slot} here")

    def _unspeakable(self, use: PromptUse, source: Document, own: Document) -> Iterator[Fault]:
        """What is to be filled in and has no recording; told where it is written."""
        slots = self.prompts.fields(use.key)
        ways = [*self.ways(use)]
        if SPELT in use.fills:
            ways.append({SPELT: "0123456789"})
        if slots <= self.fields.keys():
            ways.append({})
        for way in ways:
            try:
                self.prompts.pcm(use.key, {**self.fields, **way})
            except CannotSpeak as error:
                yield self._unspoken(use, way, str(error), source, own)

    def _unspoken(
        self, use: PromptUse, way: Mapping[str, str], error: str, source: Document, own: Document
    ) -> Fault:
        match dict(way):
            case {"seat": number}:
                return own.fault(("seats", "at", number), error, at_key=True)
            case {"target": name}:
                return own.fault(self._target_place(name), error, at_key=name in self.seats.at)
            case {"number": _} | {"minutes": _} | {"ahead": _} | {"surname": _} | {"matter": _}:
                return source.fault(use.path, error)
        return own.fault(("fields",), error)

    def _target_place(self, name: str) -> Path:
        """Where the configuration has a target of that name."""
        for queue, settings in self.seats.queues.items():
            if name == settings.spoken:
                return "seats", "queues", queue, "spoken"
        return "seats", "at", name
