"""Scheduling of the build of every live site's slots.

They are built after each quarter-hour, and after a downtime for all missed ones.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock
from services.ingest.listening.recording_state import StateFile
from services.ingest.recorder import Recorder

# Time for the last readings of a quarter-hour to reach the database.
SETTLING = timedelta(seconds=15)
# A reading of a slow counter also determines earlier slots.
OVERLAP = timedelta(hours=2)
LONGEST = timedelta(days=31)
# Longest window of one build: with the days before that every build reads it fits into a small
# machine's memory, and shutdown is not delayed for long.
PIECE = timedelta(days=1)
FLUSH_PATIENCE = timedelta(seconds=30)

log = structlog.get_logger("luna.ingest.live")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A window of whole slots, from ``first`` on, before ``end``."""

    first: datetime
    end: datetime

    def pieces(self) -> "Iterator[Stretch]":
        """Yield the window in pieces of at most a day."""
        first = self.first
        while first < self.end:
            yield Stretch(first, min(first + PIECE, self.end))
            first += PIECE


def due_stretch(now: datetime, built_until: datetime | None) -> Stretch | None:
    """Return the window to build now, or None if the last finished slot is built.

    Args:
        built_until: the end of the last built slot; None: never.
    """
    end = floor_to(now - SETTLING, SLOT)
    if built_until is not None and built_until > end + SLOT:
        # The clock ran ahead and was put back: what was built meanwhile is unknown.
        built_until = end - LONGEST
    if built_until is not None and built_until >= end:
        return None
    first = (built_until or end) - OVERLAP
    return Stretch(max(floor_to(first, SLOT), end - LONGEST), end)


class SlotScheduler:
    """Builds each site's due slots.

    Args:
        recorder: flushed before a build, so that the slots include buffered readings.
        build: builds a window of a site's slots.
        notes: stores the end of each site's built slots.
        clock: source of the current time.
        ending: once set, no further build is started.
    """

    def __init__(
        self,
        recorder: Recorder,
        build: Callable[[str, Stretch], None],
        *,
        notes: StateFile,
        clock: Clock,
        ending: threading.Event,
    ) -> None:
        self._recorder = recorder
        self._build = build
        self._notes = notes
        self._clock = clock
        self._ending = ending

    def turn(self, sites: Sequence[str]) -> None:
        """Build due slots.

        Call it outside the event loop. After a temporary failure they stay due.
        """
        built = dict(self._notes.read("built_until") or {})
        due: dict[str, Stretch] = {}
        for site in sites:
            built_until = datetime.fromisoformat(built[site]) if site in built else None
            stretch = due_stretch(self._clock.now(), built_until)
            if stretch is not None:
                due[site] = stretch
        if due:
            self._recorder.flush(FLUSH_PATIENCE)
        for site, stretch in due.items():
            for piece in stretch.pieces():
                if self._ending.is_set():
                    return
                # A lock or statement that times out may be this site's alone: the others are built
                # all the same.
                if not self._build_piece(site, piece):
                    break
                built[site] = piece.end.isoformat()
                self._notes.write({"built_until": built})

    def _build_piece(self, site: str, piece: Stretch) -> bool:
        """Build a day of a site's slots.

        Return False if it stays due, True if it is built or failed for good.
        """
        try:
            self._build(site, piece)
        except (UnavailableError, MachineError) as error:
            log.warning("slots cannot be built yet", site_id=site, error=str(error))
            return False
        except LunaError as error:
            log.warning("slots are not built", site_id=site, error=str(error))
        except Exception:
            # A bug in one site's build must stop neither recording nor the other sites.
            log.exception("slots are not built", site_id=site)
        return True
