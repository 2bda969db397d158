"""Set-up of a home in each of five countries with the product of its supplier, over HTTP, up to the
first plan.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts import FetchPricesRequest
from luna.energy.timeline import floor_to
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.platform.settings.model import read_stored
from services.ingest.price_collection import gather_all, list_needs, store_prices
from tests.support.database.databases import remove_site
from tests.support.gateway.outside_service import Service, Services, amber, document
from tests.support.gateway.server import serve
from tests.support.pages.flat_html import flatten_html
from tests.support.words.wording import wording
from tests.support.worker.workers import wait_for, worker_process

ENGLISH = {"Accept-Language": "en"}
SITE_ID = "supplied"
DEVICES = {
    "batteries-0-capacity_kwh": "10",
    "batteries-0-power_kw": "5",
    "batteries-0-reserve_percent": "10",
    "batteries-0-efficiency_percent": "90",
    "go": "next",
}
HALF_HOUR = timedelta(minutes=30)
# Yesterday's prices and those of the days ahead, with room for every clock.
HALF_HOURS = 5 * 48


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suppliers")


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, folder: Path) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    tasks = ("services.forecaster.tasks", "services.planner.tasks")
    with (
        worker_process(redis_url, database_url, *tasks),
        serve(addresses, data_folder=folder, outside_services=False) as client,
    ):
        yield client


@pytest.fixture
def database_without_home(database: Engine) -> Iterator[Engine]:
    yield database
    remove_site(database, SITE_ID)


def list_half_hours() -> list[datetime]:
    first = floor_to(datetime.now(UTC), timedelta(days=1)) - timedelta(days=2)
    return [first + place * HALF_HOUR for place in range(HALF_HOURS)]


def octopus(pence: float) -> Service:
    """Return Octopus with one rate for every half-hour, whatever is asked for."""
    results = []
    for start in list_half_hours():
        end = start + HALF_HOUR
        span = {"valid_from": start.isoformat(), "valid_to": end.isoformat()}
        results.append({"value_inc_vat": pence, "payment_method": None} | span)
    return Service(document({"results": results, "next": None}))


def amber_at(cents: float) -> Service:
    starts = list_half_hours()
    return amber(starts, [cents] * len(starts))


@dataclass(frozen=True)
class SuppliedHome:
    """A home, what is typed of its tariff, and what is to come of it.

    Args:
        place: country and town.
        tariff: the fields of the step.
        markets: those that the site reads.
        parts: names of the components of the price.
        service: gives prices where the product's own are fetched.
        import_price: of every slot, by these.
    """

    place: str
    tariff: Mapping[str, str]
    markets: Sequence[str]
    parts: Sequence[str]
    service: Mapping[str, Service] = field(default_factory=dict)
    import_price: float | None = None


HOMES = {
    "DE": SuppliedHome(
        "DE:Stuttgart",
        {
            "product": "ostrom",
            "product_surcharge": "2",
            "product_billed": "60",
            "fee_kind": "published",
            "fee_published": "Netze BW: Module 3 (§ 14a EnWG)",
            "levies_kind": "published",
            "parts_vat_percent": "19",
            "export_kind": "fixed",
            "export_price": "8",
        },
        ["DE-LU"],
        ["Ostrom", "surcharge", "grid fee"],
    ),
    "NL": SuppliedHome(
        "NL:Utrecht",
        {"product": "tibber", "supplier_key": "a key of Tibber", "export_kind": "none"},
        ["NL-TIBBER"],
        ["Tibber"],
    ),
    "GB": SuppliedHome(
        "GB:Leeds",
        {"product": "octopus-agile", "postcode": "LS1 4AP", "export_kind": "product"},
        ["GB-AGILE-M", "GB-AGILE-OUTGOING-M"],
        ["Octopus Agile"],
        {"octopus": octopus(18.0)},
        0.18,
    ),
    "AU": SuppliedHome(
        "AU:Brisbane",
        {"product": "amber", "supplier_key": "a key of Amber", "export_kind": "none"},
        ["AU-AMBER"],
        ["Amber"],
        {"amber": amber_at(31.0)},
        0.31,
    ),
    "US": SuppliedHome(
        "US:Chicago",
        {
            "product": "comed-hourly",
            "product_surcharge": "0",
            "fee_kind": "fixed",
            "fee_price": "6",
            "levies_kind": "fixed",
            "levies_price": "1",
            "parts_vat_percent": "0",
            "export_kind": "none",
        },
        ["US-COMED"],
        ["ComEd Hourly Pricing", "grid fee", "taxes and levies"],
    ),
}


def begin(api: httpx.Client, place: str) -> str:
    """Begin a draft with its first two steps; return the address below which its steps stand."""
    draft = api.post("/ui/setup", data={"kind": "site"}).headers["Location"].removesuffix("/site")
    site = {"name": SITE_ID.title(), "place": place, "yearly_kwh": "3500", "go": "next"}
    follow(api, draft, "site", site)
    assert follow(api, draft, "devices", DEVICES) == "tariff"
    return draft


def follow(api: httpx.Client, draft: str, step: str, typed: Mapping[str, str]) -> str:
    """Send a step and return where it leads, below the draft."""
    answer = api.post(f"{draft}/{step}", data=dict(typed))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix(f"{draft}/")


def fetch_prices(database: Engine, folder: Path, home: SuppliedHome) -> None:
    """Fetch the home's prices with the keys that were stored by the page."""
    now = datetime.now(UTC)
    settings = Settings.model_validate(read_stored(folder))
    with unit_of_work(database) as connection:
        for market in home.markets:
            request = FetchPricesRequest(market=market)
            needs = list_needs(connection, request, now=now)
            transport = Services(**home.service)
            found = gather_all(needs, request, settings, transport=transport)
            reply = store_prices(connection, found, now=now)
            assert [part.added > 0 for part in reply.markets] == [True]


