"""The peers that we keep in touch with: where each is reached, whether it lives, whether it knows us.

A trunk is configured by name; its addresses come from whoever asks DNS, and may change while calls stand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from callflow.agenda import Agenda
from callflow.guard import REST, guarded
from callflow.sip.account import Account
from callflow.sip.address import Address, AllowList, Hop
from callflow.sip.happenings import Output, RegistrationChanged, TrunkChanged
from callflow.sip.keepalive import Changed
from callflow.sip.locate import Candidate
from callflow.sip.message import Request, Response
from callflow.sip.prover import CallProver
from callflow.sip.registration import Registration, State
from callflow.sip.transactions import Asker, Transactions
from callflow.sip.trunk import Trunk
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class TrunkPlan:
    """What the configuration says of one trunk."""

    name: str
    domain: str
    """The host of the URIs that we call there."""
    user: str = field(default="", repr=False)
    """Our account there, if we have one."""
    password: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    """The name for the digest where it is not the user."""
    registers: bool = False
    expires: int = 300
    """Seconds asked for."""
    keepalive: bool = True
    """Whether OPTIONS are sent to it."""
    takes_replaces: bool = False
    """Whether a call of ours may take the place of a dialog of its own (RFC 3891)."""


@dataclass(slots=True)
class _Kept:
    plan: TrunkPlan
    candidates: tuple[Candidate, ...] = ()
    trunk: Trunk | None = None
    registration: Registration | None = None
    paused: dict[Hop, float] = field(default_factory=dict)
    """The addresses that want no calls, and until when (seconds)."""


class Trunks:
    """The table of trunks, with one deadline for all."""

    def __init__(
        self,
        plans: Sequence[TrunkPlan],
        transactions: Transactions,
        contact: Address,
        allowed: AllowList,
        new_id: Callable[[], str],
        chance: Callable[[], float],
    ) -> None:
        """`contact` is where calls for us are to come; whoever is a trunk becomes `allowed`."""
        self._kept = {plan.name: _Kept(plan) for plan in plans}
        self._transactions = transactions
        self._contact = contact
        self._allowed = allowed
        self._new_id = new_id
        self._chance = chance
        self._agenda: Agenda[str] = Agenda()

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def at(self, host: str) -> str:
        """The name of the trunk that an IPv4 address is one of; empty where it is none's."""
        for name, kept in self._kept.items():
            if any(candidate.host == host for candidate in kept.candidates):
                return name
        return ""

    def replacing(self, host: str) -> str | None:
        """The trunk at `host`, by domain or address, that takes Replaces; None where there is none."""
        by_address = self.at(host)
        for name, kept in self._kept.items():
            if kept.plan.takes_replaces and (kept.plan.domain == host or name == by_address):
                return name
        return None

    def hops(self, name: str, now: float | None = None) -> tuple[Hop, ...]:
        """Where a call by that trunk goes, in the order to try; none before it was found.

        `now` leaves out the addresses that want no calls yet; an emergency asks without it.
        """
        kept = self._kept[name]
        usable = kept.trunk.usable() if kept.trunk else kept.candidates
        hops = (candidate.hop for candidate in usable)
        return tuple(hop for hop in hops if now is None or kept.paused.get(hop, now) <= now)

    def pause(self, hop: Hop, seconds: float, now: float) -> None:
        """An address has answered an INVITE with 503 and Retry-After."""
        for kept in self._at(hop):
            kept.paused = {other: until for other, until in kept.paused.items() if until > now}
            if seconds:
                kept.paused[hop] = now + seconds

    def missed(self, hop: Hop, now: float) -> list[Output]:
        """An address has not answered an INVITE at all: as good as an unanswered OPTIONS."""
        return [
            output
            for kept in self._at(hop)
            if kept.trunk is not None
            for candidate in kept.candidates
            if candidate.hop == hop
            for output in self.answered(kept, partial(_miss, candidate=candidate, now=now), now)
        ]

    def _at(self, hop: Hop) -> list[_Kept]:
        """The trunks that have this address."""
        trunks = self._kept.values()
        return [kept for kept in trunks if any(candidate.hop == hop for candidate in kept.candidates)]

    def prover(self, name: str) -> CallProver | None:
        """Who answers the trunk's challenges in one call; None where we have no account there."""
        plan = self._kept[name].plan
        return CallProver(plan.login or plan.user, plan.password, self._new_id) if plan.password else None

    def located(self, name: str, candidates: Sequence[Candidate], now: float) -> list[Output]:
        """The trunk's addresses as DNS has them now. None at all changes nothing."""
        if not candidates:
            return []
        kept = self._kept[name]
        kept.candidates = tuple(candidates)
        self._allowed.admit(name, [candidate.host for candidate in candidates])
        if kept.plan.keepalive:
            if kept.trunk is None:
                target, ours = Uri("sip", "", kept.plan.domain), Uri("sip", kept.plan.user, *self._contact)
                kept.trunk = Trunk(target, ours, candidates, self._new_id, now)
            else:
                kept.trunk.relocate(candidates, now)
        if kept.plan.registers:
            self._register(kept, candidates, now)
        self._watch(kept)
        return []

    def stop(self, now: float) -> list[Output]:
        """Take calls from nobody any more: unregister."""
        outputs: list[Output] = []
        for kept in self._kept.values():
            if kept.registration is not None:
                outputs += self.registers(kept, lambda registration: registration.stop(now), now)
        return outputs

    @property
    def registered(self) -> bool:
        """Whether any trunk still thinks that we take calls, as far as we know."""
        return any(
            kept.registration is not None and kept.registration.state is not State.STOPPED
            for kept in self._kept.values()
        )

    def tick(self, now: float) -> list[Output]:
        outputs: list[Output] = []
        for name in self._agenda.take_due(now):
            # A trunk whose keepalive fails is asked again a little later; it must not fall silent for good.
            self._agenda.put(name, now + REST)
            outputs += guarded(partial(self._tick_one, self._kept[name], now))
        return outputs

    # --- the rooms behind ---

    def _tick_one(self, kept: _Kept, now: float) -> list[Output]:
        outputs: list[Output] = []
        if kept.trunk is not None:
            for candidate, options in kept.trunk.tick(now):
                outputs += self._ask(options, candidate, _Alive(self, kept, candidate), now)
        if kept.registration is not None:
            outputs += self.registers(kept, lambda registration: registration.tick(now), now)
        self._watch(kept)
        return outputs

    def _register(self, kept: _Kept, candidates: Sequence[Candidate], now: float) -> None:
        if kept.registration is not None:
            kept.registration.relocate(candidates)
            return
        plan = kept.plan
        contact = Uri("sip", plan.user, *self._contact)
        account = Account(plan.user, plan.password, plan.domain, contact, plan.expires, plan.login)
        kept.registration = Registration(account, candidates, self._new_id, self._chance, now)

    def registers(
        self, kept: _Kept, step: Callable[[Registration], Request | None], now: float
    ) -> list[Output]:
        """Let the registration do its next step, and tell what it has come to."""
        registration = kept.registration
        assert registration is not None
        before = registration.state
        request = step(registration)
        outputs: list[Output] = []
        if registration.state is not before:
            state, status = registration.state.name.lower(), registration.refused_with
            outputs.append(RegistrationChanged(kept.plan.name, state, status))
        if request is not None:
            outputs += self._ask(request, registration.candidate, _Registers(self, kept), now)
        self._watch(kept)
        return outputs

    def _ask(self, request: Request, candidate: Candidate, asker: Asker, now: float) -> list[Output]:
        return self._transactions.ask(request, candidate.hop, asker, now)[1]

    def answered(self, kept: _Kept, step: Callable[[Trunk], Changed | None], now: float) -> list[Output]:
        """An OPTIONS has come to something, or to nothing."""
        trunk = kept.trunk
        assert trunk is not None
        changed = step(trunk)
        self._watch(kept)
        told = TrunkChanged(
            kept.plan.name, trunk.state.name.lower(), min(trunk.round_trips.values(), default=None)
        )
        return [told] if changed else []

    def _watch(self, kept: _Kept) -> None:
        machines = [machine for machine in (kept.trunk, kept.registration) if machine is not None]
        known = [machine.deadline for machine in machines if machine.deadline is not None]
        self._agenda.put(kept.plan.name, min(known, default=None))


def _miss(trunk: Trunk, *, candidate: Candidate, now: float) -> Changed | None:
    return trunk.missed(candidate, now)


class _Alive:
    """One OPTIONS on its way."""

    def __init__(self, trunks: Trunks, kept: _Kept, candidate: Candidate) -> None:
        self._trunks = trunks
        self._kept = kept
        self._candidate = candidate

    def replied(self, response: Response, now: float) -> list[Output]:
        if response.status < 200:
            return []
        return self._trunks.answered(self._kept, lambda t: t.replied(self._candidate, response, now), now)

    def unanswered(self, now: float) -> list[Output]:
        return self._trunks.answered(self._kept, lambda t: t.unanswered(self._candidate, now), now)


class _Registers:
    """One REGISTER on its way."""

    def __init__(self, trunks: Trunks, kept: _Kept) -> None:
        self._trunks = trunks
        self._kept = kept

    def replied(self, response: Response, now: float) -> list[Output]:
        if response.status < 200:
            return []
        return self._trunks.registers(self._kept, lambda r: r.replied(response, now), now)

    def unanswered(self, now: float) -> list[Output]:
        return self._trunks.registers(self._kept, lambda r: r.unanswered(now), now)
