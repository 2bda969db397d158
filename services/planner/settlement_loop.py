"""The safe set-points and the flows of one battery, slot by slot, as a compiled loop.

For a battery without an inverter of its own it does what ``clamp`` and ``simulate_slot`` of
``luna.energy.physics`` do, in the same order of operations. Source: docs/decisions/0113.

Invariants: the results are theirs to the last bit.
"""

from math import inf, isfinite, isnan
from typing import Generic, NamedTuple, TypeVar

from luna.energy.physics.mode import CHARGE, EXPORT, HOLD, SAVE, SUPPLY, Curtailment
from luna.energy.timeline import FloatArray
from services.planner.loops import loop, uncached_part

NO_CURTAILMENT = float(Curtailment.NONE)
NO_EXPORT = float(Curtailment.EXPORT)
PV_OFF = float(Curtailment.ALL)
# Energies below this are none, as in the simulation.
NOTHING_KWH = 1e-9
SHORTEST_TAPER = 1e-12

# A field is a number, or a column with a number for each slot.
Value = TypeVar("Value", float, FloatArray)


class BatteryValues(NamedTuple, Generic[Value]):
    """The fields of ``BatteryLimits`` for one battery; permissions are 0 or 1."""

    capacity_kwh: Value
    min_soc: Value
    max_soc: Value
    charge_limit_kw: Value
    discharge_limit_kw: Value
    charge_efficiency: Value
    discharge_efficiency: Value
    min_charge_kw: Value
    taper_from_soc: Value
    taper_to_share: Value
    charge_from_grid: Value
    discharge_to_grid: Value


class SetPointValues(NamedTuple, Generic[Value]):
    """The fields of ``SetPoint`` for one battery."""

    mode: Value
    power_kw: Value
    target_soc: Value
    floor_soc: Value
    ceiling_soc: Value
    spill_soc: Value
    curtailment: Value
    pv_limit_kw: Value


class SlotInputs(NamedTuple, Generic[Value]):
    """Limits of the site, energy stored at a slot's start, and the slot's load and PV."""

    import_limit_kw: Value
    export_limit_kw: Value
    curtailable: Value
    stored_kwh: Value
    load_kwh: Value
    pv_kwh: Value
    hours: Value


class FlowValues(NamedTuple, Generic[Value]):
    """The fields of ``Flows`` for one battery."""

    charge_kwh: Value
    discharge_kwh: Value
    stored_kwh: Value
    import_kwh: Value
    export_kwh: Value
    curtailed_kwh: Value
    excess_kwh: Value


class MeterValues(NamedTuple):
    """PV as curtailed, the deficit and surplus that it leaves, and the connection's limits."""

    pv_kwh: float
    deficit_kwh: float
    surplus_kwh: float
    import_limit_kwh: float
    export_limit_kwh: float


class EnvelopeValues(NamedTuple):
    """The most that the battery can move by purpose, as ``BatteryEnvelope`` says it."""

    dischargeable_kwh: float
    servable_kwh: float
    sellable_kwh: float
    storable_kwh: float
    spillable_kwh: float
    buyable_kwh: float
    power_kwh: float
    least_kwh: float


class ExchangeValues(NamedTuple):
    """Stored surplus, bought and sold energy of the battery."""

    store_kwh: float
    bought_kwh: float
    sold_kwh: float


# Columns of equal length, a field of one of the tuples above each.
SlotColumns = tuple[FloatArray, ...]


@loop
def settle_slots(
    batteries: SlotColumns,
    requested: SlotColumns,
    slots: SlotColumns,
    results: tuple[SlotColumns, SlotColumns],
) -> None:
    """Write the safe set-point and the flows of every slot.

    Args:
        batteries: the battery's limits, as ``BatteryValues``.
        requested: the set-points to clamp, as ``SetPointValues``.
        slots: what the slots bring, as ``SlotInputs``.
        results: the clamped set-points and their flows, as ``SetPointValues`` and ``FlowValues``,
            written.
    """
    battery_columns = BatteryValues(*batteries)
    requested_columns = SetPointValues(*requested)
    slot_columns = SlotInputs(*slots)
    safe_columns = SetPointValues(*results[0])
    flow_columns = FlowValues(*results[1])
    for index in range(slot_columns.stored_kwh.size):
        battery = read_battery(battery_columns, index)
        slot = read_slot(slot_columns, index)
        setpoint = clamp_setpoint(read_setpoint(requested_columns, index), battery, slot)
        write_setpoint(safe_columns, index, setpoint)
        write_flows(flow_columns, index, settle_slot(setpoint, battery, slot))


