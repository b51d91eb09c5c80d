"""The control socket: a Unix socket that only its owner and root may open, for `callflow trace`.

It asks for no password: its owner and root can read the memory of the process anyway.
"""

import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiohttp import web

from callflow.adapters.http_guard import Broke, logger
from callflow.net.acceptor import Acceptor

SYSTEM: Final = Path("/run/callflow")
"""The folder that systemd creates for `RuntimeDirectory=callflow`."""


def usual_path(port: int) -> Path:
    """The socket of the controller whose HTTP has this port, where the configuration names none.

    Makes its folder. Raises `OSError` where others might put a socket of theirs in place of ours.
    """
    folder = _own_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(folder):
        raise PermissionError(f"{folder} should be a folder of ours that nobody else may write to")
    return folder / _name(port)


def find(port: int) -> Path | None:
    """The control socket of the running controller whose HTTP has this port, as far as we can see."""
    own = _own_folder()
    folders = [folder for folder in (own, SYSTEM) if folder == SYSTEM or _is_ours(folder)]
    return next((folder / _name(port) for folder in folders if _is_socket(folder / _name(port))), None)


class ControlSocket:
    """Serves pages over HTTP at a Unix socket."""

    def __init__(self, routes: Iterable[web.RouteDef], broke: Broke) -> None:
        """`broke` is told faults of ours."""
        self._routes = [*routes]
        self._broke = broke
        self._path: Path | None = None
        self._runner: web.AppRunner | None = None
        self._acceptor: Acceptor | None = None

    async def start(self, path: Path) -> None:
        """Raises `OSError`, as where another controller serves there."""
        listening = _listen(path)
        app = web.Application()
        app.add_routes(self._routes)
        quiet = logger(lambda source, status, reason: None, self._broke)
        self._runner = web.AppRunner(app, access_log=None, logger=quiet, shutdown_timeout=1.0)
        await self._runner.setup()
        assert self._runner.server is not None
        self._path = path
        self._acceptor = Acceptor(listening, self._runner.server)
        self._acceptor.start()

    async def close(self) -> None:
        """The path is free again."""
        if self._acceptor:
            await self._acceptor.close()
            self._acceptor = None
        if self._path:
            self._path.unlink(missing_ok=True)
            self._path = None
        if self._runner:
            await self._runner.cleanup()
            self._runner = None


def _listen(path: Path) -> socket.socket:
    """A socket at `path` that listens; one that was left behind there is replaced."""
    if _is_socket(path):
        if _answers(path):
            raise OSError(f"cannot listen at {path}: another controller listens there")
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.bind(str(path))
        # No client can connect before `listen`: the mode is right from the first moment.
        path.chmod(0o600)
        listening.listen(16)
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno, f"cannot listen at {path}: {(error.strerror or str(error)).lower()}"
        ) from None
    return listening


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _is_ours(folder: Path) -> bool:
    """Whether the folder is ours, and nobody else can create files in it."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _own_folder() -> Path:
    if given := os.environ.get("RUNTIME_DIRECTORY", ""):
        return Path(given.partition(":")[0])
    if given := os.environ.get("XDG_RUNTIME_DIR", ""):
        return Path(given) / "callflow"
    return Path(f"/tmp/callflow-{os.getuid()}")


def _name(port: int) -> str:
    return f"control-{port}.sock"
