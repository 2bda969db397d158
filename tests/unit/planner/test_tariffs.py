"""Plans under tariffs in blocks, at extreme prices, and with gaps in what is known."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from luna.contracts.plan import PlanReply, PlanRequest
from services.planner.dp.plan import objective
from services.planner.problem.build import build_problem
from tests.support.planning.problems import START
from tests.support.planning.requests import (
    answer,
    charging_session,
    make_request,
    solve,
    value_rest,
)
from tests.support.reference_model.model import solve_reference
from tests.support.suite.tables import each_row

BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3, "wear_price": 0.01}
CAR = {"name": "car", "capacity_kwh": 40}
TWO = {"kind": "blocks", "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.45}]}
THREE = {
    "kind": "blocks",
    "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"up_to_kwh": 110, "price": 0.3}, {"price": 0.5}],
}


def ask(
    tariff: Any = TWO,
    *,
    drawn: float = 0.0,
    seed: int = 0,
    start: datetime = START,
    car: bool = False,
    **series: Any,
) -> PlanRequest:
    """A day of a household that draws some 20 kWh, with a roof.

    Prices around the first block's by the seed.
    """
    rng = np.random.default_rng(seed)
    outlook = {
        "load_kwh": rng.gamma(2.0, 0.5, 24),
        "pv_kwh": np.maximum(2.5 * np.sin((np.arange(24) - 7) / 10 * np.pi), 0),
        "import_price": rng.normal(0.2, 0.05, 24),
        "export_price": 0.07,
    }
    vehicles = (
        {"car": {"soc": 0.3, "sessions": [charging_session(0, 9, start=start, target_soc=0.5)]}}
        if car
        else {}
    )
    site = {
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 4}],
        "vehicles": [CAR],
        "tariff": {"import": tariff},
    }
    return make_request(
        site,
        outlook | series,
        start=start,
        state={"vehicles": vehicles, "month_import_kwh": drawn},
        options=value_rest(0.12),
    )


def settled(request: PlanRequest) -> float:
    """What a plan really costs less what is left at the terminal value."""
    plan = solve(request)
    return float(
        plan.costs.total.sum() - (plan.problem.terminal.value * plan.flows.stored_kwh[:, -1]).sum()
    )


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("tariff", [TWO, THREE], ids=["two", "three"])
@each_row("drawn", [0.0, 80.0, 90.0, 97.0, 104.0, 200.0])
def test_a_plan_costs_what_the_model_written_for_readers_costs(tariff: Any, drawn: float) -> None:
    request = ask(tariff, drawn=drawn, seed=int(drawn))
    assert settled(request) == pytest.approx(solve_reference(build_problem(request)), abs=1e-5)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@pytest.mark.parametrize("drawn", [85.0, 95.0])
def test_a_car_is_charged_by_what_its_blocks_cost(drawn: float) -> None:
    request = ask(drawn=drawn, seed=5, car=True)
    assert settled(request) == pytest.approx(solve_reference(build_problem(request)), abs=2e-5)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
def test_over_the_end_of_a_month_the_blocks_begin_anew() -> None:
    request = ask(drawn=95.0, seed=4, start=datetime(2024, 2, 29, 12, tzinfo=UTC))
    assert settled(request) == pytest.approx(solve_reference(build_problem(request)), abs=1e-5)


def flat(drawn: float) -> PlanReply:
    """1 kWh an hour, no sun, one price: nothing but the blocks speaks for the battery."""
    return answer(ask(drawn=drawn, load_kwh=[1.0] * 24, pv_kwh=[0.0] * 24, import_price=[0.2] * 24))


def test_before_a_dearer_block_the_battery_gives_what_would_lie_in_it() -> None:
    # 24 kWh beside 80: 4 would lie in the dearer block; a stored kWh is kept for 0.12 else, and 0.2
    # · 0.95 is more than that besides.
    reply = flat(80.0)
    assert sum(slot.import_kwh for slot in reply.slots) == pytest.approx(24 - 3 * 0.95)
    assert reply.cost.import_ == pytest.approx(20 * 0.2 + (24 - 3 * 0.95 - 20) * 0.45)
    assert sum(slot.import_kwh * slot.import_price for slot in reply.slots) == pytest.approx(
        reply.cost.import_, abs=1e-5
    )


def test_a_plan_shows_what_its_energy_costs_in_its_block() -> None:
    assert {slot.import_price for slot in flat(0.0).slots} == {0.2}
    assert {slot.import_price for slot in flat(300.0).slots} == {0.45}


def test_where_it_pays_to_end_at_an_edge_the_month_ends_there() -> None:
    # What lies beyond is dearer than what is kept, what lies before is cheaper: 98.5 + 1.5 are
    # drawn, the rest is the battery's.
    worth = {"terminal": {"kind": "value", "value": 0.3}}
    request = ask(
        drawn=98.5, load_kwh=[0.25] * 12 + [0.0] * 12, pv_kwh=[0.0] * 24, import_price=[0.2] * 24
    )
    request = request.model_copy(update={"options": request.options.model_validate(worth)})
    reply = answer(request)
    assert sum(slot.import_kwh for slot in reply.slots) == pytest.approx(1.5)
    assert reply.cost.import_ == pytest.approx(0.3)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row(("level", "margin"), [(10.0, -0.1), (-10.0, 0.1)], ids=["earned by selling", "paid for"])
def test_prices_of_ten_either_way_are_planned_like_any(level: float, margin: float) -> None:
    rng = np.random.default_rng(2)
    price = level + rng.normal(0, 1, 24)
    request = ask(
        {"kind": "fixed", "price": 0.2},
        import_price=price.tolist(),
        export_price=(price - margin).tolist(),
    )
    plan = solve(request)
    assert objective(plan) == pytest.approx(
        solve_reference(build_problem(request)), rel=1e-6, abs=1e-5
    )


@pytest.mark.parametrize(
    "start",
    [datetime(2024, 3, 30, 12, tzinfo=UTC), datetime(2024, 10, 26, 12, tzinfo=UTC)],
    ids=["spring", "autumn"],
)
def test_a_day_with_another_length_is_planned_in_its_hours(start: datetime) -> None:
    request = ask(drawn=95.0, start=start)
    assert request.site is not None
    peak = {"price_per_kw_month": 4.0, "interval_minutes": 60, "from": "00:00", "to": "04:00"}
    tariff = request.site.tariff.model_validate({"import": TWO, "peak": peak})
    request = request.model_copy(
        update={
            "site": request.site.model_copy(update={"timezone": "Europe/Berlin", "tariff": tariff})
        }
    )
    reply = answer(request)
    assert (len(reply.slots), reply.status) == (24, "optimal")


@pytest.mark.parametrize(
    "price",
    [[0.2] * 23, [0.2] * 23 + [None], [0.2] * 23 + [float("nan")]],
    ids=["a slot short", "null", "not a number"],
)
def test_a_gap_in_the_prices_is_refused_by_name(price: list[Any]) -> None:
    with pytest.raises(ValidationError, match="import_price"):
        ask(import_price=price)
