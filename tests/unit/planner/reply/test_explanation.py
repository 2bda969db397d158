import math
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache, reduce
from operator import getitem
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest, Terminal
from luna.contracts.plan.reply import SlotReply
from luna.energy.physics.mode import Mode
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.schedule import Reason
from luna.energy.timeline import Timeline
from luna.words import list_reason_codes
from luna.words.phrases import Phrases
from services.planner.compiled import load_kernels
from services.planner.dp.plan import Plan, objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.evidence import Evidence
from services.planner.reply.opposite_mode import price_opposite
from services.planner.reply.plan_limits import find_limits
from services.planner.reply.reasons import explain, explain_evidence
from services.planner.reply.reply import answer, answer_columns
from services.planner.reply.shown_modes import show_modes
from tests.support.planning.problems import (
    START,
    describe_site,
    draw_contradiction,
    draw_prices,
    draw_problem,
    make_problem,
)
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

NIGHT = {"load_kwh": 0.4, "pv_kwh": 0.0, "export_price": 0.05}
# Cheap hours, a peak, an ordinary evening.
PEAK = NIGHT | {"import_price": [0.10] * 4 + [0.50] * 4 + [0.25] * 4}
NOTHING_LEFT = Terminal(kind="value", value=0.0)
# Reasons that are a limit, of the device or as the owner set it: what a kWh costs decides nothing
# there.
BOUND = {
    name.removesuffix("_1") for name in Phrases("battery_reasons", "reason_") if name.endswith("_1")
}
LIMITED = {*BOUND, "rest"}
OWN_USE = {"discharge_to_grid": False}


def plan_of(
    series: dict[str, Any], *, soc: float = 0.5, terminal: Terminal | None = None, **grid: Any
) -> Plan:
    return make_plan(
        make_problem(describe_site({}, **grid), series, soc=soc, terminal=terminal), Solver()
    )


@cache
def drawn_plans(batteries: int) -> list[Plan]:
    rng = np.random.default_rng(batteries)
    problems = [draw_problem(rng, batteries=batteries, slots=24) for _ in range(draws(40))]
    return [make_plan(problem, Solver()) for problem in problems]


def codes(plan: Plan) -> list[str]:
    return [reason.code for reason in explain(plan)]


@each_row("batteries", [0, 1, 2])
@each_row("language", ["en", "de"])
def test_every_slot_has_a_reason_in_words(language: str, batteries: int) -> None:
    for plan in drawn_plans(batteries):
        reply = answer(
            plan,
            request=PlanRequest.model_validate(REQUEST | {"options": {"language": language}}),
            issued_at=START,
        )
        assert [
            SlotReply.model_validate(slot.model_dump(), strict=True) for slot in reply.slots
        ] == reply.slots
        assert all(slot.reason.code in list_reason_codes() for slot in reply.slots)
        assert all(slot.reason.text.endswith(".") for slot in reply.slots)
        assert not any("nan" in slot.reason.text or "{" in slot.reason.text for slot in reply.slots)


@each_row(
    "column", [("pv_kwh",), ("batteries", "battery 0", "soc_end"), ("reason", "energy_value")]
)
def test_a_number_that_is_none_makes_no_plan(column: tuple[str, ...]) -> None:
    plan = plan_of(PEAK)
    columns = answer_columns(plan, request=PlanRequest.model_validate(REQUEST), issued_at=START)
    reduce(getitem, column, columns.slots)[3] = math.nan
    with pytest.raises(FloatingPointError, match=column[-1]):
        columns.changed(status="feasible")


@each_row("batteries", [1, 2])
@each_row("language", ["en", "de"])
def test_every_sentence_names_the_price_that_decides_or_the_limit_that_does(
    language: str, batteries: int
) -> None:
    for plan in drawn_plans(batteries):
        reply = answer(
            plan,
            request=PlanRequest.model_validate(REQUEST | {"options": {"language": language}}),
            issued_at=START,
        )
        said = {slot.reason.text for slot in reply.slots if slot.reason.code not in LIMITED}
        assert [text for text in said if not re.search(r"\d\s(ct|€)|€\d", text)] == []


