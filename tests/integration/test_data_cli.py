"""``luna site`` and ``luna data`` as a person or a script runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SITE = "name: from-the-command-line\ntimezone: Europe/Berlin\n"
ROWS = "zeit,verbrauch\n2024-01-01T00:00:00,1\n2024-01-01T00:15:00,x\n2024-01-01T00:30:00,3\n"


@pytest.fixture
def run(database_url: str, redis_url: str, tmp_path: Path) -> Run:
    environment = os.environ | {"LUNA_DATABASE_URL": database_url, "LUNA_REDIS_URL": redis_url, "LUNA_DATA_FOLDER": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_site_is_added_its_file_loaded_and_its_series_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "meter.csv").write_text(ROWS)
    assert run("site", "add", "--file", str(tmp_path / "site.yaml")).returncode == 0
    columns = ["--column", "slot_start=zeit", "--column", "load_kwh=verbrauch", "--timezone", "Europe/Berlin"]
    loaded = run("data", "load", str(tmp_path / "meter.csv"), "--site", "from-the-command-line", "--kind", "observations", *columns, "--json")
    report = json.loads(loaded.stdout)
    assert (report["accepted"], report["quarantined"], report["reasons"]) == (2, 1, {"load_kwh is no number": 1})
    window = ["--from", "2024-01-01", "--to", "2024-01-01T00:45:00+01:00"]
    answer = json.loads(run("data", "query", "--site", "from-the-command-line", "--series", "load_kwh", *window, "--json").stdout)
    assert [row["value"] for row in answer["rows"]] == [1.0, None, 3.0]


def test_bad_input_is_a_problem_document_and_exit_code_two(run: Run, tmp_path: Path) -> None:
    (tmp_path / "meter.csv").write_text(ROWS)
    done = run("data", "load", str(tmp_path / "meter.csv"), "--site", "nowhere", "--kind", "observations")
    problem = json.loads(done.stderr)
    assert (done.returncode, done.stdout) == (2, "")
    assert (problem["field"], problem["value"]) == ("site", "nowhere")
