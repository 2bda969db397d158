"""What the connection carries may be less than its fuse: a share of the PV's peak power, or what an
operator says slot by slot.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, Terminal
from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem
from tests.support.planning.problems import (
    describe_site,
    draw_contradiction,
    draw_problem,
    make_problem,
    settle_cost,
)
from tests.support.planning.requests import answer, make_request
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

SITE: dict[str, Any] = {"name": "home", "timezone": "Europe/Berlin", "pv": [{"peak_kw": 10}]}
BATTERY = {
    "capacity_kwh": 8,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
}
# A clear day in hours: 42 kWh, 4, 7, 9 and 10 kW rising to noon.
SUN = [0.0] * 8 + [2.0, 4.0, 7.0, 9.0, 9.0, 7.0, 3.0, 1.0] + [0.0] * 8


def narrow(problem: Problem, import_kw: Any, export_kw: Any) -> Problem:
    outlook = replace(problem.outlook, import_limit_kw=import_kw, export_limit_kw=export_kw)
    return replace(problem, outlook=outlook, limits=problem.limits.narrow(import_kw, export_kw))


def draw_limited(seed: int, *, contradiction: bool = False) -> Problem:
    rng = np.random.default_rng(seed)
    draw = draw_contradiction if contradiction else draw_problem
    problem = draw(rng, batteries=1 + seed % 2, slots=24)
    return narrow(problem, rng.choice([2.5, 8.0, np.inf], 24), rng.choice([0.0, 1.5, np.inf], 24))


def ask(*, site: dict[str, Any] | None = None, soc: float = 0.0, **outlook: Any) -> PlanReply:
    """A sunny day on a roof of 10 kW; ``site`` and ``outlook`` are changes."""
    series = {"pv_kwh": SUN, "import_price": 0.3, "export_price": 0.08} | outlook
    return answer(
        make_request(
            SITE | {"batteries": [BATTERY]} | (site or {}),
            series,
            soc=soc,
            options={"terminal": {"kind": "value", "value": 0.2}},
        )
    )


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(10)))
def test_with_limits_of_its_own_in_every_slot_a_plan_costs_what_the_reference_costs(
    seed: int,
) -> None:
    problem = draw_limited(seed)
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6, nan_ok=True
    )


@each_row("seed", range(8))
def test_contradicting_limits_of_slots_end_in_a_plan(seed: int) -> None:
    assert isinstance(make_plan(draw_limited(seed, contradiction=True), Solver()), Plan)


def test_a_feed_in_cap_keeps_room_for_noon() -> None:
    # 60 % of 10 kW: above it lie 0.5 + 2.5 + 2.5 + 0.5 = 6 kWh after the house. They fit, though
    # the morning would fill the battery.
    slots = ask(site={"grid": {"export_limit_share": 0.6}}).slots
    assert max(slot.export_kwh for slot in slots) == pytest.approx(6.0)
    assert sum(slot.curtailed_kwh for slot in slots) == pytest.approx(0.0, abs=1e-6)
    assert slots[9].batteries["battery"].soc_end <= 2 / 8 + 1e-6
    assert slots[15].batteries["battery"].soc_end == pytest.approx(1.0)


def test_the_lower_of_two_caps_holds() -> None:
    assert (
        parse_site(
            SITE | {"grid": {"export_limit_kw": 3, "export_limit_share": 0.6}}
        ).feed_in_limit_kw
        == 3
    )
    assert (
        parse_site(
            SITE | {"grid": {"export_limit_kw": 8, "export_limit_share": 0.6}}
        ).feed_in_limit_kw
        == 6
    )
    assert parse_site(SITE).feed_in_limit_kw == 10_000


def test_what_cannot_be_stored_beyond_a_cap_is_held_back() -> None:
    slots = ask(site={"grid": {"export_limit_share": 0.0}}).slots
    # 42 − 8 · 0.5 at the house, 8 in the battery, and what the night after takes from it is not
    # free again before.
    assert max(slot.export_kwh for slot in slots) == 0.0
    assert sum(slot.curtailed_kwh for slot in slots) == pytest.approx(42 - 8 * 0.5 - 8)


def test_a_cap_of_single_slots_holds_in_them_alone() -> None:
    slots = ask(export_limit_kw=[None] * 11 + [1.0, 1.0] + [None] * 11).slots
    assert [slot.export_kwh for slot in slots[11:13]] == pytest.approx([1.0, 1.0])
    assert max(slot.export_kwh for slot in slots) > 6


def test_where_an_operator_dims_the_battery_carries_the_house_and_waits_with_charging() -> None:
    cheap = [0.1] * 4 + [0.3] * 20
    free, dimmed = (
        ask(pv_kwh=[0.0] * 24, import_price=cheap, import_limit_kw=limit)
        for limit in (None, [None, 0.0, 2.0] + [None] * 21)
    )
    # Nothing comes in during the second hour: what the first hour brought serves the house.
    assert dimmed.slots[1].import_kwh == 0.0
    assert dimmed.slots[1].batteries["battery"].discharge_kwh == pytest.approx(0.5)
    assert dimmed.slots[2].import_kwh <= 2.0
    assert dimmed.slots[3].batteries["battery"].soc_end == pytest.approx(
        free.slots[3].batteries["battery"].soc_end
    )
    assert dimmed.status == "optimal"


def test_a_limit_that_load_breaks_is_named_with_its_slot_and_its_own_figure() -> None:
    reply = ask(
        pv_kwh=[0.0] * 24,
        import_limit_kw=[None] * 3 + [0.2] + [None] * 20,
        site={"batteries": [BATTERY | {"discharge_limit_kw": 0}]},
    )
    assert reply.status == "compromised"
    [compromise] = reply.compromises
    assert (compromise.code, compromise.shortfall) == ("import_limit", "0.30 kW too much")
    assert (compromise.figures["limit_kw"], compromise.figures["worst"]) == (
        0.2,
        "2024-02-01T04:00:00+01:00",
    )


def test_a_slot_half_over_carries_half_as_much() -> None:
    site = describe_site({}, import_limit_kw=10)
    series = {
        "load_kwh": 0.0,
        "pv_kwh": 0.0,
        "import_price": [0.1, 0.3, 0.3, 0.3],
        "export_price": 0.0,
    }
    problem = make_problem(
        site, series, terminal=Terminal(kind="value", value=0.25), first_step=timedelta(minutes=7.5)
    )
    plan = make_plan(narrow(problem, np.array([2.0, 9.0, 9.0, 9.0]), None), Solver())
    # 2 kW for seven and a half minutes.
    assert plan.flows.import_kwh[0] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("grid", "field", "says"),
    [
        ({"export_limit_share": 1.2}, "site.grid.export_limit_share", "1"),
        ({"export_limit_share": 60}, "site.grid.export_limit_share", "1"),
        ({"export_limit_share": -0.1}, "site.grid.export_limit_share", "0"),
    ],
    ids=["above all there is", "a percentage", "below nothing"],
)
def test_a_cap_that_is_no_share_is_refused(grid: dict[str, float], field: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says) as caught:
        parse_site(SITE | {"grid": grid})
    assert caught.value.field == field


def test_a_share_of_no_pv_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="has no pv"):
        parse_site(SITE | {"pv": [], "grid": {"export_limit_share": 0.6}})


@pytest.mark.parametrize(
    ("limits", "says"),
    [([1.0] * 3, "24"), ([-1.0] * 24, "greater"), ([20_000.0] * 24, "less")],
    ids=["too few", "negative", "in watts"],
)
def test_limits_of_slots_are_one_per_slot_and_in_kilowatts(limits: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ask(export_limit_kw=limits)
