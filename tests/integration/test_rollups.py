"""The hourly and daily rollups, whatever they are in this database: before they are refreshed,
afterwards, and while somebody writes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, column, insert, select, table, text

from luna.contracts import RefreshRollupsReply, RefreshRollupsRequest
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import copy, rollups, sites, timescale
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.series import rollup_marks, slot_observations
from luna.platform.queue import TaskContext
from luna.platform.settings import Settings
from services.ingest.tasks import refresh_rollups
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database

SITE_KEY = -7
TWO_DAYS = Timeline(datetime(2024, 3, 30, tzinfo=UTC), SLOT, 2 * 96)
ENERGIES = ("load", "pv", "import", "export", "charge", "discharge")


@pytest.fixture(params=["as written", "refreshed"])
def written(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    """Two days of a site: load in every slot but two, PV in the first three slots, a state of
    charge until 23:30 of the first day.
    """
    load = np.arange(192.0)
    load[[1, 2]] = np.nan
    pv = np.full(192, np.nan)
    soc = np.full(192, np.nan)
    pv[:3], soc[:95] = [1.0, 2.0, 3.0], np.linspace(0.1, 0.9, 95)
    columns = {
        "load_kwh": load,
        "pv_kwh": pv,
        "soc": soc,
        "import_price": np.repeat([0.1, 0.3], 96),
    }
    copy.upsert(
        connection,
        slot_observations,
        {"site_key": SITE_KEY, "slot_start": TWO_DAYS.starts, **columns},
    )
    if request.param == "refreshed":
        rollups.refresh_batch(connection)
    return connection


def rows(connection: Connection, rollup: str) -> list[dict[str, object]]:
    found = connection.execute(
        select(text("*"))
        .select_from(table(rollup))
        .where(column("site_key") == SITE_KEY)
        .order_by(column("bucket"))
    )
    return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize(
    ("rollup", "length"),
    [
        ("slot_observations_hourly", timedelta(hours=1)),
        ("slot_observations_daily", timedelta(days=1)),
    ],
)
def test_buckets_lie_end_to_end_in_utc_and_count_their_slots(
    written: Connection, rollup: str, length: timedelta
) -> None:
    found = rows(written, rollup)
    assert [row["bucket"] for row in found] == [
        TWO_DAYS.start + place * length for place in range(timedelta(days=2) // length)
    ]
    assert {row["slots"] for row in found} == {length // SLOT}


def test_a_sum_is_of_the_known_slots_and_says_how_many_these_are(written: Connection) -> None:
    first, second = rows(written, "slot_observations_hourly")[:2]
    # 0 + 3 of the first hour, whose middle two are unknown; 4 + 5 + 6 + 7 of the second.
    assert (first["load_kwh"], first["load_slots"]) == (3.0, 2)
    assert (second["load_kwh"], second["load_slots"]) == (22.0, 4)
    assert (first["pv_kwh"], first["pv_slots"]) == (6.0, 3)


def test_what_nobody_knows_is_null_and_never_zero(written: Connection) -> None:
    second_hour = rows(written, "slot_observations_hourly")[1]
    second_day = rows(written, "slot_observations_daily")[1]
    assert (second_hour["pv_kwh"], second_hour["pv_slots"]) == (None, 0)
    assert (second_day["soc_last"], second_day["soc_mean"], second_day["soc_slots"]) == (
        None,
        None,
        0,
    )
    assert (second_day["export_price"], second_day["export_price_slots"]) == (None, 0)


def test_the_state_of_charge_is_the_last_one_known_and_prices_are_means(
    written: Connection,
) -> None:
    first, second = rows(written, "slot_observations_daily")
    assert (first["soc_last"], first["soc_slots"]) == (pytest.approx(0.9), 95)
    assert first["soc_mean"] == pytest.approx(0.5)
    assert (first["import_price"], second["import_price"]) == (
        pytest.approx(0.1),
        pytest.approx(0.3),
    )


def test_days_add_up_to_their_hours(written: Connection) -> None:
    hours = rows(written, "slot_observations_hourly")
    days = rows(written, "slot_observations_daily")
    assert sum(row["load_kwh"] for row in hours[:24]) == pytest.approx(days[0]["load_kwh"])  # type: ignore[misc,arg-type]
    assert sum(row["load_slots"] for row in hours) == sum(row["load_slots"] for row in days) == 190  # type: ignore[misc]
    assert {f"{energy}_{part}" for energy in ENERGIES for part in ("kwh", "slots")} < days[0].keys()


def recomputed(connection: Connection) -> list[list[dict[str, object]]]:
    """Both rollups as they are, and as they are once everything was computed anew."""
    found = [rows(connection, rollup) for rollup in rollups.VIEWS.values()]
    rollups.refresh_batch(connection)
    return [*found, *(rows(connection, rollup) for rollup in rollups.VIEWS.values())]


@pytest.mark.parametrize(
    "change",
    [
        (
            "UPDATE slot_observations SET load_kwh = 7 WHERE site_key = -7 AND slot_start = "
            "'2024-03-30T05:15Z'"
        ),
        "DELETE FROM slot_observations WHERE site_key = -7 AND slot_start < '2024-03-30T03:30Z'",
        (
            "INSERT INTO slot_observations (site_key, slot_start, load_kwh) VALUES (-7, "
            "'2024-04-02T00:00Z', 9)"
        ),
        (
            "UPDATE slot_observations SET slot_start = slot_start + INTERVAL '7 days' WHERE "
            "site_key = -7 AND slot_start < '2024-03-31T00:00Z'"
        ),
        "DELETE FROM slot_observations",
        "TRUNCATE slot_observations",
    ],
    ids=["corrected", "deleted", "added", "moved", "all deleted", "emptied"],
)
def test_a_change_is_in_the_next_answer_whether_refreshed_or_not(
    written: Connection, change: str
) -> None:
    before = rows(written, "slot_observations_daily")
    written.execute(text(change))
    hourly, daily, *refreshed = recomputed(written)
    assert daily != before
    assert [hourly, daily] == refreshed


def test_refreshing_again_finds_nothing_to_do(written: Connection) -> None:
    rollups.refresh_batch(written)
    assert not rollups.is_any_marked(written)
    assert rollups.refresh_batch(written) == rollups.Refreshed()


def test_rollups_with_many_marked_days_are_not_asked(connection: Connection) -> None:
    store_site(connection, name="marked", timezone="UTC")
    timeline = Timeline(datetime(2024, 1, 1, tzinfo=UTC), SLOT, 40 * 96)
    days = [
        {
            "site_key": sites.key_of(connection, "marked"),
            "day": timeline.start + day * timedelta(days=1),
        }
        for day in range(rollups.MOST_MARKED + 1)
    ]
    connection.execute(insert(rollup_marks), days[1:])
    assert rollups.is_any_marked(connection)
    assert rollups.are_fresh(connection, "marked", timeline)
    connection.execute(insert(rollup_marks), days[:1])
    assert not rollups.are_fresh(connection, "marked", timeline)
    assert rollups.are_fresh(
        connection, "marked", Timeline(timeline.start + timedelta(days=2), SLOT, 96)
    )


@pytest.fixture
def cleared(database: Engine) -> Iterator[Engine]:
    """The worker's database, without what a test commits there."""
    with unit_of_work(database) as connection:
        rollups.refresh_batch(connection)
    yield database
    with unit_of_work(database) as connection:
        connection.execute(
            slot_observations.delete().where(slot_observations.c.site_key == SITE_KEY)
        )
        rollups.refresh_batch(connection)