# --- the safety layer, as ``luna.energy.physics.safety.clamp`` ------------------------------------


@uncached_part
def clamp_setpoint(
    requested: SetPointValues[float], battery: BatteryValues[float], slot: SlotInputs[float]
) -> SetPointValues[float]:
    """Return the nearest safe set-point."""
    mode = clamp_mode(requested.mode, battery, slot.stored_kwh)
    if mode == CHARGE:
        power_limit_kw = battery.charge_limit_kw
        neutral_soc = battery.min_soc
    else:
        power_limit_kw = battery.discharge_limit_kw
        neutral_soc = battery.max_soc
    return SetPointValues(
        mode=mode,
        power_kw=clamp_or_default(requested.power_kw, 0.0, 0.0, power_limit_kw),
        # An unknown bound moves no energy.
        target_soc=clamp_soc(requested.target_soc, neutral_soc, battery),
        floor_soc=clamp_soc(requested.floor_soc, battery.max_soc, battery),
        ceiling_soc=clamp_soc(requested.ceiling_soc, battery.min_soc, battery),
        spill_soc=clamp_soc(requested.spill_soc, battery.min_soc, battery),
        curtailment=clamp_curtailment(requested.curtailment, slot.curtailable),
        pv_limit_kw=clamp_pv_limit(requested.pv_limit_kw, slot.curtailable),
    )


@uncached_part
def clamp_mode(mode: float, battery: BatteryValues[float], stored_kwh: float) -> float:
    """Return the mode, or the nearest one that exists and that the contract allows."""
    exists = 0 <= mode <= EXPORT
    if not (exists and isfinite(stored_kwh)):
        return float(HOLD)
    if mode == CHARGE and not battery.charge_from_grid:
        return float(SAVE)
    if mode == EXPORT and not battery.discharge_to_grid:
        return float(SUPPLY)
    return mode


@uncached_part
def clamp_soc(soc: float, unknown_soc: float, battery: BatteryValues[float]) -> float:
    return clamp_or_default(soc, unknown_soc, battery.min_soc, battery.max_soc)


@uncached_part
def clamp_or_default(value: float, unknown: float, lowest: float, highest: float) -> float:
    known = unknown if isnan(value) else value
    return min(max(known, lowest), highest)


@uncached_part
def clamp_curtailment(curtailment: float, curtailable: float) -> float:
    if curtailable and NO_CURTAILMENT <= curtailment <= PV_OFF:
        return curtailment
    return NO_CURTAILMENT


@uncached_part
def clamp_pv_limit(pv_limit_kw: float, curtailable: float) -> float:
    if curtailable and not isnan(pv_limit_kw):
        return max(pv_limit_kw, 0.0)
    return inf


# --- the simulation, as ``luna.energy.physics.simulation.simulate_slot`` --------------------------


@uncached_part
def settle_slot(
    safe: SetPointValues[float], battery: BatteryValues[float], slot: SlotInputs[float]
) -> FlowValues[float]:
    """Return the flows of a safe set-point."""
    meter = find_meter(safe, slot)
    envelope = find_envelope(safe, battery, slot)
    serve_kwh = serve_load(meter, envelope)
    deficit_kwh = max(meter.deficit_kwh - serve_kwh, 0.0)
    moved = exchange(meter, envelope, serve_kwh)
    charge_kwh = moved.store_kwh + moved.bought_kwh
    discharge_kwh = serve_kwh + moved.sold_kwh
    gained_kwh = charge_kwh * battery.charge_efficiency
    lost_kwh = discharge_kwh / battery.discharge_efficiency

    # Load that nothing else serves takes PV that was held back.
    unserved_kwh = max(deficit_kwh - meter.import_limit_kwh, 0.0)
    released_kwh = min(slot.pv_kwh - meter.pv_kwh, unserved_kwh)
    used_kwh = min(meter.pv_kwh + released_kwh, slot.pv_kwh)
    surplus_kwh = max(meter.surplus_kwh - moved.store_kwh, 0.0)
    limited_kwh = hold_back(safe, slot, surplus_kwh, meter.export_limit_kwh - moved.sold_kwh)
    import_kwh = deficit_kwh - released_kwh + moved.bought_kwh
    export_kwh = surplus_kwh - limited_kwh + moved.sold_kwh

    above_import_kwh = max(import_kwh - meter.import_limit_kwh, 0.0)
    above_export_kwh = max(export_kwh - meter.export_limit_kwh, 0.0)
    excess_kwh = above_import_kwh + above_export_kwh
    return FlowValues(
        charge_kwh=charge_kwh,
        discharge_kwh=discharge_kwh,
        stored_kwh=slot.stored_kwh + gained_kwh - lost_kwh,
        import_kwh=import_kwh,
        export_kwh=export_kwh,
        curtailed_kwh=slot.pv_kwh - used_kwh + limited_kwh,
        excess_kwh=excess_kwh if excess_kwh > NOTHING_KWH else 0.0,
    )


