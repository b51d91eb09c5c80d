"""Which Host and which Origin are ours, whatever a page of another site writes there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.http_names import Names

pytestmark = pytest.mark.pure

LOCAL = "192.0.2.10"
NAMES = Names(["desk.example.net"])
PIECES = [
    "http://", "https://", "desk.example.net", "evil.example.com", "127.0.0.1", "localhost", LOCAL,
    ":", "@", "/", "#", "?", "9464", "80", ".", "[::1]", "\\", " ", "\t", "\r\n", "null", "%00", "\x00", "é",
]  # fmt: skip
WRITTEN = st.lists(st.sampled_from(PIECES), max_size=7).map("".join) | st.text(max_size=30)


@given(WRITTEN)
def test_no_host_of_another_is_taken_for_ours(host: str) -> None:
    if NAMES.knows(host, LOCAL):
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.lower().removesuffix(".")
        ours = {"desk.example.net", "localhost", LOCAL, "[::1]"}
        assert name in ours or name.startswith("127.")


@given(WRITTEN, st.sampled_from(["127.0.0.1:9464", "desk.example.net", f"{LOCAL}:80"]))
def test_no_page_of_another_site_may_ask(origin: str, host: str) -> None:
    if NAMES.may_ask(origin, None, host):
        scheme, _, place = origin.lower().partition("://")
        assert scheme in ("http", "https")
        assert place.partition(":")[0].removesuffix(".") in (host.partition(":")[0], "desk.example.net")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "127.9.9.9", "LOCALHOST:80", "[::1]:80", f"{LOCAL}:9464", "desk.example.net."]
)
def test_our_own_names_are_known(host: str) -> None:
    assert NAMES.knows(host, LOCAL)
