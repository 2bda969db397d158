"""Read the inputs of a control step: states of charge and the slot's prices."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.drivers.control.device import Device, DeviceError
from luna.drivers.control.units.unit import SlotPrices
from luna.energy.charge_sensors import find_pace
from luna.energy.economics.prices import price_slots
from luna.energy.observations import SocReading
from luna.energy.site import Site
from luna.energy.soc_plausibility import JudgedLevel, judge_levels, pace_of_batteries
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import observations, prices, sites

# A slot is followed within two seconds of its start; this leaves one second for the command.
PATIENCE = timedelta(seconds=1)
# Even a battery that charges fully within an hour moves by only a thirtieth of its capacity
# meanwhile.
FRESH = timedelta(minutes=2)
# A dry run takes the last recorded reading, checked for plausibility against the earlier ones.
RECORDED = timedelta(hours=1)
JUDGED = timedelta(hours=3)

log = structlog.get_logger("luna.executor")


class SocReader:
    """Last state-of-charge readings of one site's devices, raw and judged. Not thread-safe."""

    def __init__(self) -> None:
        self._readings: dict[str, SocReading] = {}
        self._judged: dict[str, JudgedLevel] = {}

    def read(
        self, device: Device, places: Mapping[str, str], *, now: datetime, site: Site
    ) -> dict[str, float]:
        """Return the batteries' states of charge, NaN without a fresh reading.

        A reading takes at most a second; without an answer the last fresh one counts. A change
        beyond the batteries' power is ignored until a later reading confirms it.
        """
        self.look(device, places, now=now, site=site)
        return {name: self._fresh_soc(name, now) for name in places}

    def _fresh_soc(self, name: str, now: datetime) -> float:
        reading = self._readings.get(name)
        if reading is None or math.isnan(reading.soc):
            return math.nan
        # A reading from before the clock was put back is not fresh either.
        is_fresh = abs(now - reading.at) <= FRESH
        return self._judged[name].soc if is_fresh else math.nan

    def look(self, device: Device, places: Mapping[str, str], *, now: datetime, site: Site) -> None:
        """Read and store the states of charge, NaN for a reading that is none."""
        for name, place in places.items():
            # Each by itself, so that a battery that is away hides no other.
            try:
                soc = float(device.read([place], within=PATIENCE).get(place, "nan")) / 100
            except DeviceError as error:
                log.warning("nobody says how full the batteries are", error=str(error))
                continue
            except ValueError:
                soc = math.nan
            reading = SocReading(soc if 0 <= soc <= 1 else math.nan, now)
            self._readings[name] = reading
            if math.isnan(reading.soc):
                continue
            judged = self._judged.get(name)
            pace = find_pace(site, name)
            if judged is None or pace is None:
                self._judged[name] = JudgedLevel(*reading)
            else:
                self._judged[name] = judged.follow(reading, pace)


def read_recorded(connection: Connection, site: Site, now: datetime) -> float:
    """Return the last judged state of charge recorded within an hour, NaN without one."""
    key = sites.key_of(connection, site.name)
    slot = floor_to(now, SLOT)
    readings_by_site = observations.find_socs_each(
        connection, [key], since=slot - JUDGED, until=slot
    )
    readings = readings_by_site.get(key, [])
    if not readings or now - readings[-1].at > RECORDED:
        return math.nan
    judged = judge_levels(readings, pace_of_batteries(site.batteries))
    return math.nan if judged is None else judged.soc


def read_slot_prices(connection: Connection, site: Site, now: datetime) -> SlotPrices | None:
    """Return import and export price of the slot, None if a series has none."""
    slot = Timeline(floor_to(now, SLOT), SLOT, 1)
    spot = prices.read_tariff(connection, site, slot)
    imported, exported = price_slots(site.tariff, slot, zone=ZoneInfo(site.timezone), spot=spot)
    is_priced = np.isfinite(imported[0]) and np.isfinite(exported[0])
    return SlotPrices(float(imported[0]), float(exported[0])) if is_priced else None
