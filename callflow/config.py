"""The configuration of one controller, and everything it names: flow, house, prompts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pydantic

from callflow import document, resources
from callflow.adapters.prompt_manifest import NAME
from callflow.adapters.prompts import PromptLibrary, Samples
from callflow.call.liveness import USUAL
from callflow.config_addresses import Host, ReachedAt
from callflow.config_files import control_faults, journal_faults, recordings_faults
from callflow.config_flow import nowhere_to_record, unknown_prompts, unknown_queues, unsaid_matters
from callflow.config_hearing import HearingConfig, Silence, hearing_faults
from callflow.config_http import HttpConfig
from callflow.config_limits import LimitsConfig
from callflow.config_manners import MannersConfig, mode_notes, one_mode
from callflow.config_places import advertise_faults, port_faults, queue_faults, reach_faults
from callflow.config_said import Sayings
from callflow.config_seats import SeatsConfig, page_notes, people_faults, read_secrets
from callflow.config_sip import SipConfig
from callflow.document import Document, Duration, Shape
from callflow.errors import Fault, SourceError, Unknown
from callflow.etiquette.house import House
from callflow.etiquette.modes import Modes
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.media.thresholds import Thresholds
from callflow.named_files import CONFIGURATION, FLOW, flows_in, head, is_file, read_text, refuse_other_kind
from callflow.overlays import overlay_faults, overlay_notes
from callflow.resources import ReadHouse
from callflow.sip.trunks import TrunkPlan
from callflow.suggestions import shown

ReadT = TypeVar("ReadT")


def _port_range(text: object) -> tuple[int, ...]:
    first, _, last = str(text).partition("-")
    if not (str(text).isascii() and first.isdecimal() and (last or first).isdecimal()):
        raise ValueError(f"{shown(text)} is not a range of ports, as 20000-20031")
    lowest, highest = int(first), int(last or first)
    # RTP has the even port, the odd one beside it is RTCP's (RFC 3550 §11).
    ports = range(lowest + lowest % 2, highest + 1, 2)
    if not ports or highest > 65535 or len(ports) > 256:
        raise ValueError(f"{shown(text)} must go upwards, to 65535 at most, and hold 1 to 256 even ports")
    return tuple(ports)


Ports = Annotated[tuple[int, ...], pydantic.BeforeValidator(_port_range)]


class MediaConfig(Shape):
    host: Host | None = None
    """Where audio is received; the SIP address where it is not said."""
    advertise: ReachedAt | None = None
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


@dataclass(frozen=True)
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
    """Notes: an admin should know them, and none of them is a fault."""

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

    @cached_property
    def sayings(self) -> Sayings:
        """Everything that calls may say."""
        config = self.config
        return Sayings(self.flow, self.house, self.prompts, config.seats, config.fields)

    @property
    def said(self) -> frozenset[str]:
        """Every prompt that a call may say."""
        return self.sayings.said

    @property
    def sayable(self) -> dict[str, frozenset[str]]:
        """What there are recordings of to tell a second seat who calls and why: `surname`, `matter`."""
        return self.sayings.sayable

    @property
    def recordings(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Every recording that the plane needs: its name there, its prompt, what fills the slots."""
        return self.sayings.recordings

    @property
    def spelling(self) -> dict[str, Samples]:
        """The recordings that the plane needs for what callers key, by their names there."""
        return self.sayings.spelling

    def spell(self, prompt: str, own: Mapping[str, str]) -> list[str]:
        """Which of them say a prompt whose slots are filled in a call. Raises `CannotSpeak`."""
        return [name for name, _ in self.prompts.spelt(prompt, {**self.config.fields, **own})]


@dataclass(frozen=True, slots=True)
class Named:
    """A flow with the house that it names, and where both are written."""

    flow: Flow
    source: Document
    house: ReadHouse


def default() -> Setup:
    """What runs without a configuration file."""
    return _set_up(Config.model_validate({CONFIGURATION: 1}), Document("(defaults)", {}), Path())[0]


def read(path: Path) -> Setup:
    """The configuration in `path`, and all it names. Raises `SourceError` with every fault."""
    return read_whole(path)[0]


def read_whole(path: Path) -> tuple[Setup, Named]:
    """The same, with its flow's and house's places."""
    refuse_other_kind(path, CONFIGURATION)
    source = resources.read_document(path)
    if isinstance(source.data, dict) and CONFIGURATION not in source.data:
        raise SourceError(source.fault((), f"the key {CONFIGURATION!r} is missing here"))
    return _set_up(source.read_as(Config), source, path.parent)


def read_flow(path: Path) -> tuple[Flow, House]:
    """A flow and the house it names. Raises `SourceError`."""
    named = read_named(path)
    return named.flow, named.house.house


def read_named(path: Path) -> Named:
    """The same with their places."""
    refuse_other_kind(path, FLOW)
    flow, source = load(read_text(path), str(path))
    return Named(flow, source, resources.named_house(flow.house, source, ("house",), path.parent))


def with_flow(setup: Setup, path: Path) -> Setup:
    """The same set-up with the flow in `path` and that flow's house. Raises `SourceError`."""
    named = read_named(path)
    setup = replace(setup, flow=named.flow, house=named.house.house)
    faults = _flow_faults_of(setup, named, named.source)
    if faults:
        raise SourceError(*faults)
    return setup


