"""Every tool over a site's data: numbers in its text are its figures, figures are what is stored,
and what is not there is said.
"""

import re
from datetime import UTC, date, datetime, timedelta
from math import fsum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint, ControlState, Decision
from luna.contracts.site_tools import ToolCallRequest, ToolResult
from luna.energy.account import EnergyAccount
from luna.energy.errors import InvalidInputError, LunaError, NotFoundError
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to, local_days, parse_zone
from luna.house.account import read_account
from luna.platform.database import control, forecasts, observations, plans, prices, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.words.house import HOUSE
from luna.words.language import Language
from services.rag.tools.registry import TOOLS, call_tool, list_tools
from tests.support.database.site import plan_stored
from tests.support.pages.random_home import FIRST, LAST, MARKET, NOW, PARTS, TODAY, furnish_told
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

DAY = timedelta(days=1)
# A month of which the random home has no values.
MONTH = local_days(date(2023, 4, 1), date(2023, 4, 30), parse_zone("Europe/Berlin"))
YESTERDAY = str(TODAY - DAY)


def call(connection: Connection, tool: str, language: str = "en", **arguments: Any) -> ToolResult:
    request = ToolCallRequest.model_validate(
        {"tool": tool, "arguments": arguments, "site_id": "home", "language": language}
    )
    return call_tool(connection, request, now=NOW)


def numbers_beside_figures(result: ToolResult) -> str:
    """Return the digits of the text that no figure accounts for."""
    rest = result.text
    for written in sorted({figure.text for figure in result.figures}, key=len, reverse=True):
        rest = rest.replace(written, "")
    return re.sub(r"\D", "", rest)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("price_course", {}),
    ("price_course", {"first_day": "2024-03-31", "price": "spot"}),
    ("price_course", {"first_day": YESTERDAY, "price": "export"}),
    ("price_course", {"first_day": "2024-03-28", "last_day": "2024-04-03", "price": "spot"}),
    ("price_course", {"first_day": YESTERDAY, "from_clock": "14:00", "to_clock": "18:30"}),
    ("price_course", {"first_day": "2019-01-01"}),
    ("price_reasons", {}),
    ("price_reasons", {"at": "2024-04-02 18:00"}),
    ("price_reasons", {"at": "2024-03-31T01:30:00+00:00", "side": "export"}),
    ("price_reasons", {"at": "2029-01-01"}),
    ("price_reasons", {"at": "2019-01-01 12:00"}),
    ("energy_query", {}),
    ("energy_query", {"first_day": "2024-03-31", "cost": True}),
    (
        "energy_query",
        {"first_day": "2024-03-28", "last_day": "2024-04-01", "series": ["pv", "export"]},
    ),
    ("energy_query", {"first_day": "2022-01-01", "last_day": "2022-12-31"}),
    ("forecast", {}),
    ("forecast", {"first_day": "2024-04-03", "series": ["pv"]}),
    ("forecast", {"first_day": "2031-04-03"}),
    ("forecast", {"first_day": YESTERDAY}),
    ("plan", {}),
    ("plan", {"first_day": "2024-04-03", "from_clock": "00:00", "to_clock": "06:00"}),
    ("plan", {"first_day": "2025-04-03"}),
    ("plan_reasons", {}),
    ("plan_reasons", {"at": "2024-04-02 19:00"}),
    ("plan_reasons", {"at": "2024-04-03T02:00:00+02:00"}),
    ("plan_reasons", {"at": "2029-01-01"}),
    ("energy_query", {"first_day": YESTERDAY, "other_first_day": "2024-03-30"}),
    ("energy_query", {"first_day": str(TODAY), "other_first_day": YESTERDAY}),
    (
        "energy_query",
        {
            "first_day": "2024-03-30",
            "last_day": "2024-03-31",
            "other_first_day": "2024-03-28",
            "other_last_day": "2024-03-29",
        },
    ),
    ("energy_query", {"first_day": "2018-03-30", "other_first_day": "2024-03-28"}),
    ("energy_query", {"first_day": YESTERDAY, "form": "mean", "cost": True}),
    ("energy_query", {"first_day": "2024-03-31", "form": "course"}),
    ("energy_query", {"first_day": YESTERDAY, "form": "highest", "series": ["pv"]}),
    ("energy_query", {"first_day": "2024-03-28", "last_day": "2024-04-02", "form": "days"}),
    ("energy_query", {"first_day": YESTERDAY, "form": "share", "series": ["pv"]}),
    ("energy_query", {"first_day": YESTERDAY, "form": "reasons", "premise": "dear"}),
    ("energy_query", {"first_day": str(TODAY), "versus": "plan"}),
    ("energy_query", {"first_day": YESTERDAY, "versus": "forecast", "series": ["pv"]}),
    ("savings", {}),
    ("savings", {"first_day": "2024-03-28", "last_day": "2024-03-30"}),
    ("savings", {"first_day": "2020-03-28"}),
    ("what_would_it_cost", {"battery_capacity_kwh": 15}),
    (
        "bill_on_tariff",
        {"first_day": YESTERDAY, "energy_price": 0.319, "base_price": 12.6},
    ),
    (
        "bill_on_tariff",
        {
            "first_day": "2024-03-28",
            "last_day": "2024-04-01",
            "energy_price": 0.339,
            "base_price": 0.4,
            "base_per": "day",
            "night_price": 0.184,
            "night_from": "22:00",
            "night_to": "06:00",
        },
    ),
    (
        "bill_on_tariff",
        {"first_day": YESTERDAY, "energy_price": 0.3, "base_price": 9, "currency": "CHF"},
    ),
    ("site_description", {}),
    ("vehicle_sessions", {}),
    ("best_time", {}),
    ("best_time", {"hours": 12}),
    ("house_now", {}),
    ("battery_since", {}),
]


