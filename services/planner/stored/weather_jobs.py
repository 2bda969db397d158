"""The weather ahead of a stored site, as known when a plan begins."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.database import environment
from luna.site import Site
from luna.timeline import Timeline


def read_outdoor_ahead(connection: Connection, site_id: str, site: Site, timeline: Timeline, *, known_at: datetime) -> list[float] | None:
    """Return the outdoor temperature per slot as last forecast by ``known_at``, straight across gaps; None where nothing is known or nobody asks."""
    if not site.heat_pumps:
        return None
    temperature = environment.read_weather(connection, site_id, timeline, known_at=known_at)["temperature_c"]
    known = np.flatnonzero(np.isfinite(temperature))
    if not known.size:
        return None
    filled: list[float] = np.interp(np.arange(temperature.size), known, temperature[known]).tolist()
    return filled
