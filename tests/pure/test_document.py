"""YAML as people expect it, and every fault at its place."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import pydantic
import pytest

from callflow.adapters.prompt_manifest import Manifest
from callflow.config import Config
from callflow.document import Document, Duration, Form, Shape, did_you_mean, parse, seconds
from callflow.errors import SourceError
from callflow.etiquette.house import House
from callflow.flow.model import Flow
from callflow.suggestions import is_slip

pytestmark = pytest.mark.pure


def faults(text: str, shape: type[pydantic.BaseModel] | None = None) -> list[str]:
    def read() -> None:
        source = parse(text, "f.yaml")
        if shape:
            source.read_as(shape)

    with pytest.raises(SourceError) as caught:
        read()
    return [str(fault) for fault in caught.value.faults]


# --- what a value is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "True",
        "Null",
        "1:30",
        "010",
        "0x1F",
        "1e3",
        "1_000",
        ".5",
        ".inf",
        "2026-01-02",
    ],
)
def test_what_only_yaml_1_1_takes_for_something_else_is_text(text: str) -> None:
    assert parse(f"a: {text}", "f").data == {"a": text}


def test_the_core_values_are_read() -> None:
    text = "{a: true, b: false, c: null, d: ~, e: , f: 0, g: -12, h: 1.50, i: '7', j: [x, 2]}"
    assert parse(text, "f").data == {
        "a": True, "b": False, "c": None, "d": None, "e": None,
        "f": 0, "g": -12, "h": 1.5, "i": "7", "j": ["x", 2],
    }  # fmt: skip


def test_keys_are_text_also_where_they_look_like_numbers() -> None:
    assert parse("1: a\n01: b\ntrue: c\n~: d", "f").data == {"1": "a", "01": "b", "true": "c", "~": "d"}


def test_a_number_longer_than_any_machine_s_is_left_as_text() -> None:
    assert parse("a: " + "9" * 5000, "f").data == {"a": "9" * 5000}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5s", 5.0),
        ("300ms", 0.3),
        ("2m", 120.0),
        ("1m30s", 90.0),
        ("1h", 3600.0),
        ("1.5s", 1.5),
        ("0s", 0.0),
        ("1m05s", 65.0),
    ],
)
def test_a_duration_has_a_unit(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "5", 5, 5.0, None, "-5s", "s", "fives", "5d", "5s or so"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it with its unit, as 5s, 300ms or 2m"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5 s", "5s"),
        ("５s", "5s"),
        ("５ｓ", "5s"),
        ("5秒", "5s"),
        ("“5s”", "5s"),
        ("5S", "5s"),
        ("5sec", "5s"),
        ("1.5m", "1m30s"),
        ("5s3m", "3m5s"),
        ("5s\n", "5s"),
        ("2 minutes", "2m"),
        ("１分钟３０秒", "1m30s"),
        ("300毫秒", "300ms"),
        ("1小时", "1h"),
        ("012s", "12s"),
        ("００12s", "12s"),
        ("00s", "0s"),
        ("00.5s", "500ms"),
        ("01m30s", "1m30s"),
    ],
)
def test_a_duration_in_another_spelling_is_refused_with_the_right_one(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"is not a duration; write {meant}$"):
        seconds(text)
    assert seconds(meant) >= 0


# --- what is no document ---------------------------------------------------------------------------

ENDED = "nothing may follow the end of the document; remove `...` or what comes after it"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# only words\n", "f.yaml:1:1: the file is empty"),
        ("a: 1\nb: 'x", "f.yaml:2:4: the quotation mark that opens here is not closed"),
        ("  # how\n {a: 1}\nb: 2", "f.yaml:3:1: " + ENDED),
        ("a: |\n  \u3000\u3000x\nb", "f.yaml:3:1: the key 'b' has no colon; write ':' and a space after it"),
        ("a:\n\tb: 1", "f.yaml:2:1: a tab indents this line; indent with spaces"),
        ("a: 1\n--- \nb: 2", "f.yaml:2:1: a second document begins here; a file has one: remove this line"),
        ("a: 1\nb: \x00", "f.yaml:2:4: the invisible character U+0000 stands here; remove it"),
        ("a: *b", "f.yaml:1:4: there is no &b above; text that begins with * belongs in quotes"),
        ("a: 1\n? [b]\n: 2", "f.yaml:2:3: a key must be plain text"),
        (
            "a: !!int abc",
            "f.yaml:1:4: 'abc' is not of the kind int; remove the tag, or put the text in quotes",
        ),
        (
            "a: !!float ''",
            "f.yaml:1:4: '' is not of the kind float; remove the tag, or put the text in quotes",
        ),
    ],
)
def test_what_is_no_document_is_told_at_its_place(text: str, told: str) -> None:
    assert faults(text) == [told]


def test_a_key_given_twice_is_a_fault_at_the_second_and_all_are_told() -> None:
    text = "a: 1\nb:\n  c: 1\n  c: 2\n'a': 3\na: 4\n"
    assert faults(text) == [
        "f.yaml:4:3: the key 'c' is given twice",
        "f.yaml:5:1: the key 'a' is given twice",
        "f.yaml:6:1: the key 'a' is given twice",
    ]


def test_sixty_levels_are_read_and_not_one_more() -> None:
    deep = parse("[" * 61 + "]" * 61, "f").data
    for _ in range(60):
        (deep,) = deep
    assert deep == []
    for levels in (62, 5000):
        assert faults("[" * levels + "]" * levels) == ["f.yaml:1:62: nested deeper than 60 levels"]


def test_an_alias_neither_turns_in_a_circle_nor_grows_without_end() -> None:
    assert parse("a: &x [1]\nb: *x", "f").data == {"a": [1], "b": [1]}
    assert faults("&x [*x]") == ["f.yaml:1:1: nested deeper than 60 levels"]
    lines = [
        f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]"
        for below, name in zip("abcdefg", "bcdefgh", strict=True)
    ]
    (told,) = faults("a: &a [1]\n" + "\n".join(lines))
    assert told.endswith("more than 100000 values")


# --- a document read as a model --------------------------------------------------------------------


class Sing(Shape):
    do: Literal["sing"]
    sing: str
    loud: Annotated[int, pydantic.Field(le=3)]


class Wait(Shape):
    do: Literal["wait"]
    wait: Duration


class Play(Shape):
    title: str
    acts: dict[
        Annotated[str, pydantic.Field(pattern="^[a-z]+$"), Form("a word of small letters")],
        Annotated[Sing | Wait, pydantic.Field(discriminator="do")],
    ]


GOOD = """\
title: 歌剧
acts:
  one: {do: sing, sing: la, loud: 3}
  two:
    do: wait
    wait: 5s
