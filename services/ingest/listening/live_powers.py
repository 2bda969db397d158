"""Present powers from incoming readings.

A power is taken as it is read, a fine counter's by its rise within the last seconds.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from luna.contracts.live_flow import LIVE_FOR, LiveFlow
from luna.drivers.plausibility import MOST_W, WATTS
from luna.energy.site import SENSOR_ROLES, SUBMETERED, Site, SiteSensor
from luna.energy.sun import is_night
from luna.energy.units import level_factor, read_measure
from services.ingest.plausible_powers import ANY_POWER_KW, limit_powers
from services.ingest.source_readings import Reading

# Allowed error of a counter's power: a display of watt-hours then needs 36 seconds, one of ten
# watt-hours six minutes, which is no live value.
COUNTER_ERROR_KW = 0.1
SHORTEST_RISE = timedelta(seconds=4)
# A state of charge moves slowly, so it stays valid for this long.
LEVEL_HOLDS = timedelta(minutes=5)
# A tenth of a watt-hour; finer digits are floating-point noise.
_FINEST_DIGITS = 4


class LivePower(NamedTuple):
    """A present power, and the instant of its reading."""

    kw: float
    at: datetime


@dataclass(slots=True)
class _Sensor:
    """The latest readings of a sensor, oldest first.

    ``is_quick``: it has reported twice within a minute, so its silence means that nothing changes;
    the silence of one that is read every five minutes means nothing.
    """

    source: str = ""
    changes_only: bool = False
    is_quick: bool = False
    readings: deque[Reading] = field(default_factory=deque)
    digits: int = 0


class LivePowers:
    """The latest readings of all sensors, added up to a site's flows.

    Not thread-safe.
    """

    def __init__(self) -> None:
        self._sensors: dict[str, _Sensor] = {}
        self._last_spoke: dict[str, datetime] = {}
        # How many readings have come.
        self.count = 0

    def note(self, source: str, readings: Sequence[Reading], *, changes_only: bool) -> None:
        """Add the readings of a source.

        ``changes_only``: a value of a quick sensor stays valid as long as the source reports
        anything.
        """
        self.count += len(readings)
        for reading in readings:
            sensor = self._sensors.setdefault(reading.sensor, _Sensor())
            sensor.source = source
            sensor.changes_only = changes_only
            kept = sensor.readings
            if kept and reading.instant <= kept[-1].instant:
                continue
            if kept and reading.instant - kept[-1].instant <= LIVE_FOR:
                sensor.is_quick = True
            kept.append(reading)
            # One older reading than the longest rise is enough.
            while len(kept) > 2 and kept[1].instant <= reading.instant - LIVE_FOR:
                kept.popleft()
            measure = read_measure(reading.unit)
            if measure is not None and measure.kind == "counter" and not math.isnan(reading.value):
                sensor.digits = max(sensor.digits, _count_digits(reading.value * measure.factor))
        latest = max((reading.instant for reading in readings), default=None)
        if latest is not None:
            self._last_spoke[source] = max(latest, self._last_spoke.get(source, latest))

    def read_flow(self, site: Site, *, now: datetime) -> LiveFlow | None:
        """Return a site's flows, or None if grid, roof or batteries have no live value."""
        powers = self._read_powers(site, now)
        nothing = LivePower(0.0, now)
        solar = powers.get("pv_kwh") if site.pv else nothing
        # An inverter reports nothing at night.
        if solar is None and site.location is not None and is_night(now, site.location):
            solar = nothing
        charge = powers.get("charge_kwh") if site.batteries else nothing
        discharge = powers.get("discharge_kwh") if site.batteries else nothing
        if solar is None or charge is None or discharge is None:
            return None
        grid = _read_grid(site, powers, surplus_kw=solar.kw + discharge.kw - charge.kw, now=now)
        if grid is None:
            return None
        submetered = {series: powers[series] for series in SUBMETERED if series in powers}
        submetered_kw = sum(power.kw for power in submetered.values())
        used_kw = grid.kw + solar.kw + discharge.kw - charge.kw - submetered_kw
        at = min(power.at for power in (solar, charge, discharge, grid, *submetered.values()))
        socs = self._read_socs(site, now)
        return LiveFlow(
            at=at,
            import_kw=max(grid.kw, 0.0),
            export_kw=max(-grid.kw, 0.0),
            pv_kw=solar.kw,
            charge_kw=charge.kw,
            discharge_kw=discharge.kw,
            load_kw=max(used_kw, 0.0),
            submetered_kw={series: power.kw for series, power in submetered.items()},
            batteries_kw=self._read_batteries(site, now),
            battery_socs=socs if len(socs) > 1 else {},
            soc=_mean_soc(site, socs) if socs else None,
            phases_kw=self._read_phases(site, now),
        )

    def _read_powers(self, site: Site, now: datetime) -> dict[str, LivePower]:
        """Return the power of each series of energy whose sensors are all live."""
        powers: dict[str, LivePower] = {}
        for name, sensors in site.sensor_roles.items():
            role = SENSOR_ROLES[name]
            if role.kind != "energy" or not role.series:
                continue
            power = self._add_up([sensor for sensor in sensors if sensor.holds_at(now)], site, now)
            if power is not None:
                powers[role.series] = power
        return powers

    def _add_up(self, sensors: Sequence[SiteSensor], site: Site, now: datetime) -> LivePower | None:
        """Return the power of a role's sensors.

        A minus subtracts; if every sensor has one, it is their flow in the other direction.
        """
        most_kw = _find_most_kw(site)
        powers = []
        for sensor in sensors:
            power = self._read_power(sensor.name, site, now)
            if power is None or abs(power.kw) > most_kw:
                return None
            powers.append(power)
        if not powers:
            return None
        at = min(power.at for power in powers)
        if all(sensor.sign < 0 for sensor in sensors):
            return LivePower(sum(max(-power.kw, 0.0) for power in powers), at)
        signed = sum(
            sensor.sign * max(power.kw, 0.0) for sensor, power in zip(sensors, powers, strict=True)
        )
        return LivePower(max(signed, 0.0), at)

    def _read_power(self, name: str, site: Site, now: datetime) -> LivePower | None:
        sensor = self._sensors.get(name)
        if sensor is None or not sensor.readings:
            return None
        last = sensor.readings[-1]
        measure = read_measure(last.unit)
        if measure is None or math.isnan(last.value):
            return None
        # A power that was read along with a counter is better than its rise.
        if last.power_kw is not None:
            power = LivePower(last.power_kw, last.instant)
        elif measure.kind == "power":
            power = LivePower(last.value * measure.factor, self._valid_at(sensor))
        else:
            rise = self._read_rise(sensor, measure.factor, digits=self._find_digits(site), now=now)
            if rise is None:
                return None
            power = rise
        if now - power.at > LIVE_FOR or math.isnan(power.kw):
            return None
        return power

    def _read_rise(
        self, sensor: _Sensor, factor: float, *, digits: int, now: datetime
    ) -> LivePower | None:
        """Return the mean power of a counter's last rise, over as short a time as possible.

        None if its digits allow none within a minute.
        """
        shortest = max(SHORTEST_RISE, timedelta(hours=10.0**-digits / COUNTER_ERROR_KW))
        last = sensor.readings[-1]
        valid_at = self._valid_at(sensor)
        if shortest > LIVE_FOR:
            return None
        if now - last.instant > LIVE_FOR:
            # Nothing was counted for longer than one step of the display takes.
            return LivePower(0.0, valid_at) if sensor.changes_only and sensor.is_quick else None
        for earlier in reversed(sensor.readings):
            span = last.instant - earlier.instant
            if span < shortest:
                continue
            # A counter that was reset, or was unavailable meanwhile, has no power for a moment.
            if span > 2 * LIVE_FOR or not _is_steady(sensor.readings, earlier.instant):
                return None
            rise_kwh = (last.value - earlier.value) * factor
            return LivePower(rise_kwh / (span / timedelta(hours=1)), valid_at)
        return None

    def _find_digits(self, site: Site) -> int:
        """Return the decimals of kilowatt-hours that the counters of a site show.

        A counter that stands still shows none of its own.
        """
        digits = 0
        for sensors in site.sensor_roles.values():
            for sensor in sensors:
                if sensor.name in self._sensors:
                    digits = max(digits, self._sensors[sensor.name].digits)
        return digits

    def _valid_at(self, sensor: _Sensor) -> datetime:
        last = sensor.readings[-1].instant
        if not (sensor.changes_only and sensor.is_quick):
            return last
        return max(last, self._last_spoke.get(sensor.source, last))

    def _read_batteries(self, site: Site, now: datetime) -> dict[str, float]:
        """Return the power of each of several batteries, positive while it charges.

        Empty if they have no sensors of their own.
        """
        names = [battery.name for battery in site.batteries]
        charging = site.present_sensors(site.input_sensors.total_battery_charge, now)
        discharging = site.present_sensors(site.input_sensors.total_battery_discharge, now)
        if len(names) < 2 or not len(names) == len(charging) == len(discharging):
            return {}
        flows: dict[str, float] = {}
        for name, into, out_of in zip(names, charging, discharging, strict=True):
            charge = self._add_up([into], site, now)
            discharge = self._add_up([out_of], site, now)
            if charge is None or discharge is None:
                return {}
            flows[name] = charge.kw - discharge.kw
        return flows

    def _read_phases(self, site: Site, now: datetime) -> list[float]:
        """Return the import of each phase, negative for export; empty if one is not live."""
        phases_kw = []
        for named in site.present_sensors(site.input_sensors.grid_phase_import, now):
            power = self._read_power(named.name, site, now)
            if power is None:
                return []
            phases_kw.append(named.sign * power.kw)
        return phases_kw

    def _read_socs(self, site: Site, now: datetime) -> dict[str, float]:
        """Return each battery's state of charge.

        Empty if one of them has no fresh sensor of its own.
        """
        sensors = site.present_sensors(site.input_sensors.battery_soc, now)
        if len(sensors) != len(site.batteries):
            return {}
        socs: dict[str, float] = {}
        for battery, named in zip(site.batteries, sensors, strict=True):
            sensor = self._sensors.get(named.name)
            if sensor is None or not sensor.readings:
                return {}
            last = sensor.readings[-1]
            # A battery at rest changes nothing for hours.
            spoke_at = self._last_spoke[sensor.source] if sensor.changes_only else last.instant
            if now - spoke_at > LEVEL_HOLDS:
                return {}
            soc = last.value * level_factor(last.unit)
            # NaN as well.
            if not 0.0 <= soc <= 1.0:
                return {}
            socs[battery.name] = soc
        return socs


