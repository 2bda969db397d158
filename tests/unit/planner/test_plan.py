from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from bench.cases import add_devices, draw_case
from luna.contracts.plan import PlanReply, PlanRequest, Terminal
from luna.energy.economics.costs import slot_costs
from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from luna.energy.physics.simulation import Flows
from services.planner.dp.plan import Plan, balance_residual_kwh
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.notes import find_compromises
from tests.support.planning.problems import (
    describe_site,
    draw_contradiction,
    draw_problem,
    limit_time,
    make_problem,
    settle_cost,
    simulate_plan,
)
from tests.support.planning.requests import answer, describe_request, make_request
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

DRAWS = [
    pytest.param(seed, 1 + seed % 3, id=f"{seed}-{1 + seed % 3} batteries")
    for seed in range(draws(60))
]
FLAT = {"load_kwh": [0.3] * 8, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.05}


@cache
def draw_plan(seed: int, batteries: int) -> Plan:
    return make_plan(
        draw_problem(np.random.default_rng(seed + 5000), batteries=batteries, slots=24), Solver()
    )


def cost_of(problem: Problem, flows: Flows) -> float:
    ahead = problem.outlook
    throughput = flows.charge_kwh + flows.discharge_kwh
    terms = {
        "import_price": ahead.import_price,
        "export_price": ahead.export_price,
        "wear_price": problem.wear_price,
    }
    return float(
        slot_costs(
            import_kwh=flows.import_kwh,
            export_kwh=flows.export_kwh,
            throughput_kwh=throughput,
            **terms,
        ).total.sum()
    )


@each_row(("seed", "batteries"), DRAWS)
def test_simulating_the_plan_gives_its_own_energies_and_cost(seed: int, batteries: int) -> None:
    plan = draw_plan(seed, batteries)
    flows = simulate_plan(plan)
    assert flows.stored_kwh == pytest.approx(plan.flows.stored_kwh, abs=1e-4)
    assert flows.import_kwh == pytest.approx(plan.flows.import_kwh, abs=1e-4)
    assert cost_of(plan.problem, flows) == pytest.approx(float(plan.costs.total.sum()), abs=1e-6)


@each_row(("seed", "batteries"), DRAWS)
def test_plan_balances_within_all_limits(seed: int, batteries: int) -> None:
    plan = draw_plan(seed, batteries)
    problem = plan.problem
    flows = plan.flows
    limits = plan.problem.limits
    ahead = problem.outlook
    hours = problem.outlook.timeline.hours
    battery = plan.problem.limits.batteries
    assert balance_residual_kwh(flows, ahead.load_kwh, ahead.pv_kwh).max() <= 1e-9
    assert (flows.import_kwh <= limits.import_limit_kw * hours + 1e-6 + flows.excess_kwh).all()
    assert (flows.export_kwh <= limits.export_limit_kw * hours + 1e-6 + flows.excess_kwh).all()
    assert (flows.charge_kwh <= battery.charge_limit_kw * hours + 1e-9).all()
    assert (flows.discharge_kwh <= battery.discharge_limit_kw * hours + 1e-9).all()
    assert (flows.stored_kwh >= battery.min_kwh - 1e-6).all()
    assert (flows.stored_kwh <= battery.max_kwh + 1e-6).all()
    assert (flows.curtailed_kwh <= ahead.pv_kwh * problem.site.curtailable + 1e-9).all()
    assert (np.minimum(flows.import_kwh, flows.export_kwh) <= 1e-6).all()
    assert (np.minimum(flows.charge_kwh, flows.discharge_kwh) <= 1e-6).all()


@each_row(("seed", "batteries"), DRAWS)
def test_batteries_kept_from_the_grid_stay_away_from_it(seed: int, batteries: int) -> None:
    plan = draw_plan(seed, batteries)
    ahead = plan.problem.outlook
    contract = plan.problem.limits.batteries
    used_kwh = ahead.pv_kwh - plan.flows.curtailed_kwh
    from_sun = (plan.flows.charge_kwh * ~contract.charge_from_grid).sum(axis=0)
    into_house = (plan.flows.discharge_kwh * ~contract.discharge_to_grid).sum(axis=0)
    assert (from_sun <= np.maximum(used_kwh - ahead.load_kwh, 0) + 1e-6).all()
    assert (into_house <= np.maximum(ahead.load_kwh - used_kwh, 0) + 1e-6).all()


