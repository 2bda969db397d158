"""The limits at work in each slot of a plan, as codes of ``luna.words``."""

from collections.abc import Sequence

import numpy as np

from luna.energy.timeline import IndexArray
from services.planner.dp.plan import Plan
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return codes of the limits in force by slot: the site's and the first battery's."""
    codes, marks = mark_limits(Evidence(plan))
    places, limits = name_limits(codes, marks[0])
    return [limits[place] for place in places.tolist()]


def name_limits(
    codes: Sequence[str], marks: IndexArray
) -> tuple[IndexArray, list[tuple[str, ...]]]:
    """Return each slot's place among the distinct sets of limits, and these sets.

    ``marks`` has a bit for each of the ``codes``.
    """
    places, used = number_values(marks)
    limits = []
    for mark in used:
        at_work = tuple(code for bit, code in enumerate(codes) if mark >> bit & 1)
        limits.append(at_work)
    return places, limits


def number_values(values: IndexArray) -> tuple[IndexArray, list[int]]:
    """Return each value's place among the distinct ones, and these in order; none is below 0."""
    # For so few values in a fifth of the time of ``np.unique``.
    used = np.bincount(values) > 0
    places = np.cumsum(used) - 1
    return places[values], used.nonzero()[0].tolist()


def mark_limits(evidence: Evidence) -> tuple[list[str], IndexArray]:
    """Return the codes of limits, and a bit for each that is at work, ``(batteries, slots)``."""
    battery = evidence.battery
    is_full = evidence.end_kwh >= battery.max_kwh - NOTHING_KWH
    would_take = evidence.charges | evidence.has_surplus | (evidence.buy < 0)
    is_empty = evidence.empty & (evidence.gives | evidence.short)
    takes_most = evidence.charge >= evidence.charge_power_kwh - NOTHING_KWH
    gives_most = evidence.discharge >= evidence.discharge_power_kwh - NOTHING_KWH
    imports = evidence.imports > NOTHING_KWH
    fills_operators_import = imports & evidence.fills_operators_limit
    import_limit_kwh = evidence.plan.problem.import_limit_kwh
    fills_import = evidence.imports >= import_limit_kwh - NOTHING_KWH
    has_no_peak = ~np.isfinite(evidence.peak_kwh)
    unsold = evidence.holds_back & (evidence.plan.problem.outlook.export_price >= 0)
    fills_feed_in = evidence.fills_feed_in & (evidence.exports > NOTHING_KWH)
    no_feed_in = fills_feed_in | (~evidence.may_feed_in & unsold)
    limits = {
        "battery_full": is_full & would_take,
        "reserve": is_empty & evidence.has_reserve,
        "battery_empty": is_empty & ~evidence.has_reserve,
        "charge_power": evidence.charges & takes_most,
        "discharge_power": evidence.gives & gives_most,
        "peak": imports & evidence.fills_peak,
        "operator_limit": fills_operators_import | (no_feed_in & evidence.is_export_limited),
        "import_limit": imports & fills_import & has_no_peak & ~evidence.is_import_limited,
        "export_limit": no_feed_in & ~evidence.is_export_limited,
        "inverter_limit": evidence.fills_inverter,
        "curtailment": evidence.flows.curtailed_kwh > NOTHING_KWH,
    }
    for code, where in evidence.at_work.items():
        limits[code] = (evidence.gives | evidence.spares) & where
    marks = np.zeros(evidence.charge.shape, dtype=np.int64)
    for bit, where in enumerate(limits.values()):
        marks |= where.astype(np.int64) << bit
    return list(limits), marks
