"""What an alternative to a plan costs, and what it changes."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.alternative import Alternative, WhyNotReply
from luna.contracts.plan import OutlookMessage, PlanRequest
from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from luna.energy.site import parse_site
from luna.words import Language
from services.planner.alternatives.plan_alternative import (
    override_setpoint,
    plan_alternative,
)
from services.planner.alternatives.replan import replan_after, take_slots
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.reply.evidence import Evidence
from services.planner.reply.opposite_mode import price_opposite
from tests.support.planning.problems import (
    BATTERY,
    START,
    describe_site,
    draw_problem,
    make_problem,
)
from tests.support.planning.requests import answer, charging_session, make_request
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

HOUR = timedelta(hours=1)
# What the explanation calls the opposite of each mode. Source: services.planner.reply.reasons.
OPPOSITE = {
    "self_consumption": "hold",
    "save": "supply",
    "supply": "save",
    "hold": "self_consumption",
    "charge": "hold",
    "export": "hold",
}
# Cheap, then dear, then in between; a load of 1 kWh an hour.
PRICES = [0.10] * 4 + [0.50] * 4 + [0.25] * 4


def inputs(
    *,
    soc: float = 0.5,
    terminal: dict[str, Any] | None = None,
    grid: dict[str, float] | None = None,
    objective: dict[str, float] | None = None,
    **battery: Any,
) -> PlanRequest:
    """Twelve hours of a house with a battery of 10 kWh that loses nothing."""
    free = (
        BATTERY
        | {"name": "battery", "charge_efficiency": 1, "discharge_efficiency": 1, "wear_price": 0}
        | battery
    )
    site = {"timezone": "Europe/Berlin", "batteries": [free], "grid": grid or {}}
    options = {"terminal": terminal or {"kind": "value", "value": 0.0}, "objective": objective}
    return make_request(site, {"load_kwh": 1.0, "import_price": PRICES}, soc=soc, options=options)


def ask(
    hour: int,
    mode: str,
    *,
    request: PlanRequest | None = None,
    language: Language = "en",
    **more: Any,
) -> WhyNotReply:
    alternative = Alternative.model_validate({"slot": START + hour * HOUR, "mode": mode} | more)
    return plan_alternative(request or inputs(), alternative, solver=Solver(), language=language)


def test_not_serving_in_a_dear_hour_costs_what_it_then_saves_less() -> None:
    # 5 kWh are there and 3 are bought for 0.10: 8 kWh for 4 dear and 4 ordinary hours. Held back in
    # a dear hour, one kWh is bought for 0.50, and the one that is left over sells for 0.05 in the
    # end: buying it is past.
    reply = ask(4, "hold")
    assert reply.cost.import_ == pytest.approx(0.50)
    assert reply.cost.total == pytest.approx(0.45)
    assert len(reply.changes) == 2


def test_what_is_charged_early_is_not_charged_later() -> None:
    # All cheap hours cost the same, so what is charged in the first is left out in others before it
    # gets dear.
    reply = ask(0, "charge", power_kw=3)
    assert reply.cost.total == pytest.approx(0.0)
    assert sum(
        change.after.energy_kwh - change.before.energy_kwh for change in reply.changes
    ) == pytest.approx(0.0)
    assert reply.changes[0].after.energy_kwh == pytest.approx(3.0)
    assert START < reply.changes[-1].start < START + 4 * HOUR


def test_selling_now_is_paid_for_in_the_last_hour_the_energy_would_have_served() -> None:
    # In the last hour before the end 1 kWh serves for 0.25; sold in the hour before at 5 kW, beyond
    # the load, what is missing is bought.
    reply = ask(8, "export", power_kw=3)
    assert reply.cost.export == pytest.approx(-0.15)
    assert reply.cost.total == pytest.approx(3 * (0.25 - 0.05))


@each_row("seed", range(4))
def test_the_cost_of_the_opposite_is_the_same_read_or_planned_anew(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bought = rng.uniform(0.1, 0.5, 24)
    series = {
        "load_kwh": rng.gamma(1.0, 0.4, 24),
        "pv_kwh": rng.gamma(0.5, 0.8, 24),
        "import_price": bought,
        "export_price": bought - 0.08,
    }
    plan = make_plan(
        make_problem(describe_site({"min_soc": 0.1}, export_limit_kw=3), series), Solver()
    )
    opposite = price_opposite(Evidence(plan))
    for slot in np.flatnonzero(np.isfinite(opposite)).tolist():
        alternative = Alternative.model_validate(
            {"slot": START, "mode": OPPOSITE[Mode(int(plan.setpoints.mode[0, slot])).word]}
        )
        replanned = replan_after(
            plan,
            override_setpoint(plan, alternative, index=0, slots=(slot, slot + 1)),
            slot,
            Solver(),
        )
        assert replanned.cost == pytest.approx(opposite[slot], abs=1e-6)
        assert replanned.cost_by_value == pytest.approx(opposite[slot], abs=1e-6)


@pytest.mark.parametrize("scenarios", [False, True])
def test_what_a_plan_weighs_beside_money_is_in_its_value_and_not_in_its_bill(
    scenarios: bool,
) -> None:
    request = inputs(objective={"carbon_price_per_kg": 0.3})
    assert request.outlook is not None
    scenarios = {"probability": [0.5], "load_kwh": [[1.5] * 12], "pv_kwh": [[0.0] * 12]}
    series = {"carbon_g_per_kwh": [500.0] * 4 + [100.0] * 8} | (
        {"scenarios": scenarios} if scenarios else {}
    )
    outlook = OutlookMessage.model_validate(request.outlook.model_dump() | series)
    options = request.options.model_copy(
        update={"uncertainty": "scenarios" if scenarios else "point"}
    )
    weighed = request.model_copy(update={"outlook": outlook, "options": options})
    told = answer(weighed).slots[5]
    reply = ask(5, OPPOSITE[told.mode], request=weighed)
    assert reply.cost_by_value == pytest.approx(told.reason.cost_of_opposite, abs=1e-6)
    assert reply.cost.total != pytest.approx(reply.cost_by_value)


def test_following_the_plan_costs_nothing_and_changes_nothing() -> None:
    reply = ask(5, "supply")
    assert (reply.cost.total, reply.changes) == (0.0, [])
    same = wording("alternatives", "cost_same")
    nothing_else = wording("alternatives", "changes", count=0, shown=0, time="")
    assert reply.text.endswith(f" {same}; {nothing_else}.")


def test_an_alternative_may_last_for_several_slots() -> None:
    reply = ask(4, "hold", until=START + 7 * HOUR)
    # What is left over is sold in the end, all of it in one hour.
    assert reply.cost.total == pytest.approx(3 * (0.50 - 0.05))
    assert len(reply.changes) == 4


def test_two_batteries_are_planned_anew_together() -> None:
    plan = make_plan(draw_problem(np.random.default_rng(3), batteries=2, slots=12), Solver())
    alternative = Alternative.model_validate({"slot": START, "mode": "hold", "device": "battery 1"})
    replanned = replan_after(
        plan, override_setpoint(plan, alternative, index=1, slots=(2, 3)), 2, Solver()
    )
    assert replanned.cost >= -1e-6
    assert replanned.cost == pytest.approx(objective(replanned.after) - objective(plan))


@pytest.mark.parametrize(
    ("language", "start", "money", "other"),
    [("en", "Thu 05:00", "€0.45", "Thu 12:00"), ("de", "Do. 05:00", "0,45\u00a0€", "Do. 12:00")],
)
def test_both_languages_say_what_it_costs(
    language: Language, start: str, money: str, other: str
) -> None:
    holding = wording("alternatives", "does_hold", language)
    battery = wording("device_battery", "name_battery", language)
    begins = wording("alternatives", "at", language, what=holding, time=start, device=battery)
    costs = wording("alternatives", "cost_more", language, money=money)
    changes = wording("alternatives", "changes", language, count=1, shown=1, time=other)
    assert ask(4, "hold", language=language).text == f"{begins}: {costs}; {changes}."


@each_row(
    ("hour", "question", "field", "limit"),
    [
        pytest.param(
            0,
            {"mode": "charge", "power_kw": 7},
            "alternative.power_kw",
            "charge_limit_kw is 5",
            id="more power than it has",
        ),
        pytest.param(
            0,
            {"mode": "export", "target_soc": 0.05, "min_soc": 0.2},
            "alternative.target_soc",
            "min_soc is 0.2",
            id="below the reserve",
        ),
        pytest.param(
            0,
            {"mode": "charge", "charge_from_grid": False},
            "alternative.mode",
            "charge_from_grid is false",
            id="contract",
        ),
        pytest.param(
            0, {"mode": "charge", "soc": 1.0}, "alternative.mode", "is at 100% then", id="full"
        ),
        pytest.param(
            0,
            {"mode": "charge", "grid": {"import_limit_kw": 1}},
            "alternative.mode",
            "import limit of 1 kW",
            id="connection inward",
        ),
        pytest.param(
            0,
            {"mode": "export", "grid": {"export_limit_kw": 0}},
            "alternative.mode",
            "export limit of 0 kW",
            id="connection outward",
        ),
        pytest.param(
            12, {"mode": "hold"}, "alternative.slot", "2024-02-01 13:00 CET", id="after the end"
        ),
        pytest.param(
            0,
            {"mode": "hold", "device": "shed"},
            "alternative.device",
            "no such device",
            id="unknown device",
        ),
        pytest.param(
            0, {"mode": "on"}, "alternative.mode", "self_consumption", id="no mode of a battery"
        ),
    ],
)
def test_what_is_impossible_names_the_limit_that_forbids_it(
    hour: int, question: dict[str, Any], field: str, limit: str
) -> None:
    asked = {
        name: question[name]
        for name in ("mode", "power_kw", "target_soc", "device")
        if name in question
    }
    request = inputs(**{name: value for name, value in question.items() if name not in asked})
    with pytest.raises(InvalidInputError) as refused:
        ask(hour, request=request, **asked)
    assert refused.value.field == field
    assert limit in str(refused.value)


def test_what_it_makes_unreachable_is_named() -> None:
    # Half full at the end: held until then nothing is missing, sold in the last hour 5 kWh are.
    reply = ask(11, "export", request=inputs(terminal={"kind": "minimum_soc", "soc": 0.5}))
    [compromise] = reply.compromises
    assert compromise.code == "end_at_least"
    assert compromise.figures == {"name": "battery", "wanted": 0.5, "kwh": pytest.approx(5.0)}


def devices(**changes: Any) -> PlanRequest:
    """Twelve hours with a car that wants 4 kWh by the tenth hour, and a tank that heats for two
    hours.
    """
    car = {
        "name": "car",
        "capacity_kwh": 40,
        "min_charge_kw": 0,
        "charge_limit_kw": 4,
        "charge_efficiency": 1,
    }
    tank = {"name": "tank", "power_kw": 2, "energy_kwh_per_day": 8}
    series = {"load_kwh": 0.0, "import_price": PRICES, "export_price": 0.0}
    state = {
        "vehicles": {"car": {"soc": 0.5, "sessions": [charging_session(0, 10, target_soc=0.6)]}}
    }
    return make_request(
        {"vehicles": [car], "loads": [tank]},
        series,
        **{"state": state, "options": {"mip_gap": 0.0}} | changes,
    )


def test_a_car_charged_in_a_dear_hour_is_not_charged_in_a_cheap_one() -> None:
    reply = ask(5, "charge", request=devices(), device="car")
    assert reply.cost.total == pytest.approx(4 * (0.50 - 0.10))
    assert reply.cost_by_value is None
    assert {change.device for change in reply.changes} == {"car"}
    assert sum(
        change.after.energy_kwh - change.before.energy_kwh for change in reply.changes
    ) == pytest.approx(0.0)


def test_a_tank_that_is_off_in_the_cheap_hours_heats_later() -> None:
    # 4 kWh in half a day are two hours on, instead of in cheap hours in ordinary ones.
    reply = ask(0, "off", request=devices(), device="tank", until=START + 4 * HOUR)
    assert reply.cost.total == pytest.approx(4 * (0.25 - 0.10))
    assert [change.after.mode for change in reply.changes] == ["off", "off", "on", "on"]


@each_row(
    ("hour", "question", "field", "words"),
    [
        pytest.param(
            11,
            {"device": "car", "mode": "charge"},
            "alternative",
            "not at its charger",
            id="car away",
        ),
        pytest.param(
            0,
            {"device": "car", "mode": "export"},
            "alternative.mode",
            "charge, hold",
            id="no mode of a car",
        ),
        pytest.param(
            0,
            {"device": "tank", "mode": "charge"},
            "alternative.mode",
            "on, off",
            id="no mode of a load",
        ),
        pytest.param(
            0,
            {"device": "car", "mode": "charge", "power_kw": 9},
            "alternative",
            "4 kW",
            id="more than the charger gives",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_refused(
    hour: int, question: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(hour, request=devices(), **question)
    assert refused.value.field == field
    assert words in str(refused.value)


def test_a_planned_peak_forbids_what_would_rise_above_it() -> None:
    tariff = {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": {"price_per_kw_month": 50, "interval_minutes": 60},
    }
    request = inputs(soc=0.0)
    assert request.site is not None
    peaky = request.model_copy(
        update={"site": parse_site(request.site.model_dump(by_alias=True) | {"tariff": tariff})}
    )
    # A load of 1 kW all day: the peak that is paid for is 1 kW, and the house takes all of it.
    with pytest.raises(InvalidInputError) as refused:
        ask(5, "charge", request=peaky)
    assert refused.value.reason == "alternative-impossible"
    assert "peak of 1.00 kW" in refused.value.parameters["why"]


BLOCKS = {"kind": "blocks", "blocks": [{"up_to_kwh": 6, "price": 0.2}, {"price": 0.4}]}
ALLOWANCE = {"kind": "allowance", "name": "energy", "kwh_per_day": 6, "price": 0.2}


@pytest.mark.parametrize(
    "rule",
    [BLOCKS, {"kind": "components", "components": [ALLOWANCE | {"price_beyond": 0.4}]}],
    ids=["blocks", "allowance"],
)
def test_what_was_drawn_so_far_counts_where_later_kwh_cost_more(rule: dict[str, Any]) -> None:
    request = inputs(soc=0.8)
    assert request.site is not None
    assert request.outlook is not None
    site = parse_site(request.site.model_dump(by_alias=True) | {"tariff": {"import": rule}})
    outlook = request.outlook.model_copy(
        update={"import_price": [0.2] * 12, "export_price": [0.0] * 12}
    )
    asked = request.model_copy(update={"site": site, "outlook": outlook})
    # With 8 kWh stored 4 are bought, at the first price; held all day, 12 are: 6 at the first price
    # and 6 at the second.
    assert ask(0, "hold", request=asked, until=START + 12 * HOUR).cost.total == pytest.approx(
        12 * 0.2 + 6 * 0.2 - 4 * 0.2
    )
    # Held for seven hours, five are left to serve: of the 7 kWh that are bought by then one is in
    # the second block.
    reply = ask(0, "hold", request=asked, until=START + 7 * HOUR)
    assert reply.cost.total == pytest.approx(6 * 0.2 + 1 * 0.4 - 4 * 0.2)


@pytest.mark.parametrize("batteries", [1, 2])
def test_holding_to_what_is_planned_costs_nothing_whatever_the_limits(batteries: int) -> None:
    rng = np.random.default_rng(20 + batteries)
    for _ in range(6):
        plan = make_plan(draw_problem(rng, batteries=batteries, slots=12), Solver())
        assert replan_after(
            plan, take_slots(plan.setpoints, slice(3, 5)), 3, Solver()
        ).cost == pytest.approx(0.0, abs=1e-5)
