"""The part of the configuration that is about HTTP: where we listen, our names, the proxies before us."""

import re
from pathlib import Path
from typing import Annotated, Final

import pydantic

from callflow.config_addresses import HostPort, Network
from callflow.document import Shape
from callflow.suggestions import shown

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_LONGEST_PATH: Final = 107
"""Bytes that the system takes for the path of a Unix socket."""


def _name(text: object) -> str:
    name = text.lower() if isinstance(text, str) else ""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{shown(text)} is not a host name without a port, as desk.example.net")
    return name


def _socket_path(path: Path) -> Path:
    if not path.is_absolute() or len(str(path).encode()) > _LONGEST_PATH:
        raise ValueError(f"{str(path)!r} is not an absolute path of at most {_LONGEST_PATH} bytes")
    return path


class HttpConfig(Shape):
    listen: HostPort = ("127.0.0.1", 9464)
    names: tuple[Annotated[str, pydantic.BeforeValidator(_name)], ...] = ()
    """The host names that browsers reach the pages by, beside addresses of this machine and `localhost`."""
    proxies: tuple[Network, ...] = ()
    """Whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    tls: bool = False
    """Whether a proxy in front speaks TLS for us, whatever it says in X-Forwarded-Proto."""
    control: Annotated[Path, pydantic.AfterValidator(_socket_path)] | None = None
    """The Unix socket that `callflow trace` asks; see `callflow.adapters.control`."""
