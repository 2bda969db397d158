"""Clean measurements for training and forecasting.

Drop frozen values and planned runs, restore curtailed PV, scale PV to the present capacity.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.steered_slots import NO_STEERING, Steering
from luna.energy.timeline import FloatArray
from luna.energy.weather import NO_WEATHER, WeatherVintages
from services.forecaster.inputs.curtailment import estimate_potential
from services.forecaster.inputs.frame import BoolArray, IntArray
from services.forecaster.inputs.roof import CapacityChange, cap_output, find_growth

# Meters with steps of 0.1 kWh repeat a value for an hour or two at night; no real load is constant
# to the watt-hour for six hours.
LOAD_SLOTS = 24
# PV output changes from slot to slot with the sun; only an inverter at its limit, near the top,
# keeps it constant.
PV_SLOTS = 12
NEAR_TOP = 0.9
# Share of the known slots above which planned runs are kept, since little else would be left
MOST_RUN = 0.5


def count_repeats(values: FloatArray) -> IntArray:
    """Return for each slot the number of equal values up to it; 0 if unknown.

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
    """Return the mask of slots whose load has been constant for six hours."""
    return count_repeats(load_kwh) >= LOAD_SLOTS


def mark_frozen_pv(pv_kwh: FloatArray) -> NDArray[np.bool_]:
    """Return the mask of slots whose PV has been constant for three hours.

    It is above zero and below the top.
    """
    measured = pv_kwh[~np.isnan(pv_kwh)]
    top = float(measured.max()) if measured.size else 0.0
    return (count_repeats(pv_kwh) >= PV_SLOTS) & (pv_kwh > 0) & (pv_kwh < NEAR_TOP * top)


def drop_frozen(history: Observations) -> Observations:
    """Return the history without frozen load and PV; a load that is constant throughout stays.

    A frozen run is dropped only from its sixth (third) hour on, so that the values known at an
    origin do not depend on later ones.
    """
    load = history.load_kwh
    pv = history.pv_kwh
    measured = load[~np.isnan(load)]
    if measured.size and np.ptp(measured) > 0:
        load = np.where(mark_frozen_load(load), np.nan, load)
    return replace(history, load_kwh=load, pv_kwh=np.where(mark_frozen_pv(pv), np.nan, pv))


def drop_runs(history: Observations, steering: Steering) -> Observations:
    """Return the history without load in slots in which unmetered devices ran or were dimmed.

    Unchanged where those are most of the slots.
    """
    ran = np.isin(history.starts, steering.load_starts)
    measured = ~np.isnan(history.load_kwh)
    if np.count_nonzero(ran & measured) > MOST_RUN * np.count_nonzero(measured):
        return history
    return replace(history, load_kwh=np.where(ran, np.nan, history.load_kwh))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cleaned history, and its site with the PV capacity that the history shows.

    ``growth`` is the capacity change that PV was scaled by, if any; ``curtailed`` (``(slots,)``)
    marks curtailed slots, where PV is an estimate or unknown. ``ceiling_kwh`` is the most PV per
    slot that its inverters pass; infinite where none shows.
    """

    history: Observations
    site: Site
    growth: CapacityChange | None
    curtailed: BoolArray
    ceiling_kwh: float = np.inf


def prepare_history(
    measured: Observations,
    site: Site,
    *,
    before: datetime,
    steering: Steering = NO_STEERING,
    weather: WeatherVintages = NO_WEATHER,
) -> Prepared:
    """Return a gapless history cleaned as known ``before`` an instant; all training uses it.

    Args:
        measured: load and PV; feed-in, import and battery, where known, help to detect curtailment.
        site: of the measurements.
        before: an instant.
        steering: Luna's control of devices meanwhile.
        weather: to estimate PV where a whole day was curtailed.

    Invariants: nothing measured at or after ``before`` changes what is returned of the time before.
    """
    potential = estimate_potential(
        measured, site, before=before, steering=steering, weather=weather
    )
    measured = replace(drop_runs(measured, steering), pv_kwh=potential.pv_kwh)
    growth = find_growth(measured, site, before=before)
    grown = site if growth is None else growth.enlarge(site)
    history = measured if growth is None else growth.scale(measured)
    return Prepared(
        history=drop_frozen(history),
        site=cap_output(grown, potential.ceiling_kwh),
        growth=growth,
        curtailed=potential.curtailed,
        ceiling_kwh=potential.ceiling_kwh,
    )
