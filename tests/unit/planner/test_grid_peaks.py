"""Several components of a capacity tariff in one plan: priced as the tariff bills them, and heeded
only where they count.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.economics.charges import PeakHistory, peak_cost
from luna.energy.errors import InvalidInputError
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem, read_peaks
from services.planner.problem.problem import Problem
from tests.support.planning.problems import START
from tests.support.planning.requests import answer, make_request, value_rest
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3, "wear_price": 0.01}
BELGIAN = {"price_per_kw_month": 4.0, "interval_minutes": 60, "least_kw": 2.5}
SWEDISH = {
    "price_per_kw_month": 5.0,
    "interval_minutes": 60,
    "highest": 3,
    "one_per_day": True,
    "days": "weekday",
    "from": "07:00",
    "to": "19:00",
}
EVENING = {
    "name": "evening",
    "price_per_kw_month": 6.0,
    "interval_minutes": 60,
    "from": "17:00",
    "to": "21:00",
}
FLOORED = {"price_per_kw_month": 4.0, "interval_minutes": 60, "highest": 2, "least_kw": 2.0}


def ask(
    seed: int,
    peak: Any,
    *,
    hours: int = 30,
    state: dict[str, Any] | None = None,
    start: Any = START,
    **site: Any,
) -> PlanRequest:
    """Some hours of a household that draws up to 4 kW, prices and load by the seed."""
    rng = np.random.default_rng(seed)
    tariff = {"import": {"kind": "fixed", "price": 0.3}, "peak": peak}
    outlook = {
        "load_kwh": rng.gamma(2.0, 0.8, hours),
        "pv_kwh": np.maximum(2.5 * np.sin((np.arange(hours) % 24 - 7) / 10 * np.pi), 0),
        "import_price": rng.normal(0.25, 0.06, hours),
        "export_price": 0.07,
    }
    home = {
        "timezone": "Europe/Stockholm",
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 4}],
        "tariff": tariff,
    } | site
    return make_request(home, outlook, start=start, state=state or {}, options=value_rest(0.12))


def pays(problem: Problem, import_kwh: Any) -> float:
    return peak_cost(
        import_kwh,
        problem.outlook.timeline,
        problem.tariff.peaks,
        zone=ZoneInfo(problem.site.timezone),
    )


CASES = each_row(
    ("peak", "state", "due"),
    [
        # What is due anyway is what the model counts besides: floor or month's peaks so far, times
        # price.
        (BELGIAN, {}, 4.0 * 2.5),
        (BELGIAN, {"month_peaks_kw": [3.2, 1.0]}, 4.0 * 3.2),
        (FLOORED, {"month_peaks_kw": [3.0, 2.0, 1.0]}, 4.0 * 2.5),
        (FLOORED, {"month_peaks_kw": [1.0]}, 4.0 * 2.0),
        (
            [BELGIAN, EVENING],
            {"month_peaks_kw": [3.0], "peaks": {"evening": {"highest_kw": [1.0]}}},
            4.0 * 3.0 + 6.0 * 1.0,
        ),
        (SWEDISH, {"peaks": {"peak": {"highest_kw": [3.0, 2.0], "today_kw": 1.0}}}, 5.0 * 2.0),
    ],
    ids=[
        "floor",
        "floor and month",
        "two highest",
        "two highest below the floor",
        "day and evening",
        "days",
    ],
)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@CASES
@each_row("seed", range(2 if LONG else 1))
def test_a_plan_costs_what_the_model_written_for_readers_costs(
    peak: Any, state: dict[str, Any], due: float, seed: int
) -> None:
    problem = build_problem(ask(seed, peak, state=state))
    plan = make_plan(problem, Solver())
    assert objective(plan) + pays(problem, plan.flows.import_kwh) + due == pytest.approx(
        solve_reference(problem), abs=2e-5
    )


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
def test_over_the_end_of_a_month_each_month_is_paid_for() -> None:
    # 2024-02-29 12:00 UTC and thirty hours on: March begins at its floor.
    problem = build_problem(
        ask(3, BELGIAN, state={"month_peaks_kw": [3.0]}, start=START + timedelta(days=28, hours=12))
    )
    plan = make_plan(problem, Solver())
    due = 4.0 * (3.0 + 2.5)
    assert objective(plan) + pays(problem, plan.flows.import_kwh) + due == pytest.approx(
        solve_reference(problem), abs=2e-5
    )


def flat(**changes: Any) -> PlanRequest:
    """A flat 2 kWh an hour, one price: only peaks tell hours apart."""
    request = ask(0, **({"peak": EVENING} | changes), hours=24)
    assert request.outlook is not None
    series = {"load_kwh": [2.0] * 24, "pv_kwh": [0.0] * 24, "import_price": [0.3] * 24}
    return request.model_copy(update={"outlook": request.outlook.model_copy(update=series)})


def test_the_battery_serves_the_hours_that_count_and_charges_in_those_that_do_not() -> None:
    reply = answer(flat())
    # 17:00 to 21:00 in Stockholm are slots 16 to 19; 6 kWh · 0.95 spread over them leave 8 − 5.7 =
    # 2.3, 0.575 an hour.
    drawn = [slot.import_kwh for slot in reply.slots]
    assert drawn[16:20] == pytest.approx([0.575] * 4, abs=1e-5)
    assert max(drawn[:16]) > 2.0
    assert reply.cost.peak == pytest.approx(6.0 * 0.575, abs=1e-4)
    assert reply.cost.total == pytest.approx(reply.cost.import_ + reply.cost.wear + reply.cost.peak)


def test_below_the_floor_nothing_is_shaved() -> None:
    # 2 kW all day under a floor of 2.5: cycling would only wear; what was left in the battery is
    # worth less than it costs to keep.
    assert answer(flat(peak=BELGIAN)).cost.peak == 0.0


def test_an_hour_that_is_half_over_keeps_what_it_has_drawn() -> None:
    # 2.2 kWh drawn before half past; up to 2.5 kWh may still come for nothing, 0.3 in this half
    # hour.
    request = flat(peak=BELGIAN, state={"peaks": {"peak": {"interval_kwh": 2.2}}}).model_copy(
        update={"first_slot_minutes": 30.0}
    )
    assert request.outlook is not None
    load = [1.0, *request.outlook.load_kwh[1:]]
    reply = answer(
        request.model_copy(
            update={"outlook": request.outlook.model_copy(update={"load_kwh": load})}
        )
    )
    assert reply.slots[0].import_kwh <= 0.3 + 1e-6
    assert reply.cost.peak == pytest.approx(0.0, abs=1e-6)


def test_states_of_components_are_read_by_name() -> None:
    request = ask(
        0,
        [BELGIAN, EVENING],
        state={
            "month_peaks_kw": [3.0],
            "peaks": {"evening": {"highest_kw": [1.0], "today_kw": 0.5, "interval_kwh": 0.2}},
        },
    )
    assert request.site is not None
    found = {peak.price.name: peak.history for peak in read_peaks(request.site, request.state)}
    assert found == {"peak": PeakHistory((3.0,)), "evening": PeakHistory((1.0,), 0.5, 0.2)}


def test_state_of_no_component_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(ask(0, BELGIAN, state={"peaks": {"night": {"highest_kw": [1.0]}}}))
    assert (caught.value.field, caught.value.reason, caught.value.parameters) == (
        "state.peaks.night",
        "unknown-name",
        {"names": "peak", "thing": "tariff-part"},
    )
