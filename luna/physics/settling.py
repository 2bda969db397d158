"""What a slot's actual load and PV make of a set-point."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.physics.inverters import Conversion
from luna.physics.limits import SiteLimits
from luna.physics.mode import BoolArray, SetPoint, holds_all_back, holds_export_back, trades
from luna.physics.reach import Reach
from luna.timeline import FloatArray


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
    sun = _Sun.of(setpoint, pv_kwh, limits=limits, hours=hours)
    available = sun.ac_kwh
    deficit, surplus = np.maximum(load_kwh - available, 0.0), np.maximum(available - load_kwh, 0.0)
    reach = Reach.of(setpoint, stored_kwh, limits=limits, hours=hours)
    if sun.conversion is not None:
        reach = reach.behind(sun.conversion)
    last = trades(setpoint.mode)
    serve = _share(deficit, reach.servable, last=last)
    serve = serve + _share(deficit - import_limit - serve.sum(axis=0), reach.dischargeable - serve, last=last)
    deficit = np.maximum(deficit - serve.sum(axis=0), 0.0)
    if sun.conversion is not None:
        reach = replace(reach, direct_kwh=np.where(serve > 0.0, 0.0, reach.direct_kwh))
    direct = reach.direct_kwh
    store, bought, sold = _exchange(surplus, serve, reach.beside(direct), rooms=(import_limit - deficit, export_limit), last=last)
    # What a battery too weak to start leaves, others may take; each pass settles at least one battery in one of its two roles.
    for _ in range(2 * len(stored_kwh)):
        stalled = (direct + store + bought > 0.0) & (direct + store + bought < reach.least_kwh - 1e-9)
        if not stalled.any():
            break
        reach = reach.without(stalled, last=last)
        direct = reach.direct_kwh
        store, bought, sold = _exchange(surplus, serve, reach.beside(direct), rooms=(import_limit - deficit, export_limit), last=last)
    surplus, grid_charge, grid_export = np.maximum(surplus - store.sum(axis=0), 0.0), bought.sum(axis=0), sold.sum(axis=0)
    charge, discharge = direct + store + bought, serve + sold

    passed_on = np.minimum(grid_charge, grid_export)  # one battery's sale is another's purchase: the meter sees neither
    grid_charge, grid_export = grid_charge - passed_on, grid_export - passed_on
    # What neither connection nor battery can carry, PV that was held back does.
    released = np.minimum(sun.releasable_kwh(discharge), np.maximum(deficit - import_limit, 0.0))
    available, deficit = np.minimum(available + released, pv_kwh), deficit - released
    no_export = holds_export_back(setpoint.curtailment) & limits.curtailable
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
        curtailed_kwh=pv_kwh - available - direct.sum(axis=0) + held_back,
        excess_kwh=np.where(excess > 1e-9, excess, 0.0),
    )


@dataclass(frozen=True, slots=True)
class _Sun:
    """What PV gives on the AC side, and would give at most, kWh, shape ``(sites,)``; ``conversion`` and ``free`` say what it gives behind inverters."""

    ac_kwh: FloatArray
    most_kwh: FloatArray
    conversion: Conversion | None = None
    free: Conversion | None = None

    @classmethod
    def of(cls, setpoint: SetPoint, pv_kwh: FloatArray, *, limits: SiteLimits, hours: FloatArray | float) -> Self:
        limit, off = setpoint.pv_limit_kw * hours, holds_all_back(setpoint.curtailment)
        if limits.inverters is None:
            return cls(np.where(off, 0.0, np.minimum(pv_kwh, limit)), pv_kwh)
        free = limits.inverters.convert(pv_kwh, hours)
        share = np.where(free.ac_kwh > limit, limit / np.maximum(free.ac_kwh, 1e-12), 1.0)
        held = free.throttle(np.where(off, 0.0, share))
        return cls(held.ac_kwh, free.ac_kwh, held, free)

    def releasable_kwh(self, discharge_kwh: FloatArray) -> FloatArray:
        """Return what held-back PV may still give: behind an inverter, what that carries beside its battery."""
        held_back = self.most_kwh - self.ac_kwh
        if self.free is None:
            return held_back
        blocked = np.maximum(self.free.own_kwh + discharge_kwh - self.free.limit_kwh, 0.0).sum(axis=0)
        released: FloatArray = np.maximum(held_back - blocked, 0.0)
        return released


def _exchange(
    surplus: FloatArray, serve: FloatArray, reach: Reach, *, rooms: tuple[FloatArray, FloatArray], last: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what each battery stores, buys and sells; ``rooms`` is what the connection still carries inward, and all it carries outward."""
    import_room, export_limit = rooms
    store = _store_surplus(surplus, export_limit, reach, last=last)
    left = surplus - store.sum(axis=0)
    buys, sells = np.minimum(reach.buyable - store, reach.power_kwh), np.where(store > 0.0, 0.0, np.minimum(reach.sellable - serve, reach.power_kwh))
    sold = _share(export_limit - left + np.maximum(buys, 0.0).sum(axis=0), sells, last=last)
    return store, _share(import_room + sold.sum(axis=0), buys, last=last), sold


def _store_surplus(surplus: FloatArray, export_limit: FloatArray, reach: Reach, *, last: BoolArray) -> FloatArray:
    """Return what each battery stores: as its mode says, then what the connection cannot take."""
    store = _share(surplus, reach.storable, last=last)
    room = reach.spillable - store
    spilled = _share(surplus - export_limit - store.sum(axis=0), room, last=last)
    # A battery that cannot charge as slowly as the connection overflows takes more.
    spilled = np.where(spilled > 1e-9, np.minimum(np.maximum(spilled, reach.least_kwh - store), room), 0.0)
    return store + _share(surplus - store.sum(axis=0), spilled, last=last)


def _share(energy_kwh: FloatArray, wanted_kwh: FloatArray, *, last: BoolArray) -> FloatArray:
    """Return what each battery gets of ``energy_kwh`` (``(sites,)``, nothing where negative): in order, those marked ``last`` after all others."""
    wanted: FloatArray = np.maximum(wanted_kwh, 0.0)
    ahead: FloatArray | float = 0.0
    if wanted.shape[0] > 1:
        sooner = np.where(last, 0.0, wanted)
        later = wanted - sooner
        ahead = np.where(last, sooner.sum(axis=0) + np.cumsum(later, axis=0) - later, np.cumsum(sooner, axis=0) - sooner)
    share: FloatArray = np.minimum(np.maximum(energy_kwh - ahead, 0.0), wanted)
    return share