def _find_most_kw(site: Site) -> float:
    """Return the power above which a site's sensor is wrong."""
    stated = [limit_kw for limit_kw in limit_powers(site).values() if limit_kw < ANY_POWER_KW]
    return max([MOST_W / WATTS, *stated])


def _mean_soc(site: Site, socs: Mapping[str, float]) -> float:
    """Return the mean state of charge, weighted by capacity."""
    capacities = [battery.capacity_kwh for battery in site.batteries]
    stored_kwh = sum(map(math.prod, zip(socs.values(), capacities, strict=True)))
    return stored_kwh / sum(capacities)


def _is_steady(readings: Iterable[Reading], since: datetime) -> bool:
    """Return whether a counter never fell since an instant."""
    values = [reading.value for reading in readings if reading.instant >= since]
    return all(later >= former for former, later in pairwise(values))


def _read_grid(
    site: Site, powers: Mapping[str, LivePower], *, surplus_kw: float, now: datetime
) -> LivePower | None:
    """Return the power at the connection, positive while it is bought.

    It is metered, or else follows from the house's own meter.
    """
    bought = powers.get("import_kwh")
    sold = powers.get("export_kwh")
    # Without a roof and a meter of it nothing is fed in.
    if not sold and not site.pv and not site.sensor_roles.get("total_grid_export"):
        sold = LivePower(0.0, now)
    if bought is not None and sold is not None:
        return LivePower(bought.kw - sold.kw, min(bought.at, sold.at))
    used = powers.get("load_kwh")
    return None if used is None else LivePower(used.kw - surplus_kw, used.at)


def _count_digits(kwh: float) -> int:
    decimals = f"{kwh:.{_FINEST_DIGITS}f}".partition(".")[2].rstrip("0")
    return len(decimals)


def list_sensors(sites: Iterable[Site], names: Collection[str]) -> frozenset[str]:
    """Return the sensors of the sites with these names."""
    listed: set[str] = set()
    for site in sites:
        if site.name in names:
            for sensors in site.sensor_roles.values():
                listed.update(sensor.name for sensor in sensors)
    return frozenset(listed)
