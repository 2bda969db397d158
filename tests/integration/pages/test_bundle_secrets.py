"""The debug bundle under a scanner: secrets are planted wherever one could come into it, and none
of them comes out.
"""

import base64
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import text

from luna.contracts.data import LoadFileRequest
from luna.contracts.plan import PlanRequest
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import Settings
from luna.platform.telemetry import RECENT_LINES, configure_logging
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.people import PASSWORD, Gate, gate_with_people
from tests.support.household.measurements import describe_site

SECRET_SETTINGS = sorted(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
)
# Settings whose value is more than a secret.
ADDRESSES = ("database_url", "redis_url", "notify_urls")
# What JSON and addresses write otherwise than it is.
ODD = 'a"b\\c/ü+%'
LATITUDE = "52.516312"
LONGITUDE = "13.377704"


def plant(name: str) -> str:
    """Return a secret that names where it was planted, and is long enough for a key."""
    return f"planted.in.{name}.{ODD}.and.nowhere.else"


def planted_settings() -> dict[str, Any]:
    """Every secret setting with a secret of its own.

    Addresses get theirs from the setting of their password, several targets have one each.
    """
    values = {name: SecretStr(plant(name)) for name in SECRET_SETTINGS}
    values |= {
        "database_url": SecretStr("postgresql://luna@127.0.0.1:9/luna"),
        "redis_url": SecretStr("redis://127.0.0.1:9/0"),
    }
    values["notify_urls"] = SecretStr(
        "plan=ntfys://tk_planted-first-target/topic\n"
        "json://luna:planted-second-target@127.0.0.1:9/path"
    )
    return values | {
        "mqtt_url": "mqtt://luna:planted-in-the-broker@127.0.0.1:9",
        "home_assistant_url": "http://planted-in-address@127.0.0.1:9",
    }


@pytest.fixture(scope="module")
def recorded() -> Iterator[None]:
    """The process logs as a gateway does, and keeps its last lines."""
    before = logging.root.handlers
    level = logging.root.level
    configure_logging("api")
    yield
    logging.root.handlers = before
    logging.root.level = level
    RECENT_LINES.clear()


@pytest.fixture(scope="module")
def gate(
    recorded: None, servers: Servers, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    settings = planted_settings() | {"data_folder": tmp_path_factory.mktemp("bundle")}
    with gate_with_people(servers.database_url, redis_url, **settings) as gate:
        yield gate


def forms_of(secret: str) -> set[str]:
    """Return the ways in which a secret could stand in a file: as it is, escaped, quoted,
    encoded.
    """
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        encoded,
    }


def scan(bundle: bytes, secrets: list[str]) -> list[str]:
    """Return where which secret stands in a bundle, in whatever form."""
    archive = zipfile.ZipFile(io.BytesIO(bundle))
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return [
        f"{name}: {secret}"
        for name, content in texts.items()
        for secret in secrets
        if any(form in content for form in forms_of(secret))
    ]


def fetch(gate: Gate) -> bytes:
    answer = gate.client.get("/ui/admin/bundle", headers=gate.session("admin", confirmed=True))
    assert answer.status_code == 200, answer.text
    return answer.content


def test_no_secret_setting_is_in_the_bundle_wherever_it_was_written(gate: Gate) -> None:
    secrets = [plant(name) for name in SECRET_SETTINGS if name not in ADDRESSES]
    secrets += [
        "tk_planted-first-target",
        "planted-second-target",
        "planted-in-the-broker",
        "planted-in-address",
    ]
    log = structlog.get_logger("luna.test")
    for secret in secrets:
        log.warning("refused", detail=f"the server said no to {secret}", nested={"list": [secret]})
        logging.getLogger("library").warning("sent %s as %s", secret, quote(secret, safe=""))
        RECENT_LINES.append(f"a process that logs no JSON: {secret}")
    bundle = fetch(gate)
    assert scan(bundle, secrets) == []
    # The lines are there; what was secret of them is not.
    assert zipfile.ZipFile(io.BytesIO(bundle)).read("logs.jsonl").decode().count(
        "the server said no to"
    ) == len(secrets)


