"""Whether a person is on the line: told at the first word, and told again when nothing more is said.

A frame is loud where it stands clear of the line's own noise floor. A line begins to sound when 4 of its
last 8 frames were loud and what they hold is a voice: periodic as no noise is, less steady than a machine's
tone, and not our own words come back. It falls silent when nothing has been loud for 0.4 s, or loud but no
voice for longer. A line that sends no packets at all is silent.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.events import Event, Heard, LineHeard
from callflow.media.echo import WINDOW, Echoes
from callflow.media.framing import Framer
from callflow.media.judging import LOOK, SAMPLE_SECONDS, VOICED, Judge, Look
from callflow.media.levels import Floats, Floors, Offsets, decibels, powers, steady_less
from callflow.media.overhearing import Overhearing
from callflow.media.pacing import Pacer
from callflow.media.past import Past
from callflow.media.rtp import FRAME, Block
from callflow.media.thresholds import Limits, Thresholds
from callflow.media.voicing import (
    PURE_SAMPLES,
    STEADY,
    lasting,
    loudness,
    steadiness,
    strongest,
    voicing,
    windows,
)
from callflow.media.voicing import WINDOW as PERIODS

Slots = NDArray[np.int64]

_ONSET: Final = 4
"""Loud frames of the window that make an onset: 80 ms, so that the shortest 喂 is heard."""
_HANGOVER: Final = 0.4
"""Seconds without a loud frame that make a silence: longer than the gaps inside a sentence."""
_UNVOICED: Final = 1.0
"""Seconds for which what is loud need not be a voice: a hiss at a word's end, not an engine."""
_WARM_UP: Final = 15
"""Frames from which a new leg's noise floor is learned before anything counts as loud."""
_AFTER_LOOKS: Final = np.array([8, 25])
_WAITS: Final = np.array([0, 0, 1])
"""Frames that a line is left alone after so many looks: engines and music are looked at now and then."""
_CALM: Final = 25
"""Frames after which all begins anew."""
_NO_VOICE: Final = 0.18
"""`voicing` that noise comes to again and again."""
_VOICE: Final = 0.2
"""What an onset's seven windows must have above that, all together."""
_VOICED_WINDOWS: Final = 2
"""Of the seven, so many must be a voice's by themselves."""
_PERHAPS: Final = 0.06
"""The same of what might be a voice, and is taken for one where nobody with better ears can be asked."""
_PURE: Final = 0.9
"""Share of two tones from which a sound may be a machine's, and is heard out a little longer."""
_STEADY: Final = 0.93
"""`steadiness` of a machine's tone."""
_TONE_BESIDE: Final = 6.0
"""What there is beside a machine's tone is no louder than the noise floor and so many dB,"""
_AS_PURE: Final = 0.988
"""or no more than a codec, or the tone's own beginning, makes of it."""
_LOWEST_TONE: Final = 340.0
"""Hz below which a pure sound is a person's who hums 嗯 or says u: exchanges' tones are higher."""
_LOUD_FOR_STEADY: Final = 0b1111111
"""Loud frames in a row that `steadiness` must look at."""
_STEADY_LOOKS: Final = 3
"""Frames in a row from which a steady sound is known for a machine's."""
_TONE_LASTS: Final = 2.0
"""Seconds for which a line that sounded a tone is thought to sound it again."""
_TONE_KNOWN: Final = 20
"""Frames from a tone's beginning until it is surely known for one."""
_TONE_ENDS: Final = 6
"""Frames that its end may last."""
_UNSTEADY_LOOKS: Final = 2
"""Frames in a row from which a pure sound is known for a person's: where a tone ends, one is."""
_MOSTLY: Final = 0.25
"""Share of a frame's power from which a DC offset is taken out of its samples."""
_HUM: Final = 200.0
"""Hz below which a steady tone is a hum of the mains."""
_FRAME_SECONDS: Final = 0.02
_HAIR: Final = 1e-6
"""Seconds by which two ways to reckon the same time may differ."""
_ECHO_LINGERS: Final = 2.0
"""Seconds for which a line that gave our words back is thought to do so again."""
_ONSETS_EVERY: Final = 0.02
"""Seconds between two looks for onsets."""
_JOINED_LOOKS: Final = 16
"""Of so many looks for a voice only one is at lines that are joined: every 320 ms."""
_JOINED_SAMPLES: Final = 4
"""Of so many samples of such a line only one is taken; in the others it is as it was."""
_BITS: Final = np.array([1, 2], np.uint8)
_LOUD: Final = np.array([0b1, 0b11], np.uint8)
"""So many bits a frame stands for, of which the others are not looked at; and those where it is loud."""
_SAMPLE_EVERY: Final = SAMPLE_SECONDS / 2
_PHASES: Final = 10
_TURN: Final = LOOK / _PHASES
_POPULATION: Final = np.array([bin(value).count("1") for value in range(256)], np.uint8)


