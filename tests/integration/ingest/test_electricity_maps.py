"""Carbon intensity from the files of Electricity Maps, without naming a column."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import weather_carbon
from services.ingest.loading import FileForm, LoadReport, load_file
from tests.support.database.site import store_site
from tests.support.gateway.outside_service import REPLIES

FIVE_MINUTES = REPLIES / "electricity_maps_5_minute.csv"
HOURLY = REPLIES / "electricity_maps_hourly.csv"
DIRECT = {"carbon_g_per_kwh": "Carbon intensity gCO₂eq/kWh (direct)"}


@pytest.fixture
def home(connection: Connection) -> Connection:
    store_site(connection, timezone="Europe/Amsterdam")
    return connection


def load(connection: Connection, path: Path, **form: object) -> LoadReport:
    return load_file(connection, "home", path, FileForm("carbon", **form))  # type: ignore[arg-type]


def read(connection: Connection, start: datetime, count: int) -> list[float]:
    timeline = Timeline(start, SLOT, count)
    return weather_carbon.read_carbon(connection, "home", timeline, known_at=timeline.end).tolist()


def test_five_minutes_become_means_of_quarter_hours_and_a_hole_stays_unknown(
    home: Connection,
) -> None:
    report = load(home, FIVE_MINUTES)
    assert (report.rows, report.accepted) == (9, 8)
    # (240 + 243 + 246) / 3; 00:20 is empty; 260.
    np.testing.assert_array_equal(
        read(home, datetime(2024, 1, 1, tzinfo=UTC), 3), [243.0, np.nan, 260.0]
    )
    assert "Life cycle" in report.notes[0]


def test_hours_under_the_older_names_hold_for_their_quarter_hours_and_are_in_utc_on_every_day(
    home: Connection,
) -> None:
    # The clock in Amsterdam skips an hour that night; the file's does not.
    load(home, HOURLY)
    assert (
        read(home, datetime(2023, 3, 26, tzinfo=UTC), 12) == [340.0] * 4 + [350.0] * 4 + [360.0] * 4
    )


def test_direct_emissions_are_taken_where_they_are_named(home: Connection) -> None:
    load(home, FIVE_MINUTES, renamed=DIRECT)
    assert read(home, datetime(2024, 1, 1, tzinfo=UTC), 1) == [203.0]


def test_loading_it_again_changes_nothing(home: Connection) -> None:
    load(home, HOURLY)
    again = load(home, HOURLY).written
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 12)


def test_a_file_of_others_still_needs_its_columns_named(home: Connection, tmp_path: Path) -> None:
    path = tmp_path / "carbon.csv"
    path.write_text("zeit,co2\n2024-01-01T00:00:00Z,300\n", encoding="utf-8")
    with pytest.raises(InvalidInputError) as refused:
        load(home, path)
    assert (refused.value.field, refused.value.reason) == ("zeit", "column-unknown")
