"""The simulation of one slot: flows of a clamped set-point.

They follow from the slot's actual load and PV.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.energy.physics.inverters import Conversion
from luna.energy.physics.limits import SiteLimits, charge_limit_kw
from luna.energy.physics.mode import (
    BoolArray,
    SetPoint,
    buys,
    holds_all_back,
    holds_export_back,
    sells,
    serves,
    stores,
    trades,
)
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Flows:
    """The energy flows of a slot, kWh.

    Battery arrays ``(batteries, sites)``, meter arrays ``(sites,)``.

    Invariants: load + charge + export = pv − curtailed + discharge + import, to 1e-9.
    ``excess_kwh`` is energy beyond a limit of the connection that nothing on the site could
    prevent.
    """

    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    stored_kwh: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    curtailed_kwh: FloatArray
    excess_kwh: FloatArray


@dataclass(frozen=True, slots=True)
class SlotActuals:
    """A slot's actual load, possible PV and length.

    The load is the site's without its batteries; both are kWh of shape ``(sites,)``. ``hours`` is
    an array where the trailing axis counts slots.
    """

    load_kwh: FloatArray
    pv_kwh: FloatArray
    hours: FloatArray | float


def simulate_slot(
    setpoint: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, *, limits: SiteLimits
) -> Flows:
    """Return the energy flows of a clamped set-point under a slot's actual load and PV.

    Batteries that follow the house act first, in order, then those that also trade with the grid;
    each on the surplus or deficit that the ones before it left. The connection's limits outrank the
    mode: what modes leave beyond them, batteries serve or store all the same.

    Args:
        setpoint: clamped, shapes as in ``SetPoint``.
        stored_kwh: stored energy at the start of the slot, shape ``(batteries, sites)``.
        actuals: what the slot brings.
        limits: of the same site or sites.
    """
    pv = _PvSupply.of(setpoint, actuals, limits=limits)
    meter = _Meter.of(actuals, pv.ac_kwh, limits=limits)
    envelope = BatteryEnvelope.of(setpoint, stored_kwh, limits=limits, hours=actuals.hours)
    if pv.conversion is not None:
        envelope = envelope.behind(pv.conversion)
    trades_last = trades(setpoint.mode)
    serve = _serve_deficit(meter, envelope, trades_last=trades_last)
    meter = meter.served(serve)
    if pv.conversion is not None:
        envelope = replace(envelope, direct_kwh=np.where(serve > 0.0, 0.0, envelope.direct_kwh))
    moved = _exchange(meter, serve, envelope, trades_last=trades_last)
    no_export = holds_export_back(setpoint.curtailment) & limits.curtailable
    imported, exported, curtailed = _cross_meter(
        meter, moved, pv, no_export=no_export, curtailable=limits.curtailable
    )
    import_excess = np.maximum(imported - meter.import_limit, 0.0)
    export_excess = np.maximum(exported - meter.export_limit, 0.0)
    excess = import_excess + export_excess
    battery = limits.batteries
    into_kwh = moved.charge * battery.charge_efficiency
    out_kwh = moved.discharge / battery.discharge_efficiency
    return Flows(
        charge_kwh=moved.charge,
        discharge_kwh=moved.discharge,
        stored_kwh=stored_kwh + into_kwh - out_kwh,
        import_kwh=imported,
        export_kwh=exported,
        curtailed_kwh=curtailed,
        excess_kwh=np.where(excess > 1e-9, excess, 0.0),
    )


@dataclass(frozen=True, slots=True)
class _PvSupply:
    """A slot's PV, kWh, shape ``(sites,)``.

    Attributes:
        ac_kwh: on the AC side, curtailed.
        most_kwh: on the AC side, not curtailed.
        pv_kwh: before conversion.
        conversion: the curtailed PV behind hybrid inverters; None without one.
        free: the same, not curtailed.
    """

    ac_kwh: FloatArray
    most_kwh: FloatArray
    pv_kwh: FloatArray
    conversion: Conversion | None = None
    free: Conversion | None = None

    @classmethod
    def of(cls, setpoint: SetPoint, actuals: SlotActuals, *, limits: SiteLimits) -> Self:
        pv_kwh = actuals.pv_kwh
        hours = actuals.hours
        limit = setpoint.pv_limit_kw * hours
        off = holds_all_back(setpoint.curtailment)
        if limits.inverters is None:
            return cls(np.where(off, 0.0, np.minimum(pv_kwh, limit)), pv_kwh, pv_kwh)
        free = limits.inverters.convert(pv_kwh, hours)
        share = np.where(free.ac_kwh > limit, limit / np.maximum(free.ac_kwh, 1e-12), 1.0)
        throttled = free.throttle(np.where(off, 0.0, share))
        return cls(throttled.ac_kwh, free.ac_kwh, pv_kwh, throttled, free)

    def releasable_kwh(self, discharge_kwh: FloatArray) -> FloatArray:
        """Return the curtailed PV that can still be released.

        A hybrid inverter carries no more than its limit beside its battery.
        """
        curtailed = self.most_kwh - self.ac_kwh
        if self.free is None:
            return curtailed
        beyond_limit = self.free.own_kwh + discharge_kwh - self.free.limit_kwh
        blocked = np.maximum(beyond_limit, 0.0).sum(axis=0)
        released: FloatArray = np.maximum(curtailed - blocked, 0.0)
        return released


@dataclass(frozen=True, slots=True)
class _Meter:
    """The house's deficit and surplus before batteries, and its limits.

    All are kWh of shape ``(sites,)``; the limits are the connection's.
    """

    deficit: FloatArray
    surplus: FloatArray
    import_limit: FloatArray
    export_limit: FloatArray

    @classmethod
    def of(cls, actuals: SlotActuals, ac_kwh: FloatArray, *, limits: SiteLimits) -> Self:
        load = actuals.load_kwh
        hours = actuals.hours
        deficit = np.maximum(load - ac_kwh, 0.0)
        surplus = np.maximum(ac_kwh - load, 0.0)
        return cls(deficit, surplus, limits.import_limit_kw * hours, limits.export_limit_kw * hours)

    def served(self, serve: FloatArray) -> "_Meter":
        """Return the meter after batteries have served the load."""
        return _Meter(
            np.maximum(self.deficit - serve.sum(axis=0), 0.0),
            self.surplus,
            self.import_limit,
            self.export_limit,
        )


@dataclass(frozen=True, slots=True)
class BatteryEnvelope:
    """The most energy each battery can move in one slot, by purpose.

    All are kWh at its terminals, shape ``(batteries, sites)``.

    Attributes:
        dischargeable: its highest discharge.
        storable: surplus that it stores by its mode.
        spillable: surplus that it can store where it would be lost otherwise.
        servable: load that it serves by its mode.
        buyable: energy that it charges from the grid by its mode.
        sellable: energy that it sells by its mode.
        power_kwh: its power for the grid by its set-point.
        least_kwh: its lowest charge.
        absorbable: highest charge from PV on the DC side.
        direct_kwh: PV on the DC side that it takes before anything else.
    """

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
    def of(
        cls,
        setpoint: SetPoint,
        stored_kwh: FloatArray,
        *,
        limits: SiteLimits,
        hours: FloatArray | float,
    ) -> Self:
        battery = limits.batteries
        mode = setpoint.mode

        def room_to(soc: FloatArray) -> FloatArray:
            missing_kwh = np.maximum(soc * battery.capacity_kwh - stored_kwh, 0.0)
            room: FloatArray = missing_kwh / battery.charge_efficiency
            return room

        def energy_above(soc: FloatArray) -> FloatArray:
            surplus_kwh = np.maximum(stored_kwh - soc * battery.capacity_kwh, 0.0)
            energy: FloatArray = surplus_kwh * battery.discharge_efficiency
            return energy

        is_finite = np.isfinite(stored_kwh)
        most_charge = charge_limit_kw(stored_kwh, battery) * hours
        most_discharge = battery.discharge_limit_kw * hours
        chargeable = np.where(is_finite, np.minimum(most_charge, room_to(battery.max_soc)), 0.0)
        dischargeable = np.where(
            is_finite, np.minimum(most_discharge, energy_above(battery.min_soc)), 0.0
        )
        # The meter nets: what charges from the grid takes the surplus first, what sells serves the
        # house first.
        target = setpoint.target_soc
        buying = buys(mode)
        selling = sells(mode)
        ceiling = np.where(buying, np.maximum(setpoint.ceiling_soc, target), setpoint.ceiling_soc)
        floor = np.where(selling, np.minimum(setpoint.floor_soc, target), setpoint.floor_soc)
        spillable = np.minimum(chargeable, room_to(setpoint.spill_soc))
        absorbable = chargeable
        if limits.inverters is not None:
            absorbable = np.where(is_finite, spillable, 0.0)
        return cls(
            dischargeable=dischargeable,
            storable=np.where(stores(mode), np.minimum(chargeable, room_to(ceiling)), 0.0),
            # Energy that can neither be exported nor curtailed goes into the battery, whatever the
            # set-point.
            spillable=np.where(limits.curtailable & is_finite, spillable, chargeable),
            servable=np.where(serves(mode), np.minimum(dischargeable, energy_above(floor)), 0.0),
            buyable=np.where(buying, np.minimum(chargeable, room_to(target)), 0.0),
            sellable=np.where(selling, np.minimum(dischargeable, energy_above(target)), 0.0),
            power_kwh=setpoint.power_kw * hours,
            least_kwh=battery.min_charge_kw * hours,
            absorbable=absorbable,
            direct_kwh=np.zeros_like(chargeable),
        )

    def behind(self, conversion: Conversion) -> Self:
        """Return the envelope narrowed to what hybrid inverters carry beside PV.

        It holds the DC-side PV that each battery takes first.
        """
        room = np.maximum(conversion.room_kwh, 0.0)
        most = conversion.intake_kwh + conversion.direct_kwh
        storable = np.minimum(self.storable, most)
        absorbable = np.minimum(self.absorbable, most)
        most_direct = np.maximum(storable, absorbable)
        return replace(
            self,
            dischargeable=np.minimum(self.dischargeable, room),
            servable=np.minimum(self.servable, room),
            sellable=np.minimum(self.sellable, room),
            storable=storable,
            spillable=np.minimum(self.spillable, most),
            buyable=np.minimum(self.buyable, most),
            absorbable=absorbable,
            direct_kwh=np.minimum(conversion.direct_kwh, most_direct),
        )

    def beside(self, direct_kwh: FloatArray) -> Self:
        """Return the envelope left after charging ``direct_kwh`` on the DC side.

        A battery that charges does not sell.
        """
        if not direct_kwh.any():
            return self
        return replace(
            self,
            storable=np.maximum(self.storable - direct_kwh, 0.0),
            spillable=np.maximum(self.spillable - direct_kwh, 0.0),
            buyable=np.maximum(self.buyable - direct_kwh, 0.0),
            least_kwh=np.maximum(self.least_kwh - direct_kwh, 0.0),
            sellable=np.where(direct_kwh > 0.0, 0.0, self.sellable),
        )

    def without(self, stalled: BoolArray, *, trades_last: BoolArray) -> Self:
        """Return the envelope with less charging of one stalled battery a site.

        One of each site's ``stalled`` batteries charges no more by its mode, or, where no mode
        charges, not at all.
        """
        willing = self.storable + self.buyable > 0.0
        candidates = stalled
        for preferred in (willing, ~trades_last):
            narrowed = candidates & preferred
            candidates = np.where(narrowed.any(axis=0), narrowed, candidates)
        is_first = np.cumsum(candidates, axis=0) == 1
        chosen = candidates & is_first
        unwilling = chosen & ~willing
        envelope = replace(
            self,
            storable=np.where(chosen, 0.0, self.storable),
            buyable=np.where(chosen, 0.0, self.buyable),
            spillable=np.where(unwilling, 0.0, self.spillable),
            absorbable=np.where(unwilling, 0.0, self.absorbable),
        )
        if not self.direct_kwh.any():
            return envelope
        most_direct = np.maximum(envelope.storable, envelope.absorbable)
        return replace(envelope, direct_kwh=np.minimum(self.direct_kwh, most_direct))


def _serve_deficit(
    meter: _Meter, envelope: BatteryEnvelope, *, trades_last: BoolArray
) -> FloatArray:
    """Return what each battery discharges to the load.

    It serves as its mode says, then what the import limit leaves unserved.
    """
    serve = _share(meter.deficit, envelope.servable, trades_last=trades_last)
    beyond_limit = meter.deficit - meter.import_limit - serve.sum(axis=0)
    room = envelope.dischargeable - serve
    return serve + _share(beyond_limit, room, trades_last=trades_last)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Each battery's exchange with PV, surplus and grid, kWh, ``(batteries, sites)``.

    Attributes:
        direct: charged from PV on the DC side.
        store: charged from the surplus.
        bought: charged from the grid.
        sold: discharged to the grid.
        charge: all that it charges.
        discharge: all that it discharges.
    """

    direct: FloatArray
    store: FloatArray
    bought: FloatArray
    sold: FloatArray
    charge: FloatArray
    discharge: FloatArray


