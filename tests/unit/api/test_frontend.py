"""The pages' scripts: their own tests, run by the node that builds them, and what they are built from."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browsers import FRONTEND

NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no node: make static")
def test_the_scripts_pass_their_own_tests() -> None:
    ran = subprocess.run(
        [NODE or "", "--test", "tests/plan.test.js"], cwd=FRONTEND, env=os.environ | {"TZ": "Asia/Kolkata"}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-4000:]


def test_the_lock_of_packages_names_no_address() -> None:
    lock = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"https?:|resolved", lock)
    assert all("integrity" in package for name, package in json.loads(lock)["packages"].items() if name)


@pytest.mark.skipif(not (FRONTEND.parent / "static" / "manifest.json").exists(), reason="no scripts: make static")
def test_no_page_loads_more_script_than_it_may() -> None:
    sizes = json.loads((FRONTEND.parent / "static" / "manifest.json").read_text(encoding="utf-8"))["sizes"]
    scripts = {name: size["brotli"] for name, size in sizes.items() if name.endswith(".js")}
    assert max(weight for name, weight in scripts.items() if name != "page.js") + scripts["page.js"] <= 200_000