@uncached_part
def find_meter(safe: SetPointValues[float], slot: SlotInputs[float]) -> MeterValues:
    """Return the house before its battery: load less PV that is not held back."""
    pv_kwh = 0.0
    if safe.curtailment != PV_OFF:
        pv_kwh = min(slot.pv_kwh, safe.pv_limit_kw * slot.hours)
    return MeterValues(
        pv_kwh=pv_kwh,
        deficit_kwh=max(slot.load_kwh - pv_kwh, 0.0),
        surplus_kwh=max(pv_kwh - slot.load_kwh, 0.0),
        import_limit_kwh=slot.import_limit_kw * slot.hours,
        export_limit_kwh=slot.export_limit_kw * slot.hours,
    )


@uncached_part
def find_envelope(
    safe: SetPointValues[float], battery: BatteryValues[float], slot: SlotInputs[float]
) -> EnvelopeValues:
    """Return the most that the battery can move by purpose."""
    mode = safe.mode
    stored_kwh = slot.stored_kwh
    chargeable_kwh = find_chargeable(battery, stored_kwh, slot.hours)
    dischargeable_kwh = find_dischargeable(battery, stored_kwh, slot.hours)

    buyable_kwh = 0.0
    if mode == CHARGE:
        buyable_kwh = min(chargeable_kwh, room_to(safe.target_soc, battery, stored_kwh))
    sellable_kwh = 0.0
    if mode == EXPORT:
        sellable_kwh = min(dischargeable_kwh, energy_above(safe.target_soc, battery, stored_kwh))

    # Energy that can neither be exported nor curtailed goes into the battery.
    spillable_kwh = chargeable_kwh
    if slot.curtailable and isfinite(stored_kwh):
        spillable_kwh = min(chargeable_kwh, room_to(safe.spill_soc, battery, stored_kwh))
    return EnvelopeValues(
        dischargeable_kwh=dischargeable_kwh,
        servable_kwh=min(dischargeable_kwh, find_servable(safe, battery, stored_kwh)),
        sellable_kwh=sellable_kwh,
        storable_kwh=min(chargeable_kwh, find_storable(safe, battery, stored_kwh)),
        spillable_kwh=spillable_kwh,
        buyable_kwh=buyable_kwh,
        power_kwh=safe.power_kw * slot.hours,
        least_kwh=battery.min_charge_kw * slot.hours,
    )


@uncached_part
def find_storable(
    safe: SetPointValues[float], battery: BatteryValues[float], stored_kwh: float
) -> float:
    """Return the room that the mode has for surplus; what buys takes the surplus first."""
    if safe.mode == CHARGE:
        ceiling_soc = max(safe.ceiling_soc, safe.target_soc)
        return room_to(ceiling_soc, battery, stored_kwh)
    if safe.mode <= SAVE:
        return room_to(safe.ceiling_soc, battery, stored_kwh)
    return 0.0


@uncached_part
def find_servable(
    safe: SetPointValues[float], battery: BatteryValues[float], stored_kwh: float
) -> float:
    """Return the energy that the mode has for the load; what sells serves the load first."""
    if safe.mode == EXPORT:
        floor_soc = min(safe.floor_soc, safe.target_soc)
        return energy_above(floor_soc, battery, stored_kwh)
    if safe.mode == SUPPLY or safe.mode < SAVE:
        return energy_above(safe.floor_soc, battery, stored_kwh)
    return 0.0


