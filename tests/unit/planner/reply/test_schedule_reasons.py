"""Why cars charge or wait and appliances run or wait, with evidence that holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, ReasonReply
from luna.contracts.plan.columns import list_slots, parse_columns
from services.planner.devices.causes import round_each
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_columns
from tests.support.planning.requests import answer, charging_session, make_request
from tests.support.words.wording import wording, wording_pattern

START = datetime(2024, 2, 1, 17, tzinfo=UTC)
HOURS = 14
# An evening peak, a cheap night, a dear morning; the house uses half a kilowatt.
PRICES = [0.4, 0.45, 0.42, 0.38, 0.3, 0.25, 0.2, 0.18, 0.17, 0.19, 0.22, 0.3, 0.4, 0.42]
CAR = {"capacity_kwh": 50, "min_charge_kw": 1.4, "charge_limit_kw": 10, "charge_efficiency": 1.0}
HEATER = {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}


def plan(
    *,
    target: float | None = 0.6,
    until: int = HOURS,
    state: dict[str, Any] | None = None,
    outlook: dict[str, Any] | None = None,
    **site: Any,
) -> PlanReply:
    """A plan of a car that is two fifths full, for hours from 17:00 UTC on."""
    session = charging_session(
        0, until, start=START, **({} if target is None else {"target_soc": target})
    )
    cars = {"vehicles": {"car": {"soc": 0.4, "sessions": [session]}}}
    series = {"import_price": PRICES} | (outlook or {})
    return answer(
        make_request(
            {"vehicles": [CAR], **site}, series, start=START, state=cars if state is None else state
        )
    )


def car_reasons(reply: PlanReply) -> list[ReasonReply]:
    return [reason for slot in reply.slots if (reason := slot.vehicles["car"].reason) is not None]


def codes(reply: PlanReply) -> list[str]:
    return [reason.code for reason in car_reasons(reply)]


def test_prices_that_differ_in_their_last_bit_have_one_rank_for_car_and_battery() -> None:
    # A sensor's 0.1 + 0.2 is 0.30000000000000004; from 17:00 on the day has seven slots, the car's
    # stay fourteen.
    reply = plan(
        outlook={"import_price": [0.1 + 0.2, 0.3] + [0.4] * 12},
        batteries=[{"capacity_kwh": 5, "charge_limit_kw": 2, "discharge_limit_kw": 2}],
    )
    assert [(slot.reason.price_rank, slot.reason.price_count) for slot in reply.slots[:3]] == [
        (1, 7),
        (1, 7),
        (3, 7),
    ]
    assert [(reason.price_rank, reason.price_count) for reason in car_reasons(reply)[:3]] == [
        (1, 14),
        (1, 14),
        (3, 14),
    ]


def test_a_car_charges_in_the_cheapest_hours_and_says_how_many_there_were() -> None:
    # Ten kilowatt-hours are one hour at the limit: the ninth, at 17 ct.
    reply = plan()
    assert codes(reply) == ["use_waits"] * 8 + ["use_cheapest"] + ["use_ready"] * 5
    waiting = car_reasons(reply)[0]
    charging = car_reasons(reply)[8]
    figures = {"time": "07:00", "kwh": "10.0 kWh", "price": "17 ct"}
    assert charging.text.replace("\u00a0", " ") == wording(
        "device_reasons", "reason_use_cheapest_1", **figures
    )
    assert charging.figures["total"] == 14
    assert (charging.price_rank, charging.price_count) == (1, 14)
    figures = {"buy": "40 ct", "price": "17 ct", "time": "Fri 01:00"}
    assert waiting.text.replace("\u00a0", " ") == wording(
        "device_reasons", "reason_use_waits_1", **figures
    )


def test_the_opposite_costs_what_the_next_best_hour_costs_more() -> None:
    waiting = car_reasons(plan())[0]
    charging = car_reasons(plan())[8]
    # Ten kilowatt-hours for 18 instead of 17 ct; or for 40 ct at once.
    assert charging.cost_of_opposite == pytest.approx(0.1)
    assert waiting.cost_of_opposite == pytest.approx(2.3)


def test_a_car_that_has_no_time_left_says_so() -> None:
    assert codes(plan(until=1)) == ["use_throughout"]
    late = plan(until=1, target=0.8)
    assert codes(late) == ["use_short"]
    # Twenty are wanted, ten come.
    assert car_reasons(late)[0].figures["kwh"] == pytest.approx(10)


def test_a_car_charges_in_dear_hours_where_the_cheap_ones_cannot_reach_its_target() -> None:
    # Thirty kilowatt-hours in eight hours: three at ten kilowatts, or six where house and car share
    # a connection of five and a half.
    free = plan(until=8, target=1.0)
    narrow = plan(until=8, target=1.0, grid={"import_limit_kw": 5.5})
    assert charging_hours(free) == [5, 6, 7]
    assert charging_hours(narrow) == [0, 3, 4, 5, 6, 7]
    assert not narrow.compromises


def test_a_car_that_needs_every_hour_at_less_than_its_power_claims_no_cheap_ones() -> None:
    told = plan(until=4, target=0.8, grid={"import_limit_kw": 5.5})
    assert codes(told) == ["use_throughout"] * 4
    figures = {"time": "21:00", "dearest": "45 ct"}
    said = wording_pattern("device_reasons", "reason_use_throughout_1", **figures)
    assert said.fullmatch(car_reasons(told)[0].text.replace("\u00a0", " "))


def test_a_battery_that_finds_no_room_beside_the_car_says_so_and_speaks_of_no_sun() -> None:
    session = {
        "from": START.isoformat(),
        "to": (START + 9 * timedelta(hours=1)).isoformat(),
        "target_soc": 1.0,
    }
    state = {
        "vehicles": {"car": {"soc": 0.4, "sessions": [session]}},
        "batteries": {"battery": {"soc": 0.1}},
    }
    battery = {"capacity_kwh": 4, "min_soc": 0.1, "charge_limit_kw": 2, "discharge_limit_kw": 2}
    reply = plan(state=state, grid={"import_limit_kw": 4}, batteries=[battery])
    waits = [slot for slot in reply.slots if slot.reason.code == "grid_limit"]
    assert waits
    assert all(
        slot.import_kwh == pytest.approx(4) and slot.batteries["battery"].charge_kwh == 0
        for slot in waits
    )
    assert "store_solar" not in {slot.reason.code for slot in reply.slots}


def charging_hours(reply: PlanReply) -> list[int]:
    return [hour for hour, slot in enumerate(reply.slots) if slot.vehicles["car"].charge_kwh > 1e-6]


def test_a_car_that_is_away_has_no_reason() -> None:
    assert plan(until=2).slots[5].vehicles["car"].reason is None


def test_a_car_waits_for_surplus_and_charges_from_it() -> None:
    reply = plan(target=None, outlook={"pv_kwh": [0.0] * 10 + [5.0] * 4})
    assert codes(reply) == ["ev_waits_surplus"] * 10 + ["use_surplus"] * 4


def test_surplus_that_may_not_be_fed_in_is_told_without_a_price() -> None:
    reply = plan(
        target=None,
        outlook={"pv_kwh": [0.0] * 4 + [5.0] * 4 + [0.0] * 6},
        pv=[{"peak_kw": 8}],
        grid={"export_limit_kw": 0},
    )
    assert car_reasons(reply)[5].text == wording("device_reasons", "reason_use_surplus_3")


def test_a_car_stays_below_the_peak_of_the_month() -> None:
    # Two hours of five kilowatts are dearer than one of ten, but keep the peak.
    reply = plan(
        tariff={
            "import": {"kind": "fixed", "price": 0.3},
            "peak": {"price_per_kw_month": 5.0, "interval_minutes": 60},
        }
    )
    waiting = [reason for reason in car_reasons(reply) if reason.code == "use_waits_peak"]
    assert max(slot.vehicles["car"].charge_kwh for slot in reply.slots) < 2
    assert all(
        reason.figures["cost"] == pytest.approx(5.0 * reason.figures["kw"]) for reason in waiting
    )


def test_a_heater_runs_when_it_is_cheapest_of_its_day_and_is_done_then() -> None:
    reply = plan(state={"loads": {"boiler": {"energy_today_kwh": 0}}}, vehicles=[], loads=[HEATER])
    told = [slot.loads["boiler"].reason for slot in reply.slots]
    # Until midnight the last two of seven hours are the cheapest.
    assert [reason.code for reason in told if reason][:7] == ["use_waits"] * 5 + [
        "use_cheapest"
    ] * 2
    assert {reason.code for reason in told if reason} <= {
        "use_waits",
        "use_cheapest",
        "use_ready",
    }


def test_a_heater_that_may_not_be_off_for_long_says_that_it_must_run() -> None:
    heater = HEATER | {"max_gap_hours": 3}
    reply = plan(
        state={"loads": {"boiler": {"energy_today_kwh": 0, "off_hours": 2}}},
        vehicles=[],
        loads=[heater],
    )
    assert reply.slots[0].loads["boiler"].reason is not None
    said = reply.slots[0].loads["boiler"].reason.text.replace("\u00a0", " ")
    assert said == wording("device_load", "reason_load_gap_1", hours="3 h")


def test_a_programme_waits_for_its_hours_and_runs_as_a_whole() -> None:
    washer = {"name": "washer", "power_kw": 2, "profile_kw": [2.0, 1.0], "profile_minutes": 60}
    by = (START + 12 * timedelta(hours=1)).isoformat()
    reply = plan(state={"loads": {"washer": {"runs": [{"by": by}]}}}, vehicles=[], loads=[washer])
    told = [slot.loads["washer"].reason for slot in reply.slots]
    # Begun at 18 ct before the hour at 17, or at 17 before the one at 19, it costs 53 ct: the
    # sooner one is taken.
    assert [reason.code if reason else None for reason in told] == ["use_waits"] * 7 + [
        "load_programme"
    ] * 2 + ["use_ready"] * 3 + [None] * 2
    assert told[7] is not None
    said = told[7].text.replace("\u00a0", " ")
    assert said == wording("device_load", "reason_load_programme_1", price="18 ct", time="05:00")


def test_a_run_that_comes_before_one_with_an_earlier_deadline_says_its_own() -> None:
    washer = {"name": "washer", "power_kw": 2, "profile_kw": [2.0, 1.0], "profile_minutes": 60}
    late = {
        "from": (START + 3 * timedelta(hours=1)).isoformat(),
        "by": (START + 6 * timedelta(hours=1)).isoformat(),
    }
    runs = [late, {"by": (START + 12 * timedelta(hours=1)).isoformat()}]
    prices = {"import_price": [0.1, 0.1] + [0.4] * 12}
    reply = plan(
        state={"loads": {"washer": {"runs": runs}}}, vehicles=[], loads=[washer], outlook=prices
    )
    told = [slot.loads["washer"].reason for slot in reply.slots]
    until = [
        str(reason.figures["time"]) for reason in told if reason and reason.code == "load_programme"
    ]
    assert until == [runs[1]["by"]] * 2 + [runs[0]["by"]] * 2


def test_an_appliance_that_may_not_run_now_says_so() -> None:
    heater = HEATER | {"forbidden": [{"from": "17:00", "to": "20:00"}]}
    reply = plan(state={"loads": {"boiler": {"energy_today_kwh": 0}}}, vehicles=[], loads=[heater])
    told = [slot.loads["boiler"].reason for slot in reply.slots]
    assert [reason.code for reason in told if reason][:4] == ["load_not_now"] * 3 + ["use_waits"]


def test_a_battery_keeps_the_peak_and_says_its_worth_by_the_components_of_the_hour() -> None:
    battery = {"capacity_kwh": 4, "charge_limit_kw": 4, "discharge_limit_kw": 4}
    early = {
        "name": "early",
        "price_per_kw_month": 3.0,
        "interval_minutes": 60,
        "from": "17:00",
        "to": "19:00",
    }
    tariff = {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": [{"price_per_kw_month": 5.0, "interval_minutes": 60}, early],
    }
    load = [0.5] * 4 + [3.0] * 2 + [0.5] * 8
    flat = {"load_kwh": load, "import_price": [0.3] * HOURS, "export_price": [0.05] * HOURS}
    reply = plan(
        state={"batteries": {"battery": {"soc": 0.5}}},
        vehicles=[],
        batteries=[battery],
        tariff=tariff,
        outlook=flat,
    )
    kept = [slot.reason for slot in reply.slots[4:6]]
    assert [reason.code for reason in kept] == ["peak"] * 2
    assert kept[0].figures["cost"] == 5.0
    assert wording("battery_reasons", "limit_peak") in kept[0].binding


def test_every_slot_tells_its_rank_on_its_day_and_when_energy_is_next_used() -> None:
    battery = {"capacity_kwh": 4, "charge_limit_kw": 4, "discharge_limit_kw": 4}
    reply = plan(state={"batteries": {"battery": {"soc": 0.0}}}, vehicles=[], batteries=[battery])
    first = reply.slots[0].reason
    # Of the seven hours until midnight four are cheaper than 40 ct.
    assert (first.price_rank, first.price_count) == (5, 7)
    bought = next(slot for slot in reply.slots if slot.reason.code == "charge_from_grid")
    assert bought.reason.used_at == next(
        slot.start
        for slot in reply.slots
        if slot.batteries["battery"].discharge_kwh > 0 and slot.start > bought.start
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_everything_that_is_scheduled_has_a_sentence(language: str) -> None:
    series = {"pv_kwh": [0.0] * 9 + [3.0] * 5, "import_price": PRICES}
    state = {
        "vehicles": {
            "car": {"soc": 0.4, "sessions": [charging_session(0, 9, start=START, target_soc=0.9)]}
        }
    }
    reply = answer(
        make_request(
            {"vehicles": [CAR], "loads": [HEATER]},
            series,
            start=START,
            state=state,
            options={"language": language},
        )
    )
    texts = [reason.text for reason in car_reasons(reply)] + [
        slot.loads["boiler"].reason.text for slot in reply.slots if slot.loads["boiler"].reason
    ]
    assert len(texts) == 9 + HOURS
    assert all(text.endswith(".") and "{" not in text and "nan" not in text for text in texts)


def test_what_is_scheduled_is_kept_without_words_and_read_with_them() -> None:
    pump = {
        "name": "pump",
        "power_kw": 2,
        "store": {"capacity_kwh_per_k": 2, "min_c": 20, "max_c": 24},
    }
    series = {"import_price": PRICES, "outdoor_temperature_c": [0.0] * HOURS}
    state = {
        "vehicles": {
            "car": {"soc": 0.4, "sessions": [charging_session(2, 9, start=START, target_soc=0.6)]}
        }
    }
    request = make_request(
        {"vehicles": [CAR], "loads": [HEATER], "heat_pumps": [pump]},
        series,
        start=START,
        state=state,
    )
    made = plan_columns(request, now=START, solver=Solver())
    read = made.read()
    assert "'text'" not in str([made.slots[kind] for kind in ("vehicles", "loads", "heat_pumps")])
    assert (
        PlanReply.model_validate(
            dict(made.head) | {"slots": list_slots(parse_columns(made.write()))}
        )
        == read
    )
    # What is not validated on the way is as its models declare it, in the order in which they do.
    assert PlanReply.model_validate_json(made.answer(), strict=True) == read
    assert made.answer() == read.model_dump_json(by_alias=True)
    assert {slot.loads["boiler"].reason is None for slot in read.slots} == {False}
    assert [slot.vehicles["car"].reason is None for slot in read.slots] == [True] * 2 + [
        False
    ] * 7 + [True] * 5


def test_figures_are_rounded_by_their_digits() -> None:
    # Spot prices of two decimals per MWh with VAT have seven decimals per kWh.
    prices = np.arange(5_000) / 1e5 * 1.21
    rounded = round_each(np.append(prices, [np.nan, np.inf, -1e-9])).tolist()
    assert rounded == [*(round(price, 6) for price in prices.tolist()), None, None, 0.0]
    assert str(rounded[-1]) == "0.0"
    assert rounded[:-3] != np.round(prices, 6).tolist()
