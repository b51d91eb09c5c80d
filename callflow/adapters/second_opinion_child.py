"""The second pair of ears' own process: `python -m callflow.adapters.second_opinion_child DESCRIPTOR`.

It ends when the controller's end of the channel does. Whoever is asked about is heard before all others.
"""

import asyncio
import os
import socket
import sys
from collections import deque
from typing import Any, Final

from callflow.adapters.neural_ear import NeuralEar
from callflow.adapters.opinion_messages import Alive, Forget, Opinion, Piece, Ready
from callflow.net.channel import Channel

_NICE: Final = 5
"""Audio comes first, and signalling: an opinion has half a second."""
_BEAT_EVERY: Final = 0.25
"""Seconds between two signs of life."""


class Listener:
    """Hears what has come, the legs that are asked about first."""

    def __init__(self, ear: NeuralEar, channel: Channel) -> None:
        self._ear = ear
        self._channel = channel
        self._waiting: dict[int, deque[Piece]] = {}
        self._come = asyncio.Event()

    def take(self, message: Any) -> None:
        match message:
            case Piece(leg=leg):
                self._waiting.setdefault(leg, deque()).append(message)
                if message.asked:
                    self._hear_all(leg)
                self._come.set()
            case Forget(leg=leg):
                self._waiting.pop(leg, None)
                self._ear.forget(leg)

    async def run(self) -> None:
        """Hear a piece at a time, so that a question waits for no more than one."""
        while True:
            await self._come.wait()
            leg = next(iter(self._waiting), None)
            if leg is None:
                self._come.clear()
                continue
            waiting = self._waiting.pop(leg)
            self._hear(waiting.popleft())
            if waiting:
                self._waiting[leg] = waiting
            await asyncio.sleep(0)

    def _hear_all(self, leg: int) -> None:
        for piece in self._waiting.pop(leg, ()):
            self._hear(piece)

    def _hear(self, piece: Piece) -> None:
        self._ear.hear(piece.leg, piece.law, piece.audio)
        if piece.asked:
            self._channel.send(Opinion(piece.leg, piece.asked, self._ear.is_alive(piece.leg)))


async def serve(descriptor: int) -> None:
    """Listen until the channel ends."""
    os.nice(_NICE)
    channel = await Channel.over(socket.socket(fileno=descriptor))
    listener = Listener(NeuralEar(), channel)
    running = asyncio.create_task(listener.run(), name="opinion.listen")
    beating = asyncio.create_task(_beat(channel), name="opinion.beat")
    channel.send(Ready())
    async for message in channel.messages():
        listener.take(message)
    for task in (running, beating):
        task.cancel()
    await asyncio.wait({running, beating})


async def _beat(channel: Channel) -> None:
    while True:
        await asyncio.sleep(_BEAT_EVERY)
        channel.send(Alive())


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
