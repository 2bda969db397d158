"""Files handed over through HTTP: loaded by a worker, refused with a reason, never twice in the
history.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import load_settings
from services.api.app import MAX_BODY_BYTES
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.worker.workers import wait_for, worker_process

PROBLEM = "application/problem+json"
SITE = "uploaded"
CSV = "slot_start,verbrauch,note\n" + "".join(
    f"2024-01-01T{slot // 4:02}:{15 * (slot % 4):02}:00,{slot}.5,x\n" for slot in range(96)
)
FORM = {
    "site": SITE,
    "kind": "observations",
    "timezone": "Europe/Berlin",
    "columns": "load_kwh=verbrauch",
    "ignore": "note",
}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUNA_DATA_FOLDER", str(folder))
        patch.setenv("LUNA_LOAD_MAX_ROWS", "1000000")
        load_settings.cache_clear()
        yield folder
    load_settings.cache_clear()


@pytest.fixture(scope="module")
def api(
    redis_url: str, database_url: str, database: Engine, data_folder: Path
) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        store_site(connection, name=SITE)
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))
    with redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()


@pytest.fixture(scope="module")
def worker(redis_url: str, database_url: str, data_folder: Path) -> Iterator[None]:
    with worker_process(redis_url, database_url, "services.ingest.tasks"):
        yield


def hand_over(api: httpx.Client, content: bytes | str, **changes: Any) -> httpx.Response:
    form = {name: value for name, value in (FORM | changes).items() if value is not None}
    return api.post("/data/load", data=form, files={"file": ("meter.csv", content)})


def end_of(api: httpx.Client, accepted: httpx.Response) -> dict[str, Any]:
    assert accepted.status_code == 202, accepted.text
    wait_for(
        lambda: (
            api.get(accepted.headers["Location"]).json()["status"] in {"done", "failed", "dead"}
        ),
        seconds=60,
    )
    job: dict[str, Any] = api.get(accepted.headers["Location"]).json()
    return job


def stored_files(folder: Path) -> list[Path]:
    return [path for path in sorted((folder / "objects" / "uploads").glob("*")) if path.is_file()]


def test_a_file_is_accepted_loaded_and_reported(
    api: httpx.Client, worker: None, data_folder: Path
) -> None:
    job = end_of(api, hand_over(api, CSV))
    assert (job["status"], job["task"], job["request"]["file_name"]) == (
        "done",
        "ingest.file.load",
        "meter.csv",
    )
    reply = job["reply"]
    assert {
        name: reply[name]
        for name in ("rows", "accepted", "quarantined", "duplicated", "step_minutes")
    } == {
        "rows": 96,
        "accepted": 96,
        "quarantined": 0,
        "duplicated": 0,
        "step_minutes": 15,
    }
    # Midnight in Berlin is 23:00 in UTC.
    answer = api.get(
        "/data/query",
        params={"site": SITE, "series": "load_kwh", "from": "2024-01-01", "to": "2024-01-02"},
    ).json()
    assert [row["value"] for row in answer["rows"]] == [slot + 0.5 for slot in range(96)]
    wait_for(lambda: stored_files(data_folder) == [])
    assert list((data_folder / "loads").iterdir()) == []


def test_the_same_file_again_changes_nothing(api: httpx.Client, worker: None) -> None:
    end_of(api, hand_over(api, CSV))
    reply = end_of(api, hand_over(api, gzip.compress(CSV.encode())))["reply"]
    assert (reply["inserted"], reply["updated"], reply["unchanged"]) == (0, 0, 96)


def test_a_json_array_is_loaded(api: httpx.Client, worker: None) -> None:
    array = json.dumps(
        [{"slot_start": f"2024-02-01T0{hour}:00:00Z", "load_kwh": hour} for hour in range(10)],
        indent=1,
    )
    reply = end_of(api, hand_over(api, array, columns=None, ignore=None, timezone=None))["reply"]
    assert (reply["rows"], reply["accepted"], reply["step_minutes"]) == (10, 10, 60)


def test_a_column_in_another_unit_is_converted(api: httpx.Client, worker: None) -> None:
    hours = json.dumps(
        [
            {"slot_start": f"2024-02-02T0{hour}:00:00Z", "load_kwh": hour * 1000}
            for hour in range(10)
        ]
    )
    reply = end_of(
        api, hand_over(api, hours, columns=None, ignore=None, timezone=None, units="load_kwh=Wh")
    )["reply"]
    assert (reply["accepted"], reply["notes"]) == (10, ["load_kwh was converted from Wh."])


def test_rows_that_cannot_be_used_are_counted_with_their_reason(
    api: httpx.Client, worker: None
) -> None:
    reply = end_of(api, hand_over(api, CSV.replace("7.5,x", "-7.5,x")))["reply"]
    # The slots 7, 17, … 87.
    assert (reply["quarantined"], sum(reply["reasons"].values())) == (9, 9)


@each_row(
    "content",
    ["", "when,what\n1,2\n", "slot_start,verbrauch,note\nyesterday,1,x\n", '[{"slot_start": "2024'],
    ids=["empty", "columns", "no row", "cut off"],
)
def test_a_bad_file_fails_its_job_with_a_problem_and_stays_for_another_try(
    api: httpx.Client, worker: None, data_folder: Path, content: str
) -> None:
    before = len(stored_files(data_folder))
    job = end_of(api, hand_over(api, content))
    assert (job["status"], job["error"]["type"]) == ("failed", "urn:luna:problem:invalid-input")
    assert job["error"]["remedy"]
    assert "/loads/" not in job["error"]["detail"]
    assert len(stored_files(data_folder)) == before + 1


def test_a_cheap_day_per_mwh_fails_its_job_until_its_unit_is_said(
    api: httpx.Client, worker: None
) -> None:
    hours = "slot_start,import_price\n" + "".join(
        f"2024-05-05T{hour:02}:00:00Z,{8 - hour}\n" for hour in range(14)
    )
    form: dict[str, Any] = {"kind": "prices", "columns": None, "ignore": None, "timezone": None}
    error = end_of(api, hand_over(api, hours, **form))["error"]
    assert (
        error["field"],
        "1.5" in error["detail"],
        "--unit import_price=EUR/MWh" in error["remedy"],
    ) == ("import_price", True, True)
    assert (
        end_of(api, hand_over(api, hours, units="import_price=EUR/MWh", **form))["reply"][
            "accepted"
        ]
        == 14
    )


def test_equal_files_are_one_job_while_it_is_open(
    database_url: str, database: Engine, api: httpx.Client, data_folder: Path
) -> None:
    before = stored_files(data_folder)
    # Without a queue no worker begins before the second file is there.
    with serve(Addresses(database_url=database_url, redis_url="redis://127.0.0.1:9/0")) as lonely:
        first, second = (hand_over(lonely, CSV.replace("2024", "2021")) for _ in range(2))
    assert (first.status_code, second.status_code, second.json()["job_id"]) == (
        202,
        202,
        first.json()["job_id"],
    )
    assert [path.name for path in stored_files(data_folder) if path not in before] == [
        first.json()["request"]["object_key"].rpartition("/")[2]
    ]
    with unit_of_work(database) as connection:
        connection.execute(
            text("DELETE FROM jobs WHERE job_id = :job_id"), {"job_id": first.json()["job_id"]}
        )


@each_row(
    ("changes", "status", "field"),
    [
        pytest.param({"site": "nowhere"}, 404, "site", id="site"),
        pytest.param({"site": "no\x00where"}, 422, "site", id="site with a NUL"),
        pytest.param({"timezone": "\x00"}, 422, "timezone", id="zone with a NUL"),
        pytest.param({"site": None}, 422, "site", id="no site"),
        pytest.param({"kind": "gossip"}, 422, "kind", id="kind"),
        pytest.param({"columns": "load_kwh"}, 422, "columns", id="columns"),
        pytest.param({"units": "Wh"}, 422, "units", id="units"),
        pytest.param({"colour": "red"}, 422, "colour", id="unknown field"),
        pytest.param({"ignore": "x" * 20_000}, 422, "ignore", id="long field"),
    ],
)
def test_a_form_that_cannot_be_used_names_its_field_and_leaves_no_file(
    api: httpx.Client, data_folder: Path, changes: dict[str, Any], status: int, field: str
) -> None:
    before = stored_files(data_folder)
    answer = hand_over(api, CSV, **changes)
    assert (answer.status_code, answer.headers["content-type"], answer.json()["field"]) == (
        status,
        PROBLEM,
        field,
    )
    assert answer.json()["remedy"]
    assert stored_files(data_folder) == before


@each_row(
    ("kind", "content", "field"),
    [
        ("application/json", b"{}", "body"),
        ("multipart/form-data", b"--", "body"),
        ("multipart/form-data; boundary=b", b"nonsense", "body"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="site"\r\n\r\nhome\r\n--b--\r\n',
            "file",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nslot',
            "body",
        ),
    ],
    ids=["json", "no boundary", "malformed", "no file", "cut off"],
)
def test_what_is_no_whole_form_with_a_file_is_refused(
    api: httpx.Client, data_folder: Path, kind: str, content: bytes, field: str
) -> None:
    before = stored_files(data_folder)
    answer = api.post("/data/load", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert stored_files(data_folder) == before


def test_a_file_may_be_larger_than_other_bodies(api: httpx.Client, worker: None) -> None:
    long = CSV + "2024-01-01T00:00:00,0.5,x\n" * (MAX_BODY_BYTES // 20)
    reply = end_of(api, hand_over(api, long))["reply"]
    assert (reply["accepted"], reply["duplicated"]) == (96, MAX_BODY_BYTES // 20)


@each_row("name", ["Łódź.csv", "名.csv", "🔌.csv", "a'b;c.csv", "Zähler März.csv"])
def test_a_file_is_called_what_its_owner_calls_it(
    api: httpx.Client, worker: None, name: str
) -> None:
    accepted = api.post("/data/load", data=FORM, files={"file": (name, CSV)})
    assert end_of(api, accepted)["request"]["file_name"] == name


def part(header: bytes, content: bytes = b"x") -> bytes:
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nslot\r\n'
    return (
        file + b"--b\r\nContent-Disposition: " + header + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
    )


@each_row(
    ("body", "field"),
    [
        pytest.param(part('form-data; name="名"'.encode()), "名", id="field of another script"),
        pytest.param(part(b'form-data; name="\xff\xfe"'), "body", id="name that is no UTF-8"),
        pytest.param(part(b'form-data; name="a\x00b"'), "body", id="name with a NUL"),
        pytest.param(part(b"form-data"), "", id="no name"),
        pytest.param(
            part(b'\xff\xfe; name="site"; \xe9=1', b"nowhere"), "kind", id="header that is no UTF-8"
        ),
    ],
)
def test_a_part_that_cannot_be_read_is_refused(
    api: httpx.Client, data_folder: Path, body: bytes, field: str
) -> None:
    before = stored_files(data_folder)
    answer = api.post(
        "/data/load", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, answer.headers["content-type"], answer.json().get("field", "")) == (
        422,
        PROBLEM,
        field,
    ), answer.text
    assert answer.json()["remedy"]
    assert stored_files(data_folder) == before


def test_a_boundary_beyond_all_is_refused(api: httpx.Client) -> None:
    answer = api.post(
        "/data/load",
        content=b"--",
        headers={"Content-Type": f"multipart/form-data; boundary={'b' * 5000}"},
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "body")


@pytest.mark.parametrize(
    ("pieces", "setting"),
    [
        pytest.param(
            [b"\0" * 1_000_000] * 50, "LUNA_LOAD_MAX_LINE_BYTES", id="fifty megabytes in a line"
        ),
        pytest.param(
            [b"slot_start,load_kwh\n", *[b"2024-01-01T00:00:00Z,1\n" * 100_000] * 11],
            "LUNA_LOAD_MAX_ROWS",
            id="more than a million rows",
        ),
    ],
)
def test_a_small_file_that_unpacks_to_a_huge_one_fails_its_job_at_once(
    api: httpx.Client, worker: None, pieces: list[bytes], setting: str
) -> None:
    job = end_of(
        api,
        hand_over(api, gzip.compress(b"".join(pieces)), columns=None, ignore=None, timezone=None),
    )
    assert (job["status"], job["attempts"], job["error"]["type"]) == (
        "failed",
        1,
        "urn:luna:problem:invalid-input",
    )
    assert setting in job["error"]["remedy"]
