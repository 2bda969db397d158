"""Simulate a local day of a replay, all runs side by side, and export it as an episode."""

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
    """A simulated day.

    ``slots`` are its first slot and end in the window. By run there are the state at its start, the
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
    first, end = slots
    part = slice(first, end)
    labels = [policy_run.label for policy_run in policy_runs]
    policies = [factory.make(policy_run, standings[policy_run.label]) for policy_run in policy_runs]
    stored_by_run = np.array([standings[label].stored_kwh for label in labels])
    stored = stored_by_run.T.reshape(-1, len(policy_runs))
    timeline = scene.timeline.window(first, end - first)
    limits = rules.limits.between(first, end)
    counted = CountedPolicy(
        SideBySide([OffsetPolicy(policy, first) for policy in policies]), limits
    )
    actuals = _cut_actuals(scene.actuals, policy_runs, timeline, part)
    trajectory = simulate(counted, actuals, limits=limits, stored_kwh=stored)
    costs = price(
        trajectory,
        import_price=rules.import_price[part],
        export_price=rules.export_price[part],
        wear_price=rules.wear_price,
    ).total
    costs = costs + depth_wear(scene.site.batteries, trajectory.flows.stored_kwh, stored)
    corrected = counted.corrected.tolist()
    columns = {}
    records = {}
    for place, label in enumerate(labels):
        column = trajectory.column(place)
        record = _record(
            column,
            costs[place],
            rules.limits,
            before=standings[label],
            policy=policies[place],
        )
        columns[label] = column
        carbon_g = _emitted_g(scene, column, part)
        records[label] = record.model_copy(
            update={"corrected": corrected[place], "import_carbon_g": carbon_g}
        )
    day = timeline.start.astimezone(scene.zone).date()
    return DayResult(day, slots, standings, columns, records)


def _cut_actuals(
    actuals: Actuals, policy_runs: Sequence[PolicyRun], timeline: Timeline, part: slice
) -> Actuals:
    """Return the actual energies and outages of some slots, a row for each run."""
    shape = (len(policy_runs), timeline.count)
    off_grid = np.zeros(shape, dtype=bool)
    for place, policy_run in enumerate(policy_runs):
        if policy_run.fault_effects is not None:
            off_grid[place] = policy_run.fault_effects.off_grid[part]
    return Actuals(
        timeline,
        np.broadcast_to(actuals.load_kwh[part], shape),
        np.broadcast_to(actuals.pv_kwh[part], shape),
        off_grid if off_grid.any() else None,
    )


def _emitted_g(scene: ReplayData, column: Trajectory, part: slice) -> float | None:
    """Return the carbon of a run's imports; None where the intensity of any slot is unknown."""
    if scene.carbon_g_per_kwh is None:
        return None
    emitted = float((column.flows.import_kwh[0] * scene.carbon_g_per_kwh[part]).sum())
    return emitted if math.isfinite(emitted) else None


def _record(
    column: Trajectory, cost: FloatArray, limits: SiteLimits, *, before: CarryOver, policy: Policy
) -> PolicyDay:
    flows = column.flows
    modes = column.mode[:, 0, :]
    modes_before = modes[:, :1]
    if before.modes:
        modes_before = np.array(before.modes, dtype=modes.dtype).reshape(-1, 1)
    stored = [float(kwh) for kwh in flows.stored_kwh[:, 0, -1]]
    sensor_kwh = stored
    if isinstance(policy, FaultyPolicy):
        # A sensor frozen at midnight stays frozen on the next day.
        sensor_kwh = [float(kwh) for kwh in policy.sensor_kwh[:, 0]]
    batteries = limits.batteries
    low = batteries.min_kwh[..., None] - _LITTLE_KWH
    high = batteries.max_kwh[..., None] + _LITTLE_KWH
    breaches = int(((flows.stored_kwh < low) | (flows.stored_kwh > high)).sum())
    changes = np.diff(modes, axis=-1, prepend=modes_before) != 0
    return PolicyDay(
        cost=float(cost.sum()),
        import_kwh=float(flows.import_kwh.sum()),
        export_kwh=float(flows.export_kwh.sum()),
        discharge_kwh=float(flows.discharge_kwh.sum()),
        unserved_kwh=float(column.unserved_kwh.sum()),
        violations=int((flows.excess_kwh > 0).sum()) + breaches,
        mode_changes=int(changes.sum()),
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
    """Return state, action and reward of a policy's day.

    State and action have one list per quantity with a value per slot; the reward is the day's
    negative cost. ``soc`` has one value more than there are slots: the one after a slot belongs to
    the next state. Quantiles are of the forecast in use when the slot was planned; they are left
    out where a plan had none.
    """
    first, end = result.slots
    part = slice(first, end)
    trajectory = result.trajectories[policy]
    timeline = scene.timeline.window(first, end - first)
    local = timeline.starts + local_offsets(timeline.starts, scene.zone)
    since_midnight = local - local.astype("datetime64[D]")
    actuals = scene.actuals
    begin_kwh = np.array(result.begun[policy].stored_kwh)[:, None]
    stored_kwh = np.concatenate([begin_kwh, trajectory.flows.stored_kwh[:, 0, :]], axis=1)
    soc = {}
    modes = {}
    target_soc = {}
    for index, battery in enumerate(scene.site.batteries):
        soc[battery.name] = _list(stored_kwh[index] / battery.capacity_kwh)
        modes[battery.name] = [Mode(mode).word for mode in trajectory.mode[index, 0].tolist()]
        target_soc[battery.name] = _list(trajectory.setpoints.target_soc[index, 0])
    state: Document = {
        "policy": policy,
        "slot_minutes": int(SLOT / timedelta(minutes=1)),
        "hour": _list(since_midnight / np.timedelta64(1, "h")),
        "soc": soc,
        "load_kwh": _list(actuals.load_kwh[part]),
        "pv_kwh": _list(actuals.pv_kwh[part]),
        "import_price": _list(rules.import_price[part]),
        "export_price": _list(rules.export_price[part]),
        "import_kwh": _list(trajectory.flows.import_kwh[0]),
        "export_kwh": _list(trajectory.flows.export_kwh[0]),
    }
    action: Document = {"mode": modes, "target_soc": target_soc}
    quantiles = _quantiles(scene.forecasts, timeline, every)
    return state | quantiles, action, -result.records[policy].cost


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
                column = columns.setdefault(f"{name}_{share}_kwh", [])
                column.extend(values)
                column.extend([None] * (planned.count - len(values)))
    return columns


def _list(values: FloatArray) -> list[float]:
    # Adding 0.0 removes negative zeros.
    return [float(value) for value in np.round(values, DIGITS) + 0.0]
