"""The safe set-points and the flows of one battery, slot by slot, as a compiled loop.

For a battery without an inverter of its own it does what ``clamp`` and ``simulate_slot`` of
``luna.energy.physics`` do, in the same order of operations. Source: docs/decisions/0086.

Invariants: the results are theirs to the last bit, in every slot that is not marked as stalled.
"""

from math import inf, isfinite, isnan

from luna.energy.physics.mode import CHARGE, EXPORT, HOLD, SAVE, SUPPLY, Curtailment
from luna.energy.timeline import FloatArray
from services.planner.loops import loop, loop_part

# The rows of the inputs: limits of the battery,
CAPACITY_KWH, MIN_SOC, MAX_SOC, CHARGE_LIMIT_KW, DISCHARGE_LIMIT_KW = range(5)
CHARGE_EFFICIENCY, DISCHARGE_EFFICIENCY, MIN_CHARGE_KW = range(5, 8)
TAPER_FROM_SOC, TAPER_TO_SHARE, CHARGE_FROM_GRID, DISCHARGE_TO_GRID = range(8, 12)
# the set-point that was asked for,
ASKED_MODE, ASKED_POWER_KW, ASKED_TARGET_SOC, ASKED_FLOOR_SOC = range(12, 16)
ASKED_CEILING_SOC, ASKED_SPILL_SOC, ASKED_CURTAILMENT, ASKED_PV_LIMIT_KW = range(16, 20)
# limits of the site, and what the slot brings.
IMPORT_LIMIT_KW, EXPORT_LIMIT_KW, CURTAILABLE = range(20, 23)
START_KWH, LOAD_KWH, PV_KWH, HOURS = range(23, 27)
INPUTS = 27

# The rows of the results: the safe set-point,
MODE, POWER_KW, TARGET_SOC, FLOOR_SOC, CEILING_SOC, SPILL_SOC, CURTAILMENT, PV_LIMIT_KW = range(8)
# its flows, and whether the battery would charge with less than it can.
CHARGE_KWH, DISCHARGE_KWH, END_KWH, IMPORT_KWH, EXPORT_KWH, CURTAILED_KWH, EXCESS_KWH = range(8, 15)
STALLED = 15
RESULTS = 16

NO_EXPORT, PV_OFF = int(Curtailment.EXPORT), int(Curtailment.ALL)
# Energies below this are none, as in the simulation.
NOTHING_KWH = 1e-9
SHORTEST_TAPER = 1e-12


@loop
def settle_slots(inputs: FloatArray, results: FloatArray) -> None:
    """Write the safe set-point and the flows of every slot.

    Args:
        inputs: shape ``(INPUTS, slots)``.
        results: shape ``(RESULTS, slots)``, written.
    """
    for slot in range(inputs.shape[1]):
        clamp_setpoint(inputs[:, slot], results[:, slot])
        settle_slot(inputs[:, slot], results[:, slot])


@loop_part
def clamp_setpoint(given: FloatArray, made: FloatArray) -> None:
    """Write the nearest safe set-point. Source: ``luna.energy.physics.safety.clamp``."""
    mode = given[ASKED_MODE]
    if not (0 <= mode <= EXPORT and isfinite(given[START_KWH])):
        mode = HOLD
    if mode == CHARGE and not given[CHARGE_FROM_GRID]:
        mode = SAVE
    if mode == EXPORT and not given[DISCHARGE_TO_GRID]:
        mode = SUPPLY
    buys = mode == CHARGE
    lowest, highest = given[MIN_SOC], given[MAX_SOC]
    most_kw = given[CHARGE_LIMIT_KW] if buys else given[DISCHARGE_LIMIT_KW]
    made[MODE] = mode
    made[POWER_KW] = limit(given[ASKED_POWER_KW], 0.0, 0.0, most_kw)
    # An unknown bound moves no energy.
    made[TARGET_SOC] = limit(given[ASKED_TARGET_SOC], lowest if buys else highest, lowest, highest)
    made[FLOOR_SOC] = limit(given[ASKED_FLOOR_SOC], highest, lowest, highest)
    made[CEILING_SOC] = limit(given[ASKED_CEILING_SOC], lowest, lowest, highest)
    made[SPILL_SOC] = limit(given[ASKED_SPILL_SOC], lowest, lowest, highest)
    curtailment = given[ASKED_CURTAILMENT]
    is_curtailed = given[CURTAILABLE] and 0 <= curtailment <= PV_OFF
    made[CURTAILMENT] = curtailment if is_curtailed else 0.0
    is_limited = given[CURTAILABLE] and not isnan(given[ASKED_PV_LIMIT_KW])
    made[PV_LIMIT_KW] = max(given[ASKED_PV_LIMIT_KW], 0.0) if is_limited else inf


