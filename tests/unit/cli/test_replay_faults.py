"""Faults as a command names them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.contracts.replay import Fault
from luna.energy.errors import InvalidInputError
from services.cli.replay import read_faults


def test_a_fault_is_named_by_its_kind_and_hours(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        "- {kind: grid_outage, from: 2024-01-01T18:00:00Z, hours: 2}\n- {kind: "
        "prices_late, late_hours: 5, times: 3}\n"
    )
    assert read_faults(["sensor_frozen=8", "planner_down", str(file)]) == [
        Fault(kind="sensor_frozen", hours=8),
        Fault(kind="planner_down"),
        Fault(kind="grid_outage", from_=datetime(2024, 1, 1, 18, tzinfo=UTC), hours=2),
        Fault(kind="prices_late", late_hours=5, times=3),
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("earthquake=3", "neither a kind of fault nor a file"),
        ("planner_down=-1", "hours"),
        ("planner_down=long", "hours"),
    ],
)
def test_what_is_no_fault_is_named(asked: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_faults([asked])


def test_a_file_that_holds_no_faults_is_named(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("- {kind: grid_outage, howlong: 2}\n")
    with pytest.raises(InvalidInputError, match="howlong"):
        read_faults([str(file)])