LANGUAGES = ("en", "de")
# In a short run homes and languages take turns.
SPOKEN = (
    [(seed, language) for seed in range(6) for language in LANGUAGES]
    if LONG
    else [(seed, LANGUAGES[seed % 2]) for seed in range(2)]
)


@pytest.mark.parametrize(("seed", "language"), SPOKEN)
def test_every_number_in_a_text_is_one_of_its_figures(
    connection: Connection, seed: int, language: str
) -> None:
    furnish_told(connection, seed=seed)
    for tool, arguments in CALLS:
        result = call(connection, tool, language, **arguments)
        assert numbers_beside_figures(result) == "", (tool, arguments, result.text)
        assert result.text.endswith("."), result.text
        assert "nan" not in result.text.casefold().split()


def test_every_tool_is_called_by_these_tests() -> None:
    assert {tool for tool, _ in CALLS} == set(TOOLS) == {tool.name for tool in list_tools().tools}


def test_charts_have_at_most_400_points_and_a_value_or_null_for_each(
    connection: Connection,
) -> None:
    furnish_told(connection)
    periods = [
        {"first_day": "2024-03-31"},
        {"first_day": "2024-03-28", "last_day": "2024-04-03"},
        {"first_day": "2023-05-01", "last_day": "2024-04-29"},
    ]
    for period in periods:
        for tool in ("price_course", "energy_query"):
            chart = call(connection, tool, **period).chart
            assert chart is not None
            assert 0 < len(chart.starts) <= 400
            assert all(len(series.values) == len(chart.starts) for series in chart.series)


def test_the_day_that_has_23_hours_is_told_with_its_92_quarter_hours(
    connection: Connection,
) -> None:
    furnish_told(connection)
    chart = call(connection, "price_course", first_day="2024-03-31").chart
    assert chart is not None
    assert (len(chart.starts), chart.starts[0]) == (92, "2024-03-30T23:00:00Z")


def test_the_plan_told_is_the_plan_that_is_stored(connection: Connection) -> None:
    furnish_told(connection)
    stored = plans.read_due(connection, "home", NOW)
    assert stored is not None
    figures = {figure.name: figure.value for figure in call(connection, "plan").figures}
    assert figures["plan_cost"] == stored.cost.total
    ahead = [slot for slot in stored.slots if slot.start + timedelta(minutes=15) > NOW]
    assert figures["charge_kwh"] == sum(slot.batteries["battery 2"].charge_kwh for slot in ahead)
    assert figures["soc_end_1"] == ahead[-1].batteries["battery 2"].soc_end
    # Prices are published to the end of 3 April.
    assert figures["prices_until"] == "2024-04-04T00:00:00+02:00"
    until = wording("price_versions", "market_until", t="Thu 4 Apr, 00:00")
    assert until in call(connection, "plan").text.replace("\u00a0", " ")


@pytest.mark.parametrize("language", ["en", "de"])
def test_when_a_car_charges_and_what_it_costs_is_one_sentence_wherever_it_is_asked(
    connection: Connection, language: str
) -> None:
    furnish_told(connection)
    session = {
        "from": NOW + timedelta(hours=6),
        "to": NOW + timedelta(hours=20),
        "arrival_soc": 0.3,
        "target_soc": 0.85,
    }
    state = {
        "batteries": {"battery 2": {"soc": 0.5}},
        "vehicles": {"car 3": {"soc": 0.3, "sessions": [session]}},
    }
    plan_stored(connection, "home", NOW.replace(minute=0), now=NOW, state=state)
    sessions = call(connection, "vehicle_sessions", language)
    house = call(connection, "house_now", language)
    figures = {figure.name: figure.text for figure in sessions.figures}
    told = {
        name: figures[f"charge_{name}_1"]
        for name in ("device", "kwh", "begin", "end", "cost", "basis")
    }
    sentence = HOUSE.say("house_use", "en" if language == "en" else "de", **told)
    assert sentence in sessions.text
    assert sentence in house.text


