"""Simulate a local day of a replay with all runs side by side, record each run's state at midnight,
and export days as training episodes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from luna.contracts.message import Message
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.schedule import Policy, SideBySide
from luna.energy.simulator import Actuals, CountedPolicy, Trajectory, price, simulate
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_offsets
from services.planner.problem.knowledge import ForecastArchive
from services.planner.replay.data import ReplayData, Rules
from services.planner.replay.faults import FaultyPolicy
from services.planner.replay.policies import CarryOver
from services.planner.replay.policy_factory import OffsetPolicy, PolicyFactory, PolicyRun, origin_of

# Tolerance of rounding.
_LITTLE_KWH = 1e-6


class PolicyDay(Message):
    """The stored record of a run's local day: totals, and its state at midnight."""

    cost: float
    import_kwh: float
    export_kwh: float
    discharge_kwh: float
    unserved_kwh: float
    violations: int
    mode_changes: int
    corrected: int = 0
    import_carbon_g: float | None = None
    standing: CarryOver


@dataclass(frozen=True, slots=True)
class DayResult:
    """A simulated day: its first slot and end in the window, and by run the state at its start, the
    trajectory and the record.
    """

    day: date
    slots: tuple[int, int]
    begun: Mapping[str, CarryOver]
    trajectories: Mapping[str, Trajectory]
    records: Mapping[str, PolicyDay]


def simulate_day(
    factory: PolicyFactory,
    policy_runs: Sequence[PolicyRun],
    slots: tuple[int, int],
    standings: Mapping[str, CarryOver],
) -> DayResult:
    """Return the result of all runs over the slots from ``slots[0]`` on, before ``slots[1]``."""
    scene = factory.scene
    rules = factory.rules
    first = slots[0]
    part = slice(*slots)
    policies = [
        factory.enter(policy_run, standings[policy_run.label]) for policy_run in policy_runs
    ]
    stored = np.array(
        [standings[policy_run.label].stored_kwh for policy_run in policy_runs]
    ).T.reshape(-1, len(policy_runs))
    timeline = scene.timeline.window(first, slots[1] - first)
    never = np.zeros(slots[1] - first, dtype=bool)
    load, pv = (
        np.broadcast_to(series[part], (len(policy_runs), never.size))
        for series in (scene.actuals.load_kwh, scene.actuals.pv_kwh)
    )
    off_grid = np.array(
        [
            never if policy_run.fault_effects is None else policy_run.fault_effects.off_grid[part]
            for policy_run in policy_runs
        ]
    )
    actuals = Actuals(timeline, load, pv, off_grid if off_grid.any() else None)
    counted = CountedPolicy(
        SideBySide([OffsetPolicy(policy, first) for policy in policies]), rules.limits
    )
    trajectory = simulate(counted, actuals, limits=rules.limits, stored_kwh=stored)
    costs = price(
        trajectory,
        import_price=rules.import_price[part],
        export_price=rules.export_price[part],
        wear_price=rules.wear_price,
    ).total
    costs = costs + depth_wear(scene.site.batteries, trajectory.flows.stored_kwh, stored)
    columns = {
        policy_run.label: trajectory.column(place) for place, policy_run in enumerate(policy_runs)
    }
    records = {
        label: _record(
            column, costs[place], rules.limits, before=standings[label], policy=policies[place]
        )
        for place, (label, column) in enumerate(columns.items())
    }
    records = {
        label: record.model_copy(update={"corrected": count})
        for (label, record), count in zip(records.items(), counted.corrected.tolist(), strict=True)
    }
    intensity = scene.carbon_g_per_kwh
    if intensity is not None:
        for label, column in columns.items():
            emitted = float((column.flows.import_kwh[0] * intensity[part]).sum())
            # Unknown where the intensity of any slot is.
            records[label] = records[label].model_copy(
                update={"import_carbon_g": emitted if math.isfinite(emitted) else None}
            )
    return DayResult(
        timeline.start.astimezone(scene.zone).date(), slots, standings, columns, records
    )


