"""The installation's pages: every panel in each state, settings that are refused, and a bundle that
gives nothing away.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from luna.contracts import FetchPricesRequest
from luna.contracts.job import Job
from luna.platform.database import training_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from luna.platform.telemetry import RECENT_LINES
from services.api.pages.admin.panels import PANELS
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.pages.flat_html import flatten_html
from tests.support.suite.tables import each_row
from tests.support.words.english import find_english
from tests.support.words.wording import wording

# Each where something could let it slip: a setting of its own, one in an address, one with what
# JSON escapes.
SECRETS = {
    "home_assistant_token": SecretStr("ha-token-5d1f"),
    "mqtt_password": SecretStr('quote"and\\slash-77'),
    "entsoe_token": SecretStr("entsoe-0c44"),
    "objects_secret_key": SecretStr("objects-91ab"),
    "vectors_api_key": SecretStr("vectors-22fe"),
    "mqtt_url": "mqtt://luna:in-address-3e8d@127.0.0.1:9",
    "home_assistant_url": "http://127.0.0.1:9",
}
TEXTS = (
    "ha-token-5d1f",
    'quote"and',
    "slash-77",
    "entsoe-0c44",
    "objects-91ab",
    "vectors-22fe",
    "in-address-3e8d",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the gateway keeps what is entered."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def gateway(redis_url: str, database_url: str, folder: Path) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, data_folder=folder, **SECRETS) as client:
        yield client


@pytest.fixture
def api(gateway: httpx.Client, folder: Path) -> Iterator[httpx.Client]:
    yield gateway
    (folder / "settings.json").unlink(missing_ok=True)


@pytest.fixture
def job(redis_url: str, database: Engine) -> Iterator[Job]:
    client = Client(redis_url)
    job = submit_job(database, client, FetchPricesRequest(), key="shown-to-admins")
    yield job
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs WHERE job_id = :job_id"), {"job_id": job.job_id})
    client.close()


@each_row(
    "section", ["status", "jobs", "people", "messages", "settings", "extras", "audit", "logs"]
)
def test_every_page_is_there_without_a_script_and_in_german_has_no_english_sentence(
    api: httpx.Client, section: str
) -> None:
    for language in ("en", "de"):
        answer = api.get(f"/ui/admin/{section}", headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert f'<html lang="{language}"' in answer.text
        assert not [secret for secret in TEXTS if secret in answer.text]
    assert find_english(answer.text) == []


@each_row("name", list(PANELS))
def test_every_panel_is_read_again_by_itself(api: httpx.Client, name: str) -> None:
    part = api.get(f"/ui/admin/parts/{name}", headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert f'hx-get="/ui/admin/parts/{name}"' in part.text


def test_a_panel_that_cannot_be_read_says_so_and_the_others_stay(
    database_url: str, tmp_path: Path
) -> None:
    nowhere = Addresses(database_url=database_url, redis_url="redis://127.0.0.1:9/0")
    with serve(nowhere, data_folder=tmp_path) as api:
        page = api.get("/ui/admin/status", headers={"Accept-Language": "de"}).text
    assert wording("admin", "panel_error", "de") in unescape(page)
    assert wording("checks", "fault_redis", "de") in unescape(page)
    assert "alembic_version" in page
    assert find_english(page) == []


def test_a_job_is_cancelled_and_tried_again(api: httpx.Client, job: Job) -> None:
    assert f"/ui/admin/jobs/{job.job_id}/cancel" in api.get("/ui/admin/jobs").text
    assert api.post(f"/ui/admin/jobs/{job.job_id}/cancel").status_code == 303
    assert f"/ui/admin/jobs/{job.job_id}/retry" in api.get("/ui/admin/jobs?status=cancelled").text
    assert api.post(f"/ui/admin/jobs/{job.job_id}/retry").status_code == 303
    assert f"/ui/admin/jobs/{job.job_id}/cancel" in api.get("/ui/admin/jobs?status=open").text


@each_row("section", ["status", "jobs", "people", "audit", "answers", "logs"])
def test_a_page_tells_times_by_the_sites_clock_and_names_it_once(
    api: httpx.Client, database: Engine, job: Job, section: str
) -> None:
    # Kathmandu is 5:45 ahead: no other clock shows its minutes.
    with stored_site(database, name="clocked", timezone="Asia/Kathmandu"):
        page = api.get(f"/ui/admin/{section}", headers={"Accept-Language": "de"}).text
    assert page.count(wording("every_page", "page_zone", "de", zone="Asia/Kathmandu")) == 1
    assert " UTC" not in page


def test_a_job_is_told_by_the_clock_of_the_page(
    api: httpx.Client, database: Engine, job: Job
) -> None:
    with stored_site(database, name="clocked", timezone="Asia/Kathmandu"):
        page = api.get("/ui/admin/jobs").text
    assert f"{job.submitted_at.astimezone(ZoneInfo('Asia/Kathmandu')):%Y-%m-%d %H:%M:%S}" in page


def test_the_log_leaves_out_who_only_watches(api: httpx.Client) -> None:
    routes = (
        "/ui/admin/{section}",
        "/ui/admin/parts/{part}",
        "/static/{name}",
        "/health/services",
        "/v1/sites",
    )
    RECENT_LINES.extend(
        json.dumps(
            {"event": "request", "method": "GET", "route": route, "at": "2026-01-02T03:04:05Z"}
        )
        for route in routes
    )
    page = unescape(api.get("/ui/admin/logs").text)
    assert [route for route in routes if f"route={route}" in page] == ["/v1/sites"]


def test_a_setting_is_changed_holds_and_goes_back(api: httpx.Client, folder: Path) -> None:
    assert (
        api.post(
            "/ui/admin/settings", data={"name": "job_retention", "value": "30 d", "go": "save"}
        ).status_code
        == 303
    )
    assert json.loads((folder / "settings.json").read_text(encoding="utf-8")) == {
        "job_retention": "P30D"
    }
    assert 'value="30\u00a0d"' in api.get("/ui/admin/settings").text
    api.post("/ui/admin/settings", data={"name": "job_retention", "value": "P30D", "go": "default"})
    assert 'value="90\u00a0d"' in api.get("/ui/admin/settings").text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("job_retention", "PT1H"),
        ("load_max_rows", "many"),
        ("database_url", "x"),
        ("nonsense", "x"),
    ],
)
def test_a_setting_that_cannot_be_taken_is_refused_and_nothing_is_stored(
    api: httpx.Client, folder: Path, name: str, value: str
) -> None:
    assert (
        api.post(
            "/ui/admin/settings", data={"name": name, "value": value, "go": "save"}
        ).status_code
        == 422
    )
    assert not (folder / "settings.json").exists()


def test_trainings_of_every_site_and_version_are_shown(api: httpx.Client, database: Engine) -> None:
    # Later than any other's: the newest stand first, and there are twenty.
    first = datetime(2123, 1, 1, tzinfo=UTC)
    until = datetime(2123, 6, 1, tzinfo=UTC)
    with (
        stored_site(database, name="forecast trained"),
        stored_site(database, name="agent trained"),
    ):
        with unit_of_work(database) as connection:
            for site, version in (
                ("forecast trained", "aurora_v1.0"),
                ("agent trained", "agent_value_v1"),
            ):
                training_runs.save(
                    connection,
                    site,
                    TrainingRun(
                        f"{version}.shown", version, first, until, "0", 0, 1.0, verdict="better"
                    ),
                )
        answer = api.get("/ui/admin/parts/models", headers={"HX-Request": "true"})
        part = flatten_html(answer.text)
    for site, version in (("forecast trained", "aurora_v1.0"), ("agent trained", "agent_value_v1")):
        assert f'<th scope="row">{site}</th><td>{version}</td>' in part


def test_the_bundle_holds_what_helps_and_no_secret_and_no_place(
    api: httpx.Client, database: Engine
) -> None:
    with stored_site(
        database, name="bundled", location={"latitude": 52.5163, "longitude": 13.3777}
    ):
        api.get("/ui/admin/status")
        answer = api.get("/ui/admin/bundle")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {
        "settings.json",
        "versions.json",
        "services.json",
        "jobs.json",
        "tables.json",
        "sites.json",
        "logs.jsonl",
    }
    whole = "\n".join(texts.values())
    assert not [secret for secret in (*TEXTS, "52.5163", "13.3777") if secret in whole]
    [location] = [
        each["site"]["location"]
        for each in json.loads(texts["sites.json"])
        if each["site"]["name"] == "bundled"
    ]
    assert location == {"latitude": 53, "longitude": 13}