@pytest.mark.parametrize(
    ("one", "other", "until"),
    [(str(TODAY), YESTERDAY, "until"), (YESTERDAY, str(TODAY), "other_until")],
)
def test_a_day_that_is_not_over_is_compared_up_to_now_and_that_is_said(
    connection: Connection, one: str, other: str, until: str
) -> None:
    site = parse_site({"name": "home"} | PARTS)
    sites.save(connection, site)
    days = local_days(TODAY - DAY, TODAY, parse_zone(site.timezone))
    past = days.window(0, days.index_of(NOW))
    observations.write(connection, "home", past.starts, {"load_kwh": np.full(past.count, 0.1)})
    result = call(connection, "energy_query", first_day=one, other_first_day=other)
    # 10:07 UTC is 12:07 in Berlin's summer: its last whole quarter-hour ended at noon.
    assert [
        (figure.name, figure.value) for figure in result.figures if figure.name.endswith("until")
    ] == [(until, "2024-04-02T12:00:00+02:00")]
    so_far = wording("answers", "so_far", until="Tue 2 Apr, 12:00")
    assert result.text.replace("\u00a0", " ").count(so_far) == 1


def test_what_reaches_further_ahead_than_is_known_names_where_that_ends(
    connection: Connection,
) -> None:
    furnish_told(connection)
    ahead = {"first_day": "2024-04-03", "last_day": "2024-04-16"}
    # Prices are published to the end of 3 April, the forecast reaches forty hours, the plan as far.
    figures_of_course = {
        "period": wording("answers", "one_day", first="3 Apr 2024"),
        "what": wording("answers", "price_import"),
    }
    course = call(connection, "price_course", **ahead).text.replace("\u00a0", " ")
    assert wording_pattern("answers", "price_mean_ahead", **figures_of_course).match(course)
    figures = {
        figure.name: figure.value for figure in call(connection, "forecast", **ahead).figures
    }
    assert (figures["from"], figures["to"]) == ("2024-04-03T00:00:00+02:00", figures["known_until"])
    stored = plans.read_due(connection, "home", NOW)
    assert stored is not None
    figures = {figure.name: figure.value for figure in call(connection, "plan", **ahead).figures}
    assert (figures["window_from"], figures["window_to"]) == (
        "2024-04-03T00:00:00+02:00",
        figures["plan_end"],
    )


def test_the_reason_told_is_that_of_the_slot_that_covers_the_instant(
    connection: Connection,
) -> None:
    furnish_told(connection)
    stored = plans.read_due(connection, "home", NOW)
    assert stored is not None
    # 19:07 in Berlin's summer is 17:07 UTC, in the slot of 17:00.
    slot = next(each for each in stored.slots if each.start == datetime(2024, 4, 2, 17, tzinfo=UTC))
    figures = {
        figure.name: figure.value
        for figure in call(connection, "plan_reasons", at="2024-04-02 19:07").figures
    }
    assert figures["import_price"] == slot.import_price
    assert figures.get("energy_value") == slot.reason.energy_value
    assert figures.get("cost_of_opposite") == slot.reason.cost_of_opposite


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_a_price_is_told_with_its_main_part_and_all_others(
    connection: Connection, language: str
) -> None:
    site = furnish_told(connection)
    result = call(connection, "price_reasons", language, at="2024-04-02 18:07")
    timeline = Timeline(datetime(2024, 4, 2, 16, tzinfo=UTC), SLOT, 1)
    spot = prices.read(connection, MARKET, timeline).item()
    figures = {figure.name: figure.value for figure in result.figures}
    assert (result.found, figures["at"]) == (True, "2024-04-02T18:00:00+02:00")
    # The home's markup is 12 cents, its tax 19 %.
    assert figures["price"] == pytest.approx((spot + 0.12) * 1.19)
    assert figures["component_1_price"] == pytest.approx(spot * 1.19)
    assert figures["component_2_price"] == pytest.approx(0.12 * 1.19)
    assert figures["main_name"] == "spot"
    assert numbers_beside_figures(result) == ""
    answer, *details = result.text.splitlines()
    assert (answer.count(". "), len(details)) == (1, 4)
    assert f"/v1/sites/{site.name}/prices?from=2024-04-01T22:00:00Z" in result.sources[0].path


def test_a_price_to_come_names_the_end_of_the_known_ones(connection: Connection) -> None:
    furnish_told(connection)
    ahead = call(connection, "price_reasons", at="2024-04-05 18:00")
    figures = {figure.name: figure.value for figure in ahead.figures}
    # The market's last day ends at midnight.
    assert (ahead.found, figures["known_until"]) == (False, "2024-04-04T00:00:00+02:00")
    # Of a gap in the past, the end of the known prices says nothing.
    past = call(connection, "price_reasons", at="2019-04-05 18:00")
    assert (past.found, [figure.name for figure in past.figures]) == (False, ["day", "at"])


