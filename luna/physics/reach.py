"""What batteries may do in one slot: what is stored, what limits and what they are told."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.physics.inverters import Conversion
from luna.physics.limits import SiteLimits, charge_limit_kw
from luna.physics.mode import BoolArray, SetPoint, buys, sells, serves, stores
from luna.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Reach:
    """What batteries may do in one slot, kWh at their terminals, shape ``(batteries, sites)``."""

    dischargeable: FloatArray
    storable: FloatArray
    spillable: FloatArray
    servable: FloatArray
    buyable: FloatArray
    sellable: FloatArray
    power_kwh: FloatArray
    least_kwh: FloatArray
    absorbable: FloatArray
    direct_kwh: FloatArray

    @classmethod
    def of(cls, setpoint: SetPoint, stored_kwh: FloatArray, *, limits: SiteLimits, hours: FloatArray | float) -> Self:
        battery, mode = limits.batteries, setpoint.mode

        def room_to(soc: FloatArray) -> FloatArray:
            room: FloatArray = np.maximum(soc * battery.capacity_kwh - stored_kwh, 0.0) / battery.charge_efficiency
            return room

        def reach_to(soc: FloatArray) -> FloatArray:
            reach: FloatArray = np.maximum(stored_kwh - soc * battery.capacity_kwh, 0.0) * battery.discharge_efficiency
            return reach

        known = np.isfinite(stored_kwh)
        chargeable = np.where(known, np.minimum(charge_limit_kw(stored_kwh, battery) * hours, room_to(battery.max_soc)), 0.0)
        dischargeable = np.where(known, np.minimum(battery.discharge_limit_kw * hours, reach_to(battery.min_soc)), 0.0)
        # The meter nets: what charges from the grid takes the surplus first, what sells serves the house first.
        target, buying, selling = setpoint.target_soc, buys(mode), sells(mode)
        ceiling = np.where(buying, np.maximum(setpoint.ceiling_soc, target), setpoint.ceiling_soc)
        floor = np.where(selling, np.minimum(setpoint.floor_soc, target), setpoint.floor_soc)
        return cls(
            dischargeable=dischargeable,
            storable=np.where(stores(mode), np.minimum(chargeable, room_to(ceiling)), 0.0),
            # What may neither be exported nor held back has to go into the battery, whatever the set-point says.
            spillable=np.where(limits.curtailable & known, np.minimum(chargeable, room_to(setpoint.spill_soc)), chargeable),
            servable=np.where(serves(mode), np.minimum(dischargeable, reach_to(floor)), 0.0),
            buyable=np.where(buying, np.minimum(chargeable, room_to(target)), 0.0),
            sellable=np.where(selling, np.minimum(dischargeable, reach_to(target)), 0.0),
            power_kwh=setpoint.power_kw * hours,
            least_kwh=battery.min_charge_kw * hours,
            absorbable=chargeable if limits.inverters is None else np.where(known, np.minimum(chargeable, room_to(setpoint.spill_soc)), 0.0),
            direct_kwh=np.zeros_like(chargeable),
        )

    def behind(self, conversion: Conversion) -> Self:
        """Return the reach of batteries whose inverters carry PV besides, with the PV beyond an inverter that its battery takes first."""
        room, most = np.maximum(conversion.room_kwh, 0.0), conversion.intake_kwh + conversion.direct_kwh
        out = {name: np.minimum(getattr(self, name), room) for name in ("dischargeable", "servable", "sellable")}
        into = {name: np.minimum(getattr(self, name), most) for name in ("storable", "spillable", "buyable", "absorbable")}
        taken = np.minimum(conversion.direct_kwh, np.maximum(into["storable"], into["absorbable"]))
        return replace(self, **out, **into, direct_kwh=taken)

    def beside(self, direct_kwh: FloatArray) -> Self:
        """Return what is left of the reach when batteries have taken PV on the DC side: what takes does not sell."""
        if not direct_kwh.any():
            return self
        left = {name: np.maximum(getattr(self, name) - direct_kwh, 0.0) for name in ("storable", "spillable", "buyable", "least_kwh")}
        return replace(self, **left, sellable=np.where(direct_kwh > 0.0, 0.0, self.sellable))

    def without(self, stalled: BoolArray, *, last: BoolArray) -> Self:
        """Return the reach when one of the ``stalled`` batteries of each site charges no more of its own will, or, where none would, not at all."""
        willing = self.storable + self.buyable > 0.0
        chosen = stalled
        for preferred in (willing, ~last):
            narrowed = chosen & preferred
            chosen = np.where(narrowed.any(axis=0), narrowed, chosen)
        chosen = chosen & (np.cumsum(chosen, axis=0) == 1)
        rest = {"storable": np.where(chosen, 0.0, self.storable), "buyable": np.where(chosen, 0.0, self.buyable)}
        unwilling = chosen & ~willing
        reach = replace(self, **rest, spillable=np.where(unwilling, 0.0, self.spillable), absorbable=np.where(unwilling, 0.0, self.absorbable))
        if not self.direct_kwh.any():
            return reach
        return replace(reach, direct_kwh=np.minimum(self.direct_kwh, np.maximum(reach.storable, reach.absorbable)))
