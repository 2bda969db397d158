"""Set-up over HTTP, as a browser without a script does it: nothing typed is lost, and it ends with
a plan.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.contracts.data import BuildSlotsRequest, FetchPricesRequest, FetchWeatherRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.plan import PlanRequest
from luna.energy.devices.commands import Via
from luna.energy.site import Tariff, parse_site
from luna.energy.site.control import Control
from luna.energy.site.countries import COUNTRIES
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import control, jobs, observations, readings, setup_drafts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words import Language
from luna.words.catalogue import CATALOGUE
from services.api.pages.setup.control_methods import METHODS
from services.ingest.slot_builder import build_site_slots
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.home_assistant.server import TOKEN, House, Sensor
from tests.support.home_assistant.server import serve as serve_home_assistant
from tests.support.pages.flat_html import flatten_html
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.words.wording import wording
from tests.support.worker.workers import wait_for, worker_process

# What the pages make of "Haus Müller".
OWN_ID = "haus_mueller"
SITE = {"name": "Haus Müller", "place": "AT:Graz", "yearly_kwh": "3.500", "go": "next"}
DEVICES = {
    "batteries-0-capacity_kwh": "9,6",
    "batteries-0-power_kw": "4.6",
    "batteries-0-reserve_percent": "10",
    "batteries-0-efficiency_percent": "90",
    "go": "next",
}
FROM_GRID = DEVICES | {"batteries-0-from_grid": "on"}
TARIFF = {
    "import_kind": "fixed",
    "import_price": "31,5",
    "export_kind": "fixed",
    "export_price": "7",
    "go": "next",
}


@pytest.fixture(scope="module")
def alone(
    redis_url: str, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A gateway that asks nobody outside."""
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    folder = tmp_path_factory.mktemp("alone")
    with serve(addresses, data_folder=folder, outside_services=False) as client:
        yield client


@pytest.fixture(scope="module")
def connected(
    redis_url: str, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, data_folder=tmp_path_factory.mktemp("connected")) as client:
        yield client


@pytest.fixture
def api(alone: httpx.Client, database: Engine) -> Iterator[httpx.Client]:
    yield alone
    remove_site(database, OWN_ID)


@pytest.fixture
def outside_api(connected: httpx.Client, database: Engine) -> Iterator[httpx.Client]:
    yield connected
    remove_site(database, OWN_ID)


@pytest.fixture
def new_api(
    redis_url: str, database_url: str, database: Engine, tmp_path: Path
) -> Iterator[httpx.Client]:
    """A gateway that remembers no access of the test before."""
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, data_folder=tmp_path, outside_services=False) as client:
        yield client
    remove_site(database, OWN_ID)


def begin(api: httpx.Client) -> str:
    """Begin a draft and return the address its steps stand below."""
    answer = api.post("/ui/setup", data={"kind": "site"})
    assert answer.status_code == 303
    return answer.headers["Location"].removesuffix("/site")


def follow(api: httpx.Client, draft: str, *steps: tuple[str, dict[str, str]]) -> str:
    """Send steps and return where the last one leads, below the draft."""
    for step, typed in steps:
        answer = api.post(f"{draft}/{step}", data=typed)
        assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix(f"{draft}/")


@pytest.mark.parametrize(
    ("accepted", "first"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["AT", "DE", "CH"]),
        ("nl", ["NL", "BE"]),
        ("en-ZA,en;q=0.9", ["ZA", "GB", "IE"]),
    ],
)
def test_towns_of_the_reader_s_country_come_first(
    api: httpx.Client, accepted: str, first: list[str]
) -> None:
    draft = begin(api)
    page = unescape(api.get(f"{draft}/site", headers={"Accept-Language": accepted}).text)
    language = CATALOGUE.choose(accepted[:2])
    named = re.findall('<optgroup label="([^"]+)"', page)
    assert named[: len(first)] == [wording("setup", f"country_{code}", language) for code in first]
    assert len(set(named)) == len(named) == len(COUNTRIES)


def test_from_nothing_to_a_plan(api: httpx.Client, redis_url: str, database_url: str) -> None:
    draft = begin(api)
    spot = TARIFF | {"import_kind": "spot", "market": "AT", "markup": "10", "vat_percent": "20"}
    ended = follow(
        api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", spot),
        ("data", {"source": "nothing", "go": "next"}),
        ("review", {"go": "next"}),
    )
    assert ended == "plan"
    with worker_process(
        redis_url, database_url, "services.forecaster.tasks", "services.planner.tasks"
    ):
        wait_for(lambda: f"/ui/sites/{OWN_ID}/home" in api.get(f"{draft}/progress").text)
    page = api.get(f"{draft}/plan").text
    assert wording("conditions", "no_history") in unescape(page)
    assert wording("conditions", "load_by_yearly_kwh") in unescape(page)
    assert "hx-get" not in page
    # No price has come: typical ones are planned with, and nobody named the main fuse, which is
    # taken to be 3 x 25 A.
    plan, site = (api.get(f"/v1/sites/{OWN_ID}{part}").json() for part in ("/plans/latest", ""))
    assert plan["prices_known_until"] == plan["slots"][0]["start"]
    assert [
        note["figures"]["markets"] for note in plan["notes"] if note["code"] == "prices_typical"
    ] == [["AT"]]
    assert site["grid"]["import_limit_kw"] == 17.25
    home = api.get(f"/ui/sites/{OWN_ID}/home")
    assert home.status_code == 200
    assert ">Haus Müller</a>" in home.text
    by_hour = read_forecast_load(api)
    # Of 3,500 kWh a year 9.6 kWh are the mean day's; by H25 days have 7.7 to 12.9, and evenings at
    # least twice the load of nights.
    assert 7.5 < sum(sum(loads) for loads in by_hour.values()) < 13
    evening, night = (
        np.mean([load for hour in hours for load in by_hour[hour]])
        for hours in (range(18, 21), range(2, 5))
    )
    assert evening > 1.5 * night


