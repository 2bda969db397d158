from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.site import SafetyIndex
from services.planner.problem.strategy import apply_strategy, margin_soc, safety_factor
from tests.support.planning.problems import START, describe_site
from tests.support.planning.requests import answer, charging_session, make_request
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

HOUR = timedelta(hours=1)
BATTERY = {
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "wear_price": 0.01,
}
COMFORT = [{"from": "05:00", "to": "08:00", "energy_kwh": 3}]
HEATER = {
    "name": "heater",
    "power_kw": 3,
    "energy_kwh_per_day": 6,
    "max_gap_hours": 8,
    "comfort": COMFORT,
}
CAR = {"name": "car", "capacity_kwh": 40, "charge_limit_kw": 11}
PRICES = [0.1] * 6 + [0.3] * 12 + [0.4] * 6
EVERY: dict[str, Any] = {
    "vacation": {"reserve_soc": 0.3, "loads_off": ["heater"]},
    "outage": {"reserve_soc": 0.8},
    "price_extremes": {"risk": 0.4},
    "s_index": {},
}
STORM = {"from": (START + 12 * HOUR).isoformat(), "to": (START + 20 * HOUR).isoformat()}
USUAL: dict[str, Any] = {
    "past_levels": [0.2 + 0.001 * day for day in range(30)],
    "past_spreads": [0.1 + 0.001 * day for day in range(30)],
}
COURSES = {"probability": [0.5], "load_kwh": [[0.6] * 24], "pv_kwh": [[0.0] * 24]}
AROUND: dict[str, Any] = {"vacation": True, "warnings": [STORM], "temperature_c": -15.0} | USUAL


def describe(
    strategy: dict[str, Any] | None,
    *,
    prices: list[float] = PRICES,
    uncertainty: str = "point",
    **around: Any,
) -> PlanRequest:
    site = {
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "loads": [HEATER],
        "vehicles": [CAR],
        "strategy": strategy,
    }
    state = {
        "vehicles": {"car": {"soc": 0.5, "sessions": [charging_session(0, 12, target_soc=0.8)]}}
    }
    outlook = {"import_price": prices, "scenarios": COURSES}
    return make_request(
        site,
        outlook,
        soc=0.2,
        state=state,
        options={"uncertainty": uncertainty},
        surroundings=around,
    )


def soc(reply: PlanReply) -> list[float]:
    return [slot.batteries["battery"].soc_end for slot in reply.slots]


def test_no_rule_holds_unless_the_site_names_it() -> None:
    assert apply_strategy(describe(None, **AROUND)) == (describe(None, **AROUND), [])
    assert apply_strategy(describe({}, **AROUND)) == (describe({}, **AROUND), [])
    assert answer(describe(None, **AROUND)).strategy == []


@each_row("rule", EVERY)
def test_a_rule_sets_parameters_and_nothing_else(rule: str) -> None:
    before = describe(
        {rule: EVERY[rule]}, uncertainty="scenarios", prices=[0.1, *[0.9] * 23], **AROUND
    )
    after, applied = apply_strategy(before)
    assert {each.rule for each in applied} == {rule}
    # A plan's set-points follow from its site's limits, its options and reserves: blocks, state,
    # prices and forecasts stay as they are.
    unchanged = set(PlanRequest.model_fields) - {"site", "options", "reserves"}
    assert all(getattr(after, name) == getattr(before, name) for name in unchanged)
    assert after.site is not None
    assert after.site.batteries == (before.site.batteries if before.site else None)


@each_row("rule", EVERY)
def test_a_rule_that_is_switched_off_changes_nothing(rule: str) -> None:
    others = {name: parameters for name, parameters in EVERY.items() if name != rule}
    _, applied = apply_strategy(
        describe(others, uncertainty="scenarios", prices=[0.1, *[0.9] * 23], **AROUND)
    )
    assert {each.rule for each in applied} == set(others)


def test_on_vacation_loads_rest_the_car_keeps_its_target_and_a_reserve_holds() -> None:
    reply = answer(describe({"vacation": EVERY["vacation"]}, vacation=True))
    assert not any(slot.loads["heater"].on for slot in reply.slots)
    assert sum(slot.vehicles["car"].charge_kwh for slot in reply.slots) == pytest.approx(
        12 / 0.9, rel=1e-3
    )
    # From two tenths full the reserve of three is there after the first hour.
    assert min(soc(reply)) >= 0.3 - 1e-6
    assert {(each.parameter, each.value) for each in reply.strategy} == {
        ("reserve_soc", 0.3),
        ("loads.heater.energy_kwh_per_day", 0.0),
    }
    assert answer(describe({"vacation": EVERY["vacation"]}, vacation=False)).strategy == []


def test_a_reserve_for_a_storm_is_bought_cheap_held_while_it_lasts_and_used_after_it() -> None:
    reply = answer(describe({"outage": EVERY["outage"]}, warnings=[STORM]))
    assert min(soc(reply)[11:20]) >= 0.8 - 1e-6
    assert soc(reply)[-1] < 0.8 - 0.1
    # All of it is bought in the six cheap hours.
    assert sum(slot.batteries["battery"].charge_kwh for slot in reply.slots[6:]) == pytest.approx(
        0.0, abs=1e-6
    )
    assert reply.strategy[0].why == wording(
        "notes", "rule_outage", first="Thu 13:00", last="Thu 21:00"
    )


