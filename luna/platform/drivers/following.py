"""What a device has no word for, said in words that it has, from what flows now; a session says it anew at every look."""

import math
from typing import NamedTuple

from luna.energy.devices.battery import Mode

# So full, a battery takes nothing that the sun gives unforeseen: an AC power that is set would throttle the roof.
FULL_SOC = 0.99


class HouseFlows(NamedTuple):
    """What flows, W: out of the inverter's AC side, into its battery, out of the grid; below zero the other way."""

    inverter_w: float
    battery_w: float
    grid_w: float

    @property
    def load_w(self) -> float:
        """What the house uses."""
        return self.inverter_w + self.grid_w

    @property
    def idle_w(self) -> float:
        """What the inverter would give if its battery did nothing."""
        return self.inverter_w + self.battery_w


def stand_in(mode: Mode, surplus_w: float) -> Mode:
    """Return what does the same as save or supply while this much is left over of the sun's; NaN: nobody knows, and it holds.

    The device's own self-consumption never discharges while anything is left over, and never charges while something is missing.
    """
    if math.isnan(surplus_w):
        return "hold"
    return "self_consumption" if (mode == "save") == (surplus_w > 0) else "hold"


def ac_power_w(mode: Mode, power_w: float, most_w: float, flows: HouseFlows) -> float:
    """Return what the inverter is to give on its AC side, W, so that its battery holds, charges or exports; below zero it takes.

    Args:
        mode: hold, charge or export.
        power_w: what charging or exporting exchanges with the grid.
        most_w: what the battery bears, NaN where nobody knows.
        flows: as they are.
    """
    if mode == "charge":
        return max(min(flows.idle_w, flows.load_w) - power_w, flows.idle_w - most_w)
    if mode == "export":
        return min(max(flows.idle_w, flows.load_w) + power_w, flows.idle_w + most_w)
    return flows.idle_w


def mode_of_ac_power(ac_w: float, flows: HouseFlows) -> Mode:
    """Return which mode an AC power is, the inverse of ``ac_power_w`` to a watt."""
    if ac_w < min(flows.idle_w, flows.load_w) - 1:
        return "charge"
    return "export" if ac_w > max(flows.idle_w, flows.load_w) + 1 else "hold"
