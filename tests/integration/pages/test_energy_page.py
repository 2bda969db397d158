"""The page Energy: every figure on it and in its file is one of the account's, and both sides of
its balance are equal.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html import unescape
from itertools import product
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.observations import ESTIMABLE
from luna.energy.timeline import local_days
from luna.platform.clock import FixedClock
from luna.platform.database import observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words import Language, Numbers
from luna.words.account import say_cost_line, say_flow
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.home_with_account import (
    ZONE,
    describe_home_with_account,
    store_home_with_account,
)
from tests.support.suite.depth import LONG
from tests.support.words.wording import plain, wording

# 12:40 in Berlin; meter values reach until the day before.
NOW = datetime(2024, 11, 20, 11, 40, tzinfo=UTC)
LAST = date(2024, 11, 19)
# 27 October has 25 hours.
PERIODS = (
    ("day", "2024-10-27"),
    ("day", "2024-11-19"),
    ("week", "2024-10-30"),
    ("month", "2024-10-03"),
    ("month", "2024-11-20"),
    ("year", "2024-11-20"),
)
BILLS = (
    ("month", "2024-10-03"),
    ("month", "2024-11-19"),
    ("year", "2024-11-19"),
    ("week", str(LAST)),
)
PAGE = "/ui/sites/accounted/energy"
WATT_HOUR = 0.001
CENTS = {"unit": "cents_per_kwh", "vat": 0.19}
NIGHT = {"from": "22:00", "to": "06:00", "price": 1.1}
# Five components, one of which costs less from 15 November on.
COMPOSED = {
    "import": {
        "kind": "components",
        "components": [
            {"kind": "fixed", "name": "energy", "price": 12.345, **CENTS},
            {"kind": "calendar", "name": "grid fee", "price": 11.3, "windows": [NIGHT], **CENTS},
            {"kind": "fixed", "name": "levy", "price": 1.667, "valid_to": "2024-11-15", **CENTS},
            {"kind": "fixed", "name": "levy", "price": 0.816, "valid_from": "2024-11-15", **CENTS},
            {"kind": "fixed", "name": "electricity tax", "price": 21, "unit": "per_mwh"},
            {
                "kind": "blocks",
                "name": "supply",
                "blocks": [{"up_to_kwh": 100, "price": 0.01}, {"price": 0.033}],
            },
        ],
    },
    "export": {
        "kind": "components",
        "components": [
            {
                "kind": "plant_size",
                "name": "EEG",
                "plant_kw": 12,
                "steps": [{"up_to_kw": 10, "price": 8.03}, {"up_to_kw": 40, "price": 6.95}],
                "unit": "cents_per_kwh",
            },
            {"kind": "fixed", "name": "bonus", "price": 0.005},
        ],
    },
    "base": [
        {"name": "meter", "price": 20.0, "per": "month", "vat": 0.19},
        {"name": "connection", "price": 0.0987, "per": "day"},
    ],
    "peak": {"price_per_kw_month": 3.333, "interval_minutes": 60},
}


def speak(
    periods: Sequence[tuple[str, str]], *languages: Language
) -> list[tuple[str, str, Language]]:
    """Return each period with each language; in a short run languages take turns."""
    return [
        (*period, language)
        for number, period in enumerate(periods)
        for place, language in enumerate(languages)
        if LONG or place == number % len(languages)
    ]


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        store_home_with_account(connection, "accounted", until=LAST)
        sites.save(connection, describe_home_with_account("unrecorded"))
        store_home_with_account(connection, "composed", until=LAST)
        sites.save(connection, describe_home_with_account("composed", tariff=COMPOSED))
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)
    ) as client:
        yield client
    for name in ("accounted", "unrecorded", "composed"):
        remove_site(database, name)


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return plain(re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))))


def ask(api: httpx.Client, period: str, day: str) -> dict[str, Any]:
    answer = api.get(
        "/v1/sites/accounted/account", params={"period": period, "day": day}
    ).raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


def list_shown(account: dict[str, Any], numbers: Numbers) -> list[str]:
    """Return what the page has to show of an account: its totals, flows, lines of the bill, fed
    uses, parts and compared periods.
    """
    totals = account["totals"]
    compared = [
        each for each in (totals, account["previous"], account["year_before"]) if each is not None
    ]
    shown = [
        numbers.energy(each[name])
        for each, name in product(
            compared, ("consumption_kwh", "import_kwh", "pv_kwh", "export_kwh")
        )
    ]
    shown += [numbers.money(each["cost"]) for each in compared]
    for flow in (*account["sources"], *account["uses"]):
        shown.append(
            f"{say_flow(flow['name'], numbers.language)} {numbers.number(flow['energy_kwh'], 2)}"
        )
    shown.append(numbers.number(abs(account["unexplained_kwh"]), 2))
    costs = [line["cost"] for line in account["lines"]]
    if account["demand_cost"] is not None:
        costs.append(account["demand_cost"])
    amounts = numbers.amounts(costs, totals["cost"])
    for line, amount in zip(account["lines"], amounts, strict=False):
        name = say_cost_line(_Line(line), numbers)
        shown.append(f"{name} {numbers.number(line['energy_kwh'], 2)} {amount}")
    for use in account["use_shares"]:
        fed = [
            numbers.share(use[f"{source}_kwh"] / use["energy_kwh"] if use["energy_kwh"] else None)
            for source in ("solar", "battery", "grid")
        ]
        cells = [numbers.number(use["energy_kwh"], 2), *fed, numbers.money(use["cost"])]
        shown.append(f"{say_flow(use['name'], numbers.language)} {' '.join(cells)}")
    flows = [flow["name"] for flow in (*account["sources"], *account["uses"])]
    for part in account["parts"]:
        cells = [
            *(numbers.number(part["flows"].get(name), 2) for name in flows),
            numbers.money(part["cost"]),
        ]
        shown.append(" ".join(cells))
    return [plain(each) for each in shown]


class _Line:
    def __init__(self, line: dict[str, Any]) -> None:
        self.direction = line["direction"]
        self.code = line["code"]
        self.price = line["price"]
        self.name = line["name"]
        self.beyond_kwh = line["beyond_kwh"]
        self.beyond_hours = line["beyond_hours"]
        self.first_day = line["first_day"]
        self.last_day = line["last_day"]


@pytest.mark.parametrize(("period", "day", "language"), speak(PERIODS, "en", "de"))
def test_the_page_shows_every_figure_of_the_account(
    api: httpx.Client, period: str, day: str, language: Language
) -> None:
    text = read(api, f"{PAGE}?period={period}&day={day}", language)
    expected = list_shown(ask(api, period, day), Numbers(language, ZONE, "EUR"))
    assert len(expected) > 30
    assert [each for each in expected if each not in text] == []


@pytest.mark.parametrize(("period", "day"), PERIODS)
def test_the_file_has_the_parts_of_the_account(api: httpx.Client, period: str, day: str) -> None:
    answer = api.get(f"{PAGE}.csv", params={"period": period, "day": day})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"luna-energy-{period}-" in answer.headers["Content-Disposition"]
    account = ask(api, period, day)
    flows = [flow["name"] for flow in (*account["sources"], *account["uses"])]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["start", *(f"{name}_kwh" for name in flows), "cost_eur"]
    assert [datetime.fromisoformat(row["start"]) for row in rows] == [
        datetime.fromisoformat(part["start"]) for part in account["parts"]
    ]
    # With the offset of the site's clock, not in UTC.
    assert {row["start"][-6:] for row in rows} <= {"+01:00", "+02:00"}
    expected = [
        [*(part["flows"].get(name) for name in flows), part["cost"]] for part in account["parts"]
    ]
    written = [[float(cell) if cell else None for cell in list(row.values())[1:]] for row in rows]
    assert written == [
        [None if figure is None else pytest.approx(figure, abs=WATT_HOUR / 10) for figure in row]
        for row in expected
    ]
    for flow in (*account["sources"], *account["uses"]):
        column = [float(row[f"{flow['name']}_kwh"] or 0) for row in rows]
        # Each row is rounded to a tenth of a watt-hour.
        assert sum(column) == pytest.approx(flow["energy_kwh"], abs=WATT_HOUR / 10 * len(rows))


@pytest.mark.parametrize(("period", "day"), PERIODS)
def test_as_much_came_as_went(api: httpx.Client, period: str, day: str) -> None:
    account = ask(api, period, day)
    came = sum(flow["energy_kwh"] for flow in account["sources"])
    went = sum(flow["energy_kwh"] for flow in account["uses"]) + account["unexplained_kwh"]
    assert came == pytest.approx(went, abs=WATT_HOUR / 2)
    lines = sum(line["cost"] for line in account["lines"]) + (account["demand_cost"] or 0.0)
    assert lines == pytest.approx(account["totals"]["cost"], abs=1e-6)


def test_what_came_without_a_meter_stands_on_the_side_of_what_came(
    api: httpx.Client, database: Engine
) -> None:
    timeline = local_days(LAST, LAST, ZONE)
    with unit_of_work(database) as connection:
        observations.write(
            connection,
            "unrecorded",
            timeline.starts,
            {"load_kwh": np.full(96, 0.25), "import_kwh": np.full(96, 0.1)},
        )
    text = read(api, f"/ui/sites/unrecorded/energy?period=day&day={LAST}")
    # 24 kWh went and 9.6 kWh came through the meter.
    total = f"{wording('flows', 'flow_total')} 24.00"
    came, _, went = text.partition(wording("energy", "uses_title"))
    assert f"{wording('flows', 'flow_unexplained')} 14.40 60%" in came
    assert total in came
    assert total in went
    assert wording("energy", "not_recorded") in text


def test_the_capacity_charge_is_part_of_months_and_years_alone(api: httpx.Client) -> None:
    # The day begins with the month, and is none.
    of_day = ask(api, "day", "2024-11-01")
    assert of_day["demand_cost"] is None
    assert of_day["totals"]["cost"] == pytest.approx(of_day["totals"]["energy_cost"])
    assert wording("energy", "bill_without_demand") in read(
        api, f"{PAGE}?period=day&day=2024-11-01"
    )
    assert wording("flows", "flow_demand") in read(api, f"{PAGE}?period=month&day=2024-11-01")
    assert ask(api, "month", "2024-11-01")["demand_cost"] > 0


def test_a_running_period_says_until_when_it_counts_and_leads_to_the_others(
    api: httpx.Client,
) -> None:
    page = api.get(PAGE).text
    until = wording("energy", "until", day="Wed 20 Nov", clock="12:30")
    assert until in plain(unescape(page))
    links = re.findall(r'href="(\?period=[^"]+)"', unescape(page))
    assert links == [
        *(f"?period={unit}&day=2024-11-20" for unit in ("day", "week", "month", "year")),
        "?period=month&day=2024-10-01",
    ]
    earlier = unescape(api.get(f"{PAGE}?period=month&day=2024-10-09").text)
    assert "?period=month&day=2024-11-01" in earlier
    assert wording("energy", "today") in earlier


def test_right_after_midnight_of_a_new_month_the_one_before_is_shown(
    redis_url: str, database_url: str, api: httpx.Client
) -> None:
    midnight = FixedClock(datetime(2024, 10, 31, 23, 5, tzinfo=UTC))
    with serve(Addresses(database_url=database_url, redis_url=redis_url), midnight) as client:
        assert "<h1>Oct" in plain(unescape(client.get(PAGE).text))


def test_a_site_without_records_is_told_where_to_look(api: httpx.Client) -> None:
    text = read(api, "/ui/sites/unrecorded/energy?period=month&day=2024-05-05")
    assert wording("energy", "empty_title") in text
    assert wording("energy", "bill_title") not in text
    header, *rows = api.get(
        "/ui/sites/unrecorded/energy.csv?period=day&day=2024-05-05"
    ).text.splitlines()
    assert (header, len(rows)) == ("start,cost_eur", 24)


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}.csv"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("period=decade", None),
        ("day=yesterday", None),
        ("day=20000-01-01", None),
        ("period=week&day=2024-11-25", "account-ahead"),
    ],
)
def test_what_is_no_period_is_refused_in_words(
    api: httpx.Client, address: str, query: str, code: str | None
) -> None:
    answer = api.get(f"{address}?{query}", headers={"Accept-Language": "de"})
    assert answer.status_code == 422
    assert wording("every_page", "error_title", "de") in answer.text
    assert code is None or wording("refusals", f"sentence_{code}", "de") in answer.text


def test_a_source_without_a_meter_is_unknown_instead_of_none(
    api: httpx.Client, database: Engine
) -> None:
    day = LAST - timedelta(days=1)
    timeline = local_days(day, day, ZONE)
    flows = {"load_kwh": np.full(96, 0.25), "pv_kwh": np.full(96, 0.1)}
    with unit_of_work(database) as connection:
        observations.write(connection, "unrecorded", timeline.starts, flows)
    text = read(api, f"/ui/sites/unrecorded/energy?period=day&day={day}")
    assert f"{wording('energy', 'unmeasured_source')} 14.40 60%" in text
    # kWh, shares of sun, battery and grid, cost of the grid's part.
    went = text.partition(wording("energy", "shares_title"))[2]
    assert f"{wording('flows', 'flow_load')} 24.00 40% – – –" in went, went[:300]
    # All of it is known, so nothing is left out of the shares.
    assert wording("energy", "shares_partial") not in text


def test_what_is_estimated_and_what_is_missing_is_said(api: httpx.Client, database: Engine) -> None:
    day = date(2024, 11, 5)
    timeline = local_days(day, day, ZONE)
    estimated = np.zeros(96, dtype=np.int16)
    estimated[:8] = 1 << ESTIMABLE.index("load_kwh")
    load = np.full(96, 0.25)
    bought = np.where(np.arange(96) < 72, 0.25, np.nan)
    with unit_of_work(database) as connection:
        observations.write(
            connection,
            "unrecorded",
            timeline.starts,
            {"load_kwh": load, "import_kwh": bought, "estimated": estimated},
        )
    text = read(api, f"/ui/sites/unrecorded/energy?period=day&day={day}")
    # Eight quarter-hours of 0.25 kWh, and a quarter of the day without values of the grid's meter.
    assert wording("energy", "estimated", energy="2.0 kWh") in text
    assert wording("energy", "partly_known", share="75%") in text
    assert wording("energy", "partly_priced", share="75%") in text
    assert wording("energy", "shares_partial") in text


def test_what_is_counted_with_the_house_is_named(api: httpx.Client) -> None:
    text = read(api, f"{PAGE}?period=day&day={LAST}")
    assert wording("energy", "unmetered", devices="boiler", count=1) in text


def read_bill(api: httpx.Client, query: str, language: str = "en") -> list[tuple[str, str, str]]:
    """Return the lines of the bill, the total last: name, kWh, cost."""
    answer = api.get(f"/ui/sites/composed/energy?{query}", headers={"Accept-Language": language})
    _, _, text = answer.text.partition('id="bill"')
    table, _, _ = text.partition("</table>")
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td.*?>(.*?)</td>\s*<td.*?>(.*?)</td>', table)
    read = []
    for name, energy, cost in rows:
        read.append((plain(unescape(name)), plain(unescape(energy)), plain(unescape(cost))))
    return read


def in_cents(amount: str) -> int:
    digits = re.sub(r"\D", "", amount)
    return -int(digits) if "\u2212" in amount else int(digits)


def test_a_bill_lists_each_component_with_its_price_and_its_days(api: httpx.Client) -> None:
    names = [name for name, _, _ in read_bill(api, "period=month&day=2024-11-19")]
    sold = wording("flows", "line_sold")
    assert names == [
        "energy · 12.3 ct/kWh",
        "grid fee · 1.1 ct/kWh",
        "grid fee · 11.3 ct/kWh",
        "levy, 1–14 Nov · 1.7 ct/kWh",
        "levy, 15–20 Nov · 0.8 ct/kWh",
        "electricity tax · 2.1 ct/kWh",
        "supply · 1.0 ct/kWh",
        wording("flows", "line_vat"),
        wording("flows", "line_blocks"),
        f"{sold}: EEG · 7.8 ct/kWh",
        f"{sold}: bonus · 0.5 ct/kWh",
        "meter",
        "connection",
        wording("flows", "flow_demand"),
        wording("flows", "flow_total"),
    ]


@pytest.mark.parametrize(("period", "day", "language"), speak(BILLS, "en", "de", "nl"))
def test_the_shown_lines_of_a_bill_add_up_to_its_total_to_the_cent(
    api: httpx.Client, period: str, day: str, language: Language
) -> None:
    *lines, total = read_bill(api, f"period={period}&day={day}", language)
    assert len(lines) > 8
    assert sum(in_cents(cost) for _, _, cost in lines) == in_cents(total[-1])


def test_the_two_lines_of_a_changed_price_share_the_energy_of_the_month(api: httpx.Client) -> None:
    rows = {name: float(energy or 0) for name, energy, _ in read_bill(api, "period=month")}
    whole = rows["energy · 12.3 ct/kWh"]
    halves = [energy for name, energy in rows.items() if name.startswith("levy")]
    assert len(halves) == 2
    assert sum(halves) == pytest.approx(whole, abs=0.02)
