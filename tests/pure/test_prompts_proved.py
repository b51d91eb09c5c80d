"""No prompt of a house goes unproved: each is misspelt and left out, one after the other, and refused."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from callflow import config, resources
from callflow.config import Setup
from callflow.config_said import Sayings
from callflow.document import parse
from callflow.errors import SourceError
from callflow.etiquette import house_files as houses
from callflow.etiquette.house import House
from callflow.prompt_keys import PromptUse

pytestmark = pytest.mark.pure

BASE = resources.house_at(resources.HOUSES / "csr-standard.yaml")
USES = BASE.house.prompt_uses
NAMES = [".".join(map(str, use.path)) for use in USES]
CONFIGURATION = """\
callflow-config: 1
sip: {accounts: {p: {password: secret}}}
flow: flow.yaml
seats: {at: {"8001": {phone: p}}, queues: {service: {}}}
"""
FLOW = """\
callflow: 1
name: serve
title: 人工服务
house: mine
start: serve
steps:
  serve: {do: seat, queue: service, nobody: close, next: close}
  close: {do: close, more: serve}
"""


@pytest.fixture(scope="module")
def served() -> Setup:
    """With a queue and a seat: all that a house has may be said."""
    setup = config.default()
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    seats = setup.config.seats.model_validate({"at": {"8001": {"password": "x"}}, "queues": {"service": {}}})
    return replace(setup, flow=flow, config=setup.config.model_copy(update={"seats": seats}))


def changed(path: tuple[str | int, ...], value: str | None) -> dict[str, Any]:
    """The base house with another value at `path`, or without that key."""
    data: dict[str, Any] = copy.deepcopy(BASE.source.data)
    here: Any = data
    for part in path[:-1]:
        here = here[part]
    if value is None:
        here.pop(path[-1], None)
    else:
        here[path[-1]] = value
    return data


def written(data: dict[str, Any]) -> str:
    return yaml.safe_dump({**data, "name": "mine"}, allow_unicode=True, sort_keys=False)


def faults(text: str, setup: Setup) -> list[str]:
    try:
        house, source = houses.read_whole(parse(text, "mine.yaml"), lambda name: BASE.source)
    except SourceError as error:
        return [str(fault) for fault in error.faults]
    seats, fields = setup.config.seats, setup.config.fields
    return [
        *map(str, Sayings(setup.flow, house, setup.prompts, seats, fields).faults_of_house(source, source))
    ]


def test_the_base_house_is_good(served: Setup) -> None:
    assert faults(written(BASE.source.data), served) == []


@pytest.mark.parametrize("use", USES, ids=NAMES)
def test_a_misspelt_prompt_is_refused_at_its_line(use: PromptUse, served: Setup) -> None:
    typo = use.key[:-1] + "q"
    text = written(changed(use.path, typo))
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.endswith(f" {typo}"))
    (told,) = faults(text, served)
    assert told.startswith(f"mine.yaml:{line}:")
    assert f"the prompt {typo!r} has no audio; did you mean {use.key!r}?" in told


@pytest.mark.parametrize("use", USES, ids=NAMES)
def test_a_prompt_whose_slot_nobody_fills_is_refused(use: PromptUse, served: Setup) -> None:
    prompt = "queue_place" if "ahead" not in use.fills else "brief_caller"
    told = faults(written(changed(use.path, prompt)), served)
    slot = "ahead" if prompt == "queue_place" else "surname"
    assert any(f"nothing fills the slot {{{slot}}} of the prompt {prompt!r} here" in fault for fault in told)


def is_required(path: tuple[str | int, ...]) -> bool:
    """Whether a house cannot be without what is there."""
    model: Any = House
    for part in path:
        info = {field.alias or name: field for name, field in model.model_fields.items()}[str(part)]
        if part == path[-1]:
            return bool(info.is_required())
        model = info.annotation if isinstance(info.annotation, type) else model
    return False


REQUIRED = [use for use in USES if all(isinstance(part, str) for part in use.path) and len(use.path) == 2]


@pytest.mark.parametrize("use", REQUIRED, ids=[".".join(map(str, use.path)) for use in REQUIRED])
def test_a_prompt_that_is_left_out_is_refused_unless_it_may_be(use: PromptUse, served: Setup) -> None:
    told = faults(written(changed(use.path, None)), served)
    missing = [fault for fault in told if f"the key {use.path[-1]!r} is missing here" in fault]
    assert len(missing) == len(told) == is_required(use.path)


@pytest.mark.parametrize("path", sorted({use.path[:-1] for use in USES if isinstance(use.path[-1], int)}))
def test_a_list_of_prompts_that_is_empty_is_refused_unless_it_may_be(
    path: tuple[str | int, ...], served: Setup
) -> None:
    data = changed(path, "")
    here: Any = data
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = []
    told = faults(written(data), served)
    assert told == [] or all("at least one belongs here" in fault for fault in told)
    assert bool(told) != (path[-1] == "asks" and path[0] != "transfer")


# --- through the configuration, as `callflow run` reads it ---


def read(folder: Path, house: str, flow: str = FLOW, configuration: str = CONFIGURATION) -> list[str]:
    for name, text in (("mine.yaml", house), ("flow.yaml", flow), ("callflow.yaml", configuration)):
        (folder / name).write_text(text, encoding="utf-8")
    try:
        config.read(folder / "callflow.yaml")
    except SourceError as error:
        return [str(fault).replace(f"{folder}/", "") for fault in error.faults]
    return []


HOUSE = "callflow-house: 1\nname: mine\ntitle: 我们的规矩\nextends: gas-hotline\n"


@pytest.mark.parametrize(
    ("house", "told"),
    [
        ("", []),
        ("hold: {reminder: gas_stil_working}\n",
         ["5:18: the prompt 'gas_stil_working' has no audio; did you mean 'gas_still_working'?"]),
        ("hold:\n  question: [gas_please_wait, gas_pleese_wait]\n",
         ["6:31: the prompt 'gas_pleese_wait' has no audio; did you mean 'gas_please_wait'?"]),
        # With an estimate the question may name the minutes; without one nothing does.
        ("hold: {question: [crs_minutes_or_callback]}\n",
         ["5:19: nothing fills the slot {minutes} of the prompt 'crs_minutes_or_callback' here;"
          " name another prompt"]),
        ("hold: {question: [crs_minutes_or_callback], estimate: {rule: crs-04, minutes: 5}}\n", []),
        ("neutral: nobody_recorded_this\n",
         ["5:10: the prompt 'nobody_recorded_this' has no audio; none of the"]),
        ("recall: {offers: [{key: '7', prompt: queue_place, leads_to: message}]}\n",
         ["5:38: nothing fills the slot {ahead} of the prompt 'queue_place' here; name another prompt"]),
    ],
)  # fmt: skip
def test_a_house_is_proved_with_its_configuration(tmp_path: Path, house: str, told: list[str]) -> None:
    found = read(tmp_path, HOUSE + house)
    assert len(found) == len(told)
    for fault, expected in zip(found, told, strict=True):
        assert fault.startswith(f"mine.yaml:{expected}")


def test_a_prompt_that_no_call_says_is_proved_all_the_same(tmp_path: Path) -> None:
    """Without a queue nobody is held; but a house that is misspelt is misspelt."""
    flow = FLOW.replace("do: seat, queue: service, nobody: close", "do: greet").replace(
        "more: serve", "more: close"
    )
    bare = "callflow-config: 1\nflow: flow.yaml\n"
    assert read(tmp_path, HOUSE, flow, bare) == []
    (told,) = read(tmp_path, HOUSE + "hold: {reminder: still_wurking}\n", flow, bare)
    assert told.startswith("mine.yaml:5:18: the prompt 'still_wurking' has no audio; did you mean")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{do: say, say: queue_place, next: close}",
         "8:24: nothing fills the slot {ahead} of the prompt 'queue_place' here; name another prompt"),
        ("{do: say, say: greting, next: close}",
         "8:24: the prompt 'greting' has no audio; did you mean 'greeting'?"),
        ("{do: take_number, say: leave_number, read_back: opening_hours, next: close, otherwise: close}",
         "8:57: the prompt 'opening_hours' reads a number back and has no slot {number}"),
        ("{do: take_number, say: number_is, next: close, otherwise: close}",
         "8:32: nothing fills the slot {number} of the prompt 'number_is' here; name another prompt"),
    ],
)  # fmt: skip
def test_a_step_is_proved_with_its_slots(tmp_path: Path, step: str, told: str) -> None:
    flow = FLOW.replace("next: close}\n  close", f"next: tell}}\n  tell: {step}\n  close")
    assert read(tmp_path, HOUSE, flow) == [f"flow.yaml:{told}"]


def test_what_a_configuration_fills_is_filled(tmp_path: Path) -> None:
    flow = FLOW.replace(
        "next: close}\n  close", "next: tell}\n  tell: {do: say, say: queue_place, next: close}\n  close"
    )
    assert read(tmp_path, HOUSE, flow, CONFIGURATION + "fields: {seat: '8001', ahead: '3'}\n") == []
