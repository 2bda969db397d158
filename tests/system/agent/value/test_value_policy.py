"""The policy ``antares``: what it knows, when the planner's plan stands, and what it tells of
itself.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from luna.energy.timeline import SLOT, Timeline
from services.agent.value.policy import ValuePolicy, expect_prices, foresee_prices, list_scenarios
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.knowledge import (
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.problem import Problem
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.problem.scenarios import ErrorScenarios
from services.planner.replay import ReplayData, ReplaySpec, run
from services.planner.replay.policies import plan_by_planner
from tests.support.planning.replay import BATTERY, NOW, WINDOW, make_scene

PRICE_DAYS = 60
STORED = np.array([4.0])


def with_history(scene: ReplayData) -> ReplayData:
    """Return the scene with two months of prices, each day like the others but for its level and a
    little noise.
    """
    rng = np.random.default_rng(5)
    ahead = WINDOW.count + 192
    timeline = Timeline(
        WINDOW.start - PRICE_DAYS * timedelta(days=1), SLOT, PRICE_DAYS * 96 + ahead
    )
    slot = np.arange(timeline.count)
    level = rng.uniform(0.05, 0.15, 1 + timeline.count // 96)[slot // 96]
    spot = level + 0.06 * np.sin(slot / 96 * 4 * np.pi) + rng.normal(0, 0.004, timeline.count)
    published = timeline.starts[slot // 96 * 96] - np.timedelta64(11, "h")
    return replace(
        scene,
        prices=SitePrices(
            scene.site, timeline, {"NL": PriceVintages(timeline, slot, published, spot)}
        ),
    )


def see_problem(scene: ReplayData) -> Problem:
    known = SiteKnowledge(
        scene.site, scene.forecasts, scene.prices, ErrorScenarios(scene.forecasts, scene.foresight)
    )
    return known.build_problem(NOW, STORED)


def thresholds(plan: Plan) -> list[list[float]]:
    assert plan.policy is not None
    return [
        getattr(plan.policy.batteries[0].begin, name).tolist()
        for name in ("buy", "store", "serve", "sell")
    ]


@pytest.fixture(scope="module")
def scene() -> ReplayData:
    return with_history(make_scene(past_days=16))


def test_the_same_is_planned_whatever_happens_later(scene: ReplayData) -> None:
    later = int((NOW - scene.foresight.timeline.start) / SLOT)
    load = scene.foresight.load_kwh.copy()
    pv = scene.foresight.pv_kwh.copy()
    load[later:] = 3.0
    pv[later:] = 0.0
    book = scene.prices.books["NL"]
    unknown = book.published_at > np.datetime64(NOW.replace(tzinfo=None))
    prices = replace(
        scene.prices, books={"NL": replace(book, price=np.where(unknown, 9.0, book.price))}
    )
    issued = ForecastArchive([each for each in scene.forecasts.forecasts if each.issued_at <= NOW])
    other = replace(
        scene,
        foresight=PerfectForesight(scene.foresight.timeline, load, pv),
        prices=prices,
        forecasts=issued,
    )
    plans = [ValuePolicy().plan(see_problem(each), each.prices) for each in (scene, other)]
    assert plans[0].followed == "value"
    assert thresholds(plans[0]) == thresholds(plans[1])


def test_the_same_problem_is_planned_the_same_twice(scene: ReplayData) -> None:
    assert thresholds(ValuePolicy().plan(see_problem(scene), scene.prices)) == thresholds(
        ValuePolicy().plan(see_problem(scene), scene.prices)
    )


def test_it_plans_over_both_kinds_of_errors_and_the_expected_course(scene: ReplayData) -> None:
    problem = see_problem(scene)
    errors = problem.uncertainty.errors
    scenarios = list_scenarios(problem)
    assert errors is not None
    assert scenarios is not None
    days = errors.weight.size
    # Three kinds that count alike: the expected course has what is left of the weights.
    assert scenarios.weight == pytest.approx(np.full(2 * days, 1 / (3 * days)))
    assert scenarios.load_kwh[:days] == pytest.approx(errors.load_kwh)
    # In each slot the same errors, on other scenarios.
    assert np.sort(scenarios.load_kwh[days:], axis=0) == pytest.approx(
        np.sort(errors.load_kwh, axis=0)
    )


def test_published_prices_stand_and_others_are_expected_rather_than_repeated(
    scene: ReplayData,
) -> None:
    problem = see_problem(scene)
    seen = foresee_prices(problem, scene.prices)
    known = scene.prices.ahead(NOW, problem.outlook.timeline)
    ends = int((known.known_until - NOW) / SLOT)
    assert (seen.outlook.import_price[:ends] == problem.outlook.import_price[:ends]).all()
    actual = scene.prices.actual(problem.outlook.timeline.window(0, ends + 96))[0][ends:]
    wrong = [
        np.abs(each.outlook.import_price[ends : ends + 96] - actual).mean()
        for each in (seen, problem)
    ]
    assert wrong[0] < wrong[1]


def test_with_few_days_of_prices_the_last_known_day_is_repeated() -> None:
    short = make_scene(past_days=16)
    problem = see_problem(short)
    assert foresee_prices(problem, short.prices) is problem


def test_a_price_is_expected_for_every_slot_on_days_of_any_length(scene: ReplayData) -> None:
    imported, exported = expect_prices(scene.prices, Timeline(NOW, SLOT, 192))
    assert np.isfinite(imported + exported).all()
    assert imported - exported == pytest.approx(0.13)


def unknown_load(problem: Problem) -> Problem:
    load = problem.outlook.load_kwh.copy()
    load[5] = np.nan
    return replace(problem, outlook=replace(problem.outlook, load_kwh=load))


def without_errors(problem: Problem) -> Problem:
    return replace(problem, uncertainty=replace(problem.uncertainty, errors=None))


def test_several_batteries_are_the_planners() -> None:
    two = make_scene(
        past_days=16,
        batteries=[BATTERY | {"name": "one"}, BATTERY | {"name": "two", "capacity_kwh": 4}],
    )
    known = SiteKnowledge(two.site, two.forecasts, two.prices)
    problem = known.build_problem(NOW, np.array([4.0, 2.0]))
    plan = ValuePolicy().plan(problem, two.prices)
    assert plan.agent_obstacle == "several_batteries"
    assert (
        ValuePolicy().list_figures(
            plan, problem, two.prices, planned=plan_by_planner(problem, two.prices)
        )
        == {}
    )
    assert (
        plan.setpoints.mode.tolist() == plan_by_planner(problem, two.prices).setpoints.mode.tolist()
    )


def test_an_unknown_forecast_is_the_planners(scene: ReplayData) -> None:
    problem = unknown_load(see_problem(scene))
    plan = ValuePolicy().plan(problem, scene.prices)
    assert plan.agent_obstacle == "unknown_outlook"
    assert (
        plan.setpoints.mode.tolist()
        == plan_by_planner(problem, scene.prices).setpoints.mode.tolist()
    )


def test_past_errors_that_are_no_numbers_are_left_out(scene: ReplayData) -> None:
    problem = see_problem(scene)
    errors = problem.uncertainty.errors
    assert errors is not None
    broken = errors.load_kwh.copy()
    broken[0, 3] = np.nan
    scenarios = list_scenarios(
        replace(
            problem,
            uncertainty=replace(problem.uncertainty, errors=replace(errors, load_kwh=broken)),
        )
    )
    assert scenarios is not None
    assert scenarios.weight.size == 2 * (errors.weight.size - 1)
    assert np.isfinite(scenarios.load_kwh).all()


def test_without_errors_and_learned_prices_it_is_the_planner(scene: ReplayData) -> None:
    problem = without_errors(see_problem(scene))
    plan = ValuePolicy(foresees_prices=False).plan(problem, scene.prices)
    assert thresholds(plan) == thresholds(plan_by_planner(problem, scene.prices))


def test_it_tells_what_a_stored_kwh_is_worth_to_planner_and_agent(scene: ReplayData) -> None:
    problem = see_problem(scene)
    policy = ValuePolicy()
    plan = policy.plan(problem, scene.prices)
    planned = plan_by_planner(problem, scene.prices)
    facts = policy.explain(plan, problem, scene.prices, planned=planned)
    assert facts.planner_value == pytest.approx(planned.energy_value[0, 0])
    assert facts.agent_value == pytest.approx(plan.energy_value[0, 0])
    assert facts.scenarios == 1 + 2 * 15
    assert facts.published_until == scene.prices.ahead(NOW, problem.outlook.timeline).known_until
    assert facts.carried_price is not None
    assert facts.expected_price is not None
    assert facts.correction == 0.0
    figures = policy.list_figures(plan, problem, scene.prices, planned=planned)
    assert figures["agent_value"] - figures["planner_value"] == pytest.approx(
        facts.agent_value - facts.planner_value
    )
    assert "expected_price" in figures


def test_a_replay_by_days_is_one_in_one_go(scene: ReplayData) -> None:
    spec = ReplaySpec(["antares", "mpc"], 4, agents={"antares": ValuePolicy().plan})
    policies = [run(scene, spec).reply.policies["antares"] for _ in range(2)]
    assert policies[0] == policies[1]
    assert policies[0].violations == 0


def test_made_plans_of_the_agents_problem_keep_the_planners_problem_apart(
    scene: ReplayData,
) -> None:
    problem = see_problem(scene)
    plan = make_plan(ValuePolicy().adapt_problem(problem, scene.prices), Solver())
    assert problem.uncertainty.scenarios is None
    assert plan.spread is not None