@pytest.mark.parametrize("batteries", [1, 2])
def test_every_slot_has_a_value_of_energy_and_no_gain_from_the_opposite(batteries: int) -> None:
    rng = np.random.default_rng(10 + batteries)
    for _ in range(draws(40)):
        plan = make_plan(draw_contradiction(rng, batteries=batteries, slots=24), Solver())
        reasons = explain(plan)
        dearest = np.abs(
            [plan.problem.outlook.import_price, plan.problem.outlook.export_price]
        ).max()
        values = np.array([reason.energy_value for reason in reasons], dtype=float)
        # Tenths are what the terminal rules of these problems give a kWh at most.
        assert (np.abs(values) <= (max(dearest, 0.3) + 0.03) / 0.9).all()
        assert all((reason.cost_of_opposite or 0.0) >= 0.0 for reason in reasons)


def test_one_battery_has_the_cost_of_the_opposite_in_every_slot() -> None:
    assert all(reason.cost_of_opposite is not None for reason in explain(plan_of(PEAK)))


def test_night_before_a_peak_is_charged_held_and_served() -> None:
    plan = plan_of(PEAK, soc=0.0, terminal=NOTHING_LEFT)
    # 8 × 0.4 kWh and losses are 3.55 kWh to buy: three slots at 1.25 kWh, at one price as early as
    # may be.
    assert codes(plan) == ["charge_from_grid"] * 3 + ["hold_for_peak"] + ["serve_house"] * 8
    bought = explain(plan)[0].figures
    assert (bought["price"], bought["buy"], bought["kwh"]) == (0.5, 0.1, 1.25)


def test_energy_is_held_for_the_peak() -> None:
    # 1.6 kWh for the peak, 1.68 with losses, are all there is; before it the house buys.
    plan = plan_of(
        PEAK | {"import_price": [0.25] * 4 + [0.5] * 4}, soc=0.16 / 0.95, terminal=NOTHING_LEFT
    )
    assert codes(plan)[:4] == ["hold_for_peak"] * 4


def test_full_battery_says_that_it_is_full_and_not_that_it_waits_for_a_peak() -> None:
    plan = plan_of(
        {
            "load_kwh": 0.1,
            "pv_kwh": [0.5] * 4 + [0.0] * 4,
            "import_price": 0.3,
            "export_price": 0.05,
        },
        soc=1.0,
    )
    assert codes(plan)[:4] == ["full"] * 4
    assert explain(plan)[0].figures["sell"] == pytest.approx(0.05)


def test_full_battery_of_which_nothing_may_be_sold_holds_the_sun_back() -> None:
    plan = plan_of(
        {
            "load_kwh": 0.1,
            "pv_kwh": [0.5] * 4 + [0.0] * 4,
            "import_price": 0.3,
            "export_price": 0.05,
        },
        soc=1.0,
        export_limit_kw=0,
    )
    assert [reason.figures.get("sell") for reason in explain(plan)[:4]] == [None] * 4


def test_a_full_battery_tells_selling_apart_from_holding_back() -> None:
    plan = plan_of(
        {
            "load_kwh": 0.1,
            "pv_kwh": 0.5,
            "import_price": 0.3,
            "export_price": [-0.05, -0.05, 0.05, 0.05],
        },
        soc=1.0,
        terminal=Terminal(kind="value", value=0.2),
    )
    assert [(reason.code, reason.figures.get("sell")) for reason in explain(plan)] == [
        ("full", None)
    ] * 2 + [("full", pytest.approx(0.05))] * 2
    assert explain(plan)[0].figures == {"fee": 0.05}


def test_a_battery_that_takes_no_more_sun_although_it_could_does_not_claim_to_sell_it() -> None:
    series = {"load_kwh": 0.1, "pv_kwh": [0.5] * 4, "import_price": 0.3, "export_price": -0.05}
    told = explain(plan_of(series, soc=0.5, terminal=NOTHING_LEFT))
    assert [(reason.code, reason.figures) for reason in told] == [
        ("solar_limited", {"fee": 0.05})
    ] * 4


