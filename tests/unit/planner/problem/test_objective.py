"""Weights as prices: one value of stored energy decides, what is reported stays money, and what
weighing costs is said.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.economics.costs import Weights, self_sufficiency, slot_costs, weigh_import
from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from luna.energy.site import parse_site
from services.planner.alternatives.replan import replan_after, take_slots
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem, weigh
from tests.support.planning.problems import START, draw_problem, settle_cost
from tests.support.planning.requests import answer, make_request, solve
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

# Night 0.20 on coal, noon 0.24 on sun, evening 0.22 on coal: cost buys at night, carbon at noon.
PRICE = [0.20] * 8 + [0.24] * 8 + [0.30] * 8
CARBON = [800.0] * 8 + [100.0] * 8 + [600.0] * 8
BATTERY = {
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
    "wear_price": 0.01,
}
CAR = {
    "name": "car",
    "capacity_kwh": 20,
    "charge_efficiency": 1.0,
    "charge_limit_kw": 4,
    "min_charge_kw": 0,
}


def ask(objective: dict[str, float] | None = None, **changes: Any) -> PlanRequest:
    """A day in hours that ends as full as it starts; ``changes`` go into the request's parts."""
    site = {"batteries": [BATTERY], "pv": [{"peak_kw": 4}]} | changes.get("site", {})
    outlook = {"import_price": PRICE, "carbon_g_per_kwh": CARBON} | changes.get("outlook", {})
    options = (
        {"terminal": {"kind": "minimum_soc"}, "mip_gap": 0.0}
        | ({"objective": objective} if objective else {})
        | changes.get("options", {})
    )
    return make_request(site, outlook, soc=0.0, state=changes.get("state", {}), options=options)


def bought_at_night(plan: Plan) -> float:
    return float(plan.flows.charge_kwh[0, :8].sum())


def test_a_carbon_price_moves_charging_to_the_clean_hours() -> None:
    # At 0.2 per kg a kWh counts 0.36 at night, 0.26 at noon, 0.42 in the evening: 4 kWh for the
    # evening come from noon.
    assert bought_at_night(solve(ask())) > 3.9
    weighed = solve(ask({"carbon_price_per_kg": 0.2}))
    assert bought_at_night(weighed) == pytest.approx(0.0, abs=1e-9)
    assert weighed.flows.charge_kwh[0, 8:16].sum() == pytest.approx(4.0)


def test_what_is_reported_is_what_is_paid() -> None:
    reply = answer(
        ask({"carbon_price_per_kg": 0.2, "self_sufficiency_price": 0.05, "wear_factor": 3.0})
    )
    slots = reply.slots
    throughput = np.array(
        [
            [
                slot.batteries["battery"].charge_kwh + slot.batteries["battery"].discharge_kwh
                for slot in slots
            ]
        ]
    )
    imported, exported = (
        np.array([getattr(slot, name) for slot in slots]) for name in ("import_kwh", "export_kwh")
    )
    paid = slot_costs(
        import_kwh=imported,
        export_kwh=exported,
        throughput_kwh=throughput,
        import_price=np.array(PRICE),
        export_price=np.full(24, 0.05),
        wear_price=0.01,
    )
    assert [slot.import_price for slot in slots] == PRICE
    assert reply.cost.total == pytest.approx(float(paid.total.sum()), abs=1e-5)
    assert reply.cost.carbon_g == pytest.approx(float(imported @ np.array(CARBON)), abs=1e-2)
    assert reply.cost.self_sufficiency == pytest.approx(1 - imported.sum() / 12.0, abs=1e-6)


def test_the_reply_says_what_the_weights_cost_beside_the_cheapest_plan() -> None:
    cheapest = answer(ask())
    weighed = answer(ask({"carbon_price_per_kg": 0.2}))
    assert cheapest.objective is None
    assert weighed.objective is not None
    assert weighed.objective.carbon_price_per_kg == 0.2
    beside = weighed.objective.beside_cheapest
    assert beside is not None
    assert beside.cost == pytest.approx(weighed.cost.total - cheapest.cost.total, abs=1e-6)
    assert beside.cost > 0.1
    assert beside.carbon_g is not None
    assert beside.carbon_g == pytest.approx(
        (cheapest.cost.carbon_g or 0.0) - (weighed.cost.carbon_g or 0.0)
    )
    assert beside.carbon_g > 2_000