@each_row("seed", range(draws(150)))
def test_contradicting_limits_end_in_a_plan_and_never_in_an_exception(seed: int) -> None:
    plan = make_plan(
        draw_contradiction(np.random.default_rng(seed), batteries=1 + seed % 2, slots=20), Solver()
    )
    flows = simulate_plan(plan)
    assert flows.stored_kwh == pytest.approx(plan.flows.stored_kwh, abs=1e-4)
    assert bool((plan.flows.excess_kwh > 1e-3).any()) <= bool(find_compromises(plan))


def compromises_of(problem: Problem) -> list[tuple[str, dict[str, Any]]]:
    return [(each.code, each.figures) for each in find_compromises(make_plan(problem, Solver()))]


def test_terminal_soc_out_of_reach_is_named_and_missed_by_as_little_as_can_be() -> None:
    # Eight slots of 1.25 kWh × 0.95 store 9.5 kWh of the 10 that are wanted.
    problem = make_problem(
        describe_site({}), FLAT, soc=0.0, terminal=Terminal(kind="minimum_soc", soc=1.0)
    )
    assert compromises_of(problem) == [
        ("end_at_least", {"name": "battery 0", "wanted": 1.0, "kwh": pytest.approx(0.5)})
    ]


def test_terminal_soc_below_the_reserve_is_named() -> None:
    problem = make_problem(
        describe_site({"min_soc": 0.2}), FLAT, terminal=Terminal(kind="equal_soc", soc=0.1)
    )
    assert compromises_of(problem) == [
        ("end_at_most", {"name": "battery 0", "wanted": 0.1, "kwh": pytest.approx(1.0)})
    ]


def test_load_beyond_the_import_limit_is_named_with_the_slot_where_it_breaks_most() -> None:
    # 2 kWh in slot 3 against 1 kWh through the connection and 0.5 kWh from the battery: 0.5 kWh in
    # a quarter of an hour is 2 kW.
    site = describe_site({"discharge_limit_kw": 2}, import_limit_kw=4)
    problem = make_problem(site, FLAT | {"load_kwh": [0.3, 0.3, 0.3, 2.0]}, soc=0.5)
    at = "2024-02-01T01:45:00+01:00"
    figures = {"limit_kw": 4.0, "kw": pytest.approx(2.0), "count": 1, "first": at, "worst": at}
    assert compromises_of(problem) == [("import_limit", figures)]


def test_load_beyond_the_import_limit_in_several_slots_is_named_from_the_first_on() -> None:
    site = describe_site({"discharge_limit_kw": 0.001}, import_limit_kw=4)
    problem = make_problem(site, FLAT | {"load_kwh": [0.3, 1.5, 0.3, 2.0]}, soc=0.5)
    slots = {"first": "2024-02-01T01:15:00+01:00", "worst": "2024-02-01T01:45:00+01:00"}
    figures = {"limit_kw": 4.0, "kw": pytest.approx(4.0, abs=0.01), "count": 2} | slots
    assert compromises_of(problem)[0] == ("import_limit_often", figures)


def test_sun_that_may_not_be_held_back_beyond_the_export_limit_is_named() -> None:
    site = describe_site({"charge_limit_kw": 1}, curtailable=False, export_limit_kw=2)
    problem = make_problem(site, FLAT | {"load_kwh": 0.0, "pv_kwh": [0.0, 1.0]}, soc=0.5)
    at = "2024-02-01T01:15:00+01:00"
    figures = {"limit_kw": 2.0, "kw": pytest.approx(1.0), "count": 1, "first": at, "worst": at}
    assert compromises_of(problem) == [("export_limit", figures)]


def ask_outside(bounds: dict[str, float], soc: float, pv_kwh: list[float]) -> PlanReply:
    site = describe_site(bounds).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return answer(
        make_request(
            site, {"load_kwh": 0.3, "pv_kwh": pv_kwh, "import_price": 0.3}, soc=soc, slot_minutes=15
        )
    )


