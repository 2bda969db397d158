"""What a control step reads: the state of charge of batteries, and the prices of the slot."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.database import observations, prices
from luna.economics import price_slots
from luna.site import Site
from luna.timeline import SLOT, Timeline, floor_to
from services.executor.device import Device, DeviceError
from services.executor.unit import SlotPrices

# Within two seconds of its start a slot is followed: this leaves one for the command.
PATIENCE = timedelta(seconds=1)
# A battery that fills within an hour moves by a thirtieth of its capacity meanwhile.
FRESH = timedelta(minutes=2)
# A dry run believes what was last recorded.
RECORDED = timedelta(hours=1)

log = structlog.get_logger("luna.planner.execution")


class SocReader:
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


def read_slot_prices(connection: Connection, site: Site, now: datetime) -> SlotPrices | None:
    """Return both, None where the price of a market, or of the site's own series, is not known."""
    slot = Timeline(floor_to(now, SLOT), SLOT, 1)
    spot = prices.read_tariff(connection, site, slot)
    imported, exported = price_slots(site.tariff, slot, zone=ZoneInfo(site.timezone), spot=spot)
    known = np.isfinite(imported[0]) and np.isfinite(exported[0])
    return SlotPrices(float(imported[0]), float(exported[0])) if known else None
