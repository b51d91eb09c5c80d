"""Ports, addresses and folders of a configuration that cannot all be had, and queues that nobody serves."""

import errno
import os
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Protocol

from callflow.config_seats import SeatsConfig
from callflow.config_sip import SipConfig
from callflow.document import Document
from callflow.errors import Fault
from callflow.sip.address import Address

_ANY = "0.0.0.0"


class Ports(Protocol):
    """The part of a configuration that is about audio."""

    @property
    def host(self) -> str | None: ...
    @property
    def ports(self) -> tuple[int, ...]: ...


def port_faults(media: Ports, sip: SipConfig, http: Address, source: Document) -> Iterator[Fault]:
    """A fault for each port that is wanted twice."""
    # The odd port beside each is RTCP's.
    taken = {port + odd for port in media.ports for odd in (0, 1)}
    host = media.host or sip.listen[0]
    for what, listen, place in (
        ("SIP listens", sip.listen, ("sip", "listen")),
        ("the web side listens", http, ("http", "listen")),
    ):
        if listen[1] in taken and _meet(host, listen[0]):
            told = f"{listen[1]} is among the audio's ports, and {what} there; give it a port outside of them"
            at = ("media", "ports") if ("media", "ports") in source.values else place
            yield source.fault(at, told)
    if sip.tcp and http[1] and sip.listen[1] == http[1] and _meet(sip.listen[0], http[0]):
        yield source.fault(
            ("http", "listen"), f"SIP listens at {http[1]} by TCP already; choose another port"
        )


def _meet(one: str, other: str) -> bool:
    return one == other or _ANY in (one, other)


def reach_faults(sip: SipConfig, source: Document) -> Iterator[Fault]:
    """A fault where SIP listens for others and lets in nobody but this machine."""
    listen = IPv4Address(sip.listen[0])
    if listen.is_loopback or sip.trunks:
        # Trunks are let in wherever they are.
        return
    if all(IPv4Network(each).is_loopback for each in sip.allow):
        told = (
            f"only this machine is let in, and SIP listens at {listen}: nobody could reach it; "
            "name your PBX, as allow: [192.0.2.1/32]"
        )
        place = ("sip", "allow") if ("sip", "allow") in source.values else ("sip", "listen")
        yield source.fault(place, told)


def queue_faults(seats: SeatsConfig, source: Document) -> Iterator[Fault]:
    """A fault for each queue that no seat has all the skills for."""
    skills = {seat.plan(number).skills for number, seat in seats.at.items()}
    for name, queue in seats.queues.items():
        wanted = frozenset(queue.skills)
        if any(wanted <= each for each in skills):
            continue
        if not skills:
            told = f"no seat can serve the queue {name!r}: there is none under seats.at"
        else:
            named = ", ".join(sorted(wanted))
            told = f"no seat can serve the queue {name!r}: none under seats.at has {named} among its skills"
        yield source.fault(("seats", "queues", name, "skills"), told)


def journal_faults(journal: Path, source: Document) -> Iterator[Fault]:
    """A fault where the journal cannot be written."""
    place = ("journal",)
    if _is_folder(journal):
        yield source.fault(place, f"{str(journal)!r} is a folder; the journal is a file")
    elif not _is_folder(journal.parent):
        yield source.fault(place, f"there is no folder {str(journal.parent)!r}")
    elif why := _refuses(journal) or _refuses_new(journal.parent):
        yield source.fault(place, f"{str(journal)!r} cannot be written: {why}")


def recordings_faults(folder: Path, source: Document) -> Iterator[Fault]:
    """A fault where callers' messages cannot be put."""
    place = ("recordings",)
    if not _is_folder(folder):
        yield source.fault(place, f"there is no folder {str(folder)!r}")
    elif why := _refuses_new(folder):
        yield source.fault(place, f"the folder {str(folder)!r} cannot be written to: {why}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # A name that no file can have.
        return False


def _refuses(file: Path) -> str:
    """Why nothing can be added to a file; empty where it can, and where there is none yet."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        return ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)


def _refuses_new(folder: Path) -> str:
    """Why no file can be made in a folder; empty where one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        # A full disk may have room again when calls come.
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return "" if full and os.access(folder, os.W_OK | os.X_OK) else error.strerror or str(error)
