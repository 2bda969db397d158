import os
from pathlib import Path

import pytest

from services.forecaster.model.trees import count_processors, read_quota


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
    ids=["v2", "v2 without limit", "v1", "v1 without limit", "no control groups"],
)
def test_a_containers_quota_is_read(
    files: dict[str, str], quota: float | None, tmp_path: Path
) -> None:
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert read_quota(tmp_path) == quota


@pytest.mark.parametrize("quota", ["50000 100000", "100000 100000", "199000 100000"])
def test_less_than_two_processors_are_one(quota: str, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert count_processors(tmp_path) == 1


def test_no_quota_gives_more_than_the_process_may_run_on(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("6400000 100000")
    assert count_processors(tmp_path) == min(64, len(os.sched_getaffinity(0)))
