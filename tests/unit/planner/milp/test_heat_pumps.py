"""Heat pumps: warm when it is cheap or mild, never beyond their power, comfortable as far as they
can, and honest about the rest.
"""

from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.devices.heat_pump import HeatPumpFlow
from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from services.planner.dp.plan import objective
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.problem.build import build_problem
from tests.support.planning.appliances import ask, draw_series
from tests.support.planning.requests import answer, solve
from tests.support.reference_model.model import solve_reference

HOUSE = {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 22, "loss_kw_per_k": 0.2}
PUMP = {
    "name": "pump",
    "power_kw": 3,
    "cop": [{"outdoor_c": -10, "cop": 2}, {"outdoor_c": 10, "cop": 4}],
    "store": HOUSE,
}
TANK = {
    "capacity_kwh_per_k": 0.35,
    "min_c": 45,
    "max_c": 60,
    "loss_kw_per_k": 0.002,
    "surroundings_c": 20,
}
COLD = -5 + 5 * np.sin((np.arange(24) - 9) / 12 * np.pi)
NIGHT_CHEAP = np.where(np.arange(24) < 6, 0.15, 0.35)


def warm(
    pump: dict[str, Any],
    *,
    outdoor_c: Any = 0.0,
    start_c: float | None = 21.0,
    state: dict[str, Any] | None = None,
    **changes: Any,
) -> PlanRequest:
    """Ask for a day with a heat pump.

    ``changes`` are series of the outlook, or the heat that is drawn from the store
    (``demand_kwh``).
    """
    demand = changes.pop("demand_kwh", None)
    zone = changes.pop("zone", "UTC")
    document = ask(zone=zone, **changes).model_dump(mode="json", by_alias=True)
    document["site"]["heat_pumps"] = [pump]
    document["outlook"]["outdoor_temperature_c"] = (
        None if outdoor_c is None else np.broadcast_to(outdoor_c, (24,)).tolist()
    )
    document["outlook"]["heat_demand_kwh"] = (
        {} if demand is None else {"pump": np.broadcast_to(demand, (24,)).tolist()}
    )
    document["state"]["heat_pumps"] = {"pump": {"temperature_c": start_c} | (state or {})}
    return PlanRequest.model_validate(document)


def flows(reply: PlanReply) -> list[HeatPumpFlow]:
    return [slot.heat_pumps["pump"] for slot in reply.slots]


ON_OR_OFF = PUMP | {"min_power_kw": 3, "min_off_minutes": 120}


def test_model_plan_and_the_model_written_for_readers_agree() -> None:
    request = warm(PUMP, outdoor_c=COLD, **draw_series(3))
    made = solve(request)
    assert made.load_schedule is not None
    assert made.load_schedule.objective == pytest.approx(
        solve_reference(build_problem(request)), abs=2e-3
    )
    assert objective(made) + made.load_schedule.beside_cost == pytest.approx(
        made.load_schedule.objective, abs=5e-5
    )


@pytest.mark.parametrize("least_kw", [0.8, 3.0], ids=["between its powers", "on or off"])
def test_a_pump_with_a_least_power_costs_no_more_above_the_optimum_than_its_gap_says(
    least_kw: float,
) -> None:
    request = warm(PUMP | {"min_power_kw": least_kw}, outdoor_c=COLD, **draw_series(3))
    made = solve(request)
    assert made.load_schedule is not None
    cost = made.load_schedule.objective
    best = solve_reference(build_problem(request))
    assert best - 2e-3 <= cost <= best + made.gap * abs(cost) + 2e-3
    assert objective(made) + made.load_schedule.beside_cost == pytest.approx(cost, abs=5e-5)


def test_runs_and_rests_last_as_long_as_they_should_and_the_band_is_kept() -> None:
    pump = PUMP | {
        "min_power_kw": 3,
        "min_on_minutes": 120,
        "min_off_minutes": 180,
        "store": HOUSE | {"capacity_kwh_per_k": 20},
    }
    scenario = flows(answer(warm(pump, outdoor_c=COLD)))
    runs = "".join("x" if flow.on else " " for flow in scenario)
    # The last run may have just begun when the horizon ends.
    assert min(map(len, runs.split()[:-1])) >= 2
    assert min(len(rest) for rest in runs.strip().split("x") if rest) >= 3
    assert all(20 - 0.01 <= flow.temperature_c <= 22.01 for flow in scenario)


def test_the_band_is_kept_and_filled_while_a_kwh_is_cheap() -> None:
    scenario = flows(answer(warm(PUMP, import_price=NIGHT_CHEAP)))
    assert all(20 - 1e-3 <= flow.temperature_c <= 22 + 1e-3 for flow in scenario)
    assert scenario[5].temperature_c == pytest.approx(22, abs=1e-3)
    assert all(flow.energy_kwh <= 3 + 1e-9 for flow in scenario)


def test_energy_heat_and_temperature_fit_each_other() -> None:
    scenario = flows(answer(warm(PUMP, outdoor_c=COLD)))
    before = 21.0
    keep = np.exp(-0.2 / 5)
    for flow, outdoor in zip(scenario, COLD, strict=True):
        # COP 2 at −10 °C and 4 at 10 °C; (1 − keep) / 0.2 K for each kWh of heat within an hour.
        assert flow.heat_kwh == pytest.approx(flow.energy_kwh * (3 + outdoor / 10), abs=1e-5)
        before = keep * before + (1 - keep) * (outdoor + flow.heat_kwh / 0.2)
        assert flow.temperature_c == pytest.approx(before, abs=1e-4)


