"""Set-up with a supplier's product in a real browser, in each of five countries: what a product
asks is shown once it is chosen, and the home gets its first plan.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Addresses, Servers
from tests.support.browser.page import GERMAN_PHONE, Open, find_barriers
from tests.support.database.databases import own_database
from tests.support.gateway.server import serve
from tests.support.worker.workers import worker_process

FIVE_MINUTES_MS = 300_000
BATTERY = {"batteries-0-capacity_kwh": "10", "batteries-0-power_kw": "5", "pv-0-peak_kw": "8"}
BILL = {"fee_price": "9", "levies_price": "3"}
# What products may ask: the field that is shown for it.
ASKED = {"area": "#product_area", "key": "#supplier_key", "parts": "#fee_price"}


@pytest.fixture(scope="module")
def gateway(
    servers: Servers, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A gateway and a worker on a database that holds nothing yet."""
    with own_database(servers.database_url, f"luna_supply_{uuid.uuid4().hex[:8]}") as database_url:
        upgrade(database_url)
        addresses = Addresses(database_url=database_url, redis_url=redis_url)
        folder = tmp_path_factory.mktemp("suppliers")
        tasks = ("services.forecaster.tasks", "services.planner.tasks")
        with (
            worker_process(redis_url, database_url, *tasks, data_folder=folder),
            serve(addresses, data_folder=folder, outside_services=False) as client,
        ):
            yield client


@dataclass(frozen=True)
class SuppliedHome:
    """A home in a country, its supplier's product, what this asks, and what is typed for it.

    ``market``: what the stored tariff reads.
    """

    place: str
    product: str
    asks: frozenset[str]
    typed: Mapping[str, str]
    market: str
    form: Mapping[str, Any] = field(default_factory=dict)


HOMES = {
    "DE": SuppliedHome(
        "DE:Stuttgart",
        "ostrom",
        frozenset({"parts"}),
        BILL | {"product_surcharge": "2", "parts_vat_percent": "19"},
        "DE-LU",
        GERMAN_PHONE,
    ),
    "NL": SuppliedHome(
        "NL:Utrecht",
        "tibber",
        frozenset({"key"}),
        {"supplier_key": "a key of Tibber"},
        "NL-TIBBER",
        {"locale": "nl-NL"},
    ),
    "GB": SuppliedHome(
        "GB:Leeds", "octopus-agile", frozenset({"area"}), {"postcode": "LS1 4AP"}, "GB-AGILE-M"
    ),
    "AU": SuppliedHome(
        "AU:Brisbane",
        "amber",
        frozenset({"key"}),
        {"supplier_key": "a key of Amber"},
        "AU-AMBER",
    ),
    "US": SuppliedHome(
        "US:Chicago", "comed-hourly", frozenset({"parts"}), BILL, "US-COMED", GERMAN_PHONE
    ),
}


def fill(page: Page, fields: Mapping[str, str]) -> None:
    for name, text in fields.items():
        page.fill(f"#{name}", text)


def require_accessible(page: Page) -> None:
    assert find_barriers(page) == []


# A short run has one home for each thing that is asked: parts, a key, an area.
SHORTLY = ("DE", "NL", "GB")


@pytest.mark.parametrize(
    "home",
    [
        pytest.param(home, id=country, marks=() if country in SHORTLY else pytest.mark.long)
        for country, home in HOMES.items()
    ],
)
def test_a_supplier_s_product_leads_to_a_plan(
    gateway: httpx.Client, open_page: Open, home: SuppliedHome
) -> None:
    page = open_page("/ui/setup", gateway=gateway, **home.form)
    page.click("button[value=site]")
    page.fill("#name", f"Home {uuid.uuid4().hex[:6]}")
    page.select_option("#place", home.place)
    page.click("button.primary")
    fill(page, BATTERY)
    page.click("button.primary")
    page.check("input[name=import_kind][value=product]")
    page.select_option("#product", home.product)
    for asked, name in ASKED.items():
        expect(page.locator(name)).to_be_visible(visible=asked in home.asks)
    require_accessible(page)
    fill(page, home.typed)
    page.check("input[name=export_kind][value=none]")
    page.click("button[value=show]")
    expect(page.locator("#preview figure")).to_have_count(2)
    expect(page.locator("#faults")).to_have_count(0)
    require_accessible(page)
    while not page.url.endswith("/review"):
        page.click("button.primary")
        expect(page.locator("#faults")).to_have_count(0)
    page.click("button.primary")
    page.locator("#preparation a.primary").click(timeout=FIVE_MINUTES_MS)
    expect(page.locator("h1").first).to_be_visible()
    site_id = page.url.partition("/sites/")[2].partition("/")[0]
    components = gateway.get(f"/v1/sites/{site_id}").json()["tariff"]["import"]["components"]
    assert components[0]["market"] == home.market


def test_a_capacity_charge_is_chosen_from_the_list(gateway: httpx.Client, open_page: Open) -> None:
    page = open_page("/ui/setup", gateway=gateway)
    page.click("button[value=site]")
    page.fill("#name", "Huis")
    page.select_option("#place", "BE:Antwerpen")
    page.click("button.primary")
    fill(page, BATTERY)
    page.click("button.primary")
    page.fill("#import_price", "30")
    page.fill("#export_price", "3")
    page.select_option("#peak_published", "Fluvius Antwerpen: Capacity tariff, digital meter")
    require_accessible(page)
    page.click("button.primary")
    page.wait_for_url("**/data")