class Hearing:
    """The ears of all legs."""

    def __init__(self, past: Past, overhearing: Overhearing, thresholds: Thresholds) -> None:
        capacity = len(past.frames)
        self._past, self._overhearing = past, overhearing
        self._limits = Limits(capacity, thresholds)
        self._floors, self._offsets = Floors(capacity), Offsets(capacity)
        self._echoes = Echoes(self._past, self._limits)
        self._judge = Judge(capacity, self._limits)
        self._framer = Framer(capacity)
        self._pacer = Pacer(self._framer, capacity)
        self._open = np.zeros(capacity, np.bool_)
        self._recent = np.zeros(capacity, np.uint8)
        """One bit a frame, the newest lowest: was it loud?"""
        self._spliced = np.zeros(capacity, np.int64)
        """The frame before which others were lost."""
        self._looks = np.zeros(capacity, np.int64)
        """How often a line that is loud was looked at, and it was no voice."""
        self._wait = np.zeros(capacity, np.int64)
        """The frame before which it is not looked at again."""
        self._steady = np.zeros(capacity, np.int64)
        """Frames in a row at which a pure sound was a machine's; negative where it was not."""
        self._sounding = np.zeros(capacity, np.bool_)
        self._loud_at = np.zeros(capacity, np.float64)
        self._voiced_at = np.zeros(capacity, np.float64)
        self._due = np.zeros(capacity, np.bool_)
        """Where an onset may be, and is to be looked for."""
        self._joined = np.zeros(capacity, np.bool_)
        """Where every other frame is enough: somebody else listens."""
        self._measured = np.zeros(capacity, np.int64)
        """Frames of those up to the one that was measured last."""
        self._power = np.zeros(capacity, np.float32)
        """Of the last frame."""
        self._periodic = np.zeros(capacity, np.float32)
        """How like a voice the line was when it was looked at last."""
        self._onsets_at = self._sample_at = self._turn_at = -np.inf
        self._onsets = self._samples = 0
        self._sampled = False
        self._turn = 0
        self._look_at = -np.inf
        """Before this nobody can have fallen silent: most ticks need not look."""

    def open(self, slot: int, law: Law, thresholds: Thresholds | None = None, *, heard: bool = True) -> None:
        """Another leg: nothing of the one before it is remembered. One that is not `heard` costs nothing."""
        for room in (self._framer, self._floors, self._offsets, self._echoes, self._judge):
            room.open(slot)
        self._limits.open(slot, thresholds)
        self._pacer.forget(slot)
        self._past.open(slot, law)
        self._recent[slot] = self._steady[slot] = self._measured[slot] = 0
        self._spliced[slot] = -WINDOW
        self._looks[slot] = self._wait[slot] = 0
        self._periodic[slot] = 0.0
        self._sounding[slot] = self._due[slot] = self._joined[slot] = False
        self._open[slot] = heard

    def close(self, slot: int) -> None:
        """The leg is over: it falls silent without a word."""
        self._pacer.forget(slot)
        self._sounding[slot] = self._open[slot] = self._due[slot] = False

    def sent(self, slots: Slots, frames: Block, speaking: NDArray[np.bool_], now: float) -> None:
        """Remember what was sent to each slot; `speaking` says where it was a prompt and not silence."""
        heard = self._open[slots]
        if not heard.all():
            slots, frames, speaking = slots[heard], frames[heard], speaking[heard]
        self._past.say(slots, frames)
        self._echoes.sent(slots[speaking], now)

    def received(
        self, slots: Slots, payload: Block, sizes: NDArray[np.int64], law: NDArray[np.int64], now: float
    ) -> None:
        """Hear one packet of each slot (no slot twice); what comes of it is told by `tick`."""
        heard = self._open[slots]
        if not heard.any():
            return
        if not heard.all():
            slots, sizes, law = slots[heard], sizes[heard], law[heard]
            # What is behind the audio need not be copied.
            payload = payload[heard, : int(sizes.max())]
        paced = self._pacer.are_paced(slots, sizes)
        if paced.any():
            self._pacer.add(slots[paced], payload[paced], sizes[paced], now)
            slots, payload, sizes, law = slots[~paced], payload[~paced], sizes[~paced], law[~paced]
            if not len(slots):
                return
        for rows, frames in self._framer.cut(slots, payload, sizes):
            self._hear(slots[rows], frames, law[rows], now)

    def lost(self, slots: Slots) -> None:
        """Packets of these lines that came before the next were lost."""
        if not len(slots):
            return
        self._spliced[slots] = self._past.frames[slots]

    def agreed(self, slot: int, law: Law) -> None:
        """The line speaks another law from now on."""
        self._past.law[slot] = law.row

    def floor(self, slot: int) -> float:
        """The line's noise floor in dBFS."""
        return float(self._floors.level(np.array([slot]))[0])

    def sounds(self, slot: int) -> bool:
        """Whether a person speaks there."""
        return bool(self._sounding[slot])

    def comfort(self, slot: int, now: float) -> None:
        """The line says by comfort noise that it has nothing to say (RFC 3389)."""
        self._judge.comfort_at[slot] = now

    def _hear(self, slots: Slots, frames: Block, law: NDArray[np.int64], now: float) -> None:
        count = self._past.frames[slots]
        self._past.hear(slots, frames, count)
        self._judge.packet_at[slots] = now
        alone = ~self._joined[slots]
        if not alone.all():
            slots, frames, law, count = slots[alone], frames[alone], law[alone], count[alone]
        if len(slots):
            self._measure(slots, frames, law, count, now)

    def _measure_joined(self, now: float) -> None:
        """The newest frame of each line that is joined, about one of two: all in one look."""
        slots = (self._joined & self._open & (self._past.frames > self._measured)).nonzero()[0]
        if not len(slots):
            return
        frames, law = self._past.frames[slots], self._past.law[slots]
        self._measured[slots] = frames
        # Of two frames either may be met: what is done at the odd ones must not be missed.
        self._measure(slots, self._past.newest(slots), law, frames - 1 | 1, now)

    def _measure(
        self, slots: Slots, frames: Block, law: NDArray[np.int64], count: NDArray[np.int64], now: float
    ) -> None:
        """How loud frames are, which have the numbers `count`; of joined lines one stands for two."""
        self._offsets.note(slots, frames, law, count)
        whole, offset = powers(frames, law), self._offsets.power[slots]
        power = whole - offset
        # Of two large numbers the difference says nothing; and few lines have so much of an offset.
        most = ((offset >= _MOSTLY * whole) & (whole > self._limits.least_power[slots])).nonzero()[0]
        if len(most):
            power[most] = steady_less(frames[most], law[most])
        self._power[slots] = power
        loud = (power > self._quiet(slots, self._floors.note(slots, power, count))) & (count >= _WARM_UP)
        joined = self._joined[slots].astype(np.int64)
        recent = self._recent[slots] << _BITS[joined] | loud * _LOUD[joined]
        self._recent[slots] = recent
        if not loud.any():
            return
        self._loud_at[slots[loud]] = now
        due = loud & ~self._sounding[slots] & (_POPULATION[recent] >= _ONSET) & (count >= self._wait[slots])
        self._due[slots[due]] = True

    def tick(self, now: float, joined: NDArray[np.bool_] | None = None) -> list[tuple[int, Event]]:
        """The slots that begin to sound, have fallen silent, or have become another kind of line.

        Many lines are looked at in one: each look costs more than a line in it. Where somebody else listens,
        on the lines that are `joined`, a voice need not be told at once.
        """
        told: list[tuple[int, Event]] = []
        if joined is not None:
            self._joined = joined & ~self._overhearing.on
        for slots, frames in self._pacer.take(now):
            self._hear(slots, frames, self._past.law[slots], now)
        if now >= self._onsets_at:
            self._onsets_at = now + _ONSETS_EVERY - _HAIR
            self._onsets = (self._onsets + 1) % _JOINED_LOOKS
            looked = ~self._joined if self._onsets else self._open
            due = self._due & (self._recent & 1 > 0) & looked
            self._due &= ~looked
            begun = self._voices(due.nonzero()[0], now)
            told += [(slot, self._begin(slot, now)) for slot in begun.tolist()]
        if now >= self._sample_at:
            self._sample_at = now + _SAMPLE_EVERY - _HAIR
            self._sampled = not self._sampled
            self._measure_joined(now)
            self._sample(int(self._sampled), now, joined)
        if now >= self._look_at:
            told += self._fallen_silent(now)
        if now >= self._turn_at:
            self._turn_at = now + _TURN - _HAIR
            self._turn = (self._turn + 1) % _PHASES
            told += self._judged(_every(self._open, self._turn, _PHASES), now)
        return told

    def _fallen_silent(self, now: float) -> list[tuple[int, Event]]:
        unvoiced = self._voiced_at <= now - _UNVOICED
        quiet = (self._sounding & ((self._loud_at <= now - _HANGOVER) | unvoiced)).nonzero()[0]
        self._sounding[quiet] = False
        self._recent[quiet] = 0
        ends = np.minimum(self._loud_at + _HANGOVER, self._voiced_at + _UNVOICED)[self._sounding]
        self._look_at = float(ends.min(initial=now + _HANGOVER)) - _HAIR
        since = np.minimum(self._loud_at[quiet], self._voiced_at[quiet] + _HANGOVER)
        return [
            (int(slot), LineHeard(Heard.SILENCE, float(at))) for slot, at in zip(quiet, since, strict=True)
        ]

    def _judged(self, slots: Slots, now: float) -> list[tuple[int, Event]]:
        if not len(slots):
            return []
        steady, hums = np.zeros(len(slots), np.bool_), np.zeros(len(slots), np.bool_)
        noisy = np.flatnonzero(
            ~self._sounding[slots] & (self._floors.level(slots) >= self._limits.noisy[slots] - 6)
        )
        if len(noisy):
            sound = self._past.heard(slots[noisy], STEADY)
            steady[noisy] = steadiness(sound) >= _STEADY
            hums[noisy] = strongest(sound)[1] < _HUM
        return [*self._judge.look(Look(slots, self._sounding[slots], steady, hums), now)]

    def _quiet(self, slots: Slots, floor: Floats) -> Floats:
        """The power below which nothing is loud."""
        quiet: Floats = np.maximum(
            self._limits.least_power[slots], floor * self._limits.clear_of_floor[slots]
        )
        return quiet

    def _sample(self, first: int, now: float, joined: NDArray[np.bool_] | None) -> None:
        """Look more closely at every other line, where it is loud.

        A line that is joined is mostly taken for what it was.
        """
        slots = _every(self._open & (self._judge.packet_at > now - _SAMPLE_EVERY), first, 2)
        if not len(slots):
            return
        power = self._power[slots]
        loud = power > self._limits.least_power[slots]
        periodic = np.where(loud, self._periodic[slots], np.float32(0))
        self._samples += 1
        if joined is not None and self._samples // 2 % _JOINED_SAMPLES:
            loud &= ~joined[slots]
        above = loud.nonzero()[0]
        if len(above):
            periodic[above] = voicing(self._past.heard(slots[above], PERIODS))
            self._periodic[slots[above]] = periodic[above]
            voiced = above[(periodic[above] >= VOICED) & (self._recent[slots[above]] & 1 > 0)]
            self._voiced_at[slots[voiced]] = now
        kept = now - self._judge.echo_at[slots] > WINDOW * _FRAME_SECONDS
        self._judge.sample(slots, decibels(power), periodic, kept)

    def _begin(self, slot: int, now: float) -> LineHeard:
        self._sounding[slot] = True
        self._voiced_at[slot] = self._judge.voice_at[slot] = now
        self._look_at = -np.inf
        first = int(self._recent[slot]).bit_length()
        return LineHeard(Heard.SOUND, now - first * _FRAME_SECONDS)

    def _voices(self, slots: Slots, now: float) -> Slots:
        """Those of `slots` whose last 160 ms are a person's voice."""
        if not len(slots):
            return slots
        sound = self._past.heard(slots, WINDOW * FRAME)
        cut = windows(sound - sound.mean(1, keepdims=True))
        whole, most = loudness(cut)
        loud = lasting(whole, most) & (whole > self._limits.least_power[slots, None])
        periodic = np.where(loud, voicing(cut.reshape(-1, PERIODS)).reshape(loud.shape), 0)
        evidence = np.maximum(periodic - _NO_VOICE, 0).sum(1)
        may = np.flatnonzero(evidence >= _PERHAPS)
        self._look_later(slots[evidence < _PERHAPS])
        if len(may):
            may = may[~self._may_be_machines(slots[may], sound[may])]
        if len(may):
            # Where packets were lost our own words are no more what they were.
            torn = self._past.frames[slots[may]] - self._spliced[slots[may]] < WINDOW
            torn &= self._echoes.possible(slots[may], now)
            self._overhearing.no_person(slots[may[torn & self._echoed_lately(slots[may], now)]])
            may = may[~torn]
            may = may[~self._are_echoes(slots[may], now)]
        self._overhearing.may_live(slots[may], most[may].max(1) >= self._limits.faint_power[slots[may]])
        sure = (evidence[may] >= _VOICE) & ((periodic[may] >= VOICED).sum(1) >= _VOICED_WINDOWS)
        voices: Slots = slots[may[sure]]
        return voices

    def _look_later(self, slots: Slots) -> None:
        """The longer a line has been loud and no voice, the longer it need not be looked at again."""
        frames = self._past.frames[slots]
        looks = np.where(frames - self._wait[slots] > _CALM, 1, self._looks[slots] + 1)
        self._looks[slots] = looks
        self._wait[slots] = frames + _WAITS[np.searchsorted(_AFTER_LOOKS, looks, "right")]

    def _may_be_machines(self, slots: Slots, sound: Floats) -> NDArray[np.bool_]:
        """Which lines may hold a machine's tone, as far as it can be told yet."""
        share, hertz = strongest(sound)
        beside = decibels((1 - share) * np.square(sound[:, -PURE_SAMPLES:]).mean(1))
        noise = self._floors.level(slots) + _TONE_BESIDE
        may = (share >= _PURE) & ((beside <= noise) | (share >= _AS_PURE)) & (hertz >= _LOWEST_TONE)
        # Where packets were lost no tone is like itself; it is waited for the next ones.
        torn = self._past.frames[slots] - self._spliced[slots] < WINDOW
        torn &= may | (self._loud_at[slots] - self._judge.tone_at[slots] < _TONE_LASTS)
        run = self._recent[slots] & _LOUD_FOR_STEADY == _LOUD_FOR_STEADY
        self._steady[slots[~may | ~run | torn]] = 0
        rows = np.flatnonzero(may & run & ~torn)
        if len(rows):
            steady = steadiness(sound[rows, -STEADY:]) >= _STEADY
            looked, before = slots[rows], self._steady[slots[rows]]
            looks = np.where(steady, np.maximum(before, 0) + 1, np.minimum(before, 0) - 1)
            self._steady[looked] = looks
            tones = looked[looks >= _STEADY_LOOKS]
            self._judge.tone_at[tones] = self._loud_at[tones]
            self._overhearing.no_person(tones, _TONE_KNOWN, _TONE_ENDS)
            may[rows] = looks > -_UNSTEADY_LOOKS
        self._overhearing.no_person(slots[torn & ~may], _TONE_KNOWN, _TONE_ENDS)
        return may | torn

    def _echoed_lately(self, slots: Slots, now: float) -> NDArray[np.bool_]:
        lately: NDArray[np.bool_] = now - self._judge.echo_at[slots] < _ECHO_LINGERS
        return lately

    def _are_echoes(self, slots: Slots, now: float) -> NDArray[np.bool_]:
        echoes = self._echoes.find(slots, self._quiet(slots, self._floors.power(slots)), now)
        # Heard and understood: only what comes after it can be an onset.
        self._recent[slots[echoes]] = 0
        self._judge.echo_at[slots[echoes]] = now
        self._overhearing.no_person(slots[echoes])
        return echoes


def _every(of: NDArray[np.bool_], first: int, step: int) -> Slots:
    """Of the slots `first`, `first` + `step` and so on, those that are so."""
    slots: Slots = of[first::step].nonzero()[0] * step + first
    return slots
