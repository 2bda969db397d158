"""Programmes with a fixed scenario: one start inside the window, no interruption, or a word that
there was none.
"""

from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply
from luna.energy.errors import InvalidInputError
from services.planner.dp.plan import objective
from services.planner.problem.build import build_problem
from tests.support.planning.appliances import ask, draw_series, on
from tests.support.planning.requests import answer, solve
from tests.support.reference_model.model import solve_reference

WASHER = {
    "name": "washer",
    "power_kw": 2,
    "profile_kw": [2.0, 0.4, 0.4, 1.2],
    "profile_minutes": 60,
}
CHEAP_AT_NOON = np.where(np.arange(24) // 4 == 3, 0.1, 0.3)


def runs(*wanted: tuple[str, str]) -> dict[str, Any]:
    """Runs on the first of February, each from one time to another."""
    return {
        "washer": {
            "runs": [
                {"from": f"2024-02-01T{first}:00Z", "by": f"2024-02-{last}:00Z"}
                for first, last in wanted
            ]
        }
    }


def used(reply: PlanReply) -> list[float]:
    return [slot.loads["washer"].energy_kwh for slot in reply.slots]


@pytest.mark.parametrize("seed", range(3))
def test_a_schedule_costs_what_the_model_written_for_readers_costs(seed: int) -> None:
    request = ask(
        WASHER | {"price_limit": 0.3},
        state=runs(("02:00", "01T20:00"), ("08:00", "01T23:00")),
        **draw_series(seed),
    )
    assert objective(solve(request)) == pytest.approx(
        solve_reference(build_problem(request)), abs=3e-4
    )


def test_a_run_goes_through_from_its_begin_where_it_is_cheapest() -> None:
    reply = answer(ask(WASHER, state=runs(("06:00", "01T20:00")), import_price=CHEAP_AT_NOON))
    assert used(reply)[12:16] == pytest.approx(WASHER["profile_kw"])
    assert sum(used(reply)) == pytest.approx(4.0)


def test_a_run_ends_by_its_deadline() -> None:
    assert (
        on(
            answer(ask(WASHER, state=runs(("06:00", "01T12:00")), import_price=CHEAP_AT_NOON)),
            "washer",
        )[-1]
        <= 11
    )


def test_a_course_finer_than_the_slots_brings_the_same_energy() -> None:
    quick = {"name": "washer", "power_kw": 2, "profile_kw": [2.0, 0.5, 1.0], "profile_minutes": 30}
    # 0.5 h of 2 kW and of 0.5 kW in the first hour, 0.5 h of 1 kW in the second.
    assert used(answer(ask(quick, state=runs(("00:00", "01T20:00")))))[:3] == pytest.approx(
        [1.25, 0.5, 0.0]
    )


def test_what_runs_already_runs_on() -> None:
    assert used(answer(ask(WASHER, state={"washer": {"on_hours": 1.5}})))[:4] == pytest.approx(
        [0.4, 0.8, 0.6, 0.0]
    )


def test_nothing_asked_for_runs_never() -> None:
    assert answer(ask(WASHER)).slots[0].loads == {}


def test_a_run_that_does_not_fit_is_missed_and_named() -> None:
    reply = answer(
        ask(
            WASHER | {"forbidden": [{"from": "08:00", "to": "10:00"}]},
            state=runs(("06:00", "01T11:00")),
        )
    )
    [compromise] = reply.compromises
    assert (compromise.code, compromise.shortfall) == ("load_run", "does not run")
    assert compromise.figures == {
        "name": "washer",
        "by": "2024-02-01T11:00:00+00:00",
        "rules": ["allowed"],
    }
    assert sum(used(reply)) == 0


def test_a_run_with_time_beyond_the_horizon_waits_where_that_is_cheaper() -> None:
    # It needs 4 kWh: at most 0.3 now, 0.26667 on the average later.
    price = np.where(np.arange(24) < 20, 0.3, 0.1)
    reply = answer(
        ask(
            WASHER | {"forbidden": [{"from": "20:00", "to": "24:00"}]},
            state=runs(("00:00", "02T20:00")),
            import_price=price,
        )
    )
    assert (sum(used(reply)), reply.compromises) == (0, [])


def test_a_run_that_is_over_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(ask(WASHER, state=runs(("12:00", "01T11:00"))))
    assert caught.value.field == "state.loads.washer.runs.0.by"
