"""Five hundred bridged legs: what they cost our plane and a plain relay in C, what is lost, and how late.

Where the kernel accounts for time by its clock's ticks, the split between user and kernel is a rough one;
their sum is not. The phones' own lateness tells how much of the delay is the machine's.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from callflow.net.mmsg import bound_sockets
from tests.bench import relays
from tests.bench.phones import Heard, Phones
from tests.bench.relays import Account, Relay
from tests.bench.stopwatch import Figure, beside, percentile

LEGS_A_PORT = 50
LEGS = (200, 500)
ROUNDS, SECONDS = 3, 2.0
WARM_UP = 1.0
"""Seconds that do not count: every phone has begun by then, and every leg has been found."""
PACKETS_A_CALL = 100
"""Relayed in a second of a bridged call."""
TICK = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """One relay under the load."""

    rounds: list[tuple[Account, Account]]
    heard: Heard

    def cost(self, what: str, of: Callable[[Account], float]) -> Figure:
        """CPU a relayed packet, round by round."""
        each = ((of(end) - of(start)) / (end.relayed - start.relayed) for start, end in self.rounds)
        return Figure(what, tuple(each), "µs")

    def cost_of_a_call(self, what: str) -> Figure:
        """CPU a second of a bridged call."""
        each = self.cost(what, both).rounds
        return Figure(what, tuple(one * PACKETS_A_CALL / 1000 for one in each), "ms")


def both(account: Account) -> float:
    return account.user + account.kernel


@contextmanager
def phones_and_ports(
    legs: int, audio: NDArray[np.uint8] | None = None
) -> Iterator[tuple[Phones, list[socket.socket], list[int]]]:
    """The phones of joined legs, the sockets that they send to, and their ports; closed at the end."""
    phones = Phones(legs, audio)
    bound = bound_sockets("127.0.0.1", [0] * (legs // LEGS_A_PORT))
    try:
        yield phones, bound, [int(one.getsockname()[1]) for one in bound]
    finally:
        phones.close()
        for one in bound:
            one.close()


def run(
    legs: int,
    relay: Callable[..., AbstractContextManager[Relay]],
    audio: NDArray[np.uint8] | None = None,
) -> Run:
    """`ROUNDS` rounds of `SECONDS`, after a second that does not count; `audio` is what the phones say."""
    with (
        phones_and_ports(legs, audio) as (phones, bound, ports),
        relay(bound, phones.addresses) as at_work,
        phones.talking(ports) as pipe,
    ):
        time.sleep(WARM_UP)
        accounts = [at_work.account()]
        for _ in range(ROUNDS):
            time.sleep(SECONDS)
            accounts.append(at_work.account())
        pipe.send("stop")
        heard: Heard = pipe.recv()
        return Run(list(pairwise(accounts)), heard)


def described(legs: int, who: str, done: Run) -> Iterator[Figure]:
    """The cost, and whether all came."""
    what = f"{legs} bridged legs through {who}"
    yield done.cost(f"{what}: CPU a packet", both)
    yield done.cost("  of which user", lambda account: account.user)
    yield done.cost("  of which the kernel", lambda account: account.kernel)
    heard, last = done.heard, done.rounds[-1][1]
    yield Figure("  lost, of " + str(heard.sent), (heard.sent - heard.came,), "packets")
    yield Figure("  found a full buffer", (last.overflowed + heard.overflowed,), "packets")


def delayed(heard: Heard) -> Iterator[Figure]:
    milliseconds = [1000 * delay for delay in heard.delays]
    for share in (0.5, 0.99):
        late = percentile(milliseconds, share)
        yield Figure(f"  from phone to phone, p{share * 100:.0f}", (late,), "ms")
    late = percentile([1000 * one for one in heard.lateness], 0.99)
    yield Figure("  the phones' own lateness, p99", (late,), "ms")


def figures() -> Iterator[Figure]:
    """Ours, then C's at the same load."""
    for legs in LEGS:
        ours = run(legs, relays.plane)
        yield from described(legs, "the plane, level measured", ours)
        yield ours.cost_of_a_call("  CPU a second of a bridged call")
        yield from delayed(ours.heard)
        if not relays.compiler():
            continue
        cost = ours.cost(f"  that is: the plane, {legs} legs", both)
        for who, tick in (("C, awake for each packet", 0.0), ("C, a tick of 10 ms", TICK)):
            plain = run(legs, partial(relays.in_c, tick=tick))
            yield from described(legs, who, plain)
            yield beside(cost, plain.cost(who, both))
