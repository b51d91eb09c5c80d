"""Describes a failed start in one line: the key, the error, and the remedy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_HELPS: Final = {
    errno.EADDRINUSE: "another program has it: stop that one, or choose another port",
    errno.EADDRNOTAVAIL: "it is no address of this machine, which `ip address` lists",
    errno.EACCES: "ports below 1024 need the right to them: choose a higher one",
}


@contextmanager
def named(what: str, helps: bool = True) -> Iterator[None]:
    """Raises an `OSError` from within as one that says `what`, a key of the configuration and its value.

    `helps`: whether that is an address, so that what would help is known.
    """
    try:
        yield
    except OSError as error:
        raise OSError(_sentence(what, error, helps)) from error


def _sentence(what: str, error: OSError, helps: bool) -> str:
    why = error.strerror[:1].lower() + error.strerror[1:] if error.strerror else str(error)
    # Whoever listens says where as well.
    why = why.removeprefix(f"cannot listen at {what.rpartition(' ')[2]}: ")
    right = _HELPS.get(error.errno or 0) if helps else None
    return f"{what}: {why}; {right}" if right else f"{what}: {why}"
