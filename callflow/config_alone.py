"""A flow or a house that is checked without its configuration: what is known of it all the same."""

from collections.abc import Iterator
from pathlib import Path

from callflow import resources
from callflow.call.served import served
from callflow.config import Config, Named, our_prompts, prompts_of
from callflow.config_said import Sayings
from callflow.errors import Fault, SourceError
from callflow.etiquette.house import House
from callflow.flow.model import Flow, Limits
from callflow.named_files import CONFIGURATION, head
from callflow.resources import ReadHouse


def faults_alone(named: Named, folder: Path) -> list[Fault]:
    """What is wrong in what a flow and its house say, as far as that is known without a configuration.

    Recordings that only the flow wants may be those of a configuration elsewhere; see `wanted_alone`.
    """
    unknown = wanted_alone(named, folder)
    known = [use for use in named.flow.prompt_uses if use.key not in unknown]
    told = [
        sayings.faults_at([(use, named.source) for use in known], named.source)
        for sayings in _sayings_beside(named.flow, named.house.house, folder)
    ]
    return [*min(told, key=len), *house_faults_alone(named.house, folder)]


def wanted_alone(named: Named, folder: Path) -> frozenset[str]:
    """The prompts of a flow that neither we nor a configuration beside it have."""
    beside = _sayings_beside(named.flow, named.house.house, folder)
    known = frozenset(key for sayings in beside for key in sayings.prompts.keys)
    return frozenset(use.key for use in named.flow.prompt_uses) - known


def house_faults_alone(house: ReadHouse, folder: Path) -> list[Fault]:
    """The same of a house, whatever the flow under it is."""
    beside = _sayings_beside(served("", Limits()), house.house, folder)
    told = [sayings.faults_of_house(house.source, house.source) for sayings in beside]
    return min(told, key=len)


def _sayings_beside(flow: Flow, house: House, folder: Path) -> Iterator[Sayings]:
    ours = Config.model_validate({CONFIGURATION: 1})
    yield Sayings(flow, house, our_prompts(), fields=ours.fields)
    for path in sorted(folder.glob("*.yaml")):
        if head(path).kind != CONFIGURATION:
            continue
        try:
            source = resources.read_document(path)
            config = source.read_as(Config)
            yield Sayings(flow, house, prompts_of(config, folder, source), fields=config.fields)
        except SourceError:
            # That is told when the configuration itself is checked.
            continue
