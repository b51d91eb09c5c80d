"""Broken YAML files of every kind, and what must hold of each: it is read, or told what is wrong with it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callflow import config, config_alone, resources
from callflow.adapters.prompts import PromptLibrary
from callflow.document.sentences import OTHERWISE
from callflow.errors import MOST_TOLD, SourceError
from tests.search.mutations import mutated

FOREIGN: Final = (
    "Input should", "Value error", "validation error", "valid dictionary", "not YAML:",
    "could not find expected", "did not find", "while scanning", "while parsing", "mapping values are",
    "start any token", "found character", "found undefined", "found unexpected", "Errno", "Traceback",
    "object at 0x", "pydantic", "yaml.", OTHERWISE,
)  # fmt: skip
"""What no sentence of ours has: text of libraries, and our own where it had to be general."""
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Base:
    """A good file to be broken, and how it is read."""

    name: str
    text: str
    read: Callable[[Path], object]


def bases() -> tuple[Base, ...]:
    """A file of every kind."""
    example = (Path(__file__).parents[2] / "deploy" / "callflow.example.yaml").read_text(encoding="utf-8")
    # With everything that the example has in comments.
    whole = (
        example[example.index("callflow-config") :]
        .replace("\nmanners: enforce ", "\n# ")
        .replace("\n# ", "\n")
        .replace("\n#   ", "\n  ")
    )
    houses = [
        Base(f"{name}.yaml", (resources.HOUSES / f"{name}.yaml").read_text(encoding="utf-8"), _house)
        for name in ("csr-standard", "gas-hotline")
    ]
    flows = [
        Base(path.name, path.read_text(encoding="utf-8"), config.read_named)
        for path in sorted(resources.FLOWS.glob("*.yaml"))
    ]
    return (
        Base("callflow.yaml", example, config.read),
        Base("callflow.yaml", SERVED, config.read),
        Base("callflow.yaml", whole, config.read),
        *houses,
        *flows,
        Base("prompts.yaml", PROMPTS, lambda path: PromptLibrary.load(path.parent)),
    )


SERVED: Final = """\
callflow-config: 1
sip:
  listen: 127.0.0.1:5060
  accounts: {seat1: {password: opensesame}, "chief": {password: sesame}}
  trunks: {provider: {at: sip.example.net, account: {user: "4001", password: x, expires: 5m}}}
seats:
  wrap_up: 15s
  at:
    "8001": {phone: seat1, skills: [gas], away: {forward: "8009", after: 10m}}
    "8009": {phone: chief, supervisor: true}
  queues: {service: {skills: [gas], number: "90", spoken: 报修}}
  calls_out: {trunks: [provider], allow: ["0[1-9]*"], caller_id: "02112345678"}
manners: {default: enforce, rules: {csr-16: off}, queues: {service: {csr-23: observe}}}
flow: service.yaml
fields: {seat: "8001"}
"""


PROMPTS: Final = """\
callflow-prompts: 1
locale: zh-CN
voice: studio
pace: {speed: 1.0, items: 1.0, comma: 200ms, stop: 500ms, at_most: 300}
prompts:
  hello: {text: "您好{seat}", slots: {seat: digits}, parts: [{file: a.wav, sha256: ""}]}
lists: {digits: {"1": {text: 幺, file: b.wav}}}
"""


def _house(path: Path) -> object:
    found = resources.house_at(path)
    faults = config_alone.house_faults_alone(found, path.parent)
    if faults:
        raise SourceError(*faults)
    return found


def search(count: int, folder: Path, seed: int = 1) -> Iterator[str]:
    """What is wrong with how `count` broken files are read; each can be had again by its number."""
    files = bases()
    for number in range(count):
        chance = random.Random(f"{seed}-{number}")
        base = files[number % len(files)]
        text = mutated(base.text, chance)
        path = folder / base.name
        path.write_text(text, encoding="utf-8", newline="")
        yield from (f"{number} {base.name}: {what}\n{text}" for what in judged(base, path))
        path.unlink()


def judged(base: Base, path: Path) -> Iterator[str]:
    """What is wrong with how one file is read."""
    try:
        base.read(path)
    except SourceError as error:
        yield from _told_badly(error, path)
    except Exception as error:
        yield f"raised {type(error).__name__}: {error}"


def _told_badly(error: SourceError, path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not 0 < len(error.faults) <= MOST_TOLD + 1:
        yield f"told {len(error.faults)} faults"
    for fault in error.faults:
        if foreign := next((text for text in FOREIGN if text in fault.what), None):
            yield f"says {foreign!r}: {fault}"
        if len(fault.what) > _LONGEST or "\n" in fault.what:
            yield f"is no sentence: {fault}"
        if fault.file == str(path) and not 0 < fault.line <= max(len(lines), 1) + 1:
            yield f"is at a line that is not there: {fault}"
        if fault.column < 1:
            yield f"is at no column: {fault}"
