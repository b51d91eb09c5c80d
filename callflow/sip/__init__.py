"""SIP as values and machines: no sockets, no clock (RFC 3261, 3264, 6026)."""