# Those whose prices are not fetched are planned alike: the first of them, in a short run.
@pytest.mark.parametrize(
    "home",
    [
        pytest.param(home, id=country, marks=pytest.mark.long if country in {"NL", "US"} else ())
        for country, home in HOMES.items()
    ],
)
def test_a_home_is_set_up_with_its_supplier_s_product_and_planned(
    api: httpx.Client, database_without_home: Engine, folder: Path, home: SuppliedHome
) -> None:
    draft = begin(api, home.place)
    typed = {"import_kind": "product", **home.tariff}
    offered = unescape(api.get(f"{draft}/tariff", headers=ENGLISH).text)
    assert f'value="{home.tariff["product"]}"' in offered
    assert follow(api, draft, "tariff", typed | {"go": "show"}) == "tariff?check=1#preview"
    shown = api.get(f"{draft}/tariff?check=1", headers=ENGLISH).text
    assert 'id="faults"' not in shown
    assert len(re.findall(r'class="chart price-day"', shown)) == 2
    # A key is stored out of the page, and not asked again.
    key = home.tariff.get("supplier_key", "no key")
    assert key not in shown
    without_key = {name: text for name, text in typed.items() if name != "supplier_key"}
    assert follow(api, draft, "tariff", without_key | {"go": "next"}) == "data"
    follow(api, draft, "data", {"source": "nothing", "go": "next"})
    review = flatten_html(api.get(f"{draft}/review", headers=ENGLISH).text)
    assert [name for name in home.parts if name not in review] == []
    assert follow(api, draft, "review", {"go": "next"}) == "plan"
    site = api.get(f"/v1/sites/{SITE_ID}").json()
    assert read_markets(site) == sorted(home.markets)
    names = [part["name"] for part in site["tariff"]["import"]["components"]]
    assert names[: len(home.parts)] == home.parts
    if home.service:
        fetch_prices(database_without_home, folder, home)
    wait_for(lambda: f"/ui/sites/{SITE_ID}/home" in api.get(f"{draft}/progress").text)
    plan = api.get(f"/v1/sites/{SITE_ID}/plans/latest").json()
    prices = {round(slot["import_price"], 6) for slot in plan["slots"]}
    if home.import_price is None:
        # Until the first prices come, the usual ones of the month are planned with.
        assert len(prices) > 1
        assert min(prices) > 0.0
    else:
        assert prices == {home.import_price}
    assert "price_beyond_markets" not in {note["code"] for note in plan["notes"]}


