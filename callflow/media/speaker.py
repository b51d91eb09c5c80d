"""What we say ourselves to each leg: a prompt, a tone, keys, or silence; one at a time, the newest.

Where a leg has music, it is heard instead of the silence.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE
from callflow.events import Event, PromptFinished, PromptStarted, PromptStopped
from callflow.media.messages import DigitsSent, ToneFinished
from callflow.media.player import Player
from callflow.media.presses import KeyWriter
from callflow.media.rtp import Block
from callflow.media.tones import Tone

Slots = NDArray[np.int64]
Tell = Callable[[int, float, Event], None]
"""Takes a slot, when it happened, and what."""


class Speaker:
    """The mouths of all legs, and what they tell."""

    def __init__(self, capacity: int, tell: Tell) -> None:
        self.player = Player(capacity)
        self.busy = np.zeros(capacity, np.bool_)
        """Where something of ours is being said: nothing else may be heard there."""
        self._tell = tell
        self._tones: dict[int, Tone] = {}
        self._keys: dict[int, KeyWriter] = {}
        self._music: dict[int, str] = {}
        self._musical: set[int] = set()
        """Where the music is what plays now."""
        self._finishing: dict[int, str] = {}
        """Prompts whose last frame has left, and sounds until their end."""
        self._ends = np.zeros(capacity, np.float64)
        """When the prompt that plays will have been heard to its end."""

    def play(self, slot: int, prompt: str) -> None:
        self._musical.discard(slot)
        self.player.play(slot, prompt)
        self.busy[slot] = True

    def play_music(self, slot: int, prompt: str) -> None:
        """Play it again and again, wherever nothing else is said."""
        self._music[slot] = prompt
        if not self.busy[slot]:
            self._go_on_with_music(slot)

    def stop_music(self, slot: int) -> None:
        self._music.pop(slot, None)
        if slot in self._musical:
            self._hush_music(slot)

    def sound(self, slot: int, tone: Tone) -> None:
        self._hush_music(slot)
        self._tones[slot] = tone
        self.busy[slot] = True

    def press(self, slot: int, digits: str) -> None:
        """Send keys, after those that are still being sent."""
        self._hush_music(slot)
        waiting = self._keys.get(slot)
        if waiting:
            waiting.add(digits)
        else:
            self._keys[slot] = KeyWriter(digits)
        self.busy[slot] = True

    def presses(self, slot: int) -> bool:
        return slot in self._keys

    def stop(self, slot: int, now: float) -> None:
        """Fall silent, from the next frame on; but for the music."""
        self._hush_music(slot)
        self.busy[slot] = False
        self._tones.pop(slot, None)
        keys = self._keys.pop(slot, None)
        if keys:
            self._tell(slot, now, DigitsSent(keys.sent))
        stopped = self.player.stop(slot)
        finishing = self._finishing.pop(slot, None)
        if finishing:
            # Its last frame has left: it was heard to its end.
            self._tell(slot, min(now, float(self._ends[slot])), PromptFinished(finishing))
        elif stopped:
            self._tell(slot, now, PromptStopped(stopped))
        self._go_on_with_music(slot)

    def starting(self, slots: Slots) -> NDArray[np.bool_]:
        """Which of `slots` are about to begin a prompt."""
        return self.player.at_start(slots)

    def forget(self, slot: int, now: float) -> None:
        """The leg is over."""
        self._music.pop(slot, None)
        self.stop(slot, now)

    def speak(self, slots: Slots, law: NDArray[np.int64], out: Block, now: float) -> NDArray[np.bool_]:
        """Write the next frame of each slot into `out`: where it is more than silence."""
        starting = self.player.at_start(slots)
        speaking, left = self.player.next_frames(slots, law, out)
        for slot in map(int, slots[starting]):
            if slot in self._musical:
                continue
            prompt = self.player.playing(slot) or ""
            self._ends[slot] = now + self.player.samples(prompt) / RATE
            self._tell(slot, now, PromptStarted(prompt))
        for slot in map(int, slots[left > 0]):
            if slot in self._musical:
                self.player.play(slot, self._music[slot])
            else:
                self._finishing[slot] = self.player.playing(slot) or ""
        if self._tones:
            self._sound(slots, law, out, speaking, now)
        return speaking

    def key_packets(self, slots: Slots, timestamp: NDArray[np.uint32]) -> dict[int, tuple[bytes, int, bool]]:
        """By row, where a key is sent instead of audio: its payload, timestamp, and whether it begins."""
        if not self._keys:
            return {}
        written = {}
        for row, slot in enumerate(map(int, slots)):
            packet = self._keys[slot].next(int(timestamp[row])) if slot in self._keys else None
            if packet:
                written[row] = packet
        return written

    def finish(self, now: float) -> None:
        """Tell of what has been heard to its end."""
        for slot in [slot for slot in self._finishing if self._ends[slot] <= now]:
            self.player.stop(slot)
            self.busy[slot] = False
            self._tell(slot, float(self._ends[slot]), PromptFinished(self._finishing.pop(slot)))
            self._go_on_with_music(slot)
        for slot in [slot for slot, keys in self._keys.items() if keys.done]:
            self.busy[slot] = False
            self._tell(slot, now, DigitsSent(self._keys.pop(slot).sent))
            self._go_on_with_music(slot)

    def delay(self, slots: Slots, seconds: NDArray[np.float64]) -> None:
        """A stall held the prompts up."""
        self._ends[slots] += seconds

    def _sound(
        self,
        slots: Slots,
        law: NDArray[np.int64],
        out: Block,
        speaking: NDArray[np.bool_],
        now: float,
    ) -> None:
        for row, slot in enumerate(map(int, slots)):
            if slot in self._tones:
                speaking[row] = True
                if not self._tones[slot].write(out[row], int(law[row])):
                    del self._tones[slot]
                    self.busy[slot] = False
                    self._tell(slot, now, ToneFinished())
                    self._go_on_with_music(slot)

    def _go_on_with_music(self, slot: int) -> None:
        if slot in self._music and not self.busy[slot]:
            self.player.play(slot, self._music[slot])
            self._musical.add(slot)
            self.busy[slot] = True

    def _hush_music(self, slot: int) -> None:
        if slot in self._musical:
            self._musical.discard(slot)
            self.player.stop(slot)
            self.busy[slot] = False
