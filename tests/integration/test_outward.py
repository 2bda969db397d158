"""What files and other programs see of Luna is as recorded; ``LUNA_RECORD=1`` records anew.

Recordings hold structure, codes and figures. Sentences are held by ``tests/unit/words`` alone,
commands with their options by the guide's reference.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.recordings import queue_contents, surfaces
from tests.support.recordings.comparison import hold
from tests.support.recordings.plans import describe_plan
from tests.support.recordings.requests import REQUESTS
from tests.support.suite.tables import each_row

EXAMPLE = Path(__file__).parents[2] / "examples" / "plan_request.json"
PLANS: dict[str, dict[str, Any]] = {
    **REQUESTS,
    "example": json.loads(EXAMPLE.read_text(encoding="utf-8")),
}
SURFACES = {
    "openapi.json": surfaces.openapi,
    "messages.json": surfaces.messages,
    "programs.json": surfaces.programs,
    "site.json": surfaces.site,
    "settings.json": surfaces.settings,
    "tables.sql": surfaces.tables,
}
FILES = {"spool.json": surfaces.spool, "model.json": surfaces.model}


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_is_as_recorded(name: str) -> None:
    hold(name, SURFACES[name]())


@pytest.mark.parametrize("name", FILES)
def test_what_lies_on_the_disk_is_as_recorded(name: str, tmp_path: Path) -> None:
    hold(name, FILES[name](tmp_path))


@each_row("name", sorted(PLANS))
def test_a_plan_has_the_figures_and_reasons_recorded(name: str) -> None:
    hold(f"plans/{name}.txt", describe_plan(PLANS[name]))


@pytest.fixture(scope="module")
def queue_url(kept_folder: Path) -> Iterator[str]:
    """A Redis in which nothing stands but what these tests leave there."""
    with queue_contents.open_queue(kept_folder) as url:
        yield url


def test_what_stands_in_redis_is_as_recorded(queue_url: str) -> None:
    hold("redis.json", queue_contents.queue_keys(queue_url))


def test_what_beat_asks_for_is_as_recorded(queue_url: str) -> None:
    hold("beat.json", queue_contents.beat_schedule(queue_url))
