"""What SIP costs: parsing, each answer to an INVITE, and a whole call."""

import gc
import time
from collections.abc import Iterator
from itertools import count

from callflow.sip.address import AllowList
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Invited
from callflow.sip.message import parse
from callflow.sip.registrar import Registrar
from callflow.sip.sdp import agree
from callflow.sip.transaction import Send
from tests.bench.stopwatch import ROUNDS, Figure, cpu

CALLS = 300
STEPS = (
    "an INVITE received, with its 100 (parsed as well)",
    "180 Ringing",
    "SDP: an offer read, the answer written",
    "200 OK with the answer",
)
SOURCE = ("127.0.0.1", 5070)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)
REQUEST = (
    "{method} sip:10086@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{branch};rport\r\n"
    'From: "Caller" <sip:13800000000@127.0.0.1:5070>;tag=f{call}\r\n'
    "To: <sip:10086@127.0.0.1:5060>{to_tag}\r\nCall-ID: {call}@127.0.0.1\r\nCSeq: {cseq} {method}\r\n"
    "Contact: <sip:13800000000@127.0.0.1:5070>\r\nMax-Forwards: 70\r\nUser-Agent: bench\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: replaces, timer\r\n"
    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
)


def request(method: str, call: int, *, cseq: int = 1, to_tag: str = "", body: str = "") -> bytes:
    fields = {"method": method, "call": call, "branch": f"{call}{method}", "cseq": cseq, "to_tag": to_tag}
    return REQUEST.format(**fields, length=len(body), body=body).encode()


def figures() -> Iterator[Figure]:
    # As the service does once it has started: the collector need not look at its modules again.
    gc.freeze()
    invite = request("INVITE", 1, body=SDP)
    yield cpu("parse an INVITE", lambda: len([parse(invite) for _ in range(2000)]))
    rounds = [[*steps(CALLS)] for _ in range(1 + ROUNDS)][1:]
    for index, what in enumerate(STEPS):
        yield Figure(what, tuple(each[index] for each in rounds), "µs")
    yield Figure("an INVITE answered: the four together", tuple(sum(each) for each in rounds), "µs")
    yield cpu("a whole call's signalling (INVITE, ACK, BYE)", lambda: whole_calls(CALLS))


def new_endpoint() -> Endpoint:
    ids = count()
    registrar = Registrar({}, "bench", b"bench")
    allowed = AllowList(["127.0.0.0/8"])
    return Endpoint(("127.0.0.1", 5060), registrar, allowed, lambda: f"{next(ids):016x}")


def steps(number: int) -> Iterator[float]:
    """What each of `STEPS` costs a call, in µs of CPU time, where `number` calls take it one by one."""
    endpoint, asked = new_endpoint(), [request("INVITE", call, body=SDP) for call in range(number)]
    begun = time.process_time()
    outputs = [endpoint.receive(data, SOURCE, 0.0) for data in asked]
    yield micros(begun, number)
    invited = [told for each in outputs for told in each if isinstance(told, Invited)]
    begun = time.process_time()
    for call in invited:
        endpoint.calls.ring(call.session, 0.0)
    yield micros(begun, number)
    begun = time.process_time()
    agreed = [agree(call.offer, ("127.0.0.1", 20000), index) for index, call in enumerate(invited)]
    yield micros(begun, number)
    begun = time.process_time()
    for call, answer in zip(invited, agreed, strict=True):
        endpoint.calls.answer(call.session, answer.answer, 0.0)
    yield micros(begun, number)


def micros(begun: float, number: int) -> float:
    return (time.process_time() - begun) / number * 1e6


def whole_calls(number: int) -> int:
    endpoint = new_endpoint()
    for call in range(number):
        outputs = endpoint.receive(request("INVITE", call, body=SDP), SOURCE, float(call))
        (invited,) = [output for output in outputs if isinstance(output, Invited)]
        agreed = agree(invited.offer, ("127.0.0.1", 20000), call)
        endpoint.calls.ring(invited.session, float(call))
        sent = endpoint.calls.answer(invited.session, agreed.answer, float(call))
        (ok,) = [parse(output.data) for output in sent if isinstance(output, Send)]
        to_tag = f";tag={ok.to.tag}"
        endpoint.receive(request("ACK", call, to_tag=to_tag), SOURCE, float(call))
        endpoint.receive(request("BYE", call, cseq=2, to_tag=to_tag), SOURCE, float(call))
        endpoint.tick(float(call))
    return number
