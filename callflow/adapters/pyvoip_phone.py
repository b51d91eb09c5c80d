"""pyVoIP's phone with its faults worked round that would stop a call or hide what happened.

Kept as they are, since a server must live with them: a 2xx answered by an ACK with a To tag of its
own and the INVITE's branch; digest without qop and with a URI that is not the Request-URI; nothing
is ever sent again; a BYE that bears the INVITE's branch.

No incoming calls, and one call a phone.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

import pyVoIP.VoIP  # pyVoIP's other modules cannot be imported before this one
from pyVoIP import SIP

from callflow.adapters.mouth import Announce, Mouth
from callflow.adapters.pyvoip_media import Ear, MediaSocket, TimedSocket, fit


class DaemonTimer(threading.Timer):
    """pyVoIP's threads must not keep the process alive."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.daemon = True


SIP.Timer = DaemonTimer  # type: ignore[attr-defined]


class Refused(Exception):
    """The INVITE got a final answer of 300 or above."""


class SignalSocket(TimedSocket):
    """pyVoIP's SIP socket; knows when the first request of each method left."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.left: dict[str, float] = {}

    def sendto(self, data: Any, address: Any) -> int:  # type: ignore[override]
        method = data.split(b" ", 1)[0].decode()
        self.left.setdefault(method, time.monotonic())
        return super().sendto(data, address)


@dataclass(slots=True)
class CallTimes:
    """When what happened to the call, in monotonic seconds."""

    invited_at: float | None = None
    answered_at: float | None = None
    bye_at: float | None = None
    hung_up_at: float | None = None


class Signals(SIP.SIPClient):
    """pyVoIP's SIP client on a timed socket of any free port."""

    s: SignalSocket
    phone: "Phone"

    def __init__(self, announce: Announce, times: CallTimes, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._announce = announce
        self._times = times
        # pyVoIP looks a call up by the answers to its INVITE before it has noted the call: `call`
        # therefore holds the lock over both, and `invite` takes it again.
        self.recvLock = threading.RLock()  # type: ignore[assignment]
        # Its Call-IDs are hashes of 1, 2, 3 …, the same in every process.
        self.callID = SIP.Counter(secrets.randbits(48))

    def start(self) -> None:
        self.NSD = True
        self.s = self.out = SignalSocket(self.myIP)
        self.myPort = self.s.getsockname()[1]
        self.register()
        # pyVoIP would first listen a second later.
        threading.Thread(target=self.recv_loop, daemon=True).start()

    def parse_message(self, message: Any) -> None:
        arrived = self.s.arrived
        if message.type == SIP.SIPMessageType.MESSAGE:
            if message.method == "BYE" and self._times.bye_at is None and not self._times.hung_up_at:
                self._times.bye_at = arrived
                super().parse_message(message)
                self._announce("bye", arrived)
                return
        elif message.headers["CSeq"]["method"] == "INVITE":
            self._note_progress(message, arrived)
        super().parse_message(message)
        if self._times.answered_at is None and self.phone.talking:
            self._times.answered_at = arrived
            self._announce("answered", arrived)
            self.phone.was_answered()

    def _note_progress(self, response: Any, arrived: float) -> None:
        status = int(response.status)
        if status in (180, 183):
            self._announce("ringing", arrived)
        if status < 300:
            return
        # pyVoIP acknowledges 404 and 503 only, and waits for ever after any other.
        self.out.sendto(self.gen_ack(response).encode(), (self.server, self.port))
        self._announce("failed", arrived, status=status, reason=response.status.phrase)
        raise Refused


class Phone(pyVoIP.VoIP.VoIPPhone):
    """A registered phone that can make one call."""

    sip: Signals

    def __init__(
        self,
        server: tuple[str, int],
        user: str,
        password: str,
        *,
        local: str,
        announce: Announce,
        mouth: Mouth,
        sends: bool = True,
    ) -> None:
        """One that does not `sends` leaves out every packet of its audio."""
        super().__init__(*server, user, password, myIP=local)
        self.times = CallTimes()
        self.hearing = Ear(announce)
        self._announce = announce
        self._socket = MediaSocket(local, mouth, sends=sends)
        self._call: Any = None
        self._taken_back = False
        self.sip = Signals(
            announce,
            self.times,
            *server,
            user,
            password,
            phone=self,
            myIP=local,
            callCallback=self.callback,
            fatalCallback=self.fatal,
        )
        fit(self._socket, mouth, self.hearing)

    def request_port(self, blocking: bool = True) -> int:
        # pyVoIP picks a number at random and binds it when the call is answered: too late to choose
        # another, and too late for what was sent before.
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def registered(self) -> bool:
        return bool(self.get_status() == pyVoIP.VoIP.PhoneStatus.REGISTERED)

    @property
    def given_up(self) -> bool:
        """Whether the server refused the registration so often that pyVoIP has stopped."""
        return bool(self.get_status() == pyVoIP.VoIP.PhoneStatus.FAILED)

    @property
    def talking(self) -> bool:
        return any(call.state == pyVoIP.VoIP.CallState.ANSWERED for call in self.calls.values())

    @property
    def keyless(self) -> bool:
        """Whether the call was answered without telephone events."""
        return self.talking and self._socket.event_kind == 0

    def dial(self, number: str) -> None:
        """Send the INVITE and wait for the first response; `failed` is announced, not raised."""
        with self.sip.recvLock:
            try:
                self._call = self.call(number)
            except Refused:
                return
            finally:
                self.times.invited_at = self.sip.s.left.get("INVITE")

    def hang_up(self) -> None:
        """End the call, or take it back while it rings. Nothing to end is no fault."""
        if self.talking:
            self._call.hangup()
            self.times.hung_up_at = self.sip.s.left["BYE"]
            self._announce("hung_up", self.times.hung_up_at)
        elif self._call and self.times.answered_at is None:
            self._taken_back = True
            self._cancel(self._call.request)

    def was_answered(self) -> None:
        """The 200 may cross the CANCEL; then a BYE has to follow (RFC 3261 §15)."""
        if self._taken_back:
            self.hang_up()

    def _cancel(self, invite: Any) -> None:
        # RFC 3261 §9.1: all as in the INVITE, its branch included. pyVoIP has no CANCEL.
        headers, via = invite.headers, invite.headers["Via"][0]
        lines = (
            f"CANCEL {invite.heading.split()[1].decode()} SIP/2.0",
            f"Via: SIP/2.0/UDP {via['address'][0]}:{via['address'][1]};branch={via['branch']}",
            "Max-Forwards: 70",
            f"To: {headers['To']['raw']}",
            f"From: {headers['From']['raw']};tag={headers['From']['tag']}",
            f"Call-ID: {headers['Call-ID']}",
            f"CSeq: {headers['CSeq']['check']} CANCEL",
            "Content-Length: 0",
        )
        self.sip.out.sendto("\r\n".join((*lines, "", "")).encode(), (self.server, self.port))