@pytest.mark.parametrize(
    ("place", "zone", "currency", "unit", "azimuth_deg"),
    [
        ("GB:Leeds", "Europe/London", "GBP", "p", 180),
        ("US:Phoenix", "America/Phoenix", "USD", "¢", 180),
        ("AU:Adelaide", "Australia/Adelaide", "AUD", "c", 0),
    ],
)
def test_a_home_without_a_market_has_its_own_clock_money_and_sun(
    api: httpx.Client,
    database: Engine,
    *,
    place: str,
    zone: str,
    currency: str,
    unit: str,
    azimuth_deg: float,
) -> None:
    draft = begin(api)
    follow(api, draft, ("site", SITE | {"place": place}))
    devices = api.get(f"{draft}/devices").text
    facing = re.search(r'id="pv-0-azimuth_deg"[^>]*value="(\d+)"', devices)
    assert facing is not None
    assert float(facing[1]) == azimuth_deg
    for language in ("en", "de", "nl"):
        site, tariff = (
            unescape(api.get(f"{draft}/{step}", headers={"Accept-Language": language}).text)
            for step in ("site", "tariff")
        )
        guess = wording("setup", "guess_without_market", language, timezone=zone, currency=currency)
        assert guess in site
        assert wording("setup", f"country_{place[:2]}", language) in site
        assert wording("setup", "per_kwh", language, unit=unit) in tariff
        # Neither a kind of tariff that needs a market, nor a word of one.
        assert 'value="spot"' not in tariff
        assert wording("setup", "no_market", language) not in tariff
    roof = {"pv-0-peak_kw": "6", "pv-0-tilt_deg": "20", "pv-0-azimuth_deg": facing[1]}
    bands = {"default_price": "34", "first_price": "12", "first_days": "all"}
    night = TARIFF | bands | {"import_kind": "time_of_use", "first_from": "00:00"}
    steps = (
        ("devices", DEVICES | roof),
        ("tariff", night | {"first_to": "06:00"}),
        ("data", {"source": "nothing", "go": "next"}),
    )
    assert follow(api, draft, *steps) == "control"
    review = unescape(api.get(f"{draft}/review", headers={"Accept-Language": "en"}).text)
    assert f"12.0\u00a0{unit}/kWh" in review
    assert follow(api, draft, ("review", {"go": "next"})) == "plan"
    with unit_of_work(database) as connection:
        stored = sites.load(connection, OWN_ID)
    assert (stored.timezone, stored.currency, stored.country) == (zone, currency, place[:2])
    assert stored.pv[0].azimuth_deg == azimuth_deg
    assert stored.tariff.markets == []


def read_forecast_load(api: httpx.Client) -> dict[int, list[float]]:
    """Return the quarter-hours of the forecast's first day that drives the plan, kWh by hour of the
    site's clock.
    """
    path = f"/v1/sites/{OWN_ID}/series"
    spans = {each["series"]: each for each in api.get(path).json()["series"]}
    name = "slot_forecasts:baseline_like_days:load_kwh"
    rows = api.get(
        f"{path}/{name}", params={"from": spans[name]["first"], "to": spans[name]["end"]}
    ).json()["rows"][:96]
    by_hour: dict[int, list[float]] = {hour: [] for hour in range(24)}
    for row in rows:
        by_hour[
            datetime.fromisoformat(row["start"]).astimezone(ZoneInfo("Europe/Vienna")).hour
        ].append(row["value"])
    return by_hour


def test_what_a_household_says_of_itself_is_optional_and_what_is_assumed_is_listed(
    api: httpx.Client,
) -> None:
    said = {
        "": wording("setup", "review_load_assumed", kwh="3,500"),
        "4": wording("setup", "review_load_persons", kwh="4,085"),
    }
    for persons, expected in said.items():
        draft = begin(api)
        steps = [
            ("site", SITE | {"yearly_kwh": "", "persons": persons}),
            ("devices", DEVICES),
            ("tariff", TARIFF),
            ("data", {"go": "next"}),
        ]
        assert follow(api, draft, *steps) == "control"
        page = unescape(api.get(f"{draft}/review").text)
        assert f"<dd>{expected}</dd>" in page
        assert wording("setup", "assumed_heated_by") in page
    told = SITE | {
        "yearly_kwh": "",
        "persons": "3",
        "heated_by": "heat_pump",
        "heated_m2": "150",
        "car_km_per_year": "10.000",
    }
    assert follow(api, draft, ("site", told)) == "devices"
    page = unescape(api.get(f"{draft}/review").text)
    # 110 kWh of heat for each of 150 m², of which a heat pump makes 3.1 of one; 18 kWh for 100 km.
    assert wording("setup", "review_beside", what="a heat pump", kwh="5,323") in page
    assert wording("setup", "review_beside", what="10,000\u00a0km", kwh="1,800") in page
    assert wording("setup", "assumed_heating_kwh", kwh="5,323", area=150) in page
    assert wording("setup", "assumed_heated_by") not in page
    assert follow(api, begin(api), ("site", SITE | {"yearly_kwh": "3,5"})) == "site?check=1"


def test_what_is_wrong_is_said_at_its_field_in_the_reader_s_language_and_nothing_typed_is_lost(
    api: httpx.Client,
) -> None:
    draft = begin(api)
    assert (
        follow(
            api,
            draft,
            ("site", SITE),
            (
                "devices",
                DEVICES
                | {"batteries-0-power_kw": "viel", "batteries-0-efficiency_percent": "90.25"},
            ),
        )
        == "devices?check=1"
    )
    page = api.get(f"{draft}/devices?check=1", headers={"Accept-Language": "de"}).text
    assert wording("setup", "fault_number", "de") in unescape(page)
    # The list of faults names the device beside its field.
    assert '<a href="#batteries-0-power_kw">Batterie: Leistung</a>' in page
    assert 'value="viel"' in page
    assert 'value="9,6"' in page
    typed = 'value="90,25" maxlength="120" autocomplete="off" inputmode="decimal"'
    assert typed in flatten_html(page)
    assert re.search(r'id="batteries-0-power_kw"[^>]*aria-invalid="true"', page)


def test_devices_come_and_go_without_a_script(api: httpx.Client) -> None:
    draft = begin(api)
    follow(
        api,
        draft,
        ("devices", DEVICES | {"go": "add-batteries"}),
        ("devices", DEVICES | {"go": "add-vehicles"}),
    )
    assert 'id="vehicles-0-capacity_kwh"' in api.get(f"{draft}/devices").text
    assert follow(api, draft, ("devices", DEVICES | {"go": "remove-batteries-0"})) == "devices"
    assert 'id="batteries-0-capacity_kwh"' not in api.get(f"{draft}/devices").text


