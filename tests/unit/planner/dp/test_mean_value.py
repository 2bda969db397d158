"""The mean of V′ over scenarios, and the plan that follows it."""

from dataclasses import replace

import numpy as np
import pytest

from luna.contracts.plan import Terminal
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, objective
from services.planner.dp.planner import weigh_scenarios
from services.planner.dp.value import ValueFunction
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem, Uncertainty
from services.planner.problem.scenarios import PriceChange, ScenarioSet
from services.planner.reply.notes import find_compromises
from tests.support.planning.problems import describe_site, draw_problem, make_problem
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

SLOTS = 48
LEVELS = np.linspace(0.0513, 8.9171, 60)


def draw_home(seed: int = 0, *, terminal: Terminal | None = None, wear: float = 0.01) -> Problem:
    """Return a home whose battery buys cheaply and serves dear hours."""
    rng = np.random.default_rng(seed)
    bought = np.repeat(rng.uniform(0.05, 0.4, SLOTS // 4), 4)
    series = {
        "load_kwh": rng.gamma(2.0, 0.15, SLOTS),
        "pv_kwh": np.maximum(np.sin(np.linspace(-1, 4, SLOTS)), 0) * 0.7,
        "import_price": bought,
        "export_price": bought - 0.04,
    }
    site = describe_site({"min_soc": 0.1, "wear_price": wear})
    return make_problem(
        site, series, soc=0.5, terminal=terminal or Terminal(kind="value", value=0.15)
    )


def err(problem: Problem, paths: int = 6, seed: int = 1) -> ScenarioSet:
    rng = np.random.default_rng(seed)
    outlook = problem.outlook
    load, pv = (
        np.repeat(rng.gamma(2.0, 0.5, (paths, 1 + SLOTS // 8)), 8, axis=1)[
            :, : outlook.timeline.count
        ]
        for _ in range(2)
    )
    return ScenarioSet(np.full(paths, 0.6 / paths), outlook.load_kwh * load, outlook.pv_kwh * pv)


def plan(problem: Problem, scenarios: ScenarioSet | None = None, *, risk: float = 0.0) -> Plan:
    return make_plan(replace(problem, uncertainty=Uncertainty(scenarios, risk)), Solver())


def function_of(found: Plan) -> ValueFunction:
    assert found.value is not None
    return found.value.function


def sample(function: ValueFunction, slot: int) -> FloatArray:
    """Return V′ at the end of a slot at ``LEVELS``, none of which is a step."""
    length, value = function.after(slot)
    return value[np.searchsorted(np.cumsum(length), LEVELS)]


@each_row("seed", range(5))
def test_the_mean_is_that_of_the_value_functions_of_all_courses(seed: int) -> None:
    problem = draw_home(seed)
    scenarios = err(problem)
    alone = [
        replace(problem, outlook=replace(problem.outlook, load_kwh=load, pv_kwh=pv))
        for load, pv in zip(scenarios.load_kwh, scenarios.pv_kwh, strict=True)
    ]
    functions = [function_of(plan(each)) for each in (problem, *alone)]
    weight = np.append(0.4, scenarios.weight)
    mean = function_of(plan(problem, scenarios))
    for slot in (0, 7, SLOTS - 1):
        assert sample(mean, slot) == pytest.approx(
            weight @ [sample(function, slot) for function in functions]
        )


@each_row("seed", range(5))
def test_a_scenario_with_prices_of_its_own_has_the_value_at_those(seed: int) -> None:
    problem = draw_home(seed)
    rng = np.random.default_rng(seed + 50)
    more = np.repeat(rng.uniform(-0.05, 0.2, (6, SLOTS // 4)), 4, axis=1)
    scenarios = replace(err(problem), price_change=PriceChange(more, more))
    outlook = problem.outlook
    alone = [
        replace(
            problem,
            outlook=replace(
                outlook,
                load_kwh=load,
                pv_kwh=pv,
                import_price=outlook.import_price + change,
                export_price=outlook.export_price + change,
            ),
        )
        for load, pv, change in zip(scenarios.load_kwh, scenarios.pv_kwh, more, strict=True)
    ]
    functions = [function_of(plan(each)) for each in (problem, *alone)]
    weight = np.append(0.4, scenarios.weight)
    mean = function_of(plan(problem, scenarios))
    for slot in (0, 7, SLOTS - 1):
        assert sample(mean, slot) == pytest.approx(
            weight @ [sample(function, slot) for function in functions]
        )


@pytest.mark.parametrize("risk", [0.0, 0.4, 1.0])
def test_courses_that_are_all_as_expected_make_the_plan_for_what_is_expected(risk: float) -> None:
    problem = draw_home()
    same = ScenarioSet(
        np.full(4, 0.2),
        *(np.tile(energy, (4, 1)) for energy in (problem.outlook.load_kwh, problem.outlook.pv_kwh)),
    )
    point = plan(problem)
    weighed = plan(problem, same, risk=risk)
    assert weighed.setpoints.mode.tolist() == point.setpoints.mode.tolist()
    assert weighed.energy_value == pytest.approx(point.energy_value)
    assert weighed.spread is not None
    assert weighed.spread.premium == pytest.approx(0.0, abs=1e-9)


def test_the_order_of_courses_does_not_matter() -> None:
    problem = draw_home(3)
    scenarios = err(problem)
    order = [4, 2, 0, 5, 1, 3]
    turned = ScenarioSet(
        scenarios.weight[order], scenarios.load_kwh[order], scenarios.pv_kwh[order]
    )
    one, other = (function_of(plan(problem, each, risk=0.5)) for each in (scenarios, turned))
    assert sample(one, 5) == pytest.approx(sample(other, 5))


def test_all_risk_makes_the_plan_for_the_dearest_course() -> None:
    problem = draw_home(2)
    scenarios = err(problem)
    alone = [
        replace(problem, outlook=replace(problem.outlook, load_kwh=load, pv_kwh=pv))
        for load, pv in zip(scenarios.load_kwh, scenarios.pv_kwh, strict=True)
    ]
    dearest = max((plan(each) for each in alone), key=objective)
    assert sample(function_of(plan(problem, scenarios, risk=1.0)), 3) == pytest.approx(
        sample(function_of(dearest), 3)
    )


@each_row("seed", range(draws(12)))
def test_whatever_the_problem_the_plan_by_scenarios_breaks_nothing_that_the_other_keeps(
    seed: int,
) -> None:
    problem = draw_problem(np.random.default_rng(seed), batteries=1, slots=SLOTS)
    point = plan(problem)
    weighed = plan(problem, err(problem))
    assert weighed.spread is not None
    assert weighed.spread.scenarios + weighed.spread.left_out == 7
    assert len(find_compromises(weighed)) <= len(find_compromises(point))
    assert objective(weighed) >= objective(point) - 1e-6


def test_what_has_to_be_left_at_the_end_is_left() -> None:
    weighed = plan(draw_home(4, terminal=Terminal(kind="minimum_soc", soc=0.8)), err(draw_home(4)))
    assert weighed.flows.stored_kwh[0, -1] >= 8.0 - 1e-6
    assert find_compromises(weighed) == []


def test_a_course_beyond_the_connection_is_left_out_and_said() -> None:
    problem = draw_home()
    scenarios = err(problem)
    beyond = replace(
        scenarios, load_kwh=np.vstack([scenarios.load_kwh[:-1], np.full(SLOTS, 50_000.0)])
    )
    spread = plan(problem, beyond).spread
    assert spread is not None
    assert (spread.scenarios, spread.left_out, spread.reasons) == (
        6,
        1,
        ("scenarios_beyond_limits",),
    )


def test_several_batteries_are_planned_for_what_is_expected_and_the_plan_says_so() -> None:
    series = {
        "load_kwh": np.full(8, 0.3),
        "pv_kwh": 0.0,
        "import_price": np.repeat([0.1, 0.4], 4),
        "export_price": 0.05,
    }
    problem = make_problem(describe_site({}, {}), series)
    spread = plan(
        problem, ScenarioSet(np.array([0.5]), np.full((1, 8), 0.4), np.zeros((1, 8)))
    ).spread
    assert spread is not None
    assert spread.reasons == ("several_batteries",)


def test_a_decision_reads_no_more_slots_than_it_needs() -> None:
    problem = replace(draw_home(), uncertainty=Uncertainty(err(draw_home())))
    value = plan(draw_home()).value
    assert value is not None
    few, all_slots = (weigh_scenarios(problem, value, slots=slots)[0] for slots in (4, SLOTS))
    assert few.thresholds.buy_kwh.tolist() == all_slots.thresholds.buy_kwh[:4].tolist()
