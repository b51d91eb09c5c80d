"""The kinds of refusal that a person should know of, and what would help against each."""

from typing import Final

_OF_REQUESTS: Final = {
    "malformed": "the message is not as SIP wants it: tell the maker of the phone or PBX",
    "forbidden": "log a seat in at the phone (*50), allow the number in seats.calls_out.allow; only the seat "
                 "that serves a caller may transfer, and a phone registers its own account alone",
    "method": "callflow has no such method: switch off at the peer what needs it",
    "too_large": "a message may have 32768 bytes, its body 16384: let the peer offer fewer codecs and fields",
    "body_type": "a body should be application/sdp, alone or in a multipart, and not compressed",
    "uri_scheme": "let the peer call sip:, sips: or tel: URIs: no others are taken",
    "extension": "let the peer make the extension optional (Supported), or switch it off there",
    "package": "let the peer send keys as telephone-event, or as INFO with application/dtmf-relay",
    "too_many_hops": "the call goes round between callflow and PBX or trunk: see where each sends the number",
    "media": "let the peer offer PCMA or PCMU by RTP/AVP over IPv4",
    "event": "callflow has no such subscription: switch presence, BLF or MWI off at the phone",
    "fault": "a fault of callflow: the line `fault` of the log says which",
    "trunk_failed": "no trunk has taken the call: see trunk.changed; seats.calls_out.trunks says which may",
    "unavailable": "callflow drains, or its media process is away: see /readyz",
    "unanswered": "the caller's side wants reliable ringing (100rel) and acknowledges none: switch that off",
    "version": "the peer should speak SIP/2.0",
    "call_limit": "raise limits.calls and media.ports where the machine allows it, or add a controller",
    "call_rate": "one source begins too many calls: see what it does; raise limits.per_source, or name a PBX "
                 "singly in sip.allow",
    "password_wait": "wrong passwords for this account or from this source: see auth.failed; Retry-After "
                     "says when it may try again",
}  # fmt: skip
"""By the words of `callflow.sip.refused.KINDS`."""
_OF_SOURCES: Final = {
    "not_allowed": "add the address to sip.allow if it is your PBX or phone; else let the firewall drop it",
    "connections": "there are as many TCP connections as there may be: see who holds them",
    "connections_of_source": "one source holds too many TCP connections: see what it does, or raise "
                             "limits.per_source.connections",
    "descriptors": "file descriptors run short: raise LimitNOFILE of the service",
}  # fmt: skip
_OF_PAGES: Final = {
    "page_malformed": "the request is no HTTP, or its form is not as the page sends it",
    "page_forbidden": "the names that the page is asked by must be in http.names; the trace is for "
                      "supervisors",
    "page_missing": "there is /seat, /trace, /metrics, /livez and /readyz",
    "page_method": "a look is GET, an order POST",
    "page_login": "wrong passwords for this seat or from this source: see auth.failed; Retry-After says when "
                  "it may try again",
}  # fmt: skip

HELP: Final = {**_OF_REQUESTS, **_OF_SOURCES, **_OF_PAGES}
"""By the words that are the label `kind` of `callflow_refusals_total`."""
