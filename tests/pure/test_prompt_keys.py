"""Every prompt that houses and flows name is found by the types of their fields."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
import pytest

import callflow
from callflow import config, resources
from callflow.config import Setup
from callflow.document import Shape
from callflow.prompt_keys import PromptKey, PromptUse, SeatPrompt, TargetPrompt, prompt_uses

pytestmark = pytest.mark.pure

PACKAGE = Path(callflow.__file__).parent


class Inner(Shape):
    said: SeatPrompt
    not_said: str = "words"


class Outer(Shape):
    one: PromptKey
    maybe: PromptKey | None = None
    usual: PromptKey = "usual"
    named: PromptKey = pydantic.Field("aliased", alias="called")
    several: Annotated[tuple[TargetPrompt, ...], pydantic.Field(min_length=1)] | None = None
    inner: Inner
    inners: Mapping[str, tuple[Inner, ...]] = pydantic.Field(default_factory=dict)
    by_digit: dict[str, PromptKey] = pydantic.Field(default_factory=dict)


def test_prompts_are_found_however_their_fields_are_nested() -> None:
    outer = Outer.model_validate(
        {
            "one": "a",
            "several": ["b", "c"],
            "inner": {"said": "d"},
            "inners": {"x": [{"said": "e"}]},
            "by_digit": {"1": "f"},
        }
    )
    none, seat, target = frozenset[str](), frozenset({"seat"}), frozenset({"target"})
    assert [*prompt_uses(outer)] == [
        PromptUse(("one",), "a", none),
        PromptUse(("usual",), "usual", none),
        PromptUse(("called",), "aliased", none),
        PromptUse(("several", 0), "b", target),
        PromptUse(("several", 1), "c", target),
        PromptUse(("inner", "said"), "d", seat),
        PromptUse(("inners", "x", 0, "said"), "e", seat),
        PromptUse(("by_digit", "1"), "f", none),
    ]


@pytest.mark.parametrize("name", resources.house_names())
def test_whatever_of_a_house_is_a_key_of_our_prompts_is_found_as_one(name: str, setup: Setup) -> None:
    """A field that names a prompt and has another type would have a prompt's key for its value."""
    house = resources.read_house(resources.HOUSES / f"{name}.yaml")
    texts = set(texts_in(house.model_dump(exclude={"rules", "name", "title", "extends"})))
    # A key of ours that is also a word of the house's language is none of its prompts.
    words = {"callback", "message", "closing", "key", "seat", "voice", "no"}
    assert (texts & setup.prompts.keys) - words == house.all_prompts & setup.prompts.keys


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def test_every_prompt_that_the_code_names_is_among_those_that_are_proved(tmp_path: Path) -> None:
    """What rules and calls say without a parameter stands in tables; all of them are checked."""
    path = tmp_path / "callflow.yaml"
    path.write_text(
        "callflow-config: 1\nsip: {accounts: {p: {password: secret}}}\nflow: service.yaml\n"
        "seats: {at: {'8001': {phone: p}}, queues: {service: {}}}\n",
        encoding="utf-8",
    )
    setup = config.read(path)
    named = {
        node.value
        for folder in ("call", "etiquette", "flow")
        for source in (PACKAGE / folder).rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    steps = {"message_after_tone", "message_taken", "message_not_taken"}
    assert named & setup.prompts.keys <= setup.said | steps
