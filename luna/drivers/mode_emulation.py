"""Emulates modes that a device lacks, from the current power flows.

A session repeats the computation at every look.
"""

import math
from typing import NamedTuple

from luna.energy.devices.battery import Mode

# At this state of charge the battery cannot absorb unforeseen PV: a fixed AC power would curtail
# it.
FULL_SOC = 0.99


class HouseFlows(NamedTuple):
    """Power flows, W.

    Out of the inverter's AC side, into its battery, out of the grid.

    Negative in the other direction.
    """

    inverter_w: float
    battery_w: float
    grid_w: float

    @property
    def load_w(self) -> float:
        """The load of the house."""
        return self.inverter_w + self.grid_w

    @property
    def idle_w(self) -> float:
        """The AC output of the inverter if its battery were idle."""
        return self.inverter_w + self.battery_w


def stand_in(mode: Mode, surplus_w: float) -> Mode:
    """Return the mode that acts as save or supply at this PV surplus, W.

    Where it is unknown (NaN) the battery holds.

    The device's own self-consumption never discharges during a surplus, and never charges during a
    deficit.
    """
    if math.isnan(surplus_w):
        return "hold"
    return "self_consumption" if (mode == "save") == (surplus_w > 0) else "hold"


def ac_power_w(mode: Mode, power_w: float, most_w: float, flows: HouseFlows) -> float:
    """Return the inverter's AC output, W, at which its battery holds, charges or exports.

    Negative: it takes power.

    Args:
        mode: hold, charge or export.
        power_w: exchanged with the grid by charging or exporting.
        most_w: the battery's limit, NaN where unknown.
        flows: now.
    """
    if mode == "charge":
        return max(min(flows.idle_w, flows.load_w) - power_w, flows.idle_w - most_w)
    if mode == "export":
        return min(max(flows.idle_w, flows.load_w) + power_w, flows.idle_w + most_w)
    return flows.idle_w


def mode_of_ac_power(ac_w: float, flows: HouseFlows) -> Mode:
    """Return the mode that an AC power commands, the inverse of ``ac_power_w`` to a watt."""
    if ac_w < min(flows.idle_w, flows.load_w) - 1:
        return "charge"
    return "export" if ac_w > max(flows.idle_w, flows.load_w) + 1 else "hold"