@uncached_part
def find_chargeable(battery: BatteryValues[float], stored_kwh: float, hours: float) -> float:
    """Return what the battery can take; its power falls linearly from ``taper_from_soc`` on."""
    if not isfinite(stored_kwh):
        return 0.0
    span = max(1.0 - battery.taper_from_soc, SHORTEST_TAPER)
    above = (stored_kwh / battery.capacity_kwh - battery.taper_from_soc) / span
    tapered = 1.0 - min(max(above, 0.0), 1.0) * (1.0 - battery.taper_to_share)
    power_kwh = battery.charge_limit_kw * tapered * hours
    return min(power_kwh, room_to(battery.max_soc, battery, stored_kwh))


@uncached_part
def find_dischargeable(battery: BatteryValues[float], stored_kwh: float, hours: float) -> float:
    """Return what the battery can give."""
    if not isfinite(stored_kwh):
        return 0.0
    power_kwh = battery.discharge_limit_kw * hours
    return min(power_kwh, energy_above(battery.min_soc, battery, stored_kwh))


@uncached_part
def room_to(soc: float, battery: BatteryValues[float], stored_kwh: float) -> float:
    """Return the energy up to a state of charge, kWh at the terminals."""
    room_kwh = max(soc * battery.capacity_kwh - stored_kwh, 0.0)
    return room_kwh / battery.charge_efficiency


@uncached_part
def energy_above(soc: float, battery: BatteryValues[float], stored_kwh: float) -> float:
    """Return the energy down to a state of charge, kWh at the terminals."""
    energy_kwh = max(stored_kwh - soc * battery.capacity_kwh, 0.0)
    return energy_kwh * battery.discharge_efficiency


@uncached_part
def serve_load(meter: MeterValues, envelope: EnvelopeValues) -> float:
    """Return what the battery gives to the load: as its mode says, then what import leaves."""
    serve_kwh = share(meter.deficit_kwh, envelope.servable_kwh)
    unserved_kwh = meter.deficit_kwh - meter.import_limit_kwh - serve_kwh
    return serve_kwh + share(unserved_kwh, envelope.dischargeable_kwh - serve_kwh)


@uncached_part
def exchange(meter: MeterValues, envelope: EnvelopeValues, serve_kwh: float) -> ExchangeValues:
    """Return what the battery moves besides serving the load, never below its least charge."""
    moved = move_energy(meter, envelope, serve_kwh)
    # It gives up what its mode would charge, then what the connection cannot carry.
    for _ in range(2):
        charge_kwh = moved.store_kwh + moved.bought_kwh
        stalls = 0.0 < charge_kwh < envelope.least_kwh - NOTHING_KWH
        if not stalls:
            break
        envelope = charge_less(envelope)
        moved = move_energy(meter, envelope, serve_kwh)
    return moved


@uncached_part
def charge_less(envelope: EnvelopeValues) -> EnvelopeValues:
    """Return the envelope without the mode's own charge or, without any, without all charge."""
    has_own_charge = envelope.storable_kwh + envelope.buyable_kwh > 0.0
    return EnvelopeValues(
        dischargeable_kwh=envelope.dischargeable_kwh,
        servable_kwh=envelope.servable_kwh,
        sellable_kwh=envelope.sellable_kwh,
        storable_kwh=0.0,
        spillable_kwh=envelope.spillable_kwh if has_own_charge else 0.0,
        buyable_kwh=0.0,
        power_kwh=envelope.power_kwh,
        least_kwh=envelope.least_kwh,
    )


@uncached_part
def move_energy(meter: MeterValues, envelope: EnvelopeValues, serve_kwh: float) -> ExchangeValues:
    """Return what the battery stores, buys and sells within power and connection."""
    store_kwh = store_surplus(meter, envelope)
    buy_kwh = min(envelope.buyable_kwh - store_kwh, envelope.power_kwh)
    sell_kwh = 0.0
    if store_kwh <= 0.0:
        sell_kwh = min(envelope.sellable_kwh - serve_kwh, envelope.power_kwh)
    # No mode both buys and sells.
    surplus_kwh = meter.surplus_kwh - store_kwh
    deficit_kwh = max(meter.deficit_kwh - serve_kwh, 0.0)
    return ExchangeValues(
        store_kwh=store_kwh,
        bought_kwh=share(meter.import_limit_kwh - deficit_kwh, buy_kwh),
        sold_kwh=share(meter.export_limit_kwh - surplus_kwh, sell_kwh),
    )


