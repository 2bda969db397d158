"""How much power a site's parts can show at most: beyond it a value is wrong, not high."""

import numpy as np

from luna.site import Site
from luna.timeline import FloatArray
from services.ingest.metering.rejection import Readings
from services.ingest.metering.spans import hours_between
from services.ingest.slots import ANY_POWER_KW, TOLERANCE, limit_powers

# The largest connection of a home, three phases of 125 A, carries 86 kW.
ANY_HOME_KW = 100.0
# Ten times what a meter shows in all but a thousandth of its readings is no peak any more.
FAR_BEYOND = 10.0
USUAL_SHARE = 0.999


def limit_columns(site: Site) -> dict[str, float]:
    """Return the highest believable power of each energy column, kW."""
    limits = limit_powers(site) | {"load_kwh": _limit_load(site)}
    load = limits["load_kwh"]
    vehicles = sum(max(vehicle.charge_limit_kw, vehicle.min_charge_kw) for vehicle in site.vehicles) * TOLERANCE
    heaters = sum(device.power_kw for device in site.loads if device.kind == "water_heater") * TOLERANCE
    return limits | {"vehicle_kwh": vehicles or load, "heat_pump_kwh": load, "water_heater_kwh": heaters or load}


def _limit_load(site: Site) -> float:
    """Return what connection, roof and batteries carry together; a part that has a sensor and no size may carry anything."""
    sensors = site.input_sensors
    if (sensors.total_pv_production and not site.pv) or (sensors.total_battery_discharge and not site.batteries):
        return ANY_POWER_KW
    parts = [array.peak_kw for array in site.pv] + [battery.discharge_limit_kw for battery in site.batteries]
    return min(ANY_POWER_KW, (site.grid.import_limit_kw + sum(parts)) * TOLERANCE)


def believable_rise_kw(counter: Readings, limit_kw: float) -> float:
    """Return how fast a counter may rise, kW: what the site says, or, where it says nothing, what the counter itself shows."""
    counter = counter.without(np.isnan(counter.values))
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    if limit_kw < ANY_POWER_KW or not hours.size:
        return limit_kw
    rates: FloatArray = np.diff(counter.values) / hours
    return min(limit_kw, max(ANY_HOME_KW, FAR_BEYOND * float(np.quantile(rates, USUAL_SHARE, method="lower"))))
