"""One stored row that this release cannot read, as after a return to an older one: whoever lists
the others goes on, and the one is named.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import JSON, Column, Engine, Table, func, select, update

from luna.contracts import FetchPricesRequest, FetchWeatherRequest
from luna.contracts.agent_control import NightRequest
from luna.contracts.data import JudgeQualityRequest, LoadFileRequest
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.job import Job
from luna.contracts.replay import ReplaySitesRequest
from luna.energy.errors import UnreadableError
from luna.house.doctor.examination import check_database
from luna.platform.clock import FixedClock, SystemClock
from luna.platform.database import control, engine, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema import metadata
from luna.platform.database.schema.plans import control_state
from luna.platform.database.schema.sites import site_versions
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.words.language import Language
from services.agent.night import run_night
from services.api.pages.layout import NAVIGATION
from services.executor.watch import SiteUnits, describe_sites, list_due_units
from services.ingest.listening.recording_state import SiteReader, StateFile
from services.ingest.price_collection import list_needs
from services.ingest.quality_service import judge_each
from services.ingest.weather_service import fetch_weather
from services.notifier.notification import notify
from services.planner.service.fleet import plan_sites, refresh_plans
from services.planner.service.replay import replay_sites
from tests.support.command_line.call import Luna
from tests.support.database.databases import migrated_database
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording

NOW = datetime(2024, 3, 12, 10, tzinfo=UTC)
CLOCK = FixedClock(NOW)
# Of one site every row can be read; of another a row of each table cannot; of the third its
# configuration cannot.
SOUND = "sound"
SPOILT = "of-spoilt-rows"
LATER = "of-a-later-release"
FIELD = "fee_of_a_later_release"
FOREIGN = {"of_a_later_release": {"kind": "new"}, "site_id": SPOILT}
PACKED = zlib.compress(json.dumps(FOREIGN).encode())
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
DEVICE = {
    "battery": "battery",
    "soc": "sensor.soc",
    "modes": {"self_consumption": "auto", "hold": "hold"},
    "writes": [{"to": "select.mode", "value": "{mode}"}],
}
HOUSE = {
    "batteries": [BATTERY],
    "control": {"by": "dry_run", "batteries": [DEVICE]},
    "input_sensors": {"total_load_consumption": "sensor.house"},
    "location": {"latitude": 52.5, "longitude": 13.4},
}
# Tables whose documents nobody lists.
UNLISTED = {
    "site_versions": "spoilt by hand: it is what a site is",
    "idempotent_answers": (
        "read by its key alone, and only the headers of an answer that is repeated"
    ),
}
# What a row needs beside its documents.
GIVEN: dict[str, dict[str, Any]] = {
    "jobs": {"status": "done", "task": LoadFileRequest.task, "submitted_at": NOW},
    "control_state": {"armed_at": NOW, "armed_by": "owner"},
    "quarantine": {"kind": "readings"},
    "data_quality_daily": {"verdict": "exclude"},
    "control_log": {
        "decided_by": "planner",
        "reason": "planned",
        "slot_start": NOW,
        "device": "batteries",
    },
    "forecast_activations": {"decided_by": "rule"},
    "control_devices": {"device": "pv"},
    "plan_history": {
        "site": SPOILT,
        "system_id": "prod",
        "issued_at": NOW,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=1),
    },
    "documents": {"state": "failed", "kind": "manual", "source": "upload", "language": "en"},
    "answers": {"sites": [SPOILT]},
    "agent_gates": {"kind": "judged", "mode": "full_control", "state": "offered"},
    "operator_limits": {"scope": "devices", "import_kw": 4.2, "source": "api"},
    "vehicle_sessions": {"starts_at": NOW, "ends_at": NOW + timedelta(hours=2)},
}


def is_document(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON) or column.name.startswith("packed_")


def made(column: Column[Any]) -> object:
    """Return some value of a column's type."""
    kinds: dict[str, object] = {
        "DATETIME": NOW,
        "DATE": NOW.date(),
        "TEXT": "some",
        "JSONB": FOREIGN,
        "BOOLEAN": True,
        "BLOB": PACKED,
        "ARRAY": [],
    }
    return kinds.get(str(column.type).partition("(")[0], 1)