def read_markets(site: Mapping[str, Any]) -> list[str]:
    tariff = site["tariff"]
    parts = [*tariff["import"].get("components", []), tariff["export"]]
    return sorted(part["market"] for part in parts if "market" in part)


def test_a_region_is_asked_for_where_the_postcode_may_lie_in_several(api: httpx.Client) -> None:
    agile = {"import_kind": "product", "product": "octopus-agile", "export_kind": "none"}
    malmo = begin(api, "SE:Malmö")
    assert follow(api, malmo, "tariff", agile | {"go": "next"}) == "tariff?check=1"
    assert 'id="product-fault"' in api.get(f"{malmo}/tariff?check=1").text
    london = begin(api, "GB:London")
    several = agile | {"postcode": "W3 7AA", "go": "next"}
    assert follow(api, london, "tariff", several) == "tariff?check=1"
    for language in ("en", "de", "nl"):
        page = api.get(f"{london}/tariff?check=1", headers={"Accept-Language": language}).text
        assert wording("setup", "postcode_unknown", language) in unescape(page)
        assert wording("setup", "fault_area", language) in unescape(page)
    assert follow(api, london, "tariff", several | {"product_area": "C"}) == "data"


def test_a_key_is_needed_where_none_is_stored(
    redis_url: str, database_url: str, tmp_path: Path
) -> None:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    amber_home = {"import_kind": "product", "product": "amber", "export_kind": "none", "go": "next"}
    with serve(addresses, data_folder=tmp_path, outside_services=False) as api:
        draft = begin(api, "AU:Sydney")
        assert follow(api, draft, "tariff", amber_home) == "tariff?check=1"
        page = api.get(f"{draft}/tariff?check=1", headers=ENGLISH).text
        assert 'id="supplier_key-fault"' in page
        assert wording("setup", "hint_supplier_key", "en") in unescape(page)
        keyed = amber_home | {"supplier_key": "a key of Amber"}
        assert follow(api, draft, "tariff", keyed) == "data"
        page = unescape(api.get(f"{draft}/tariff", headers=ENGLISH).text)
        assert wording("setup", "key_kept", "en", supplier="Amber") in page
    assert read_stored(tmp_path) == {"amber_token": "a key of Amber"}


def test_a_product_is_changed_on_the_site_s_page(
    api: httpx.Client, database_without_home: Engine
) -> None:
    draft = begin(api, "GB:Leeds")
    agile = {"import_kind": "product", "product": "octopus-agile", "export_kind": "product"}
    follow(api, draft, "tariff", agile | {"product_area": "M", "go": "next"})
    assert follow(api, draft, "review", {"go": "next"}) == "plan"
    page = f"/ui/sites/{SITE_ID}/site"
    change = api.post(f"{page}/change", data={"step": "tariff"}).headers["Location"]
    change = change.removesuffix("/tariff")
    shown = api.get(f"{change}/tariff").text
    assert re.search(r'name="import_kind"\s+value="product"\s+checked', shown)
    assert re.search(r'<option value="M" selected>', shown)
    moved = agile | {"product_area": "P", "go": "store"}
    assert follow(api, change, "tariff", moved) == page
    site = api.get(f"/v1/sites/{SITE_ID}").json()
    assert read_markets(site) == ["GB-AGILE-OUTGOING-P", "GB-AGILE-P"]