def test_slots_in_which_a_reserve_decides_say_so() -> None:
    # At one price all day nothing but the reserve is worth buying for: the battery rests at it.
    reply = answer(describe({"outage": EVERY["outage"]}, prices=[0.3] * 24, warnings=[STORM]))
    said = {
        (slot.reason.code, slot.reason.text.replace("\u00a0", " "), tuple(slot.reason.binding))
        for slot in reply.slots[13:19]
    }
    kept = wording("battery_reasons", "reason_reserve_3", reserve="80%")
    assert said == {("reserve", kept, ("reserve",))}


def test_a_reserve_out_of_reach_is_a_compromise() -> None:
    now = {"from": START.isoformat(), "to": (START + 2 * HOUR).isoformat()}
    reply = answer(describe({"outage": EVERY["outage"]}, warnings=[now]))
    # An hour at 5 kW brings 4.75 kWh to 2: 1.25 of the 8 are missing.
    missed = [(each.code, each.figures.get("name"), each.shortfall) for each in reply.compromises]
    assert ("reserve", "battery", "12.5% missing") in missed


def test_extreme_prices_make_a_plan_over_scenarios_heed_the_dearer_ones() -> None:
    usual = describe(
        {"price_extremes": {"risk": 0.4}},
        uncertainty="scenarios",
        prices=[0.2, *[0.22] * 23],
        **USUAL,
    )
    wide = describe(
        {"price_extremes": {"risk": 0.4}},
        uncertainty="scenarios",
        prices=[0.1, *[0.22] * 22, 0.5],
        **USUAL,
    )
    dear = describe(
        {"price_extremes": {"risk": 0.4}}, uncertainty="scenarios", prices=[0.6] * 24, **USUAL
    )
    assert [apply_strategy(each)[0].options.risk for each in (usual, wide, dear)] == [0.0, 0.4, 0.4]
    assert apply_strategy(describe({"price_extremes": {}}, prices=[0.6] * 24, **USUAL))[1] == []
    assert (
        apply_strategy(
            describe({"price_extremes": {}}, uncertainty="scenarios", prices=[0.6] * 24)
        )[1]
        == []
    )
    reply = answer(dear)
    assert reply.uncertainty is not None
    assert reply.uncertainty.risk == 0.4


@each_row(
    ("load_kwh", "pv_kwh", "temperature_c", "factor"),
    [
        (10.0, 10.0, 20.0, 1.05),  # the sun meets all of it, and it is warm
        (10.0, 4.0, 20.0, 1.05 + 0.3 * 0.6),
        (10.0, 10.0, -15.0, 1.05 + 0.2),
        (10.0, 10.0, 2.5, 1.05 + 0.1),  # half way from 20 to −15
        (10.0, 0.0, -40.0, 1.5),  # 1.55, and never beyond 1.5
        (10.0, 4.0, None, 1.05 + 0.3 * 0.6),  # what is unknown adds nothing
        (0.0, 4.0, None, 1.05),
    ],
)
def test_the_safety_index_grows_with_what_the_sun_leaves_and_with_cold(
    load_kwh: float, pv_kwh: float, temperature_c: float | None, factor: float
) -> None:
    load, pv = ([np.full(24, energy / 24)] * 2 for energy in (load_kwh, pv_kwh))
    assert safety_factor(SafetyIndex(), load, pv, temperature_c=temperature_c)[0] == pytest.approx(
        factor
    )


def test_what_the_index_keeps_is_there_at_midnight() -> None:
    reply = answer(describe({"s_index": {}}, temperature_c=-15.0))
    # 12 kWh a day, none from the sun: 1.5 − 1 of it is 6 kWh of the 9 that are usable.
    assert reply.strategy[0].value == pytest.approx(0.1 + 6 / 9 * 0.9)
    # Midnight in Berlin is the end of the twenty-third hour, an hour before the plan's own.
    assert soc(reply)[22] >= reply.strategy[0].value - 1e-6
    assert soc(reply)[23] < reply.strategy[0].value - 1e-6
    assert wording_pattern("notes", "rule_s_index_cold", factor="1.5", share="100%").fullmatch(
        reply.strategy[0].why
    )


def test_what_is_kept_never_exceeds_the_batteries() -> None:
    site = describe_site({"min_soc": 0.1}, {"min_soc": 0.0, "max_soc": 0.9})
    assert margin_soc(site, 3.0, [np.full(24, 10.0)], [np.zeros(24)]) == {
        "battery 0": 1.0,
        "battery 1": 0.9,
    }


def test_reasons_are_said_in_the_language_that_was_asked_for() -> None:
    request = describe(EVERY, uncertainty="scenarios", prices=[0.1, *[0.9] * 23], **AROUND)
    german = request.model_copy(
        update={"options": request.options.model_copy(update={"language": "de"})}
    )
    said = {each.rule: each.why.replace("\u00a0", " ") for each in apply_strategy(german)[1]}
    assert said["vacation"] == wording("notes", "rule_vacation", "de")
    assert said["outage"] == wording(
        "notes", "rule_outage", "de", first="Do. 13:00", last="Do. 21:00"
    )
    unknown = apply_strategy(describe({"s_index": {}}))[1][0].why
    assert unknown == wording("notes", "rule_s_index", factor="1.35", share="100%")
    assert said["s_index"] == wording(
        "notes", "rule_s_index_cold", "de", factor="1,5", share="100 %", cold="100 %"
    )
