"""A house's battery that may not feed a vehicle: it gives nothing while the vehicle charges,
whatever load and sun turn out to be.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import SERVES, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.site import parse_site
from luna.energy.timeline import FloatArray
from services.planner.dp.planner import serve_nowhere
from services.planner.milp.solver import Solver
from services.planner.planner import decide, make_plan
from services.planner.problem.build import build_problem
from tests.support.planning.problems import START
from tests.support.planning.requests import answer, charging_session, solve
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row
from tests.unit.planner.milp.vehicle_requests import BATTERY, ask, draw

DEAR = 0.4
SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "batteries": [BATTERY, BATTERY | {"name": "second"}],
        "pv": [{"peak_kw": 8}],
    }
)


def draw_setpoint(rng: np.random.Generator, slots: int) -> SetPoint:
    socs = {
        name: rng.uniform(0, 1, (2, slots))
        for name in ("target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    }
    mode = rng.integers(0, 6, (2, slots)).astype(np.int8)
    curtailment = rng.integers(0, 3, slots).astype(np.int8)
    return SetPoint(
        mode=mode,
        power_kw=rng.uniform(0, 3, (2, slots)),
        **socs,
        curtailment=curtailment,
        pv_limit_kw=np.full(slots, np.inf),
    )


def discharge(setpoint: SetPoint, rng: np.random.Generator) -> FloatArray:
    """What batteries give under a set-point, shape (slots,), with any charge, load and sun."""
    slots = setpoint.curtailment.size
    limits = SiteLimits.of(SITE)
    stored = rng.uniform(0, 5, (2, slots))
    load = rng.gamma(1.0, 2.0, slots)
    pv = rng.gamma(1.0, 1.0, slots)
    flows = simulate_slot(
        clamp(setpoint, stored, limits), stored, SlotActuals(load, pv, 1.0), limits=limits
    )
    return np.asarray(flows.discharge_kwh.sum(axis=0))


def test_no_mode_serves_where_a_vehicle_is_spared_and_all_others_stay() -> None:
    rng = np.random.default_rng(1)
    setpoint = draw_setpoint(rng, 20_000)
    where = rng.random(20_000) < 0.5
    spared = serve_nowhere(setpoint, where)
    assert discharge(spared, rng)[where].max() == 0.0
    assert (spared.mode[:, ~where] == setpoint.mode[:, ~where]).all()


@each_row(
    ("mode", "spared"),
    [
        (Mode.SELF_CONSUMPTION, Mode.SAVE),
        (Mode.SAVE, Mode.SAVE),
        (Mode.SUPPLY, Mode.HOLD),
        (Mode.HOLD, Mode.HOLD),
        (Mode.CHARGE, Mode.CHARGE),
        (Mode.EXPORT, Mode.HOLD),
    ],
)
def test_what_stores_goes_on_storing(mode: Mode, spared: Mode) -> None:
    setpoint = draw_setpoint(np.random.default_rng(2), 1)
    setpoint.mode[:] = mode
    assert serve_nowhere(setpoint, np.array([True])).mode.tolist() == [[spared], [spared]]


def test_a_battery_that_may_not_feed_the_car_rests_while_it_charges() -> None:
    # 11 kW of connection, a car that needs every hour of it, and a battery worth emptying: 0.5 kWh
    # an hour for the house go into the car if it takes less.
    changes: dict[str, Any] = {
        "batteries": [BATTERY],
        "options": {"terminal": {"kind": "value", "value": 0.0}},
    }
    session = charging_session(0, 4, target_soc=0.9)
    fed, spared = (
        answer(ask([DEAR] * 6, session, car={"from_battery": option}, **changes))
        for option in ("if_it_pays", "never")
    )
    assert max(slot.batteries["battery"].discharge_kwh for slot in fed.slots) > 0.5 + 1e-3
    charging = [slot for slot in spared.slots if slot.vehicles["car"].charge_kwh > 0]
    assert [slot.batteries["battery"].discharge_kwh for slot in charging] == [0.0] * len(charging)
    assert sum(slot.batteries["battery"].discharge_kwh for slot in spared.slots) > 0.5


def test_without_imports_a_battery_serves_beside_a_car_that_it_may_not_feed() -> None:
    # The car takes the sun that the house leaves: should there be less of it, the rest would be
    # bought.
    block = {
        "device": "grid",
        "action": "no_import",
        "from": START,
        "to": START + timedelta(hours=4),
    }
    request = ask(
        [DEAR] * 8,
        charging_session(0, 8),
        car={"from_battery": "never", "min_charge_kw": 0},
        pv_kwh=[4.0] * 4 + [0.0] * 4,
        batteries=[BATTERY],
    )
    spared = request
    island = request.model_copy(update={"manual": [ManualBlock.model_validate(block)]})
    # Of the plan itself, and of the policy that follows it: the executor reads either.
    for decided in (make_plan, decide):
        modes = [
            decided(build_problem(each), Solver()).setpoints.mode[0, :4]
            for each in (spared, island)
        ]
        assert [SERVES[each].tolist() for each in modes] == [[False] * 4, [True] * 4]


@each_row("seed", range(draws(40)))
def test_plans_spare_vehicles_whatever_load_and_sun_turn_out_to_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = solve(draw(seed))
    assert made.load_schedule is not None
    problem = made.problem
    schedule = made.load_schedule
    spared = np.any([each.storage.spared for each in schedule.loads if each.storage], axis=0)
    # A connection that carries anything: beyond its limit a battery helps whatever it is told.
    limits = replace(SiteLimits.of(problem.site), import_limit_kw=np.array([np.inf]))
    for share in (0.0, 0.5, 2.0):
        house = (
            share
            * rng.uniform(0.5, 1, spared.size)
            * (problem.outlook.load_kwh - schedule.scheduled_kwh)
        )
        stored = rng.uniform(0, 1, made.start_kwh.shape) * limits.batteries.max_kwh
        safe = clamp(made.setpoints, stored, limits)
        flows = simulate_slot(
            safe,
            stored,
            SlotActuals(schedule.scheduled_kwh + house, share * problem.outlook.pv_kwh, 1.0),
            limits=limits,
        )
        assert flows.discharge_kwh[:, spared].sum() == 0.0
