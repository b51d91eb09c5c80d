"""Accepts connections, and keeps descriptors back for what calls need: the plane's restart, the journal, DNS.

The loop's own server answers a want of descriptors by trying again at once, hundreds of times, and logs each.
This one waits a second, and lets its owner make room before it takes the last descriptors.
"""

import asyncio
import errno
import resource
import socket
from collections.abc import Callable
from typing import Final

FOR_CALLS: Final = 16
"""Descriptors that no accepted connection takes; where few are allowed, a sixth of them."""
_AT_ONCE: Final = 64
"""Connections accepted in a row before other work gets its turn."""
_PAUSE: Final = 1.0
"""Seconds until it is tried again after a want of descriptors or memory."""


class Acceptor:
    """One listening socket, which it owns."""

    def __init__(
        self,
        listening: socket.socket,
        new_protocol: Callable[[], asyncio.BaseProtocol],
        *,
        reserves: int = 1,
    ) -> None:
        """`reserves` is how many times as much as calls need is kept back, for others that accept too."""
        self.make_room: Callable[[], bool] = lambda: False
        """Asked where descriptors run short: whether another connection gives way to a new one."""
        self.on_refused: Callable[[], object] = lambda: None
        """A connection was closed again, as descriptors run short."""
        self.on_fault: Callable[[str], object] = lambda what: None
        """Nothing can be accepted for a moment; `what` is the error's name, as `emfile`."""
        self._socket = listening
        self._new_protocol = new_protocol
        self._reserves = reserves
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._timer = None
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    async def close(self) -> None:
        """Accept no more; connections that are being handed over are dropped."""
        if self._timer:
            self._timer.cancel()
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connected, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(errno.errorcode.get(error.errno or 0, "unknown").lower())
                return
            if is_scarce(connected.fileno(), self._reserves) and not self.make_room():
                connected.close()
                self.on_refused()
                continue
            connected.setblocking(False)
            task = asyncio.create_task(self._hand_over(connected), name="accept")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _pause(self, what: str) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._timer = loop.call_later(_PAUSE, self.start)
        self.on_fault(what)

    async def _hand_over(self, connected: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._new_protocol, connected)
        except BaseException:
            connected.close()
            raise


def is_scarce(descriptor: int, reserves: int) -> bool:
    """Whether a descriptor of that number is one of the last; the kernel gives the lowest that is free."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most != resource.RLIM_INFINITY and descriptor >= most - reserves * min(FOR_CALLS, most // 6)


def listen(address: tuple[str, int], backlog: int = 512) -> socket.socket:
    """A socket that listens. Raises `OSError` where the address is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        why = (error.strerror or "").lower()
        raise OSError(error.errno, f"cannot listen at {address[0]}:{address[1]}: {why}") from None
    return listening
