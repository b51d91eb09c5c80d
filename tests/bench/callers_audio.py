"""Callers' audio, in a process of its own: each of many ports sends a packet for each that comes."""

import multiprocessing
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

_HEADER = 12
"""Bytes of RTP before the audio."""


@contextmanager
def talking(ports: range, audio: bytes | None) -> Iterator[None]:
    """While the block runs: each packet bears `audio`, or what has come, as an echo.

    Raises `OSError` where one of the ports is taken.
    """
    sockets = [_bound(port) for port in ports]
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_talk, args=(sockets, there, audio), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        here.send("stop")
        process.join(5)
        process.kill()
        here.close()
        there.close()
        for one in sockets:
            one.close()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound


def _talk(sockets: list[socket.socket], pipe: Connection, audio: bytes | None) -> None:
    by_number = {one.fileno(): one for one in sockets}
    poll = select.epoll()
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    poll.register(pipe.fileno(), select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == pipe.fileno():
                return
            _say(by_number[number], audio)


def _say(one: socket.socket, audio: bytes | None) -> None:
    try:
        data, source = one.recvfrom(2048)
        one.sendto(data if audio is None else data[:_HEADER] + audio, source)
    except OSError:
        # Nothing was there after all, or the call's other side has closed its port.
        return