def spoil(connection: Any, key: int) -> set[str]:
    """Add a row whose documents nobody here can read to each table that holds some, and to those
    that such a row refers to; return the tables.
    """
    rows: dict[str, dict[str, Any]] = {"sites": {"site_key": key, "name": SPOILT}}
    of_documents = [
        table
        for table in metadata.sorted_tables
        if any(map(is_document, table.columns)) and table.name not in UNLISTED
    ]
    needed = {
        other.column.table.name
        for table in of_documents
        for column in table.columns
        for other in column.foreign_keys
    }
    for table in metadata.sorted_tables:
        if table.name not in rows and (table in of_documents or table.name in needed):
            row = {
                column.name: fill(column, rows)
                for column in table.columns
                if must_be_filled(table, column)
            } | GIVEN.get(table.name, {})
            rows[table.name] = dict(
                connection.execute(table.insert().values(row).returning(*table.columns))
                .mappings()
                .one()
            )
    return set(rows)


def must_be_filled(table: Table, column: Column[Any]) -> bool:
    refers = bool(column.foreign_keys) or column.name == "site_key"
    return (
        refers
        or is_document(column)
        or (not column.nullable and column.server_default is None and column.identity is None)
    )


def fill(column: Column[Any], rows: dict[str, dict[str, Any]]) -> object:
    for reference in column.foreign_keys:
        return rows.get(reference.column.table.name, {}).get(reference.column.name)
    return rows["sites"]["site_key"] if column.name == "site_key" else made(column)


@pytest.fixture(scope="module")
def address(database_server: str) -> Iterator[str]:
    """A database of three sites, of which two hold what this release cannot read."""
    with migrated_database(database_server, "spoilt") as own:
        yield own


@pytest.fixture(scope="module")
def pool(address: str) -> Iterator[Engine]:
    pool = engine.create(address)
    with unit_of_work(pool) as connection:
        for name in (SOUND, SPOILT, LATER):
            store_site(connection, name=name, **HOUSE)
            issue_half_a_kilowatt(connection, name, NOW)
            control.arm(connection, name, at=NOW, by="owner")
        plan_stored(connection, SOUND, NOW, state={"batteries": {"battery": {"soc": 0.5}}})
        connection.execute(
            control_state.delete().where(
                control_state.c.site_key == sites.key_of(connection, SPOILT)
            )
        )
        spoil(connection, sites.key_of(connection, SPOILT))
        break_site(connection, LATER)
    yield pool
    pool.dispose()


def break_site(connection: Any, name: str) -> None:
    own = site_versions.c.site_key == sites.key_of(connection, name)
    found = connection.scalar(select(site_versions.c.configuration).where(own))
    changed = found | {"tariff": found["tariff"] | {FIELD: {"kind": "time_of_use"}}}
    connection.execute(update(site_versions).where(own).values(configuration=changed))


@pytest.fixture(scope="module")
def api(pool: Engine, address: str, redis_url: str) -> Iterator[httpx.Client]:
    with serve(
        Addresses(database_url=address, redis_url=redis_url),
        CLOCK,
        plan_timeout=timedelta(milliseconds=20),
    ) as client:
        yield client


def test_every_table_that_holds_documents_is_spoilt_or_named_with_a_reason(pool: Engine) -> None:
    holding = {
        table.name for table in metadata.sorted_tables if any(map(is_document, table.columns))
    }
    with pool.connect() as connection:
        empty = {
            name
            for name in holding - set(UNLISTED)
            if not connection.scalar(select(func.count()).select_from(metadata.tables[name]))
        }
    assert (empty, set(UNLISTED) - holding) == (set(), set())


def ask(api: httpx.Client, path: str, **params: str) -> tuple[int, str]:
    """Return status and text of an answer; a request that breaks down has none."""
    try:
        answer = api.get(path, params=params, headers={"Accept-Language": "de"})
    except httpx.TransportError as error:
        return 0, str(error)
    return answer.status_code, answer.text


