"""Prompts on their way out: where each leg is on the tape that holds all of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callflow.media.g711 import IDLE
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    samples: int


class Player:
    """For each slot the prompt that plays and how far it is; one gather gives the next frame of all."""

    def __init__(self, capacity: int) -> None:
        self._tape = np.empty((2, 0), np.uint8)
        self._recorded = 0
        """Samples of the tape that have something on them; the rest is room for more."""
        self._pieces: dict[str, _Piece] = {}
        self._free: list[_Piece] = []
        """Room on the tape that nothing is on any more."""
        self._position = np.full(capacity, -1, np.int64)
        """Next sample on the tape; -1 where nothing plays."""
        self._start = np.full(capacity, -2, np.int64)
        self._end = np.zeros(capacity, np.int64)
        self._playing: dict[int, str] = {}

    def __contains__(self, prompt: str) -> bool:
        """Whether the prompt is on the tape."""
        return prompt in self._pieces

    def load(self, prompt: str, ulaw: bytes, alaw: bytes) -> None:
        """Put a prompt on the tape. Raises `ValueError` for audio that is empty or differs in length."""
        if not ulaw or len(ulaw) != len(alaw):
            raise ValueError(f"the audio of {prompt!r} is empty or of two lengths")
        padding = -len(ulaw) % FRAME
        silence = np.repeat(IDLE[:, None], padding, axis=1)
        audio = np.stack([np.frombuffer(ulaw, np.uint8), np.frombuffer(alaw, np.uint8)])
        begins = self._record(np.concatenate([audio, silence], axis=1))
        self._pieces[prompt] = _Piece(begins, len(ulaw))

    def unload(self, prompt: str) -> bool:
        """Give the prompt's room to others; whether there was such a prompt."""
        piece = self._pieces.pop(prompt, None)
        if piece is not None:
            self._free.append(_Piece(piece.start, piece.samples + -piece.samples % FRAME))
        return piece is not None

    def _record(self, audio: NDArray[np.uint8]) -> int:
        """Put it on the tape; where it begins."""
        wide = next((piece for piece in self._free if piece.samples >= audio.shape[1]), None)
        if wide is not None:
            self._free.remove(wide)
            rest = _Piece(wide.start + audio.shape[1], wide.samples - audio.shape[1])
            self._free += [rest] if rest.samples else []
            self._tape[:, wide.start : rest.start] = audio
            return wide.start
        begins, self._recorded = self._recorded, self._recorded + audio.shape[1]
        if self._recorded > self._tape.shape[1]:
            # By halves: many seats have thousands of recordings, and each would copy all before it.
            longer = np.empty((2, self._recorded * 3 // 2), np.uint8)
            longer[:, :begins] = self._tape[:, :begins]
            self._tape = longer
        self._tape[:, begins : self._recorded] = audio
        return begins

    def play(self, slot: int, prompt: str) -> None:
        """Begin with the next frame. Raises `KeyError` for a prompt that is not on the tape."""
        piece = self._pieces[prompt]
        self._position[slot] = self._start[slot] = piece.start
        self._end[slot] = piece.start + piece.samples
        self._playing[slot] = prompt

    def stop(self, slot: int) -> str | None:
        """Fall silent; the prompt that was playing, if one was."""
        self._position[slot] = -1
        return self._playing.pop(slot, None)

    def playing(self, slot: int) -> str | None:
        return self._playing.get(slot)

    def samples(self, prompt: str) -> int:
        """How long a prompt is."""
        return self._pieces[prompt].samples

    def at_start(self, slots: Slots) -> NDArray[np.bool_]:
        """Which of `slots` are about to send a prompt's first frame."""
        begins: NDArray[np.bool_] = self._position[slots] == self._start[slots]
        return begins

    def next_frames(
        self, slots: Slots, law: NDArray[np.int64], out: Block
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Write the next frame of each slot into `out`, silence where nothing plays, and move on.

        Gives for each slot whether a prompt was written, and of a prompt's last frame how many of its
        samples are the prompt's, else 0.
        """
        position = self._position[slots]
        speaking = position >= 0
        out[:] = IDLE[law][:, None]
        left = np.zeros(len(slots), np.int64)
        plays = np.flatnonzero(speaking)
        if len(plays):
            begin = position[plays]
            out[plays] = self._tape[law[plays][:, None], begin[:, None] + np.arange(FRAME)]
            remaining = self._end[slots[plays]] - begin
            done = remaining <= FRAME
            left[plays[done]] = remaining[done]
            self._position[slots[plays]] = np.where(done, -1, begin + FRAME)
        return speaking, left
