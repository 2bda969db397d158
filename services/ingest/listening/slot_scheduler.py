"""Builds the slots of every listening site at the end of a quarter-hour."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock
from services.ingest.listening.state import StateFile
from services.ingest.recorder import Recorder

# What the last readings of a quarter-hour take to be heard and to reach the database.
SETTLING = timedelta(seconds=15)
# A counter that speaks rarely tells of the quarter-hours before.
OVERLAP = timedelta(hours=2)
LONGEST = timedelta(days=31)
# What is built at once: with the days before that every build looks at, a small machine's memory holds it, and an order to end is soon followed.
PIECE = timedelta(days=1)
FLUSH_PATIENCE = timedelta(seconds=30)

log = structlog.get_logger("luna.ingest.live")


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``first`` on, before ``end``; both start a quarter-hour."""

    first: datetime
    end: datetime

    def pieces(self) -> "Iterator[Stretch]":
        """Yield it in order, a day or less at a time."""
        first = self.first
        while first < self.end:
            yield Stretch(first, min(first + PIECE, self.end))
            first += PIECE


def due_stretch(now: datetime, built_until: datetime | None) -> Stretch | None:
    """Return what to build now, None where the last finished quarter-hour is built.

    Args:
        now: an instant.
        built_until: the end of the last built slot; None: never.
    """
    end = floor_to(now - SETTLING, SLOT)
    if built_until is not None and built_until >= end:
        return None
    first = (built_until or end) - OVERLAP
    return Stretch(max(floor_to(first, SLOT), end - LONGEST), end)


class SlotScheduler:
    """Has the slots of each site built once a quarter-hour is over; after an absence all that were not.

    Args:
        recorder: what it holds back is waited for, so that the slots know it.
        build: has a stretch of a site's slots built, and returns when they are.
        notes: until when each site's are.
        clock: tells when a quarter-hour is over.
        ending: once set, nothing more is begun.
    """

    def __init__(self, recorder: Recorder, build: Callable[[str, Stretch], None], *, notes: StateFile, clock: Clock, ending: threading.Event) -> None:
        self._recorder = recorder
        self._build = build
        self._notes = notes
        self._clock = clock
        self._ending = ending

    def turn(self, sites: Sequence[str]) -> None:
        """Build what is due; outside the event loop. What cannot be built now stays due."""
        built = dict(self._notes.read("built_until") or {})
        stretches = {site: due_stretch(self._clock.now(), datetime.fromisoformat(built[site]) if site in built else None) for site in sites}
        due = {site: stretch for site, stretch in stretches.items() if stretch is not None}
        if due:
            self._recorder.flush(FLUSH_PATIENCE)
        for site, stretch in due.items():
            for piece in stretch.pieces():
                if self._ending.is_set() or not self._build_piece(site, piece):
                    return
                built[site] = piece.end.isoformat()
                self._notes.write({"built_until": built})

    def _build_piece(self, site: str, piece: Stretch) -> bool:
        """Build a day of a site's slots; returns whether that is settled, built or not: False, it stays due."""
        try:
            self._build(site, piece)
        except (UnavailableError, MachineError) as error:
            log.warning("slots cannot be built yet", site_id=site, error=str(error))
            return False
        except LunaError as error:
            log.warning("slots are not built", site_id=site, error=str(error))
        except Exception:
            # A fault of ours in one site's slots ends neither the recording nor the slots of the others.
            log.exception("slots are not built", site_id=site)
        return True