# What lists ask for beside a site.
QUERY = {
    "from": NOW.isoformat(),
    "to": (NOW + timedelta(hours=1)).isoformat(),
    "from_day": "2024-03-11",
    "to_day": "2024-03-12",
}
QUERY |= {
    "first": QUERY["from"],
    "end": QUERY["to"],
    "series": "load_kwh",
    "market": "DE-LU",
    "q": "solar",
    "forecast_version": "baseline_v1.0",
}


def list_routes(api: httpx.Client) -> dict[str, dict[str, str]]:
    """Return every address under /v1 that is read without more than a site and a time, with what it
    asks for.
    """
    described = api.get("/openapi.json").raise_for_status().json()["paths"]
    found = {}
    for path, operations in described.items():
        asked = {
            each["name"]
            for each in operations.get("get", {}).get("parameters", [])
            if each["required"] or each["name"] == "site_id"
        }
        if (
            "get" in operations
            and path.startswith("/v1/")
            and "{" not in path.replace("{site_id}", "")
            and asked <= {*QUERY, "site_id"}
        ):
            found[path] = {name: QUERY[name] for name in asked if name in QUERY}
    return found


def test_every_list_answers_and_says_as_much_of_a_site_with_spoilt_rows_as_of_another(
    api: httpx.Client,
) -> None:
    asked = list_routes(api)
    found = {
        (path, name): ask(
            api,
            path.replace("{site_id}", name),
            **query | ({} if "{site_id}" in path else {"site_id": name}),
        )
        for path, query in asked.items()
        for name in (SPOILT, SOUND)
    }
    # What a worker answers is answered by none here; some routes know no site.
    wrong = {
        each: (status, text[:300])
        for each, (status, text) in found.items()
        if status not in (200, 404, 503) and "site_id: Extra" not in text
    }
    assert len(asked) > 30
    # A plan alone is no list: of another release's it is said that it cannot be read.
    status, problem = wrong.pop(("/v1/sites/{site_id}/plans/latest", SPOILT))
    assert (status, wrong) == (409, {})
    assert "problem:unreadable" in problem


def test_every_page_of_the_other_sites_is_shown_and_names_the_one(api: httpx.Client) -> None:
    paths = [page.address(name) for page in NAVIGATION for name in (SPOILT, SOUND)]
    shown = {
        path: ask(api, path) for path in [*paths, "/ui/setup", "/ui/admin/status", "/ui/admin/jobs"]
    }
    assert {
        path: text[text.find("<main") :][:900]
        for path, (status, text) in shown.items()
        if status != 200
    } == {}
    for _, text in shown.values():
        assert wording("refusals", "sentence_site-unreadable", "de", site_id=LATER) in text
        assert FIELD in text
        assert wording("every_page", "site_untold", "de") in text
    first = api.get("/")
    assert (first.status_code, first.headers["Location"]) == (303, NAVIGATION[0].address(SPOILT))


def test_the_page_of_a_site_that_cannot_be_read_says_what_is_wrong_and_what_mends_it(
    api: httpx.Client,
) -> None:
    languages: tuple[Language, ...] = ("de", "en")
    for language in languages:
        words = (
            wording("refusals", "remedy_site-unreadable", language),
            wording("every_page", "site_untold", language),
        )
        page = api.get(NAVIGATION[0].address(LATER), headers={"Accept-Language": language})
        assert page.status_code == 409
        assert all(word in page.text for word in (LATER, FIELD, *words))
        assert "luna site" not in page.text


