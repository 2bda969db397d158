"""What a control step reads: the state of charge of batteries, and the prices of the slot."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.energy.charge_sensors import find_pace
from luna.energy.economics import price_slots
from luna.energy.levels import JudgedLevel, judge_levels, pace_of_batteries
from luna.energy.observations import SeenSoc
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import observations, prices, sites
from services.executor.device import Device, DeviceError
from services.executor.devices.unit import SlotPrices

# Within two seconds of its start a slot is followed: this leaves one for the command.
PATIENCE = timedelta(seconds=1)
# A battery that fills within an hour moves by a thirtieth of its capacity meanwhile.
FRESH = timedelta(minutes=2)
# A dry run believes what was last recorded, and judges it by what was before.
RECORDED, JUDGED = timedelta(hours=1), timedelta(hours=3)

log = structlog.get_logger("luna.planner.execution")


class SocReader:
    """What one site's devices said last of how full they are, and what of it is believed. Threads do not share one."""

    def __init__(self) -> None:
        self._seen: dict[str, SeenSoc] = {}
        self._judged: dict[str, JudgedLevel] = {}

    def read(self, device: Device, places: Mapping[str, str], *, now: datetime, site: Site) -> dict[str, float]:
        """Return how full batteries are: what is said within a second, else what was said a moment ago, NaN where nobody knows.

        Where that is more than their power can have done, it is what they said before, until it is confirmed.
        """
        self.look(device, places, now=now, site=site)
        return {name: self._judged[name].soc if self._is_known(name, now) else math.nan for name in places}

    def look(self, device: Device, places: Mapping[str, str], *, now: datetime, site: Site) -> None:
        """Ask, and remember what is said; what is said to be unknown is."""
        try:
            said = device.read(list(places.values()), within=PATIENCE) if places else {}
        except DeviceError as error:
            log.warning("nobody says how full the batteries are", error=str(error))
            return
        for name, place in places.items():
            self._seen[name] = reading = SeenSoc(_share(said.get(place)), now)
            if not math.isnan(reading.soc):
                known, pace = self._judged.get(name), find_pace(site, name)
                self._judged[name] = JudgedLevel(*reading) if known is None or pace is None else known.follow(reading, pace)

    def _is_known(self, name: str, now: datetime) -> bool:
        seen = self._seen.get(name)
        return seen is not None and not math.isnan(seen.soc) and now - seen.at <= FRESH


def read_recorded(connection: Connection, site: Site, now: datetime) -> float:
    """Return the state of charge that was recorded last within an hour and is believed, NaN where none was."""
    key = sites.key_of(connection, site.name)
    said = observations.find_socs_each(connection, [key], since=floor_to(now, SLOT) - JUDGED, until=floor_to(now, SLOT)).get(key, [])
    judged = judge_levels(said, pace_of_batteries(site.batteries)) if said and now - said[-1].at <= RECORDED else None
    return math.nan if judged is None else judged.soc


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
