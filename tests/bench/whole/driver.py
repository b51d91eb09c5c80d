"""Callers and seats for a product under measurement: a SIP endpoint of ours in the bench's own process.

Its cost is nobody's: only the product's processes are accounted for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from callflow.sip.account import Account
from callflow.sip.address import Address, Hop
from callflow.sip.credentials import Credentials
from callflow.sip.happenings import Accepted, Declined, Ended, Invited, Output, Reoffered, Told
from callflow.sip.headers import NameAddress
from callflow.sip.message import Response
from callflow.sip.outgoing import Plan
from callflow.sip.sdp import accept, agree, offered
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri
from tests.bench.whole.product import PASSWORD
from tests.support.socket_endpoint import SocketEndpoint

FIRST_NUMBER = 13_800_000_000
"""The number of caller 0, and so on; seats are shown it."""
_PATIENCE = 60.0
"""Seconds that anything may take."""
_AT_ONCE = 20
"""Registrations on their way at one time."""


@dataclass
class Driver:
    """Calls a product, and is all of its seats' phones."""

    product: Address
    phones: Sequence[Address]
    """Where the audio of callers (even) and seats (odd) comes from and goes to."""
    answered: int = 0
    """Calls of ours that the product has answered."""
    taken: int = 0
    """Calls that the seats have taken."""
    ended: int = 0
    failed: int = 0
    targets: dict[int, int] = field(default_factory=dict)
    """By the index in `phones`: the product's port that its audio goes to."""
    seats: dict[int, str] = field(default_factory=dict)
    """By the caller's number, the session of the seat's phone that rang for it."""
    on_answered: Callable[[str], None] = lambda session: None
    _callers: dict[str, int] = field(default_factory=dict)
    _endpoint: SocketEndpoint | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def endpoint(self) -> SocketEndpoint:
        assert self._endpoint is not None
        return self._endpoint

    def call(self, number: int, called: str = "10086") -> str:
        """The caller of that number calls: the session."""
        ours, audio = self.endpoint, self.phones[2 * number % len(self.phones)]
        caller = NameAddress(Uri("sip", f"{FIRST_NUMBER + number}", "127.0.0.1"))
        target = Uri("sip", called, *self.product)
        plan = Plan(target, caller, offered(audio, number + 1), (Hop(self.product),))
        session, outputs = ours.calls.invite(plan, ours.now())
        self._callers[session] = number
        ours.do(outputs)
        return session

    def hold(self, number: int) -> None:
        """The seat of that caller puts it on hold, by its phone's key (`sendonly`, RFC 3264 section 8.4)."""
        audio = self.phones[2 * number % len(self.phones) + 1]
        held = offered(audio, 2 * number + 1, 2).replace(b"a=sendrecv", b"a=sendonly")
        self.endpoint.do(self.endpoint.calls.reoffer(self.seats[number], held, self.endpoint.now()))

    def hang_up(self, session: str) -> None:
        self.endpoint.hang_up(session)

    def all_targets(self, calls: int) -> list[int]:
        """Where the phones of the first `calls` calls send their audio to."""
        return [self.targets[leg] for leg in range(2 * calls)]

    async def until(self, come: Callable[[], bool]) -> None:
        """Raises `TimeoutError` where it never comes."""
        async with asyncio.timeout(_PATIENCE):
            while not come():
                self._news.clear()
                await self._news.wait()

    async def register(self, accounts: Iterable[str]) -> None:
        """All of them, each under a name of its own at our address."""
        few = asyncio.Semaphore(_AT_ONCE)

        async def one(account: str) -> None:
            async with few:
                await self._register(account)

        self.endpoint.keep = True
        await asyncio.gather(*(one(account) for account in accounts))
        self.endpoint.keep = False
        self.endpoint.passed.clear()

    async def _register(self, user: str) -> None:
        ours, contact = self.endpoint, Uri("sip", user, *self.endpoint.address)
        account = Account(user, PASSWORD, self.product[0], contact, expires=3600)
        credentials = Credentials(user, PASSWORD, lambda: "cnonce")
        call_id = f"register-{user}"
        for cseq in range(1, 4):
            fields = credentials.fields("REGISTER", account.registrar)
            request = account.request(call_id, "1", cseq, 3600, fields)
            via = f"SIP/2.0/UDP {contact.host}:{contact.port};branch=z9hG4bK{user}{cseq};rport"
            ours.do([Send(request.under(("via", via)).to_bytes(), self.product)])
            answer = await self._answer_to(call_id, cseq)
            if answer.status == 200:
                return
            credentials.challenged(answer)
        raise RuntimeError(f"{user} could not register")

    async def _answer_to(self, call_id: str, cseq: int) -> Response:
        async with asyncio.timeout(_PATIENCE):
            while True:
                for passed in self.endpoint.passed:
                    answer = passed.message
                    is_ours = passed.incoming and answer.call_id == call_id and answer.cseq.number == cseq
                    if is_ours and isinstance(answer, Response):
                        self.endpoint.passed.remove(passed)
                        return answer
                await asyncio.sleep(0.005)

    def happened(self, told: Told, now: float) -> Iterable[Output]:
        """What happens to the driver's sessions, and what it does about it."""
        self._news.set()
        calls = self.endpoint.calls
        match told:
            case Invited():
                return self._take(told, now)
            case Reoffered(session=session, offer=offer):
                return calls.answer(session, agree(offer, self.phones[0], 1).answer, now)
            case Accepted(session=session, answer=answer):
                self.answered += 1
                self._send_to(2 * self._callers.get(session, 0), answer)
                self.on_answered(session)
            case Declined():
                self.failed += 1
            case Ended():
                self.ended += 1
        return ()

    def _take(self, invited: Invited, now: float) -> Iterable[Output]:
        """A seat's phone rings, and answers at once."""
        number = int(invited.caller) - FIRST_NUMBER
        index = 2 * number % len(self.phones) + 1
        self.seats[number] = invited.session
        self.taken += 1
        self._send_to(index, invited.offer)
        agreed = agree(invited.offer, self.phones[index], index)
        return self.endpoint.calls.answer(invited.session, agreed.answer, now)

    def _send_to(self, index: int, description: bytes) -> None:
        remote = accept(description).remote
        if remote is not None:
            self.targets[index % len(self.phones)] = remote[1]


@asynccontextmanager
async def driving(product: Address, phones: Sequence[Address]) -> AsyncIterator[Driver]:
    """A driver at work."""
    driver = Driver(product, phones)
    endpoint = SocketEndpoint(driver.happened, keep=False)
    driver._endpoint = endpoint
    endpoint.start()
    try:
        yield driver
    finally:
        endpoint.close()
