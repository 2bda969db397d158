"""Meters that stood still while the others show that they should have moved."""

from collections.abc import Mapping

import numpy as np

from luna.energy.site import Site
from luna.energy.timeline import SLOT_HOURS, SLOTS_PER_DAY, FloatArray
from services.ingest.metering.energy_balance import SINKS, SOURCES, compute_balance
from services.ingest.metering.rejection import Mask
from services.ingest.metering.spans import REST_KW, runs_of

# PV under snow, a full battery and an absent car rest for days: a standstill is a fault only where
# it leaves a residual in the balance.
LONGEST_STILL_SLOTS = 192
# The base load of an empty home, about 40 W, and the errors of good meters (class B: 1 %) with much
# room.
LEAST_MISSING_KWH_PER_DAY = 1.0
LEAST_MISSING_SHARE = 0.1
# Within six hours a battery's losses and its meters' errors stay below a fifth of its capacity.
LEVEL_WINDOW_SLOTS = 24
LEAST_MOVED_SHARE = 0.2
SAME_LEVEL = 1e-3


def find_stuck(site: Site, measured: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Return by column a mask of the slots in which its meter was stuck.

    A stuck meter is constant while the other meters show that it should have moved.

    Args:
        measured: energies and state of charge by column, as for ``compute_balance``.
    """
    measured = _with_battery_right(site, measured)
    stuck: dict[str, Mask] = {}
    judged = dict(measured)
    if "load_kwh" in measured:
        stuck["load_kwh"] = _find_stuck_slots(site, measured, "load_kwh")
        # A house always uses something: its own meter is the cause of a standstill that includes
        # it, so the others are judged without it.
        judged["load_kwh"] = np.where(stuck["load_kwh"], np.nan, measured["load_kwh"])
    for name in (*SOURCES, *SINKS):
        if name in judged:
            stuck[name] = _find_stuck_slots(site, judged, name)
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    if capacity_kwh and {"soc", "charge_kwh", "discharge_kwh"} <= measured.keys():
        net_kwh = measured["charge_kwh"] - measured["discharge_kwh"]
        stuck["soc"] = _find_stuck_level(measured["soc"], net_kwh, capacity_kwh)
    return {name: mask for name, mask in stuck.items() if mask.any()}


def _find_stuck_level(soc: FloatArray, net_kwh: FloatArray, capacity_kwh: float) -> Mask:
    """Return a mask of a constant state of charge while more energy flowed than losses explain."""
    stuck = np.zeros(soc.size, dtype=np.bool_)
    # Energy charged before each slot.
    charged = np.cumsum(np.concatenate([[0.0], np.nan_to_num(net_kwh)]))
    for first, last in runs_of(np.abs(np.diff(soc)) <= SAME_LEVEL):
        # The run's first slot ends at the constant level, so only flows after it count.
        begins = np.arange(first + 1, last + 1)
        ends = np.minimum(begins + LEVEL_WINDOW_SLOTS, last + 1)
        moved = charged[ends] - charged[first + 1 : last + 1]
        is_moved = np.abs(moved) > LEAST_MOVED_SHARE * capacity_kwh
        stuck[first + 1 : last + 1] = bool(is_moved.any())
    return stuck


def _with_battery_right(site: Site, measured: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    """Return the columns with charge and discharge exchanged if the meters agree only so.

    A battery connected the other way round must not look like another meter's standstill.
    """
    if not {"charge_kwh", "discharge_kwh"} <= measured.keys():
        return measured
    exchanged = dict(measured) | {
        "charge_kwh": measured["discharge_kwh"],
        "discharge_kwh": measured["charge_kwh"],
    }
    residual = compute_balance(site, measured).get("residual_kwh")
    exchanged_residual = compute_balance(site, exchanged).get("residual_kwh")
    if residual is None or exchanged_residual is None:
        return measured
    unexplained = float(np.nansum(np.abs(residual)))
    exchanged_unexplained = float(np.nansum(np.abs(exchanged_residual)))
    is_reversed = (
        unexplained > LEAST_MISSING_KWH_PER_DAY
        and exchanged_unexplained < LEAST_MISSING_SHARE * unexplained
    )
    return exchanged if is_reversed else measured


def _find_stuck_slots(site: Site, measured: Mapping[str, FloatArray], name: str) -> Mask:
    """Return a mask of the slots of a meter's long standstills in which energy is missing."""
    stuck = np.zeros(measured[name].size, dtype=np.bool_)
    for first, end in runs_of(measured[name] <= REST_KW * SLOT_HOURS):
        if end - first >= LONGEST_STILL_SLOTS:
            during = {other: kwh[first:end] for other, kwh in measured.items()}
            begin, stop = _find_missing(site, during, name)
            stuck[first + begin : first + stop] = True
    return stuck


def _find_missing(site: Site, during: Mapping[str, FloatArray], name: str) -> tuple[int, int]:
    """Return the slots of a standstill from the first to the last with missing energy."""
    slots = during[name].size
    days = slots * SLOT_HOURS / 24
    residual = compute_balance(site, during).get("residual_kwh")
    if residual is None:
        others = [float(np.nansum(during[other])) for other in SOURCES if other in during]
        is_used = max(others, default=0.0) > LEAST_MISSING_KWH_PER_DAY * days
        return (0, slots) if name == "load_kwh" and is_used else (0, 0)
    missing = np.nan_to_num(residual) * (-1 if name in SOURCES else 1)
    moved = [np.nan_to_num(during[other]) for other in (*SOURCES, "load_kwh") if other in during]
    most_moved = max(float(kwh.sum()) for kwh in moved)
    least_missing = max(LEAST_MISSING_KWH_PER_DAY * days, LEAST_MISSING_SHARE * most_moved)
    if not float(missing.sum()) > least_missing:
        return (0, 0)
    # Within the standstill the days on which energy is missing, the last of them perhaps shorter.
    begins = np.arange(0, slots, SLOTS_PER_DAY)
    lengths = np.diff(np.append(begins, slots)) * SLOT_HOURS / 24
    flowed = np.max([np.add.reduceat(kwh, begins) for kwh in moved], axis=0)
    explained = np.maximum(LEAST_MISSING_KWH_PER_DAY * lengths, LEAST_MISSING_SHARE * flowed)
    too_much = np.add.reduceat(missing, begins) > explained
    on_such_days = np.repeat(too_much, SLOTS_PER_DAY)[:slots]
    places = np.flatnonzero((missing > REST_KW * SLOT_HOURS) & on_such_days)
    if not places.size:
        return (0, slots)
    return (int(places[0]), int(places[-1]) + 1)
