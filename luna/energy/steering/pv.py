"""Hold PV back, in watts."""

import math
from dataclasses import dataclass

from luna.energy.steering.devices import SteeredDevices
from luna.energy.steering.rooms import Flow
from luna.energy.steering.state import (
    LiveMeasurement,
    LoopMemory,
    PvCommand,
    SlotTargets,
    SteeringReason,
)

# The time that meter and cycle add to the inverter's own delay.
READING_S = 4.0
# The cap holds in a mean of a minute: what was above is made up for within less.
_MINUTE_S = 60.0
_MAKE_UP_S = 15.0
_LEAST_MARGIN_KW = 0.03
# A limit is written anew only where it falls by this much, or rises by this share of the peak.
_FALLS_KW = 0.02
_RISES = 0.004
# Far below its limit PV needs no more for now.
_FAR_SHARE = 0.7
_RISES_FAR = 0.1
# The lowest use of the house is forgotten bit by bit, per second.
_FORGET_PER_S = 1.0 / 600.0
# PV this near to its limit is held back by it.
_BINDS_FROM = 0.96


@dataclass(frozen=True, slots=True)
class PvMemory:
    """Memory of the export: see ``LoopMemory``."""

    house_low_kw: float
    excess_kws: float
    limit_kw: float


def is_curtailed(measured: LiveMeasurement, memory: LoopMemory) -> bool:
    """Return whether PV would give more without its limit."""
    limit_kw = memory.pv_limit_kw
    return limit_kw < math.inf and measured.pv_kw >= _BINDS_FROM * limit_kw - 0.05


def find_hidden_kw(targets: SlotTargets, measured: LiveMeasurement, memory: LoopMemory) -> float:
    """Return the PV power that is held back, as far as the plan expects it; else 0."""
    if not is_curtailed(measured, memory):
        return 0.0
    hidden_kw = targets.pv_possible_kw - measured.pv_kw
    # An expectation that is no number counts for nothing.
    return max(0.0, hidden_kw)


def track_export(
    memory: LoopMemory, *, house_kw: float, over_kw: float, elapsed_s: float
) -> PvMemory:
    """Return the lowest use of the house lately, and what was fed in above the cap."""
    low_kw = memory.house_low_kw
    if not low_kw < house_kw:
        low_kw = house_kw
    else:
        low_kw += (house_kw - low_kw) * min(elapsed_s * _FORGET_PER_S, 1.0)
    excess_kws = 0.0
    if math.isfinite(over_kw):
        excess_kws = max(memory.excess_kws + over_kw * elapsed_s, 0.0)
    return PvMemory(low_kw, excess_kws, memory.pv_limit_kw)


def command_pv(
    devices: SteeredDevices,
    targets: SlotTargets,
    measured: LiveMeasurement,
    flow: Flow,
    *,
    export_kw: float,
    tracked: PvMemory,
) -> PvCommand | None:
    """Return the limit by which no more is fed in than allowed, or None without such arrays.

    What the site uses may be produced on top of the cap, so the limit follows it, also while it
    does not bind: then a cloud that goes away meets it at once. A house that uses much may stop
    at any moment, so the limit keeps a margin for the time until it follows.
    """
    if devices.pv_kw <= 0.0:
        return None
    planned_kw = math.inf if math.isnan(targets.pv_limit_kw) else max(targets.pv_limit_kw, 0.0)
    limit_kw = planned_kw
    reason: SteeringReason = "as_planned"
    if export_kw < devices.pv_kw:
        # PV - use = export <= cap
        used_kw = measured.pv_kw + flow.net_kw
        house_kw = measured.pv_kw + flow.drawn_kw
        reaction_s = devices.pv_delay_s + READING_S
        may_drop_kw = max(house_kw - tracked.house_low_kw, 0.0)
        margin_kw = may_drop_kw * reaction_s / _MINUTE_S + _LEAST_MARGIN_KW
        margin_kw += tracked.excess_kws / _MAKE_UP_S
        capped_kw = max(export_kw + used_kw - margin_kw, 0.0)
        if capped_kw < planned_kw:
            limit_kw = capped_kw
            reason = "export_cap"
    if limit_kw >= devices.pv_kw:
        return PvCommand(math.inf, "as_planned")
    change_kw = limit_kw - tracked.limit_kw
    is_far = measured.pv_kw < _FAR_SHARE * tracked.limit_kw
    rises_kw = (_RISES_FAR if is_far else _RISES) * devices.pv_kw
    if -_FALLS_KW < change_kw < rises_kw:
        return PvCommand(tracked.limit_kw, reason)
    return PvCommand(limit_kw, reason)
