"""A day of a replay, slot by slot and in short: what pictures and tables of it are made from."""

from collections.abc import Mapping

import numpy as np

from luna.contracts.agent import PolicyDayTrace, SlotTrace, TradedSlots
from luna.contracts.replay import DayCost
from luna.energy.physics import Mode
from luna.energy.timeline import FloatArray
from services.planner.replay import DayResult, ReplayData, Rules

# Less is rounding, no decision.
LITTLE_KWH = 1e-6


def trace_day(scene: ReplayData, rules: Rules, result: DayResult, costs: Mapping[str, DayCost]) -> dict[str, PolicyDayTrace]:
    """Return the traces of policies on a day.

    Args:
        scene: of the day's replay.
        rules: the same replay's.
        result: the day.
        costs: what the replay counts for it, by the policies to be traced.
    """
    part = slice(*result.slots)
    prices = rules.import_price[part]
    capacity_kwh = sum(battery.capacity_kwh for battery in scene.site.batteries)
    traces = {}
    for name, cost in costs.items():
        trajectory = result.trajectories[name]
        flows = trajectory.flows
        net = (flows.charge_kwh - flows.discharge_kwh)[:, 0].sum(axis=0)
        columns = {
            "import_price": prices,
            "export_price": rules.export_price[part],
            "load_kwh": scene.actuals.load_kwh[part],
            "pv_kwh": scene.actuals.pv_kwh[part],
            "charge_kwh": flows.charge_kwh[:, 0].sum(axis=0),
            "discharge_kwh": flows.discharge_kwh[:, 0].sum(axis=0),
            "import_kwh": flows.import_kwh[0],
            "export_kwh": flows.export_kwh[0],
            "soc": flows.stored_kwh[:, 0].sum(axis=0) / capacity_kwh,
        }
        modes = trajectory.mode[:, 0].T.tolist()
        slots = [
            SlotTrace(start=start, mode=", ".join(Mode(mode).word for mode in slot_modes), **dict(zip(columns, map(float, values), strict=True)))
            for start, slot_modes, *values in zip(trajectory.timeline, modes, *columns.values(), strict=True)
        ]
        traces[name] = PolicyDayTrace(
            cost=cost.cost,
            value_gain=cost.value_gain,
            charging=count_traded(net, prices),
            discharging=count_traded(-net, prices),
            slots=slots,
        )
    return traces


def count_traded(energy_kwh: FloatArray, price: FloatArray) -> TradedSlots:
    """Return in how many slots energy flows, at which mean price, and how many of them are cheap: below the day's median; all others are dear."""
    traded = energy_kwh > LITTLE_KWH
    count, cheap = int(traded.sum()), int((traded & (price < np.median(price))).sum())
    mean = float(price[traded].mean()) if count else None
    return TradedSlots(slots=count, kwh=float(energy_kwh[traded].sum()), mean_price=mean, cheap=cheap, dear=count - cheap)