def _set_up(config: Config, source: Document, folder: Path) -> tuple[Setup, Named]:
    faults: list[Fault] = []
    config = _placed(config, folder)
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
    faults += [*people_faults(config.seats, config.sip, source), *_place_faults(config, source)]
    named = _or_faults(faults, lambda: read_named(_flow_path(config, source, folder)))
    prompts = _or_faults(faults, lambda: prompts_of(config, folder, source))
    faults += _modes_of_nothing(config, source)
    if named is None or prompts is None:
        raise SourceError(*faults)
    house = config.manners.over(named.house.house)
    notes = tuple(page_notes(config.seats, accounts, secrets[0], source))
    setup = Setup(config, named.flow, house, prompts, accounts, tuple(trunks), *secrets, notes)
    faults += _flow_faults_of(setup, named, source)
    faults += overlay_faults(setup.sayings, folder)
    if faults:
        raise SourceError(*faults)
    notes += tuple(overlay_notes(setup.sayings, folder))
    notes += tuple(mode_notes(config.manners, named.house.house, resources.rulebook(), source))
    return replace(setup, notes=notes), named


def _placed(config: Config, folder: Path) -> Config:
    """The configuration with its files beside it."""
    named = {"journal": config.journal, "recordings": config.recordings}
    return config.model_copy(update={name: folder / path for name, path in named.items() if path is not None})


def _or_faults(faults: list[Fault], read: Callable[[], ReadT]) -> ReadT | None:
    """What `read` gives, or None and its faults added to `faults`: so that one wrong file hides no other."""
    try:
        return read()
    except SourceError as error:
        faults += error.faults
        return None


def _flow_path(config: Config, source: Document, folder: Path) -> Path:
    """The flow's file, beside the configuration or among ours. Raises `SourceError`."""
    beside, ours = folder / config.flow, resources.FLOWS / config.flow
    there = [path for path in (beside, ours) if is_file(path)]
    for path in there:
        # A house or a configuration of that name hides no flow of ours.
        if head(path).kind in (FLOW, "") or path == there[-1]:
            return path
    shipped = [path.name for path in resources.FLOWS.glob("*.yaml")]
    own = [str(config.flow.parent / flow) for flow in flows_in(beside.parent)]
    what, name = f"there is no flow {str(config.flow)!r}", str(config.flow)
    raise SourceError(source.fault(("flow",), what, unknown=Unknown(name, [*own, *shipped])))


# --- what is wrong ---


def _place_faults(config: Config, source: Document) -> Iterator[Fault]:
    """A fault for each port, address, file and queue that cannot be as the configuration wants it."""
    yield from port_faults(config.media, config.sip, config.http.listen, source)
    yield from reach_faults(config.sip, source)
    yield from advertise_faults(config.media, config.sip, source)
    yield from queue_faults(config.seats, source)
    usual = config.media.hearing
    yield from hearing_faults(usual, usual, ("media", "hearing"), source)
    for name, trunk in config.sip.trunks.items():
        if trunk.hearing:
            yield from hearing_faults(trunk.hearing, usual, ("sip", "trunks", name, "hearing"), source)
    if config.journal is not None:
        yield from journal_faults(config.journal, source)
    if config.recordings is not None:
        yield from recordings_faults(config.recordings, source)
    if config.http.control is not None:
        yield from control_faults(config.http.control, source)


def _flow_faults_of(setup: Setup, named: Named, source: Document) -> list[Fault]:
    """What the flow and the house name, and the configuration in `source` does not have."""
    config, flow = setup.config, named.source
    told = [*unknown_queues(setup.flow, config.seats, flow)]
    told += nowhere_to_record(setup.flow, config.recordings, flow)
    told += unsaid_matters(setup.sayings, flow)
    told += setup.sayings.faults(flow, named.house.source, source)
    return [*told, *unknown_prompts(setup.sayings, named.house.source, lambda: our_prompts().keys)]


def _modes_of_nothing(config: Config, source: Document) -> Iterator[Fault]:
    """A fault for each queue and trunk that has manners of its own and is not there."""
    for kind, where, named, known in (
        ("queues", "seats.queues", config.manners.queues, config.seats.queues),
        ("trunks", "sip.trunks", config.manners.trunks, config.sip.trunks),
    ):
        for name in named:
            if name not in known:
                what = f"there is no {kind[:-1]} {name!r} under {where}"
                unknown = Unknown(name, [*known])
                yield source.fault(("manners", kind, name), what, at_key=True, unknown=unknown)


@cache
def our_prompts() -> PromptLibrary:
    """The prompts that ship with the program."""
    return PromptLibrary.load(resources.PROMPTS)


def prompts_of(config: Config, folder: Path, source: Document) -> PromptLibrary:
    directory = config.prompts.directory
    if directory is None and not config.prompts.overlays:
        return our_prompts()
    named: list[tuple[document.Path, Path]] = []
    named += [(("prompts", "directory"), folder / directory)] if directory else []
    named += [(("prompts", "overlays", n), folder / each) for n, each in enumerate(config.prompts.overlays)]
    missing = [(place, path) for place, path in named if not is_file(path / NAME)]
    if missing:
        what = "there is no {} in the folder {!r}"
        raise SourceError(*(source.fault(place, what.format(NAME, str(path))) for place, path in missing))
    base = folder / directory if directory else resources.PROMPTS
    return PromptLibrary.load(base, *(folder / overlay for overlay in config.prompts.overlays))
