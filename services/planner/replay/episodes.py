"""A day of a replay as a training episode: what the policy saw, did, and what it cost."""

from datetime import timedelta
from typing import Any

import numpy as np

from luna.energy.physics import Mode
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_offsets
from services.planner.problem.knowledge import ForecastArchive
from services.planner.replay.data import ReplayData, Rules
from services.planner.replay.days import DayResult

SHARES = ("p10", "p50", "p90")
DIGITS = 5
Document = dict[str, Any]


def compose_episode(scene: ReplayData, rules: Rules, result: DayResult, *, policy: str, every: int) -> tuple[Document, Document, float]:
    """Return state, action and reward of a policy's day, one list per quantity with a value per slot; the reward is the day's cost, negative.

    ``soc`` has one value more than there are slots: that after a slot belongs to the next state. Quantiles are those of the forecast in use when
    the slot was planned; they are missing where the policy plans from none.
    """
    part, trajectory = slice(*result.slots), result.trajectories[policy]
    timeline = scene.timeline.window(result.slots[0], result.slots[1] - result.slots[0])
    local = timeline.starts + local_offsets(timeline.starts, scene.zone)
    actuals, names = scene.actuals, [battery.name for battery in scene.site.batteries]
    stored_kwh = np.concatenate([np.array(result.begun[policy].stored_kwh)[:, None], trajectory.flows.stored_kwh[:, 0, :]], axis=1)
    state: Document = {
        "policy": policy,
        "slot_minutes": int(SLOT / timedelta(minutes=1)),
        "hour": _list((local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")),
        "soc": {battery.name: _list(stored_kwh[index] / battery.capacity_kwh) for index, battery in enumerate(scene.site.batteries)},
        "load_kwh": _list(actuals.load_kwh[part]),
        "pv_kwh": _list(actuals.pv_kwh[part]),
        "import_price": _list(rules.import_price[part]),
        "export_price": _list(rules.export_price[part]),
        "import_kwh": _list(trajectory.flows.import_kwh[0]),
        "export_kwh": _list(trajectory.flows.export_kwh[0]),
    }
    action = {
        "mode": {name: [Mode(mode).word for mode in trajectory.mode[index, 0].tolist()] for index, name in enumerate(names)},
        "target_soc": {name: _list(trajectory.setpoints.target_soc[index, 0]) for index, name in enumerate(names)},
    }
    return state | _quantiles(scene.forecasts, timeline, every), action, -result.records[policy].cost


def _quantiles(book: ForecastArchive, timeline: Timeline, every: int) -> Document:
    """Return load and PV as expected by the forecast in use in each slot."""
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
                columns.setdefault(f"{name}_{share}_kwh", []).extend([*values, *[None] * (planned.count - len(values))])
    return columns


def _list(values: FloatArray) -> list[float]:
    # Adding nought makes one of the two zeros.
    return [float(value) for value in np.round(values, DIGITS) + 0.0]