def test_the_list_of_sites_and_health_name_the_one_with_what_is_stored(api: httpx.Client) -> None:
    listed = api.get("/v1/sites").json()
    assert [site["name"] for site in listed["sites"]] == [SPOILT, SOUND]
    (apart,) = listed["unreadable"]
    assert (apart["site"], apart["field"], apart["version"]) == (LATER, f"site.tariff.{FIELD}", 1)
    assert apart["configuration"]["tariff"][FIELD] == {"kind": "time_of_use"}
    assert api.get(f"/v1/sites/{LATER}").json()["type"] == "urn:luna:problem:unreadable"
    assert [
        (site["site"], site["armed"], site["untold"])
        for site in api.get("/health/services").json()["unreadable_sites"]
    ] == [(LATER, True, True)]
    assert apart["untold"]
    assert (
        f'luna_site_unreadable_bool{{site="{LATER}"}} 1.0'
        in api.get("/metrics").raise_for_status().text
    )
    # A page of one ends neither before nor after it.
    pages = [api.get("/v1/sites", params={"limit": 1}).json()]
    while pages[-1]["cursor"]:
        pages.append(
            api.get("/v1/sites", params={"limit": 1, "cursor": pages[-1]["cursor"]}).json()
        )
    assert [[site["name"] for site in page["sites"]] for page in pages] == [[], [SPOILT], [SOUND]]


