"""The legs of all calls: the ports that they have, and what is agreed with each about its audio."""

from collections.abc import Iterator
from typing import Final

from callflow.call.leg import Effect, Leg
from callflow.codec import Law
from callflow.errors import PeerError
from callflow.events import Party
from callflow.media.messages import CloseLeg
from callflow.media.ports import PortPool, PortsBusy
from callflow.sip.address import Address
from callflow.sip.calls import Calls
from callflow.sip.happenings import Counted, Invited
from callflow.sip.refusal import full as at_limit
from callflow.sip.sdp import Agreed, Offer, accept, offered

_MOST_LEFT: Final = 1000
_MOST_TRIED: Final = 4
"""Ports that a leg is offered one after the other while nothing of it is heard at any."""


class Lines:
    """The table of legs, by their session and by their number in the plane."""

    def __init__(self, calls: Calls, ports: PortPool, host: str) -> None:
        """`host` is the IPv4 address that audio is to come to."""
        self._calls = calls
        self._ports = ports
        self.host = host
        self._by_session: dict[str, Leg] = {}
        self._by_media: dict[int, Leg] = {}
        self._last = 0
        self.left: dict[int, Leg] = {}
        """The legs that are closed, and of which the plane has not told for the last time."""

    def __len__(self) -> int:
        return len(self._by_session)

    def __iter__(self) -> Iterator[Leg]:
        return iter(self._by_session.values())

    def get(self, session: str) -> Leg | None:
        """The leg of a session; None where it is over."""
        return self._by_session.get(session)

    def heard(self, media: int) -> Leg | None:
        """The leg that the plane calls so."""
        return self._by_media.get(media)

    # --- legs that come and go ---

    def answer(self, call: str, invited: Invited, now: float) -> Leg:
        """A leg for a caller: a port, and an agreement. Raises `PeerError`."""
        offer = Offer.read(invited.offer) if invited.offer else None
        leg = self._new(call, invited.session, invited.source, offer.remote if offer else None)
        # Only with a port is it known what stands in the description.
        if offer:
            self._take_port(leg, now)
            leg.agreed = offer.answered(self._local(leg), leg.media)
            leg.description = leg.agreed.answer
        else:
            leg.port = self._ports.offer(leg.media, leg.source, now)
            leg.description = leg.offer = offered(self._local(leg), leg.media)
        self._enter(leg)
        return leg

    def prepare(
        self, call: str, seat: str, host: str, law: Law | None, now: float, party: Party = Party.SEAT
    ) -> Leg:
        """A leg for whom we are going to call at `host`; the session's id is given by `begun`.

        `law` is the other party's: offered first, so that the audio passes as it is. However many phones
        ring, there is a port to be offered: it is the leg's only from its answer on.
        """
        leg = self._new(call, "", host, None)
        leg.takes_part(party)
        leg.seat = seat
        leg.port = self._ports.offer(leg.media, host, now)
        leg.description = leg.offer = offered(self._local(leg), leg.media, first=law)
        return leg

    def begun(self, leg: Leg, session: str) -> None:
        """The INVITE for a prepared leg has left."""
        leg.session = session
        self._enter(leg)

    def end(self, leg: Leg, reason: str, now: float) -> list[Effect]:
        """Hang the leg up, and be done with it."""
        return [*self._calls.hang_up(leg.session, reason, now), *self.close(leg)]

    def close(self, leg: Leg) -> list[Effect]:
        """The leg is over."""
        self._by_session.pop(leg.session, None)
        self._by_media.pop(leg.media, None)
        self._ports.close(leg.media)
        self.left[leg.media] = leg
        while len(self.left) > _MOST_LEFT:
            # A plane that died tells nothing any more.
            del self.left[next(iter(self.left))]
        return [CloseLeg(leg.media)]

    # --- what is agreed ---

    def accepted(self, leg: Leg, answer: bytes, now: float) -> list[Effect]:
        """The answer to our offer has come: by 200, ACK or early. Raises `PeerError` for an unusable one."""
        return self._go_by(leg, accept(answer, leg.offer), now)

    def reoffered(self, leg: Leg, offer: bytes, now: float) -> list[Effect]:
        """The peer offers something else, or wants our offer: it is answered at once."""
        version = leg.descriptions + 1
        if not offer:
            # What comes of it stands in the ACK.
            leg.descriptions = version
            leg.offer = offered(self._local(leg), leg.media, version)
            return [*self._calls.answer(leg.session, leg.offer, now)]
        try:
            agreed = Offer.read(offer).answered(self._local(leg), leg.media, version)
        except PeerError as error:
            return [*self._calls.refuse(leg.session, error, now)]
        leg.descriptions = version
        return [*self._go_by(leg, agreed, now), *self._calls.answer(leg.session, agreed.answer, now)]

    def elsewhere(self, leg: Leg, now: float) -> list[Effect]:
        """The leg cannot be told from another one at its port: offer its side another port."""
        if leg.agreed is None:
            return []
        if leg.ports_tried >= _MOST_TRIED:
            return [Counted("media", "no_other_port")]
        try:
            moved = leg.move_to(self._ports.change(leg.media, leg.remote, leg.hosts, now))
        except PortsBusy:
            return [Counted("media", "no_other_port")]
        leg.ports_tried += 1
        return [moved, *self.offer_again(leg, now)]

    def offer_again(self, leg: Leg, now: float) -> list[Effect]:
        """A re-INVITE that offers what was agreed upon: whoever is there answers it."""
        if leg.agreed is None:
            return []
        leg.descriptions += 1
        leg.offer = leg.agreed.again(self._local(leg), leg.media, leg.descriptions)
        return [*self._calls.reoffer(leg.session, leg.offer, now)]

    def latched(self, leg: Leg) -> None:
        """The leg's packets have come."""
        leg.ports_tried = 0
        self._ports.latched(leg.media)

    def unlatched(self, leg: Leg, now: float) -> None:
        """What was taken for the leg's packets was another's: it waits again."""
        self._ports.moved(leg.media, leg.remote, leg.hosts, now)

    # --- the rooms behind ---

    def _new(self, call: str, session: str, source: str, remote: Address | None) -> Leg:
        self._last += 1
        return Leg(call, session, self._last, source, remote)

    def _take_port(self, leg: Leg, now: float) -> None:
        try:
            leg.port = self._ports.open(leg.media, leg.remote, leg.hosts, now)
        except PortsBusy:
            raise at_limit() from None

    def _enter(self, leg: Leg) -> None:
        self._by_session[leg.session] = leg
        self._by_media[leg.media] = leg

    def _local(self, leg: Leg) -> Address:
        return self.host, self._ports.numbers[leg.port]

    def _go_by(self, leg: Leg, agreed: Agreed, now: float) -> list[Effect]:
        """Go by what was agreed, for the first time or anew."""
        if agreed.remote != leg.remote or not leg.is_open:
            leg.remote = agreed.remote
            self._ports.moved(leg.media, leg.remote, leg.hosts, now)
        return [leg.go_by(agreed)]
