"""Work grows with a file's length and no faster: counted in calls, as machines differ in time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from callflow import config, resources
from callflow.errors import MOST_TOLD, SourceError

pytestmark = pytest.mark.pure

MOST = 2.3
"""As many times the work for twice the length."""
Make = Callable[[int], str]


def flow(steps: int, step: str = "{{do: say, say: opening_hours, next: s{next}}}") -> str:
    """A chain of steps that ends with the closing."""
    chain = "".join(f"  s{n}: {step.format(next=n + 1, n=n)}\n" for n in range(steps))
    return (
        "callflow: 1\nname: long\ntitle: x\nhouse: csr-standard\nstart: greet\nsteps:\n"
        f"  greet: {{do: greet, next: s0}}\n{chain}  s{steps}: {{do: close, more: s{steps}}}\n"
    )


def misled(steps: int) -> str:
    return flow(steps, "{{do: say, say: opening_hours, next: step{n}}}")


def misspelt(steps: int) -> str:
    return flow(steps, "{{do: say, say: opening_huors{n}, next: s{next}}}")


def unknown(steps: int) -> str:
    return flow(steps, "{{do: say, say: opening_hours, nxt: s{next}}}")


def numbered(steps: int) -> str:
    return flow(steps, "{{do: menu, say: main_menu, keys: {{1: s{next}}}, within: 5, otherwise: {{}}}}")


def seats(count: int) -> str:
    at = "".join(
        f'    "{10_000 + n}": {{password: x, away: {{forward: "{10_001 + n}"}}}}\n' for n in range(count)
    )
    return f'callflow-config: 1\nseats:\n  at:\n{at}    "{10_000 + count}": {{phone: nowhere}}\n'


def queues(count: int) -> str:
    named = "".join(f"    q{n}: {{skills: [s{n}], number: '{n + 1}'}}\n" for n in range(count))
    return f"callflow-config: 1\nseats:\n  at: {{'8001': {{password: x}}}}\n  queues:\n{named}"


def broken(lines: int) -> str:
    return "".join(f"key{n}: value\n" for n in range(lines)) + "key value\nlast: [\n"


def rules(count: int) -> str:
    named = "".join(f"  csr-{n}: off\n" for n in range(1000, 1000 + count))
    return f"callflow-config: 1\nmanners:\n rules:\n{named}"


def calls_of(work: Callable[[], object]) -> int:
    """How many functions `work` calls, Python's and C's."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def read(path: Path) -> None:
    try:
        config.read(path) if path.name == "callflow.yaml" else config.read_flow(path)
    except SourceError:
        return


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("flow.yaml", flow),
        ("flow.yaml", misled),
        ("flow.yaml", misspelt),
        ("flow.yaml", unknown),
        ("flow.yaml", numbered),
        ("flow.yaml", broken),
        ("callflow.yaml", seats),
        ("callflow.yaml", queues),
        ("callflow.yaml", rules),
    ],
)
def test_twice_the_file_is_at_most_so_much_more_work(tmp_path: Path, name: str, make: Make) -> None:
    path, counts = tmp_path / name, []
    for length in (1000, 2000):
        path.write_text(make(length), encoding="utf-8")
        read(path)
        counts.append(calls_of(lambda: read(path)))
    assert counts[1] / counts[0] < MOST


def test_a_long_flow_is_proved_in_its_configuration_with_as_little(tmp_path: Path) -> None:
    path, counts = tmp_path / "callflow.yaml", []
    path.write_text("callflow-config: 1\nflow: flow.yaml\n", encoding="utf-8")
    for length in (1000, 2000):
        (tmp_path / "flow.yaml").write_text(flow(length), encoding="utf-8")
        config.read(path)
        counts.append(calls_of(lambda: config.read(path)))
    assert counts[1] / counts[0] < MOST


def faults(path: Path) -> list[str]:
    with pytest.raises(SourceError) as caught:
        config.read(path)
    return [str(fault) for fault in caught.value.faults]


def test_of_twenty_thousand_unknown_keys_the_first_fifty_are_told(tmp_path: Path) -> None:
    path = tmp_path / "callflow.yaml"
    path.write_text("callflow-config: 1\n" + "".join(f"key{n}: 1\n" for n in range(20_000)), encoding="utf-8")
    told = faults(path)
    assert [each.split(":")[1] for each in told] == [str(line) for line in range(2, MOST_TOLD + 3)]
    assert told[0] == f"{path}:2:1: unknown key 'key0'; none of the 13 known ones is like it"
    assert told[-1] == f"{path}:52:1: 19950 more faults are not told"


def test_one_fault_more_than_are_told_is_one(tmp_path: Path) -> None:
    path = tmp_path / "callflow.yaml"
    for count, last in ((50, "unknown key 'key49'"), (51, "1 more fault is not told")):
        path.write_text(
            "callflow-config: 1\n" + "".join(f"key{n}: 1\n" for n in range(count)), encoding="utf-8"
        )
        assert last in faults(path)[-1]


def test_the_files_that_ship_are_read_with_no_more_than_they_need() -> None:
    ours = resources.FLOWS / "hotline.yaml"
    config.read_flow(ours)
    assert calls_of(lambda: config.read_flow(ours)) < 60_000
