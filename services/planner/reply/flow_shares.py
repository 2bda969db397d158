"""Energy per slot between house, sun, grid and batteries."""

from dataclasses import dataclass

import numpy as np

from luna.energy.physics.inverters import Conversion
from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray, bound

NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class FlowShares:
    """Energies per slot, kWh.

    By battery (``(batteries, slots)``): what it buys, takes from the sun and from other batteries,
    sells, serves, passes on.

    ``direct_kwh`` is what of the sun it takes beyond its inverter. Of the site (``(slots,)``):
    ``short_kwh`` is what the house draws, ``sun_sold_kwh`` surplus that is sold,
    ``sun_curtailed_kwh`` surplus that is held back, without what inverters cannot pass on, and
    ``surplus_kwh`` both together.
    """

    bought_kwh: FloatArray
    sun_kwh: FloatArray
    taken_over_kwh: FloatArray
    direct_kwh: FloatArray
    sold_kwh: FloatArray
    served_kwh: FloatArray
    passed_kwh: FloatArray
    short_kwh: FloatArray
    sun_sold_kwh: FloatArray
    sun_curtailed_kwh: FloatArray
    surplus_kwh: FloatArray


def share_flows(
    flows: Flows, load_kwh: FloatArray, pv_kwh: FloatArray, sun: Conversion | None
) -> FlowShares:
    """Return the flows between house, sun, grid and batteries.

    Several batteries share a flow in proportion to their own.
    """
    produced = pv_kwh - flows.curtailed_kwh
    # What of the sun each battery takes beyond its inverter.
    direct = np.zeros_like(flows.charge_kwh)
    if sun is not None:
        direct = np.minimum(np.minimum(flows.charge_kwh, sun.direct_kwh), produced)
    used = produced - direct.sum(axis=0)
    available = pv_kwh if sun is None else sun.ac_kwh
    need = np.maximum(load_kwh - used, 0.0)
    charge = flows.charge_kwh - direct
    charged = charge.sum(axis=0)
    discharged = flows.discharge_kwh.sum(axis=0)
    served = np.minimum(discharged, need)
    short = np.minimum(flows.import_kwh, need - served)
    bought = bound(flows.import_kwh - short, 0.0, charged)
    sold = np.minimum(flows.export_kwh, discharged - served)
    passed = discharged - served - sold
    into = _share_among_batteries(charge, charged)
    out = _share_among_batteries(flows.discharge_kwh, discharged)
    # Energy that the house could use and does not, because drawing is paid, is no surplus.
    surplus = np.where(need > NOTHING_KWH, 0.0, np.maximum(available - load_kwh, 0.0))
    sun_sold = np.maximum(flows.export_kwh - sold, 0.0)
    unused = np.maximum(available - used, 0.0)
    sun_curtailed = np.minimum(unused, np.maximum(surplus - sun_sold, 0.0))
    return FlowShares(
        bought_kwh=into * bought,
        sun_kwh=direct + into * np.maximum(charged - bought - passed, 0.0),
        taken_over_kwh=into * np.minimum(passed, charged - bought),
        direct_kwh=direct,
        sold_kwh=out * sold,
        served_kwh=out * served,
        passed_kwh=out * passed,
        short_kwh=short,
        sun_sold_kwh=sun_sold,
        sun_curtailed_kwh=sun_curtailed,
        surplus_kwh=sun_sold + sun_curtailed,
    )


def _share_among_batteries(own_kwh: FloatArray, total_kwh: FloatArray) -> FloatArray:
    """Return the share of each battery in what all of them do."""
    nothing = np.zeros_like(own_kwh)
    return np.asarray(np.divide(own_kwh, total_kwh, out=nothing, where=total_kwh > 0.0))
