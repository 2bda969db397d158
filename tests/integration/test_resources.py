"""The resources under /v1 over HTTP: sites with versions, lists page by page, control, keys that
make a request count once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    forecast_activations,
    history_changes,
    manual_blocks,
    observations,
    plans,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from tests.support.database.databases import remove_site
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.worker.workers import wait_for, worker_process

START = datetime(2024, 3, 12, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
CONTROL = {
    "by": "dry_run",
    "batteries": [
        {
            "battery": "battery",
            "soc": "sensor.soc",
            "modes": {"self_consumption": "auto", "hold": "hold"},
            "writes": [{"to": "select.mode", "value": "{mode}"}],
        }
    ],
}
STATE = {"batteries": {"battery": {"soc": 0.5}}}
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def store_house(database: Engine, name: str, *, hours: int) -> Site:
    """Store a site with a battery that can be told, and of each hour a forecast and a plan."""
    with unit_of_work(database) as connection:
        site = store_site(connection, name=name, batteries=[BATTERY], control=CONTROL)
        for hour in range(hours):
            issue_half_a_kilowatt(connection, site.name, START + timedelta(hours=hour))
            plan_stored(connection, site.name, START + timedelta(hours=hour), state=STATE)
    return site


@pytest.fixture(scope="module")
def house(database: Engine) -> Iterator[Site]:
    """A stored site with four plans."""
    yield store_house(database, "resourceful", hours=4)
    remove_site(database, "resourceful")


@pytest.fixture
def own_house(database: Engine) -> Iterator[Site]:
    """A stored site of the test's own with one plan."""
    yield store_house(database, "temporary", hours=1)
    remove_site(database, "temporary")


def document(name: str = "made", **parts: Any) -> dict[str, Any]:
    return {"name": name, "timezone": "Europe/Berlin", "batteries": [BATTERY]} | parts


@pytest.fixture
def made(api: httpx.Client, database: Engine) -> Iterator[httpx.Response]:
    """The answer to a site that was added."""
    yield api.post("/v1/sites", json=document())
    remove_site(database, "made")


def test_a_new_site_is_read_where_its_answer_says(api: httpx.Client, made: httpx.Response) -> None:
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (
        201,
        "/v1/sites/made",
        '"1"',
    )
    there = api.get(made.headers["location"])
    assert (there.json(), there.headers["etag"]) == (made.json(), '"1"')


def test_a_site_of_a_name_that_is_taken_is_refused(api: httpx.Client, made: httpx.Response) -> None:
    again = api.post("/v1/sites", json=document(currency="CHF"))
    assert (again.status_code, again.headers["content-type"], again.json()["field"]) == (
        409,
        PROBLEM,
        "name",
    )
    assert api.get("/v1/sites/made").json() == made.json()


