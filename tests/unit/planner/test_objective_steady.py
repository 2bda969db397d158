"""A switching price keeps a battery's mode: between slots, and from one plan to the next."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from luna.contracts.plan import BatteryState, PlanRequest
from luna.energy.devices.battery import Mode
from luna.energy.physics.mode import Mode as Directive
from services.planner.dp.plan import Plan, objective
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.service.state import carry_modes
from tests.support.planning.problems import START, draw_problem
from tests.support.planning.requests import answer, make_request, value_rest
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

BATTERY = {"capacity_kwh": 8, "charge_limit_kw": 4, "discharge_limit_kw": 4, "wear_price": 0.01}
HOUR = timedelta(hours=1)


def ask(
    seed: int = 0,
    *,
    first: int = 0,
    soc: float = 0.4,
    mode: Mode | None = None,
    noise: float = 0.0,
    **options: Any,
) -> PlanRequest:
    """Two days in hours of prices that jitter, from hour ``first`` on.

    ``noise`` is by how much the forecast changed since.
    """
    rng = np.random.default_rng(seed)
    other = np.random.default_rng(seed + 100)
    hour = np.arange(48)
    load = rng.gamma(3, 0.2, 48) * (1 + noise * other.normal(size=48))
    pv = (
        np.maximum(np.sin((hour % 24 - 6) / 12 * np.pi), 0)
        * rng.uniform(1, 3, 48)
        * (1 + noise * other.normal(size=48))
    )
    price = 0.25 + 0.08 * np.sin(hour / 24 * 4 * np.pi) + rng.normal(0, 0.01, 48)
    series = {
        "load_kwh": load.clip(0),
        "pv_kwh": pv.clip(0),
        "import_price": price,
        "export_price": price - 0.1,
    }
    site = {"batteries": [BATTERY], "pv": [{"peak_kw": 4}]}
    outlook = {name: values[first:] for name, values in series.items()}
    state = {"batteries": {"battery": {"soc": soc, "mode": mode}}}
    return make_request(
        site, outlook, start=START + first * HOUR, state=state, options=value_rest(0.15, **options)
    )


def choose(request: PlanRequest) -> Plan:
    return decide(build_problem(request), Solver())


def changes(plan: Plan) -> int:
    return int((np.diff(plan.setpoints.mode[0]) != 0).sum())


def test_modes_change_less_often_the_more_a_change_has_to_gain() -> None:
    counts = [
        sum(changes(choose(ask(seed, switching_price=price))) for seed in range(6))
        for price in (0.0, 0.005, 0.02)
    ]
    assert counts[0] >= counts[1] > 1.15 * counts[2]


@each_row("seed", range(draws(12)))
def test_a_steady_plan_costs_no_less_and_hardly_more(seed: int) -> None:
    free = choose(ask(seed))
    steady = choose(ask(seed, switching_price=0.005))
    moved = float(
        (
            steady.flows.charge_kwh
            + steady.flows.discharge_kwh
            + free.flows.charge_kwh
            + free.flows.discharge_kwh
        ).sum()
    )
    assert -1e-9 <= objective(steady) - objective(free) <= 2 * 0.005 * moved


@each_row("seed", range(4))
def test_planning_again_from_an_unchanged_outlook_keeps_the_plan(seed: int) -> None:
    before = answer(ask(seed, switching_price=0.005))
    for hour in (1, 7, 19):
        flow = before.slots[hour - 1]
        again = answer(
            ask(
                seed,
                first=hour,
                soc=flow.batteries["battery"].soc_end,
                mode=before.setpoints["battery"].mode[hour - 1],
                switching_price=0.005,
            )
        )
        assert again.setpoints["battery"].mode == before.setpoints["battery"].mode[hour:]


def test_a_small_change_of_the_forecast_does_not_turn_the_current_slot() -> None:
    turned = []
    for seed in range(6 if LONG else 3):
        before = answer(ask(seed, switching_price=0.005))
        told = before.setpoints["battery"].mode
        for hour in range(1, 24, 3):
            soc = before.slots[hour - 1].batteries["battery"].soc_end
            again = answer(
                ask(
                    seed,
                    first=hour,
                    soc=soc,
                    mode=told[hour - 1],
                    noise=0.01,
                    switching_price=0.005,
                )
            )
            turned.append(again.setpoints["battery"].mode[0] != told[hour])
    assert sum(turned) <= len(turned) / 24


def test_the_mode_in_progress_goes_on_where_little_speaks_against_it() -> None:
    # Buying costs 0.20 now and 0.198 in the next hour: who charges goes on, who rests waits.
    night = {
        "import_price": [0.200, 0.198] + [0.4] * 6,
        "export_price": [0.0] * 8,
        "load_kwh": [0.0, 0.0] + [0.5] * 6,
        "pv_kwh": [0.0] * 8,
    }

    def first(mode: Mode) -> str:
        asked = ask(soc=0.0, mode=mode, switching_price=0.005)
        assert asked.outlook is not None
        return (
            answer(asked.model_copy(update={"outlook": asked.outlook.model_copy(update=night)}))
            .setpoints["battery"]
            .mode[0]
        )

    assert first("charge") == "charge"
    assert first("self_consumption") != "charge"


def test_the_reply_names_the_switching_price_and_what_it_costs() -> None:
    reply = answer(ask(switching_price=0.01))
    assert reply.objective is not None
    assert reply.objective.switching_price == 0.01
    assert reply.objective.reasons == []
    assert reply.objective.beside_cheapest is not None
    assert reply.objective.beside_cheapest.cost >= -1e-6


def test_the_sites_switching_price_holds_unless_a_request_says_otherwise() -> None:
    asked = ask(1)
    assert asked.site is not None
    steady = asked.site.model_copy(
        update={"objective": asked.site.objective.model_copy(update={"switching_price": 0.02})}
    )
    held = asked.model_copy(update={"site": steady})
    assert build_problem(held).following.switching_price == 0.02
    assert (
        build_problem(
            held.model_copy(
                update={"options": held.options.model_copy(update={"switching_price": 0.0})}
            )
        ).following.switching_price
        == 0.0
    )


def test_batteries_that_the_model_plans_keep_their_modes_too() -> None:
    asked = ask(switching_price=0.01)
    assert asked.site is not None
    slow = asked.site.model_copy(
        update={"batteries": [asked.site.batteries[0].model_copy(update={"min_charge_kw": 1.0})]}
    )
    reply = answer(asked.model_copy(update={"site": slow}))
    assert reply.objective is not None
    assert reply.objective.reasons == []


@each_row("seed", range(draws(40)))
def test_any_problem_has_a_steady_plan_that_physics_confirms_and_that_is_no_cheaper(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    problem = draw_problem(rng, batteries=1, slots=24)
    steady = decide(
        replace(
            problem,
            following=replace(
                problem.following, switching_price=0.05, modes=(rng.choice([None, *Directive]),)
            ),
        ),
        Solver(),
    )
    assert objective(steady) >= objective(decide(problem, Solver())) - 1e-6


def test_a_mode_that_a_request_names_counts_before_that_of_the_plan_before() -> None:
    named = {"one": BatteryState(soc=0.5, mode="hold"), "two": BatteryState(soc=0.5)}
    carried = carry_modes(named, {"one": "charge", "two": "save"})
    assert [state.mode for state in carried.values()] == ["hold", "save"]
