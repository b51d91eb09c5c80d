"""What the plane tells of legs that is no rule's business: packets that come and stop, and their quality."""

from dataclasses import asdict
from typing import Final

from callflow.call.ledger import Ledger
from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.call.liveness import Liveness
from callflow.call.news import Happened, News
from callflow.call.table import CallTable
from callflow.call.trunk_health import TrunkHealth
from callflow.events import PathJudged
from callflow.media.messages import (
    Latched,
    LegQuality,
    MediaEvent,
    NoPackets,
    PacketsPaused,
    PacketsResumed,
    PacketsStopped,
    ReportCame,
    SourceTaken,
    Unlatched,
)
from callflow.media.quality import DROPOUT
from callflow.sip.happenings import Counted

_MOST_LEDGERS: Final = 1000


class MediaSide:
    """Keeps the legs by what the plane tells of their packets."""

    def __init__(self, lines: Lines, table: CallTable, health: TrunkHealth, liveness: Liveness) -> None:
        self._lines = lines
        self._health = health
        self._table = table
        self._liveness = liveness
        self._ended: dict[str, Ledger] = {}
        """Of the calls that ended last: how well their legs were heard is told afterwards."""

    def told(self, leg: Leg | None, event: MediaEvent, now: float) -> list[News]:
        """What it tells may be older than the leg's end."""
        match event:
            case Latched() if leg:
                self._lines.latched(leg)
                return [*self._first_packet(leg, now), *self._liveness.resumed(leg, now)]
            case Unlatched() if leg:
                self._lines.unlatched(leg, now)
                return [Counted("media", "source_lost")]
            case NoPackets():
                if leg is not None:
                    leg.is_missed = True
                    self._liveness.stopped(leg, now - DROPOUT, now)
                    return [Counted("media", "no_packets"), *self._path(leg.trunk)]
                return [Counted("media", "no_packets")]
            case PacketsResumed() if leg:
                leg.quiet_since = None
                return self._liveness.resumed(leg, now)
            case PacketsPaused() if leg:
                self._liveness.stopped(leg, now - DROPOUT, now, comfort=True)
            case ReportCame() if leg:
                return self._liveness.reported(leg, now)
            case PacketsStopped():
                if leg is not None:
                    leg.quiet_since = now - DROPOUT
                    self._liveness.stopped(leg, now - DROPOUT, now)
                return [Counted("media", "packets_stopped")]
            case SourceTaken():
                moved = self._lines.elsewhere(leg, now) if leg else []
                return [Counted("media", "source_taken"), *moved]
        return []

    def heard_well(self, media: int, quality: LegQuality, now: float) -> None:
        """How well a leg was heard is told after its end: the last word of its ledger."""
        leg = self._lines.left.pop(media, None)
        if leg is None:
            return
        ledger = self._table.ledger_of(leg.call) or self._ended.get(leg.call)
        if ledger is not None:
            ledger.write_of(leg.name, now, "leg.quality", **asdict(quality))

    def _first_packet(self, leg: Leg, now: float) -> list[News]:
        """A packet has come from the leg: then its trunk lets packets through."""
        was_suspect = self._health.is_suspect(leg.trunk)
        self._health.heard(leg, now)
        return self._path(leg.trunk) if was_suspect else []

    def _path(self, trunk: str) -> list[News]:
        """The calls of whose callers nothing has come are told whether that is the trunk's fault."""
        if not trunk:
            return []
        rooms = [room for room in self._table.now_standing() if room.caller.trunk == trunk]
        return [
            Happened(room, PathJudged(self._health.at_fault(room.caller)))
            for room in rooms
            if room.caller.is_missed
        ]

    def caller_over(self, leg: Leg, now: float) -> list[News]:
        """A caller's leg is over: a trunk may be suspect now for the calls that stand."""
        self._health.ended(leg, now)
        return self._path(leg.trunk) if self._health.is_suspect(leg.trunk) else []

    def ended(self, ledger: Ledger) -> list[Effect]:
        """The call is over."""
        self._ended[ledger.call] = ledger
        while len(self._ended) > _MOST_LEDGERS:
            del self._ended[next(iter(self._ended))]
        return []
