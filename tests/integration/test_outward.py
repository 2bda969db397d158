"""What users, files and other programs see of Luna is as it was recorded, byte for byte; ``LUNA_RECORD=1`` records anew."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line.call import Luna
from tests.support.recordings import queue_contents, surfaces
from tests.support.recordings.comparison import hold
from tests.support.recordings.requests import REQUESTS
from tests.support.suite.tables import each_row

EXAMPLES = Path(__file__).parents[2] / "examples"
PLANS: dict[str, dict[str, Any]] = REQUESTS | {f"example_{path.stem}": json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("*.json")}
SURFACES = {
    "openapi.json": surfaces.openapi,
    "answers.json": surfaces.answers,
    "commands.json": surfaces.commands,
    "programs.json": surfaces.programs,
    "tasks.json": surfaces.tasks,
    "site.json": surfaces.site,
    "settings.json": surfaces.settings,
    "tables.sql": surfaces.tables,
    "wording.json": surfaces.wording,
    "log_events.json": surfaces.log_events,
    "sentences.json": surfaces.sentences,
}
FILES = {"spool.json": surfaces.spool, "model.json": surfaces.model}
CALLS = {
    "unknown command": ["nothing"],
    "unknown option": ["plan", "--nope"],
    "missing argument": ["data", "load", "--site", "home"],
    "wrong day": ["replay", "--site", "home", "--from", "2023-02-30"],
    "no policies": ["replay", "--site", "home", "--from", "2023-01-01", "--to", "2023-01-02", "--policies", ""],
    "wrong choice": ["jobs", "list", "--status", "asleep"],
    "plan of nothing": ["plan", "--json"],
    "plan of a missing file": ["plan", "--request", "missing.json"],
    "plan of no JSON": ["plan", "--request", "torn.json"],
    "plan with an unknown field": ["plan", "--request", "unknown_field.json"],
    "plan with a series too short": ["plan", "--request", "short.json"],
    "plan with a wrong site": ["plan", "--request", "wrong_site.json"],
    "plan as JSON": ["plan", "--request", "plan_request.json", "--json"],
    "plan for people": ["plan", "--request", "plan_request.json"],
    "plan for people in German": ["plan", "--request", "plan_request.json", "--language", "de"],
    "plan along two aims": ["plan", "--request", "plan_request.json", "--pareto", "cost,wear", "--points", "3", "--json"],
    "plan along an unknown aim": ["plan", "--request", "plan_request.json", "--pareto", "cost,luck"],
    "site of a wrong file": ["site", "add", "--file", "wrong_site.yaml"],
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with request files, good and bad, in which ``luna`` is called by its name; tables are as wide everywhere."""
    request = json.loads((EXAMPLES / "plan_request.json").read_text(encoding="utf-8"))
    files = {
        "plan_request.json": json.dumps(request),
        "torn.json": "{",
        "unknown_field.json": json.dumps(request | {"wish": 1}),
        "short.json": json.dumps(request | {"outlook": request["outlook"] | {"pv_kwh": [0.0]}}),
        "wrong_site.json": json.dumps(request | {"site": request["site"] | {"timezone": "Mars/Olympus"}}),
        "wrong_site.yaml": "name: home\ntimezone: Europe/Berlin\nbatteries:\n  - { capacity_kwh: -1, charge_limit_kw: 5 }\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["luna"])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)
    for console in surfaces.CONSOLES:
        monkeypatch.setattr(console, "width", 160)
    return tmp_path


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_is_as_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Help breaks its lines where the terminal ends.
    monkeypatch.setenv("COLUMNS", "1000")
    hold(name, SURFACES[name]())


@pytest.mark.parametrize("name", FILES)
def test_what_lies_on_the_disk_is_as_recorded(name: str, tmp_path: Path) -> None:
    hold(name, FILES[name](tmp_path))


@each_row("name", sorted(PLANS))
def test_a_plan_is_as_recorded(name: str) -> None:
    hold(f"plans/{name}.json", surfaces.plan(PLANS[name]))


@pytest.fixture(scope="module")
def queue_url(kept_folder: Path) -> Iterator[str]:
    """A Redis in which nothing stands but what these tests leave there."""
    with queue_contents.open_queue(kept_folder) as url:
        yield url


def test_what_stands_in_redis_is_as_recorded(queue_url: str) -> None:
    hold("redis.json", queue_contents.queue_keys(queue_url))


def test_what_beat_asks_for_is_as_recorded(queue_url: str) -> None:
    hold("beat.json", queue_contents.beat_schedule(queue_url))


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_command_line_ends_as_recorded(name: str, luna: Luna) -> None:
    said = luna(*CALLS[name])
    hold(
        f"calls/{name.replace(' ', '_')}.json",
        {"call": CALLS[name], "code": said.code, "out": surfaces.read_output(said.out), "err": surfaces.read_output(said.err)},
    )
