"""The configuration of one controller, and everything it names: flow, house, prompts."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import pydantic

from callflow import resources
from callflow.adapters.prompts import CannotSpeak, PromptLibrary, Samples
from callflow.call.calling import recording
from callflow.call.liveness import USUAL
from callflow.config_hearing import HearingConfig, Silence
from callflow.config_http import HttpConfig
from callflow.config_limits import LimitsConfig
from callflow.config_manners import MannersConfig, one_mode
from callflow.config_seats import SEATS_HEAR, SeatsConfig, page_notes, people_faults, read_secrets
from callflow.config_sip import Host, SipConfig
from callflow.document import Document, Duration, Shape, did_you_mean
from callflow.errors import Fault, SourceError
from callflow.etiquette.house import House
from callflow.etiquette.modes import Modes
from callflow.events import LONGEST_ESTIMATE, MOST_AHEAD
from callflow.flow.check import missing_prompts
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.media.thresholds import Thresholds
from callflow.sip.trunks import TrunkPlan

ReadT = TypeVar("ReadT")
_SPELT: Final = "number"
"""The slot of what a caller keys, and nobody knows before."""


def _port_range(text: object) -> tuple[int, ...]:
    first, _, last = str(text).partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise ValueError(f"{text!r} is not a range of ports, as 20000-20031")
    lowest, highest = int(first), int(last or first)
    # RTP has the even port, the odd one beside it is RTCP's (RFC 3550 §11).
    ports = range(lowest + lowest % 2, highest + 1, 2)
    if not ports or highest > 65535 or len(ports) > 256:
        raise ValueError(f"{text!r} must go upwards, to 65535 at most, and hold 1 to 256 even ports")
    return tuple(ports)


Ports = Annotated[tuple[int, ...], pydantic.BeforeValidator(_port_range)]


class MediaConfig(Shape):
    host: Host | None = None
    """Where audio is received; the SIP address where it is not said."""
    advertise: Host | None = None
    ports: Ports = tuple(range(20000, 20032, 2))
    process: Literal["own", "inside"] = "own"
    """Whether the audio has a process of its own, or shares the controller's."""
    hearing: HearingConfig = HearingConfig()
    timeout: Silence = USUAL
    """Seconds without a packet after which a leg is judged; 0 for never."""


class PromptsConfig(Shape):
    directory: Path | None = None
    overlays: tuple[Path, ...] = ()
    """Directories whose recordings replace ours, key by key."""


