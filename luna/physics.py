"""What a battery, an inverter and the grid connection can do; ``clamp`` is the safety layer.

Everything is vectorised: the leading axis counts batteries, the trailing axis sites (or whatever else runs side by side).
Energies are kWh within one slot, measured at the battery's terminals; stored energy is kWh inside the battery.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    Batteries that follow the house act first, in order, then those that also trade with the grid; each on the surplus or deficit that the
    ones before it left. The connection's limits outrank the mode: what modes leave beyond them, batteries serve or store all the same.

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
    reach = _Reach.of(setpoint, stored_kwh, limits=limits, hours=hours)
    trades = setpoint.mode >= Mode.CHARGE
    serve = _share(deficit, reach.servable, last=trades)
    serve = serve + _share(deficit - import_limit - serve.sum(axis=0), reach.dischargeable - serve, last=trades)
    deficit = np.maximum(deficit - serve.sum(axis=0), 0.0)
    store, bought, sold = _exchange(surplus, serve, reach, rooms=(import_limit - deficit, export_limit), last=trades)
    # What a battery too weak to start leaves, others may take; each pass settles at least one battery in one of its two roles.
    for _ in range(2 * len(stored_kwh)):
        stalled = (store + bought > 0.0) & (store + bought < reach.least_kwh - 1e-9)
        if not stalled.any():
            break
        reach = reach.without(stalled, last=trades)
        store, bought, sold = _exchange(surplus, serve, reach, rooms=(import_limit - deficit, export_limit), last=trades)
    surplus, grid_charge, grid_export = np.maximum(surplus - store.sum(axis=0), 0.0), bought.sum(axis=0), sold.sum(axis=0)
    charge, discharge = store + bought, serve + sold

    passed_on = np.minimum(grid_charge, grid_export)  # one battery's sale is another's purchase: the meter sees neither
    grid_charge, grid_export = grid_charge - passed_on, grid_export - passed_on
    # What neither connection nor battery can carry, PV that was held back does.
    released = np.minimum(pv_kwh - available, np.maximum(deficit - import_limit, 0.0))
    available, deficit = np.minimum(available + released, pv_kwh), deficit - released
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


def _exchange(
    surplus: FloatArray, serve: FloatArray, reach: "_Reach", *, rooms: tuple[FloatArray, FloatArray], last: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what each battery stores, buys and sells; ``rooms`` is what the connection still carries inward, and all it carries outward."""
    import_room, export_limit = rooms
    store = _store_surplus(surplus, export_limit, reach, last=last)
    left = surplus - store.sum(axis=0)
    buys, sells = np.minimum(reach.buyable - store, reach.power_kwh), np.where(store > 0.0, 0.0, np.minimum(reach.sellable - serve, reach.power_kwh))
    sold = _share(export_limit - left + np.maximum(buys, 0.0).sum(axis=0), sells, last=last)
    return store, _share(import_room + sold.sum(axis=0), buys, last=last), sold


def _store_surplus(surplus: FloatArray, export_limit: FloatArray, reach: "_Reach", *, last: BoolArray) -> FloatArray:
    """Return what each battery stores: as its mode says, then what the connection cannot take."""
    store = _share(surplus, reach.storable, last=last)
    room = reach.spillable - store
    spilled = _share(surplus - export_limit - store.sum(axis=0), room, last=last)
    # A battery that cannot charge as slowly as the connection overflows takes more.
    spilled = np.where(spilled > 1e-9, np.minimum(np.maximum(spilled, reach.least_kwh - store), room), 0.0)
    return store + _share(surplus - store.sum(axis=0), spilled, last=last)


def _share(energy_kwh: FloatArray, wanted_kwh: FloatArray, *, last: BoolArray) -> FloatArray:
    """Return what each battery gets of ``energy_kwh`` (``(sites,)``, nothing where negative): in order, those marked ``last`` after all others."""
    wanted = np.maximum(wanted_kwh, 0.0)
    if wanted.shape[0] == 1:
        return np.asarray(np.minimum(np.maximum(energy_kwh, 0.0), wanted))
    sooner = np.where(last, 0.0, wanted)
    later = wanted - sooner
    ahead = np.where(last, sooner.sum(axis=0) + np.cumsum(later, axis=0) - later, np.cumsum(sooner, axis=0) - sooner)
    return np.asarray(np.minimum(np.maximum(energy_kwh - ahead, 0.0), wanted))


@dataclass(frozen=True, slots=True)
class _Reach:
    """What batteries may do in one slot, kWh at their terminals, shape ``(batteries, sites)``."""

    dischargeable: FloatArray
    storable: FloatArray
    spillable: FloatArray
    servable: FloatArray
    buyable: FloatArray
    sellable: FloatArray
    power_kwh: FloatArray
    least_kwh: FloatArray

    @classmethod
    def of(cls, setpoint: SetPoint, stored_kwh: FloatArray, *, limits: SiteLimits, hours: FloatArray | float) -> Self:
        battery, mode = limits.batteries, setpoint.mode

        def room_to(soc: FloatArray) -> FloatArray:
            return np.asarray(np.maximum(soc * battery.capacity_kwh - stored_kwh, 0.0) / battery.charge_efficiency)

        def reach_to(soc: FloatArray) -> FloatArray:
            return np.asarray(np.maximum(stored_kwh - soc * battery.capacity_kwh, 0.0) * battery.discharge_efficiency)

        known = np.isfinite(stored_kwh)
        chargeable = np.where(known, np.minimum(charge_limit_kw(stored_kwh, battery) * hours, room_to(battery.max_soc)), 0.0)
        dischargeable = np.where(known, np.minimum(battery.discharge_limit_kw * hours, reach_to(battery.min_soc)), 0.0)
        # The meter nets: what charges from the grid takes the surplus first, what sells serves the house first.
        target = setpoint.target_soc
        ceiling = np.where(mode == Mode.CHARGE, np.maximum(setpoint.ceiling_soc, target), setpoint.ceiling_soc)
        floor = np.where(mode == Mode.EXPORT, np.minimum(setpoint.floor_soc, target), setpoint.floor_soc)
        return cls(
            dischargeable=dischargeable,
            storable=np.where(STORES[mode], np.minimum(chargeable, room_to(ceiling)), 0.0),
            # What may neither be exported nor held back has to go into the battery, whatever the set-point says.
            spillable=np.where(limits.curtailable & known, np.minimum(chargeable, room_to(setpoint.spill_soc)), chargeable),
            servable=np.where(SERVES[mode], np.minimum(dischargeable, reach_to(floor)), 0.0),
            buyable=np.where(mode == Mode.CHARGE, np.minimum(chargeable, room_to(target)), 0.0),
            sellable=np.where(mode == Mode.EXPORT, np.minimum(dischargeable, reach_to(target)), 0.0),
            power_kwh=setpoint.power_kw * hours,
            least_kwh=battery.min_charge_kw * hours,
        )

    def without(self, stalled: BoolArray, *, last: BoolArray) -> Self:
        """Return the reach when one of the ``stalled`` batteries of each site charges no more of its own will, or, where none would, not at all."""
        willing = self.storable + self.buyable > 0.0
        chosen = stalled
        for preferred in (willing, ~last):
            narrowed = chosen & preferred
            chosen = np.where(narrowed.any(axis=0), narrowed, chosen)
        chosen = chosen & (np.cumsum(chosen, axis=0) == 1)
        rest = {"storable": np.where(chosen, 0.0, self.storable), "buyable": np.where(chosen, 0.0, self.buyable)}
        return replace(self, **rest, spillable=np.where(chosen & ~willing, 0.0, self.spillable))