@pytest.mark.parametrize(
    ("first", "last", "at_noon"), [(-5, 10, 20.0), (10, -5, 22.0)], ids=["mild later", "cold later"]
)
def test_of_equal_prices_the_mild_hours_are_taken(
    first: float, last: float, at_noon: float
) -> None:
    scenario = flows(answer(warm(PUMP, outdoor_c=np.where(np.arange(24) < 12, first, last))))
    assert scenario[11].temperature_c == pytest.approx(at_noon, abs=1e-3)


def test_a_modulating_pump_is_off_or_above_its_least_power() -> None:
    used = [
        flow.energy_kwh
        for flow in flows(answer(warm(PUMP | {"min_power_kw": 1.5}, outdoor_c=COLD)))
    ]
    assert all(energy == 0 or energy >= 1.5 - 1e-6 for energy in used)
    assert any(1.5 < energy < 3 for energy in used)


def test_a_pump_that_has_just_begun_runs_on() -> None:
    request = warm(
        ON_OR_OFF | {"min_on_minutes": 240},
        outdoor_c=15.0,
        start_c=21.5,
        state={"on_hours": 1},
        import_price=0.3,
    )
    assert [flow.on for flow in flows(answer(request))][:3] == [True, True, True]


def test_a_tank_holds_what_is_drawn_from_it() -> None:
    demand = np.where(np.arange(24) == 7, 3.0, 0.0)
    scenario = flows(
        answer(
            warm(PUMP | {"store": TANK}, start_c=45.0, demand_kwh=demand, import_price=NIGHT_CHEAP)
        )
    )
    # 3 kWh of 0.35 kWh per K are 8.6 K: before, it has to be at least 53.6 °C warm, in the cheap
    # hours.
    assert scenario[6].temperature_c >= 45 + 3 / 0.35 - 3 / 0.35 * 0.5
    assert min(flow.temperature_c for flow in scenario) >= 45 - 0.01


def test_bands_follow_the_clock() -> None:
    store = HOUSE | {"bands": [{"from": "22:00", "to": "06:00", "min_c": 17, "max_c": 22}]}
    scenario = flows(
        answer(warm(PUMP | {"store": store}, start_c=20.0, import_price=np.full(24, 0.3)))
    )
    assert min(flow.temperature_c for flow in scenario[:5]) < 19
    assert min(flow.temperature_c for flow in scenario[6:22]) >= 20 - 0.01


def test_a_house_that_is_too_cold_is_warmed_with_all_the_pump_has_and_the_plan_says_so() -> None:
    reply = answer(warm(PUMP, outdoor_c=-10.0, start_c=16.0))
    scenario = flows(reply)
    # 6 kW of heat against the 5.2 kW that a house of 16 °C loses: it takes hours, and never more
    # than 3 kW.
    assert max(flow.energy_kwh for flow in scenario) == pytest.approx(3)
    assert reply.status == "compromised"
    compromise = reply.compromises[0]
    assert (compromise.code, compromise.figures["name"], compromise.figures["wanted"]) == (
        "heat_least",
        "pump",
        20.0,
    )
    assert compromise.figures["worst"].startswith("2024-02-01")


def test_a_store_that_starts_too_warm_is_left_alone() -> None:
    reply = answer(warm(PUMP, start_c=25.0))
    assert flows(reply)[0].energy_kwh == 0
    assert reply.compromises == []


def test_what_is_not_known_is_assumed_aloud() -> None:
    reply = answer(warm(PUMP, outdoor_c=None, start_c=None))
    assert [(compromise.code, compromise.figures) for compromise in reply.compromises] == [
        ("heat_outdoor", {"name": "pump", "celsius": 7.0}),
        ("heat_store", {"name": "pump", "celsius": 21.0}),
    ]


def test_a_pump_in_the_load_forecast_is_not_scheduled() -> None:
    request = warm(PUMP)
    assert request.outlook is not None
    request = request.model_copy(
        update={"outlook": request.outlook.model_copy(update={"load_includes": ["pump"]})}
    )
    assert all(not slot.heat_pumps for slot in answer(request).slots)


def test_demand_or_state_of_an_unknown_pump_is_refused() -> None:
    request = warm(PUMP | {"name": "other"})
    with pytest.raises(InvalidInputError) as caught:
        build_problem(request)
    assert caught.value.field == "state.heat_pumps.pump"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"min_power_kw": 4}, "min_power_kw"),
        ({"cop": [{"outdoor_c": 5, "cop": 3}, {"outdoor_c": 5, "cop": 4}]}, "cold to warm"),
        ({"store": HOUSE | {"min_c": 22}}, "min_c"),
    ],
)
def test_fields_that_contradict_each_other_are_refused_by_name(
    fields: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidInputError, match=word):
        parse_site({"name": "home", "timezone": "UTC", "heat_pumps": [PUMP | fields]})


def test_solve_starts_from_a_basis_that_holds_the_temperature() -> None:
    problem = build_problem(warm(PUMP)).begun()
    built = formulate(problem, FlowDirections.of(problem))
    start = built.model.start
    assert start is not None
    entries = np.zeros((built.model.row_lower.size, built.model.cost.size))
    entries[built.model.entry_row, built.model.index] = built.model.value
    basis = entries[np.ix_(start.rows, start.columns)]
    (levels,) = [load.levels for load in built.load_columns.loads]
    assert levels is not None
    assert set(levels.columns) <= set(start.columns)
    assert np.linalg.matrix_rank(basis) == start.rows.size == start.columns.size
