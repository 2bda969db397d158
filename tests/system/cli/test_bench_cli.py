"""``luna bench``, by its fastest bench."""

import json
from pathlib import Path

from tests.support.command_line.call import Luna


def test_figures_are_one_document_and_a_file_per_bench(luna: Luna, tmp_path: Path) -> None:
    said = luna("bench", "energy_value", "--json")
    assert said.code == 0
    assert {"p50_ms", "floor_ms", "ratio_to_floor"} <= set(said.document["bench"]["energy_value"])
    assert said.document["missing"] == []
    written = json.loads((tmp_path / "bench/energy_value.json").read_text(encoding="utf-8"))
    assert written["p50_ms"] == said.document["bench"]["energy_value"]["p50_ms"]
    assert [each["figure"] for each in written["targets"]] == [
        f"energy_value.{name}" for name in ("p50_ms", "paths_p50_ms", "courses_p50_ms")
    ]


def test_a_table_says_target_and_verdict(luna: Luna) -> None:
    said = luna("bench", "energy_value")
    assert said.code == 0
    assert "140 slots, one path" in said.out
    assert "≤ 0.05" in said.out


def test_an_unknown_bench_is_refused_by_name(luna: Luna, tmp_path: Path) -> None:
    said = luna("bench", "nonsense")
    assert (said.code, said.problem["value"]) == (2, "nonsense")
    assert list(tmp_path.iterdir()) == []