def test_the_cost_of_a_day_is_its_energies_at_the_tariff_s_prices(connection: Connection) -> None:
    site = parse_site(
        {"name": "home"}
        | PARTS
        | {
            "tariff": {
                "import": {"kind": "fixed", "price": 0.3},
                "export": {"kind": "fixed", "price": 0.1},
            }
        }
    )
    furnish_told(connection)
    sites.save(connection, site)
    from luna.energy.timeline import local_day, parse_zone
    from luna.platform.database import observations

    seen = observations.read_series(
        connection,
        "home",
        local_day(date(2024, 3, 31), parse_zone("Europe/Berlin")),
        ("import_kwh", "export_kwh"),
    )
    both = np.isfinite(seen["import_kwh"]) & np.isfinite(seen["export_kwh"])
    figures = {
        figure.name: figure.value
        for figure in call(connection, "energy_query", first_day="2024-03-31", cost=True).figures
    }
    assert figures["import_cost"] == pytest.approx(0.3 * seen["import_kwh"][both].sum())
    assert figures["export_earning"] == pytest.approx(0.1 * seen["export_kwh"][both].sum())


def test_each_form_tells_what_is_stored(connection: Connection) -> None:
    sites.save(connection, parse_site({"name": "home"} | PARTS | {"tariff": {"import": FIXED}}))
    days = local_days(TODAY - 29 * DAY, TODAY - DAY, parse_zone("Europe/Berlin"))
    # Half a kilowatt, twice as much on the last day, with a peak of 8 kW at 18:00 and 16 of 24 kWh
    # from the sun; one hour is lost on 31 March.
    last = np.arange(days.count) >= days.count - 96
    load = np.where(last, 0.25, 0.125)
    load[days.count - 96 + 72] = 2.0
    sun = np.where(last, 16 / 96, 0.0)
    observations.write(
        connection,
        "home",
        days.starts,
        {
            "load_kwh": load,
            "pv_kwh": sun,
            "import_kwh": load - sun,
            "export_kwh": np.zeros(load.size),
        },
    )
    expect = Timeline(days.end - DAY, SLOT, 96)
    forecasts.upsert(
        connection,
        "home",
        [
            Forecast(
                expect,
                expect.start,
                DEFAULT_VERSION,
                Quantiles.exact(np.full(96, 0.2)),
                Quantiles.exact(np.zeros(96)),
            )
        ],
    )

    def ask(**arguments: Any) -> dict[str, Any]:
        result = call(connection, "energy_query", **{"first_day": YESTERDAY} | arguments)
        lead = result.text.split("\n")[0]
        return {figure.name: figure.value for figure in result.figures if figure.text in lead}

    # 95 quarter-hours of 0.25 kWh and one of 2 kWh.
    used = 95 * 0.25 + 2
    week = {"first_day": str(TODAY - 7 * DAY), "last_day": YESTERDAY, "series": ["load"]}
    # Six days before it of 12 kWh each; that of the lost hour has 11.5.
    assert ask(**week, form="mean")["daily_load"] == pytest.approx((used + 71.5) / 7)
    highest = ask(**week, form="highest")
    assert (highest["highest_kw"], highest["highest_at"]) == (8.0, "2024-04-01T18:00:00+02:00")
    assert ask(**week, form="course")["highest_at"] == highest["highest_at"]
    ranked = ask(**week, form="days", count=2)
    assert (ranked["day_1"], ranked["value_1"]) == (YESTERDAY, pytest.approx(used))
    assert ask(**week, form="days", least=True)["day_1"] == "2024-03-31"
    assert ask(form="share", series=["pv"])["own_use"] == 1.0
    assert ask(form="share")["self_sufficiency"] == pytest.approx(16 / used)
    assert ask(series=["load"], versus="forecast")["load_difference"] == pytest.approx(used - 19.2)
    reasons = ask(form="reasons", premise="cheap")
    # Bought: 9.75 kWh instead of 12, at the same 31 ct.
    assert reasons["net_cost"] == pytest.approx((used - 16) * 0.31)
    assert reasons["cause_bought"] == pytest.approx(reasons["cost_difference"])
    dear = call(connection, "energy_query", first_day=YESTERDAY, form="reasons", premise="dear")
    figures = {figure.name: figure.text for figure in dear.figures}
    denied = wording_pattern(
        "answers",
        "reasons_not_dear",
        cost=figures["net_cost"],
        difference=figures["cost_difference"],
        usual=figures["usual_cost"],
    )
    assert denied.search(dear.text)


