"""The limits at work in each slot of a plan, as codes of ``luna.words``."""

from collections.abc import Sequence

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import IndexArray
from services.planner.dp.plan import Plan
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, as codes of ``luna.words``: the site's, and the first
    battery's.
    """
    codes, marks = mark_limits(Evidence(plan))
    places, limits = name_limits(codes, marks[0])
    return [limits[place] for place in places.tolist()]


def name_limits(
    codes: Sequence[str], marks: IndexArray
) -> tuple[IndexArray, list[tuple[str, ...]]]:
    """Return of slots with a bit for each code their places among sets of limits, and these."""
    places, used = number_values(marks)
    limits = []
    for mark in used:
        at_work = tuple(code for bit, code in enumerate(codes) if mark >> bit & 1)
        limits.append(at_work)
    return places, limits


def number_values(values: IndexArray) -> tuple[IndexArray, list[int]]:
    """Return the place of each value (no less than 0) among those there are, and these in order: of
    so few in a fifth of the time of ``np.unique``.
    """
    used = np.bincount(values) > 0
    places = np.cumsum(used) - 1
    return places[values], used.nonzero()[0].tolist()


def mark_limits(evidence: Evidence) -> tuple[list[str], IndexArray]:
    """Return limits by code, and of each slot of each battery, and its site, a bit for each of them
    that is at work.
    """
    checks = {**_check_battery(evidence), **_check_site(evidence)}
    for code, where in evidence.at_work.items():
        checks[code] = (evidence.gives | evidence.spares) & where
    marks = np.zeros(evidence.charge.shape, dtype=np.int64)
    for bit, where in enumerate(checks.values()):
        marks |= where.astype(np.int64) << bit
    return list(checks), marks


def _check_battery(evidence: Evidence) -> dict[str, BoolArray]:
    """Return where a battery's own limits are at work."""
    is_full = evidence.end_kwh >= evidence.battery.max_kwh - NOTHING_KWH
    would_take = evidence.charges | evidence.has_surplus | (evidence.buy < 0)
    is_empty = evidence.empty & (evidence.gives | evidence.short)
    takes_most = evidence.charge >= evidence.charge_power_kwh - NOTHING_KWH
    gives_most = evidence.discharge >= evidence.discharge_power_kwh - NOTHING_KWH
    return {
        "battery_full": is_full & would_take,
        "reserve": is_empty & evidence.has_reserve,
        "battery_empty": is_empty & ~evidence.has_reserve,
        "charge_power": evidence.charges & takes_most,
        "discharge_power": evidence.gives & gives_most,
    }


def _check_site(evidence: Evidence) -> dict[str, BoolArray]:
    """Return where limits of the connection, of inverters and of PV are at work."""
    imports = evidence.imports > NOTHING_KWH
    import_limit_kwh = evidence.plan.problem.import_limit_kwh
    fills_import = evidence.imports >= import_limit_kwh - NOTHING_KWH
    has_no_peak = ~np.isfinite(evidence.peak_kwh)
    export_price = evidence.plan.problem.outlook.export_price
    unsold = evidence.holds_back & (export_price >= 0)
    fills_feed_in = evidence.fills_feed_in & (evidence.exports > NOTHING_KWH)
    return {
        "peak": imports & evidence.fills_peak,
        "import_limit": imports & fills_import & has_no_peak,
        "export_limit": fills_feed_in | (~evidence.may_feed_in & unsold),
        "inverter_limit": evidence.fills_inverter,
        "curtailment": evidence.flows.curtailed_kwh > NOTHING_KWH,
    }
