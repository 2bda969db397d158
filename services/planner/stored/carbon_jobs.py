"""The carbon intensity at a stored site, as known when a plan begins, or when each plan of a replay began."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.database import environment
from luna.timeline import FloatArray, Timeline
from services.planner.carbon import CarbonBook, carry_days


def read_carbon_ahead(connection: Connection, place: str, around: Timeline, *, start: datetime) -> FloatArray | None:
    """Return the intensity (g/kWh) from ``start`` to the end of ``around`` as known at ``start``; None where nothing was."""
    known = environment.read_carbon(connection, place, around, known_at=start)
    return carry_days(known, around)[around.index_of(start) :] if np.isfinite(known).any() else None


def read_carbon_book(connection: Connection, place: str, timeline: Timeline) -> CarbonBook:
    """Return every value of the intensity with the instant it became known."""
    starts, issued_at, intensity = environment.read_carbon_issues(connection, place, timeline)
    slot = ((starts - timeline.starts[0]) // np.timedelta64(timeline.step)).astype(np.int64)
    return CarbonBook(timeline, slot, issued_at, intensity)