class Config(Shape):
    """A configuration file. Without one, these are the values."""

    version: Annotated[Literal[1], pydantic.Field(alias="callflow-config")] = 1
    sip: SipConfig = SipConfig()
    media: MediaConfig = MediaConfig()
    http: HttpConfig = HttpConfig()
    prompts: PromptsConfig = PromptsConfig()
    seats: SeatsConfig = SeatsConfig()
    manners: Annotated[MannersConfig, pydantic.BeforeValidator(one_mode)] = MannersConfig()
    """One switch for all of the house's rules (`observe` only notes, `off` joins plainly), or several."""
    limits: LimitsConfig = LimitsConfig()
    flow: Path = Path("hotline.yaml")
    """Beside the configuration, or one that ships with the program."""
    fields: dict[str, str] = {"seat": "8001"}  # noqa: RUF012
    """What the slots of the prompts are filled with."""
    journal: Path | None = None
    """Where each change of a call is written, so that another controller could take the calls up."""
    recordings: Path | None = None
    """The folder for callers' messages; a flow with a step `message` needs one."""
    drain: Annotated[Duration, pydantic.Field(ge=0, le=3600)] = 180.0
    """Seconds that calls have to end by themselves when the service is stopped."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A configuration with everything it names read and found good."""

    config: Config
    flow: Flow
    house: House
    prompts: PromptLibrary
    accounts: dict[str, str]
    trunks: tuple[TrunkPlan, ...] = ()
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    """The seats' own, by their numbers; those that have one."""
    pins: dict[str, str] = field(default_factory=dict, repr=False)
    """What seats dial to log in by key, by their numbers; those that must."""
    notes: tuple[Fault, ...] = ()
    """What is no fault and should be known."""

    @property
    def modes(self) -> Modes:
        """Which rules are in force for some queues and trunks."""
        return Modes(self.config.manners.queues, self.config.manners.trunks)

    @property
    def thresholds(self) -> Thresholds:
        return self.config.media.hearing.over(Thresholds())

    @property
    def thresholds_of_trunks(self) -> dict[str, Thresholds]:
        """Of the trunks that have their own, by their names."""
        trunks = self.config.sip.trunks.items()
        return {name: trunk.hearing.over(self.thresholds) for name, trunk in trunks if trunk.hearing}

    @property
    def media_timeouts(self) -> dict[str, float]:
        """Of the trunks that have their own, by their names (seconds)."""
        trunks = self.config.sip.trunks.items()
        return {name: trunk.media_timeout for name, trunk in trunks if trunk.media_timeout is not None}

    @property
    def seat_passwords(self) -> dict[str, str]:
        """By the seats' numbers, what opens their pages; those that have a password of their own."""
        return self.passwords

    @property
    def said(self) -> frozenset[str]:
        """Every prompt that a call may say."""
        waiting = self.house.waiting_prompts if self.flow.queues else frozenset()
        seats = self.house.waiting_prompts | SEATS_HEAR if self.config.seats.at else frozenset()
        return self.house.prompts | waiting | seats | set(self.flow.prompts.values())

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
        for prompt in sorted(self.said & self.prompts.keys):
            slots = self.prompts.fields(prompt)
            if slots <= self.config.fields.keys():
                yield prompt, prompt, self.config.fields
            for own in self._known_in_calls(prompt):
                yield recording(prompt, own), prompt, {**self.config.fields, **own}

    @property
    def read_back(self) -> frozenset[str]:
        """The prompts that say a number which nobody knows before the call."""
        too_often = self.house.transfer.too_often if self.config.seats.at else None
        return self.flow.read_back | ({too_often.read_back} if too_often else set())

    @property
    def spelling(self) -> dict[str, Samples]:
        """The recordings that the plane needs for what callers key, by their names there."""
        found: dict[str, Samples] = {}
        for prompt in sorted(self.read_back & self.prompts.keys):
            for value in self.prompts.values(prompt, _SPELT):
                found |= self.prompts.spelt(prompt, {**self.config.fields, _SPELT: value})
        return found

    def spell(self, prompt: str, own: Mapping[str, str]) -> list[str]:
        """Which of them say a prompt whose slots are filled in a call. Raises `CannotSpeak`."""
        return [name for name, _ in self.prompts.spelt(prompt, {**self.config.fields, **own})]

    def _known_in_calls(self, prompt: str) -> Iterator[dict[str, str]]:
        """Every way in which a call fills the slots of a prompt: whom it speaks with, how long it lasts."""
        slots = self.prompts.fields(prompt)
        transfer = self.house.transfer
        if prompt == self.house.joining.greeting or "seat" in slots or prompt in transfer.brief:
            yield from ({"seat": number} for number in self.config.seats.at)
        if prompt in transfer.question:
            queues = (plan.spoken or plan.number for plan in self.config.seats.queue_plans)
            yield from ({"target": name} for name in (*self.config.seats.at, *queues) if name)
        for slot, about in (("surname", transfer.who), ("matter", transfer.matter)):
            if prompt == about:
                yield from ({slot: value} for value in sorted(self.sayable[slot]))
        if transfer.away and prompt == transfer.away.back_in:
            yield from ({"minutes": str(minutes)} for minutes in range(1, LONGEST_ESTIMATE + 1))
        if self.house.hold.estimate and prompt in self.house.hold.question:
            yield from ({"minutes": str(minutes)} for minutes in range(1, LONGEST_ESTIMATE + 1))
        if prompt == self.house.queue.place:
            yield from ({"ahead": str(ahead)} for ahead in range(1, MOST_AHEAD + 1))


def default() -> Setup:
    """What runs without a configuration file."""
    return _set_up(Config.model_validate({"callflow-config": 1}), Document("(defaults)", {}), Path())


def read(path: Path) -> Setup:
    """The configuration in `path`, and all it names. Raises `SourceError` with every fault."""
    source = resources.read_document(path)
    return _set_up(source.read_as(Config), source, path.parent)


