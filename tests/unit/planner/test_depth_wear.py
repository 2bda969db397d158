"""Wear by depth: a path's cost by hand, the model's own, and the one written for readers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.contracts.plan import Terminal
from luna.energy.devices.battery import Battery
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, parse_site
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from tests.support.planning.problems import describe_site, draw_prices, make_problem, settle_cost
from tests.support.planning.requests import (
    answer,
    charging_session,
    make_request,
    solve,
    value_rest,
)
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

# 10 kWh: the first 3 kWh below full cost 0.01 per kWh, the next 4 cost 0.03, the last 3 cost 0.08.
SEGMENTS = [
    {"to_depth": 0.3, "price": 0.01},
    {"to_depth": 0.7, "price": 0.03},
    {"to_depth": 1.0, "price": 0.08},
]
BATTERY: dict[str, Any] = {
    "capacity_kwh": 10,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "discharge_efficiency": 1.0,
    "wear_by_depth": SEGMENTS,
}
WEARING = {"wear_price": 0.0, "wear_by_depth": SEGMENTS}
VEHICLE_SITE = {
    "name": "home",
    "timezone": "UTC",
    "vehicles": [{"name": "car", "capacity_kwh": 20}],
}


def wear(path: list[float], start: float, battery: Battery | None = None) -> FloatArray:
    return depth_wear(
        [battery or Battery.model_validate(BATTERY)], np.array([path]), np.array([start])
    )


def test_what_lies_deeper_costs_more() -> None:
    # From full: 3 kWh at 0.01, then 4 at 0.03, then 3 at 0.08.
    assert wear([7.0, 3.0, 0.0], 10.0) == pytest.approx([0.03, 0.12, 0.24])


def test_charging_costs_nothing() -> None:
    assert wear([2.0, 6.0, 10.0], 0.0).tolist() == [0.0, 0.0, 0.0]


def test_a_short_cycle_costs_its_own_depth_however_empty_the_battery_is() -> None:
    # At 2 kWh after a deep discharge: 3 kWh in, 3 kWh out lie in the shallowest segment again.
    assert wear([2.0, 5.0, 2.0], 10.0)[2] == pytest.approx(0.03)


def test_a_battery_begins_as_if_just_discharged_from_full() -> None:
    # 5 kWh of 10: the shallowest 3 are gone and 2 of the next 4, so 2 cost 0.03 and one 0.08.
    assert wear([2.0], 5.0) == pytest.approx([2 * 0.03 + 0.08])


def test_losses_count_what_leaves_the_terminals() -> None:
    battery = Battery.model_validate(BATTERY | {"discharge_efficiency": 0.9})
    assert wear([7.0], 10.0, battery) == pytest.approx([3 * 0.9 * 0.01])


def test_sites_side_by_side_cost_what_each_costs_alone() -> None:
    paths = np.array([[7.0, 9.0, 4.0], [2.0, 8.0, 1.0]])
    both = depth_wear([Battery.model_validate(BATTERY)], paths[None], np.array([[10.0, 6.0]]))
    assert both == pytest.approx(
        np.stack([wear(paths[0].tolist(), 10.0), wear(paths[1].tolist(), 6.0)])
    )


@settings(max_examples=30)
@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=12),
    st.lists(st.floats(0, 10), min_size=1, max_size=12),
)
def test_a_path_cut_where_it_is_full_costs_its_parts(
    before: list[float], after: list[float]
) -> None:
    whole = wear([*before, 10.0, *after], 10.0).sum()
    assert whole == pytest.approx(
        wear([*before, 10.0], 10.0).sum() + wear(after, 10.0).sum(), abs=1e-9
    )


def draw(seed: int) -> Any:
    """Half a day of one or two batteries, all or the first wearing by depth; prices of any kind."""
    rng = np.random.default_rng(seed)
    site = describe_site(WEARING, *([{}] if seed % 2 else []), import_limit_kw=12)
    bought, sold = draw_prices(rng, 16)
    series = {
        "load_kwh": rng.gamma(1.0, 0.4, 16),
        "pv_kwh": rng.uniform(0, 1, 16),
        "import_price": bought,
        "export_price": sold,
    }
    return make_problem(
        site, series, soc=rng.uniform(0, 1), terminal=Terminal(kind="value", value=0.1)
    )


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(10)))
def test_a_plan_costs_what_the_model_written_for_readers_costs(seed: int) -> None:
    problem = draw(seed)
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6
    )


def discharged(site: Site, spread: float) -> FloatArray:
    """What is discharged over a dear evening after a cheap night, from full and back to full."""
    series = {
        "load_kwh": 1.0,
        "pv_kwh": 0.0,
        "import_price": [0.2 + spread] * 8 + [0.2] * 16,
        "export_price": 0.0,
    }
    plan = make_plan(
        make_problem(site, series, soc=1.0, terminal=Terminal(kind="minimum_soc", soc=1.0)),
        Solver(),
    )
    return plan.flows.discharge_kwh[0]


@each_row(("spread", "depth_kwh"), [(0.005, 0.0), (0.02, 3.0), (0.05, 7.0), (0.1, 8.0)])
def test_a_cycle_goes_as_deep_as_the_spread_pays_for(spread: float, depth_kwh: float) -> None:
    lossless = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    assert discharged(describe_site(WEARING | lossless), spread).sum() == pytest.approx(
        depth_kwh, abs=1e-6
    )


def test_the_value_of_stored_energy_is_the_models_dual() -> None:
    lossless = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    series = {
        "load_kwh": 0.5,
        "pv_kwh": 0.0,
        "import_price": [0.2] * 4 + [0.3] * 4,
        "export_price": 0.0,
    }
    plan = make_plan(
        make_problem(
            describe_site(WEARING | lossless),
            series,
            soc=0.0,
            terminal=Terminal(kind="value", value=0.0),
        ),
        Solver(),
    )
    # Two kWh serve the dear hour from the shallowest segment: more would be worth nothing, one less
    # 0.3 − 0.01.
    assert plan.flows.discharge_kwh.sum() == pytest.approx(2.0)
    assert 0.0 <= plan.energy_value[0, 3] <= 0.29 + 1e-9
    assert plan.value is None


def test_the_reply_holds_the_wear_and_the_owners_factor_weighs_it() -> None:
    site = {"batteries": [BATTERY | {"charge_efficiency": 1.0}]}
    series = {"load_kwh": 1.0, "import_price": [0.25] * 4 + [0.2] * 4, "export_price": 0.0}
    ends = {"terminal": {"kind": "minimum_soc"}}
    plain, careful = (
        answer(make_request(site, series, soc=1.0, options=ends | more))
        for more in ({}, {"objective": {"wear_factor": 2.0}})
    )
    # A spread of 0.05 pays for 0.03 of wear, not for twice as much: 4 kWh from full against 3.
    assert plain.cost.wear == pytest.approx(3 * 0.01 + 0.03)
    assert careful.cost.wear == pytest.approx(3 * 0.01)


def test_a_plan_around_a_car_costs_the_same_in_both_layers() -> None:
    site = describe_site(WEARING).model_copy(update={"vehicles": parse_site(VEHICLE_SITE).vehicles})
    series = {"import_price": [0.2] * 6 + [0.35] * 6, "export_price": 0.0}
    state = {
        "vehicles": {"car": {"soc": 0.3, "sessions": [charging_session(0, 10, target_soc=0.5)]}}
    }
    plan = solve(
        make_request(
            site.model_dump(by_alias=True), series, soc=0.2, state=state, options=value_rest(0.1)
        )
    )
    assert plan.load_schedule is not None
    assert objective(plan) == pytest.approx(plan.load_schedule.objective, abs=1e-4)


@each_row(
    ("segments", "wear_price", "reason"),
    [
        (SEGMENTS, 0.01, "wear-priced-twice"),
        (SEGMENTS[:2], 0.0, "wear-depths"),
        (SEGMENTS[::-1], 0.0, "wear-depths"),
        (
            [{"to_depth": 0.5, "price": 0.05}, {"to_depth": 1.0, "price": 0.01}],
            0.0,
            "wear-prices-fall",
        ),
    ],
    ids=["priced twice", "not to the bottom", "upside down", "cheaper below"],
)
def test_segments_that_cannot_be_are_refused(
    segments: list[dict[str, float]], wear_price: float, reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "batteries": [BATTERY | {"wear_by_depth": segments, "wear_price": wear_price}],
            }
        )
    assert refused.value.reason == reason
