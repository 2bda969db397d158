"""Small homes at random: battery, car with phases and shortest run, water heater, 24 hours; and
what a plan of one has to keep, written without the planner's model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from luna.contracts.plan import PlanRequest
from luna.energy.devices.appliance import DeferrableLoad
from luna.energy.devices.battery import Battery
from luna.energy.physics.mode import BoolArray
from luna.energy.physics.simulation import Flows
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, balance_residual_kwh
from tests.support.planning.problems import PATIENCE_S
from tests.support.planning.requests import charging_session, make_request

HOURS = 24
IMPORT_LIMIT_KW = 17.0
EXPORT_LIMIT_KW = 8.0
# Rounding of solvers, kWh.
EXACT_KWH = 1e-5
BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3, "wear_price": 0.01}
CAR = {"name": "car", "capacity_kwh": 40, "min_charge_kw": 1.4, "charger": {"phases": [1, 3]}}
HEATER = {"name": "heater", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 6}


def draw_small_home(seed: int) -> PlanRequest:
    """Draw a request that asks for a plan within 0.3 % or a cent, as owners' do."""
    rng = np.random.default_rng(seed)
    hour = np.arange(HOURS)
    price = rng.normal(0.25, 0.07, HOURS)
    if rng.random() < 0.25:
        price[11:15] -= 0.45
    sun = rng.choice([0.0, 2.0, 6.0]) * np.maximum(np.sin((hour - 7) / 10 * np.pi), 0)
    series = {
        "load_kwh": rng.gamma(2.0, 0.25, HOURS).tolist(),
        "pv_kwh": (sun * rng.uniform(0.6, 1.0, HOURS)).tolist(),
        "import_price": price.tolist(),
        "export_price": np.minimum(price - 0.08, 0.12).tolist(),
    }
    site = {
        "grid": {"import_limit_kw": IMPORT_LIMIT_KW, "export_limit_kw": EXPORT_LIMIT_KW},
        "batteries": [BATTERY | {"min_charge_kw": float(rng.choice([0.0, 0.0, 0.5]))}],
        "pv": [{"peak_kw": 8, "curtailable": bool(rng.random() < 0.7)}],
        "vehicles": [_draw_car(rng)],
        "loads": [_draw_heater(rng)],
    }
    state: dict[str, Any] = {"vehicles": {"car": _draw_sessions(rng)}}
    if rng.random() < 0.4:
        price_per_kw = round(float(rng.uniform(0.5, 5.0)), 2)
        peak = {"price_per_kw_month": price_per_kw, "highest": 1, "interval_minutes": 60}
        spot = {"kind": "spot", "market": "NL"}
        site["tariff"] = {"import": spot, "export": spot, "peak": peak}
        state["month_peaks_kw"] = [round(float(rng.uniform(1, 4)), 2)]
    options = {"terminal": {"kind": "value", "value": 0.12}, "time_limit_s": PATIENCE_S}
    soc = float(rng.uniform(0.1, 0.8))
    return make_request(site, series, soc=soc, state=state, options=options)


def _draw_car(rng: np.random.Generator) -> dict[str, Any]:
    return CAR | {
        "start_price": float(rng.choice([0.0, 0.05, 0.2])),
        "min_run_minutes": int(rng.choice([0, 60, 120])),
    }


def _draw_heater(rng: np.random.Generator) -> dict[str, Any]:
    comfort = [
        {"from": "05:00", "to": "08:00", "energy_kwh": 2.0},
        {"from": "16:00", "to": "20:00", "energy_kwh": 2.0},
    ]
    return HEATER | {
        "min_on_minutes": int(rng.choice([60, 120])),
        "start_price": float(rng.choice([0.0, 0.05])),
        "comfort": comfort[: rng.integers(0, 3)],
    }


def _draw_sessions(rng: np.random.Generator) -> dict[str, Any]:
    """Draw when the car is plugged in: by night, by day, or twice."""
    soc = round(float(rng.uniform(0.2, 0.5)), 2)
    times = [[(0, 8)], [(9, 18)], [(0, 7), (16, 24)]][rng.integers(3)]
    sessions: list[dict[str, Any]] = []
    for first, last in times:
        soc_gained = round(soc + 0.15 * (len(sessions) + 1), 3)
        sessions.append(charging_session(first, last, target_soc=soc_gained))
    return {"soc": soc, "sessions": sessions}


def find_broken_limits(plan: Plan, request: PlanRequest) -> Iterator[str]:
    """Yield what a plan of a small home breaks, in words."""
    schedule = plan.load_schedule
    assert schedule is not None
    uses = {each.demand.name: each.use_kwh for each in schedule.loads}
    yield from _check_flows(plan, request, uses)
    yield from _check_battery(plan.problem.site.batteries[0], plan.flows)
    yield from _check_car(plan, request, uses["car"])
    yield from _check_heater(plan.problem.site.loads[0], uses["heater"])


