"""The workflows run what a person runs, pin what they take from others, and may do no more than
they need.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.libraries import Library, list_libraries, list_scripts
from tests.support.suite.tables import each_row

ROOT = Path(__file__).parents[3]
WORKFLOWS = {path.stem: path for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
EACH = each_row("name", WORKFLOWS)
# What gives Luna's users the freedom to use, change and pass on, without asking the same of what
# they build around it.
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|MPL|Mozilla Public|0BSD"
)
# Linked as a library that can be replaced, which its licence allows.
REPLACEABLE = {"psycopg", "psycopg-binary", "psycopg-pool"}


def read(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))
    return parsed


def list_jobs(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read(name)["jobs"].items()


def list_steps(name: str) -> Iterator[dict[str, Any]]:
    for _, job in list_jobs(name):
        yield from job.get("steps", [])


@EACH
def test_every_action_is_pinned_by_its_content(name: str) -> None:
    used = re.findall(r"uses: (?!\./)(\S+)(.*)", WORKFLOWS[name].read_text(encoding="utf-8"))
    assert used
    assert [
        action
        for action, comment in used
        if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) or not re.match(r" # v\d", comment)
    ] == []


@EACH
def test_every_command_of_make_is_one_of_the_makefile(name: str) -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    called = [
        word
        for step in list_steps(name)
        for line in re.findall(r"\bmake ([\w =-]+)", step.get("run", ""))
        for word in line.split()
        if "=" not in word
    ]
    assert set(called) <= targets


@EACH
def test_who_may_write_says_so_job_by_job(name: str) -> None:
    assert read(name)["permissions"] == {"contents": "read"}


@EACH
def test_no_job_waits_for_ever(name: str) -> None:
    assert [
        job
        for job, content in list_jobs(name)
        if "uses" not in content and "timeout-minutes" not in content
    ] == []


def test_a_change_passes_what_the_local_check_runs() -> None:
    local = re.findall(r"make ([a-z-]+)", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    remote = " ".join(step.get("run", "") for step in list_steps("check"))
    assert [target for target in local if not re.search(rf"\b{target}\b", remote)] == []


@pytest.mark.parametrize(("name", "job"), [("audit", "images"), ("release", "images")])
def test_every_image_is_scanned_and_released(name: str, job: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    built = {
        service["build"]["args"]["SERVICE"]
        for service in compose["services"].values()
        if "SERVICE" in service.get("build", {}).get("args", {})
    }
    assert set(dict(list_jobs(name))[job]["strategy"]["matrix"]["service"]) == built


@each_row("library", [*list_libraries(), *list_scripts()], ids=lambda library: library.name)
def test_every_library_may_be_passed_on(library: Library) -> None:
    assert FREE.search(library.licence) or library.name in REPLACEABLE
