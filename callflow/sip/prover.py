"""Proves to a peer who we are, within one call (RFC 3261 §22)."""

from collections.abc import Callable

from callflow.sip.credentials import Credentials
from callflow.sip.message import Response
from callflow.sip.session import Fields


class CallProver:
    """The digest credentials of one call of ours: each call counts its own nonces."""

    def __init__(self, user: str, password: str, new_cnonce: Callable[[], str]) -> None:
        self._credentials = Credentials(user, password, new_cnonce)

    def prove(self, response: Response, method: str, uri: str) -> Fields:
        """What a request that `response` has challenged must bear; nothing where it is hopeless."""
        if not self._credentials.challenged(response):
            return ()
        return tuple(self._credentials.fields(method, uri))

    def accepted(self) -> None:
        """The last proof was good: a challenge that comes now is a new one."""
        self._credentials.accepted()
