"""What the optimisation finds and physics confirms: no plan is settled to anything else than what
was found, whatever the battery.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Terminal
from luna.energy.timeline import SLOT
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.owner_constraints import read_blocks
from services.planner.problem.problem import ACTING, NO_MARGIN, Following, Margin, Problem
from tests.support.planning.problems import describe_site, make_problem
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

KINDS = {
    "tapers": ({"taper_from_soc": 0.8, "taper_to_share": 0.2},),
    "least power": ({"min_charge_kw": 0.5},),
    "above its limit": ({"max_soc": 0.8},),
    "two": ({}, {"capacity_kwh": 4}),
}


def draw(kind: str, seed: int) -> Problem:
    """A day of sun where feeding in earns nothing, or is not allowed."""
    rng = np.random.default_rng(seed)
    site = describe_site(*KINDS[kind], export_limit_kw=float(rng.choice([0, 2])))
    sun = np.maximum(np.sin((np.arange(96) - 30) / 40 * np.pi), 0.0) * rng.uniform(0.2, 1.2)
    return make_problem(
        site,
        {
            "load_kwh": rng.gamma(1.0, 0.2, 96),
            "pv_kwh": sun,
            "import_price": 0.3,
            "export_price": 0.0,
        },
        soc=rng.uniform(0.1, 1.0),
    )


@each_row("margin", [ACTING, NO_MARGIN], ids=["as followed", "the very optimum"])
@each_row("seed", range(6 if LONG else 1))
@each_row("kind", KINDS)
def test_where_feeding_in_earns_nothing_physics_confirms_every_plan(
    kind: str, seed: int, margin: Margin
) -> None:
    plan = decide(replace(draw(kind, seed), following=Following(margin)), Solver())
    assert plan.disagreements == ()
    assert plan.proven


def test_what_is_held_back_does_not_discharge_a_tapering_battery() -> None:
    # Room for 1.5 of 5 kWh; nothing may be fed in, and load is there for none of it: all of the sun
    # but 1.5 / 0.95 kWh is held back, for nothing.
    site = describe_site(
        {
            "capacity_kwh": 5,
            "charge_limit_kw": 2.5,
            "taper_from_soc": 0.8,
            "taper_to_share": 0.2,
            "wear_price": 0,
        },
        export_limit_kw=0,
    )
    series = {"load_kwh": [0.3] * 3, "pv_kwh": 3.0, "import_price": 0.3, "export_price": 0.0}
    plan = decide(
        replace(
            make_problem(site, series, soc=0.7, step=timedelta(hours=1)),
            following=Following(ACTING),
        ),
        Solver(),
    )
    assert plan.disagreements == ()
    assert plan.flows.discharge_kwh.sum() == 0
    assert plan.costs.total.sum() == pytest.approx(0.0, abs=1e-9)


def test_a_battery_sells_nothing_through_a_connection_that_the_sun_fills() -> None:
    # Of 0.95 kWh of surplus 0.5 pass the connection, for 5 ct each; room for 1.5 kWh is left: 1.35
    # must go in, and the rest of the room may.
    site = describe_site({"wear_price": 0}, curtailable=False, export_limit_kw=2)
    series = {"load_kwh": [0.05] * 3, "pv_kwh": 1.0, "import_price": 0.08, "export_price": -0.05}
    plan = decide(
        replace(
            make_problem(site, series, soc=0.85, terminal=Terminal(kind="value", value=0.1)),
            following=Following(ACTING),
        ),
        Solver(),
    )
    assert plan.disagreements == ()
    assert plan.flows.excess_kwh.sum() == pytest.approx(0.0, abs=1e-9)
    # Surplus 2.85 kWh less 1.5 / 0.95 stored is fed in.
    assert plan.flows.export_kwh.sum() == pytest.approx(2.85 - 1.5 / 0.95, abs=1e-6)
    assert objective(plan) == pytest.approx(0.05 * (2.85 - 1.5 / 0.95) - 0.1 * 10, abs=1e-6)


def test_a_battery_told_to_give_in_the_sun_s_place_does() -> None:
    problem = draw("least power", 3)
    begin, end = (problem.outlook.timeline.start + slot * SLOT for slot in (44, 50))
    block = ManualBlock.model_validate(
        {"device": "battery 0", "action": "discharge", "from": begin, "to": end, "power_kw": 0.9}
    )
    manual, _ = read_blocks([block], problem.site, (), problem.outlook.timeline)
    plan = decide(replace(problem, manual=manual, limits=manual.narrow(problem.limits)), Solver())
    assert plan.disagreements == ()
    assert plan.flows.discharge_kwh[0, 44:50].min() > 0