def test_the_commands_list_the_others_and_name_the_one(
    pool: Engine, address: str, luna: Luna, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_DATABASE_URL", address)
    listed = luna("site", "list")
    shown = luna("site", "show", "--site", LATER, "--json")
    assert (listed.code, shown.code) == (0, 0)
    assert all(word in listed.out for word in (SOUND, SPOILT, LATER, FIELD, "luna site add"))
    assert shown.document["tariff"][FIELD] == {"kind": "time_of_use"}
    assert shown.problem["type"] == "urn:luna:problem:unreadable"
    assert "sends no commands" in " ".join(listed.out.split())
    findings = [
        finding
        for finding in check_database(address, Settings(), clock=CLOCK)
        if LATER in finding.format("en").detail and finding.severity == "fault"
    ]
    assert [finding.code for finding in findings] == ["error", "site-uncontrolled"]
    assert FIELD in findings[0].format("en").detail


def test_the_doctor_names_every_kind_of_document_that_cannot_be_read_with_how_many_and_what_to_do(
    pool: Engine, address: str
) -> None:
    findings = [
        each
        for each in check_database(address, Settings(), clock=CLOCK)
        if each.code == "unreadable-rows"
    ]
    told = {(each.figures["kind"], each.figures["count"]) for each in findings}
    # A table's row is read as what it is. The state of the batteries has a decision, an override, a
    # pause and reports of two devices; that of the array too.
    kinds = (
        "plans",
        "charging-sessions",
        "what-ifs",
        "quarantine",
        "agent-gates",
        "agent-plans",
        "documents",
        "answers",
    )
    assert told == {*((kind, 1) for kind in kinds), ("device-states", 10)}
    assert all(each.format("de").remedy and each.severity == "warning" for each in findings)


def refuse(request: object, key: str = "") -> Job:
    raise AssertionError(f"nothing is due: {request} {key}")


def read_sensed(pool: Engine, folder: Path) -> set[str]:
    return {
        site.name
        for site in SiteReader(pool, StateFile(folder / "notes.json"), clock=SystemClock()).read()
    }


def read_turns(pool: Engine, _: Path) -> set[str]:
    units = SiteUnits()
    with unit_of_work(pool) as connection:
        described = {site.site for site in describe_sites(connection, units)}
        assert described == {SOUND, SPOILT, LATER}
        return {name for name, _ in list_due_units(connection, units)}


def read_weather(pool: Engine, _: Path) -> set[str]:
    away = httpx.MockTransport(lambda _request: httpx.Response(404))
    return {
        site.site_id
        for site in fetch_weather(
            pool,
            FetchWeatherRequest(),
            Settings(outside_services=True),
            clock=CLOCK,
            transport=away,
        ).sites
    }


def judge_days(pool: Engine, _: Path) -> set[str]:
    return {site.site_id for site in judge_each(pool, JudgeQualityRequest(), now=NOW).sites}


def live_night(pool: Engine, _: Path) -> set[str]:
    reply = run_night(pool, NightRequest(), refuse, now=NOW.replace(hour=4))
    assert reply.faults == {}
    return set(reply.sites)


def plan_all(pool: Engine, _: Path) -> set[str]:
    names = [LATER, SOUND, SPOILT]
    with unit_of_work(pool) as connection:
        reply = plan_sites(connection, PlanSitesRequest(site_ids=names), now=NOW)
        connection.rollback()
    assert {fault.site_id: fault.error["type"] for fault in reply.faults} == {
        LATER: "urn:luna:problem:unreadable"
    }
    return set(reply.plans)


@pytest.mark.parametrize(
    "read",
    [read_sensed, read_turns, read_weather, judge_days, live_night, plan_all],
    ids=lambda read: read.__name__,
)
def test_what_runs_for_every_site_goes_on_for_those_that_can_be_read(
    read: Callable[[Engine, Path], set[str]], pool: Engine, tmp_path: Path
) -> None:
    assert read(pool, tmp_path) == {SOUND, SPOILT}


def test_prices_messages_replays_and_plans_are_looked_after(pool: Engine) -> None:
    with unit_of_work(pool) as connection:
        assert list_needs(connection, FetchPricesRequest(), now=NOW) == []
    assert notify(pool, [], Settings(), now=NOW).failed == 0
    assert replay_sites(pool, ReplaySitesRequest(), ask=refuse, now=NOW.replace(hour=4)).jobs == {}
    asked: list[str] = []

    def accept(request: PlanSitesRequest, key: str) -> Job:
        asked.extend(request.site_ids)
        return Job(
            job_id="1",
            task=request.task,
            key=key,
            status="queued",
            attempts=0,
            submitted_at=NOW,
            request={},
            trace_id="t",
        )

    refresh_plans(pool, Settings(plan_refresh="all"), ask=accept, now=NOW + timedelta(hours=3))
    assert asked == [LATER, SPOILT, SOUND]


def test_a_sensor_of_a_site_that_became_unreadable_is_recorded_on(
    database: Engine, tmp_path: Path
) -> None:
    notes = StateFile(tmp_path / "notes.json")
    with unit_of_work(database) as connection:
        store_site(connection, name="heard", **HOUSE)
    try:
        assert "heard" in {
            site.name for site in SiteReader(database, notes, clock=SystemClock()).read()
        }
        with unit_of_work(database) as connection:
            break_site(connection, "heard")
        assert "heard" in {
            site.name for site in SiteReader(database, notes, clock=SystemClock()).read()
        }
    finally:
        with unit_of_work(database) as connection:
            connection.execute(site_table.delete().where(site_table.c.name == "heard"))


def test_devices_of_a_site_with_an_older_version_that_can_be_read_are_handed_back(
    connection: Any,
) -> None:
    site = store_site(connection, name="older", **HOUSE)
    sites.save(connection, site.model_copy(update={"currency": "CHF"}))
    own = site_versions.c.site_key == sites.key_of(connection, "older")
    latest = connection.scalar(
        select(site_versions.c.configuration).where(own, site_versions.c.version == 2)
    )
    connection.execute(
        update(site_versions)
        .where(own, site_versions.c.version == 2)
        .values(configuration=latest | {FIELD: 1})
    )
    found = [each for each in sites.list_unreadable(connection) if each.name == "older"]
    assert sites.find_uncontrolled(connection, found, {"older"}) == set()
    connection.execute(update(site_versions).where(own).values(configuration={FIELD: 1}))
    assert sites.find_uncontrolled(connection, found, {"older"}) == {"older"}
    assert sites.find_uncontrolled(connection, found, set()) == set()


def test_a_site_that_cannot_be_read_is_mended_by_storing_it_anew_and_what_was_stored_is_kept(
    connection: Any,
) -> None:
    site = store_site(connection, name="mended", **HOUSE)
    break_site(connection, "mended")
    with pytest.raises(UnreadableError) as unreadable:
        sites.load(connection, "mended")
    assert (unreadable.value.field, unreadable.value.reason) == (
        f"site.tariff.{FIELD}",
        "site-unreadable",
    )
    assert unreadable.value.parameters["site_id"] == "mended"
    assert sites.change(connection, site, version=1) == 2
    assert sites.load(connection, "mended") == site
    own = site_versions.c.site_key == sites.key_of(connection, "mended")
    assert (
        FIELD
        in connection.scalars(
            select(site_versions.c.configuration).where(own, site_versions.c.version == 1)
        ).one()["tariff"]
    )
