"""Who may import whom (docs/architecture.md): the floors, checked from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import callflow

pytestmark = pytest.mark.pure

PACKAGE = Path(callflow.__file__).parent
FLOORS = {
    **dict.fromkeys(("events", "actions", "errors", "facts", "codec", "agenda", "guard", "document"), 0),
    **dict.fromkeys(("prompt_keys", "suggestions", "sinks"), 0),
    **dict.fromkeys(("etiquette", "flow", "sip", "media"), 1),
    "call": 3,
    "net": 4,
    "adapters": 5,
    **dict.fromkeys(("config", "config_manners", "config_sip", "config_seats", "config_hearing"), 6),
    **dict.fromkeys(
        ("config_http", "config_limits", "config_files", "config_addresses", "config_secrets"), 6
    ),
    **dict.fromkeys(("config_calls_out", "bind_faults"), 6),
    **dict.fromkeys(("config_said", "config_places", "config_flow", "config_alone", "named_files"), 6),
    **dict.fromkeys(("resources", "overlays", "service", "demo", "cli", "__main__"), 6),
}
APART = {"etiquette": {"sip", "media", "flow"}, "flow": {"sip", "media", "etiquette"}}
APART |= {"sip": {"etiquette", "flow", "media"}, "media": {"etiquette", "flow", "sip"}}
IMPURE = {"asyncio", "time", "socket", "random", "threading", "secrets", "os", "pathlib", "datetime"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ".".join(path.relative_to(PACKAGE).with_suffix("").parts), path


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(module: str, source: str) -> Iterator[str]:
    room = module.partition(".")[0]
    if room == "__init__":
        return
    for name in imports(source):
        top, _, rest = name.partition(".")
        if top == "callflow" and rest:
            other = rest.partition(".")[0]
            if other == "__version__":
                continue
            if FLOORS[other] > FLOORS[room]:
                yield f"{module} reaches up to {name}"
            if other in APART.get(room, ()):
                yield f"{module} looks into its neighbour {name}"
        if FLOORS[room] <= 3 and top in IMPURE:
            yield f"{module} is pure and imports {name}"


def test_no_floor_reaches_up_and_the_lower_ones_are_pure() -> None:
    found = [fault for module, path in modules() for fault in faults(module, path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("etiquette.hold", "from callflow.sip.message import Request"),
        ("sip.uas", "import callflow.call.call"),
        ("media.plane", "import time"),
        ("call.call", "from asyncio import sleep"),
        ("net.driver", "from callflow.adapters import logs"),
        ("events", "from callflow.etiquette import house"),
    ],
)
def test_a_planted_import_is_found(module: str, line: str) -> None:
    assert [*faults(module, line)] != []
