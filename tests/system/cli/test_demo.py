"""The README's first command, from nothing to the report, and nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from luna.platform.settings import load_settings
from services.ingest.demo_data.demo import load_demo
from tests.support.words.wording import wording_pattern


@pytest.fixture(scope="module")
def cache() -> Path:
    """Where the downloaded packages are, with the compact copy made from them."""
    cache = load_settings().cache
    load_demo(cache)
    return cache.resolve()


def test_the_demo_plans_replays_reports_and_leaves_no_process(
    servers_folder: Path, cache: Path
) -> None:
    data_folder = servers_folder.parent
    command = [str(Path(sys.executable).with_name("luna")), "demo", "--days", "1", "--json"]
    environment = os.environ | {
        "LUNA_DATA_FOLDER": str(data_folder),
        "LUNA_CACHE_FOLDER": str(cache),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    # What it ended with first: a long account is cut at its end.
    assert done.returncode == 0, "\n".join(reversed(done.stderr.splitlines()))
    document = json.loads(done.stdout)
    scores = {
        site: {name: policy["score"] for name, policy in replay["policies"].items()}
        for site, replay in document["sites"].items()
    }
    assert {site: (score["idle"], score["oracle"]) for site, score in scores.items()} == {
        "home": (0, 1),
        "feed_in": (0, 1),
    }
    assert len(document["plan"]["slots"]) == 192
    report = Path(document["report"]).read_text(encoding="utf-8")
    _, _, below = report.partition("<h1>")
    assert wording_pattern("report", "headline_one").match(below)
    assert processes_of(data_folder) == []


def processes_of(folder: Path) -> list[str]:
    """Return the command lines that name ``folder``, or that were started with it as their data
    folder.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(words.decode(errors="replace"))
    return found
