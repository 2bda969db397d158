"""What users, files and messages see, byte for byte as recorded: whatever is moved inside, this stays.

``LUNA_RECORD=1`` writes the recordings anew; what a change means to alter is then read in its diff.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from click import Command, Group
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from luna import wording
from luna.database.schema import metadata
from luna.queue import beat
from luna.queue.services import load_services
from luna.queue.task import definitions
from luna.site import Site
from services.api.app import create_app
from services.cli.main import COMMANDS, build
from tests.command_line import Luna
from tests.reason_requests import KIND_OF, draw_request

FOLDER = Path(__file__).parents[1] / "recordings"
RECORD = os.environ.get("LUNA_RECORD") == "1"
EXAMPLE = Path(__file__).parents[2] / "examples" / "plan_request.json"
METRICS = """
import luna.queue.beat, services.api.app, services.executor.watch, services.ingest.live
from prometheus_client import REGISTRY
from luna.queue.services import load_services
load_services()
print(*sorted(metric.name for metric in REGISTRY.collect() if metric.name.startswith("luna_")))
"""
BAD = {
    "no file": ("plan", "--request", "nowhere.json"),
    "unknown command": ("dance",),
    "unknown option": ("plan", "--dance"),
    "no site": ("forecast", "train"),
    "bad window": ("replay", "--site", "home", "--from", "tomorrow", "--to", "2024-01-01"),
}


def check(name: str, found: Any) -> None:
    """Compare with what was recorded, line by line."""
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    file = FOLDER / f"{name}.json.gz"
    if RECORD:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress(text.encode(), mtime=0))
    assert text.splitlines() == gzip.decompress(file.read_bytes()).decode().splitlines()


def describe_tasks() -> Any:
    load_services()
    kinds = {name: (each.request, each.request.reply) for name, each in definitions().items() if each.request.__module__.startswith("luna.")}
    return {name: [schema(kind) for kind in pair] for name, pair in kinds.items()}


def schema(kind: Any) -> Any:
    return TypeAdapter(kind).json_schema(mode="serialization") if isinstance(kind, type) and issubclass(kind, BaseModel) else str(kind)


def describe_tables() -> list[str]:
    dialect, tables = postgresql.dialect(), metadata.sorted_tables
    return [str(CreateTable(table).compile(dialect=dialect)) for table in tables] + sorted(
        str(CreateIndex(index).compile(dialect=dialect)) for table in tables for index in table.indexes
    )


def describe_words() -> Any:
    words = {
        code: {language: {short: each.wordings(language, short=short) for short in (False, True)} for language in ("en", "de")}
        for code, each in wording.WORDS.items()
    }
    return {"words": words, "limits": wording.LIMITS, "modes": wording.MODES, "policies": wording.POLICIES, "reasons": wording.REASONS}


def describe_command(command: Command) -> Any:
    options = [[*each.opts, *each.secondary_opts, each.required, str(each.type), getattr(each, "help", None)] for each in command.params]
    inside = {name: describe_command(each) for name, each in command.commands.items()} if isinstance(command, Group) else {}
    return {"help": command.help, "options": options, "commands": inside}


def describe_commands() -> Any:
    return {name: describe_command(typer.main.get_command(build(name))) for name in COMMANDS}


def describe_metrics() -> list[str]:
    # Tests declare some of their own in this process.
    return subprocess.run([sys.executable, "-c", METRICS], check=True, capture_output=True, text=True).stdout.split()


SURFACES: dict[str, Callable[[], Any]] = {
    "openapi": lambda: create_app().openapi(),
    "tasks": describe_tasks,
    "tables": describe_tables,
    "words": describe_words,
    "commands": describe_commands,
    "metrics": describe_metrics,
    "site": Site.model_json_schema,
    "schedule": lambda: {name: str(value) for name, value in vars(beat).items() if name.endswith("_EVERY")},
}


@pytest.mark.parametrize("surface", SURFACES)
def test_what_the_outside_sees_is_as_recorded(surface: str) -> None:
    check(surface, SURFACES[surface]())


def plain(reply: Any) -> Any:
    """Return a reply as any machine gives it."""
    if isinstance(reply, float):
        return round(reply, 5) + 0.0
    if isinstance(reply, dict):
        return {name: plain(value) for name, value in reply.items() if name not in ("timing_ms", "issued_at")}
    return [plain(each) for each in reply] if isinstance(reply, list) else reply


@pytest.mark.parametrize("kind", KIND_OF)
@pytest.mark.parametrize("language", ["en", "de"])
def test_plans_are_as_recorded(kind: str, language: str, luna: Luna, tmp_path: Path) -> None:
    request = draw_request(np.random.default_rng(len(kind)), kind)
    request["options"] = request["options"] | {"language": language, "time_limit_s": 60}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    check(f"plan {kind} {language}", plain(luna("plan", "--request", str(file), "--json").document))


def test_the_example_is_planned_as_recorded(luna: Luna) -> None:
    check("plan example", plain(luna("plan", "--request", str(EXAMPLE), "--json").document))


@pytest.mark.parametrize("mistake", BAD)
def test_mistakes_are_answered_as_recorded(mistake: str, luna: Luna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    said = luna(*BAD[mistake])
    # What the program is called depends on who calls it.
    check(f"mistake {mistake}", [said.code, said.out, re.sub(r"See [^\"]*? --help", "See luna --help", said.err)])