def test_what_the_battery_does_not_do_is_corrected(connection: Connection) -> None:
    furnish_told(connection)
    end = floor_to(NOW, SLOT)
    lived = Timeline(end - 4 * SLOT, SLOT, 4)
    flows = {"charge_kwh": np.zeros(4), "discharge_kwh": np.full(4, 0.5)}
    observations.write(connection, "home", lived.starts, flows)
    denied = wording("answers", "not_charging")
    assert call(connection, "plan_reasons", premise="charges").text.startswith(denied)
    for arguments in ({"premise": "discharges"}, {}):
        assert denied not in call(connection, "plan_reasons", **arguments).text


def test_what_did_not_have_to_be_bought_counts_the_car(connection: Connection) -> None:
    furnish_told(connection)
    day = local_days(TODAY - DAY, TODAY - DAY, parse_zone("Europe/Berlin"))
    energies = {"load_kwh": 1.0, "vehicle_kwh": 2.0, "import_kwh": 2.49, "pv_kwh": 0.51}
    observations.write(
        connection,
        "home",
        day.starts,
        {name: np.full(day.count, kwh) for name, kwh in energies.items()},
    )
    result = call(connection, "energy_query", first_day=YESTERDAY)
    figures = {figure.name: figure.value for figure in result.figures}
    # 3 kWh are used in each slot, and 2.49 of them are bought.
    assert figures["self_sufficiency"] == pytest.approx(0.17)
    assert figures["consumption_kwh"] == pytest.approx(3.0 * day.count)
    assert figures["vehicle_kwh"] == pytest.approx(2.0 * day.count)


def test_what_was_never_recorded_as_sold_is_said_to_be_unknown(connection: Connection) -> None:
    sites.save(connection, parse_site({"name": "home"} | PARTS))
    day = local_days(TODAY - DAY, TODAY - DAY, parse_zone("Europe/Berlin"))
    observations.write(connection, "home", day.starts, {"pv_kwh": np.full(day.count, 0.5)})
    result = call(connection, "energy_query", first_day=YESTERDAY, series=["export"])
    assert not result.found
    assert not [figure for figure in result.figures if figure.unit == "kwh"]


def test_what_luna_did_is_told_apart_from_what_it_would_have_done(connection: Connection) -> None:
    furnish_told(connection)
    zone = parse_zone("Europe/Berlin")
    for slot in local_days(FIRST, FIRST, zone):
        told = {"battery 2": BatterySetpoint(mode="self_consumption")}
        decision = Decision(
            slot_start=slot,
            source="planner",
            decided_by="planner",
            reason="planned",
            requested=told,
            allowed=told,
        )
        control.record(connection, ControlState(site="home"), decision, {})
    result = call(connection, "savings", first_day=str(FIRST), last_day=str(FIRST + 2 * DAY))
    figures = {figure.name: figure.value for figure in result.figures}
    assert (figures["saved_days"], figures["would_save_days"]) == (1, 2)
    # What perfect foresight saves is the difference, not what its days cost.
    assert figures["would_save_possible"] == pytest.approx(
        figures["would_save"] / figures["would_save_share_of_possible"], rel=0.01
    )
    never = call(connection, "savings", first_day=str(FIRST + DAY), last_day=str(FIRST + 2 * DAY))
    assert "saved" not in {figure.name for figure in never.figures}


def test_a_block_tariff_counts_what_the_month_had_drawn_before(connection: Connection) -> None:
    furnish_told(connection)
    blocks = {"kind": "blocks", "blocks": [{"up_to_kwh": 0.001, "price": 0.1}, {"price": 0.5}]}
    sites.save(connection, parse_site({"name": "home"} | PARTS | {"tariff": {"import": blocks}}))
    figures = {
        figure.name: figure.value
        for figure in call(connection, "energy_query", first_day="2024-03-31", cost=True).figures
    }
    # The first block ended on the month's first drawn kWh, so all of the day is paid at 0.5; slots
    # without a known export are left out.
    paid = figures["import_cost"]
    assert isinstance(paid, float)
    share = figures.get("share_priced", 1.0)
    assert paid <= 0.5 * float(figures["import_kwh"]) + 1e-9
    assert paid >= 0.5 * float(figures["import_kwh"]) * float(share) * 0.8


def test_spot_prices_told_are_the_market_s(connection: Connection) -> None:
    furnish_told(connection)
    result = call(connection, "price_course", first_day="2024-03-31", price="spot")
    chart = result.chart
    assert chart is not None
    values = [value for value in chart.series[0].values if value is not None]
    figures = {figure.name: figure.value for figure in result.figures}
    assert figures["mean_spot_price"] == fsum(values) / len(values)
    assert (figures["lowest_price"], figures["highest_price"]) == (min(values), max(values))
    assert figures.get("negative_hours", 0.0) == sum(value < 0 for value in values) / 4
    assert MARKET in result.text