def test_a_name_that_is_taken_and_a_review_that_is_not_whole_lead_back(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api)
    assert follow(api, draft, ("site", SITE), ("review", {"go": "next"})) == "devices?check=1"
    follow(api, draft, ("devices", DEVICES), ("tariff", TARIFF), ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        assert OWN_ID in sites.names(connection)
    # Entered anew in the same draft, it is called otherwise and stays the same site.
    follow(api, draft, ("site", SITE | {"name": "家"}), ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).called == "家"
    follow(api, draft, ("site", SITE), ("review", {"go": "next"}))
    other = begin(api)
    assert follow(api, other, ("site", SITE | {"name": "haus müller"})) == "site?check=1"
    assert wording("setup", "fault_exists") in unescape(api.get(f"{other}/site?check=1").text)


def test_the_check_names_the_steps_that_are_not_done_and_leads_to_them(api: httpx.Client) -> None:
    draft = begin(api)
    languages: tuple[Language, ...] = ("en", "de", "nl")
    for language in languages:
        page = unescape(api.get(f"{draft}/review", headers={"Accept-Language": language}).text)
        assert wording("setup", "missing_steps", language) in page
        links = re.findall(r'<a href="(\w+)\?check=1">([^<]+)</a>', page)
        missing = ("site", "devices", "tariff")
        assert links == [(step, wording("setup", f"step_{step}", language)) for step in missing]
    follow(api, draft, ("site", SITE), ("devices", DEVICES))
    assert re.findall(r'"(\w+)\?check=1"', api.get(f"{draft}/review").text) == ["tariff"]
    assert "fault" in api.get(f"{draft}/tariff?check=1").text
    follow(api, draft, ("tariff", TARIFF))
    assert "?check=1" not in api.get(f"{draft}/review").text


def test_home_assistant_is_tried_its_sensors_are_guessed_and_its_token_is_stored_out_of_the_page(
    new_api: httpx.Client, tmp_path: Path
) -> None:
    house = House(
        {
            "sensor.house_energy": Sensor("kWh", counter=True, seconds=[0.0], states=["1"]),
            "sensor.grid_import": Sensor("kWh", seconds=[0.0], states=["1"]),
        }
    )
    draft = begin(new_api)
    with serve_home_assistant(house):
        url = house.url
        entered = {"source": "home_assistant", "url": url, "token": "wrong", "go": "connect"}
        assert follow(new_api, draft, ("site", SITE), ("data", entered)) == "data?look=1"
        assert wording("setup", "ha_token") in unescape(new_api.get(f"{draft}/data?look=1").text)
        follow(new_api, draft, ("data", entered | {"token": TOKEN}))
        page = new_api.get(f"{draft}/data?look=1").text
    assert re.search(r'<option value="sensor.house_energy" selected', page)
    assert TOKEN not in page
    assert TOKEN in (tmp_path / "settings.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answer", "kept"), [({}, 1), ({"changed_sensors": "always"}, 0)], ids=["from now on", "always"]
)
def test_a_sensor_that_gets_another_role_keeps_what_it_said_before_unless_it_always_had_it(
    new_api: httpx.Client, database: Engine, answer: dict[str, str], kept: int
) -> None:
    access = {"source": "home_assistant", "url": "http://127.0.0.1:9", "token": TOKEN, "go": "next"}
    draft = begin(new_api)
    steps = (("site", SITE), ("devices", DEVICES), ("tariff", TARIFF))
    follow(
        new_api,
        draft,
        *steps,
        ("data", access | {"sensor-total_grid_import": "sensor.meter"}),
        ("review", {"go": "next"}),
    )
    follow(new_api, draft, ("data", access | {"sensor-total_grid_export": "sensor.meter"}))
    sold, bought = (
        wording("device_grid", f"role_total_grid_{way}") for way in ("export", "import")
    )
    assert (
        f"sensor.meter: {sold}; before: {bought}"
        in new_api.get(f"{draft}/review", headers={"Accept-Language": "en"}).text
    )
    follow(new_api, draft, ("review", {"go": "next"} | answer))
    with unit_of_work(database) as connection:
        sensors = sites.load(connection, OWN_ID).input_sensors
    assert (len(sensors.total_grid_import), len(sensors.total_grid_export)) == (kept, 1)


def test_another_time_zone_over_recorded_days_is_stored_once_it_is_accepted(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api)
    follow(
        api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    with unit_of_work(database) as connection:
        observations.write(
            connection,
            OWN_ID,
            np.array(["2024-03-01T12:00"], dtype="datetime64[s]"),
            {"load_kwh": np.array([0.1])},
        )
    follow(api, draft, ("site", SITE | {"timezone": "America/New_York"}))
    assert follow(api, draft, ("review", {"go": "next"})) == "review"
    review = unescape(api.get(f"{draft}/review", headers={"Accept-Language": "en"}).text)
    assert wording("setup", "clock_changes") in review
    assert follow(api, draft, ("review", {"go": "next", "accept_time_zone": "on"})) == "plan"
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).timezone == "America/New_York"
    # Back on the site's page it is asked again.
    page = f"/ui/sites/{OWN_ID}/site"
    asked = api.post(f"{page}/back", data={"version": "1"}).headers["Location"]
    assert asked == f"{page}?other_clock=1#version-1"
    german = unescape(api.get(asked, headers={"Accept-Language": "de"}).text)
    assert wording("setup", "clock_changes", "de") in german
    assert (
        api.post(f"{page}/back", data={"version": "1", "accept_time_zone": "on"}).headers[
            "Location"
        ]
        == page
    )
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).timezone == "Europe/Vienna"


def test_an_address_that_is_none_is_refused_where_it_stands(api: httpx.Client) -> None:
    draft = begin(api)
    for url in ("homeassistant", "ftp://ha", "http://", "http://ha:99999999", "http://h a"):
        assert (
            follow(
                api,
                draft,
                ("data", {"source": "home_assistant", "url": url, "token": "x", "go": "connect"}),
            )
            == "data?check=1"
        ), url


def test_a_file_is_kept_for_the_site_that_is_not_there_yet(api: httpx.Client) -> None:
    draft = begin(api)
    chosen = ("data", {"source": "file", "go": "next"})
    # A file that was chosen on the page but not uploaded is not passed over in silence.
    assert follow(api, draft, chosen) == "data?check=1"
    page = unescape(api.get(f"{draft}/data?check=1").text)
    assert wording("setup", "fault_not_uploaded") in page
    sent = api.post(
        "/ui/setup/upload",
        data={"draft_id": draft.rpartition("/")[2]},
        files={"file": ("zähler.csv", b"start,load_kwh\n")},
    )
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{draft}/file")
    assert "zähler.csv" in api.get(f"{draft}/data").text
    assert follow(api, draft, chosen) == "control"
    strange = api.post(
        "/ui/setup/upload", data={"draft_id": "none"}, files={"file": ("a.csv", b"x")}
    )
    assert strange.status_code == 404


