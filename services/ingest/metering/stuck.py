"""Meters that stand still while the others move."""

from collections.abc import Mapping

import numpy as np

from luna.site import Site
from luna.timeline import FloatArray
from services.ingest.metering.build import SINKS, SOURCES, settle_balance
from services.ingest.metering.rejection import Mask
from services.ingest.metering.spans import REST_KW, runs_of

SLOT_HOURS = 0.25
# A roof under snow, a full battery and an absent car rest for days: standing still is a fault only where the others' energy then goes nowhere.
LONGEST_STILL_SLOTS = 192
# The base load of an empty home, about 40 W, and the errors of good meters (class B: 1 %) with much room.
LEAST_MISSING_KWH_PER_DAY = 1.0
LEAST_MISSING_SHARE = 0.1
# In six hours a battery's losses and its meters' errors do not come to a fifth of its capacity.
LEVEL_WINDOW_SLOTS = 24
LEAST_MOVED_SHARE = 0.2
SAME_LEVEL = 1e-3


def find_stuck(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Return by column the slots in which its meter stood still although the others say that it should have moved.

    Args:
        measured: energies and state of charge by column, as for ``settle_balance``.
    """
    stuck = {"load_kwh": _stands_still(site, measured, "load_kwh")} if "load_kwh" in measured else {}
    # A house always uses something: where its own meter stands, it is that one, and the rest is judged by what is left.
    judged = dict(measured) | {name: np.where(mask, np.nan, measured[name]) for name, mask in stuck.items()}
    stuck |= {name: _stands_still(site, judged, name) for name in (*SOURCES, *SINKS) if name in judged}
    if "soc" in measured:
        stuck["soc"] = _level_stands(site, measured)
    return {name: mask for name, mask in stuck.items() if mask.any()}


def _stands_still(site: Site, measured: Mapping[str, FloatArray], name: str) -> Mask:
    stuck = np.zeros(measured[name].size, dtype=np.bool_)
    still = measured[name] <= REST_KW * SLOT_HOURS
    for first, end in runs_of(still):
        if end - first >= LONGEST_STILL_SLOTS:
            stuck[first:end] = _is_missed(site, {other: kwh[first:end] for other, kwh in measured.items()}, name)
    return stuck


def _is_missed(site: Site, stretch: Mapping[str, FloatArray], name: str) -> bool:
    """Return whether the other meters leave unexplained what this one should have shown."""
    days = stretch[name].size * SLOT_HOURS / 24
    residual = settle_balance(site, stretch).get("residual_kwh")
    if residual is None:
        others = [float(np.nansum(stretch[other])) for other in SOURCES if other in stretch]
        return name == "load_kwh" and max(others, default=0.0) > LEAST_MISSING_KWH_PER_DAY * days
    missing = float(np.nansum(residual)) * (-1 if name in SOURCES else 1)
    moved = max(float(np.nansum(stretch[other])) for other in (*SOURCES, "load_kwh") if other in stretch)
    return missing > max(LEAST_MISSING_KWH_PER_DAY * days, LEAST_MISSING_SHARE * moved)


def _level_stands(site: Site, measured: Mapping[str, FloatArray]) -> Mask:
    """Return the slots of runs with one state of charge during which the battery took in or gave much more than it lost."""
    soc = measured["soc"]
    stuck = np.zeros(soc.size, dtype=np.bool_)
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    if not capacity_kwh or not {"charge_kwh", "discharge_kwh"} <= measured.keys() or soc.size < 2:
        return stuck
    net = np.cumsum(np.concatenate([[0.0], np.nan_to_num(measured["charge_kwh"] - measured["discharge_kwh"])]))
    for first, last in runs_of(np.abs(np.diff(soc)) <= SAME_LEVEL):
        # The run's first slot ends at the level: what moved, moved after it.
        moved = net[np.minimum(np.arange(first + 1, last + 1) + LEVEL_WINDOW_SLOTS, last + 1)] - net[first + 1 : last + 1]
        stuck[first + 1 : last + 1] = bool((np.abs(moved) > LEAST_MOVED_SHARE * capacity_kwh).any())
    return stuck