def test_nothing_that_opens_the_gateway_is_in_the_bundle(gate: Gate) -> None:
    with httpx.Client(base_url=gate.client.base_url, verify=NO_CERTIFICATES) as browser:
        signed_in = browser.post("/v1/auth/login", json={"name": "ada", "password": PASSWORD})
        browser.post("/v1/auth/login", json={"name": "ada", "password": "planted-wrong-password"})
        browser.get(
            "/nowhere?token=planted-in-query",
            headers={
                "Authorization": "Bearer planted-in-header",
                "Cookie": "luna_session=planted-in-cookie",
            },
        )
        browser.get(
            "/v1/sites",
            headers={
                "X-Api-Key": "planted-api-key",
                "X-Trace-Id": "planted in a trace",
                "Referer": "http://a/?key=planted-referer",
            },
        )
        [cookie] = [value for name, value in signed_in.cookies.items() if "session" in name]
    key = gate.key("admin")["Authorization"].removeprefix("Bearer ")
    tokens = gate.tokens("admin")
    for value in (key, cookie, tokens["access_token"]):
        logging.getLogger("library").warning(
            "request headers: Authorization: Bearer %s, Cookie: luna_session=%s; GET "
            "/x?access_token=%s&n=1",
            value,
            value,
            value,
        )
    secrets = [
        PASSWORD,
        key,
        cookie,
        *(value for name, value in tokens.items() if name.endswith("_token")),
    ]
    secrets += [
        "planted-wrong-password",
        "planted-in-query",
        "planted-in-header",
        "planted-in-cookie",
        "planted-api-key",
        "planted in a trace",
        "planted-referer",
    ]
    assert scan(fetch(gate), secrets) == []


def test_what_jobs_were_asked_and_how_they_failed_gives_nothing_away(
    gate: Gate, redis_url: str
) -> None:
    place = {"latitude": float(LATITUDE), "longitude": float(LONGITUDE)}
    outlook = {
        "load_kwh": [0.1] * 8,
        "pv_kwh": [0.0] * 8,
        "import_price": [0.3] * 8,
        "export_price": [0.0] * 8,
    }
    site = describe_site(name="asked", location=place).model_dump(mode="json", by_alias=True)
    asked = [
        LoadFileRequest(
            site_id="own home",
            object_key="x",
            kind="prices",
            file_name="https://luna:planted-in-a-job@host/file.csv?token=planted-in-a-job",
        ),
        LoadFileRequest(site_id="own home", object_key=plant("entsoe_token"), kind="prices"),
        PlanRequest.model_validate(
            {"site": site, "start": "2024-02-01T12:00:00Z", "outlook": outlook}
        ),
    ]
    error = {
        "title": "refused",
        "detail": (
            "https://luna:planted-in-an-error@host/?api_key=planted-in-a-query "
            f"{plant('tibber_token')}"
        ),
        "token": "planted-by-name",
    }
    with closing(Client(redis_url)) as client:
        ids = [
            submit_job(
                gate.database, client, request, key=f"https://luna:planted-in-a-key@host/{number}"
            ).job_id
            for number, request in enumerate(asked)
        ]
    with unit_of_work(gate.database) as connection:
        failed = text(
            "UPDATE jobs SET status = 'failed', finished_at = now(), error = CAST(:error "
            "AS jsonb) WHERE job_id = ANY(:ids)"
        )
        connection.execute(failed, {"error": json.dumps(error), "ids": ids})
    bundle = fetch(gate)
    places = ["in-a-job", "in-an-error", "in-a-query", "by-name", "in-a-key"]
    assert (
        scan(
            bundle,
            [
                *(f"planted-{place}" for place in places),
                plant("entsoe_token"),
                plant("tibber_token"),
                LATITUDE,
                LONGITUDE,
            ],
        )
        == []
    )
    jobs = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read("jobs.json"))
    assert [job["error"]["title"] for job in jobs if job["job_id"] in ids] == ["refused"] * 3


def test_the_scanner_finds_what_is_there() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, form in enumerate(sorted(forms_of(ODD))):
            archive.writestr(f"{number}", f"… {form} …")
    assert len(scan(content.getvalue(), [ODD, "other"])) == len(forms_of(ODD))