@each_row("seed", range(8))
def test_where_nothing_may_be_fed_in_no_battery_is_told_to_sell_and_no_sentence_speaks_of_it(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    bought, sold = draw_prices(rng, 24)
    sun = np.maximum(np.sin(np.linspace(-1, 4, 24)), 0.0) * rng.uniform(0, 2)
    plan = plan_of(
        {
            "load_kwh": rng.gamma(1.0, 0.3, 24),
            "pv_kwh": sun,
            "import_price": bought,
            "export_price": sold,
        },
        export_limit_kw=0,
    )
    assert Mode.EXPORT not in plan.setpoints.mode
    assert plan.flows.export_kwh.max() == pytest.approx(0.0)
    assert not any("sell" in reason.figures for reason in explain(plan))


def test_charging_for_a_demand_at_the_end_says_so() -> None:
    plan = plan_of(
        NIGHT | {"import_price": [0.3] * 4}, soc=0.2, terminal=Terminal(kind="minimum_soc", soc=0.4)
    )
    assert codes(plan)[0] == "target"
    assert "charge_from_grid" not in codes(plan)


def test_what_the_end_wants_is_kept_for_it_and_not_for_a_price() -> None:
    plan = plan_of(
        NIGHT | {"import_price": [0.3] * 4}, soc=0.5, terminal=Terminal(kind="minimum_soc", soc=0.5)
    )
    assert codes(plan) == ["target"] * 4


def test_room_is_kept_only_where_sun_is_left_by_all_batteries() -> None:
    left = [
        (plan.flows.export_kwh + plan.flows.curtailed_kwh)[slot]
        for plan in drawn_plans(2)
        for slot, code in enumerate(codes(plan))
        if code == "sell_solar"
    ]
    assert left
    assert min(left) > 0


def test_dear_exports_are_sold() -> None:
    plan = plan_of(
        NIGHT | {"import_price": 0.3, "export_price": [0.05] * 4 + [0.45] * 4, "load_kwh": 0.0},
        soc=0.9,
        terminal=NOTHING_LEFT,
    )
    assert "sell_stored" in codes(plan)


def test_sale_counts_what_the_slot_sells_and_not_what_the_house_takes() -> None:
    plan = plan_of(
        NIGHT | {"import_price": 0.5, "export_price": [0.45] * 4, "load_kwh": 0.25},
        soc=1.0,
        terminal=NOTHING_LEFT,
    )
    # Of 1.25 kWh, which five kilowatts give in a quarter of an hour, 0.25 are the house's.
    assert explain(plan)[0].figures["kwh"] == pytest.approx(1.0)


def test_paid_imports_say_that_the_grid_pays() -> None:
    plan = plan_of(
        {
            "load_kwh": 0.3,
            "pv_kwh": 0.2,
            "import_price": [-0.1] * 4 + [0.3] * 4,
            "export_price": [-0.12] * 4 + [0.05] * 4,
        },
        soc=0.0,
    )
    assert codes(plan)[0] == "charge_negative"


def test_site_without_battery_says_so() -> None:
    plan = make_plan(make_problem(describe_site(), NIGHT | {"import_price": [0.3] * 3}), Solver())
    assert codes(plan) == ["no_battery"] * 3


def rest_of(problem: Problem, slot: int, stored_kwh: float) -> Problem:
    """Return the problem that is left after ``slot`` when the battery then holds ``stored_kwh``."""
    ahead = problem.outlook
    later = {
        name: getattr(ahead, name)[slot + 1 :]
        for name in ("load_kwh", "pv_kwh", "import_price", "export_price")
    }
    timeline = Timeline(list(ahead.timeline)[slot + 1], ahead.timeline.step, len(later["load_kwh"]))
    return replace(
        problem,
        outlook=replace(ahead, timeline=timeline, **later),
        stored_kwh=np.array([stored_kwh]),
    )


def cost_with_opposite(plan: Plan, slot: int, *, mode: int) -> float:
    """Return the cost of leaving the plan in one slot for another mode, then planning anew."""
    problem = plan.problem
    ahead = plan.problem.outlook
    battery = plan.problem.limits.batteries
    full = np.ones_like(plan.start_kwh)
    modes = np.full_like(plan.setpoints.mode, mode)
    asked = replace(
        plan.setpoints,
        mode=modes,
        floor_soc=full * battery.min_soc,
        ceiling_soc=full * battery.max_soc,
    )
    safe = clamp(asked, plan.start_kwh, problem.limits)
    flows = simulate_slot(
        safe,
        plan.start_kwh,
        SlotActuals(ahead.load_kwh, ahead.pv_kwh, ahead.timeline.hours),
        limits=problem.limits,
    )
    wear = problem.wear_price[0, 0] * (flows.charge_kwh[0] + flows.discharge_kwh[0])
    here = flows.import_kwh * ahead.import_price - flows.export_kwh * ahead.export_price + wear
    after = make_plan(rest_of(problem, slot, float(flows.stored_kwh[0, slot])), Solver())
    return float(plan.costs.total[:slot].sum() + here[slot] + objective(after))


HOLD = 3
SUPPLY = 2
SAVE = 1
SELF_CONSUMPTION = 0
OPPOSITE = {0: HOLD, 1: SUPPLY, 2: SAVE, 3: SELF_CONSUMPTION, 4: HOLD, 5: HOLD}


@each_row("seed", range(8))
def test_cost_of_the_opposite_is_that_of_planning_anew(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bought = np.repeat(rng.uniform(0.05, 0.5, 5), 4)
    series = {
        "load_kwh": rng.gamma(1, 0.3, 20),
        "pv_kwh": np.maximum(np.sin(np.linspace(-1, 4, 20)), 0),
        "import_price": bought,
        "export_price": 0.04,
    }
    plan = plan_of(series, soc=0.4)
    slots = [0, 3, 7, 12, 18]
    expected = [
        cost_with_opposite(plan, slot, mode=OPPOSITE[int(plan.setpoints.mode[0, slot])])
        - objective(plan)
        for slot in slots
    ]
    assert price_opposite(Evidence(plan))[slots] == pytest.approx(expected, abs=1e-6)


def test_large_battery_prices_its_opposite_too() -> None:
    site = describe_site(
        {"capacity_kwh": 4000, "charge_limit_kw": 2000, "discharge_limit_kw": 2000}
    )
    series = PEAK | {"load_kwh": 300.0}
    opposite = price_opposite(Evidence(make_plan(make_problem(site, series, soc=0.5), Solver())))
    assert np.isfinite(opposite).all()
    assert opposite.max() > 50


def test_opposite_that_misses_a_demand_at_the_end_is_impossible_and_has_no_price() -> None:
    plan = plan_of(
        NIGHT | {"import_price": [0.3] * 2},
        soc=0.2,
        terminal=Terminal(kind="minimum_soc", soc=0.43),
    )
    assert np.isnan(price_opposite(Evidence(plan))).all()


def limits_of(plan: Plan) -> set[str]:
    return set().union(*find_limits(plan))


@each_row(
    ("plan", "expected"),
    [
        pytest.param(
            {"series": PEAK, "soc": 0.7},
            {"charge_power", "battery_full"},
            id="charging at full power to full",
        ),
        pytest.param(
            {"series": PEAK, "soc": 0.05, "terminal": NOTHING_LEFT},
            {"charge_power", "battery_empty"},
            id="down to nothing",
        ),
        pytest.param(
            {"series": PEAK, "soc": 0.0, "import_limit_kw": 4.0},
            {"import_limit"},
            id="narrow connection",
        ),
        pytest.param(
            {
                "series": NIGHT | {"load_kwh": 0.0, "pv_kwh": [1.0] * 16, "import_price": 0.3},
                "export_limit_kw": 1.0,
            },
            {"export_limit", "battery_full", "curtailment"},
            id="sun beyond all limits",
        ),
    ],
)
def test_limits_at_work_are_found(plan: dict[str, Any], expected: set[str]) -> None:
    assert expected <= limits_of(plan_of(**plan))


def test_limits_of_a_quiet_night_are_none() -> None:
    plan = plan_of(NIGHT | {"import_price": [0.3] * 4}, terminal=Terminal(kind="minimum_soc"))
    assert limits_of(plan) == set()


def test_forbidden_export_is_at_work_only_where_there_is_something_to_export() -> None:
    plan = plan_of(
        NIGHT | {"pv_kwh": [0.0, 0.0, 3.0], "import_price": [0.3] * 3},
        export_limit_kw=0.0,
        terminal=Terminal(kind="minimum_soc"),
    )
    assert ["export_limit" in at_work for at_work in find_limits(plan)] == [False, False, True]


def test_battery_that_cannot_charge_is_not_held_by_its_power_when_at_rest() -> None:
    site = describe_site({"charge_limit_kw": 0})
    plan = make_plan(make_problem(site, NIGHT | {"import_price": [0.3] * 2}, soc=0.0), Solver())
    assert "charge_power" not in limits_of(plan)


REQUEST: dict[str, Any] = {
    "site": {
        "name": "home",
        "timezone": "Europe/Berlin",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    },
    "start": "2024-02-01T00:00:00Z",
    "outlook": {
        "load_kwh": [0.3] * 4,
        "pv_kwh": [0.0] * 4,
        "import_price": [0.3] * 4,
        "export_price": [0.1] * 4,
    },
    "state": {"batteries": {"battery": {"soc": 0.5}}},
}


def test_reply_carries_the_reasons_in_the_interface_s_words() -> None:
    load_kernels()
    request = PlanRequest.model_validate(REQUEST)
    reply = answer(make_plan(build_problem(request), Solver()), request=request, issued_at=START)
    slot = reply.slots[0].model_dump(mode="json")
    assert set(slot["reason"]) >= {"code", "text", "energy_value", "cost_of_opposite", "binding"}
    assert slot["batteries"]["battery"].keys() >= {"charge_kwh", "discharge_kwh", "soc_end"}
    assert reply.cost.total == pytest.approx(
        reply.cost.import_ + reply.cost.export + reply.cost.wear
    )
    assert reply.status == "optimal"


def reasons_of(
    series: dict[str, Any],
    *,
    site: dict[str, Any] | None = None,
    battery: dict[str, Any] | None = None,
    soc: float = 0.5,
    **more: Any,
) -> list[Reason]:
    return explain(
        make_plan(
            make_problem(describe_site(battery or {}, **(site or {})), series, soc=soc, **more),
            Solver(),
        )
    )


def test_an_empty_battery_at_night_says_that_it_is_empty_and_when_it_is_charged() -> None:
    told = reasons_of(NIGHT | {"pv_kwh": [0.0, 0.0, 2.0, 2.0], "import_price": 0.3}, soc=0.0)
    assert [reason.code for reason in told[:2]] == ["empty"] * 2
    assert told[0].figures["time"] == (START + timedelta(minutes=30)).isoformat()


def test_an_empty_battery_that_the_house_does_not_need_says_so_and_speaks_of_no_reserve() -> None:
    told = reasons_of(
        NIGHT | {"load_kwh": [0.0, 0.0, 0.4], "import_price": 0.3},
        battery={"min_soc": 0.2},
        soc=0.2,
    )
    assert [reason.code for reason in told] == ["rest", "rest", "reserve"]


def test_what_nothing_uses_until_later_is_not_kept_for_a_price() -> None:
    told = reasons_of(
        NIGHT | {"load_kwh": [0.0, 0.0, 0.4, 0.4], "import_price": 0.3},
        battery=OWN_USE,
        terminal=NOTHING_LEFT,
    )
    assert [(reason.code, reason.figures.get("time")) for reason in told[:2]] == [
        ("rest", (START + timedelta(minutes=30)).isoformat())
    ] * 2


def test_energy_is_kept_for_a_price_only_where_that_is_higher_than_buying_now() -> None:
    rng = np.random.default_rng(4)
    price = np.round(rng.uniform(0.1, 0.5, 96), 3)
    told = reasons_of(
        NIGHT | {"load_kwh": rng.gamma(1, 0.2, 96), "import_price": price}, terminal=NOTHING_LEFT
    )
    kept = [
        reason.figures
        for reason in told
        if reason.code == "hold_for_peak" and "price" in reason.figures
    ]
    assert kept
    assert all(figures["price"] > figures["buy"] for figures in kept)


def test_prices_of_a_reason_are_those_of_its_own_slot() -> None:
    bought = np.linspace(0.2, 0.5, 12)
    told = reasons_of(
        NIGHT | {"import_price": bought}, battery=OWN_USE, soc=0.9, terminal=NOTHING_LEFT
    )
    assert [
        reason.figures["buy"] for reason in told if reason.code == "serve_house"
    ] == pytest.approx(bought, abs=1e-6)


def test_surplus_beyond_the_feed_in_limit_is_stored_for_the_limit_and_not_for_its_worth() -> None:
    # A kWh sells for 8 ct and is worth nothing stored; only 0.25 of 1 kWh may be fed in.
    series = {"load_kwh": 0.0, "pv_kwh": [1.0] * 4, "import_price": 0.3, "export_price": 0.08}
    told = reasons_of(
        series, site={"curtailable": False, "export_limit_kw": 1}, soc=0.2, terminal=NOTHING_LEFT
    )
    assert [(reason.code, reason.figures["kw"]) for reason in told] == [("feed_in_limit", 1.0)] * 4


def test_what_the_connection_cannot_carry_comes_from_the_battery_for_that_reason() -> None:
    # Of 2 kWh one comes through 4 kW; just as much is stored, losses counted.
    told = reasons_of(
        NIGHT | {"load_kwh": [0.4, 2.0], "import_price": 0.1},
        site={"import_limit_kw": 4},
        soc=0.1 / 0.95,
        terminal=NOTHING_LEFT,
    )
    assert [(reason.code, reason.figures["kw"]) for reason in told] == [
        ("grid_limit", 4.0),
        ("grid_limit", 4.0),
    ]


def test_a_battery_at_its_power_limit_says_that_the_grid_does_the_rest() -> None:
    told = reasons_of(NIGHT | {"load_kwh": 2.0, "import_price": [0.4] * 2}, terminal=NOTHING_LEFT)
    assert [(reason.code, reason.figures["kw"]) for reason in told] == [("power_limit", 5.0)] * 2


def test_surplus_below_the_least_charging_power_is_sold_for_that_reason() -> None:
    series = {"load_kwh": 0.0, "pv_kwh": [0.1] * 4, "import_price": 0.3, "export_price": 0.05}
    assert [reason.code for reason in reasons_of(series, battery={"min_charge_kw": 1.0})] == [
        "least_power"
    ] * 4


def test_a_full_battery_says_so_though_the_grid_pays() -> None:
    series = NIGHT | {"import_price": [-0.05, 0.3], "export_price": [-0.06, 0.05]}
    first = reasons_of(series, soc=1.0)[0]
    assert (first.code, first.figures) == ("full", {"paid": 0.05})


def test_surplus_that_costs_to_feed_in_is_stored_for_that_reason() -> None:
    told = reasons_of(
        {"load_kwh": 0.0, "pv_kwh": [0.5] * 2, "import_price": 0.3, "export_price": -0.04}, soc=0.2
    )
    assert [(reason.code, reason.figures) for reason in told] == [
        ("store_solar", {"fee": 0.04})
    ] * 2


def test_a_battery_below_its_limit_says_that_it_is_brought_back() -> None:
    series = NIGHT | {"pv_kwh": [0.0, 1.0, 1.0], "import_price": 0.3}
    told = reasons_of(series, battery={"min_soc": 0.2, "charge_from_grid": False}, soc=0.15)
    assert [reason.code for reason in told[:2]] == ["outside_limits"] * 2
    assert told[0].figures == {"soc": 0.15, "least": 0.2}


def test_room_is_not_kept_for_a_price_higher_than_selling_pays() -> None:
    rng = np.random.default_rng(7)
    price = np.repeat(np.round(rng.uniform(0.0, 0.2, 24), 3), 4)
    sun = np.maximum(np.sin(np.arange(96) / 96 * 2 * np.pi), 0.0)
    told = reasons_of(
        {"load_kwh": 0.1, "pv_kwh": sun, "import_price": price + 0.1, "export_price": price},
        battery={"capacity_kwh": 4},
    )
    room = [
        reason.figures
        for reason in told
        if reason.code == "sell_solar" and "time" in reason.figures
    ]
    assert room
    # The battery is charged with surplus, which would sell for less.
    selling = {
        (START + timedelta(minutes=15 * slot)).isoformat(): price[slot] for slot in range(96)
    }
    assert all(figures["sell"] > selling[figures["time"]] for figures in room)


def test_the_battery_that_moves_most_is_told_and_each_has_its_own_reason() -> None:
    site = describe_site({"capacity_kwh": 2}, {"capacity_kwh": 8})
    request = PlanRequest.model_validate(
        REQUEST
        | {
            "site": site,
            "state": {"batteries": {"battery 0": {"soc": 0.0}, "battery 1": {"soc": 0.9}}},
        }
    )
    reply = answer(make_plan(build_problem(request), Solver()), request=request, issued_at=START)
    first = reply.slots[0]
    assert first.reason.device == max(
        first.batteries, key=lambda name: first.batteries[name].discharge_kwh
    )
    assert first.batteries["battery 1"].reason is not None
    assert first.batteries["battery 0"].reason is not None
    assert (first.batteries["battery 0"].reason.code, first.batteries["battery 1"].reason.code) == (
        "other_battery",
        "serve_house",
    )


def test_slots_of_a_day_that_share_cause_and_figures_share_one_object() -> None:
    told = reasons_of(
        NIGHT | {"import_price": [0.4] * 8}, battery=OWN_USE, soc=0.9, terminal=NOTHING_LEFT
    )
    assert len({id(reason.figures) for reason in told}) == 1


@each_row("seed", range(draws(20)))
def test_a_mode_is_shown_only_where_the_flows_bear_it_out(seed: int) -> None:
    plan = make_plan(draw_problem(np.random.default_rng(seed), batteries=1, slots=48), Solver())
    seen = Evidence(plan)
    explained = explain_evidence(seen)
    modes = np.array(show_modes(seen, explained))
    waits = np.array(
        [reason.code in ("peak", "grid_limit") for reason in explained.of_slots.reasons]
    )
    assert (seen.bought_kwh[0][(modes == "charge") & ~waits] > 0).all()
    assert (seen.sold_kwh[0][modes == "export"] > 0).all()
    assert (plan.flows.discharge_kwh[0][np.isin(modes, ["save", "hold", "charge"])] <= 1e-6).all()
    assert (plan.flows.charge_kwh[0][np.isin(modes, ["supply", "hold", "export"])] <= 1e-6).all()


def test_an_empty_battery_without_load_keeps_one_mode() -> None:
    series = NIGHT | {"load_kwh": 0.0, "import_price": [0.2, 0.4, 0.1, 0.3, 0.25, 0.35]}
    plan = plan_of(series, soc=0.0, terminal=NOTHING_LEFT, import_limit_kw=11)
    seen = Evidence(plan)
    explained = explain_evidence(seen)
    resting = [
        mode
        for mode, rests in zip(show_modes(seen, explained), seen.rests[0], strict=True)
        if rests
    ]
    assert set(resting) == {"self_consumption"}
