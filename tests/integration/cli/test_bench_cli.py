"""``luna bench``, by its fastest bench."""

import json
import os
import subprocess
import sys
from pathlib import Path

LUNA = [sys.executable, "-c", "from services.cli.main import main; main()", "bench"]


def call(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LUNA_DATA_FOLDER": str(folder)}
    return subprocess.run([*LUNA, *words], capture_output=True, text=True, check=False, timeout=300, env=environment)


def test_figures_are_one_document_and_a_file_per_bench(tmp_path: Path) -> None:
    done = call("energy_value", "--json", folder=tmp_path)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert {"p50_ms", "floor_ms", "ratio_to_floor"} <= set(document["bench"]["energy_value"])
    assert document["missing"] == []
    written = json.loads((tmp_path / "bench/energy_value.json").read_text(encoding="utf-8"))
    assert written["p50_ms"] == document["bench"]["energy_value"]["p50_ms"]
    assert [each["figure"] for each in written["targets"]] == ["energy_value.p50_ms", "energy_value.paths_p50_ms"]


def test_a_table_says_target_and_verdict(tmp_path: Path) -> None:
    done = call("energy_value", folder=tmp_path)
    assert done.returncode == 0
    assert "140 slots, one path" in done.stdout
    assert "≤ 0.05" in done.stdout


def test_an_unknown_bench_is_refused_by_name(tmp_path: Path) -> None:
    done = call("nonsense", folder=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stderr)["value"] == "nonsense"
    assert list(tmp_path.iterdir()) == []
