"""Reason (RFC 3326): whether a BYE tells of a fault, or of somebody who has hung up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.sip.reason import tells_of_fault

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('SIP;cause=200;text="Call completed elsewhere"', False),
        ('Q.850;cause=16;text="Normal call clearing"', False),
        ("Q.850 ;cause=27", True),
        ('q.850;text="x;cause=16";cause=38', True),
        ('SIP ; text="RTP timeout, cause=200" ; cause=408', True),
        ("SIP;cause=481", True),
        ("SIP;cause=503", True),
        ("SIP;cause=487", False),
        ('Q.850;cause=102;text="Recovery on timer expiry"', True),
        ("X;cause=408", False),
        ("SIP", False),
        ("SIP;cause=", False),
        ("", False),
    ],
)
def test_a_fault_is_told_from_a_hang_up(value: str, fault: bool) -> None:
    assert tells_of_fault([value]) is fault
    assert tells_of_fault(["Q.850;cause=16", value]) is fault


def test_no_reason_tells_of_no_fault() -> None:
    assert not tells_of_fault([])


@given(st.text(max_size=80))
def test_nothing_that_a_peer_writes_raises(value: str) -> None:
    assert tells_of_fault([value]) in (True, False)
