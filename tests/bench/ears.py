"""What hearing costs the plane, beside a plane that does not hear; and what the second pair of ears costs it.

Half of the legs speak and half listen, as in calls. A plane that does not hear is the same with its ears out.
"""

import asyncio
import struct
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callflow.adapters.neural_ear import INSTALLED
from callflow.adapters.second_opinion import SecondOpinion
from callflow.codec import Law
from callflow.events import OpinionGiven
from callflow.media.g711 import encode
from callflow.media.latching import source_key
from callflow.media.messages import AskOpinion, Join, ListenClosely, OpenLeg, Overheard, Report
from callflow.media.plane import Plane
from callflow.media.rtp import SLOT
from callflow.media.thresholds import Thresholds
from callflow.net.media_process import MediaProcess
from callflow.net.mmsg import bound_sockets
from tests.bench import relays
from tests.bench.bridged import both, run
from tests.bench.phones import Phones
from tests.bench.relay import FRAME, joined_plane
from tests.bench.stopwatch import ROUNDS, Figure, beside, percentile
from tests.hearing.voices import voices

LEGS = 500
CLOSELY = 50
"""Lines that are listened to closely at once: a tenth of all."""
_TURNS = 100
"""Frames of audio of each leg, again and again: 2 s."""
_SECONDS = 6.0


class Talk:
    """`LEGS` legs, joined in pairs, on a virtual clock: one of each pair speaks; half of them a tick."""

    def __init__(self, *, hears: bool) -> None:
        sources = [("127.0.0.1", 30000 + leg) for leg in range(LEGS)]
        self.plane: Plane = joined_plane(sources)
        if not hears:
            relays.deafen(self.plane)
        self._ports = LEGS // 50
        self._keys = np.array([source_key(source) for source in sources], np.uint64)
        self._audio = _audio()
        self._tick = 0

    def run(self) -> int:
        """2 s of talk; the packets that were relayed."""
        before = self.plane.counts["relayed"]
        for _ in range(2 * _TURNS):
            # Pairs stay together: one of each two legs speaks in both halves.
            legs = np.flatnonzero(np.arange(LEGS) // 2 % 2 == self._tick % 2)
            turn = self._tick // 2
            block = np.zeros((len(legs), SLOT), np.uint8)
            block[:, 0], block[:, 1] = 0x80, 8
            block[:, 2:8] = np.frombuffer(struct.pack("!HI", turn & 0xFFFF, turn * 160), np.uint8)
            block[:, 12:FRAME] = self._audio[legs, turn % _TURNS]
            now = 0.005 + self._tick * 0.01
            lengths = np.full(len(legs), FRAME, np.int64)
            self.plane.receive(legs % self._ports, block, lengths, self._keys[legs], now)
            for _ in self.plane.tick(now):
                pass
            self.plane.take_reports()
            self._tick += 1
        return self.plane.counts["relayed"] - before


def _audio() -> NDArray[np.uint8]:
    """[leg, turn, 160] codes: every other leg has a voice over a hiss, the others only the hiss."""
    random = np.random.default_rng(1)
    said = np.concatenate(voices(held_out=False, installed=False).phrases)
    wave = random.standard_normal((LEGS, _TURNS * 160)).astype(np.float32) * 10 ** (-62 / 20)
    for leg in range(0, LEGS, 2):
        at = int(random.integers(len(said) - _TURNS * 160))
        wave[leg] += said[at : at + _TURNS * 160] * 10 ** (-25 / 20)
    samples = np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16)
    return encode(samples, Law.PCMA).reshape(LEGS, _TURNS, 160)


def alone() -> Iterator[Figure]:
    """The plane by itself, with ears and without, round by round in turn."""
    talks = {hears: Talk(hears=hears) for hears in (False, True)}
    rounds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(ROUNDS + 1):
        for hears, talk in talks.items():
            begun = time.process_time()
            done = talk.run()
            if number:
                rounds[hears].append((time.process_time() - begun) / done * 1e6)
    deaf = Figure(f"the plane alone, {LEGS} bridged legs, a packet: no hearing", tuple(rounds[False]), "µs")
    yield deaf
    yield beside(Figure("  the same with hearing", tuple(rounds[True]), "µs"), deaf)


def at_sockets() -> Iterator[Figure]:
    """The plane's process, kernel and all: in turns, because from run to run it differs by a tenth."""
    audio = _audio()
    rounds: dict[bool, tuple[float, ...]] = {False: (), True: ()}
    for hears in (False, True, True, False) * 2:
        rounds[hears] += run(LEGS, partial(relays.plane, hears=hears), audio).cost("", both).rounds
    deaf = Figure(f"{LEGS} bridged legs at sockets, a packet: no hearing", rounds[False], "µs")
    yield deaf
    yield beside(Figure("  the same with hearing", rounds[True], "µs"), deaf)


async def _late(closely: int) -> tuple[list[float], list[float]]:
    """How late ticks are in ms while so many lines are listened to closely, and how long answers take."""
    phones, late, told = Phones(LEGS, _audio()), list[float](), list[Report]()
    bound = bound_sockets("127.0.0.1", [0] * (LEGS // 50))
    media = MediaProcess(bound, capacity=LEGS, thresholds=Thresholds())
    opinion = SecondOpinion(neural=INSTALLED)
    media.on_report = lambda report: _pass_on(opinion, report)
    media.on_lateness = lambda seconds: late.append(seconds * 1000)
    opinion.on_opinion = told.append
    await media.start()
    await opinion.start()
    try:
        if INSTALLED:
            await opinion.ready()
        for leg, source in enumerate(phones.addresses):
            heard = leg % 2 == 0
            media.command(OpenLeg(leg, leg % len(bound), Law.PCMA, 101, source, ("127.0.0.1",), heard=heard))
        for leg in range(0, LEGS, 2):
            media.command(Join(leg, leg + 1))
        with phones.talking([*media.ports]) as pipe:
            await asyncio.sleep(1.0)
            late.clear()
            _order(opinion, media, [ListenClosely(leg) for leg in range(closely)])
            await asyncio.sleep(_SECONDS)
            asked = asyncio.get_running_loop().time()
            _order(opinion, media, [AskOpinion(leg) for leg in range(closely)])
            await asyncio.sleep(1.0)
            pipe.send("stop")
        return late, [(report.at - asked) * 1000 for report in told if isinstance(report.event, OpinionGiven)]
    finally:
        await opinion.close()
        await media.close()
        phones.close()


def _pass_on(opinion: SecondOpinion, report: Report) -> None:
    if isinstance(report.event, Overheard):
        opinion.overheard(report.leg, report.event)


def _order(opinion: SecondOpinion, media: MediaProcess, commands: list[Any]) -> None:
    for command in commands:
        opinion.told(command)
        media.command(command)


def opinions() -> Iterator[Figure]:
    """The plane's lateness without the second pair of ears, and with it; and how soon that answers."""
    for closely in (0, CLOSELY):
        late, answers = asyncio.run(_late(closely))
        what = f"{LEGS} legs, {closely} of them listened to closely: ticks late, p50"
        yield Figure(what, (percentile(late, 0.5),), "ms")
        yield Figure("  ticks late, p99", (percentile(late, 0.99),), "ms")
        if answers:
            yield Figure(f"  answers of {CLOSELY} asked at once, first", (min(answers),), "ms")
            yield Figure("  answers, last", (max(answers),), "ms")
    for answer in asyncio.run(_late(1))[1]:
        yield Figure("  the answer where one is asked", (answer,), "ms")


def figures() -> Iterator[Figure]:
    yield from alone()
    yield from at_sockets()
    yield from opinions()