@pytest.mark.parametrize(
    ("bounds", "soc", "pv_kwh", "least", "most"),
    [
        # 0.2 kWh below its reserve, and 0.5 kWh of sun beyond the load in each slot: 0.7 kWh less
        # would be sold at 5 ct.
        pytest.param({"min_soc": 0.12}, 0.1, [0.8] * 8, 0.13, 1.0, id="sun brings it back"),
        # Without sun it rests: buying at 30 ct only to be within limits serves nobody.
        pytest.param({"min_soc": 0.12}, 0.1, [0.0] * 8, 0.1, 0.1, id="no sun, no purchase"),
        # 0.5 kWh too full, and 2.4 kWh of load.
        pytest.param({"max_soc": 0.6}, 0.65, [0.0] * 8, 0.0, 0.6, id="too full, it serves"),
    ],
)
def test_a_battery_outside_its_limits_is_planned_like_any_other(
    bounds: dict[str, float], soc: float, pv_kwh: list[float], least: float, most: float
) -> None:
    reply = ask_outside(bounds, soc, pv_kwh)
    assert reply.status == "optimal"
    assert [(note.code, note.figures["start_soc"]) for note in reply.notes] == [
        ("soc_outside_limits", soc)
    ]
    assert least - 1e-9 <= reply.slots[-1].batteries["battery 0"].soc_end <= most + 1e-9


def test_connection_comes_before_the_demand_for_the_horizon() -> None:
    # 8 slots of 1 kWh against 0.75 through the connection take 2 kWh from a battery that should end
    # as full as it began.
    site = describe_site({"discharge_efficiency": 1}, import_limit_kw=3)
    plan = make_plan(
        make_problem(
            site, FLAT | {"load_kwh": [1.0] * 8}, soc=0.5, terminal=Terminal(kind="minimum_soc")
        ),
        Solver(),
    )
    assert plan.flows.excess_kwh.max() == 0.0
    assert plan.flows.stored_kwh[0, -1] == pytest.approx(3.0)


@pytest.mark.parametrize("efficiency", [0.9, 1.0])
def test_reserve_comes_before_the_connection(efficiency: float) -> None:
    site = describe_site(
        {"min_soc": 0.5, "discharge_efficiency": efficiency},
        {"min_soc": 0.5, "discharge_efficiency": efficiency},
        import_limit_kw=1,
    )
    plan = make_plan(make_problem(site, FLAT, soc=0.5), Solver())
    assert plan.flows.discharge_kwh.max() == 0.0
    assert plan.flows.excess_kwh == pytest.approx([0.05] * 8)


def test_where_there_is_no_time_to_plan_the_inverter_is_left_alone() -> None:
    plan = make_plan(
        limit_time(draw_problem(np.random.default_rng(3), batteries=2, slots=48), 1e-9), Solver()
    )
    assert (plan.method, plan.proven) == ("self_consumption", False)
    assert set(plan.setpoints.mode.ravel().tolist()) == {Mode.SELF_CONSUMPTION}


def test_site_without_battery_has_a_plan_where_there_is_no_time_to_place_its_appliance() -> None:
    document = add_devices(
        draw_case(np.random.default_rng(3), name="no_time", dip=0.0), np.random.default_rng(3)
    )
    document["site"]["batteries"] = []
    document["state"]["batteries"] = {}
    document["options"]["terminal"] = {"kind": "automatic"}
    plan = make_plan(
        limit_time(build_problem(PlanRequest.model_validate(document)), 1e-9), Solver()
    )
    assert (plan.method, plan.proven) == ("self_consumption", False)
    assert plan.flows.import_kwh.sum() > 0


def test_site_without_battery_imports_what_the_sun_leaves() -> None:
    plan = make_plan(
        make_problem(describe_site(), FLAT | {"load_kwh": [0.3] * 3, "pv_kwh": [0.0, 0.2, 0.5]}),
        Solver(),
    )
    assert plan.flows.import_kwh == pytest.approx([0.3, 0.1, 0.0])
    assert plan.flows.export_kwh == pytest.approx([0.0, 0.0, 0.2])


@pytest.mark.parametrize("batteries", [0, 2], ids=["no battery", "two batteries"])
def test_sun_that_sells_for_nothing_still_serves_a_load_that_turns_out_higher(
    batteries: int,
) -> None:
    series = {"load_kwh": [0.3] * 8, "pv_kwh": 0.5, "import_price": 0.3, "export_price": 0.0}
    plan = make_plan(make_problem(describe_site(*({},) * batteries), series), Solver())
    assert np.isinf(plan.setpoints.pv_limit_kw).all()


