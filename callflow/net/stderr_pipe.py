"""What a process of ours writes to its standard error, read by our loop."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

_PIECE: Final = 4096
_PIECES: Final = 16
"""Read in a row before other work gets its turn."""


class StderrPipe:
    """A pipe whose writing end never blocks: no process waits until we read it."""

    def __init__(self, told: Callable[[str], object]) -> None:
        """`told` is given what is written, in pieces. Raises `OSError` for want of descriptors."""
        self._told = told
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self.writing, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    def close_writing(self) -> None:
        """The process has its own copy of this end."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def close(self) -> None:
        """Read what is left, and close both ends."""
        self.close_writing()
        self._read()
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)

    def _read(self) -> None:
        for _ in range(_PIECES):
            try:
                data = os.read(self._reading, _PIECE)
            except BlockingIOError:
                return
            if not data:
                asyncio.get_running_loop().remove_reader(self._reading)
                return
            self._told(data.decode("utf-8", "replace"))
