"""What a flow and a house name that their configuration does not have."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from callflow.config_said import Sayings
from callflow.config_seats import SeatsConfig
from callflow.document import Document
from callflow.errors import Fault, Unknown
from callflow.flow.model import Flow


def unknown_queues(flow: Flow, seats: SeatsConfig, source: Document) -> Iterator[Fault]:
    """A fault for each queue that the flow names and the configuration does not have."""
    for place, queue in flow.queues.items():
        if queue not in seats.queues:
            what = f"there is no queue {queue!r} under seats.queues"
            yield source.fault(place, what, unknown=Unknown(queue, seats.queues))


def nowhere_to_record(flow: Flow, recordings: Path | None, source: Document) -> Iterator[Fault]:
    """A fault for each step that records callers while the configuration does not say where to."""
    if recordings is None:
        for place in flow.messages:
            yield source.fault(place, "a message needs a folder: say `recordings: DIR` in the configuration")


def unsaid_matters(sayings: Sayings, source: Document) -> Iterator[Fault]:
    """A fault for each matter that the flow names and no second seat could be told."""
    known = sayings.sayable["matter"]
    for place, matter in sayings.flow.matters.items():
        if matter not in known:
            what = f"there is no recording of the matter {matter!r}"
            yield source.fault(place, what, unknown=Unknown(matter, known))


def unknown_prompts(
    sayings: Sayings, source: Document, shipped: Callable[[], Collection[str]]
) -> Iterator[Fault]:
    """A fault for each prompt of the house that no call says and nobody has: it is misspelt all the same.

    `shipped` gives the keys of the prompts that come with the program.
    """
    said, known = {*sayings.house_uses}, sayings.prompts.keys
    others = [use for use in sayings.house.prompt_uses if use not in said and use.key not in known]
    ours = frozenset(shipped() if others else ())
    for use in others:
        if use.key not in ours:
            what = f"the prompt {use.key!r} has no audio"
            yield source.fault(use.path, what, unknown=Unknown(use.key, known | ours))