"""


def test_a_good_document_becomes_the_model() -> None:
    play = parse(GOOD, "f").read_as(Play)
    assert play.model_dump()["acts"] == {
        "one": {"do": "sing", "sing": "la", "loud": 3},
        "two": {"do": "wait", "wait": 5.0},
    }


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("title: 歌剧", "titel: 歌剧", ["1:1: the key 'title' is missing here",
         "1:1: unknown key 'titel'; did you mean 'title'? Known are acts, title"]),
        ("loud: 3", "loud: 4", ["3:35: 4 is out of range; at most 3 is right here"]),
        # The tag of the union is spelled like a key: the place is that of the key that is wrong.
        ("loud: 3", "laud: 3", ["3:3: the key 'loud' is missing here",
         "3:29: unknown key 'laud'; did you mean 'loud'? Known are do, loud, sing"]),
        ("sing: la", "sing: 5", ["3:25: 5 is a number and no text; put it in quotes"]),
        (", loud: 3", "", ["3:3: the key 'loud' is missing here"]),
        ("wait: 5s", "wait: 5", ["6:11: 5 is not a duration; write it with its unit, as 5s, 300ms or 2m"]),
        ("do: wait", "do: weep", ["5:9: 'weep' is not known here; known are sing, wait"]),
        ("do: wait", "due: wait", ["4:3: the key 'do' is missing here"]),
        ("  one:", "  One:", ["3:3: 'One' is not a word of small letters"]),
        ("{do: sing, sing: la, loud: 3}", "la", ["3:8: keys with values belong here, not 'la'"]),
    ],
)  # fmt: skip
def test_a_fault_names_its_place(right: str, wrong: str, told: list[str]) -> None:
    assert right in GOOD
    assert faults(GOOD.replace(right, wrong, 1), Play) == [f"f.yaml:{each}" for each in told]


def test_all_faults_are_told_at_once_and_in_order() -> None:
    text = GOOD.replace("loud: 3", "loud: 9").replace("wait: 5s", "wait: now").replace("title", "titel")
    assert [told.split(":")[1] for told in faults(text, Play)] == ["1", "1", "3", "6"]


def test_a_fault_is_placed_at_the_value_at_the_key_or_at_what_is_nearest() -> None:
    source = parse("a:\n  b: [1, 2]\n", "f.yaml")
    assert str(source.fault(("a", "b", 1), "x")) == "f.yaml:2:10: x"
    assert str(source.fault(("a", "b"), "x", at_key=True)) == "f.yaml:2:3: x"
    assert str(source.fault(("a", "b", 1), "x", at_key=True)) == "f.yaml:2:10: x"
    assert str(source.fault(("a", "c", "d"), "x")) == "f.yaml:2:3: x"
    assert str(Document("f.yaml", {}).fault(("a",), "x")) == "f.yaml:1:1: x"


def test_one_document_over_another_merges_mappings_and_replaces_all_else() -> None:
    base = parse("a: {x: 1, y: {p: 1, q: 2}}\nl: [1, 2]\nz: {k: 1}\n", "base.yaml")
    own = parse("a:\n  y: {q: 3}\n  w: 4\nl: [9]\nz: 5\n", "own.yaml")
    both = own.over(base)
    assert both.data == {"a": {"x": 1, "y": {"p": 1, "q": 3}, "w": 4}, "l": [9], "z": 5}
    assert base.data["a"] == {"x": 1, "y": {"p": 1, "q": 2}}
    assert str(both.fault(("a", "y", "q"), "x")) == "own.yaml:2:10: x"
    assert str(both.fault(("a", "y", "p"), "x")) == "base.yaml:1:18: x"


@pytest.mark.parametrize(
    ("word", "told"),
    [("greting", "; did you mean 'greeting'?"), ("", "; known are goodbye, greeting")],
)
def test_what_is_near_is_offered_and_otherwise_what_there_is(word: str, told: str) -> None:
    assert did_you_mean(word, ["greeting", "goodbye"]) == told
    assert did_you_mean(word, []) == ""


# --- every type of ours has words ---


def parts_of(kind: Any) -> Iterator[tuple[Any, ...]]:
    """The metadata of a type, and of all that it is made of."""
    if get_origin(kind) is Annotated:
        yield kind.__metadata__
    for part in get_args(kind):
        if not isinstance(part, str | int):
            yield from parts_of(part)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        for info in kind.model_fields.values():
            yield tuple(info.metadata)
            yield from parts_of(info.annotation)


@pytest.mark.parametrize("model", [Config, Flow, House, Manifest])
def test_every_pattern_of_ours_says_in_words_what_it_asks_for(model: type[pydantic.BaseModel]) -> None:
    patterns = 0
    for marks in parts_of(model):
        spread = [each for mark in marks for each in (getattr(mark, "metadata", None) or [mark])]
        if any(getattr(mark, "pattern", None) for mark in spread):
            patterns += 1
            assert any(isinstance(mark, Form) for mark in spread), marks
    assert patterns


@pytest.mark.parametrize(
    ("text", "near"), [("opening_huors", True), ("greting", True), ("gas_menu", False), ("night", False)]
)
def test_a_slip_of_a_key_is_told_from_another_name(text: str, near: bool) -> None:
    assert is_slip(text, ["opening_hours", "greeting", "main_menu"]) == near