def _exchange(
    meter: _Meter, serve: FloatArray, envelope: BatteryEnvelope, *, trades_last: BoolArray
) -> _Exchange:
    """Return what batteries move besides serving the load.

    Energy below one's least charge is left to the others.
    """
    moved = _move(meter, serve, envelope, trades_last=trades_last)
    # Each pass settles at least one battery in one of its two roles.
    for _ in range(2 * len(serve)):
        stalled = (moved.charge > 0.0) & (moved.charge < envelope.least_kwh - 1e-9)
        if not stalled.any():
            break
        envelope = envelope.without(stalled, trades_last=trades_last)
        moved = _move(meter, serve, envelope, trades_last=trades_last)
    return moved


def _move(
    meter: _Meter, serve: FloatArray, envelope: BatteryEnvelope, *, trades_last: BoolArray
) -> _Exchange:
    """Return each battery's exchange within its envelope and the connection.

    It takes from PV directly, stores, buys and sells.
    """
    direct = envelope.direct_kwh
    envelope = envelope.beside(envelope.direct_kwh)
    store = _store_surplus(meter, envelope, trades_last=trades_last)
    surplus_left = meter.surplus - store.sum(axis=0)
    power_kwh = envelope.power_kwh
    wanted_purchase = np.minimum(envelope.buyable - store, power_kwh)
    most_sale = np.minimum(envelope.sellable - serve, power_kwh)
    wanted_sale = np.where(store > 0.0, 0.0, most_sale)
    # What one battery buys another may sell: only the difference crosses the meter.
    purchase = np.maximum(wanted_purchase, 0.0).sum(axis=0)
    export_room = meter.export_limit - surplus_left + purchase
    sold = _share(export_room, wanted_sale, trades_last=trades_last)
    import_room = meter.import_limit - meter.deficit + sold.sum(axis=0)
    bought = _share(import_room, wanted_purchase, trades_last=trades_last)
    return _Exchange(
        direct, store, bought, sold, charge=direct + store + bought, discharge=serve + sold
    )


