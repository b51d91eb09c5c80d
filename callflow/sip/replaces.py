"""Which dialog another shall take the place of, in the words of who is to give it up (RFC 3891)."""

import re
from typing import Final, NamedTuple

from callflow.errors import PeerError
from callflow.sip.grammar import parse_params

_WORD: Final = re.compile(r"[!#-+\--:=?-~]+")
"""A Call-ID or a tag: no blank, no quote, no bracket, and nothing that could end the field."""


class Replaces(NamedTuple):
    """The value of a Replaces header field (§6.1)."""

    call_id: str
    to_tag: str
    """The tag of who reads this."""
    from_tag: str
    """The tag of the other side in the dialog to be replaced."""
    early_only: bool = False
    """Only while nobody has answered."""

    @classmethod
    def parse(cls, text: str) -> "Replaces":
        """Raises `PeerError(400)`, as for a tag that is missing or stands twice."""
        call_id, _, rest = text.partition(";")
        names = [part.partition("=")[0].strip().lower() for part in rest.split(";")]
        params = parse_params(rest)
        words = call_id.strip(), params.get("to-tag") or "", params.get("from-tag") or ""
        is_clear = names.count("to-tag") == names.count("from-tag") == 1
        if not is_clear or not all(_WORD.fullmatch(word) for word in words):
            raise PeerError(400, "Bad Replaces")
        return cls(*words, "early-only" in params)

    def __str__(self) -> str:
        flag = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{flag}"