def test_a_site_without_data_is_told_honestly_that_there_is_none(connection: Connection) -> None:
    spot = {"import": {"kind": "spot", "market": "DE-LU"}}
    bare = {"name": "home", "timezone": "Europe/Berlin", "tariff": spot}
    sites.save(connection, parse_site(bare))
    # What a kWh earns is fixed by the tariff; a site is described without data, and what-ifs need
    # a planner.
    others = ("site_description", "what_would_it_cost")
    for tool, arguments in CALLS:
        if tool in others:
            continue
        result = call(connection, tool, **arguments)
        earns = "export" in (arguments.get("price"), arguments.get("side"))
        assert (tool, arguments, result.found) == (tool, arguments, earns)
        assert result.text
        assert numbers_beside_figures(result) == ""


def test_without_a_planner_a_what_if_is_not_known(connection: Connection) -> None:
    furnish_told(connection)
    result = call(connection, "what_would_it_cost", battery_capacity_kwh=15)
    assert (result.found, result.text) == (False, wording("answers", "no_planner"))


def test_sites_of_others_are_not_there(connection: Connection) -> None:
    furnish_told(connection)
    request = ToolCallRequest(tool="plan", site_id="home", sites=("elsewhere",))
    with pytest.raises(NotFoundError, match="no such site"):
        call_tool(connection, request, now=NOW)


def test_unknown_tools_are_refused_with_those_there_are(connection: Connection) -> None:
    furnish_told(connection)
    with pytest.raises(NotFoundError, match="price_course"):
        call(connection, "drop_table")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("price_course", {"first_day": "yesterday"}),
        ("price_course", {"first_day": "2024-04-02", "last_day": "2024-04-01"}),
        ("price_course", {"first_day": "2022-01-01", "last_day": "2024-04-01"}),
        ("price_course", {"last_day": "2024-04-01"}),
        ("price_course", {"first_day": "1950-01-01"}),
        ("price_course", {"price": "gold"}),
        ("price_course", {"first_day": "2024-03-31", "from_clock": "02:00", "to_clock": "03:00"}),
        ("price_course", {"from_clock": "18:00", "to_clock": "08:00"}),
        ("price_course", {"sql": "DROP TABLE sites"}),
        ("energy_query", {"series": ["soul"]}),
        ("energy_query", {"first_day": {"$gt": ""}}),
        ("plan_reasons", {"at": "2024-03-31 02:30"}),
        ("price_reasons", {"at": "2024-03-31 02:30"}),
        ("price_reasons", {"side": "both"}),
        ("plan_reasons", {"at": 10**400}),
        ("what_would_it_cost", {}),
        ("what_would_it_cost", {"battery_capacity_kwh": -1}),
        ("what_would_it_cost", {"site": {"tariff": None}}),
        ("energy_query", {"other_last_day": "2024-03-31"}),
        ("energy_query", {"other_first_day": "2024-03-31", "versus": "plan"}),
    ],
)
def test_bad_arguments_are_refused_by_name(
    connection: Connection, tool: str, arguments: dict[str, Any]
) -> None:
    sites.save(connection, parse_site({"name": "home"} | PARTS))
    with pytest.raises(InvalidInputError) as refused:
        call(connection, tool, **arguments)
    assert refused.value.field


def test_random_arguments_are_answered_or_refused_and_never_fail(connection: Connection) -> None:
    furnish_told(connection)
    rng = np.random.default_rng(3)
    strange = [
        "",
        "x",
        "2024-04-01",
        "2024-02-30",
        "9999-12-31",
        "0001-01-01",
        "24:00",
        "12:15",
        -1,
        0,
        3.5,
        10**30,
        None,
        True,
        [],
        {},
        ["pv"],
        "\x00",
        "';--",
    ]
    for _ in range(600 if LONG else 60):
        tool = TOOLS[str(rng.choice([*TOOLS]))]
        arguments = {
            name: strange[int(rng.integers(len(strange)))]
            for name in tool.arguments.model_fields
            if rng.random() < 0.4
        }
        outcome = attempt(connection, tool.name, arguments)
        assert outcome is None or numbers_beside_figures(outcome) == "", (tool.name, arguments)


def attempt(connection: Connection, tool: str, arguments: dict[str, Any]) -> ToolResult | None:
    try:
        return call(connection, tool, **arguments)
    except LunaError:
        return None


def test_days_of_the_furnished_home_are_those_of_the_tests() -> None:
    assert FIRST < TODAY < LAST


# A quarter of an hour beside the others, half an hour of summer, a day that was left out.
ZONES = ["Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC"]


