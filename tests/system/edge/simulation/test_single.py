"""One camera under each controller: what is written down of it."""

from pathlib import Path

import pytest

from services.edge.row_files import list_parts, read_rows
from services.edge.simulation.single import simulate
from tests.support.cameras.batches import configure, make_lab

BRIEF = {"duration_days": 0.5, "task_interval_seconds": 60}
LOGGED = {
    "log_every_task": True,
    "log_battery_levels": True,
    "log_energy_usage": True,
    "log_model_selections": True,
}


def test_rows_are_written_as_the_configuration_asks(tmp_path: Path) -> None:
    said = simulate(make_lab(tmp_path, configure(simulation=BRIEF | {"logging": LOGGED})))
    rows = {
        name: list(read_rows(tmp_path / "simulation", name))
        for name in ("runs", "battery_levels", "energy", "models", "tasks")
    }
    # 2 locations × 4 controllers; 12 hours, and the level at the beginning too; 720 tasks.
    assert {name: len(each) / 8 for name, each in rows.items()} == {
        "runs": 1,
        "battery_levels": 13,
        "energy": 12,
        "models": 12,
        "tasks": 720,
    }
    assert [run["run_id"] for run in said["runs"]] == [row["run_id"] for row in rows["runs"]]
    run = rows["runs"][0]
    hours, tasks = (
        [row for row in rows[name] if row["run_id"] == run["run_id"]]
        for name in ("energy", "tasks")
    )
    for name in ("taken_wh", "charged_wh", "clean_wh"):
        assert sum(hour[name] for hour in hours) == pytest.approx(run[name])
    assert (tasks[0]["at"], tasks[-1]["at"]) == (
        "2024-01-22T00:00:00.000Z",
        "2024-01-22T11:59:00.000Z",
    )
    assert tasks[-1]["battery_percent"] == pytest.approx(
        100 * run["stored_end_wh"] / run["capacity_wh"], abs=1e-3
    )
    assert run["battery_levels"][-1] == pytest.approx(tasks[-1]["battery_percent"], abs=0.01)


def test_nothing_is_written_that_was_not_asked_for_and_what_was_there_goes(tmp_path: Path) -> None:
    for logging in (LOGGED, dict.fromkeys(LOGGED, False)):
        simulate(make_lab(tmp_path, configure(simulation=BRIEF | {"logging": logging})))
    assert len(list(read_rows(tmp_path / "simulation", "runs"))) == 8
    assert not [
        name
        for name in ("battery_levels", "energy", "models", "tasks")
        if list_parts(tmp_path / "simulation", name)
    ]


def test_runs_longer_than_what_is_left_of_the_year_begin_earlier(tmp_path: Path) -> None:
    said = simulate(
        make_lab(
            tmp_path,
            configure(
                simulation={
                    "duration_days": 366,
                    "task_interval_seconds": 3600,
                    "controllers": ["naive_weak"],
                },
                data_sources={"locations": ["CA"]},
            ),
        )
    )
    rows = list(read_rows(tmp_path / "simulation", "runs"))
    assert {(row["begin"], row["tasks"]) for row in rows} == {("2024-01-01T00:00Z", 366 * 24)}
    assert said["days"] == 366