def test_looking_twice_asks_once(api: httpx.Client, database: Engine) -> None:
    draft = begin(api)
    follow(
        api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    for _ in range(3):
        assert api.get(f"{draft}/progress").status_code == 200
    with unit_of_work(database) as connection:
        asked = [
            job
            for job in jobs.list_newest(connection, limit=500)
            if job.key.startswith(f"setup:{draft.rpartition('/')[2]}")
        ]
    assert [job.task for job in asked] == ["forecaster.forecast.refresh"]


def test_a_fetch_that_brought_nothing_is_not_said_to_be_done(
    outside_api: httpx.Client, database: Engine
) -> None:
    draft = begin(outside_api)
    follow(
        outside_api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    for task, reply in (
        (RefreshForecastsRequest.task, {"sites": []}),
        (
            PlanRequest.task,
            {"site": OWN_ID, "slots": [{"reason": {"text": "Cheap sun is stored."}}]},
        ),
        (
            FetchWeatherRequest.task,
            {
                "sites": [
                    {
                        "site_id": OWN_ID,
                        "written": 0,
                        "faults": ["open-meteo: no answer within 30 s"],
                    }
                ]
            },
        ),
    ):
        look(outside_api, draft, database)
        end_job(database, draft, task, reply)
    shown = outside_api.get(f"{draft}/progress", headers={"Accept-Language": "en"}).text
    read = " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())
    nothing = [wording("refusals", f"{part}_nothing-fetched") for part in ("sentence", "remedy")]
    assert " ".join(nothing) in read
    assert "open-meteo" not in shown
    assert "no answer within 30 s" not in shown


def test_the_first_plan_waits_for_the_prices_of_its_tariff_and_for_no_weather(
    outside_api: httpx.Client, database: Engine
) -> None:
    spot = TARIFF | {"import_kind": "spot", "market": "AT", "markup": "17", "vat_percent": "20"}
    draft = begin(outside_api)
    follow(
        outside_api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", spot),
        ("data", {"source": "nothing", "go": "next"}),
        ("review", {"go": "next"}),
    )
    assert look(outside_api, draft, database) == {
        "forecaster.forecast.refresh",
        "ingest.prices.fetch",
    }
    end_job(database, draft, RefreshForecastsRequest.task, {"sites": []})
    assert PlanRequest.task not in look(outside_api, draft, database)
    # Nobody is reached: the plan does not wait for the net.
    unreached = {
        "market": "AT",
        "faults": ["energy_charts is not reached: [Errno -2] Name or service not known"],
    }
    end_job(database, draft, FetchPricesRequest.task, {"markets": [unreached], "reached": False})
    assert look(outside_api, draft, database) == {
        "forecaster.forecast.refresh",
        "ingest.prices.fetch",
        PlanRequest.task,
    }
    end_job(
        database,
        draft,
        PlanRequest.task,
        {"site": OWN_ID, "slots": [{"reason": {"text": "Cheap sun is stored."}}]},
    )
    assert FetchWeatherRequest.task in look(outside_api, draft, database)
    shown = outside_api.get(f"{draft}/progress", headers={"Accept-Language": "en"}).text
    assert f'href="/ui/sites/{OWN_ID}/home"' in shown
    assert "Cheap sun is stored." in shown
    assert wording("setup", "after_plan") in unescape(shown)
    assert wording("refusals", "sentence_nobody-reached") in unescape(shown)
    assert "Errno" not in shown


def test_what_comes_after_a_stage_that_failed_is_not_awaited(
    outside_api: httpx.Client, database: Engine
) -> None:
    draft = begin(outside_api)
    follow(
        outside_api,
        draft,
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    look(outside_api, draft, database)
    end_job(database, draft, RefreshForecastsRequest.task, {"sites": []})
    look(outside_api, draft, database)
    end_job(database, draft, PlanRequest.task, {}, status="dead")
    shown = outside_api.get(f"{draft}/progress", headers={"Accept-Language": "en"}).text
    assert wording("setup", "status_not_begun") in shown
    assert wording("setup", "status_waiting") not in re.findall(r"muted\">([^<]*)<", shown)


def look(api: httpx.Client, draft: str, database: Engine) -> set[str]:
    """Look at the preparation and return the tasks that were asked for so far."""
    assert api.get(f"{draft}/progress").status_code == 200
    with unit_of_work(database) as connection:
        return {
            job.task
            for job in jobs.list_newest(connection, limit=500)
            if job.key.startswith(f"setup:{draft.rpartition('/')[2]}")
        }


def end_job(
    database: Engine,
    draft: str,
    task: str,
    reply: dict[str, Any],
    *,
    status: Literal["done", "dead"] = "done",
) -> None:
    """End the job of a task of the preparation, as a worker does."""
    with unit_of_work(database) as connection:
        asked = next(
            job
            for job in jobs.list_newest(connection, limit=500)
            if job.task == task and find_run(database, draft) in job.key
        )
        jobs.finish(
            connection, jobs.begin(connection, asked.job_id), status=status, reply=json.dumps(reply)
        )


def find_run(database: Engine, draft: str) -> str:
    with unit_of_work(database) as connection:
        draft_id = draft.rpartition("/")[2]
        return f"{draft_id}:{setup_drafts.load(connection, draft_id)['run']}"


@pytest.mark.parametrize(
    "step", ["site", "devices", "tariff", "data", "control", "review", "plan", "progress"]
)
def test_a_draft_that_is_not_there_is_said_so(api: httpx.Client, step: str) -> None:
    assert api.get(f"/ui/setup/nothing/{step}").status_code == 404


def test_a_tariff_is_changed_on_one_page(api: httpx.Client) -> None:
    follow(
        api,
        begin(api),
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    page = f"/ui/sites/{OWN_ID}/site"
    draft = (
        api.post(f"{page}/change", data={"step": "tariff"})
        .headers["Location"]
        .removesuffix("/tariff")
    )
    assert (
        follow(api, draft, ("tariff", TARIFF | {"import_price": "viel", "go": "store"}))
        == "tariff?check=1"
    )
    assert follow(api, draft, ("tariff", TARIFF | {"import_price": "27", "go": "store"})) == page
    assert "27.0 ct/kWh" in api.get(page, headers={"Accept-Language": "en"}).text.replace(
        "\u00a0", " "
    )


CAR_TARIFF = {
    "priced_devices": "vehicles",
    "vehicles_name": "Autotarif",
    "device_price": "0",
    "device_limit": "6",
    "device_limit_unit": "hours",
    "device_from": "23:30",
    "device_to": "05:30",
    "device_beyond": "19,5",
    "device_day_begins": "noon",
}


def test_a_car_gets_a_price_of_its_own_which_goes_again(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api)
    follow(api, draft, ("site", SITE), ("devices", DEVICES))
    wrong = TARIFF | CAR_TARIFF | {"device_limit": "6,1", "device_beyond": "-1"}
    assert follow(api, draft, ("tariff", wrong)) == "tariff?check=1"
    page = api.get(f"{draft}/tariff?check=1").text
    assert {'id="device_limit-fault"', 'id="device_beyond-fault"'} <= set(
        re.findall(r'id="device_[a-z]+-fault"', page)
    )
    follow(api, draft, ("tariff", TARIFF | CAR_TARIFF), ("review", {"go": "next"}))
    (price,) = read_tariff(database).devices
    assert (price.name, price.devices, price.hours_per_day) == ("Autotarif", "vehicles", 6)
    assert (price.price, price.price_beyond, price.day_begins) == (0, 0.195, "12:00")
    english = {"Accept-Language": "en"}
    change = f"/ui/sites/{OWN_ID}/site/change"
    again = api.post(change, data={"step": "tariff"}).headers["Location"]
    page = api.get(again, headers=english).text
    assert re.search(r'value="vehicles"\s+selected', page)
    draft = again.removesuffix("/tariff")
    answers = TARIFF | CAR_TARIFF | {"device_limit": "7", "go": "store"}
    assert follow(api, draft, ("tariff", answers)) == f"/ui/sites/{OWN_ID}/site"
    assert read_tariff(database).devices[0].hours_per_day == 7
    review = flatten_html(api.get(f"/ui/sites/{OWN_ID}/site", headers=english).text)
    said = "Autotarif: cars pay the same as the house from 23:30 to 05:30, for 7 h a day"
    assert said in review.replace("\u00a0", " ")
    draft = api.post(change, data={"step": "tariff"}).headers["Location"].removesuffix("/tariff")
    follow(api, draft, ("tariff", TARIFF | {"priced_devices": "none", "go": "store"}))
    assert read_tariff(database).devices == ()


def read_tariff(database: Engine) -> Tariff:
    with unit_of_work(database) as connection:
        return sites.load(connection, OWN_ID).tariff


PARTS = {
    "import_kind": "parts",
    "energy_kind": "spot",
    "energy_market": "AT",
    "energy_surcharge": "1,5",
    "energy_billed": "60",
    "fee_kind": "windows",
    "fee_default_price": "11,3",
    "fee-0-fee_from": "15:00",
    "fee-0-fee_to": "20:00",
    "fee-0-fee_window_price": "18,6",
    "levies_kind": "published",
    "parts_vat_percent": "20",
    "base_price": "4,5",
    "export_kind": "fixed",
    "export_price": "7",
    "go": "next",
}


def test_the_parts_of_a_bill_are_shown_by_the_hour_and_reviewed_in_words(
    api: httpx.Client,
) -> None:
    draft = begin(api)
    english = {"Accept-Language": "en"}
    follow(api, draft, ("site", SITE), ("devices", DEVICES))
    show = PARTS | {"go": "show"}
    wrong = show | {"fee-0-fee_window_price": "viel", "energy_surcharge": "1,75"}
    assert follow(api, draft, ("tariff", wrong)) == "tariff?check=1#preview"
    page = api.get(f"{draft}/tariff?check=1", headers=english).text
    assert 'id="fee-0-fee_window_price-fault"' in page
    assert re.search(r'name="energy_surcharge"\s+value="1[.,]75"', page)
    assert 'class="chart price-day"' not in page
    follow(api, draft, ("tariff", show))
    page = api.get(f"{draft}/tariff?check=1", headers=english).text
    labels = re.findall(r'class="chart price-day"[^>]*aria-label="([^"]+)"', page)
    assert len(labels) == 2
    assert follow(api, draft, ("tariff", PARTS)) == "data"
    review = flatten_html(api.get(f"{draft}/review", headers=english).text).replace("\u00a0", " ")
    said = [
        "energy: market price AT, billed by the hour, plus 20% VAT",
        "surcharge: 1.5 ct at any time",
        "grid fee: 18.6 ct from 15:00 to 20:00, else 11.3 ct, plus 20% VAT",
        "base price: €4.50 a month",
    ]
    assert [text for text in said if text not in review] == []


def test_a_price_of_the_file_is_shown_and_stays_until_another_is_chosen(
    api: httpx.Client, database: Engine
) -> None:
    follow(
        api,
        begin(api),
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    rule = {
        "kind": "components",
        "components": [
            {"kind": "spot", "name": "Energie", "market": "AT", "factor": 1.02},
            {"kind": "fixed", "name": "Netz", "price": 7.25, "unit": "cents_per_kwh"},
        ],
    }
    base = [{"name": "Messung", "price": 0.05, "per": "day"}]
    with unit_of_work(database) as connection:
        stored = sites.read(connection, OWN_ID)
        document = stored.site.model_dump(mode="json", by_alias=True)
        tariff = document["tariff"] | {"import": rule, "base": base}
        own = parse_site(document | {"tariff": tariff})
        sites.save(connection, own)
    page = f"/ui/sites/{OWN_ID}/site"
    draft = api.post(f"{page}/change", data={"step": "tariff"}).headers["Location"]
    draft = draft.removesuffix("/tariff")
    for language in ("en", "de", "nl"):
        shown = api.get(f"{draft}/tariff", headers={"Accept-Language": language}).text
        assert re.search(r'name="import_kind"\s+value="kept"\s+checked', shown)
        assert "Netz: 7" in shown
        assert "Messung: " in shown
    kept = {"import_kind": "kept", "export_kind": "fixed", "export_price": "6", "go": "store"}
    assert follow(api, draft, ("tariff", kept)) == page
    with unit_of_work(database) as connection:
        site = sites.load(connection, OWN_ID)
    assert (site.tariff.import_, site.tariff.base) == (own.tariff.import_, own.tariff.base)
    assert site.tariff.export.model_dump() == {"kind": "fixed", "price": 0.06}


def test_a_site_is_changed_on_its_page_and_a_version_comes_back(
    api: httpx.Client, database: Engine
) -> None:
    follow(
        api,
        begin(api),
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("review", {"go": "next"}),
    )
    page = f"/ui/sites/{OWN_ID}/site"
    assert "9.6 kWh" in api.get(page).text
    draft = (
        api.post(f"{page}/change", data={"step": "devices"})
        .headers["Location"]
        .removesuffix("/devices")
    )
    assert 'value="Akku' not in api.get(f"{draft}/devices").text
    assert 'name="batteries-0-name" value="battery"' in api.get(f"{draft}/devices").text
    changed = DEVICES | {
        "batteries-0-name": "battery",
        "batteries-0-capacity_kwh": "12",
        "batteries-0-from_grid": "",
        "go": "next",
    }
    assert (
        follow(
            api,
            draft,
            ("devices", changed | {"batteries-0-capacity_kwh": "viel"}),
            ("review", {"go": "next"}),
        )
        == "devices?check=1"
    )
    assert follow(api, draft, ("devices", changed)) == "tariff"
    german = {"Accept-Language": "de"}
    review = flatten_html(api.get(f"{draft}/review", headers=german).text)
    assert "Batterie: Kapazität" in review
    assert "<td>9,6 kWh</td><td>12 kWh</td>" in review
    assert api.post(f"{draft}/review", data={"go": "next"}).headers["Location"] == page
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).batteries[0].capacity_kwh == 12
    # Sent once more, it would go over what is there now.
    assert api.post(f"{draft}/review", data={"go": "next"}).status_code == 409
    shown = " ".join(re.sub(r"<[^>]+>", "", api.get(page).text).split())
    assert "Battery: capacity: 9.6 → 12 kWh" in shown
    assert "capacity_kwh" not in shown
    assert wording("setup", "assumed_heated_by") in unescape(shown)
    assert api.post(f"{page}/back", data={"version": "1"}).status_code == 303
    assert api.post(f"{page}/back", data={"version": "99"}).status_code == 404
    with unit_of_work(database) as connection:
        assert sites.read(connection, OWN_ID).version == 3
        assert sites.load(connection, OWN_ID).batteries[0].capacity_kwh == 9.6


def test_sensors_are_changed_on_their_page_and_an_exchanged_meter_keeps_its_past(
    api: httpx.Client, database: Engine
) -> None:
    sensors = {"total_grid_import": "sensor.old", "vehicle_consumption": "sensor.wallbox"}
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            parse_site({"name": OWN_ID, "timezone": "Europe/Vienna", "input_sensors": sensors}),
        )
    page = f"/ui/sites/{OWN_ID}/site/sensors"
    assert "sensor.old" in api.get(f"/ui/sites/{OWN_ID}/site").text
    assert 'value="sensor.old"' in api.get(page).text
    typed = {
        "version": "1",
        "total_grid_import": "sensor.new",
        "vehicle_consumption": "sensor.wallbox",
    }
    asked = api.post(page, data=typed, headers={"Accept-Language": "de"}).text
    assert "<s>sensor.old</s>" in asked
    assert wording("setup", "changed_sensors_from-now", "de") in unescape(asked)
    twice = api.post(
        page, data=typed | {"total_grid_export": "sensor.new"}, headers={"Accept-Language": "de"}
    )
    assert twice.status_code == 200
    unmetered = api.post(
        page,
        data=typed | {"outside": "sensor.wallbox", "total_load_consumption": ""},
        headers={"Accept-Language": "de"},
    ).text
    beside = re.search(
        r'aria-describedby="(.*?)".*?role="alert" id="\1">(.*?)</p>', unmetered, re.DOTALL
    )
    assert beside is not None
    assert beside[1] == "total_load_consumption-fault"
    assert wording("refusals", "sentence_outside-meter-no-meter", "de") in unescape(beside[2])
    assert (
        api.post(page, data=typed | {"go": "store"}).headers["Location"]
        == f"/ui/sites/{OWN_ID}/site"
    )
    with unit_of_work(database) as connection:
        old, new = sites.load(connection, OWN_ID).input_sensors.total_grid_import
    assert (old.sensor, new.sensor, old.from_, new.until) == (
        "sensor.old",
        "sensor.new",
        None,
        None,
    )
    assert old.until == new.from_ is not None
    # Read from a version that is none any more.
    assert (
        api.post(
            page, data=typed | {"total_grid_import": "sensor.third", "go": "store"}
        ).status_code
        == 409
    )
    # Nothing is recorded: there is no past to read anew.
    always = typed | {
        "version": "2",
        "total_grid_import": "-sensor.new",
        "since": "always",
        "go": "store",
    }
    assert api.post(page, data=always).headers["Location"] == f"/ui/sites/{OWN_ID}/site"
    with unit_of_work(database) as connection:
        assert [
            each if isinstance(each, str) else each.sensor
            for each in sites.load(connection, OWN_ID).input_sensors.total_grid_import
        ] == [
            "sensor.old",
            "-sensor.new",
        ]


def test_sensors_that_were_always_otherwise_have_their_past_read_anew(
    api: httpx.Client, database: Engine
) -> None:
    # A counter that rises by half a kilowatt-hour in each quarter-hour, one that stands still, and
    # what came of them by each other's roles.
    first = datetime(2026, 3, 2, 12, tzinfo=UTC)
    counted = {"sensor.moving": 100 + 0.5 * np.arange(5), "sensor.still": np.full(5, 7.0)}
    timeline = Timeline(first, SLOT, 4)
    with unit_of_work(database) as connection:
        named = {"total_grid_import": "sensor.still", "total_grid_export": "sensor.moving"}
        sites.save(
            connection,
            parse_site({"name": OWN_ID, "timezone": "Europe/Vienna", "input_sensors": named}),
        )
        keys = readings.register(connection, OWN_ID, dict.fromkeys(counted, "kWh"))
        for name, values in counted.items():
            readings.upsert(
                connection,
                np.full(5, keys[name], dtype=np.int32),
                Timeline(first, SLOT, 5).starts.astype("datetime64[us]"),
                values,
            )
        observations.write(
            connection,
            OWN_ID,
            timeline.starts,
            {"import_kwh": np.zeros(4), "export_kwh": np.full(4, 0.5)},
        )
    turned = {
        "version": "1",
        "total_grid_import": "sensor.moving",
        "total_grid_export": "sensor.still",
        "since": "always",
        "go": "store",
    }
    job_id = (
        api.post(f"/ui/sites/{OWN_ID}/site/sensors", data=turned)
        .headers["Location"]
        .removeprefix(f"/ui/sites/{OWN_ID}/data?job=")
    )
    with unit_of_work(database) as connection:
        asked = BuildSlotsRequest.model_validate(jobs.load(connection, job_id).request)
        build_site_slots(connection, asked, now=datetime(2026, 3, 3, tzinfo=UTC))
        found = observations.read_series(connection, OWN_ID, timeline, ("import_kwh", "export_kwh"))
    assert {name: list(values) for name, values in found.items()} == {
        "import_kwh": [0.5] * 4,
        "export_kwh": [0.0] * 4,
    }


def test_who_is_only_advised_is_never_armed(api: httpx.Client, database: Engine) -> None:
    steps = (("site", SITE), ("devices", DEVICES), ("tariff", TARIFF), ("data", {"go": "next"}))
    draft = begin(api)
    follow(api, draft, *steps)
    assert 'value="advice" checked' in flatten_html(api.get(f"{draft}/control").text)
    assert follow(api, draft, ("control", {"by": "advice", "go": "next"})) == "review"
    german = api.get(f"{draft}/review", headers={"Accept-Language": "de"}).text
    assert wording("setup", "by_advice", "de") in german
    follow(api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).control == Control(by="advice")
    refused = api.post(f"/v1/sites/{OWN_ID}/control/arm")
    assert (refused.status_code, refused.json()["reason"]) == (422, "only-advised")
    planning = api.get(f"/ui/sites/{OWN_ID}/planning", headers={"Accept-Language": "en"})
    assert wording("planning", "control_advice") in unescape(planning.text)


def test_without_a_battery_nobody_asks_how_it_is_told(api: httpx.Client) -> None:
    steps = (
        ("site", SITE),
        ("devices", DEVICES | {"go": "remove-batteries-0"}),
        ("devices", {"go": "next"}),
        ("tariff", TARIFF),
        ("data", {"go": "next"}),
    )
    assert follow(api, begin(api), *steps) == "review"


def test_a_button_of_the_control_step_without_a_battery_shows_the_step_again(
    api: httpx.Client,
) -> None:
    steps = (
        ("site", SITE),
        ("devices", DEVICES | {"go": "remove-batteries-0"}),
        ("control", {"go": "add-vehicles"}),
    )
    assert follow(api, begin(api), *steps) == "control"


@needs_mosquitto
def test_over_mqtt_the_broker_is_asked_and_what_would_be_sent_is_shown(
    new_api: httpx.Client, tmp_path: Path
) -> None:
    draft = begin(new_api)
    follow(new_api, draft, ("site", SITE), ("devices", FROM_GRID), ("tariff", TARIFF))
    assert 'value="battery/mode/set"' in new_api.get(f"{draft}/control").text
    typed = {
        f"mqtt-0-{name}": text for name, text in METHODS["mqtt"].propose("battery", None).items()
    } | {"by": "mqtt", "go": "connect"}
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        entered = typed | {"mqtt_url": f"mqtt://luna:geheim@127.0.0.1:{broker.port}"}
        assert follow(new_api, draft, ("control", entered)) == "control?look=1"
        page = new_api.get(f"{draft}/control?look=1", headers={"Accept-Language": "en"}).text
    finally:
        broker.kill()
    assert wording("setup", "broker_found") in unescape(page)
    assert re.search(r"<code>battery/power/set</code> = <code>4600</code>", page)
    assert "geheim" not in page
    assert (
        json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))["mqtt_password"]
        == "geheim"
    )
    away = unescape(new_api.get(f"{draft}/control?look=1", headers={"Accept-Language": "de"}).text)
    assert wording("setup", "broker_away", "de") in away
    assert follow(new_api, draft, ("control", typed | {"mqtt_url": "broker"})) == "control?check=1"
    assert (
        follow(new_api, draft, ("control", typed | {"mqtt-0-mode_state": "", "go": "next"}))
        == "control?check=1"
    )


def test_through_home_assistant_entities_are_proposed_and_the_energy_dashboard_names_the_sensors(
    new_api: httpx.Client, database: Engine
) -> None:
    units = {"sensor.home_battery_soc": "%", "sensor.t1": "kWh", "sensor.t2": "kWh"}
    house = House({name: Sensor(unit, seconds=[0.0], states=["1"]) for name, unit in units.items()})
    house.commands = [
        {
            "entity_id": "select.inverter_mode",
            "state": "Self Use",
            "attributes": {"options": ["Self Use", "Standby", "Force Charge"]},
        },
        {
            "entity_id": "number.inverter_power",
            "state": "0",
            "attributes": {"unit_of_measurement": "W", "friendly_name": "Inverter battery power"},
        },
    ]
    house.dashboard = {
        "energy_sources": [
            {
                "type": "grid",
                "flow_from": [{"stat_energy_from": "sensor.t1"}, {"stat_energy_from": "sensor.t2"}],
            }
        ]
    }
    draft = begin(new_api)
    with serve_home_assistant(house):
        access = {"url": house.url, "token": TOKEN}
        follow(
            new_api,
            draft,
            ("site", SITE),
            ("devices", FROM_GRID),
            ("tariff", TARIFF),
            ("data", {"source": "home_assistant", "go": "connect"} | access),
        )
        page = new_api.get(f"{draft}/data?look=1", headers={"Accept-Language": "en"}).text
        assert re.search(
            r'<option value="sensor.t1,sensor.t2" selected>sensor.t1 \+ sensor.t2', page
        )
        follow(
            new_api,
            draft,
            (
                "data",
                {
                    "source": "home_assistant",
                    "sensor-total_grid_import": "sensor.t1,sensor.t2",
                    "go": "next",
                }
                | access,
            ),
        )
        # Away at first, its fields are shown and sent empty: that is no answer.
        house.faults.plan("/api/config", "503")
        assert (
            follow(new_api, draft, ("control", {"by": "home_assistant", "go": "next"} | access))
            == "control?look=1"
        )
        assert (
            'id="home_assistant-0-mode_place" name="home_assistant-0-mode_place" value=""'
            in flatten_html(new_api.get(f"{draft}/control?look=1").text)
        )
        empty = {f"home_assistant-0-{entry.name}": "" for entry in METHODS["home_assistant"].asks}
        assert (
            follow(
                new_api,
                draft,
                ("control", empty | {"by": "home_assistant", "go": "connect"} | access),
            )
            == "control?look=1"
        )
        page = new_api.get(f"{draft}/control?look=1").text
        chosen = dict(
            re.findall(
                r'<select id="home_assistant-0-(\w+)"(?:(?!</select>).)*?<option '
                r'value="([^"]+)" selected',
                page,
                re.DOTALL,
            )
        )
        # Nothing is lost where Home Assistant falls silent meanwhile.
        house.faults.plan("/api/config", "503")
        typed = {f"home_assistant-0-{name}": text for name, text in chosen.items()} | {
            "by": "home_assistant",
            "go": "connect",
        }
        assert follow(new_api, draft, ("control", typed | access)) == "control?look=1"
        away = new_api.get(f"{draft}/control?look=1").text
    assert chosen == {
        "soc_place": "sensor.home_battery_soc",
        "mode_place": "select.inverter_mode",
        "word_self_consumption": "Self Use",
        "word_hold": "Standby",
        "word_charge": "Force Charge",
        "power_place": "number.inverter_power",
        "power_unit": "W",
    }
    assert 'value="select.inverter_mode"' in away
    assert "<code>number.set_value number.inverter_power</code> = <code>4600</code>" in away
    assert TOKEN not in page + away
    follow(new_api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        site = sites.load(connection, OWN_ID)
    assert site.control is not None
    assert [write.to for write in site.control.writes] == [
        "number.inverter_power",
        "select.inverter_mode",
    ]
    assert len(site.input_sensors.total_grid_import) == 2


def test_how_a_battery_is_told_is_changed_on_the_site_s_page_and_armed_anew(
    api: httpx.Client, database: Engine
) -> None:
    typed = {
        f"mqtt-0-{name}": text for name, text in METHODS["mqtt"].propose("battery", None).items()
    } | {"by": "mqtt", "go": "next"}
    broker = {"mqtt_url": "mqtt://127.0.0.1:9"}
    follow(
        api,
        begin(api),
        ("site", SITE),
        ("devices", DEVICES),
        ("tariff", TARIFF),
        ("control", typed | broker),
        ("review", {"go": "next"}),
    )
    page = f"/ui/sites/{OWN_ID}/site"
    with unit_of_work(database) as connection:
        control.arm(connection, OWN_ID, at=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), by="test")
    draft = (
        api.post(f"{page}/change", data={"step": "control"})
        .headers["Location"]
        .removesuffix("/control")
    )
    assert 'value="battery/mode/set"' in api.get(f"{draft}/control").text
    assert follow(api, draft, ("control", {"by": "advice", "go": "next"})) == "review"
    review = api.get(f"{draft}/review", headers={"Accept-Language": "de"}).text
    advice = wording("setup", "by_advice", "de")
    assert f"<td>MQTT</td><td>{advice}</td>" in flatten_html(review)
    follow(api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).control == Control(by="advice")
        assert control.load(connection, OWN_ID).armed_at is None


def test_a_battery_that_luna_speaks_to_itself_is_named_by_product_and_address(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api)
    follow(api, draft, ("site", SITE), ("devices", DEVICES), ("tariff", TARIFF))
    page = api.get(f"{draft}/control").text
    assert all(
        f'name="profile-0-{name}"' in page
        for name in ("profile_place", "host_place", "port_number", "unit_number")
    )
    typed = {
        "by": "profile",
        "profile-0-profile_place": "sunspec_12x",
        "profile-0-host_place": "192.0.2.1",
        "profile-0-port_number": "1502",
    }
    assert (
        follow(api, draft, ("control", typed | {"profile-0-host_place": "", "go": "next"}))
        == "control?check=1"
    )
    assert follow(api, draft, ("control", typed | {"go": "connect"})) == "control"
    page = api.get(f"{draft}/control").text
    assert 'value="192.0.2.1"' in page
    # What would be written, by name and register.
    assert "OutWRte (124/12)" in page
    follow(api, draft, ("control", typed | {"go": "next"}))
    assert "<dd>sunspec_12x, 192.0.2.1:1502</dd>" in api.get(f"{draft}/review").text
    follow(api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        stored = sites.load(connection, OWN_ID).control
    assert stored is not None
    assert stored.by == "profile"
    assert stored.vias == {"battery": Via(profile="sunspec_12x", host="192.0.2.1", port=1502)}


def test_the_rehearsal_shows_what_the_plan_sends_in_the_next_quarter_hours(
    api: httpx.Client, database: Engine
) -> None:
    typed = {
        f"mqtt-0-{name}": text for name, text in METHODS["mqtt"].propose("battery", None).items()
    } | {"by": "mqtt", "go": "next"}
    broker = {"mqtt_url": "mqtt://127.0.0.1:9"}
    follow(
        api,
        begin(api),
        ("site", SITE),
        ("devices", FROM_GRID),
        ("tariff", TARIFF),
        ("control", typed | broker),
        ("review", {"go": "next"}),
    )
    # It holds in the quarter-hour that is under way, and charges with more watts in each that
    # follows; other tests have planned this site before.
    now = datetime.now(UTC)
    first = floor_to(now, SLOT)
    hold = [BatterySetpoint(mode="hold")]
    charge = [
        BatterySetpoint(mode="charge", power_kw=kw / 10, target_soc=0.9) for kw in range(11, 31)
    ]
    with unit_of_work(database) as connection:
        plan = describe_plan("rehearsed", first, hold + charge).model_copy(
            update={"site": OWN_ID, "issued_at": now}
        )
        store_plan(connection, OWN_ID, plan)
    draft = (
        api.post(f"/ui/sites/{OWN_ID}/site/change", data={"step": "control"})
        .headers["Location"]
        .removesuffix("/control")
    )
    page = api.get(f"{draft}/control").text
    row = r'<th scope="row">\s*(\d\d:\d\d) [^<]+</th>\s*<td>(.*?)</td>'
    rows = re.findall(row, page, re.DOTALL)
    sent = [
        (clock, re.findall(r"<code>battery/power/set</code> = <code>(\d+)</code>", writes))
        for clock, writes in rows
    ]
    assert len(sent) == 8
    clock = (first + 3 * SLOT).astimezone(ZoneInfo("Europe/Vienna"))
    assert (f"{clock:%H:%M}", ["1300"]) in sent


def test_reacting_within_seconds_is_switched_on_where_the_house_is_metered(
    api: httpx.Client, database: Engine
) -> None:
    draft = begin(api)
    follow(api, draft, ("site", SITE), ("devices", DEVICES), ("tariff", TARIFF))
    names = [
        f'name="{by}-steering"' in api.get(f"{draft}/control").text for by in ("mqtt", "advice")
    ]
    assert names == [True, False]
    typed = {
        f"mqtt-0-{name}": text for name, text in METHODS["mqtt"].propose("battery", None).items()
    } | {"by": "mqtt", "mqtt_url": "mqtt://127.0.0.1:9", "go": "next"}
    steered = typed | {"mqtt-steering": "on"}
    # Nothing measures what the house draws.
    assert follow(api, draft, ("control", steered)) == "control?check=1"
    page = unescape(api.get(f"{draft}/control?check=1", headers={"Accept-Language": "en"}).text)
    assert wording("setup", "fault_steering_unmetered") in page
    assert wording("setup", "hint_steering") in page
    assert 'name="mqtt-steering" value="on" checked' in flatten_html(page)
    # Another method's switch counts for nothing.
    assert follow(api, draft, ("control", typed | {"profile-steering": "on"})) == "review"
    follow(api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        site = sites.load(connection, OWN_ID)
        assert site.control is not None
        assert not site.control.is_steered
        document = site.model_dump(mode="json", by_alias=True)
        sensors = {"total_grid_import": "meter/import"}
        sites.save(connection, parse_site(document | {"input_sensors": sensors}))
    draft = (
        api.post(f"/ui/sites/{OWN_ID}/site/change", data={"step": "control"})
        .headers["Location"]
        .removesuffix("/control")
    )
    assert follow(api, draft, ("control", steered)) == "review"
    review = flatten_html(api.get(f"{draft}/review", headers={"Accept-Language": "en"}).text)
    no = wording("setup", "switch_off")
    yes = wording("setup", "switch_on")
    assert f"<td>{no}</td><td>{yes}</td>" in review
    follow(api, draft, ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        stored = sites.load(connection, OWN_ID).control
    assert stored is not None
    assert stored.is_steered
    # It is off again with advice alone, which sends nothing.
    draft = (
        api.post(f"/ui/sites/{OWN_ID}/site/change", data={"step": "control"})
        .headers["Location"]
        .removesuffix("/control")
    )
    shown = flatten_html(api.get(f"{draft}/control").text)
    assert 'name="mqtt-steering" value="on" checked' in shown
    advised = steered | {"by": "advice"}
    follow(api, draft, ("control", advised), ("review", {"go": "next"}))
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).control == Control(by="advice")


def test_a_car_that_only_the_file_can_command_reacts_within_seconds_by_a_button(
    api: httpx.Client, database: Engine
) -> None:
    section = {
        "by": "home_assistant",
        "vehicles": [
            {
                "vehicle": "car",
                "modes": {"charge": "on", "stop": "off", "own": "auto"},
                "writes": [{"to": "switch.charger", "value": "{mode}"}],
            }
        ],
    }
    document = {
        "name": OWN_ID,
        "timezone": "Europe/Vienna",
        "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
        "control": section,
    }
    page = f"/ui/sites/{OWN_ID}/site"
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(document))
    begins = wording("setup", "steering_begin")
    assert begins in api.get(page, headers={"Accept-Language": "en"}).text
    refused = api.post(f"{page}/steering", data={"steering": "true"})
    assert refused.status_code == 422
    sensors = {"total_grid_import": "sensor.import"}
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(document | {"input_sensors": sensors}))
        control.arm(connection, OWN_ID, at=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), by="test")
    assert api.post(f"{page}/steering", data={"steering": "true"}).status_code == 303
    with unit_of_work(database) as connection:
        stored = sites.load(connection, OWN_ID).control
        assert control.load(connection, OWN_ID).armed_at is None
    assert stored == Control.model_validate(section | {"steering": True})
    assert wording("setup", "steering_end") in api.get(page, headers={"Accept-Language": "en"}).text
    assert api.post(f"{page}/steering", data={"steering": "false"}).status_code == 303
    with unit_of_work(database) as connection:
        assert sites.load(connection, OWN_ID).control == Control.model_validate(section)
        sites.save(connection, parse_site(document | {"control": None}))
    assert api.post(f"{page}/steering", data={"steering": "true"}).status_code == 422