def read_flow(path: Path) -> tuple[Flow, House]:
    """A flow and the house it names. Raises `SourceError`."""
    flow, source = load(resources.read_text(path), str(path))
    return flow, resources.named_house(flow.house, source, ("house",), path.parent)


def with_flow(setup: Setup, path: Path) -> Setup:
    """The same set-up with the flow in `path` and that flow's house. Raises `SourceError`."""
    flow, house = read_flow(path)
    setup = replace(setup, flow=flow, house=house)
    unknown = [*_unknown_queues(setup, path), *_nowhere_to_record(setup, path)]
    faults = [*unknown, *_unsayable_flow(setup, path), *_unspeakable(setup, resources.read_document(path))]
    if faults:
        raise SourceError(*faults)
    return setup


def _set_up(config: Config, source: Document, folder: Path) -> Setup:
    faults: list[Fault] = []
    if config.journal is not None:
        config = config.model_copy(update={"journal": folder / config.journal})
    if config.recordings is not None:
        config = config.model_copy(update={"recordings": folder / config.recordings})
        faults += _bad_folder(folder / str(config.recordings), source)
    accounts: dict[str, str] = {}
    for user, account in config.sip.accounts.items():
        try:
            accounts[user] = account.secret(folder)
        except ValueError as error:
            faults.append(source.fault(("sip", "accounts", user), str(error)))
    trunks: list[TrunkPlan] = []
    for name, trunk in config.sip.trunks.items():
        try:
            trunks.append(trunk.plan(name, folder))
        except ValueError as error:
            faults.append(source.fault(("sip", "trunks", name, "account"), str(error)))
    secrets = read_secrets(config.seats, source, folder, faults)
    faults += people_faults(config.seats, config.sip, source)
    flow = _or_faults(faults, lambda: read_flow(_flow_path(config, source, folder)))
    prompts = _or_faults(faults, lambda: _prompts(config, folder))
    if flow is None or prompts is None:
        raise SourceError(*faults)
    flow = flow[0], config.manners.over(flow[1])
    faults += _modes_of_nothing(config, source)
    notes = tuple(page_notes(config.seats, accounts, secrets[0], source))
    setup = Setup(config, *flow, prompts, accounts, tuple(trunks), *secrets, notes)
    faults += _unsayable_flow(setup, _flow_path(config, source, folder))
    faults += _unknown_queues(setup, _flow_path(config, source, folder))
    faults += _nowhere_to_record(setup, _flow_path(config, source, folder))
    faults += _unsaid_matters(setup, _flow_path(config, source, folder))
    faults += _unspeakable(setup, source)
    if faults:
        raise SourceError(*faults)
    return setup


def _or_faults(faults: list[Fault], read: Callable[[], ReadT]) -> ReadT | None:
    """What `read` gives, or None and its faults added to `faults`: so that one wrong file hides no other."""
    try:
        return read()
    except SourceError as error:
        faults += error.faults
        return None


def _flow_path(config: Config, source: Document, folder: Path) -> Path:
    """The flow's file, beside the configuration or among ours. Raises `SourceError`."""
    for path in (folder / config.flow, resources.FLOWS / config.flow):
        if path.is_file():
            return path
    shipped = did_you_mean(str(config.flow), [path.name for path in resources.FLOWS.glob("*.yaml")])
    raise SourceError(source.fault(("flow",), f"there is no flow {str(config.flow)!r}{shipped}"))


def _unsayable_flow(setup: Setup, path: Path) -> Iterator[Fault]:
    """A fault for each prompt that the flow says and that has no audio, at its place in the flow."""
    return iter(missing_prompts(setup.flow, resources.read_document(path), setup.prompts.keys))


def _unknown_queues(setup: Setup, path: Path) -> Iterator[Fault]:
    """A fault for each queue that the flow names and the configuration does not have."""
    queues = setup.config.seats.queues
    for place, queue in setup.flow.queues.items():
        if queue not in queues:
            known = did_you_mean(queue, list(queues))
            source = resources.read_document(path)
            yield source.fault(place, f"there is no queue {queue!r} under seats.queues{known}")


