"""How full batteries are, just before they are told something: an answer that comes late must not make the command late."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from luna.database import observations
from luna.site import Site
from luna.timeline import SLOT, Timeline, floor_to
from services.planner.execution.device import Device, DeviceError

# Within two seconds of its start a slot is followed: this leaves one for the command.
PATIENCE = timedelta(seconds=1)
# A battery that fills within an hour moves by a thirtieth of its capacity meanwhile.
FRESH = timedelta(minutes=2)
# A dry run believes what was last recorded.
RECORDED = timedelta(hours=1)

log = structlog.get_logger("luna.planner.execution")


class Gauge:
    """What one site's devices said last of how full they are. Threads do not share one."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, float]] = {}

    def read(self, device: Device, places: Mapping[str, str], *, now: datetime) -> dict[str, float]:
        """Return how full batteries are: what is said within a second, else what was said a moment ago, NaN where nobody knows."""
        self.look(device, places, now=now)
        fresh = {name: soc for name, (at, soc) in self._seen.items() if now - at <= FRESH}
        return {name: fresh.get(name, math.nan) for name in places}

    def look(self, device: Device, places: Mapping[str, str], *, now: datetime) -> None:
        """Ask, and remember what is said; what is said to be unknown is."""
        try:
            said = device.read(list(places.values()), within=PATIENCE) if places else {}
        except DeviceError as error:
            log.warning("nobody says how full the batteries are", error=str(error))
            return
        self._seen |= {name: (now, _share(said.get(place))) for name, place in places.items()}


def read_recorded(connection: Connection, site: Site, now: datetime) -> float:
    """Return the state of charge that was recorded last within an hour, NaN where none was."""
    recent = observations.read(connection, site.name, Timeline(floor_to(now, SLOT) - RECORDED, SLOT, RECORDED // SLOT)).soc
    known = [float(soc) for soc in recent if not math.isnan(soc)]
    return known[-1] if known else math.nan


def _share(percent: str | None) -> float:
    """Return a state of charge as a share, NaN for what is none."""
    try:
        share = math.nan if percent is None else float(percent) / 100
    except ValueError:
        return math.nan
    return share if 0 <= share <= 1 else math.nan
