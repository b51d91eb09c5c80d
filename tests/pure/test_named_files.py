"""Which file a name means: files are known by the key that they begin with, houses by the name in them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from callflow import config, resources
from callflow.errors import SourceError
from callflow.named_files import Head, head, head_of

pytestmark = pytest.mark.pure

FLOW = """\
callflow: 1
name: logistics
title: 物流
house: {house}
start: greet
steps:
  greet: {{do: greet, next: close}}
  close: {{do: close, more: close}}
"""
HOUSE = "callflow-house: 1\nname: {name}\ntitle: 我们的规矩\nextends: {base}\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def house_of(path: Path) -> resources.ReadHouse:
    return config.read_named(path).house


def told(work: object, *arguments: object) -> list[str]:
    assert callable(work)
    with pytest.raises(SourceError) as caught:
        work(*arguments)
    folder = str(arguments[0]).rpartition("/")[0]
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


# --- what a file says of itself ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("callflow: 1\nname: shop\n", Head("callflow", "shop")),
        ("# words\n\nname: shop\ncallflow-house: 1\n", Head("callflow-house", "shop")),
        ("{callflow-config: 1}", Head("callflow-config")),
        ("﻿callflow: 1\nname: x", Head("callflow", "x")),
        # The first of two kinds counts, and what stands deeper counts not at all.
        ("callflow-house: 1\ncallflow: 1\nname: x", Head("callflow-house", "x")),
        ("steps: {name: inner, callflow: 1}\nname: outer\n", Head("", "outer")),
        # What is broken further down hides no kind.
        ("callflow: 1\nname: x\nsteps: {a: [\n", Head("callflow", "x")),
        ("callflow: 1\nname: [a, b]\nx: y", Head("callflow")),
        ("- callflow: 1", Head()),
        ("callflow", Head()),
        ("", Head()),
        ("\x00", Head()),
    ],
)
def test_a_file_is_known_by_its_keys(text: str, found: Head) -> None:
    assert head_of(text) == found


@pytest.mark.parametrize("name", ["none.yaml", "\0.yaml", "x" * 300])
def test_what_cannot_be_read_says_nothing(tmp_path: Path, name: str) -> None:
    assert head(tmp_path / name) == Head()


NO_FILE = "cannot be read: it is a pipe, a socket or a device, and no file"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "is a folder; name a file in it"),
        (os.mkfifo, NO_FILE),
        (lambda path: path.symlink_to("/dev/zero"), NO_FILE),
        (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
    ],
)
def test_what_is_no_file_is_told_and_not_read_for_ever(
    tmp_path: Path, make: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "x.yaml"
    make(path)
    assert head(path) == Head()
    for read in (config.read, config.read_named, resources.house_at):
        with pytest.raises(SourceError) as caught:
            read(path)
        assert str(caught.value) == f"{path}:1:1: {told}"


# --- files that cannot be read, and the configuration that names them ---

CONFIG = "callflow-config: 1\nflow: own.yaml\n"


def faults_of_config(folder: Path) -> list[str]:
    return told(config.read, write(folder, "callflow.yaml", CONFIG))


@pytest.mark.parametrize("file", ["mine.yaml", "other.yaml"])
def test_a_house_that_is_not_utf_8_is_told_as_that(tmp_path: Path, file: str) -> None:
    write(tmp_path, "own.yaml", FLOW.format(house="mine"))
    (tmp_path / file).write_bytes(HOUSE.format(name="mine", base="csr-standard").encode("gbk"))
    assert faults_of_config(tmp_path) == [f"{file}:3:1: not UTF-8 at byte 36; save the file as UTF-8"]


def test_a_flow_that_is_not_utf_8_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(FLOW.format(house="csr-standard").encode("gbk"))
    assert faults_of_config(tmp_path) == ["own.yaml:3:1: not UTF-8 at byte 35; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("callflow-house: 1\nname: [\n", "3:1: a value is missing before this"),
        ("callflow-house: 1\ntitle: x\n", "1:1: the key 'name' is missing here"),
        ("\0callflow-house: 1\n", "1:1: the invisible character U+0000 stands here; remove it"),
    ],
)
def test_a_house_without_a_name_to_find_it_by_is_told_too(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path, "own.yaml", FLOW.format(house="mine"))
    write(tmp_path, "mine.yaml", text)
    first, second = faults_of_config(tmp_path)
    assert first.startswith("own.yaml:4:8: there is no house 'mine'")
    assert second.startswith(f"mine.yaml:{why}")


def test_a_pipe_beside_a_flow_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "own.yaml", FLOW.format(house="mine"))
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert faults_of_config(tmp_path)[1:] == [f"a.yaml:1:1: {NO_FILE}"]


@pytest.mark.parametrize(
    ("flow", "meant"),
    [
        ("shop.yml", "did you mean 'shop.yaml'?"),
        ("shpo.yaml", "did you mean 'shop.yaml'?"),
        ("servce.yaml", "did you mean 'service.yaml'?"),
        ("flows/night.yml", "did you mean 'flows/night.yaml'?"),
        ("qqqq", "known are "),
    ],
)
def test_the_flows_beside_the_configuration_are_known(tmp_path: Path, flow: str, meant: str) -> None:
    (tmp_path / "flows").mkdir()
    for name in ("shop.yaml", "flows/night.yaml"):
        write(tmp_path, name, FLOW.format(house="csr-standard"))
    path = write(tmp_path, "callflow.yaml", CONFIG.replace("own.yaml", flow))
    (fault,) = told(config.read, path)
    assert fault.startswith(f"callflow.yaml:2:7: there is no flow '{flow}'; {meant}")
    assert meant != "known are " or ("shop.yaml" in fault and "service.yaml" in fault)


# --- houses ---


def test_a_flow_that_is_called_like_its_house_hides_it_not(tmp_path: Path) -> None:
    flow = write(tmp_path, "logistics.yaml", FLOW.format(house="logistics"))
    found = house_of(flow)
    assert (found.house.name, found.path) == ("logistics", resources.HOUSES / "logistics.yaml")
    write(tmp_path, "callflow.yaml", "callflow-config: 1\nflow: logistics.yaml\n")
    assert config.read(tmp_path / "callflow.yaml").house.name == "logistics"


@pytest.mark.parametrize("other", ["callflow-config: 1\nname: mine\n", "callflow-prompts: 1\n", "[broken"])
def test_files_of_other_kinds_hide_no_house(tmp_path: Path, other: str) -> None:
    write(tmp_path, "mine.yaml", other)
    write(tmp_path, "house.yaml", HOUSE.format(name="mine", base="csr-standard"))
    flow = write(tmp_path, "flow.yaml", FLOW.format(house="mine"))
    assert house_of(flow).path == tmp_path / "house.yaml"


def test_a_house_is_found_by_the_name_in_it_and_not_by_its_file_s(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", HOUSE.format(name="b", base="csr-standard"))
    write(tmp_path, "b.yaml", HOUSE.format(name="a", base="gas-hotline"))
    assert house_of(write(tmp_path, "flow.yaml", FLOW.format(house="a"))).path == tmp_path / "b.yaml"
    assert house_of(write(tmp_path, "flow.yaml", FLOW.format(house="b"))).path == tmp_path / "a.yaml"


def test_a_file_with_another_name_in_it_is_told(tmp_path: Path) -> None:
    write(tmp_path, "mine.yaml", HOUSE.format(name="yours", base="csr-standard"))
    flow = write(tmp_path, "flow.yaml", FLOW.format(house="mine"))
    (fault,) = told(house_of, flow)
    assert fault.startswith("flow.yaml:4:8: there is no house 'mine', and mine.yaml is the house 'yours'")


@pytest.mark.parametrize("name", ["../mine", "/etc/passwd", "a\\0b", ".", "mine.yaml", ""])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    write(tmp_path, "mine.yaml", HOUSE.format(name="mine", base="csr-standard"))
    folder = tmp_path / "deeper"
    folder.mkdir()
    flow = write(folder, "flow.yaml", FLOW.format(house=f'"{name}"'))
    (fault,) = told(house_of, flow)
    assert fault.startswith("flow.yaml:4:8: ")


def test_two_houses_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        write(tmp_path, name, "# mine\n" + HOUSE.format(name="mine", base="csr-standard"))
    flow = write(tmp_path, "flow.yaml", FLOW.format(house="mine"))
    assert told(house_of, flow) == [
        "one.yaml:3:7: two.yaml is a house of this name too; rename or remove one",
        "two.yaml:3:7: one.yaml is a house of this name too; rename or remove one",
    ]


def test_a_house_of_one_s_own_goes_before_ours_and_may_extend_it(tmp_path: Path) -> None:
    own = write(tmp_path, "ours.yaml", HOUSE.format(name="gas-hotline", base="gas-hotline"))
    found = house_of(write(tmp_path, "flow.yaml", FLOW.format(house="gas-hotline")))
    assert (found.path, found.house.title, found.replaces_ours) == (own, "我们的规矩", True)
    assert found.house.hold.every == 15.0
    ours = house_of(write(tmp_path, "flow.yaml", FLOW.format(house="csr-standard")))
    assert not ours.replaces_ours
    # Another house finds the own one under that name, with all that it has from ours.
    mine = write(tmp_path, "mine.yaml", HOUSE.format(name="mine", base="gas-hotline"))
    assert resources.house_at(mine).source.keys["extends",][0] == str(mine)
    assert resources.read_house(mine).hold.every == 15.0


@pytest.mark.parametrize(
    ("bases", "fault"),
    [
        ({"a": "a"}, "a.yaml:4:10: 'a' extends itself"),
        ({"a": "b", "b": "a"}, "a.yaml:4:10: 'a' extends itself: a extends b, and b extends a; let one"),
        ({"a": "nobody"}, "a.yaml:4:10: there is no house 'nobody'; known are"),
        (
            {"a": "csr-standart"},
            "a.yaml:4:10: there is no house 'csr-standart'; did you mean 'csr-standard'?",
        ),
        (
            {f"a{n}" if n else "a": f"a{n + 1}" for n in range(30)},
            "a20.yaml:4:10: more than 20 houses extend",
        ),
    ],
)
def test_houses_that_extend_what_they_cannot(tmp_path: Path, bases: dict[str, str], fault: str) -> None:
    for name, base in bases.items():
        write(tmp_path, f"{name}.yaml", HOUSE.format(name=name, base=base))
    (found,) = told(resources.read_house, tmp_path / "a.yaml")
    assert found.startswith(fault)


@pytest.mark.parametrize("base", ["5", "[a]", "{a: b}", "true", "1.5"])
def test_what_is_extended_is_a_name(tmp_path: Path, base: str) -> None:
    path = write(tmp_path, "a.yaml", HOUSE.format(name="a", base=base))
    assert any(fault.startswith("a.yaml:4:10: ") for fault in told(resources.read_house, path))


# --- flows and configurations ---


def test_a_house_or_configuration_of_that_name_hides_no_flow_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path, "hotline.yaml", "callflow-config: 1\nflow: hotline.yaml\n")
    assert config.read(path).flow.name == "hotline"
    write(tmp_path, "service.yaml", HOUSE.format(name="service", base="csr-standard"))
    service = "seats: {at: {'8001': {password: x}}, queues: {service: {}}}\n"
    path = write(tmp_path, "c.yaml", f"callflow-config: 1\nflow: service.yaml\n{service}")
    assert config.read(path).flow.name == "service"


def test_a_file_of_another_kind_is_told_what_it_is(tmp_path: Path) -> None:
    house = write(tmp_path, "mine.yaml", HOUSE.format(name="mine", base="csr-standard"))
    flow = write(tmp_path, "flow.yaml", FLOW.format(house="mine"))
    setup = write(tmp_path, "c.yaml", "callflow-config: 1\nflow: mine.yaml\n")
    is_house = "mine.yaml:1:1: this is a house, and a flow is wanted; it would begin with `callflow: 1`"
    assert told(config.read, setup) == told(config.read_flow, house) == [is_house]
    assert told(config.read, flow) == [
        "flow.yaml:1:1: this is a flow, and a configuration is wanted; "
        "it would begin with `callflow-config: 1`"
    ]
    assert told(resources.read_house, flow) == [
        "flow.yaml:1:1: this is a flow, and a house is wanted; it would begin with `callflow-house: 1`"
    ]