@uncached_part
def store_surplus(meter: MeterValues, envelope: EnvelopeValues) -> float:
    """Return what the battery stores of the surplus: as its mode says, then what export leaves."""
    store_kwh = share(meter.surplus_kwh, envelope.storable_kwh)
    room_kwh = envelope.spillable_kwh - store_kwh
    spill_kwh = share(meter.surplus_kwh - meter.export_limit_kwh - store_kwh, room_kwh)
    if spill_kwh > NOTHING_KWH:
        # Below its least charge it takes its least charge.
        spill_kwh = min(max(spill_kwh, envelope.least_kwh - store_kwh), room_kwh)
        store_kwh += share(meter.surplus_kwh - store_kwh, spill_kwh)
    return store_kwh


@uncached_part
def hold_back(
    safe: SetPointValues[float], slot: SlotInputs[float], surplus_kwh: float, room_kwh: float
) -> float:
    """Return the curtailed surplus: all of it, or as much as exceeds the connection."""
    if not slot.curtailable:
        return 0.0
    if safe.curtailment == NO_EXPORT:
        return surplus_kwh
    return max(surplus_kwh - max(room_kwh, 0.0), 0.0)


@uncached_part
def share(available_kwh: float, wanted_kwh: float) -> float:
    """Return what is wanted as far as it is available, at least 0."""
    return min(max(available_kwh, 0.0), max(wanted_kwh, 0.0))


# --- numbers of a slot out of columns, and into them ----------------------------------------------


@uncached_part
def read_battery(columns: BatteryValues[FloatArray], index: int) -> BatteryValues[float]:
    return BatteryValues(
        capacity_kwh=columns.capacity_kwh[index],
        min_soc=columns.min_soc[index],
        max_soc=columns.max_soc[index],
        charge_limit_kw=columns.charge_limit_kw[index],
        discharge_limit_kw=columns.discharge_limit_kw[index],
        charge_efficiency=columns.charge_efficiency[index],
        discharge_efficiency=columns.discharge_efficiency[index],
        min_charge_kw=columns.min_charge_kw[index],
        taper_from_soc=columns.taper_from_soc[index],
        taper_to_share=columns.taper_to_share[index],
        charge_from_grid=columns.charge_from_grid[index],
        discharge_to_grid=columns.discharge_to_grid[index],
    )


@uncached_part
def read_setpoint(columns: SetPointValues[FloatArray], index: int) -> SetPointValues[float]:
    return SetPointValues(
        mode=columns.mode[index],
        power_kw=columns.power_kw[index],
        target_soc=columns.target_soc[index],
        floor_soc=columns.floor_soc[index],
        ceiling_soc=columns.ceiling_soc[index],
        spill_soc=columns.spill_soc[index],
        curtailment=columns.curtailment[index],
        pv_limit_kw=columns.pv_limit_kw[index],
    )


@uncached_part
def read_slot(columns: SlotInputs[FloatArray], index: int) -> SlotInputs[float]:
    return SlotInputs(
        import_limit_kw=columns.import_limit_kw[index],
        export_limit_kw=columns.export_limit_kw[index],
        curtailable=columns.curtailable[index],
        stored_kwh=columns.stored_kwh[index],
        load_kwh=columns.load_kwh[index],
        pv_kwh=columns.pv_kwh[index],
        hours=columns.hours[index],
    )


@uncached_part
def write_setpoint(
    columns: SetPointValues[FloatArray], index: int, setpoint: SetPointValues[float]
) -> None:
    columns.mode[index] = setpoint.mode
    columns.power_kw[index] = setpoint.power_kw
    columns.target_soc[index] = setpoint.target_soc
    columns.floor_soc[index] = setpoint.floor_soc
    columns.ceiling_soc[index] = setpoint.ceiling_soc
    columns.spill_soc[index] = setpoint.spill_soc
    columns.curtailment[index] = setpoint.curtailment
    columns.pv_limit_kw[index] = setpoint.pv_limit_kw


@uncached_part
def write_flows(columns: FlowValues[FloatArray], index: int, flows: FlowValues[float]) -> None:
    columns.charge_kwh[index] = flows.charge_kwh
    columns.discharge_kwh[index] = flows.discharge_kwh
    columns.stored_kwh[index] = flows.stored_kwh
    columns.import_kwh[index] = flows.import_kwh
    columns.export_kwh[index] = flows.export_kwh
    columns.curtailed_kwh[index] = flows.curtailed_kwh
    columns.excess_kwh[index] = flows.excess_kwh
