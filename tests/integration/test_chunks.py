"""Writers side by side.

On plain tables all of it holds without effort; on hypertables a new chunk is a lock.
"""

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Engine, Table, func, select, text

from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import copy
from luna.platform.database.schema.series import (
    market_prices,
    sensor_readings,
    slot_forecasts,
    slot_observations,
)

pytestmark = pytest.mark.every_database

YEAR = Timeline(datetime(2031, 1, 1, tzinfo=UTC), SLOT, 365 * 96)


def test_two_long_transactions_write_new_stretches_of_time_side_by_side(database: Engine) -> None:
    with database.connect() as first, database.connect() as second:
        for connection in (first, second):
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        columns: copy.Columns = {
            "site_key": -1,
            "slot_start": YEAR.starts,
            "load_kwh": np.ones(len(YEAR)),
        }
        copy.upsert(first, slot_observations, columns)
        later = {**columns, "slot_start": YEAR.starts + np.timedelta64(2 * 365, "D")}
        assert copy.upsert(second, slot_observations, later).inserted == len(YEAR)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            market_prices,
            {
                "market": "none",
                "slot_start": YEAR.starts[:4],
                "published_at": YEAR.start,
                "price": np.ones(4),
                "currency": "EUR",
            },
        ),
        (sensor_readings, {"sensor_key": -1, "instant": YEAR.starts[:4], "value": np.ones(4)}),
        (
            slot_forecasts,
            {
                "site_key": -1,
                "forecast_version": "none",
                "issued_at": YEAR.start,
                "slot_start": YEAR.starts[:4],
            },
        ),
    ],
    ids=["prices", "readings", "forecasts"],
)
def test_making_room_for_rows_leaves_no_rows(
    database: Engine, table: Table, columns: copy.Columns
) -> None:
    count = select(func.count()).select_from(table)
    with database.connect() as connection:
        before = connection.scalar(count)
        copy.upsert(connection, table, columns)
        connection.rollback()
        assert connection.scalar(count) == before
