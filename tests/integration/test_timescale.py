"""What only a TimescaleDB shows, under either of its licences."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import retention, timescale
from luna.platform.settings import Settings
from tests.support.database.databases import own_database

pytestmark = pytest.mark.timescale_alone

WIDE = {
    "market_prices": timedelta(days=365),
    "slot_observations": timedelta(days=30),
    "weather": timedelta(days=30),
    "carbon_intensity": timedelta(days=30),
    "smart_meter_readings": timedelta(days=30),
    "slot_forecasts": timedelta(days=7),
    "sensor_readings": timedelta(days=7),
}
YEAR = Timeline(datetime(2024, 1, 1, tzinfo=UTC), SLOT, 366 * 96)


@pytest.fixture
def empty_url(database_server: str, worker_id: str) -> Iterator[str]:
    """The address of a database without tables."""
    with own_database(database_server, f"luna_{worker_id}_empty_{uuid.uuid4().hex[:8]}") as own:
        yield own


def intervals(connection: Connection) -> dict[str, timedelta]:
    return {
        table: dimension.interval for table, dimension in timescale.hypertables(connection).items()
    }


def test_the_wide_tables_are_hypertables_of_the_chosen_intervals(connection: Connection) -> None:
    assert intervals(connection) == WIDE


def test_the_edition_is_told_with_its_version_and_licence(connection: Connection) -> None:
    edition = timescale.detect(connection)
    assert edition.version is not None
    assert edition.licence in {"apache", "timescale"}


def test_rollups_are_what_the_licence_allows(connection: Connection) -> None:
    # Hypertables take the triggers of kept tables from version 2.18 on.
    allowed = {"apache": "table", "timescale": "continuous aggregate"}[
        str(timescale.detect(connection).licence)
    ]
    assert timescale.rollups(connection) == dict.fromkeys(timescale.ROLLUPS, allowed)


def test_each_policy_is_in_force_or_says_why_not(connection: Connection) -> None:
    settings = Settings(
        forecast_retention=timedelta(days=100), reading_retention=timedelta(days=50)
    )
    policies = retention.apply_policies(connection, settings)
    assert {
        (policy.table, policy.after) for policy in policies if policy.kind == "compression"
    } == {(table, settings.compress_after) for table in WIDE}
    assert {policy.table: policy.after for policy in policies if policy.kind == "retention"} == {
        "slot_forecasts": timedelta(days=100),
        "sensor_readings": timedelta(days=50),
        "smart_meter_readings": timedelta(days=50),
    }
    in_force = {
        policy.table: policy.after
        for policy in policies
        if policy.kind == "retention" and policy.refused is None
    }
    assert retention.policy_ages(connection, "retention") == in_force
    assert retention.apply_policies(connection, settings) == policies


def test_a_policy_follows_a_changed_setting(connection: Connection) -> None:
    retention.apply_policies(connection, Settings(forecast_retention=timedelta(days=100)))
    policies = retention.apply_policies(
        connection,
        Settings(forecast_retention=timedelta(days=200), compress_after=timedelta(days=60)),
    )
    in_force = {
        (policy.kind, policy.table): policy.after for policy in policies if policy.refused is None
    }
    for kind in ("compression", "retention"):
        assert retention.policy_ages(connection, kind) == {
            table: after for (of, table), after in in_force.items() if of == kind
        }


def test_what_is_refused_leaves_the_transaction_usable(connection: Connection) -> None:
    reason = timescale.attempt(
        connection,
        lambda: connection.execute(text("SELECT add_retention_policy('sites', INTERVAL '1 day')")),
    )
    assert reason
    assert connection.scalar(text("SELECT 1")) == 1