def test_the_sites_objective_holds_unless_a_request_brings_its_own() -> None:
    site = {"objective": {"carbon_price_per_kg": 0.2}}
    assert bought_at_night(solve(ask(site=site))) == pytest.approx(0.0, abs=1e-9)
    assert bought_at_night(solve(ask({"carbon_price_per_kg": 0.0}, site=site))) > 3.9


def test_no_weighed_plan_beats_the_cheapest_in_money_nor_the_weighed_one_in_weights() -> None:
    weights = {"carbon_price_per_kg": 0.15, "self_sufficiency_price": 0.02, "wear_factor": 2.0}
    weighed = solve(ask(weights))
    cheapest = solve(ask())
    assert weighed.costs.total.sum() >= cheapest.costs.total.sum() - 1e-9
    problem = weighed.problem
    counted = [
        float(
            (plan.flows.import_kwh @ problem.outlook.import_price)
            + 0.02 * plan.flows.charge_kwh.sum() * 2
        )
        for plan in (weighed, cheapest)
    ]
    assert counted[0] <= counted[1] + 1e-9


def test_a_price_on_imports_stores_sun_that_would_be_sold() -> None:
    # 2 kWh of sun sold for 0.28 or stored for the evening at 0.30, less 0.02 of wear: an exact tie
    # that 0.1 per imported kWh decides.
    sun = {
        "pv_kwh": [0.0] * 10 + [2.5] + [0.0] * 13,
        "export_price": [0.29] * 24,
        "import_price": [0.30] * 24,
    }
    sold = answer(ask(outlook=sun))
    kept = answer(ask({"self_sufficiency_price": 0.1}, outlook=sun))
    assert (sold.cost.self_sufficiency or 0.0) < (kept.cost.self_sufficiency or 0.0) - 0.1
    assert kept.cost.total > sold.cost.total


def test_wear_that_counts_more_moves_less_energy() -> None:
    # The spread of 0.10 carries 0.02 of wear, not five times as much and a cent.
    assert solve(ask({"wear_factor": 5.5})).flows.charge_kwh.sum() == pytest.approx(0.0, abs=1e-9)
    assert solve(ask({"wear_factor": 4.5})).flows.charge_kwh.sum() > 3.9


def test_sun_is_held_back_by_what_counts_and_not_by_what_is_paid() -> None:
    # Import is paid 0.02, yet it carries 0.06 of carbon: the house uses its sun instead of
    # switching it off.
    outlook = {
        "pv_kwh": [0.4] * 24,
        "import_price": [-0.02] * 24,
        "export_price": [-0.01] * 24,
        "carbon_g_per_kwh": [300.0] * 24,
    }
    paid = solve(ask(outlook=outlook))
    counted = solve(ask({"carbon_price_per_kg": 0.2}, outlook=outlook))
    assert paid.flows.curtailed_kwh.sum() == pytest.approx(9.6)
    assert counted.flows.curtailed_kwh.sum() == pytest.approx(0.0, abs=1e-9)


def test_thresholds_and_explanation_use_the_value_by_which_the_plan_was_made() -> None:
    reply = answer(ask({"carbon_price_per_kg": 0.2}))
    # What is stored at noon would be bought an hour later: 0.24, 0.02 of carbon and 0.01 of wear.
    assert reply.slots[8].reason.energy_value == pytest.approx(0.27)
    assert all((slot.reason.cost_of_opposite or 0.0) >= 0.0 for slot in reply.slots)


def test_unknown_carbon_is_left_out_and_said() -> None:
    reply = answer(ask({"carbon_price_per_kg": 0.2}, outlook={"carbon_g_per_kwh": None}))
    assert reply.status == "compromised"
    assert reply.compromises[0].code == "carbon_unknown"
    assert reply.compromises[0].figures["price"] == 0.2
    assert reply.objective is not None
    assert reply.objective.reasons == ["no_carbon_intensity"]


def test_a_car_charges_when_the_grid_is_clean_and_both_layers_agree() -> None:
    session = {
        "from": START.isoformat(),
        "to": START.replace(hour=20).isoformat(),
        "target_soc": 0.5,
    }
    cars = {
        "site": {"vehicles": [CAR]},
        "state": {
            "batteries": {"battery": {"soc": 0.0}},
            "vehicles": {"car": {"soc": 0.0, "sessions": [session]}},
        },
    }
    plan = solve(ask({"carbon_price_per_kg": 0.2}, **cars))
    assert plan.load_schedule is not None
    assert plan.load_schedule.scheduled_kwh[8:16].sum() == pytest.approx(10.0)
    silent = answer(ask({"carbon_price_per_kg": 0.2}, **cars))
    told = answer(ask({"carbon_price_per_kg": 0.2}, options={"compare_cheapest": True}, **cars))
    assert silent.objective is not None
    assert silent.objective.beside_cheapest is None
    assert told.objective is not None
    assert told.objective.beside_cheapest is not None
    assert told.objective.beside_cheapest.cost > 0.3