@pytest.mark.usefixtures("made")
def test_who_has_the_newest_form_is_told_so(api: httpx.Client) -> None:
    answer = api.get("/v1/sites/made", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 428), ({"If-Match": '"2"'}, 412), ({"If-Match": "*"}, 422), ({"If-Match": '"1"'}, 200)],
    ids=["none", "another", "any", "the one that was read"],
)
def test_a_change_names_the_version_it_changes(
    api: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert (
        api.put("/v1/sites/made", json=document(currency="CHF"), headers=headers).status_code
        == status
    )


@pytest.mark.usefixtures("made")
def test_of_two_changes_of_one_version_the_second_is_refused(api: httpx.Client) -> None:
    first, second = (
        api.put("/v1/sites/made", json=document(currency=currency), headers={"If-Match": '"1"'})
        for currency in ("CHF", "NOK")
    )
    assert (first.status_code, first.headers["etag"], second.status_code) == (200, '"2"', 412)
    assert api.get("/v1/sites/made").json()["currency"] == "CHF"


@pytest.mark.usefixtures("made")
def test_a_sensor_that_is_turned_counts_so_from_now_on_unless_it_always_did(
    api: httpx.Client,
) -> None:
    def put(sensor: str, version: int, **asked: str) -> list[Any]:
        body = document(input_sensors={"total_grid_import": sensor})
        headers = {"If-Match": f'"{version}"'}
        stored: list[Any] = api.put(
            "/v1/sites/made", json=body, params=asked, headers=headers
        ).json()["input_sensors"]["total_grid_import"]
        return stored

    assert put("meter", 1) == ["meter"]
    old, new = put("-meter", 2)
    assert (old["sensor"], new["sensor"], old["until"]) == ("meter", "-meter", new["from"])
    assert put("-meter", 3) == [old, new]
    assert put("-meter", 3, changed_sensors="always") == ["-meter"]


@pytest.mark.usefixtures("made")
def test_another_clock_over_recorded_days_is_refused_until_it_is_accepted(
    api: httpx.Client, database: Engine
) -> None:
    def put(zone: str, version: int, **asked: str) -> tuple[int, str]:
        answer = api.put(
            "/v1/sites/made",
            json=document(timezone=zone),
            params=asked,
            headers={"If-Match": f'"{version}"'},
        )
        return answer.status_code, answer.json().get("field", "")

    # Nothing is recorded: no day has another clock.
    assert put("Europe/London", 1)[0] == 200
    with unit_of_work(database) as connection:
        starts = np.array(["2024-03-01T12:00"], dtype="datetime64[s]")
        observations.write(connection, "made", starts, {"load_kwh": np.array([0.1])})
    assert put("Europe/Lisbon", 2)[0] == 200
    assert put("America/New_York", 3) == (409, "timezone")
    assert put("America/New_York", 3, accept_time_zone="true")[0] == 200


@pytest.mark.usefixtures("made")
def test_a_site_keeps_its_name(api: httpx.Client) -> None:
    answer = api.put("/v1/sites/made", json=document("other"), headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["field"]) == (422, "name")


def test_a_removed_site_is_gone_with_its_plans(
    api: httpx.Client, own_house: Site, database: Engine
) -> None:
    plan_id = api.get(f"/v1/sites/{own_house.name}/plans").json()["plans"][0]["plan_id"]
    assert api.delete(f"/v1/sites/{own_house.name}").status_code == 204
    assert [
        api.get(path).status_code
        for path in (
            f"/v1/sites/{own_house.name}",
            f"/v1/plans/{plan_id}",
            f"/v1/sites/{own_house.name}/plans",
        )
    ] == [
        404,
        404,
        404,
    ]


def test_an_armed_site_is_not_removed(api: httpx.Client, own_house: Site) -> None:
    api.post(f"/v1/sites/{own_house.name}/control/arm")
    refused = api.delete(f"/v1/sites/{own_house.name}")
    api.post(f"/v1/sites/{own_house.name}/control/disarm")
    assert (refused.status_code, refused.json()["reason"]) == (409, "site-armed")


def read_pages(api: httpx.Client, path: str, noun: str, **query: Any) -> list[list[Any]]:
    pages = []
    cursor = None
    while cursor is not None or not pages:
        answer = api.get(path, params=query | ({"cursor": cursor} if cursor else {})).json()
        pages.append(answer[noun])
        cursor = answer["cursor"]
    return pages


def test_pages_of_plans_hold_each_plan_once_the_newest_first(
    api: httpx.Client, house: Site
) -> None:
    pages = read_pages(api, f"/v1/sites/{house.name}/plans", "plans", limit=3)
    issued = [plan["issued_at"] for page in pages for plan in page]
    assert ([len(page) for page in pages], issued) == ([3, 1], sorted(issued, reverse=True))


def test_plans_are_found_by_when_they_were_issued(api: httpx.Client, house: Site) -> None:
    # Issued at 1:00, 2:00, 3:00 and 4:00 of Berlin's clock: from 2:00 on, before 4:00, two of them.
    found = api.get(
        f"/v1/sites/{house.name}/plans",
        params={"from": "2024-03-12T02:00", "to": "2024-03-12T04:00"},
    ).json()["plans"]
    assert [plan["from"] for plan in found] == ["2024-03-12T02:00:00Z", "2024-03-12T01:00:00Z"]


def test_the_newest_plan_is_the_one_listed_first_as_it_is_stored(
    api: httpx.Client, house: Site, database: Engine
) -> None:
    newest = api.get(f"/v1/sites/{house.name}/plans").json()["plans"][0]["plan_id"]
    answer = api.get(f"/v1/sites/{house.name}/plans/latest")
    assert (answer.json()["plan_id"], answer.headers["etag"]) == (newest, f'W/"{newest}"')
    assert answer.json() == api.get(f"/v1/plans/{newest}").json()
    assert (
        api.get(
            f"/v1/sites/{house.name}/plans/latest", headers={"If-None-Match": f'"{newest}"'}
        ).status_code
        == 304
    )


@each_row(
    ("taken", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("br;q=1.0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("", None),
    ],
)
def test_the_newest_plan_comes_packed_to_who_takes_that(
    api: httpx.Client, house: Site, taken: str, coding: str | None
) -> None:
    plain = api.get(f"/v1/sites/{house.name}/plans/latest", headers={"Accept-Encoding": "identity"})
    packed = api.get(f"/v1/sites/{house.name}/plans/latest", headers={"Accept-Encoding": taken})
    assert (packed.headers.get("content-encoding"), packed.headers["vary"]) == (
        coding,
        "Accept-Encoding",
    )
    assert (packed.content, packed.headers["etag"]) == (plain.content, plain.headers["etag"])


def test_a_plan_issued_meanwhile_is_the_newest_at_once(
    api: httpx.Client, own_house: Site, database: Engine
) -> None:
    before = api.get(f"/v1/sites/{own_house.name}/plans/latest").json()["plan_id"]
    with unit_of_work(database) as connection:
        issue_half_a_kilowatt(connection, own_house.name, START + timedelta(hours=5))
        plan = plan_stored(connection, own_house.name, START + timedelta(hours=5), state=STATE)
    assert (
        before
        != api.get(f"/v1/sites/{own_house.name}/plans/latest").json()["plan_id"]
        == plan.plan_id
    )


def test_a_site_without_plans_says_how_to_get_one(api: httpx.Client, made: httpx.Response) -> None:
    answer = api.get("/v1/sites/made/plans/latest")
    assert (answer.status_code, "/v1/plans" in answer.json()["remedy"]) == (404, True)


def test_reasons_cover_every_slot_of_the_batteries_once(
    api: httpx.Client, house: Site, database: Engine
) -> None:
    plan_id = api.get(f"/v1/sites/{house.name}/plans").json()["plans"][0]["plan_id"]
    with unit_of_work(database) as connection:
        plan = plans.load(connection, plan_id)
    runs = [
        reason
        for reason in api.get(f"/v1/plans/{plan_id}/reasons").json()["reasons"]
        if reason["device"] == "batteries"
    ]
    instants = [plan.slots[0].start, *(datetime.fromisoformat(run["to"]) for run in runs)]
    assert [datetime.fromisoformat(run["from"]) for run in runs] == instants[:-1]
    assert instants[-1] == plan.slots[-1].start + SLOT


@each_row("path", ["/v1/jobs", "/v1/users", "/v1/keys", "/v1/audit", "/v1/notifications"])
# Of no list, and of one that is ordered by something else.
@each_row("cursor", ["x", "7", "ada", "W10", "WzEsMl0", "WzEuNV0", "%00"])
def test_a_cursor_of_no_list_is_refused_everywhere(
    api: httpx.Client, path: str, cursor: str
) -> None:
    answer = api.get(path, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor"), answer.text


def test_jobs_are_listed_page_by_page_each_once_also_while_others_are_accepted(
    api: httpx.Client, house: Site
) -> None:
    days = [{"from_day": f"2024-03-{day:02}", "to_day": f"2024-03-{day:02}"} for day in range(1, 6)]
    accepted = [
        api.post(f"/v1/sites/{house.name}/replays", json=each).json()["job_id"] for each in days
    ]
    first = api.get("/v1/jobs", params={"limit": 2}).json()
    api.post(
        f"/v1/sites/{house.name}/replays", json={"from_day": "2024-03-09", "to_day": "2024-03-09"}
    )
    rest = api.get("/v1/jobs", params={"limit": 3, "cursor": first["cursor"]}).json()["jobs"]
    assert [job["job_id"] for job in first["jobs"] + rest] == accepted[::-1]
    whole = [job["job_id"] for page in read_pages(api, "/v1/jobs", "jobs", limit=2) for job in page]
    assert (
        len(whole)
        == len(set(whole))
        == len(api.get("/v1/jobs", params={"limit": 500}).json()["jobs"])
    )


@pytest.mark.parametrize(
    ("policies", "task"),
    [(["idle", "mpc"], "planner.replay.run"), (["idle", "Antares", "rl"], "agent.replay.run")],
    ids=["plain", "learned"],
)
def test_a_replay_goes_to_the_service_that_knows_its_policies(
    api: httpx.Client, house: Site, policies: list[str], task: str
) -> None:
    days = {"from_day": "2024-03-01", "to_day": "2024-03-01"}
    accepted = api.post(
        f"/v1/sites/{house.name}/replays", json=days | {"policies": policies}
    ).json()
    assert accepted["task"] == task


@pytest.mark.parametrize(
    "cursor", ["x", "bnVsbA", "W10", "WyJhIiwiYiJd", "WzEsMl0", "%00", "WyJcdTAwMDAiXQ", "e30"]
)
@pytest.mark.parametrize(
    "place",
    [
        "",
        "/resourceful/plans",
        "/resourceful/forecasts",
        "/resourceful/data-changes",
        "/resourceful/control/decisions",
        "/resourceful/prices",
    ],
)
@pytest.mark.usefixtures("house")
def test_a_cursor_of_no_list_is_refused(api: httpx.Client, place: str, cursor: str) -> None:
    answer = api.get(f"/v1/sites{place}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor"), answer.text


def test_forecasts_are_listed_with_what_they_rest_on(api: httpx.Client, house: Site) -> None:
    assert api.get(f"/v1/sites/{house.name}/forecasts").json() == {"forecasts": [], "cursor": None}


def test_prices_are_those_of_the_tariff(api: httpx.Client, house: Site) -> None:
    # Two hours of quarter-hours at the tariff of a site that names none: 0.30 bought, nothing for
    # what is sold; three on a page.
    pages = read_pages(
        api,
        f"/v1/sites/{house.name}/prices",
        "prices",
        **{"from": "2024-03-12", "to": "2024-03-12T02:00", "limit": 3},
    )
    rows = [row for page in pages for row in page]
    assert ([len(page) for page in pages], rows[0]) == (
        [3, 3, 2],
        # A tariff that follows no market has no versions.
        {
            "start": "2024-03-11T23:00:00Z",
            "import_price": 0.3,
            "export_price": 0.0,
            "version": None,
        },
    )
    assert rows[-1]["start"] == "2024-03-12T00:45:00Z"


def test_series_are_listed_with_when_they_are_known(
    api: httpx.Client, house: Site, database: Engine
) -> None:
    observe(database, house)
    spans = {
        each["series"]: each
        for each in api.get(f"/v1/sites/{house.name}/series", params={"limit": 500}).json()[
            "series"
        ]
    }
    assert spans["load_kwh"] == {
        "series": "load_kwh",
        "unit": "kWh",
        "first": "2024-03-12T00:00:00Z",
        "end": "2024-03-12T01:00:00Z",
    }
    assert {"plans:charge_kwh", "slot_forecasts:baseline_like_days:load_kwh"} <= set(spans)


def observe(database: Engine, house: Site) -> None:
    """Store an hour of load."""
    with unit_of_work(database) as connection:
        observations.upsert(
            connection,
            house.name,
            Observations(
                Timeline(START, SLOT, 4).starts, np.full(4, 0.25), *[np.full(4, np.nan)] * 6
            ),
        )


def test_a_series_is_read_under_its_name(api: httpx.Client, house: Site, database: Engine) -> None:
    observe(database, house)
    window = {"from": "2024-03-12T01:00", "to": "2024-03-12T02:00"}
    resource = api.get(f"/v1/sites/{house.name}/series/load_kwh", params=window)
    short = api.get("/data/query", params=window | {"site": house.name, "series": "load_kwh"})
    assert (resource.json(), [row["value"] for row in resource.json()["rows"]]) == (
        short.json(),
        [0.25] * 4,
    )


def test_devices_are_listed_with_what_they_can_be_told(api: httpx.Client, house: Site) -> None:
    (battery,) = api.get(f"/v1/sites/{house.name}/devices").json()["devices"]
    assert (battery["kind"], battery["power_kw"], battery["capacity_kwh"], battery["told_as"]) == (
        "battery",
        5,
        10,
        "batteries",
    )
    assert "charge" in battery["modes"]


def test_an_override_holds_until_it_is_ended(api: httpx.Client, house: Site) -> None:
    at = f"/v1/sites/{house.name}/control"
    wanted = api.put(
        f"{at}/overrides/batteries", json={"mode": "hold", "until": "2099-01-01T00:00"}
    )
    held = api.get(at).json()
    assert (wanted.status_code, held["armed"], held["devices"][0]["override"]["mode"]) == (
        200,
        False,
        "hold",
    )
    # Midnight of Berlin's winter.
    assert held["devices"][0]["override"]["until"] == "2098-12-31T23:00:00Z"
    assert api.delete(f"{at}/overrides/batteries").json()["override"] is None
    assert api.get(at).json()["devices"][0]["override"] is None


@pytest.mark.parametrize(
    ("device", "body", "field"),
    [
        ("vehicle:car", {"mode": "charge", "until": "2099-01-01T00:00:00Z"}, "device"),
        ("batteries", {"mode": "stop", "until": "2099-01-01T00:00:00Z"}, "mode"),
        ("batteries", {"mode": "hold", "until": "2020-01-01T00:00:00Z"}, "until"),
    ],
)
def test_an_override_that_cannot_be_had_says_why(
    api: httpx.Client, house: Site, device: str, body: dict[str, Any], field: str
) -> None:
    answer = api.put(f"/v1/sites/{house.name}/control/overrides/{device}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_changes_of_the_past_are_listed_with_what_was_before(
    api: httpx.Client, own_house: Site, database: Engine
) -> None:
    observe(database, own_house)
    with unit_of_work(database) as connection:
        starts = Timeline(START, SLOT, 4).starts
        history_changes.write_observations(
            connection,
            own_house.name,
            starts,
            {"load_kwh": np.full(4, 0.5)},
            rule=history_changes.Rule("by hand"),
        )
    pages = read_pages(api, f"/v1/sites/{own_house.name}/data-changes", "changes", limit=3)
    assert [(each["before"], each["after"], each["rule"]) for page in pages for each in page] == [
        (0.25, 0.5, "by hand")
    ] * 4


@each_row(
    ("address", "body", "task"),
    [
        (
            "replays",
            {"from_day": "2024-03-18", "to_day": "2024-03-24", "policies": ["idle"]},
            "planner.replay.run",
        ),
        ("plan-checks", {"from": "2024-03-12", "to": "2024-03-13"}, "planner.plans.check"),
        (
            "forecasts/evaluations",
            {"from_day": "2024-03-18", "to_day": "2024-03-24"},
            "forecaster.forecast.evaluate",
        ),
        ("forecast-versions/trainings", {}, "forecaster.model.train"),
        ("weather", {}, "ingest.weather.fetch"),
        ("carbon", {}, "ingest.carbon.fetch"),
        ("quality", {"from_day": "2024-03-18", "to_day": "2024-03-24"}, "ingest.quality.judge"),
        ("repairs", {"from_day": "2024-03-18", "to_day": "2024-03-24"}, "ingest.history.repair"),
        ("slots", {"from": "2024-03-12", "to": "2024-03-13"}, "ingest.slots.build"),
        ("backfills", {"from": "2024-03-12", "to": "2024-03-13"}, "ingest.history.backfill"),
        (
            "verifications",
            {"from_day": "2024-03-18", "to_day": "2024-03-24"},
            "ingest.history.verify",
        ),
    ],
)
def test_long_work_is_a_job(
    api: httpx.Client, house: Site, address: str, body: dict[str, Any], task: str
) -> None:
    answer = api.post(f"/v1/sites/{house.name}/{address}", json=body)
    assert (answer.status_code, answer.json()["task"]) == (202, task), answer.text
    assert api.get(answer.headers["location"]).json()["job_id"] == answer.json()["job_id"]
    api.delete(answer.headers["location"])


@each_row("address", ["quality", "repairs", "verifications"])
@each_row(
    "days",
    [("2729-06-26", "2099-05-05"), ("2000-01-01", "2024-03-24")],
    ids=["backwards", "more than ten years"],
)
def test_days_that_are_none_are_refused_by_name(
    api: httpx.Client, house: Site, address: str, days: tuple[str, str]
) -> None:
    answer = api.post(
        f"/v1/sites/{house.name}/{address}",
        json=dict(zip(("from_day", "to_day"), days, strict=True)),
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "to_day"), answer.text


def test_prices_of_a_market_that_the_tariff_does_not_name_are_not_fetched(
    api: httpx.Client, house: Site
) -> None:
    answer = api.post(f"/v1/sites/{house.name}/prices", json={"market": "NL"})
    assert (answer.status_code, answer.json()["field"]) == (422, "market")


def test_settings_show_what_differs_and_no_secret(api: httpx.Client) -> None:
    listed = {each["name"]: each for each in api.get("/v1/settings").json()["settings"]}
    # The gateway of tests waits 20 seconds for a plan.
    assert (listed["plan_timeout"]["value"], listed["plan_timeout"]["differs"]) == ("PT20S", True)
    assert {
        name for name, each in listed.items() if each["secret"] and each["value"] is not None
    } == set()


BLOCK = {
    "from": "2099-03-12T18:00:00Z",
    "to": "2099-03-12T21:00:00Z",
    "device": "battery",
    "action": "hold",
}


def test_a_request_that_is_sent_twice_with_one_key_counts_once(
    api: httpx.Client, database: Engine
) -> None:
    first, second = (
        api.post("/v1/sites", json=document("once"), headers={"Idempotency-Key": "once-1"})
        for _ in range(2)
    )
    remove_site(database, "once")
    assert (first.status_code, second.status_code, first.json(), second.headers["location"]) == (
        201,
        201,
        second.json(),
        "/v1/sites/once",
    )


def test_a_key_with_another_request_is_refused(api: httpx.Client, house: Site) -> None:
    at = f"/v1/sites/{house.name}/manual-blocks"
    key = {"Idempotency-Key": "block-1"}
    assert api.post(at, json=BLOCK, headers=key).status_code == 201
    other = api.post(at, json=BLOCK | {"action": "charge"}, headers=key)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_a_refused_request_may_be_corrected_under_its_key(
    api: httpx.Client, house: Site, database: Engine
) -> None:
    at = f"/v1/sites/{house.name}/manual-blocks"
    key = {"Idempotency-Key": "block-2"}
    refused = api.post(at, json=BLOCK | {"device": "nobody"}, headers=key)
    accepted = api.post(at, json=BLOCK, headers=key)
    with unit_of_work(database) as connection:
        stored = manual_blocks.read_history(connection, house.name)
    assert (refused.status_code, accepted.status_code, len(stored)) == (422, 201, 1)


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(api: httpx.Client, house: Site, key: str) -> None:
    answer = api.post(
        f"/v1/sites/{house.name}/manual-blocks", json=BLOCK, headers={"Idempotency-Key": key}
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")


def test_a_site_that_is_not_there_is_told_everywhere(api: httpx.Client) -> None:
    places = (
        "",
        "/devices",
        "/plans",
        "/plans/latest",
        "/forecasts",
        "/series",
        "/prices",
        "/quality",
        "/data-changes",
        "/quarantine",
        "/control",
    )
    more = ("/control/decisions", "/manual-blocks", "/scores", "/forecast-versions")
    answers = {place: api.get(f"/v1/sites/nowhere{place}") for place in (*places, *more)}
    assert {
        place: (answer.status_code, answer.headers["content-type"])
        for place, answer in answers.items()
    } == dict.fromkeys(answers, (404, PROBLEM))


def test_the_active_version_of_a_new_site_is_the_default(api: httpx.Client, house: Site) -> None:
    assert (
        api.get(f"/v1/sites/{house.name}/forecast-versions").json()["active_forecast_version"]
        == forecast_activations.DEFAULT_VERSION
    )


def test_sites_are_listed_page_by_page(api: httpx.Client, database: Engine) -> None:
    with unit_of_work(database) as connection:
        for name in ("listed a", "listed b", "listed c"):
            sites.create(connection, Site(name=name, timezone="Europe/Berlin"))
    pages = read_pages(api, "/v1/sites", "sites", limit=2)
    for name in ("listed a", "listed b", "listed c"):
        remove_site(database, name)
    listed = [site["name"] for page in pages for site in page]
    assert [name for name in listed if name.startswith("listed")] == [
        "listed a",
        "listed b",
        "listed c",
    ]
    assert listed == sorted(listed)


@pytest.fixture(scope="module")
def workers(redis_url: str, database_url: str) -> Iterator[None]:
    """A worker for plans and forecasts, ready to work."""
    services = ("services.planner.tasks", "services.forecaster.tasks")
    with worker_process(redis_url, database_url, *services):
        client = Client(redis_url)
        wait_for(
            lambda: any("forecaster" in queues for queues in client.heartbeats.workers().values())
        )
        client.close()
        yield


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("path", ["/plan", "/v1/plans"])
def test_a_site_with_history_and_no_forecast_is_planned(
    api: httpx.Client, database: Engine, path: str
) -> None:
    with unit_of_work(database) as connection:
        store_site(connection, name="unforecast", batteries=[BATTERY])
        week = Timeline(START - timedelta(days=7), SLOT, 7 * 96)
        history = Observations(
            week.starts, np.full(672, 0.25), np.zeros(672), *[np.full(672, np.nan)] * 5
        )
        observations.upsert(connection, "unforecast", history)
    answer = api.post(
        path, json={"site_id": "unforecast", "start": START.isoformat(), "state": STATE}
    )
    listed = api.get("/v1/sites/unforecast/forecasts").json()["forecasts"]
    remove_site(database, "unforecast")
    assert (answer.status_code, [each["issued_at"] for each in listed]) == (
        200,
        ["2024-03-12T00:00:00Z"],
    ), answer.text
