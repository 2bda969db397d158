"""What a plan was told of appliances goes on in the next one: on or off since when, and which runs
are still asked for.
"""

from datetime import UTC, datetime

from luna.energy.devices.appliance import LoadRun, LoadState
from luna.energy.devices.heat_pump import HeatPumpState
from services.planner.devices.appliance.begin import carry_loads, list_remaining_runs
from services.planner.devices.expected import Expected, IssuedPlan, carry_runs
from tests.support.planning.appliances import HEATER, ask
from tests.support.planning.requests import answer
from tests.support.suite.tables import each_row

RUNS = [LoadRun(by=datetime(2024, 2, day, tzinfo=UTC)) for day in (3, 2)]


@each_row(
    ("state", "on", "hours"),
    [
        ({"on_hours": 1}, [], (1, 0)),
        ({"on_hours": 1}, [True, True], (2, 0)),
        ({"on_hours": 1}, [True, False, False, False], (0, 1.5)),
        ({"off_hours": 4}, [False], (0, 4.5)),
        ({}, [False, True], (0.5, 0)),
    ],
    ids=["no slot is over", "still on", "off since", "still off", "just begun"],
)
def test_on_and_off_are_counted_on(
    state: dict[str, float], on: list[bool], hours: tuple[float, float]
) -> None:
    assert carry_runs(HeatPumpState(**state), on, 0.5) == {
        "on_hours": hours[0],
        "off_hours": hours[1],
    }


def test_a_run_that_has_begun_is_no_longer_asked_for() -> None:
    assert list_remaining_runs(LoadState(runs=RUNS), [False, True, True]) == RUNS[:1]
    assert list_remaining_runs(LoadState(runs=RUNS, on_hours=1), [True, False]) == RUNS[::-1]


def test_a_plan_hands_on_what_it_expects_of_an_appliance() -> None:
    request = ask(HEATER | {"min_on_minutes": 180}, state={"heater": {"energy_today_kwh": 0}})
    expected = Expected(
        IssuedPlan(request, answer(request)), 2, datetime(2024, 2, 1, 2, tzinfo=UTC)
    )
    # Of equal hours the first three: two are over.
    assert carry_loads(expected, ()) == {"heater": LoadState(energy_today_kwh=4, on_hours=2)}
