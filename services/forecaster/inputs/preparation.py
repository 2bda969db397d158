"""What may be learned of what was measured: no standstills and no runs by plan, PV as the sun allowed it, a smaller roof's output scaled to the present one."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.steering import NO_STEERING, Steering
from luna.energy.timeline import FloatArray
from luna.energy.weather import NO_WEATHER, WeatherVintages
from services.forecaster.inputs.curtailment import estimate_potential
from services.forecaster.inputs.frame import BoolArray, IntArray
from services.forecaster.inputs.roof import CapacityChange, cap_output, find_growth

# Meters that count in steps of 0.1 kWh repeat a value for an hour or two at night; nothing in a house keeps to the watt-hour for six.
LOAD_SLOTS = 24
# Under a sun that moves, output changes from slot to slot; only an inverter at its limit holds it, and that lies near the top.
PV_SLOTS = 12
NEAR_TOP = 0.9
MOST_RUN = 0.5  # of the known slots: what runs by plan more often than not is all there is to learn from


def count_repeats(values: FloatArray) -> IntArray:
    """Return how many slots up to and including each hold the same value without a break; 0 where unknown.

    Invariants: nothing after a slot changes its count.
    """
    place = np.arange(values.size)
    has_value = ~np.isnan(values)
    begins = np.ones(values.size, dtype=np.bool_)
    begins[1:] = ~(has_value[1:] & (values[1:] == values[:-1]))
    first = np.maximum.accumulate(np.where(begins, place, 0))
    repeats: IntArray = np.where(has_value, place - first + 1, 0)
    return repeats


def mark_frozen_load(load_kwh: FloatArray) -> NDArray[np.bool_]:
    """Return in which slots the load had stood still for six hours."""
    return count_repeats(load_kwh) >= LOAD_SLOTS


def mark_frozen_pv(pv_kwh: FloatArray) -> NDArray[np.bool_]:
    """Return in which slots PV had stood still for three hours, above zero and below the top."""
    measured = pv_kwh[~np.isnan(pv_kwh)]
    top = float(measured.max()) if measured.size else 0.0
    return (count_repeats(pv_kwh) >= PV_SLOTS) & (pv_kwh > 0) & (pv_kwh < NEAR_TOP * top)


def drop_frozen(history: Observations) -> Observations:
    """Return the history, unknown where load or PV had stood still; a load that never moved at all stays.

    Only slots from the sixth (third) hour of a standstill on are dropped, so that what is known at an origin does not depend on what came after it.
    """
    load, pv = history.load_kwh, history.pv_kwh
    moves = np.ptp(load[~np.isnan(load)]) > 0 if (~np.isnan(load)).any() else False
    moving_load = np.where(mark_frozen_load(load), np.nan, load) if moves else load
    return replace(history, load_kwh=moving_load, pv_kwh=np.where(mark_frozen_pv(pv), np.nan, pv))


def drop_runs(history: Observations, steering: Steering) -> Observations:
    """Return the history, its load unknown where a plan ran what no meter takes out of it; a load that is hardly ever without stays."""
    ran = np.isin(history.starts, steering.run_starts)
    measured = ~np.isnan(history.load_kwh)
    if np.count_nonzero(ran & measured) > MOST_RUN * np.count_nonzero(measured):
        return history
    return replace(history, load_kwh=np.where(ran, np.nan, history.load_kwh))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A history to learn or forecast from, of a site whose arrays can yield what they were seen to.

    ``growth`` is what was scaled, if anything; ``curtailed`` where PV was curtailed, shape ``(slots,)``: it is what the sun could have given there, or unknown.
    ``ceiling_kwh`` is the level of a quarter-hour at which PV ends for good, as its inverters let it; infinite where none shows.
    """

    history: Observations
    site: Site
    growth: CapacityChange | None
    curtailed: BoolArray
    ceiling_kwh: float = np.inf


def prepare_history(
    measured: Observations, site: Site, *, before: datetime, steering: Steering = NO_STEERING, weather: WeatherVintages = NO_WEATHER
) -> Prepared:
    """Return what may be learned of a gapless history, as known ``before`` an instant. Whatever learns of a site's past learns from this.

    Args:
        measured: load and PV; where feed-in, import and battery are known too, they tell more of PV held back.
        site: whose.
        before: an instant.
        steering: what Luna had devices do meanwhile.
        weather: by which PV is estimated where a whole day was held back.

    Invariants: nothing measured at or after ``before`` changes what is returned of the time before.
    """
    potential = estimate_potential(measured, site, before=before, steering=steering, weather=weather)
    measured = replace(drop_runs(measured, steering), pv_kwh=potential.pv_kwh)
    growth = find_growth(measured, site, before=before)
    grown = site if growth is None else growth.enlarge(site)
    history = measured if growth is None else growth.scale(measured)
    return Prepared(drop_frozen(history), cap_output(grown, potential.ceiling_kwh), growth, potential.curtailed, potential.ceiling_kwh)