@pytest.mark.parametrize(
    "zone",
    [ZONES[0], *(pytest.param(zone, marks=pytest.mark.long) for zone in ZONES[1:])],
)
def test_days_of_any_clock_are_told_or_refused(connection: Connection, zone: str) -> None:
    furnish_told(connection)
    sites.save(connection, parse_site({"name": "home"} | PARTS | {"timezone": zone}))
    for tool, arguments in CALLS:
        result = attempt(connection, tool, arguments)
        assert result is not None or "at" in arguments or "from_clock" in arguments, (
            tool,
            arguments,
        )
        assert result is None or numbers_beside_figures(result) == ""
    # The day that Samoa went without.
    skipped = attempt(connection, "energy_query", {"first_day": "2011-12-30"})
    assert (skipped is None) is (zone == "Pacific/Apia")


@pytest.mark.parametrize("language", ["en", "de"])
def test_since_when_the_battery_charges_is_what_was_measured_and_not_what_is_planned(
    connection: Connection, language: Language
) -> None:
    furnish_told(connection)
    end = floor_to(NOW, SLOT)
    lived = Timeline(end - 12 * SLOT, SLOT, 12)
    # It rested, then charged for five quarter-hours; the heat of a converter counts as rest.
    charged = np.array([0.02] * 7 + [0.5] * 5)
    observations.write(
        connection, "home", lived.starts, {"charge_kwh": charged, "discharge_kwh": np.zeros(12)}
    )
    result = call(connection, "battery_since", language)
    figures = {figure.name: figure.value for figure in result.figures}
    charging = wording("answers", "battery_charges", language)
    assert wording_pattern("answers", "battery_since", language, doing=charging).search(result.text)
    assert datetime.fromisoformat(str(figures["since"])) == end - 5 * SLOT


def test_of_a_battery_of_which_nothing_was_measured_since_when_luna_told_it_so_is_said(
    connection: Connection,
) -> None:
    furnish_told(connection)
    later = NOW + timedelta(days=2)
    request = ToolCallRequest.model_validate(
        {"tool": "battery_since", "arguments": {}, "site_id": "home"}
    )
    assert not call_tool(connection, request, now=later).found
    state = control.load(connection, "home")
    told = {"battery 2": BatterySetpoint(mode="charge", power_kw=2.0)}
    for number in range(3):
        start = floor_to(later, SLOT) + (number - 2) * SLOT
        decided = Decision(
            slot_start=start,
            source="planner",
            decided_by="planner",
            reason="planned",
            requested=told,
            allowed=told,
        )
        control.record(connection, state, decided, None)
    result = call_tool(connection, request, now=later)
    assert {figure.name: figure.value for figure in result.figures}["since"] == (
        floor_to(later, SLOT) - 2 * SLOT
    ).astimezone(ZoneInfo("Europe/Berlin")).isoformat()


FIXED = {"kind": "fixed", "price": 0.31}
BANDS = {
    "kind": "time_of_use",
    "default": 0.30,
    "bands": [{"from": "00:00", "to": "05:00", "price": 0.15}],
}
MARKET_PRICE = {"kind": "spot", "market": MARKET}


@pytest.fixture
def furnished(connection: Connection) -> Connection:
    """A database with the home, its past, its forecast and its plan."""
    furnish_told(connection)
    return connection


@each_row(
    "import_rule, arguments, found, figures",
    [
        (FIXED, {"first_day": "2027-09-01"}, True, {"import_price": 0.31}),
        (FIXED, {"after_contract": True}, False, {"import_price": 0.31}),
        (FIXED, {"first_day": "2027-09-01", "price": "export"}, True, {"export_price": 0.08}),
        (FIXED, {"first_day": "2027-09-01", "price": "grid"}, False, {}),
        (
            BANDS,
            {"first_day": "2027-01-01", "last_day": "2027-12-31"},
            True,
            {"import_price": 0.15, "highest_import_price": 0.30},
        ),
        (MARKET_PRICE, {"first_day": "2027-09-01"}, False, {"market": MARKET}),
        (MARKET_PRICE, {"first_day": "2027-09-01", "price": "spot"}, False, {"market": MARKET}),
        (MARKET_PRICE, {"first_day": str(TODAY + 5 * DAY)}, False, {"market": MARKET}),
        ({"kind": "series"}, {"first_day": "2027-09-01"}, False, {}),
    ],
)
def test_a_price_to_come_is_the_tariff_s_or_unknown_and_never_what_was_paid(
    furnished: Connection,
    import_rule: dict[str, Any],
    arguments: dict[str, Any],
    found: bool,
    figures: dict[str, Any],
) -> None:
    tariff = {"import": import_rule, "export": {"kind": "fixed", "price": 0.08}}
    sites.save(furnished, parse_site({"name": "home"} | PARTS | {"tariff": tariff}))
    for language in ("en", "de", "nl"):
        result = call(furnished, "price_course", language, **arguments)
        told = {figure.name: figure.value for figure in result.figures}
        days = {"first_day", "last_day", "known_until"}
        assert (result.found, {name: told[name] for name in told.keys() - days}) == (found, figures)
        assert numbers_beside_figures(result) == ""