@loop_part
def limit(value: float, unknown: float, lowest: float, highest: float) -> float:
    known = unknown if isnan(value) else value
    return min(max(known, lowest), highest)


@loop_part
def settle_slot(given: FloatArray, made: FloatArray) -> None:
    """Write the flows of the safe set-point. Source: ``luna.energy.physics.simulation``."""
    hours = given[HOURS]
    # The meter before the battery.
    is_off = made[CURTAILMENT] == PV_OFF
    pv_kwh = 0.0 if is_off else min(given[PV_KWH], made[PV_LIMIT_KW] * hours)
    deficit_kwh = max(given[LOAD_KWH] - pv_kwh, 0.0)
    surplus_kwh = max(pv_kwh - given[LOAD_KWH], 0.0)
    import_limit_kwh = given[IMPORT_LIMIT_KW] * hours
    export_limit_kwh = given[EXPORT_LIMIT_KW] * hours
    chargeable_kwh, dischargeable_kwh = find_power(given)
    # The battery serves the load as its mode says, then what the connection cannot carry.
    serve_kwh = share(deficit_kwh, min(dischargeable_kwh, find_servable(given, made)))
    unserved_kwh = deficit_kwh - import_limit_kwh - serve_kwh
    serve_kwh += share(unserved_kwh, dischargeable_kwh - serve_kwh)
    deficit_kwh = max(deficit_kwh - serve_kwh, 0.0)
    # It stores surplus as its mode says, then what the connection cannot carry.
    store_kwh = share(surplus_kwh, min(chargeable_kwh, find_storable(given, made)))
    least_kwh = given[MIN_CHARGE_KW] * hours
    room_kwh = min(chargeable_kwh, find_spillable(given, made)) - store_kwh
    spill_kwh = share(surplus_kwh - export_limit_kwh - store_kwh, room_kwh)
    if spill_kwh > NOTHING_KWH:
        spill_kwh = min(max(spill_kwh, least_kwh - store_kwh), room_kwh)
        store_kwh += share(surplus_kwh - store_kwh, spill_kwh)
    surplus_kwh -= store_kwh
    # It trades with what power and connection leave.
    power_kwh = made[POWER_KW] * hours
    buy_kwh = sell_kwh = 0.0
    if made[MODE] == CHARGE:
        buyable_kwh = min(chargeable_kwh, room_to(given, made[TARGET_SOC]))
        buy_kwh = min(buyable_kwh - store_kwh, power_kwh)
    if made[MODE] == EXPORT and store_kwh <= 0.0:
        sellable_kwh = min(dischargeable_kwh, energy_above(given, made[TARGET_SOC]))
        sell_kwh = min(sellable_kwh - serve_kwh, power_kwh)
    sold_kwh = share(export_limit_kwh - surplus_kwh, sell_kwh)
    bought_kwh = share(import_limit_kwh - deficit_kwh, buy_kwh)
    charge_kwh = store_kwh + bought_kwh
    discharge_kwh = serve_kwh + sold_kwh
    gained_kwh = charge_kwh * given[CHARGE_EFFICIENCY]
    made[CHARGE_KWH] = charge_kwh
    made[DISCHARGE_KWH] = discharge_kwh
    made[END_KWH] = given[START_KWH] + gained_kwh - discharge_kwh / given[DISCHARGE_EFFICIENCY]
    made[STALLED] = 0.0 < charge_kwh < least_kwh - NOTHING_KWH
    # Load that nothing else serves takes PV that was held back.
    beyond_kwh = max(deficit_kwh - import_limit_kwh, 0.0)
    released_kwh = min(given[PV_KWH] - pv_kwh, beyond_kwh)
    surplus_kwh = max(surplus_kwh, 0.0)
    curtailed_kwh = find_held(given, made, surplus_kwh, export_limit_kwh - sold_kwh)
    used_kwh = min(pv_kwh + released_kwh, given[PV_KWH])
    made[IMPORT_KWH] = deficit_kwh - released_kwh + bought_kwh
    made[EXPORT_KWH] = surplus_kwh - curtailed_kwh + sold_kwh
    made[CURTAILED_KWH] = given[PV_KWH] - used_kwh + curtailed_kwh
    above_import_kwh = max(made[IMPORT_KWH] - import_limit_kwh, 0.0)
    excess_kwh = above_import_kwh + max(made[EXPORT_KWH] - export_limit_kwh, 0.0)
    made[EXCESS_KWH] = excess_kwh if excess_kwh > NOTHING_KWH else 0.0