def _record(
    column: Trajectory, cost: FloatArray, limits: SiteLimits, *, before: CarryOver, policy: Policy
) -> PolicyDay:
    flows = column.flows
    modes = column.mode[:, 0, :]
    handed_on = (
        np.array(before.modes, dtype=modes.dtype).reshape(-1, 1) if before.modes else modes[:, :1]
    )
    stored = [float(kwh) for kwh in flows.stored_kwh[:, 0, -1]]
    # A sensor frozen at midnight stays frozen on the next day.
    sensor_kwh = (
        [float(kwh) for kwh in policy.sensor_kwh[:, 0]]
        if isinstance(policy, FaultyPolicy)
        else stored
    )
    batteries = limits.batteries
    low = batteries.min_kwh[..., None] - _LITTLE_KWH
    high = batteries.max_kwh[..., None] + _LITTLE_KWH
    breaches = int(((flows.stored_kwh < low) | (flows.stored_kwh > high)).sum())
    return PolicyDay(
        cost=float(cost.sum()),
        import_kwh=float(flows.import_kwh.sum()),
        export_kwh=float(flows.export_kwh.sum()),
        discharge_kwh=float(flows.discharge_kwh.sum()),
        unserved_kwh=float(column.unserved_kwh.sum()),
        violations=int((flows.excess_kwh > 0).sum()) + breaches,
        mode_changes=int((np.diff(modes, axis=-1, prepend=handed_on) != 0).sum()),
        standing=CarryOver(
            stored_kwh=stored,
            seen_kwh=sensor_kwh,
            modes=[int(mode) for mode in modes[:, -1]],
            plan=origin_of(policy),
        ),
    )


SHARES = ("p10", "p50", "p90")
DIGITS = 5
Document = dict[str, Any]


def compose_episode(
    scene: ReplayData, rules: Rules, result: DayResult, *, policy: str, every: int
) -> tuple[Document, Document, float]:
    """Return state, action and reward of a policy's day, one list per quantity with a value per
    slot; the reward is the day's negative cost.

    ``soc`` has one value more than there are slots: the one after a slot belongs to the next state.
    Quantiles are of the forecast in use when the slot was planned; they are left out where a plan
    had none.
    """
    part = slice(*result.slots)
    trajectory = result.trajectories[policy]
    timeline = scene.timeline.window(result.slots[0], result.slots[1] - result.slots[0])
    local = timeline.starts + local_offsets(timeline.starts, scene.zone)
    actuals = scene.actuals
    names = [battery.name for battery in scene.site.batteries]
    stored_kwh = np.concatenate(
        [np.array(result.begun[policy].stored_kwh)[:, None], trajectory.flows.stored_kwh[:, 0, :]],
        axis=1,
    )
    state: Document = {
        "policy": policy,
        "slot_minutes": int(SLOT / timedelta(minutes=1)),
        "hour": _list((local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")),
        "soc": {
            battery.name: _list(stored_kwh[index] / battery.capacity_kwh)
            for index, battery in enumerate(scene.site.batteries)
        },
        "load_kwh": _list(actuals.load_kwh[part]),
        "pv_kwh": _list(actuals.pv_kwh[part]),
        "import_price": _list(rules.import_price[part]),
        "export_price": _list(rules.export_price[part]),
        "import_kwh": _list(trajectory.flows.import_kwh[0]),
        "export_kwh": _list(trajectory.flows.export_kwh[0]),
    }
    action = {
        "mode": {
            name: [Mode(mode).word for mode in trajectory.mode[index, 0].tolist()]
            for index, name in enumerate(names)
        },
        "target_soc": {
            name: _list(trajectory.setpoints.target_soc[index, 0])
            for index, name in enumerate(names)
        },
    }
    return (
        state | _quantiles(scene.forecasts, timeline, every),
        action,
        -result.records[policy].cost,
    )


def _quantiles(book: ForecastArchive, timeline: Timeline, every: int) -> Document:
    """Return quantiles of load and PV by the forecast in use in each slot.

    Empty where any plan had none.
    """
    columns: Document = {}
    for first in range(0, timeline.count, every):
        planned = timeline.window(first, min(every, timeline.count - first))
        forecast = book.find(planned.start, within=timedelta(days=1))
        if forecast is None:
            return {}
        begin = (planned.start - forecast.timeline.start) // forecast.timeline.step
        for name, series in (("load", forecast.load_kwh), ("pv", forecast.pv_kwh)):
            for share in SHARES:
                values = _list(getattr(series, share)[begin : begin + planned.count])
                columns.setdefault(f"{name}_{share}_kwh", []).extend(
                    [*values, *[None] * (planned.count - len(values))]
                )
    return columns


def _list(values: FloatArray) -> list[float]:
    # Adding 0.0 removes negative zeros.
    return [float(value) for value in np.round(values, DIGITS) + 0.0]
