"""What a battery, an inverter and the grid connection can do; ``clamp`` is the safety layer.

Everything is vectorised: the leading axis counts batteries, the trailing axis sites (or whatever else runs side by side).
Energies are kWh within one slot, measured at the battery's terminals; stored energy is kWh inside the battery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.site import Battery, Site
from luna.timeline import FloatArray

IntArray = NDArray[np.int8]
BoolArray = NDArray[np.bool_]


class Mode(IntEnum):
    """What a battery follows inside a slot; the table stands in docs/architecture.md."""

    SELF_CONSUMPTION = 0
    SAVE = 1
    SUPPLY = 2
    HOLD = 3
    CHARGE = 4
    EXPORT = 5

    @property
    def word(self) -> str:
        """The mode's name on the outside."""
        return self.name.lower()


# By mode: is PV surplus stored, is the load served?
STORES = np.array([True, True, False, False, True, False])
SERVES = np.array([True, False, True, False, False, True])


class Curtailment(IntEnum):
    """How PV is held back: not at all, instead of exporting it, or altogether (importing is paid)."""

    NONE = 0
    EXPORT = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class BatteryLimits:
    """The limits of batteries, each array of shape ``(batteries, 1)`` or ``(batteries, sites)``."""

    capacity_kwh: FloatArray
    min_soc: FloatArray
    max_soc: FloatArray
    charge_limit_kw: FloatArray
    discharge_limit_kw: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    min_charge_kw: FloatArray
    taper_from_soc: FloatArray
    taper_to_share: FloatArray
    charge_from_grid: BoolArray
    discharge_to_grid: BoolArray

    @classmethod
    def of(cls, batteries: Sequence[Battery]) -> Self:
        """Return the limits of one site's batteries, shape ``(batteries, 1)``."""
        contract = {"charge_from_grid", "discharge_to_grid"}
        columns = {name: np.array([[getattr(battery, name)] for battery in batteries], dtype=bool if name in contract else float) for name in cls.__slots__}
        return cls(**{name: column.reshape(len(batteries), 1) for name, column in columns.items()})

    @property
    def min_kwh(self) -> FloatArray:
        """Least stored energy, kWh."""
        return self.min_soc * self.capacity_kwh

    @property
    def max_kwh(self) -> FloatArray:
        """Most stored energy, kWh."""
        return self.max_soc * self.capacity_kwh


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """All limits of a site: batteries, grid connection, and whether PV may be held back."""

    batteries: BatteryLimits
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray
    curtailable: BoolArray

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the limits of one site; grid arrays have shape ``(1,)``."""
        return cls(BatteryLimits.of(site.batteries), np.array([site.grid.import_limit_kw]), np.array([site.grid.export_limit_kw]), np.array([site.curtailable]))


@dataclass(frozen=True, slots=True)
class SetPoint:
    """What batteries and PV are told for one slot; a mode with limits, not a number.

    ``power_kw`` bounds exchange with the grid in the modes charge and export; ``target_soc`` is where that exchange ends.
    Storing surplus ends at ``ceiling_soc``, serving the load at ``floor_soc``. In every mode, surplus that the connection cannot take is
    stored up to ``spill_soc`` before it is held back. Arrays have shape ``(batteries, sites)``; ``curtailment`` and ``pv_limit_kw``, what PV
    may produce at most, have shape ``(sites,)``.
    """

    mode: IntArray
    power_kw: FloatArray
    target_soc: FloatArray
    floor_soc: FloatArray
    ceiling_soc: FloatArray
    spill_soc: FloatArray
    curtailment: IntArray
    pv_limit_kw: FloatArray


@dataclass(frozen=True, slots=True)
class Flows:
    """What happened in a slot, kWh; battery arrays ``(batteries, sites)``, meter arrays ``(sites,)``.

    Invariants: load + charge + export = pv − curtailed + discharge + import, to 1e-9. ``excess_kwh`` is energy beyond a limit of the
    connection that nothing on the site could prevent.
    """

    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    stored_kwh: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    curtailed_kwh: FloatArray
    excess_kwh: FloatArray


def clamp(setpoint: SetPoint, stored_kwh: FloatArray, limits: SiteLimits) -> SetPoint:
    """Return the nearest safe set-point: the one safety layer, whoever proposed the set-point.

    Total: every float is accepted. An unknown mode becomes ``hold``; unknown power becomes 0; an unknown bound becomes the one that moves
    no energy; an unknown state of charge forbids any exchange. Contract limits (no charging from, no discharging to the grid) hold here too.

    Invariants: idempotent; no sequence of clamped set-points leaves the limits of battery and connection.
    """
    battery = limits.batteries
    known = np.isfinite(stored_kwh)
    valid = (setpoint.mode >= 0) & (setpoint.mode <= max(Mode)) & known
    mode = np.where(valid, setpoint.mode, Mode.HOLD)
    mode = np.where((mode == Mode.CHARGE) & ~battery.charge_from_grid, Mode.SAVE, mode)
    mode = np.where((mode == Mode.EXPORT) & ~battery.discharge_to_grid, Mode.SUPPLY, mode)
    charging = mode == Mode.CHARGE
    power_limit = np.where(charging, battery.charge_limit_kw, battery.discharge_limit_kw)
    still = np.where(charging, battery.min_soc, battery.max_soc)
    curtailment = np.where(limits.curtailable & (setpoint.curtailment >= 0) & (setpoint.curtailment <= max(Curtailment)), setpoint.curtailment, 0)
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=np.clip(np.where(np.isnan(setpoint.power_kw), 0.0, setpoint.power_kw), 0.0, power_limit),
        target_soc=_bounded(setpoint.target_soc, still, battery),
        floor_soc=_bounded(setpoint.floor_soc, battery.max_soc, battery),
        ceiling_soc=_bounded(setpoint.ceiling_soc, battery.min_soc, battery),
        spill_soc=_bounded(setpoint.spill_soc, battery.min_soc, battery),
        curtailment=curtailment.astype(np.int8),
        pv_limit_kw=np.where(limits.curtailable & ~np.isnan(setpoint.pv_limit_kw), np.maximum(setpoint.pv_limit_kw, 0.0), np.inf),
    )


def _bounded(soc: FloatArray, unknown: FloatArray, battery: BatteryLimits) -> FloatArray:
    return np.clip(np.where(np.isnan(soc), unknown, soc), battery.min_soc, battery.max_soc)


def charge_limit_kw(stored_kwh: FloatArray, battery: BatteryLimits) -> FloatArray:
    """Return the charging power a battery accepts: constant, then falling linearly from ``taper_from_soc`` to full."""
    span = np.maximum(1.0 - battery.taper_from_soc, 1e-12)
    above = np.clip((stored_kwh / battery.capacity_kwh - battery.taper_from_soc) / span, 0.0, 1.0)
    return battery.charge_limit_kw * (1.0 - above * (1.0 - battery.taper_to_share))


def settle(setpoint: SetPoint, stored_kwh: FloatArray, *, load_kwh: FloatArray, pv_kwh: FloatArray, limits: SiteLimits, hours: FloatArray | float) -> Flows:
    """Return what a slot's actual load and PV make of a clamped set-point.

    Batteries act in order, each on the surplus or deficit that the ones before it left. The connection's limits outrank the mode: a battery
    serves load that the connection cannot carry, and stores PV that may neither be exported nor held back.

    Args:
        setpoint: clamped, shapes as in ``SetPoint``.
        stored_kwh: stored energy at the start of the slot, shape ``(batteries, sites)``.
        load_kwh: what the site used, shape ``(sites,)``, without the batteries.
        pv_kwh: what PV could give, shape ``(sites,)``.
        limits: of the same site or sites.
        hours: length of the slot; an array where the trailing axis counts slots.
    """
    import_limit, export_limit = limits.import_limit_kw * hours, limits.export_limit_kw * hours
    available = np.where(setpoint.curtailment == Curtailment.ALL, 0.0, np.minimum(pv_kwh, setpoint.pv_limit_kw * hours))
    deficit, surplus = np.maximum(load_kwh - available, 0.0), np.maximum(available - load_kwh, 0.0)
    charge, discharge = np.zeros_like(stored_kwh), np.zeros_like(stored_kwh)
    grid_charge, grid_export = np.zeros_like(deficit), np.zeros_like(deficit)
    spilled = np.maximum(surplus - export_limit, 0.0)
    forced_serve = np.maximum(deficit - import_limit, 0.0)
    for index in range(stored_kwh.shape[0]):
        step = _Step.of(setpoint, stored_kwh, index=index, limits=limits, hours=hours)
        # A battery that cannot charge as slowly as the connection overflows takes more.
        overflow = np.where(spilled > 0.0, np.maximum(spilled, step.least_kwh), 0.0)
        store = np.minimum(surplus, np.maximum(step.storable, np.minimum(overflow, step.spillable)))
        serve = np.minimum(deficit, np.maximum(step.servable, np.minimum(forced_serve, step.dischargeable)))
        bought = np.clip(np.minimum(step.buyable - store, import_limit - (deficit - serve) - grid_charge), 0.0, step.power_kwh)
        started = store + bought >= step.least_kwh - 1e-9
        store, bought = np.where(started, store, 0.0), np.where(started, bought, 0.0)
        sold = np.clip(np.minimum(step.sellable - serve, export_limit - (surplus - store) - grid_export), 0.0, step.power_kwh)
        sold = np.where(store > 0.0, 0.0, sold)
        surplus, deficit = surplus - store, deficit - serve
        spilled, forced_serve = np.maximum(spilled - store, 0.0), np.maximum(forced_serve - serve, 0.0)
        grid_charge, grid_export = grid_charge + bought, grid_export + sold
        charge[index], discharge[index] = store + bought, serve + sold

    passed_on = np.minimum(grid_charge, grid_export)  # one battery's sale is another's purchase: the meter sees neither
    grid_charge, grid_export = grid_charge - passed_on, grid_export - passed_on
    # What neither connection nor battery can carry, PV that was held back does.
    released = np.minimum(pv_kwh - available, np.maximum(deficit - import_limit, 0.0))
    available, deficit = available + released, deficit - released
    no_export = (setpoint.curtailment == Curtailment.EXPORT) & limits.curtailable
    room = np.where(no_export, 0.0, np.maximum(export_limit - grid_export, 0.0))
    held_back = np.where(limits.curtailable, np.maximum(surplus - room, 0.0), 0.0)
    imported, exported = deficit + grid_charge, surplus - held_back + grid_export
    excess = np.maximum(imported - import_limit, 0.0) + np.maximum(exported - export_limit, 0.0)
    battery = limits.batteries
    return Flows(
        charge_kwh=charge,
        discharge_kwh=discharge,
        stored_kwh=stored_kwh + charge * battery.charge_efficiency - discharge / battery.discharge_efficiency,
        import_kwh=imported,
        export_kwh=exported,
        curtailed_kwh=pv_kwh - available + held_back,
        excess_kwh=np.where(excess > 1e-9, excess, 0.0),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """What one battery may do in one slot, kWh at its terminals, shape ``(sites,)``."""

    dischargeable: FloatArray
    storable: FloatArray
    spillable: FloatArray
    servable: FloatArray
    buyable: FloatArray
    sellable: FloatArray
    power_kwh: FloatArray
    least_kwh: FloatArray

    @classmethod
    def of(cls, setpoint: SetPoint, stored_kwh: FloatArray, *, index: int, limits: SiteLimits, hours: FloatArray | float) -> Self:
        battery, stored, mode = limits.batteries, stored_kwh[index], setpoint.mode[index]
        capacity, gain, drain = battery.capacity_kwh[index], battery.charge_efficiency[index], battery.discharge_efficiency[index]

        def room_to(soc: FloatArray) -> FloatArray:
            return np.asarray(np.maximum(soc * capacity - stored, 0.0) / gain)

        def reach_to(soc: FloatArray) -> FloatArray:
            return np.asarray(np.maximum(stored - soc * capacity, 0.0) * drain)

        known = np.isfinite(stored)
        chargeable = np.where(known, np.minimum(charge_limit_kw(stored_kwh, battery)[index] * hours, room_to(battery.max_soc[index])), 0.0)
        dischargeable = np.where(known, np.minimum(battery.discharge_limit_kw[index] * hours, reach_to(battery.min_soc[index])), 0.0)
        # The meter nets: what charges from the grid takes the surplus first, what sells serves the house first.
        target = setpoint.target_soc[index]
        ceiling = np.where(mode == Mode.CHARGE, np.maximum(setpoint.ceiling_soc[index], target), setpoint.ceiling_soc[index])
        floor = np.where(mode == Mode.EXPORT, np.minimum(setpoint.floor_soc[index], target), setpoint.floor_soc[index])
        storable = np.where(STORES[mode], np.minimum(chargeable, room_to(ceiling)), 0.0)
        return cls(
            dischargeable=dischargeable,
            storable=storable,
            # What may neither be exported nor held back has to go into the battery, whatever the set-point says.
            spillable=np.where(limits.curtailable & known, np.minimum(chargeable, room_to(setpoint.spill_soc[index])), chargeable),
            servable=np.where(SERVES[mode], np.minimum(dischargeable, reach_to(floor)), 0.0),
            buyable=np.where(mode == Mode.CHARGE, np.minimum(chargeable, room_to(target)), 0.0),
            sellable=np.where(mode == Mode.EXPORT, np.minimum(dischargeable, reach_to(target)), 0.0),
            power_kwh=setpoint.power_kw[index] * hours,
            least_kwh=battery.min_charge_kw[index] * hours,
        )