def write_load(connection: Connection, kwh: float) -> None:
    copy.upsert(
        connection,
        slot_observations,
        {"site_key": SITE_KEY, "slot_start": TWO_DAYS.starts, "load_kwh": np.full(192, kwh)},
    )


def daily_load(connection: Connection) -> list[object]:
    return [row["load_kwh"] for row in rows(connection, "slot_observations_daily")]


def test_what_is_written_while_a_refresh_runs_is_not_lost(cleared: Engine) -> None:
    with unit_of_work(cleared) as connection:
        write_load(connection, 1.0)
    with cleared.begin() as writer:
        write_load(writer, 2.0)
        with unit_of_work(cleared) as refresher:
            rollups.refresh_batch(refresher)
        with unit_of_work(cleared) as reader:
            assert daily_load(reader) == [96.0, 96.0]
    with unit_of_work(cleared) as reader:
        assert daily_load(reader) == [192.0, 192.0]
    rollups.refresh(cleared, batches=2)
    with unit_of_work(cleared) as reader:
        assert daily_load(reader) == [192.0, 192.0]


def test_a_second_refresh_leaves_the_work_to_the_first(cleared: Engine) -> None:
    with unit_of_work(cleared) as connection:
        write_load(connection, 1.0)
    with unit_of_work(cleared) as first, unit_of_work(cleared) as second:
        rollups.refresh_batch(first)
        assert rollups.refresh_batch(second) == rollups.Refreshed()
    with unit_of_work(cleared) as reader:
        assert daily_load(reader) == [96.0, 96.0]


def test_readers_and_writers_never_wait_for_a_refresh(cleared: Engine) -> None:
    with unit_of_work(cleared) as connection:
        write_load(connection, 1.0)
    with unit_of_work(cleared) as refresher:
        rollups.refresh_batch(refresher)
        with unit_of_work(cleared) as writer:
            writer.execute(text("SET LOCAL lock_timeout = '1s'"))
            write_load(writer, 3.0)
            assert daily_load(writer) == [288.0, 288.0]


def unused() -> NoReturn:
    raise AssertionError("a refresh sends nothing")


def test_the_task_refreshes_what_is_marked_and_then_rests(cleared: Engine) -> None:
    work = TaskContext(Settings(), database=lambda: cleared, queue=unused)
    with unit_of_work(cleared) as connection:
        write_load(connection, 1.0)
        marked = {"table": 2}.get(timescale.rollups(connection)["slot_observations_daily"], 0)
    assert refresh_rollups(RefreshRollupsRequest(), work) == RefreshRollupsReply(days=marked)
    assert refresh_rollups(RefreshRollupsRequest(), work) == RefreshRollupsReply(days=0)


def test_more_days_than_a_batch_takes_are_refreshed_in_one_run(cleared: Engine) -> None:
    days = rollups.BATCH_MARKS + 1
    starts = np.datetime64("2010-01-01", "s") + np.arange(days) * np.timedelta64(1, "D")
    with unit_of_work(cleared) as connection:
        copy.upsert(
            connection,
            slot_observations,
            {"site_key": SITE_KEY, "slot_start": starts, "load_kwh": np.arange(float(days))},
        )
    rollups.refresh(cleared)
    assert rollups.refresh(cleared) == rollups.Refreshed()
    with unit_of_work(cleared) as reader:
        assert daily_load(reader) == list(range(days))
