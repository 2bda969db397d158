"""``luna site`` and ``luna data`` as a person or a script runs them."""

from pathlib import Path

import pytest

from tests.command_line import Luna

pytestmark = pytest.mark.every_database

SITE = "name: from-the-command-line\ntimezone: Europe/Berlin\n"
ROWS = "zeit,verbrauch\n2024-01-01T00:00:00,1\n2024-01-01T00:15:00,x\n2024-01-01T00:30:00,3\n"


def test_a_site_is_added_its_file_loaded_and_its_series_read(luna_on_servers: Luna, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "meter.csv").write_text(ROWS)
    assert luna_on_servers("site", "add", "--file", str(tmp_path / "site.yaml")).code == 0
    columns = ["--column", "slot_start=zeit", "--column", "load_kwh=verbrauch", "--timezone", "Europe/Berlin"]
    loaded = luna_on_servers("data", "load", str(tmp_path / "meter.csv"), "--site", "from-the-command-line", "--kind", "observations", *columns, "--json")
    report = loaded.document
    assert (report["accepted"], report["quarantined"], report["reasons"]) == (2, 1, {"load_kwh is no number": 1})
    window = ["--from", "2024-01-01", "--to", "2024-01-01T00:45:00+01:00"]
    answer = luna_on_servers("data", "query", "--site", "from-the-command-line", "--series", "load_kwh", *window, "--json").document
    assert [row["value"] for row in answer["rows"]] == [1.0, None, 3.0]


def test_bad_input_is_a_problem_document_and_exit_code_two(luna_on_servers: Luna, tmp_path: Path) -> None:
    (tmp_path / "meter.csv").write_text(ROWS)
    said = luna_on_servers("data", "load", str(tmp_path / "meter.csv"), "--site", "nowhere", "--kind", "observations")
    assert (said.code, said.out) == (2, "")
    assert (said.problem["field"], said.problem["value"]) == ("site", "nowhere")