def _store_surplus(
    meter: _Meter, envelope: BatteryEnvelope, *, trades_last: BoolArray
) -> FloatArray:
    """Return what each battery stores of the surplus.

    It stores as its mode says, then what the export limit leaves.
    """
    surplus = meter.surplus
    store = _share(surplus, envelope.storable, trades_last=trades_last)
    surplus_left = surplus - store.sum(axis=0)
    room = envelope.spillable - store
    overflow = surplus - meter.export_limit - store.sum(axis=0)
    spilled = _share(overflow, room, trades_last=trades_last)
    # A battery whose least charge exceeds the overflow takes its least charge.
    at_least = np.minimum(np.maximum(spilled, envelope.least_kwh - store), room)
    wanted = np.where(spilled > 1e-9, at_least, 0.0)
    return store + _share(surplus_left, wanted, trades_last=trades_last)


def _cross_meter(
    meter: _Meter, moved: _Exchange, pv: _PvSupply, *, no_export: BoolArray, curtailable: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return import, export and curtailed PV."""
    surplus = np.maximum(meter.surplus - moved.store.sum(axis=0), 0.0)
    bought = moved.bought.sum(axis=0)
    sold = moved.sold.sum(axis=0)
    # One battery's sale is another's purchase: the meter sees neither
    passed_on = np.minimum(bought, sold)
    bought = bought - passed_on
    sold = sold - passed_on
    # Load beyond the import limit that no battery serves is served by releasing curtailed PV.
    unserved = np.maximum(meter.deficit - meter.import_limit, 0.0)
    released = np.minimum(pv.releasable_kwh(moved.discharge), unserved)
    room = np.where(no_export, 0.0, np.maximum(meter.export_limit - sold, 0.0))
    surplus_curtailed = np.where(curtailable, np.maximum(surplus - room, 0.0), 0.0)
    converted = np.minimum(pv.ac_kwh + released, pv.pv_kwh)
    curtailed = pv.pv_kwh - converted - moved.direct.sum(axis=0) + surplus_curtailed
    imported = meter.deficit - released + bought
    exported = surplus - surplus_curtailed + sold
    return imported, exported, curtailed


def _share(energy_kwh: FloatArray, wanted_kwh: FloatArray, *, trades_last: BoolArray) -> FloatArray:
    """Return each battery's share of ``energy_kwh``, in order.

    Those marked ``trades_last`` come after all others; a negative energy (``(sites,)``) gives
    nothing.
    """
    wanted: FloatArray = np.maximum(wanted_kwh, 0.0)
    available = energy_kwh
    if wanted.shape[0] > 1:
        sooner = np.where(trades_last, 0.0, wanted)
        later = wanted - sooner
        ahead_of_sooner = np.cumsum(sooner, axis=0) - sooner
        ahead_of_later = sooner.sum(axis=0) + np.cumsum(later, axis=0) - later
        available = energy_kwh - np.where(trades_last, ahead_of_later, ahead_of_sooner)
    share: FloatArray = np.minimum(np.maximum(available, 0.0), wanted)
    return share
