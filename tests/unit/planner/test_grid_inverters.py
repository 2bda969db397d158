"""Hybrid inverters in a plan: PV and battery share what passes, and what is beyond goes into the
battery or is lost.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import Terminal
from luna.energy.physics.limits import SiteLimits
from luna.energy.site import Site, parse_site
from services.planner.dp.plan import Plan
from services.planner.milp.inverters import suits_value
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import terminal_rule
from services.planner.problem.problem import Problem, Uncertainty
from services.planner.problem.scenarios import ScenarioSet
from services.planner.reply.plan_limits import find_limits
from tests.support.planning.problems import (
    describe_site,
    draw_contradiction,
    draw_problem,
    make_problem,
    settle_cost,
)
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

HYBRID = {"name": "hybrid", "ac_limit_kw": 4, "pv": ["roof"], "batteries": ["battery 0"]}


def behind(site: Site, *inverters: dict[str, Any], pv: list[dict[str, Any]] | None = None) -> Site:
    arrays = pv or [{"name": "roof", "peak_kw": 6}, {"name": "garage", "peak_kw": 2}]
    curtailable = site.curtailable
    return parse_site(
        site.model_dump(by_alias=True)
        | {
            "pv": [array | {"curtailable": curtailable} for array in arrays],
            "inverters": list(inverters),
        }
    )


def calm(site: Site) -> Site:
    """Batteries whose power depends on nothing but the slot, and PV that may be held back."""
    batteries = [
        each.model_copy(update={"min_charge_kw": 0.0, "taper_from_soc": 1.0})
        for each in site.batteries
    ]
    return site.model_copy(
        update={
            "batteries": batteries,
            "pv": [each.model_copy(update={"curtailable": True}) for each in site.pv],
        }
    )


def draw_behind(
    seed: int,
    *,
    batteries: int,
    prices: str = "any",
    contradiction: bool = False,
    steady: bool = False,
) -> Problem:
    """A random problem with sun that binds its inverters.

    ``prices`` says whether they may be below nothing; a ``steady`` site is one whose battery
    follows the value of its energy.
    """
    rng = np.random.default_rng(seed)
    problem = (draw_contradiction if contradiction else draw_problem)(
        rng, batteries=batteries, slots=20
    )
    inverters = [HYBRID | {"ac_limit_kw": float(rng.uniform(1, 5))}]
    if rng.random() < 0.5:
        inverters.append(
            {"name": "plain", "ac_limit_kw": float(rng.uniform(0.5, 2)), "pv": ["garage"]}
        )
    roofs = [{"name": "roof", "peak_kw": 6}] if len(inverters) == 1 and rng.random() < 0.5 else None
    site = behind(
        problem.site,
        *inverters[: 1 if steady else None],
        pv=[{"name": "roof", "peak_kw": 6}] if steady else roofs,
    )
    if steady:
        site = calm(site)
        problem = replace(
            problem,
            terminal=terminal_rule(
                Terminal(),
                site,
                stored_kwh=problem.stored_kwh,
                import_price=problem.outlook.import_price,
            ),
        )
    ahead = problem.outlook
    series = {
        "import_price": ahead.import_price,
        "export_price": ahead.export_price,
        "pv_kwh": ahead.pv_kwh * 1.5,
    }
    floor = 0.0 if prices == "not below nothing" else -np.inf
    outlook = replace(ahead, **{name: np.maximum(values, floor) for name, values in series.items()})
    return replace(problem, site=site, outlook=outlook, limits=SiteLimits.of(site))


def pose_day(
    *inverters: dict[str, Any],
    battery: dict[str, Any] | None = None,
    worth: float = 0.2,
    **series: Any,
) -> Problem:
    ahead = {"load_kwh": 0.0, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.08} | series
    site = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "inverters": list(inverters),
            "pv": [{"name": "roof", "peak_kw": 8}],
            "batteries": [
                {
                    "name": "battery 0",
                    "capacity_kwh": 10,
                    "charge_limit_kw": 6,
                    "discharge_limit_kw": 6,
                    "charge_efficiency": 1.0,
                }
                | (battery or {})
            ],
        }
    )
    return make_problem(site, ahead, soc=0.5, terminal=Terminal(kind="value", value=worth))


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("batteries", [1, 2])
@each_row("seed", [0, 1, 2, 4, 5, 6, 9] if LONG else [0, 4])
def test_a_plan_costs_what_the_reference_model_costs(seed: int, batteries: int) -> None:
    problem = draw_behind(seed, batteries=batteries)
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6, nan_ok=True
    )


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(100, 100 + draws(10)))
def test_by_its_value_a_battery_costs_what_the_reference_model_costs(seed: int) -> None:
    problem = draw_behind(seed, batteries=1, prices="not below nothing", steady=True)
    assert suits_value(problem)
    plan = make_plan(problem, Solver())
    assert plan.value is not None
    assert settle_cost(plan) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6, nan_ok=True
    )


@each_row("seed", range(draws(10)))
def test_contradicting_limits_end_in_a_plan(seed: int) -> None:
    assert isinstance(
        make_plan(draw_behind(seed, batteries=1 + seed % 2, contradiction=True), Solver()), Plan
    )


def test_sun_beyond_the_inverter_goes_into_the_battery_and_none_is_lost() -> None:
    # 7 kW of sun, 4 pass: 3 an hour go into the battery's free 5 kWh while 4 are sold; the second
    # hour has room for 2 of them.
    plan = make_plan(pose_day(HYBRID, pv_kwh=[1.75] * 8, export_price=0.25), Solver())
    assert plan.flows.charge_kwh[0] == pytest.approx([0.75] * 6 + [0.5, 0.0])
    assert plan.flows.export_kwh == pytest.approx([1.0] * 8)
    assert plan.flows.curtailed_kwh == pytest.approx([0.0] * 6 + [0.25, 0.75])


def test_the_battery_gives_what_pv_leaves_of_the_inverter() -> None:
    # 3 of 4 kW are sun's: 1 is the battery's; at night all 4, though it could give 6.
    plan = make_plan(
        pose_day(HYBRID, load_kwh=2.0, pv_kwh=[0.75, 0.75, 0.0, 0.0], import_price=0.5), Solver()
    )
    assert plan.flows.discharge_kwh[0] == pytest.approx([0.25, 0.25, 1.0, 1.0])
    assert all("inverter_limit" in limits for limits in find_limits(plan))


def test_what_comes_from_the_grid_passes_the_inverter_too() -> None:
    # The battery takes 6 kW, its inverter lets 4 through at night; with 1 kW of sun beside 5.
    plan = make_plan(
        pose_day(HYBRID, pv_kwh=[0.0, 0.25], import_price=0.05, export_price=0.0), Solver()
    )
    assert plan.flows.charge_kwh[0] == pytest.approx([1.0, 1.25])


def test_the_battery_keeps_room_for_sun_that_will_not_pass() -> None:
    # Two hours of 2 kW pass and could fill it; the two of 7 kW after them bring 3 · 2 = 6 kWh that
    # do not: 1 kWh is given before to have room for it.
    plan = make_plan(pose_day(HYBRID, pv_kwh=[0.5] * 8 + [1.75] * 8), Solver())
    assert plan.flows.discharge_kwh[0, :8].sum() == pytest.approx(0.95)
    assert plan.flows.curtailed_kwh.sum() == pytest.approx(0.0, abs=1e-6)


def test_pv_without_a_battery_is_cut_at_its_inverter() -> None:
    plain = {"name": "plain", "ac_limit_kw": 4, "pv": ["roof"]}
    plan = make_plan(pose_day(plain, pv_kwh=[1.75] * 4, battery={"charge_limit_kw": 0}), Solver())
    assert plan.flows.export_kwh == pytest.approx([1.0] * 4)
    assert plan.flows.curtailed_kwh == pytest.approx([0.75] * 4)


def test_charging_near_full_slows_down_on_the_direct_side_too() -> None:
    # From 50 % on power falls from 6 kW to a tenth of it: 1.5 kWh in the first quarter-hour of the
    # 2 that shine, then 1.5 · (1 − 0.3 · 0.9).
    taper = {"taper_from_soc": 0.5, "taper_to_share": 0.1}
    plan = make_plan(
        pose_day(HYBRID, pv_kwh=[2.0] * 2, export_price=0.0, worth=0.5, battery=taper), Solver()
    )
    assert plan.flows.charge_kwh[0] == pytest.approx([1.5, 1.095])


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
def test_two_batteries_that_taper_one_behind_a_hybrid_inverter() -> None:
    problem = draw_behind(31, batteries=2, prices="not below nothing")
    parts = [
        each.model_copy(update={"taper_from_soc": 0.6, "taper_to_share": 0.3, "min_charge_kw": 0.0})
        for each in problem.site.batteries
    ]
    site = problem.site.model_copy(update={"batteries": parts})
    problem = replace(problem, site=site, limits=SiteLimits.of(site))
    plan = make_plan(problem, Solver())
    assert settle_cost(plan) == pytest.approx(solve_reference(problem), rel=1e-6, abs=1e-6)
    assert plan.energy_value.shape == (2, 20)


def test_courses_behind_an_inverter_are_weighed_too() -> None:
    problem = pose_day(HYBRID, pv_kwh=[0.0] * 4 + [1.5] * 4, load_kwh=0.3)
    outlook = problem.outlook
    scenarios = ScenarioSet(
        np.array([0.3, 0.3]),
        np.stack([outlook.load_kwh] * 2),
        np.stack([outlook.pv_kwh * 1.5, outlook.pv_kwh * 0.2]),
    )
    plan = make_plan(replace(problem, uncertainty=Uncertainty(scenarios)), Solver())
    assert plan.spread is not None
    assert (plan.spread.scenarios, plan.spread.left_out, plan.spread.reasons) == (3, 0, ())


def test_each_of_two_batteries_has_its_value_under_limits_of_slots() -> None:
    site = describe_site(
        {"capacity_kwh": 4}, {"capacity_kwh": 12, "wear_price": 0.0}, import_limit_kw=8
    )
    series = {
        "load_kwh": 0.2,
        "pv_kwh": 0.0,
        "import_price": [0.1] * 6 + [0.4] * 6,
        "export_price": 0.05,
    }
    problem = make_problem(site, series, soc=0.2, terminal=Terminal(kind="value", value=0.1))
    limits = problem.limits.narrow(np.array([3.0, 8.0] * 6), np.array([0.0, 2.0] * 6))
    plan = make_plan(replace(problem, limits=limits), Solver())
    assert [round(value.function.capacity_kwh, 6) for value in plan.values] == [4.0, 12.0]
    assert (plan.flows.import_kwh <= np.array([0.75, 2.0] * 6) + 1e-9).all()
