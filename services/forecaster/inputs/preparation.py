"""What was measured, fit to learn and to forecast from: without standstills and PV held back, what a smaller roof yielded scaled to the present one."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from luna.observations import Observations
from luna.site import Site
from luna.timeline import FloatArray, to_instant
from services.forecaster.inputs.frame import DAY_SLOTS, IntArray
from services.forecaster.inputs.roof import CapacityChange, find_growth
from services.forecaster.inputs.solar import estimate_clear_sky

# Meters that count in steps of 0.1 kWh repeat a value for an hour or two at night; nothing in a house keeps to the watt-hour for six.
LOAD_SLOTS = 24
# Under a sun that moves, output changes from slot to slot; only an inverter at its limit holds it, and that lies near the top.
PV_SLOTS = 12
NEAR_TOP = 0.9


def count_repeats(values: FloatArray) -> IntArray:
    """Return how many slots up to and including each hold the same value without a break; 0 where unknown.

    Invariants: nothing after a slot changes its count.
    """
    place = np.arange(values.size)
    known = ~np.isnan(values)
    begins = np.ones(values.size, dtype=np.bool_)
    begins[1:] = ~(known[1:] & (values[1:] == values[:-1]))
    first = np.maximum.accumulate(np.where(begins, place, 0))
    repeats: IntArray = np.where(known, place - first + 1, 0)
    return repeats


def mark_frozen_load(load_kwh: FloatArray) -> NDArray[np.bool_]:
    """Return in which slots the load had stood still for six hours."""
    return count_repeats(load_kwh) >= LOAD_SLOTS


def mark_frozen_pv(pv_kwh: FloatArray) -> NDArray[np.bool_]:
    """Return in which slots PV had stood still for three hours, above zero and below the top."""
    known = pv_kwh[~np.isnan(pv_kwh)]
    top = float(known.max()) if known.size else 0.0
    return (count_repeats(pv_kwh) >= PV_SLOTS) & (pv_kwh > 0) & (pv_kwh < NEAR_TOP * top)


def drop_frozen(history: Observations) -> Observations:
    """Return the history, unknown where load or PV had stood still; a load that never moved at all stays.

    Only slots from the sixth (third) hour of a standstill on are dropped, so that what is known at an origin does not depend on what came after it.
    """
    load, pv = history.load_kwh, history.pv_kwh
    moves = np.ptp(load[~np.isnan(load)]) > 0 if (~np.isnan(load)).any() else False
    kept = np.where(mark_frozen_load(load), np.nan, load) if moves else load
    return replace(history, load_kwh=kept, pv_kwh=np.where(mark_frozen_pv(pv), np.nan, pv))


# Under the thickest clouds a twentieth of a clear sky is left, and PV knows nothing of what the house takes.
BRIGHT = 0.3  # share of the best clear-sky slot
NEXT_TO_NOTHING, SHONE = 0.02, 0.2  # shares of a clear sky: held back, though so much came
SHONE_SLOTS = 32  # before: the same day
ALIKE = 0.01  # share of PV by which it may differ from the load
OFTEN, OFTEN_DAYS = 4, 6  # at the same time on so many of the days before: once is a fault, a shadow or chance


def mark_held_back(history: Observations, site: Site, *, before: datetime) -> NDArray[np.bool_]:
    """Return in which slots of a gapless history PV was held back, day after day: off under a bright sky after it had shone, or just what the house took.

    The days that gave it away are marked with those that followed, as far as that was known ``before`` an instant.

    Invariants: nothing at or after that instant changes what is marked before it, and nothing after a later slot whether that is marked.
    """
    sky, pv = estimate_clear_sky(history.starts, site), history.pv_kwh
    if site.location is None or not site.pv or not len(history):
        return np.zeros(pv.size, dtype=np.bool_)
    bright = sky > BRIGHT * sky.max(initial=0.0)
    share = np.nan_to_num(pv) / np.where(bright, sky, np.inf)
    shone = sliding_window_view(np.concatenate([np.zeros(SHONE_SLOTS), share]), SHONE_SLOTS)[:-1].max(axis=1) > SHONE
    alike = (pv > 0) & (np.abs(pv - history.load_kwh) <= ALIKE * pv)
    low = bright & ((pv <= NEXT_TO_NOTHING * sky) & shone | alike)
    none = np.zeros(OFTEN_DAYS * DAY_SLOTS, dtype=np.bool_)
    earlier = [np.concatenate([none, low])[(OFTEN_DAYS - days) * DAY_SLOTS :][: low.size] for days in range(1, OFTEN_DAYS + 1)]
    often = low & (np.sum(earlier, axis=0) >= OFTEN)
    known = often & (history.starts < to_instant(before))
    later = [np.concatenate([known, none])[days * DAY_SLOTS :][: low.size] for days in range(1, OFTEN_DAYS + 1)]
    held: NDArray[np.bool_] = often | low & np.any(later, axis=0)
    return held


def drop_held_back(history: Observations, site: Site, *, before: datetime) -> Observations:
    """Return the history, PV unknown where it was held back: what the arrays could have yielded then nobody measured."""
    return replace(history, pv_kwh=np.where(mark_held_back(history, site, before=before), np.nan, history.pv_kwh))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A history to learn or forecast from, of a site whose arrays can yield what they were seen to; ``growth`` is what was scaled, if anything."""

    history: Observations
    site: Site
    growth: CapacityChange | None


def prepare_history(measured: Observations, site: Site, *, before: datetime) -> Prepared:
    """Return a gapless history prepared as known ``before`` an instant.

    Invariants: nothing measured at or after ``before`` changes what is returned of the time before.
    """
    measured = drop_held_back(measured, site, before=before)
    growth = find_growth(measured, site, before=before)
    if growth is None:
        return Prepared(drop_frozen(measured), site, None)
    return Prepared(drop_frozen(growth.scale(measured)), growth.enlarge(site), growth)