def test_what_is_known_of_a_market_ends_where_it_has_published(connection: Connection) -> None:
    furnish_told(connection)
    tariff = {"import": MARKET_PRICE, "export": {"kind": "fixed", "price": 0.08}}
    sites.save(connection, parse_site({"name": "home"} | PARTS | {"tariff": tariff}))
    result = call(connection, "price_course", first_day="2027-09-01")
    told = {figure.name: figure.value for figure in result.figures}
    # Prices are published to the end of 3 April.
    assert told["known_until"] == "2024-04-04T00:00:00+02:00"


def test_a_price_known_ahead_is_told_without_what_was_paid_before(connection: Connection) -> None:
    furnish_told(connection)
    result = call(connection, "price_course", first_day=str(TODAY + DAY))
    names = {figure.name for figure in result.figures}
    assert "mean_import_price" in names
    assert "mean_price_before" not in names


def bill_month(
    connection: Connection, *, gaps: slice, unpriced: slice, language: Language = "en"
) -> tuple[ToolResult, EnergyAccount]:
    """Return a month's bill on a sheet and its account, where values and prices have gaps."""
    furnish_told(connection)
    base = [{"name": "base", "price": 9.0, "per": "month"}]
    site = parse_site({"name": "home"} | PARTS | {"tariff": PARTS["tariff"] | {"base": base}})
    sites.save(connection, site)
    bought = np.full(MONTH.count, 0.5)
    bought[gaps] = np.nan
    observations.write(
        connection, "home", MONTH.starts, {"import_kwh": bought, "export_kwh": bought * 0.2}
    )
    price = np.full(MONTH.count, 0.1)
    price[unpriced] = np.nan
    is_priced = np.isfinite(price)
    prices.upsert(
        connection,
        MARKET,
        starts=MONTH.starts[is_priced],
        price=price[is_priced],
        currency="EUR",
        published_at=datetime(2023, 1, 1, tzinfo=UTC),
    )
    result = call(
        connection,
        "bill_on_tariff",
        language,
        first_day="2023-04-01",
        last_day="2023-04-30",
        energy_price=0.3,
        base_price=12.0,
    )
    account = read_account(connection, site, MONTH, now=NOW)
    assert account is not None
    return result, account


NO_GAP = slice(0, 0)
# From the 3rd, 6:00, to the 5th, 18:00.
GAP = slice(2 * 96 + 24, 4 * 96 + 72)


@each_row("language", ["en", "de", "nl"])
def test_a_bill_on_a_sheet_names_the_days_that_are_not_complete(
    connection: Connection, language: Language
) -> None:
    result, account = bill_month(connection, gaps=GAP, unpriced=NO_GAP, language=language)
    figures = {figure.name: figure.value for figure in result.figures}
    assert (figures["complete_days"], figures["days"]) == (27, 30)
    assert (figures["span_1_first"], figures["span_1_last"]) == ("2023-04-03", "2023-04-05")
    counted = MONTH.count - (GAP.stop - GAP.start)
    on_sheet = counted * (0.5 * 0.3 - 0.5 * 0.2 * 0.08) + 12
    assert figures["cost_on_sheet"] == pytest.approx(on_sheet)
    assert account.cost is not None
    assert figures["cost_difference"] == pytest.approx(abs(on_sheet - account.cost))
    assert wording("answers", "sheet_recorded", language) in result.text
    assert numbers_beside_figures(result) == ""


def test_a_bill_on_a_sheet_compares_only_what_both_tariffs_price(connection: Connection) -> None:
    result, account = bill_month(connection, gaps=NO_GAP, unpriced=slice(96, 192))
    figures = {figure.name: figure.value for figure in result.figures}
    on_sheet = (MONTH.count - 96) * (0.5 * 0.3 - 0.5 * 0.2 * 0.08) + 12
    assert figures["cost_on_sheet"] == pytest.approx(on_sheet)
    assert account.cost is not None
    assert figures["cost_difference"] == pytest.approx(abs(on_sheet - account.cost))
    assert (figures["complete_days"], figures["span_1_first"]) == (29, "2023-04-02")


def test_a_bill_on_a_sheet_of_a_whole_month_names_no_days(connection: Connection) -> None:
    result, account = bill_month(connection, gaps=NO_GAP, unpriced=NO_GAP)
    figures = {figure.name: figure.value for figure in result.figures}
    on_sheet = MONTH.count * (0.5 * 0.3 - 0.5 * 0.2 * 0.08) + 12
    assert figures["cost_on_sheet"] == pytest.approx(on_sheet)
    assert account.cost is not None
    assert figures["cost_difference"] == pytest.approx(abs(on_sheet - account.cost))
    assert "complete_days" not in figures
