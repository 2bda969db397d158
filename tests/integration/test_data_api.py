"""Stored series over HTTP: every form, page by page, over clock changes, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, text

from luna.contracts import PlanReply
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import forecasts, observations, prices, readings
from luna.platform.database.copy import append
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.ingest.loading import FileForm, load_file
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.planning.plans import store_plan
from tests.support.suite.tables import each_row

pytestmark = pytest.mark.every_database

PROBLEM = "application/problem+json"
SITE = "history"
# Local midnight of 30 March 2024; clocks go forward on the 31st.
START = datetime(2024, 3, 29, 23, tzinfo=UTC)
SLOTS = 96 + 92 + 96
TIMELINE = Timeline(START, SLOT, SLOTS)
GAP = slice(100, 104)
ASKED = {"site": SITE, "series": "load_kwh", "from": "2024-03-30", "to": "2024-04-02"}


def load_of(slots: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    load = np.random.default_rng(3).random(slots)
    load[GAP] = np.nan
    return load


LOAD = load_of(SLOTS)


@pytest.fixture(scope="module")
def stored(database: Engine) -> Iterator[Engine]:
    """Three local days of a home, of which one hour is unknown."""
    with unit_of_work(database) as connection:
        store_site(connection, name=SITE)
        observations.write(
            connection, SITE, TIMELINE.starts, {"load_kwh": LOAD, "soc": np.linspace(0, 1, SLOTS)}
        )
        prices.upsert(
            connection,
            "HISTORY",
            starts=TIMELINE.starts,
            price=np.full(SLOTS, 0.2),
            currency="EUR",
            published_at=START,
        )
        later = START + timedelta(hours=5)
        prices.upsert(
            connection,
            "HISTORY",
            starts=TIMELINE.starts[:4],
            price=np.full(4, 0.4),
            currency="EUR",
            published_at=later,
        )
        for hours, expected in ((0, 1.0), (1, 2.0)):
            store_forecast(connection, START + timedelta(hours=hours), expected)
            store_plan_of(connection, f"history-{hours}", START + timedelta(hours=hours), expected)
        key = readings.register(connection, SITE, {"meter": "kWh"})["meter"]
        instants = np.datetime64("2024-03-30", "us") + np.arange(100) * np.timedelta64(60, "s")
        readings.upsert(connection, np.full(100, key, dtype=np.int32), instants, np.arange(100.0))
        append(
            connection,
            "smart_meter_readings",
            {
                "meter": "1EMH",
                "register": "1-0:1.8.0",
                "instant": instants,
                "value": np.arange(100.0),
            },
        )
    yield database
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM smart_meter_readings; DELETE FROM plan_history"))


def store_forecast(connection: Any, issued_at: datetime, expected: float) -> None:
    values = np.full(8, expected)
    quantiles = Quantiles(
        values, values / 2, values / 2, values / 2, values, values * 2, values * 2, values * 2
    )
    forecasts.upsert(
        connection,
        SITE,
        [Forecast(Timeline(issued_at, SLOT, 8), issued_at, "test_v1", quantiles, quantiles)],
    )


def store_plan_of(connection: Any, plan_id: str, issued_at: datetime, import_kwh: float) -> None:
    flow = {"charge_kwh": 0.5, "discharge_kwh": 0.0, "soc_end": 0.5}
    zeros = dict.fromkeys(
        ("load_kwh", "pv_kwh", "curtailed_kwh", "export_kwh", "import_price", "export_price"), 0.0
    )
    slot = {
        "mode": "hold",
        "import_kwh": import_kwh,
        "batteries": {"one": flow, "two": flow},
        "reason": {"code": "idle", "text": "idle"},
        **zeros,
    }
    document = {
        "plan_id": plan_id,
        "status": "optimal",
        "gap": 0.0,
        "cost": {
            "total": 0.0,
            "import": 0.0,
            "export": 0.0,
            "wear": 0.0,
            "peak": 0.0,
            "carbon_g": None,
        },
        "timing_ms": {},
        "slots": [slot | {"start": issued_at + place * SLOT} for place in range(8)],
        "site": SITE,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "slot_minutes": 15,
        "issued_at": issued_at,
    }
    store_plan(connection, SITE, PlanReply.model_validate(document))


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, stored: Engine) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def ask(api: httpx.Client, **options: object) -> httpx.Response:
    return api.get(
        "/data/query",
        params={name.rstrip("_"): str(value) for name, value in (ASKED | options).items()},
    )


def rows(api: httpx.Client, **options: object) -> list[dict[str, Any]]:
    answer = ask(api, **options)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def values(api: httpx.Client, **options: object) -> list[float | None]:
    return [row["value"] for row in rows(api, **options)]


def test_a_series_comes_by_the_quarter_hour_with_its_gaps_null(api: httpx.Client) -> None:
    found = rows(api)
    assert [row["start"] for row in found] == np.datetime_as_string(
        TIMELINE.starts, timezone="UTC"
    ).tolist()
    assert [row["value"] for row in found] == [None if np.isnan(value) else value for value in LOAD]
    assert found[100] == {
        "start": "2024-03-31T00:00:00Z",
        "value": None,
        "known": 0.0,
        "estimated": 0.0,
    }


def test_times_are_by_the_sites_clock_or_by_their_offset(api: httpx.Client) -> None:
    assert values(api) == values(api, from_="2024-03-29T23:00:00Z", to="2024-04-02T00:00:00+02:00")


def test_local_days_of_a_clock_change_are_summed_by_their_own_slots(api: httpx.Client) -> None:
    found = rows(api, resolution="1d")
    assert [row["start"] for row in found] == [
        "2024-03-29T23:00:00Z",
        "2024-03-30T23:00:00Z",
        "2024-03-31T22:00:00Z",
    ]
    # The hour that is unknown makes the second day's sum unknown: 88 of 92 quarter-hours.
    assert [row["value"] for row in found] == [
        pytest.approx(LOAD[:96].sum()),
        None,
        pytest.approx(LOAD[188:].sum()),
    ]
    assert found[1]["known"] == pytest.approx(88 / 92)


@pytest.mark.parametrize(
    ("aggregate", "reduce"), [("mean", np.nanmean), ("min", np.nanmin), ("max", np.nanmax)]
)
def test_aggregates_other_than_sums_are_of_what_is_known(
    api: httpx.Client, aggregate: str, reduce: Any
) -> None:
    assert values(api, resolution="1d", aggregate=aggregate)[1] == pytest.approx(
        reduce(LOAD[96:188])
    )


def test_the_mean_is_usual_for_what_is_no_energy(api: httpx.Client) -> None:
    answer = ask(api, series="soc", resolution="1h").json()
    assert (answer["aggregate"], len(answer["rows"])) == ("mean", SLOTS // 4)


def test_json_csv_and_arrow_hold_the_same_rows(api: httpx.Client) -> None:
    expected = rows(api)
    csv = pl.read_csv(ask(api, format="csv").content)
    arrow = pl.read_ipc_stream(BytesIO(ask(api, format="arrow").content))
    assert csv.columns == arrow.columns == ["start", "value", "known", "estimated"]
    assert csv.to_dicts() == expected
    assert (
        arrow.with_columns(pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts() == expected
    )
    assert arrow.schema["start"] == pl.Datetime("ms", "UTC")


def test_forms_are_named_by_their_media_types(api: httpx.Client) -> None:
    kinds = [ask(api, format=form).headers["content-type"] for form in ("json", "csv", "arrow")]
    assert kinds == [
        "application/json",
        "text/csv; charset=utf-8",
        "application/vnd.apache.arrow.stream",
    ]


def test_a_csv_answer_can_be_loaded_again(
    api: httpx.Client, stored: Engine, tmp_path: Path
) -> None:
    (tmp_path / "answer.csv").write_bytes(ask(api, format="csv").content)
    form = FileForm("observations", renamed={"slot_start": "start", "load_kwh": "value"})
    with unit_of_work(stored) as connection:
        store_site(connection, name="copied")
        load_file(connection, "copied", tmp_path / "answer.csv", form)
    assert values(api, site="copied") == values(api)


def follow(api: httpx.Client, **options: object) -> Iterator[list[dict[str, Any]]]:
    answer = ask(api, **options).json()
    yield answer["rows"]
    while answer["cursor"]:
        answer = ask(api, **options, cursor=answer["cursor"]).json()
        yield answer["rows"]


@pytest.mark.parametrize("resolution", ["15m", "1h", "1d"])
def test_pages_hold_every_row_once(api: httpx.Client, resolution: str) -> None:
    most = {"15m": 40, "1h": 7, "1d": 2}[resolution]
    pages = list(follow(api, resolution=resolution, limit=most))
    assert [row for page in pages for row in page] == rows(api, resolution=resolution)
    assert max(map(len, pages)) <= most


def test_pages_stay_complete_while_readings_arrive(api: httpx.Client, stored: Engine) -> None:
    asked = {
        "series": "sensor_readings:growing",
        "from_": "2024-03-30T00:00:00Z",
        "to": "2024-03-31T00:00:00Z",
        "limit": 10,
    }
    instants = np.datetime64("2024-03-30", "us") + np.arange(30) * np.timedelta64(60, "s")
    seen: list[str] = []
    with unit_of_work(stored) as connection:
        key = readings.register(connection, SITE, {"growing": None})["growing"]
        readings.upsert(connection, np.full(30, key, dtype=np.int32), instants, np.arange(30.0))
    for page in follow(api, **asked):
        seen += [row["instant"] for row in page]
        # Right behind what was read, and at the end.
        arrived = np.array(
            [
                np.datetime64(seen[-1][:-1], "us") + np.timedelta64(1, "s"),
                np.datetime64("2024-03-30T12:00", "us"),
            ]
        )
        with unit_of_work(stored) as connection:
            readings.upsert(connection, np.full(2, key, dtype=np.int32), arrived, np.zeros(2))
    assert seen == sorted(set(seen))
    assert set(np.datetime_as_string(instants, timezone="UTC").tolist()) < set(seen)
    assert "2024-03-30T12:00:00.000000Z" in seen


def test_the_next_page_is_linked_in_every_form(api: httpx.Client) -> None:
    first = ask(api, format="csv", limit=200)
    second = api.get(first.links["next"]["url"])
    assert "next" not in second.links
    assert pl.concat([pl.read_csv(first.content), pl.read_csv(second.content)]).height == SLOTS


def test_a_csv_without_limit_holds_all_of_a_long_window(api: httpx.Client) -> None:
    found = pl.read_csv(ask(api, format="csv", from_="2022-01-01", to="2025-01-01").content)
    # Three years of quarter-hours, one of them a leap year: more than a page.
    assert (found.height, found["start"].n_unique(), found["value"].count()) == (
        105_216,
        105_216,
        SLOTS - 4,
    )


def test_a_thinned_series_keeps_extremes_and_gaps(api: httpx.Client) -> None:
    found = [row["value"] for row in rows(api, points=30)]
    known = [value for value in found if value is not None]
    assert len(found) <= 30
    assert (min(known), max(known)) == (np.nanmin(LOAD), np.nanmax(LOAD))
    assert None in found


def test_market_prices_are_the_latest_or_as_once_known(api: httpx.Client) -> None:
    hour = {"series": "market_prices:HISTORY", "to": "2024-03-30T02:00"}
    assert values(api, **hour, resolution="1h") == [pytest.approx(0.4), pytest.approx(0.2)]
    assert (
        values(api, **hour, resolution="1h", known_at="2024-03-30T01:00")
        == [pytest.approx(0.2)] * 2
    )


def test_forecasts_are_the_latest_of_each_slot_or_of_one_issue(api: httpx.Client) -> None:
    hours = {
        "series": "slot_forecasts:test_v1:load_p90_kwh",
        "to": "2024-03-30T04:00",
        "resolution": "1h",
    }
    # The issue of the second hour reaches over the second and third; nobody looked at the fourth.
    assert values(api, **hours) == [8.0, 16.0, 16.0, None]
    assert values(api, **hours, issued_at="2024-03-29T23:00:00Z") == [8.0, 8.0, None, None]
    assert values(api, **hours, known_at="2024-03-29T23:30:00Z") == [8.0, 8.0, None, None]


def test_plans_are_the_latest_of_each_slot_or_of_one_issue(api: httpx.Client) -> None:
    hours = {"to": "2024-03-30T04:00", "resolution": "1h"}
    assert values(api, series="plans:import_kwh", **hours) == [4.0, 8.0, 8.0, None]
    assert values(api, series="plans:import_kwh", **hours, issued_at="2024-03-29T23:00:00Z") == [
        4.0,
        4.0,
        None,
        None,
    ]
    # Two batteries, half a kWh each in every slot.
    assert values(api, series="plans:charge_kwh", **hours) == [4.0, 4.0, 4.0, None]


@pytest.mark.parametrize("series", ["sensor_readings:meter", "smart_meter_readings:1EMH:1-0:1.8.0"])
def test_readings_come_as_received_by_bucket_or_as_a_shape(api: httpx.Client, series: str) -> None:
    asked = {"series": series, "from_": "2024-03-30T00:00:00Z", "to": "2024-03-30T02:00:00Z"}
    assert values(api, **asked) == list(range(100))
    assert rows(api, **asked, aggregate="increase")[0] == {
        "start": "2024-03-30T00:00:00.000000Z",
        "value": pytest.approx(60.0),
        "known": 1.0,
    }
    assert len(rows(api, **asked, points=10)) == 10
    assert pl.read_ipc_stream(BytesIO(ask(api, **asked, format="arrow").content)).columns == [
        "instant",
        "value",
    ]


def test_a_window_without_readings_has_no_rows_in_any_form(api: httpx.Client) -> None:
    asked = {"series": "sensor_readings:meter", "from_": "2020-01-01", "to": "2020-02-01"}
    assert rows(api, **asked) == []
    assert ask(api, **asked, format="csv").text == "instant,value\n"
    assert pl.read_ipc_stream(BytesIO(ask(api, **asked, format="arrow").content)).shape == (0, 2)


def test_an_answer_that_did_not_change_is_not_sent_again(api: httpx.Client) -> None:
    first = ask(api, resolution="1d")
    again = api.get(first.request.url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, first.headers["Cache-Control"]) == (
        304,
        b"",
        "private, no-cache",
    )
    assert api.get(first.request.url, headers={"If-None-Match": '"other"'}).status_code == 200


@each_row(
    ("options", "status", "field"),
    [
        pytest.param({"site": "nowhere"}, 404, "site", id="site"),
        pytest.param({"site": "no\x00where"}, 422, "site", id="site with a NUL"),
        pytest.param({"series": "market_prices:\x00"}, 422, "series", id="series with a NUL"),
        pytest.param({"series": "market_prices:XX"}, 404, "series", id="market"),
        pytest.param({"series": "sensor_readings:roof"}, 404, "sensor", id="sensor"),
        pytest.param({"series": "smart_meter_readings:1EMH:2.8.0"}, 404, "series", id="register"),
        pytest.param({"series": "gas_kwh"}, 422, "series", id="series"),
        pytest.param({"resolution": "7m"}, 422, "resolution", id="resolution"),
        pytest.param({"aggregate": "median"}, 422, "aggregate", id="aggregate"),
        pytest.param({"format": "xml"}, 422, "format", id="format"),
        pytest.param({"from_": "yesterday"}, 422, "from", id="from"),
        pytest.param({"to": "2024-03-30"}, 422, "to", id="empty window"),
        pytest.param({"from_": "0001-01-01T00:00:00Z"}, 422, "from", id="before all calendars"),
        pytest.param(
            {"series": "sensor_readings:meter", "to": "9999-12-31T23:59:59Z"},
            422,
            "to",
            id="behind all calendars",
        ),
        pytest.param({"limit": 1_000_000}, 422, "limit", id="limit"),
        pytest.param({"points": 2}, 422, "points", id="points"),
        pytest.param({"points": 10, "limit": 10}, 422, "points", id="points in pages"),
        pytest.param({"points": 10, "from_": "1900-01-01"}, 422, "to", id="too long to thin"),
        pytest.param({"cursor": "nonsense"}, 422, "cursor", id="cursor"),
        pytest.param(
            {"cursor": "WyJvdGhlciIsICIyMDI0LTAzLTMwVDAwOjAwOjAwKzAwOjAwIl0"},
            422,
            "cursor",
            id="cursor of another question",
        ),
        pytest.param({"known_at": "2024-01-01"}, 422, "known_at", id="known_at of a measurement"),
        pytest.param({"colour": "red"}, 422, "colour", id="unknown option"),
    ],
)
def test_what_cannot_be_answered_names_its_field(
    api: httpx.Client, options: dict[str, object], status: int, field: str
) -> None:
    answer = ask(api, **options)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["field"] == field
    assert answer.json()["remedy"]