@loop_part
def find_servable(given: FloatArray, made: FloatArray) -> float:
    """Return the stored energy that the mode has for the load; what sells serves it first."""
    mode, floor = made[MODE], made[FLOOR_SOC]
    if mode == EXPORT:
        floor = min(floor, made[TARGET_SOC])
    serves = mode < SAVE or mode in (SUPPLY, EXPORT)
    return energy_above(given, floor) if serves else 0.0


@loop_part
def find_storable(given: FloatArray, made: FloatArray) -> float:
    """Return the room that the mode has for surplus; what buys takes the surplus first."""
    mode, ceiling = made[MODE], made[CEILING_SOC]
    if mode == CHARGE:
        ceiling = max(ceiling, made[TARGET_SOC])
    stores = mode <= SAVE or mode == CHARGE
    return room_to(given, ceiling) if stores else 0.0


@loop_part
def find_spillable(given: FloatArray, made: FloatArray) -> float:
    """Return the room for surplus that cannot be fed in; all there is where it has to go there."""
    return room_to(given, made[SPILL_SOC]) if given[CURTAILABLE] else inf


@loop_part
def find_held(given: FloatArray, made: FloatArray, surplus_kwh: float, room_kwh: float) -> float:
    """Return the surplus that is held back: what the connection has no room for, or all of it."""
    if not given[CURTAILABLE]:
        return 0.0
    fed_in_kwh = 0.0 if made[CURTAILMENT] == NO_EXPORT else max(room_kwh, 0.0)
    return max(surplus_kwh - fed_in_kwh, 0.0)


@loop_part
def find_power(given: FloatArray) -> tuple[float, float]:
    """Return what the battery can take and give; nothing where its charge is unknown."""
    stored_kwh = given[START_KWH]
    if not isfinite(stored_kwh):
        return 0.0, 0.0
    # Charging falls linearly from a state of charge to full.
    span = max(1.0 - given[TAPER_FROM_SOC], SHORTEST_TAPER)
    above = (stored_kwh / given[CAPACITY_KWH] - given[TAPER_FROM_SOC]) / span
    tapered = 1.0 - min(max(above, 0.0), 1.0) * (1.0 - given[TAPER_TO_SHARE])
    charge_kwh = given[CHARGE_LIMIT_KW] * tapered * given[HOURS]
    discharge_kwh = given[DISCHARGE_LIMIT_KW] * given[HOURS]
    room_kwh, usable_kwh = room_to(given, given[MAX_SOC]), energy_above(given, given[MIN_SOC])
    return min(charge_kwh, room_kwh), min(discharge_kwh, usable_kwh)


@loop_part
def room_to(given: FloatArray, soc: float) -> float:
    """Return the energy up to a state of charge, kWh at the terminals."""
    room_kwh: float = max(soc * given[CAPACITY_KWH] - given[START_KWH], 0.0)
    return room_kwh / float(given[CHARGE_EFFICIENCY])


@loop_part
def energy_above(given: FloatArray, soc: float) -> float:
    """Return the energy down to a state of charge, kWh at the terminals."""
    energy_kwh: float = max(given[START_KWH] - soc * given[CAPACITY_KWH], 0.0)
    return energy_kwh * float(given[DISCHARGE_EFFICIENCY])


@loop_part
def share(available_kwh: float, wanted_kwh: float) -> float:
    return min(max(available_kwh, 0.0), max(wanted_kwh, 0.0))