def _nowhere_to_record(setup: Setup, path: Path) -> Iterator[Fault]:
    """A fault for each step that records callers while the configuration does not say where to."""
    if setup.config.recordings is None:
        for place in setup.flow.messages:
            what = "a message needs a folder: say `recordings: DIR` in the configuration"
            yield resources.read_document(path).fault(place, what)


def _unsaid_matters(setup: Setup, path: Path) -> Iterator[Fault]:
    """A fault for each matter that the flow names and no second seat could be told."""
    known = setup.sayable["matter"]
    for place, matter in setup.flow.matters.items():
        if matter not in known:
            what = f"there is no recording of the matter {matter!r}{did_you_mean(matter, sorted(known))}"
            yield resources.read_document(path).fault(place, what)


def _bad_folder(folder: Path, source: Document) -> Iterator[Fault]:
    """A fault where callers' messages cannot be put."""
    if not folder.is_dir():
        yield source.fault(("recordings",), f"there is no folder {str(folder)!r}")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield source.fault(("recordings",), f"the folder {str(folder)!r} cannot be written to")


def _modes_of_nothing(config: Config, source: Document) -> Iterator[Fault]:
    """A fault for each queue and trunk that has manners of its own and is not there."""
    for kind, where, named, known in (
        ("queues", "seats.queues", config.manners.queues, config.seats.queues),
        ("trunks", "sip.trunks", config.manners.trunks, config.sip.trunks),
    ):
        for name in named:
            if name not in known:
                what = f"there is no {kind[:-1]} {name!r} under {where}{did_you_mean(name, [*known])}"
                yield source.fault(("manners", kind, name), what, at_key=True)


def _prompts(config: Config, folder: Path) -> PromptLibrary:
    directory = config.prompts.directory
    base = folder / directory if directory else resources.PROMPTS
    return PromptLibrary.load(base, *(folder / overlay for overlay in config.prompts.overlays))


def _unspeakable(setup: Setup, source: Document) -> Iterator[Fault]:
    """A fault for each prompt of house and flow that could not be said in a call."""
    house, prompts = setup.house, setup.prompts
    for key in sorted(prompts.missing(house.prompts)):
        yield source.fault(("prompts",), f"the house {house.name!r} says {key!r}, which has no audio")
    for key in sorted(SEATS_HEAR - prompts.keys) if setup.config.seats.at else ():
        yield source.fault(("prompts",), f"what seats dial is answered with {key!r}, which has no audio")
    yield from _unspellable(setup, source)
    recorded = {prompt for _, prompt, _ in setup.recordings} | setup.read_back
    for key in sorted((setup.said & prompts.keys) - recorded):
        lacking = sorted(prompts.fields(key) - setup.config.fields.keys())
        yield source.fault(("fields",), f"the prompt {key!r} needs {', '.join(lacking)} here")
    told: set[str] = set()
    unspoken = dict(_unspoken_queues(setup))
    for name, error in unspoken.values():
        yield source.fault(("seats", "queues", name, "spoken"), error)
    for _, key, fields in setup.recordings:
        if fields.get("target") in unspoken:
            continue
        try:
            prompts.pcm(key, fields)
        except CannotSpeak as error:
            if str(error) not in told:
                told.add(str(error))
                yield source.fault(("fields",), str(error))


def _unspoken_queues(setup: Setup) -> Iterator[tuple[str, tuple[str, str]]]:
    """What callers could not be told of a queue that they come to: its words, its name, and why."""
    question = setup.house.transfer.question
    for name, queue in setup.config.seats.queues.items():
        for prompt in question if queue.spoken else ():
            try:
                setup.prompts.pcm(prompt, {**setup.config.fields, "target": queue.spoken})
            except CannotSpeak as error:
                yield queue.spoken, (name, str(error))


def _unspellable(setup: Setup, source: Document) -> Iterator[Fault]:
    """A fault for each prompt that is to read a number back and cannot."""
    prompts, known = setup.prompts, setup.config.fields
    for key in sorted(setup.read_back & prompts.keys):
        if _SPELT not in prompts.fields(key):
            what = f"the prompt {key!r} reads a number back and has no slot {{{_SPELT}}}"
            yield source.fault(("prompts",), what)
            continue
        try:
            prompts.pcm(key, {**known, _SPELT: "0123456789"})
        except CannotSpeak as error:
            yield source.fault(("fields",), str(error))
