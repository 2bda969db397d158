"""Additions on the page: nothing is installed before somebody has agreed to its size, then it is a
job.
"""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.extras import TRAINING, Extra, PythonEnvironment, estimate_minutes
from tests.support.gateway.server import serve
from tests.support.words.wording import wording

PAGE = "/ui/admin/extras"
TASK = "ingest.extra.change"


@pytest.fixture
def api(database_url: str, database: Engine, redis_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url, redis_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs WHERE task = :task"), {"task": TASK})


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PythonEnvironment:
    """An environment that could be added to, and in which nothing of an addition is."""
    (tmp_path / "locks/extras").mkdir(parents=True)
    (tmp_path / "locks/extras/training.txt").touch()
    environment = PythonEnvironment(tmp_path, "/bin/false", tmp_path, own=True)
    monkeypatch.setattr(PythonEnvironment, "of_this_process", classmethod(lambda _: environment))
    monkeypatch.setattr(Extra, "find_missing", lambda extra: list(extra.modules))
    return environment


def jobs_of(api: httpx.Client) -> list[str]:
    """Return how the jobs that change additions stand."""
    return [job["status"] for job in api.get("/v1/jobs").json()["jobs"] if job["task"] == TASK]


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_an_addition_is_a_job_once_its_size_was_agreed_to(
    api: httpx.Client, bare: PythonEnvironment, language: str
) -> None:
    headers = {"Accept-Language": language}
    assert f"{PAGE}/training/installed" not in api.get(PAGE, headers=headers).text
    asked = unescape(api.get(PAGE, params={"agree": "training"}, headers=headers).text)
    figures = {
        "download": TRAINING.download,
        "disk": TRAINING.megabytes,
        "minutes": estimate_minutes(TRAINING),
        "folder": bare.libraries,
    }
    assert wording("admin", "extra_agree", language, **figures) in asked
    assert jobs_of(api) == []
    answer = api.post(f"{PAGE}/training/installed")
    assert (answer.status_code, answer.headers["Location"], jobs_of(api)) == (
        303,
        "/ui/admin/jobs",
        ["queued"],
    )


def test_what_cannot_be_changed_has_no_button(api: httpx.Client, bare: PythonEnvironment) -> None:
    page = unescape(api.get(PAGE).text)
    # Of the others this environment has no lock.
    assert page.count(wording("admin", "extra_elsewhere")) == 4
    assert page.count("?agree=") == 1


def test_programs_see_the_same(api: httpx.Client) -> None:
    listed = {extra["name"]: extra for extra in api.get("/v1/extras").json()["extras"]}
    assert listed["training"]["download_mb"] == TRAINING.download
    assert api.put("/v1/extras/nonsense", json={"wanted": "installed"}).status_code == 422
    assert api.put("/v1/extras/training", json={"wanted": "installed"}).status_code == 202
    assert jobs_of(api) == ["queued"]
