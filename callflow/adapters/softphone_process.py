"""The softphone's own process: pyVoIP behind JSON lines on stdin and stdout.

Commands come as `{"do": …}`, facts go as `{"fact": …, "at": …}`. The first command must be `open`;
it carries the password, which therefore stands on no command line. The end of stdin ends the
process, whatever pyVoIP's threads are about, so that a softphone never outlives who uses it.
"""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
import time
import warnings
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import Any

from callflow.adapters import ear
from callflow.adapters.mouth import Echo, Mouth
from callflow.adapters.pyvoip_phone import Phone

REGISTER_S = 10.0
ANSWERED_S = 0.05
LEAVE_S = 1.2
"""How long the phone may take to de-register; pyVoIP itself would wait half a minute."""


class Softphone:
    """Obeys commands and writes facts; the facts come from several threads."""

    def __init__(self, out: FileIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._phone: Phone | None = None
        self._mouth: Mouth | None = None
        self._record: Path | None = None

    def write(self, **message: Any) -> None:
        # With nobody left to listen the call is still to be ended with a BYE.
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps(message).encode() + b"\n")

    def announce(self, what: str, at: float, **details: Any) -> None:
        self.write(fact=what, at=at, **details)

    def obey(self, command: dict[str, Any]) -> None:
        match command:
            case {"do": "open"}:
                self._open(command)
            case {"do": "call", "number": str(number)}:
                assert self._phone
                # In a thread, as pyVoIP waits for the first response for ever.
                threading.Thread(target=self._phone.dial, args=(number,), daemon=True).start()
            case {"do": "press", "digits": str(digits)}:
                assert self._phone
                assert self._mouth
                if self._phone.keyless:
                    self.announce("keyless", time.monotonic())
                else:
                    self._mouth.press(digits)
            case {"do": "speak", "audio": str(audio)}:
                assert self._mouth
                self._mouth.speak(base64.b64decode(audio))
            case {"do": "hang_up"}:
                assert self._phone
                self._phone.hang_up()
            case {"do": "report"}:
                self.write(report=self._report())

    def _open(self, command: dict[str, Any]) -> None:
        echo_db, record = command["echo_db"], command["record"]
        self._record = Path(record) if record else None
        self._mouth = Mouth(self.announce, Echo(echo_db) if echo_db is not None else None)
        server = (socket.gethostbyname(command["host"]), command["port"])
        self._phone = Phone(
            server,
            command["user"],
            command["password"],
            local=_address_towards(server),
            announce=self.announce,
            mouth=self._mouth,
            sends=command["sends"],
        )
        threading.Thread(target=self._register, args=(self._phone,), daemon=True).start()

    def _register(self, phone: Phone) -> None:
        patience = time.monotonic() + REGISTER_S
        # pyVoIP's start returns after the first attempt, and goes on trying in threads of its own.
        threading.Thread(target=phone.start, daemon=True).start()
        while not (phone.registered or phone.given_up) and time.monotonic() < patience:
            time.sleep(0.005)
        self.announce("registered" if phone.registered else "unregistered", time.monotonic())

    def _report(self) -> dict[str, Any]:
        assert self._phone
        hearing = self._phone.hearing
        if self._record:
            ear.write_wav(self._record, hearing.packets)
        return {
            **asdict(self._phone.times),
            "sounds": hearing.sounds,
            "reception": asdict(ear.reception(hearing.packets)),
            "recording": str(self._record) if self._record else None,
            "recorded_from": ear.heard_from(hearing.packets),
        }

    def leave(self) -> None:
        """Hang up, keep the recording and de-register, within `LEAVE_S`."""
        if not self._phone:
            return
        if self._phone.talking:
            self._phone.hang_up()
            # pyVoIP takes whatever comes next for the answer to its REGISTER: not the BYE's, then.
            time.sleep(ANSWERED_S)
        if self._record:
            ear.write_wav(self._record, self._phone.hearing.packets)
        stopping = threading.Thread(target=self._phone.stop, daemon=True)
        stopping.start()
        stopping.join(LEAVE_S)


def _address_towards(server: tuple[str, int]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(server)
        address: str = probe.getsockname()[0]
    return address


def _stdout_for_facts_only() -> FileIO:
    """pyVoIP prints; from now on that goes nowhere."""
    out = FileIO(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    # Its warnings name phone numbers, and it undoes filters.
    warnings.showwarning = lambda *_, **__: None
    return out


def main() -> None:
    softphone = Softphone(_stdout_for_facts_only())
    for line in sys.stdin:
        softphone.obey(json.loads(line))
    softphone.leave()


if __name__ == "__main__":
    main()
