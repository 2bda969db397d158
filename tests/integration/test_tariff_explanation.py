"""What a kWh costs and why, over HTTP and from the command line."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.timeline import local_days, parse_zone
from luna.platform.database import prices
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.command_line.call import Luna
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording_pattern

NAME = "explained"
MARKET = "NO5"
ZONE = parse_zone("Europe/Berlin")
DAY = date(2024, 1, 31)
GRID_FEE = {
    "kind": "calendar",
    "name": "Netzentgelt 2024",
    "unit": "cents_per_kwh",
    "price": 8.0,
    "windows": [{"from": "15:00", "to": "20:00", "price": 16.0}],
    "vat": 0.25,
}
SPOT = {
    "kind": "spot",
    "name": "energy",
    "market": MARKET,
    "billing_minutes": 60,
    "vat": 0.25,
}
TARIFF = {
    "import": {"kind": "components", "components": [SPOT, GRID_FEE]},
    "export": {"kind": "fixed", "price": 0.08},
}
PATH = f"/v1/sites/{NAME}/tariff/explanation"
AT_SIX = "2024-01-31T18:07:00+01:00"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    """A gateway beside a home whose market has prices until the end of 31 January."""
    day = local_days(DAY, DAY, ZONE)
    # Quarter-hours of 4, 8, 12 and 16 cents in each hour: the mean of an hour is 10.
    price = np.tile([0.04, 0.08, 0.12, 0.16], 24)
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with stored_site(database, name=NAME, tariff=TARIFF), serve(addresses) as client:
        with unit_of_work(database) as connection:
            prices.upsert(
                connection,
                MARKET,
                starts=day.starts,
                price=price,
                currency="EUR",
                published_at=datetime(2024, 1, 30, tzinfo=UTC),
            )
        yield client


def test_a_price_comes_with_its_parts_and_the_main_one(api: httpx.Client) -> None:
    told = api.get(PATH, params={"at": AT_SIX}).json()
    spot, fee = told["components"]
    # (10 + 16) cents with a quarter of tax.
    assert (told["price"], told["start"], told["main"]) == (0.325, "2024-01-31T17:00:00Z", 1)
    assert (spot["net_price"], spot["tax"], spot["price"]) == (0.1, 0.025, 0.125)
    assert (spot["billed_from"], spot["billed_to"]) == (
        "2024-01-31T17:00:00Z",
        "2024-01-31T18:00:00Z",
    )
    assert (fee["window_from"], fee["window_to"], fee["standing"]) == ("15:00", "20:00", "highest")
    # Five hours at 32.5, nineteen at 22.5 cents.
    assert told["day_mean"] == pytest.approx((5 * 0.325 + 19 * 0.225) / 24, abs=1e-6)
    assert (told["rank"], told["rank_from_dearest"], told["rank_count"]) == (77, 1, 96)
    listed = api.get(
        f"/v1/sites/{NAME}/prices", params={"from": told["start"], "to": told["end"]}
    ).json()
    assert listed["prices"][0]["import_price"] == told["price"]


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_the_first_two_sentences_say_price_and_main_part(api: httpx.Client, language: str) -> None:
    params = {"at": AT_SIX, "language": language}
    sentences = api.get(PATH, params=params).json()["sentences"]
    codes = ("buys_on_day", "main", "rank", "tax", "line", "line")
    patterns = [wording_pattern("price_reasons", code, language) for code in codes]
    unlike = [
        sentence
        for sentence, pattern in zip(sentences, patterns, strict=True)
        if pattern.fullmatch(sentence) is None
    ]
    assert unlike == []
    assert "18:00" in sentences[0]
    assert "Netzentgelt 2024" in sentences[1]


def test_a_sold_kwh_is_explained_as_well(api: httpx.Client) -> None:
    told = api.get(PATH, params={"at": AT_SIX, "side": "export"}).json()
    assert (told["price"], told["main"], told["components"][0]["standing"]) == (
        0.08,
        None,
        "constant",
    )


def test_an_unknown_price_is_no_error(api: httpx.Client) -> None:
    for at in ("2024-02-01T12:00:00+01:00", "2099-07-01T12:00:00+02:00"):
        answer = api.get(PATH, params={"at": at})
        told = answer.json()
        assert (answer.status_code, told["price"], told["known_until"]) == (200, None, None)
        # The grid fee is known whatever the market says.
        assert [part["price"] for part in told["components"]] == [None, 0.1]
    assert api.get(PATH).status_code == 200


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/v1/sites/nowhere/tariff/explanation", {}, 404),
        (PATH, {"at": "never"}, 422),
        (PATH, {"side": "both"}, 422),
        (PATH, {"language": "xx"}, 422),
    ],
    ids=["no such site", "no time", "no side", "no language"],
)
def test_what_cannot_be_explained_is_refused(
    api: httpx.Client, path: str, params: dict[str, str], status: int
) -> None:
    assert api.get(path, params=params).status_code == status


@pytest.mark.usefixtures("api")
def test_the_command_prints_the_same_sentences(luna_on_servers: Luna) -> None:
    command = ("tariff", "explain", "--site", NAME, "--at", "2024-01-31 18:07")
    told = luna_on_servers(*command, "--json")
    assert told.code == 0, told.err
    assert told.document["price"] == 0.325
    first, main, *details = told.document["sentences"]
    shown = luna_on_servers(*command).out.splitlines()
    assert shown == [f"{first} {main}", *details]
    german = luna_on_servers(*command, "--language", "de", "--side", "export")
    assert (german.code, german.out.splitlines()[0] != shown[0]) == (0, True)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "0.0 ct for the first 10.0 kWh a day, from 00:00 to 06:00"),
        ("de", "0,0 ct für die ersten 10,0 kWh am Tag, von 00:00 bis 06:00 Uhr"),
        ("nl", "0,0 ct voor de eerste 10,0 kWh per dag, van 00:00 tot 06:00"),
    ],
)
def test_an_allowance_says_for_how_much_of_the_day_its_price_is(
    api: httpx.Client, database: Engine, language: str, text: str
) -> None:
    free = {"kind": "allowance", "name": "nights", "kwh_per_day": 10, "price": 0, "to": "06:00"}
    rule = {"kind": "components", "components": [free | {"price_beyond": 0.28}]}
    path = "/v1/sites/capped/tariff/explanation"
    params = {"at": "2024-01-31T03:00:00+01:00", "language": language}
    with stored_site(database, name="capped", tariff={"import": rule}):
        told = api.get(path, params=params).json()
    assert told["components"][0]["up_to_kwh"] == 10
    assert text in told["sentences"][-1].replace("\u00a0", " ")
