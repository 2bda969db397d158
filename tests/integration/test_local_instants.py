"""Every option and field that takes an instant takes a local day or clock time of the site as
well.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import forecasts, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from tests.support.command_line.call import Luna
from tests.support.gateway.server import serve
from tests.support.household.measurements import day, describe_site, measure_days

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
# Noon in Berlin, in winter.
CLOCK = "2024-03-14 12:00"
INSTANT = "2024-03-14T11:00:00Z"
DAY = "2024-03-14"
MIDNIGHT = "2024-03-13T23:00:00Z"
SITE = ("--site", "clocked", "--json")


@pytest.fixture(scope="module")
def clocked(database: Engine) -> Iterator[str]:
    """A stored site in Berlin of fifteen days with a forecast that covers noon of 14 March."""
    with unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="clocked", batteries=[BATTERY]))
        observations.upsert(connection, "clocked", measure_days(15))
        load = Quantiles.exact(np.full(192, 0.1))
        sun = Quantiles.exact(np.zeros(192))
        issued = [
            Forecast(Timeline(at, SLOT, 192), at, DEFAULT_VERSION, load, sun)
            for at in (day(12, 23), day(13, 11))
        ]
        forecasts.upsert(connection, "clocked", issued)
    yield "clocked"
    with unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "clocked"))


@pytest.fixture(scope="module")
def api(clocked: str, redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


@pytest.mark.parametrize(("written", "starts"), [(CLOCK, INSTANT), (DAY, MIDNIGHT)])
def test_a_plan_of_a_stored_site_starts_by_its_clock(
    luna_on_servers: Luna, clocked: str, written: str, starts: str
) -> None:
    said = luna_on_servers("plan", "--start", written, *SITE)
    assert said.code == 0, said.err
    assert said.document["slots"][0]["start"] == starts


def test_a_request_file_of_a_stored_site_is_read_by_its_clock(
    luna_on_servers: Luna, clocked: str, tmp_path: Path
) -> None:
    file = tmp_path / "request.json"
    block = {"device": "battery", "action": "hold", "from": CLOCK, "to": "2024-03-14 14:00"}
    file.write_text(
        json.dumps({"site_id": clocked, "start": CLOCK, "manual": [block]}), encoding="utf-8"
    )
    said = luna_on_servers("plan", "--request", str(file), "--json")
    assert said.code == 0, said.err
    assert said.document["manual"]["blocks"][0]["from"] == INSTANT


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("forecast", "issue", "--at", CLOCK), ("issued_at", 0)),
        (("forecast", "issue", "--at", "2024-03-14 10:00", "--to", CLOCK), ("issued_at", -1)),
        (("forecast", "explain", "--at", CLOCK), ("issued_at",)),
        (
            ("data", "query", "--series", "load_kwh", "--from", CLOCK, "--to", "2024-03-14 13:00"),
            ("rows", 0, "start"),
        ),
    ],
    ids=["issue", "issue until", "explain", "query"],
)
def test_options_take_a_clock_time(
    luna_on_servers: Luna, clocked: str, words: tuple[str, ...], path: tuple[Any, ...]
) -> None:
    said = luna_on_servers(*words, *SITE)
    assert said.code == 0, said.err
    found = said.document
    for step in path:
        found = found[step]
    assert found == INSTANT


def test_training_ends_with_a_local_day(luna_on_servers: Luna, clocked: str) -> None:
    said = luna_on_servers("forecast", "train", "--until", "2024-03-03", *SITE)
    assert said.code == 0, said.err
    # Berlin's 3 March begins at 23:00 UTC of the 2nd.
    assert ".20240302T2300Z." in said.document["run_id"]


def test_a_slot_of_a_plan_is_named_by_its_sites_clock(
    luna_on_servers: Luna, clocked: str, api: httpx.Client
) -> None:
    plan_id = luna_on_servers("plan", "--start", INSTANT, *SITE).document["plan_id"]
    words = ("why-not", "--plan", plan_id, "--mode", "hold", "--slot", "2024-03-14 12:30", "--json")
    said = luna_on_servers(*words)
    assert said.code == 0, said.err
    # No worker answers here: what is refused says whether the instant was read.
    refused = api.post(
        f"/v1/plans/{plan_id}/why-not", json={"slot": "2024-03-31 02:30", "mode": "hold"}
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "slot")
    assert refused.json()["reason"] == "clock-skips"


def test_an_hour_that_comes_twice_is_refused_with_both_instants(
    luna_on_servers: Luna, clocked: str
) -> None:
    said = luna_on_servers("plan", "--start", "2024-10-27 02:30", *SITE)
    assert (said.code, said.problem["field"]) == (2, "start")
    assert said.problem["remedy"] == "Write 2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00."


def test_a_fault_of_a_replay_strikes_by_the_sites_clock(
    luna_on_servers: Luna, clocked: str, tmp_path: Path
) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("- {kind: sensor_frozen, from: 2024-03-12 06:00, hours: 2}", encoding="utf-8")
    days = ("--from", "2024-03-12", "--to", "2024-03-12", "--policies", "idle,self_consumption")
    said = luna_on_servers("replay", *days, "--faults", str(file), *SITE)
    assert said.code == 0, said.err
    assert said.document["faults"][0]["fault"]["from"] == "2024-03-12T05:00:00Z"


def test_a_block_over_http_is_read_by_the_clock_of_the_site_in_the_path(api: httpx.Client) -> None:
    block = {
        "device": "battery",
        "action": "charge",
        "from": "2099-07-01",
        "to": "2099-07-01 04:00",
    }
    added = api.post("/v1/sites/clocked/manual-blocks", json=block).json()
    assert (added["from"], added["to"]) == ("2099-06-30T22:00:00Z", "2099-07-01T02:00:00Z")


def test_a_job_is_read_by_the_clock_of_the_site_that_its_request_names(api: httpx.Client) -> None:
    accepted = api.post(
        "/v1/jobs",
        json={"task": "forecaster.forecast.issue", "request": {"site_id": "clocked", "at": CLOCK}},
    )
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["request"]["at"] == INSTANT


def test_a_query_is_read_by_the_clock_of_its_site(api: httpx.Client) -> None:
    rows = api.get(
        "/data/query", params={"site": "clocked", "series": "load_kwh", "from": DAY, "to": CLOCK}
    ).json()["rows"]
    assert (rows[0]["start"], len(rows)) == (MIDNIGHT, 48)
    refused = api.get("/v1/sites/clocked/forecasts/explanation", params={"at": "2024-10-27 02:30"})
    assert (refused.status_code, refused.json()["field"]) == (422, "at")
    assert "twice" in refused.json()["detail"]


def test_of_a_site_that_is_not_there_an_offset_is_asked_for(api: httpx.Client) -> None:
    refused = api.post("/plan", json={"site_id": "nowhere", "start": CLOCK})
    assert (refused.status_code, refused.json()["field"]) == (422, "start")


def test_a_word_of_our_own_for_what_is_wrong_leaves_as_a_problem(api: httpx.Client) -> None:
    outlook = {"load_kwh": [0.1], "pv_kwh": [0.0], "import_price": [0.3], "export_price": [0.1]}
    refused = api.post(
        "/plan",
        json={"site": {"name": "home", "timezone": "Berlin"}, "start": INSTANT, "outlook": outlook},
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "site.timezone")
    assert "time zone" in refused.json()["detail"]
