"""The pages' scripts: their own tests, run by the node that builds them, and what they are built
from.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.api.pages.home import CHART_WORDS
from tests.support.browser.chromium import FRONTEND

NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no node: make static")
def test_the_scripts_pass_their_own_tests() -> None:
    command = [NODE or "", "--test", "tests/plan.test.js", "tests/stream.test.js"]
    ran = subprocess.run(
        command,
        cwd=FRONTEND,
        env=os.environ | {"TZ": "Asia/Kolkata"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]


@pytest.mark.skipif(NODE is None, reason="no node: make static")
@pytest.mark.parametrize("slots", [92, 96, 100])
def test_the_chart_of_a_local_day_is_as_recorded(slots: int) -> None:
    assert passes(f"the option of a day of {slots} slots is as recorded")


@pytest.mark.skipif(NODE is None, reason="no node: make static")
def test_two_plans_of_a_slot_are_two_lines_with_names() -> None:
    assert passes(
        "two plans of one slot are drawn as two lines and each is named by when it was issued"
    )


def passes(name: str) -> bool:
    """Whether there is a test of this name among those of the scripts, and it passes."""
    command = [
        NODE or "",
        "--test",
        "--test-reporter=tap",
        "--test-name-pattern",
        f"^{name}$",
        "tests/plan.test.js",
    ]
    ran = subprocess.run(
        command,
        cwd=FRONTEND,
        env=os.environ | {"TZ": "Asia/Kolkata"},
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        f" - {name}\n" in ran.stdout
        and "\n# pass 1\n" in ran.stdout
        and "\n# fail 0\n" in ran.stdout
    )


def test_the_scripts_know_the_words_that_their_page_gives_them() -> None:
    types = (FRONTEND / "src" / "page.d.ts").read_text(encoding="utf-8")
    declared = types.partition("interface ChartWords {")[2].partition("}")[0]
    # What runs beside the house has its name from the site.
    assert set(re.findall(r"^  (\w+): string;", declared, re.MULTILINE)) == {*CHART_WORDS, "heater"}


def test_the_lock_of_packages_names_no_address() -> None:
    lock = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"https?:|resolved", lock)
    assert all(
        "integrity" in package for name, package in json.loads(lock)["packages"].items() if name
    )


@pytest.mark.skipif(
    not (FRONTEND.parent / "static" / "sizes.json").exists(), reason="no scripts: make static"
)
def test_no_page_loads_more_script_than_it_may() -> None:
    sizes = json.loads((FRONTEND.parent / "static" / "sizes.json").read_text(encoding="utf-8"))
    scripts = {name: size["brotli"] for name, size in sizes.items() if name.endswith(".js")}
    assert (
        max(weight for name, weight in scripts.items() if name != "page.js") + scripts["page.js"]
        <= 200_000
    )
