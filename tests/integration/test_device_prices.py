"""A car with a price of its own: what was counted of its hours, and its bill, by HTTP, page and
command.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.account import AccountReply
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import SLOT, FloatArray, local_days, local_instant, parse_zone
from luna.platform.database import observations
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.planner.service.plans import complete_request
from tests.support.command_line.call import Luna
from tests.support.database.site import issue_half_a_kilowatt, stored_site
from tests.support.gateway.server import serve
from tests.support.pages.flat_html import flatten_html

NAME = "charged"
ZONE = parse_zone("Europe/Berlin")
DAY = date(2024, 2, 1)
NOW = local_instant(DAY, "14:30", ZONE)
# Two hours of charging from noon to noon are 10 cents cheaper, all others 5 cents dearer.
CAR_TARIFF = {
    "name": "Autotarif",
    "devices": "vehicles",
    "hours_per_day": 2,
    "price": -0.1,
    "price_beyond": 0.05,
    "day_begins": "12:00",
}
HOME = {
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "input_sensors": {"vehicle_consumption": "sensor.car"},
    "tariff": {"import": {"kind": "fixed", "price": 0.3}, "devices": [CAR_TARIFF]},
}
# Begin by the local clock, and kWh in each quarter-hour of an hour or two.
DRAWN = [
    (DAY - timedelta(days=1), "22:00", 4, 1.0),
    (DAY, "00:00", 6, 1.5),
    (DAY, "13:00", 4, 2.0),
]


class FixedClock:
    """A clock that stands at half past two."""

    def now(self) -> datetime:
        return NOW


def draw_car() -> FloatArray:
    """Return the car's energy over two days."""
    timeline = local_days(DAY - timedelta(days=1), DAY, ZONE)
    drawn_kwh = np.zeros(timeline.count)
    for day, clock, slots, kwh in DRAWN:
        first = (local_instant(day, clock, ZONE) - timeline.start) // SLOT
        drawn_kwh[first : first + slots] = kwh
    return drawn_kwh


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    timeline = local_days(DAY - timedelta(days=1), DAY, ZONE)
    car = draw_car()
    house = np.full(timeline.count, 0.1)
    counted = {"load_kwh": house, "vehicle_kwh": car, "import_kwh": car + house}
    with stored_site(database, name=NAME, **HOME), serve(addresses, FixedClock()) as client:
        with unit_of_work(database) as connection:
            observations.write(connection, NAME, timeline.starts, counted)
            issue_half_a_kilowatt(connection, NAME, NOW - SLOT)
        yield client


def test_hours_of_charging_are_billed_in_order_to_the_cent(api: httpx.Client) -> None:
    params = {"period": "day", "day": str(DAY)}
    account = AccountReply.model_validate(
        api.get(f"/v1/sites/{NAME}/account", params=params).json()
    )
    told = {(line.code, line.beyond_hours): line for line in account.lines}
    # An hour of the allowance was left at midnight: four quarter-hours within it, two beyond it,
    # and the hour after noon within the next one.
    cheap, dear = told["device", None], told["beyond", 2.0]
    assert (cheap.name, cheap.energy_kwh, cheap.price) == ("Autotarif", 14.0, -0.1)
    assert (cheap.cost, dear.cost) == (pytest.approx(-1.4), pytest.approx(3 * 0.05))
    assert (dear.energy_kwh, dear.price) == (3.0, 0.05)
    # 17 kWh of the car and 0.1 in each of 58 quarter-hours that have ended.
    assert account.totals.energy_cost == pytest.approx((17 + 5.8) * 0.3 - 1.4 + 0.15)
    (share,) = [use for use in account.use_shares if use.name == "vehicle"]
    assert share.cost == pytest.approx(17 * 0.3 - 1.4 + 0.15)


def test_the_page_and_the_command_name_the_hours(api: httpx.Client, luna_on_servers: Luna) -> None:
    headers = {"Accept-Language": "en"}
    page = api.get(f"/ui/sites/{NAME}/energy?period=day&day={DAY}", headers=headers)
    text = flatten_html(page.text).replace("\u00a0", " ")
    assert "Autotarif, beyond 2 h a day" in text
    shown = luna_on_servers("energy", "--site", NAME, "--day", str(DAY)).out
    assert "Autotarif, beyond 2 h a day" in shown.replace("\u00a0", " ")


LAST_SENTENCE = {
    "en": "1 h of 2 h are left at this price until",
    "de": "Noch 1 h von 2 h gibt es zu diesem Preis, bis",
    "nl": "Tegen deze prijs is nog 1 uur van 2 uur over, tot",
}


@pytest.mark.parametrize(
    ("at", "price", "left"),
    [
        # The hour after noon is drawn; at nine, the night before had used up both.
        ("2024-02-01T14:30:00+01:00", 0.2, 1.0),
        ("2024-02-01T09:00:00+01:00", 0.35, 0.0),
        ("2024-02-02T13:00:00+01:00", 0.2, 2.0),
    ],
    ids=["now", "used up", "tomorrow"],
)
def test_an_explanation_says_the_car_s_price_and_what_is_left(
    api: httpx.Client, at: str, price: float, left: float
) -> None:
    path = f"/v1/sites/{NAME}/tariff/explanation"
    told = api.get(path, params={"at": at}).json()
    (car,) = told["devices"]
    (allowance,) = car["allowances"]
    assert (told["price"], car["devices"]) == (0.3, "vehicles")
    assert (car["price"], allowance["left"]) == (price, left)
    assert api.get(path, params={"at": at, "side": "export"}).json()["devices"] == []


@pytest.mark.parametrize("language", LAST_SENTENCE)
def test_page_and_sentences_say_what_the_car_pays(
    api: httpx.Client, luna_on_servers: Luna, language: str
) -> None:
    path = f"/v1/sites/{NAME}/tariff/explanation"
    sentences = api.get(path, params={"language": language}).json()["sentences"]
    said = [sentence.replace("\u00a0", " ") for sentence in sentences]
    assert [line for line in said if line.startswith(LAST_SENTENCE[language])] == [said[3]]
    page = api.get(f"/ui/sites/{NAME}/planning", headers={"Accept-Language": language})
    assert " ".join(said[2:4]) in flatten_html(page.text).replace("\u00a0", " ")
    shown = luna_on_servers("tariff", "explain", "--site", NAME, "--language", language).out
    assert sentences[2].split(":")[0] in shown


@pytest.mark.usefixtures("api")
def test_a_plan_begins_with_the_hours_that_the_car_has_drawn(database: Engine) -> None:
    request = PlanRequest(site_id=NAME, start=NOW)
    with unit_of_work(database) as connection:
        state = complete_request(connection, request, now=NOW).state
    assert state.device_use == {"Autotarif": 1.0}