def test_begun_first_slot_moves_only_what_its_rest_allows() -> None:
    series = FLAT | {"load_kwh": [0.1, 0.3, 0.3], "import_price": [0.05, 0.4, 0.4]}
    plan = make_plan(
        make_problem(describe_site({}), series, soc=0.0, first_step=timedelta(minutes=6)), Solver()
    )
    # 6 minutes at 5 kW.
    assert plan.flows.charge_kwh[0] == pytest.approx([0.5, 0.0, 0.0])


@each_row("minutes", [5, 15, 30, 60])
def test_slot_length_scales_power_to_energy(minutes: int) -> None:
    series = FLAT | {"load_kwh": [0.0, 1.0], "import_price": [0.05, 0.4]}
    nothing_left = Terminal(kind="value", value=0.0)
    plan = make_plan(
        make_problem(
            describe_site({}),
            series,
            soc=0.0,
            terminal=nothing_left,
            step=timedelta(minutes=minutes),
        ),
        Solver(),
    )
    assert plan.flows.charge_kwh[0, 0] == pytest.approx(min(5 * minutes / 60, 1.0 / 0.95**2))


@pytest.mark.parametrize("slots", [92, 96, 100])
def test_days_of_every_length_are_planned(slots: int) -> None:
    plan = make_plan(draw_problem(np.random.default_rng(7), batteries=1, slots=slots), Solver())
    assert plan.flows.import_kwh.shape == (slots,)


def test_paid_imports_hold_the_sun_back_and_fill_the_battery() -> None:
    series = FLAT | {
        "load_kwh": [0.5] * 4,
        "pv_kwh": 0.4,
        "import_price": -0.2,
        "export_price": -0.3,
    }
    plan = make_plan(
        make_problem(
            describe_site({}), series, soc=0.0, terminal=Terminal(kind="value", value=0.0)
        ),
        Solver(),
    )
    assert plan.flows.curtailed_kwh == pytest.approx([0.4] * 4)
    assert plan.flows.import_kwh == pytest.approx([0.5 + 1.25] * 4)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
def test_sun_earns_its_feed_in_price_while_imports_are_paid_if_the_battery_takes_only_sun() -> None:
    series = FLAT | {
        "load_kwh": [0.1] * 4,
        "pv_kwh": 0.5,
        "import_price": -0.05,
        "export_price": 0.08,
    }
    problem = make_problem(
        describe_site({"charge_from_grid": False}),
        series,
        soc=0.5,
        terminal=Terminal(kind="value", value=0.0),
    )
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        solve_reference(problem), abs=1e-6
    )


def test_no_price_makes_a_plan_earn_from_nothing() -> None:
    # Neither load nor sun: with prices below zero both ways, only storing pays, and only once.
    series = FLAT | {"load_kwh": [0.0] * 8, "import_price": -0.3, "export_price": -0.3}
    plan = make_plan(
        make_problem(
            describe_site({"capacity_kwh": 5}),
            series,
            soc=0.0,
            terminal=Terminal(kind="value", value=0.0),
        ),
        Solver(),
    )
    assert plan.flows.curtailed_kwh.max() == 0.0
    assert plan.costs.total.sum() >= -8 * 1.25 * 0.3


def request(**changes: Any) -> PlanRequest:
    site = {
        "timezone": "Europe/Berlin",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
    return PlanRequest.model_validate(
        describe_request(site, {"load_kwh": [0.3] * 4, "import_price": 0.3}, slot_minutes=15)
        | changes
    )


def test_begun_slot_starts_where_the_grid_has_it() -> None:
    timeline = build_problem(
        request(start="2024-02-01T00:09:00Z", first_slot_minutes=6)
    ).outlook.timeline
    assert timeline.start == datetime(2024, 2, 1, tzinfo=UTC)
    assert timeline.hours[:2] == pytest.approx([0.1, 0.25])


@pytest.mark.parametrize(
    ("state", "field"),
    [
        pytest.param({}, "state.batteries.battery.soc", id="battery without state"),
        pytest.param(
            {"batteries": {"battery": {"soc": 0.5}, "spare": {"soc": 0.5}}},
            "state.batteries.spare",
            id="state without battery",
        ),
    ],
)
def test_state_and_batteries_must_match(state: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(request(state=state))
    assert caught.value.field == field


def test_terminal_values_must_name_the_batteries() -> None:
    with pytest.raises(InvalidInputError, match=r"options\.terminal\.value"):
        build_problem(request(options={"terminal": {"kind": "value", "value": {"spare": 0.2}}}))
