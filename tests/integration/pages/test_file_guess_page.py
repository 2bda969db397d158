"""A file of a supplier on the pages: handed over, shown, answered, stored by the job, and what
became of it.
"""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.data import LoadFileRequest
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import jobs, observations, setup_drafts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.metering.foreign_files import ForeignFile, austrian_portal, dutch_p1_meter
from tests.support.pages.site_with_history import describe_furnished, forget_furnished
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.workers import wait_for, worker_process

SITE = "paper-house"
OTHER = "glass-house"
DATA = f"/ui/sites/{SITE}/data"


@pytest.fixture(scope="module")
def api(
    redis_url: str, database_url: str, database: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        for name in (SITE, OTHER):
            sites.save(connection, describe_furnished(name))
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as environment:
        # Gateway and worker share the store of objects.
        environment.setenv("LUNA_DATA_FOLDER", str(folder))
        with (
            worker_process(redis_url, database_url, "services.ingest.tasks"),
            serve(Addresses(database_url=database_url, redis_url=redis_url)) as client,
        ):
            yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, SITE, OTHER)


def hand_over(api: httpx.Client, file: ForeignFile) -> str:
    sent = api.post(f"{DATA}/imports", files={"file": (file.name, file.content)})
    assert sent.status_code == 303, sent.text
    return str(sent.headers["Location"])


def read(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def fields_of(page: str) -> dict[str, str]:
    """Return what the page's form would send: hidden fields, and of each list what is chosen."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    lists = re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL)
    return hidden | {
        name: chosen[0]
        for name, options in lists
        if (chosen := re.findall(r'<option value="([^"]*)" selected', options))
    }


def test_a_file_with_an_open_question_is_stored_once_it_is_answered(
    api: httpx.Client, database: Engine
) -> None:
    file = austrian_portal()
    address = hand_over(api, file)
    page = api.get(address)
    text = read(page)
    assert wording("file_guess", "headline_open", file=file.name) in text
    assert wording("file_guess", "question_consumption", column="Verbrauch [kWh]") in text
    assert wording_pattern("file_guess", "reason_zone_changes", day="31 Mar 2024").search(text)
    german = read(api.get(address, headers={"Accept-Language": "de"}))
    assert wording("file_guess", "headline_open", "de", file=file.name) in german
    path = address.partition("?")[0]
    fields = fields_of(page.text)
    refused = api.post(path, data=fields)
    assert wording("file_guess", "unanswered") in read(api.get(refused.headers["Location"]))
    answered = fields | dict(file.answers)
    # Bought on 30 March, 31 March and 1 April: the sums of the months are those of the house.
    march = sum(
        kwh
        for start, kwh in zip(file.house.starts, file.house.bought, strict=True)
        if start.astimezone(file.house.zone).month == 3
    )
    assert f"Mar 2024 {march:,.1f} kWh" in read(api.get(path, params=answered))
    stored = api.post(path, data=answered)
    assert stored.headers["Location"].startswith(f"{DATA}?job=")

    def is_done() -> bool:
        with unit_of_work(database) as connection:
            (job,) = jobs.list_of_site(connection, SITE, tasks=[LoadFileRequest.task])
        return job.status == "done"

    wait_for(is_done)
    days = Timeline(file.house.starts[0], SLOT, len(file.house.starts))
    with unit_of_work(database) as connection:
        assert (
            observations.read(connection, SITE, days).import_kwh.round(6).tolist()
            == file.house.bought
        )
    assert wording_pattern("data", "load_counts", rows=284, accepted=284).search(
        read(api.get(DATA))
    )


def test_what_can_be_known_is_stored_without_a_question_and_counters_are_gathered(
    api: httpx.Client,
) -> None:
    address = hand_over(api, dutch_p1_meter())
    page = api.get(address)
    text = read(page)
    assert wording("file_guess", "reason_added_up", count=2) in text
    assert wording("file_guess", "reason_counter_rises") in text
    fields = fields_of(page.text)
    assert (fields["column:Import T1 kWh"], fields["measure:Import T1 kWh"], fields["zone"]) == (
        "import_kwh",
        "counter",
        "Europe/Berlin",
    )
    # What is shown again with the same choices is the same.
    assert fields_of(api.get(address.partition("?")[0], params=fields).text) == fields


def test_a_file_is_looked_at_in_set_up_and_read_so_before_the_first_plan(
    api: httpx.Client, database: Engine
) -> None:
    draft = api.post("/ui/setup", data={"kind": "own"}).headers["Location"].rpartition("/")[0]
    assert api.get(f"{draft}/file").status_code == 404
    file = austrian_portal()
    sent = api.post(
        "/ui/setup/upload",
        data={"draft_id": draft.rpartition("/")[2]},
        files={"file": (file.name, file.content)},
    )
    fields = fields_of(api.get(sent.headers["Location"]).text)
    open_still = api.post(f"{draft}/file", data=fields)
    assert "unanswered=1" in open_still.headers["Location"]
    assert (
        api.post(f"{draft}/file", data=fields | dict(file.answers)).headers["Location"]
        == f"{draft}/data"
    )
    with unit_of_work(database) as connection:
        upload = setup_drafts.load(connection, draft.rpartition("/")[2])["upload"]
    message = LoadFileRequest.model_validate({"site_id": SITE, **upload})
    assert message.reading is not None
    assert [(column.name, column.stored_as) for column in message.reading.columns] == [
        ("Verbrauch [kWh]", "import_kwh")
    ]


def test_a_file_of_another_kind_is_refused_in_words(api: httpx.Client) -> None:
    sent = api.post(
        f"{DATA}/imports",
        files={
            "file": ("portal.csv", b"<!DOCTYPE html><html><head><title>Login</title></head></html>")
        },
    )
    page = api.get(sent.headers["Location"])
    assert page.status_code == 422
    assert wording("refusals", "sentence_file-is-web-page") in unescape(page.text)
    assert api.get(f"{DATA}/imports/{'0' * 32}").status_code == 404
    # Another site does not see it.
    assert api.get(sent.headers["Location"].replace(SITE, OTHER)).status_code == 404
    assert api.get(f"{DATA}/imports/..%2Fsecret").status_code in {404, 422}