def _check_flows(plan: Plan, request: PlanRequest, uses: Mapping[str, FloatArray]) -> Iterator[str]:
    """Check balance and connection."""
    flows = plan.flows
    assert request.outlook is not None
    load_kwh = np.array(request.outlook.load_kwh) + sum(uses.values())
    pv_kwh = np.array(request.outlook.pv_kwh)
    if balance_residual_kwh(flows, load_kwh, pv_kwh).max() > EXACT_KWH:
        yield "what comes in does not go out"
    if np.minimum(flows.import_kwh, flows.export_kwh).max() > EXACT_KWH:
        yield "imports and exports at once"
    if flows.import_kwh.max() > IMPORT_LIMIT_KW + EXACT_KWH:
        yield "imports too much"
    if flows.export_kwh.max() > EXPORT_LIMIT_KW + EXACT_KWH:
        yield "exports too much"
    if min(use.min() for use in uses.values()) < -EXACT_KWH:
        yield "a device gives"


def _check_battery(battery: Battery, flows: Flows) -> Iterator[str]:
    """Check powers and stored energy."""
    charge = flows.charge_kwh[0]
    discharge = flows.discharge_kwh[0]
    stored = flows.stored_kwh[0]
    if np.minimum(charge, discharge).max() > EXACT_KWH:
        yield "the battery charges and discharges at once"
    if charge.max() > battery.charge_limit_kw + EXACT_KWH:
        yield "the battery charges too fast"
    if discharge.max() > battery.discharge_limit_kw + EXACT_KWH:
        yield "the battery discharges too fast"
    if ((charge > EXACT_KWH) & (charge < battery.min_charge_kw - EXACT_KWH)).any():
        yield "the battery charges below its least power"
    if stored.min() < -EXACT_KWH or stored.max() > battery.capacity_kwh + EXACT_KWH:
        yield "the battery holds less than nothing, or too much"


def _check_car(plan: Plan, request: PlanRequest, use_kwh: FloatArray) -> Iterator[str]:
    """Check powers, phases, runs and targets; slots are hours, so kWh are kW."""
    car = plan.problem.site.vehicles[0]
    state = request.state.vehicles["car"]
    plugged = np.zeros(HOURS, dtype=bool)
    stored = (state.soc or 0.0) * car.capacity_kwh
    assert request.start is not None
    for session in state.sessions:
        first = int((session.from_ - request.start).total_seconds() // 3600)
        last = int((session.to - request.start).total_seconds() // 3600)
        plugged[first:last] = True
        stored += car.charge_efficiency * float(use_kwh[first:last].sum())
        if stored < (session.target_soc or 0.0) * car.capacity_kwh - EXACT_KWH:
            yield "the car misses its target"
    if stored > car.capacity_kwh + EXACT_KWH:
        yield "the car is overcharged"
    if use_kwh[~plugged].max(initial=0.0) > EXACT_KWH:
        yield "the car charges while it is away"
    in_a_range = np.zeros(HOURS, dtype=bool)
    for least, most in car.power_ranges:
        phase_on = (use_kwh >= least - EXACT_KWH) & (use_kwh <= most + EXACT_KWH)
        in_a_range |= phase_on
        if _shortest_run(phase_on, plugged) < car.min_run_minutes // 60:
            yield "the car stops too early"
    if (~in_a_range & (use_kwh > EXACT_KWH)).any():
        yield "the car charges below its least power, or between one phase and three"


def _check_heater(heater: DeferrableLoad, use_kwh: FloatArray) -> Iterator[str]:
    """Check on and off, runs, the day's energy and that of the comfort windows."""
    on = use_kwh > EXACT_KWH
    if np.abs(use_kwh[on] - heater.power_kw).max(initial=0.0) > EXACT_KWH:
        yield "the heater is neither on nor off"
    if _shortest_run(on, np.ones(HOURS, dtype=bool)) < heater.min_on_minutes // 60:
        yield "the heater stops too early"
    if use_kwh.sum() < heater.energy_kwh_per_day - EXACT_KWH:
        yield "the heater misses the day's energy"
    for window in heater.comfort:
        first = int(window.from_[:2])
        last = int(window.to[:2])
        if use_kwh[first:last].sum() < window.energy_kwh - EXACT_KWH:
            yield "the heater misses a comfort window"


def _shortest_run(on: BoolArray, may_be_on: BoolArray) -> int:
    """Return the fewest slots that it stays on; a run that has to end counts as any length."""
    shortest = HOURS
    length = 0
    for slot in range(HOURS):
        if on[slot]:
            length += 1
        elif length:
            if may_be_on[slot]:
                shortest = min(shortest, length)
            length = 0
    return shortest
