"""Who gives what to whom in a slot: how the flows of batteries, sun, house and grid go together.

A meter nets: what batteries give serves the house first, what is drawn supplies it before it charges anything.
"""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.plan import Plan

_NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class FlowShares:
    """Energies per slot, kWh. By battery (``(batteries, slots)``): what it buys, takes from the sun and from other batteries, sells, serves, passes on.

    ``direct_kwh`` is what of the sun it takes beyond its inverter. Of the site (``(slots,)``): ``short_kwh`` is what the house draws, ``sun_sold_kwh``
    surplus that is sold, ``held_kwh`` surplus that is held back, without what inverters cannot pass on.
    """

    bought_kwh: FloatArray
    sun_kwh: FloatArray
    taken_kwh: FloatArray
    direct_kwh: FloatArray
    sold_kwh: FloatArray
    served_kwh: FloatArray
    passed_kwh: FloatArray
    short_kwh: FloatArray
    sun_sold_kwh: FloatArray
    held_kwh: FloatArray


def share_flows(plan: Plan) -> FlowShares:
    """Return who gives what to whom; several batteries that do the same share it by how much they do."""
    problem, flows = plan.problem, plan.flows
    load, sun = problem.outlook.load_kwh, problem.conversion
    produced = problem.outlook.pv_kwh - flows.curtailed_kwh
    direct = np.zeros_like(flows.charge_kwh) if sun is None else np.minimum(np.minimum(flows.charge_kwh, sun.direct_kwh), produced)
    used, available = produced - direct.sum(axis=0), problem.ac_pv_kwh
    need = np.maximum(load - used, 0.0)
    charge = flows.charge_kwh - direct
    taken_in, given = charge.sum(axis=0), flows.discharge_kwh.sum(axis=0)
    served = np.minimum(given, need)
    short = np.minimum(flows.import_kwh, need - served)
    bought = np.clip(flows.import_kwh - short, 0.0, taken_in)
    sold = np.minimum(flows.export_kwh, given - served)
    passed = given - served - sold
    into, out = _divide(charge, taken_in), _divide(flows.discharge_kwh, given)
    # What the house could use and does not, because drawing is paid, is no surplus.
    surplus = np.where(need > _NOTHING_KWH, 0.0, np.maximum(available - load, 0.0))
    sun_sold = np.maximum(flows.export_kwh - sold, 0.0)
    return FlowShares(
        bought_kwh=into * bought,
        sun_kwh=direct + into * np.maximum(taken_in - bought - passed, 0.0),
        taken_kwh=into * np.minimum(passed, taken_in - bought),
        direct_kwh=direct,
        sold_kwh=out * sold,
        served_kwh=out * served,
        passed_kwh=out * passed,
        short_kwh=short,
        sun_sold_kwh=sun_sold,
        held_kwh=np.minimum(np.maximum(available - used, 0.0), np.maximum(surplus - sun_sold, 0.0)),
    )


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return the share of each battery in what all of them do."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)
