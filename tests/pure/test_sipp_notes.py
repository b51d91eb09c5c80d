"""What of sipp's notes counts as a fault of the product's."""

import pytest

from tests.support.sipp import faults

pytestmark = pytest.mark.pure

HEADING = "The following events occurred:\n"
BUSY = (
    "2026-11-28\t07:46:58.000000\t1795852018.000000: Overload warning: the major watchdog timer 500ms has "
    "been tripped (1), 9 trips remaining.\n"
)


def dead(outcome: str = "successful", status: str = "200 OK", method: str = "BYE") -> str:
    """A message that came for a call which sipp holds to be over."""
    return (
        f"2026-11-28\t07:47:00.091233\t1795852020.091233: Dead call 3-29323@127.0.0.1 ({outcome}), received "
        f"'SIP/2.0 {status}\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-29323-3-6;rport=40746;received=127.0.0.1\r\n"
        "From: <sip:sipp@127.0.0.1:5060>;tag=3\r\n"
        "To: <sip:10086@127.0.0.1:36208>;tag=4f4cb6a736be8e85\r\n"
        "Call-ID: 3-29323@127.0.0.1\r\n"
        f"CSeq: 2 {method}\r\n"
        "Content-Length: 0\r\n"
        "\r\n"
        "'"
    )


@pytest.mark.parametrize(
    "noted", ["", HEADING, HEADING + BUSY, HEADING + dead() + dead(), HEADING + dead() + BUSY]
)
def test_that_sipp_was_busy_is_no_fault(noted: str) -> None:
    assert faults(noted) == ""


@pytest.mark.parametrize(
    "fault",
    [
        dead("unsuccessful"),
        dead(status="481 Gone"),
        dead(method="INVITE"),
        "Aborting call on unexpected message",
    ],
)
def test_all_else_is_one(fault: str) -> None:
    left = faults(HEADING + dead() + fault + BUSY + dead())
    assert fault in left
    assert "(successful), received 'SIP/2.0 200 OK" not in left.replace(fault, "")
