"""Kamailio, a foreign proxy and registrar, on a port of its own."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callflow.sip.address import Address
from tests.support.phones import free_port

HERE = Path(__file__).parent
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips where one of the foreign programs is missing."""
    missing = [name for name in programs if shutil.which(name, path=PATH) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@asynccontextmanager
async def kamailio(
    folder: Path, target: Address = ("127.0.0.1", 0), cfg: str = "kamailio.cfg"
) -> AsyncIterator[Address]:
    """As `cfg` has it; where that sends calls on by itself, it sends them to `target`."""
    port = free_port()
    _write_cfg(folder, cfg, {"PORT": str(port), "TARGET": str(target[1])}.items())
    with (folder / "kamailio.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "/usr/sbin/kamailio", "-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-Y", str(folder),
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await asyncio.sleep(1.5)
        assert process.returncode is None, (folder / "kamailio.log").read_text()
        yield ("127.0.0.1", port)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _write_cfg(folder: Path, cfg: str, values: Iterable[tuple[str, str]]) -> None:
    text = (HERE / cfg).read_text()
    (modules,) = {path.parent for path in Path("/usr/lib").glob("*/kamailio/modules/tm.so")}
    for name, value in (*values, ("MODULES", f"{modules}/")):
        text = text.replace(name, value)
    (folder / "kamailio.cfg").write_text(text)
