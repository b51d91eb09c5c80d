"""Joins each caller to a seat, signalling only: run as a process of its own, so that its cost is known.

python -m tests.bench.b2bua PORT calls the seat at that port of loopback. It writes its own port, and then,
for each line that it reads, its account so far. It ends with its input.
"""

import asyncio
import dataclasses
import json
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from callflow.errors import PeerError
from callflow.sip.address import Address, Hop
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Accepted, Declined, Ended, Invited, Output, Progressed, Told
from callflow.sip.headers import NameAddress
from callflow.sip.outgoing import Plan
from callflow.sip.uri import Uri
from tests.support.socket_endpoint import SocketEndpoint, socket_endpoint


@dataclass(frozen=True, slots=True)
class Account:
    """What the process has done so far."""

    cpu: float
    """Seconds, user and kernel."""
    joined: int
    """Calls that both sides were in."""
    repeated: int
    """Messages of ours that had no answer in time."""
    odd: int
    in_hand: int
    """Sessions."""


class Joining:
    """The two legs of each call, by each other's session."""

    def __init__(self, seat: Address) -> None:
        self.joined = 0
        self._seat = seat
        self._partners: dict[str, str] = {}
        self._endpoint: Endpoint | None = None

    def at(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def happened(self, told: Told, now: float) -> Iterable[Output]:
        assert self._endpoint is not None
        calls = self._endpoint.calls
        match told:
            case Invited():
                return self._call_seat(told, now)
            case Progressed(session=session):
                return calls.ring(self._partners[session], now)
            case Accepted(session=session, answer=answer):
                self.joined += 1
                return calls.answer(self._partners[session], answer, now)
            case Declined(session=session, status=status, reason=reason):
                caller = self._part(session)
                return calls.refuse(caller, PeerError(status, reason), now)
            case Ended(session=session):
                return calls.hang_up(self._part(session), "", now)
        return ()

    def _call_seat(self, invited: Invited, now: float) -> list[Output]:
        assert self._endpoint is not None
        target = Uri.parse(f"sip:{invited.called}@{self._seat[0]}:{self._seat[1]}")
        caller = NameAddress(Uri.parse(f"sip:{invited.caller}@127.0.0.1"))
        plan = Plan(target, caller, invited.offer, (Hop(self._seat),), max_forwards=invited.hops_left - 1)
        session, outputs = self._endpoint.calls.invite(plan, now)
        self._partners[session], self._partners[invited.session] = invited.session, session
        return outputs

    def _part(self, session: str) -> str:
        """Forget the pair; the other one of it."""
        other = self._partners.pop(session)
        del self._partners[other]
        return other


def account(joining: Joining, ours: SocketEndpoint) -> Account:
    used = resource.getrusage(resource.RUSAGE_SELF)
    in_hand = ours.endpoint.in_hand()["sessions"]
    return Account(used.ru_utime + used.ru_stime, joining.joined, ours.repeated, len(ours.odd), in_hand)


async def main(seat: Address) -> None:
    joining = Joining(seat)
    loop = asyncio.get_running_loop()
    async with socket_endpoint(joining.happened, keep=False) as ours:
        joining.at(ours.endpoint)
        sys.stdout.write(f"{ours.address[1]}\n")
        sys.stdout.flush()
        while await loop.run_in_executor(None, sys.stdin.readline):
            sys.stdout.write(json.dumps(dataclasses.asdict(account(joining, ours))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(("127.0.0.1", int(sys.argv[1]))))
