"""Asterisk 22 beside the product: the same calls by the same phones, through an exchange that many have.

It is Debian sid's, in a folder that `asterisk_root.sh` fills (`make bench-asterisk`), and runs with a
configuration of its own: one PJSIP endpoint, A-law only, audio through Asterisk (`direct_media=no`).
"""

import os
import resource
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callflow import resources
from callflow.codec import RATE, Law
from callflow.media import g711
from callflow.sip.address import Address
from tests.bench.whole.product import children_of, cpu_of
from tests.support.phones import free_port
from tests.support.sipp import is_bound

ROOT = Path(os.environ.get("CALLFLOW_ASTERISK", ".asterisk")).resolve()
"""Where the Debian sid is."""
NAME = "Asterisk 22"
WORDS = 7.7
"""Seconds of the announcement: as long as the product's greeting."""
_WITHIN = 30.0
_PORTS = 20_000, 29_999
_HERE = "callflow-bench"
"""Below `/`, as Asterisk sees it."""

BACK = "sip:seat@${CHANNEL(pjsip,remote_addr)}"
"""Calls go to a seat at the address that they come from."""
JOINED = f"Dial(PJSIP/phones/{BACK})"
PASSED_ON = f"Dial(PJSIP/phones/{BACK},,A(/{_HERE}/words:/{_HERE}/words))"
"""With the announcement to both, as the product greets both."""
PROMPTED = f"Answer()\n same => n,Playback(/{_HERE}/words)\n same => n,Hangup()"
"""What becomes of a call, as steps of a dialplan."""

_PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}

[phones]
type=endpoint
transport=udp
context=calls
disallow=all
allow=alaw
direct_media=no
dtmf_mode=rfc4733
timers=no

[phones]
type=identify
endpoint=phones
match=127.0.0.1
"""
_DIALPLAN = """\
[calls]
exten => _X.,1,{steps}
"""
_RTP = """\
[general]
rtpstart={first}
rtpend={last}
"""
_MAIN = """\
[directories]
astetcdir => /{here}
astmoddir => {modules}
astvarlibdir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astdbdir => /{here}
astkeydir => /{here}
astspooldir => /{here}
astrundir => /{here}
astlogdir => /{here}

[options]
maxfiles = 16384
"""


def is_here() -> bool:
    return os.access(ROOT / "usr/sbin/asterisk", os.X_OK)


def version() -> str:
    """Raises `OSError`, `subprocess.CalledProcessError`."""
    told = subprocess.run(["chroot", ROOT, "/usr/sbin/asterisk", "-V"], check=True, capture_output=True)
    return told.stdout.decode().split("-")[0].split("+")[0].strip()


@dataclass(frozen=True, slots=True)
class Asterisk:
    """One at work."""

    process: "subprocess.Popen[bytes]"
    sip: Address

    def cpu(self) -> float:
        """Seconds so far, of all its processes."""
        return sum(map(cpu_of, (self.process.pid, *children_of(self.process.pid))))


@contextmanager
def running(steps: str) -> Iterator[Asterisk]:
    """One that does `steps` with each call. Raises `OSError`, and `RuntimeError` where it does not start."""
    port = free_port()
    folder = _configured(port, steps)
    process = subprocess.Popen(
        ["chroot", ROOT, "/usr/sbin/asterisk", "-f", "-C", f"/{_HERE}/asterisk.conf"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=_many_descriptors,
    )  # fmt: skip
    try:
        _until_bound(process, port)
        yield Asterisk(process, ("127.0.0.1", port))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def _configured(port: int, steps: str) -> Path:
    """The folder of its files, below its root."""
    folder = ROOT / _HERE
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    modules = next(ROOT.glob("usr/lib/*/asterisk/modules"))
    files = {
        "asterisk.conf": _MAIN.format(here=_HERE, modules=f"/{modules.relative_to(ROOT)}"),
        "modules.conf": "[modules]\nautoload=yes\n",
        "logger.conf": "[logfiles]\n",
        "pjsip.conf": _PJSIP.format(port=port),
        "rtp.conf": _RTP.format(first=_PORTS[0], last=_PORTS[1]),
        "extensions.conf": _DIALPLAN.format(steps=steps),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "words.alaw").write_bytes(_words())
    return folder


def _words() -> bytes:
    """The product's own greeting, in the law of the calls, so that nothing is transcoded."""
    with wave.open(str(resources.PROMPTS / "greeting.2.wav")) as clip:
        samples = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)
    return g711.encode(np.resize(samples, round(WORDS * RATE)), Law.PCMA).tobytes()


def _many_descriptors() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(16_384, most), most))


def _until_bound(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + _WITHIN
    while time.monotonic() < until and process.poll() is None:
        if is_bound(port):
            # The port is bound before the dialplan is loaded, and nothing that a caller sees tells of that.
            time.sleep(1.0)
            return
        time.sleep(0.05)
    raise RuntimeError("Asterisk does not start")