def test_a_peak_stays_what_is_billed() -> None:
    tariff = {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": {"price_per_kw_month": 4.0, "interval_minutes": 60},
    }
    reply = answer(ask({"carbon_price_per_kg": 0.2}, site={"tariff": tariff}))
    highest = max(slot.import_kwh for slot in reply.slots)
    assert reply.cost.peak == pytest.approx(4.0 * highest, abs=1e-5)


def test_several_batteries_are_weighed_by_the_model() -> None:
    site = {
        "batteries": [
            BATTERY | {"name": "one", "capacity_kwh": 2},
            BATTERY | {"name": "two", "capacity_kwh": 2},
        ]
    }
    weighed = solve(ask({"carbon_price_per_kg": 0.2}, site=site))
    assert weighed.flows.charge_kwh[:, 8:16].sum() == pytest.approx(4.0)


def test_scenarios_are_weighed_too() -> None:
    scenarios = {"probability": [0.5], "load_kwh": [[0.6] * 24], "pv_kwh": [[0.0] * 24]}
    plan = solve(
        ask(
            {"carbon_price_per_kg": 0.2},
            outlook={"scenarios": scenarios},
            options={"uncertainty": "scenarios"},
        )
    )
    assert plan.spread is not None
    assert plan.spread.scenarios == 2
    assert bought_at_night(plan) == pytest.approx(0.0, abs=1e-9)


def test_a_stored_kwh_is_worth_its_share_of_what_counts_at_the_horizon() -> None:
    problem = build_problem(
        ask({"carbon_price_per_kg": 0.2}, options={"terminal": {"kind": "automatic"}})
    )
    # 0.6 of a mean price of 0.24667 and of 0.2 · 0.5 of carbon.
    assert problem.terminal.value[0] == pytest.approx(0.6 * (0.74 / 3 + 0.1))
    assert problem.at_tariff_prices.terminal.value[0] == pytest.approx(0.6 * 0.74 / 3)


def test_prices_beyond_every_bound_are_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as refused:
        weigh_import(np.array([0.3]), np.array([20_000.0]), Weights(carbon=100.0))
    assert refused.value.field == "objective"


def test_carbon_without_its_intensity_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as refused:
        weigh_import(np.array([0.3]), None, Weights(carbon=0.1))
    assert refused.value.field == "outlook.carbon_g_per_kwh"


def test_a_house_that_uses_nothing_has_no_self_sufficiency() -> None:
    assert self_sufficiency(np.zeros(4), np.zeros(4)) is None
    assert self_sufficiency(np.ones(4), np.ones(4) / 2) == 0.0


def test_a_site_names_its_objective() -> None:
    site = parse_site({"name": "home", "timezone": "UTC", "objective": {"wear_factor": 2.0}})
    assert site.objective.wear_factor == 2.0
    assert site.objective.carbon_price_per_kg == 0.0


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(12)))
def test_a_weighed_plan_counts_what_the_model_written_for_readers_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = draw_problem(rng, batteries=1 + seed % 2, slots=16)
    problem = replace(
        problem, outlook=replace(problem.outlook, carbon_g_per_kwh=rng.uniform(0, 800, 16))
    )
    weighed = weigh(problem, Weights(carbon=0.15, self_sufficiency=0.02, wear=1.5), automatic=True)
    assert settle_cost(make_plan(weighed, Solver())) == pytest.approx(
        solve_reference(weighed), rel=1e-6, abs=1e-6, nan_ok=True
    )


def test_an_alternative_costs_the_same_by_planning_anew_and_by_the_value() -> None:
    plan = solve(ask({"carbon_price_per_kg": 0.2}))
    rest = replace(
        take_slots(plan.setpoints, slice(8, 9)), mode=np.full((1, 1), Mode.HOLD, dtype=np.int8)
    )
    replanned = replan_after(plan, rest, 8, Solver())
    assert replanned.cost_by_value == pytest.approx(replanned.cost, abs=1e-9)
