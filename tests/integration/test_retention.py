"""What is too old goes, on plain tables as on hypertables."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from sqlalchemy import Connection, Table, func, insert, select, table

from luna.contracts.job import RetentionReply, RetentionRequest
from luna.energy.timeline import SLOT, Timeline
from luna.platform.clock import FixedClock
from luna.platform.database import copy, replays, retention, what_ifs
from luna.platform.database.schema.agent import antares_plan_history
from luna.platform.database.schema.forecasting import forecast_issues, forecast_scenarios
from luna.platform.database.schema.plans import plan_history, replay_days, what_if_flows
from luna.platform.database.schema.plans import what_ifs as what_ifs_table
from luna.platform.database.schema.recommendations import items
from luna.platform.database.schema.series import (
    market_prices,
    sensor_readings,
    slot_forecasts,
    slot_observations,
    smart_meter_readings,
)
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.objects import FileObjects
from luna.platform.queue import TaskContext
from luna.platform.settings import Settings
from services.ingest.object_retention import forget_unnamed_models
from services.ingest.tasks import apply_retention

pytestmark = pytest.mark.every_database

NOW = datetime(2031, 6, 1, tzinfo=UTC)
KEY = -9


def issue(connection: Connection, version: str, days_ago: Sequence[int]) -> None:
    for days in days_ago:
        timeline = Timeline(NOW - timedelta(days=days), SLOT, 192)
        columns = {"slot_start": timeline.starts, "load_kwh": np.ones(192)}
        copy.upsert(
            connection,
            slot_forecasts,
            {"site_key": KEY, "forecast_version": version, "issued_at": timeline.start, **columns},
        )


def issued(connection: Connection) -> set[tuple[str, int]]:
    """Version and age in days of each forecast of which all slots are there."""
    query = select(slot_forecasts.c.forecast_version, slot_forecasts.c.issued_at).where(
        slot_forecasts.c.site_key == KEY
    )
    whole = query.group_by(slot_forecasts.c.forecast_version, slot_forecasts.c.issued_at).having(
        func.count() == 192
    )
    return {(row.forecast_version, (NOW - row.issued_at).days) for row in connection.execute(whole)}


def ages(connection: Connection, kept: Table) -> list[int]:
    """Ages in days of this test's rows: other tests leave theirs."""
    issued_at = connection.scalars(
        select(kept.c.issued_at).where(kept.c.site_key == KEY).order_by(kept.c.issued_at.desc())
    )
    return [(NOW - instant).days for instant in issued_at]


def unused() -> NoReturn:
    raise AssertionError("retention sends nothing")


def count(connection: Connection, name: str) -> int:
    return connection.scalar(select(func.count()).select_from(table(name))) or 0


def test_old_forecasts_go_and_the_newest_of_each_version_stays(connection: Connection) -> None:
    issue(connection, "kept", [700, 650, 100, 10])
    issue(connection, "given up", [900, 600])
    issue(connection, "young", [20])
    deleted = retention.delete_old(connection, {"slot_forecasts": timedelta(days=400)}, now=NOW)
    assert deleted["slot_forecasts"] > 0
    assert issued(connection) == {("kept", 100), ("kept", 10), ("given up", 600), ("young", 20)}
    assert retention.delete_old(connection, {"slot_forecasts": timedelta(days=400)}, now=NOW) == {
        "slot_forecasts": 0
    }


def test_old_scenarios_go(connection: Connection) -> None:
    rows = [
        {
            "site_key": KEY,
            "forecast_version": "kept",
            "issued_at": NOW - timedelta(days=days),
            "paths": {},
        }
        for days in (700, 500, 10)
    ]
    connection.execute(insert(forecast_scenarios), rows)
    retention.delete_old(connection, {"forecast_scenarios": timedelta(days=400)}, now=NOW)
    assert ages(connection, forecast_scenarios) == [10]


def test_what_issues_rested_on_goes_with_them_and_the_last_one_sessions(
    connection: Connection,
) -> None:
    rows = [
        {
            "site_key": KEY,
            "forecast_version": "kept",
            "issued_at": NOW - timedelta(days=days),
            "stage": "full",
        }
        for days in (700, 500, 450)
    ]
    connection.execute(insert(forecast_issues), rows)
    retention.delete_old(connection, {"forecast_issues": timedelta(days=400)}, now=NOW)
    assert ages(connection, forecast_issues) == [450]


def store_plans(
    connection: Connection, key: int | None, system_id: str, days_ago: Sequence[int]
) -> None:
    for days in days_ago:
        issued_at = NOW - timedelta(days=days)
        span = {
            "issued_at": issued_at,
            "starts_at": issued_at,
            "ends_at": issued_at + timedelta(days=2),
        }
        own = {
            "plan_id": f"{system_id}-{days}",
            "site": "kept-by-age",
            "system_id": system_id,
            "status": "optimal",
            "total_cost": 1.0,
            "currency": "EUR",
        }
        connection.execute(
            insert(plan_history).values(
                own | span | {"inputs_digest": "", "packed_inputs": b"", "packed_reply": b""}
            )
        )
        beside = {
            "based_on": f"{system_id}-{days}",
            "policy": system_id,
            "site_key": key,
            "system_id": f"prod_shadow_{system_id}",
        }
        connection.execute(
            insert(antares_plan_history).values(beside | span | {"metrics": {}, "verdict": {}})
        )


def test_old_plans_go_with_the_agents_beside_them_and_the_newest_of_each_sessions(
    connection: Connection,
) -> None:
    ages = {
        name: age
        for name, age in retention.retention_ages(Settings()).items()
        if name in ("plan_history", "antares_plan_history")
    }
    # What other tests left is not counted.
    retention.delete_old(connection, ages, now=NOW)
    key = connection.scalar(
        insert(sites_table).values(name="kept-by-age").returning(sites_table.c.site_key)
    )
    store_plans(connection, key, "prod", [700, 450, 399, 1])
    store_plans(connection, key, "given_up", [900, 800])
    deleted = retention.delete_old(connection, ages, now=NOW)
    kept = set(
        connection.scalars(
            select(plan_history.c.plan_id).where(plan_history.c.site == "kept-by-age")
        )
    )
    assert kept == {"prod-399", "prod-1", "given_up-800"}
    assert (
        set(
            connection.scalars(
                select(antares_plan_history.c.based_on).where(
                    antares_plan_history.c.site_key == key
                )
            )
        )
        == kept
    )
    assert deleted == {"plan_history": 3, "antares_plan_history": 3}


def test_scenarios_are_kept_for_five_weeks_whatever_is_set_for_forecasts() -> None:
    ages = retention.retention_ages(Settings(forecast_retention=None))
    assert (ages["forecast_scenarios"], ages["forecast_issues"]) == (timedelta(days=35), None)


def test_a_forecast_within_its_age_stays_whole(connection: Connection) -> None:
    issue(connection, "kept", [401, 399, 1])
    retention.delete_old(connection, {"slot_forecasts": timedelta(days=400)}, now=NOW)
    assert {("kept", 399), ("kept", 1)} <= issued(connection)


def test_more_readings_than_one_statement_deletes_go_in_one_run(connection: Connection) -> None:
    minutes = np.datetime64("2031-01-01", "s") + np.arange(
        2 * retention.BATCH_ROWS // 3
    ) * np.timedelta64(60, "s")
    for sensor in (-1, -2):
        copy.upsert(
            connection,
            sensor_readings,
            {"sensor_key": sensor, "instant": minutes, "value": np.ones(minutes.size)},
        )
    recent = np.array([np.datetime64("2031-05-31", "s")])
    copy.upsert(
        connection, sensor_readings, {"sensor_key": -1, "instant": recent, "value": np.ones(1)}
    )
    copy.upsert(
        connection,
        smart_meter_readings,
        {"meter": "m", "register": "1.8.0", "instant": minutes[:9], "value": np.ones(9)},
    )
    ages = {"sensor_readings": timedelta(days=35), "smart_meter_readings": timedelta(days=35)}
    assert retention.delete_old(connection, ages, now=NOW).keys() == ages.keys()
    # The readings end in the middle of February.
    assert connection.scalars(select(sensor_readings.c.instant)).all() == [
        datetime(2031, 5, 31, tzinfo=UTC)
    ]
    assert count(connection, "smart_meter_readings") == 0


def test_without_an_age_everything_stays(connection: Connection) -> None:
    issue(connection, "kept", [700, 650])
    assert retention.delete_old(connection, {"slot_forecasts": None}, now=NOW) == {}
    assert issued(connection) == {("kept", 700), ("kept", 650)}


def test_the_task_follows_the_settings_and_touches_no_history(connection: Connection) -> None:
    old = Timeline(NOW - timedelta(days=3000), SLOT, 4)
    copy.upsert(
        connection,
        slot_observations,
        {"site_key": KEY, "slot_start": old.starts, "load_kwh": np.ones(4)},
    )
    copy.upsert(
        connection,
        market_prices,
        {
            "market": "none",
            "slot_start": old.starts,
            "price": np.ones(4),
            "currency": "EUR",
            "published_at": old.start,
        },
    )
    issue(connection, "kept", [700, 10])
    settings = Settings(forecast_retention=timedelta(days=100))
    work = TaskContext(
        settings, database=lambda: connection.engine, clock=FixedClock(NOW), queue=unused
    )
    work.connection = connection
    before = [count(connection, name) for name in ("slot_observations", "market_prices")]
    reply = apply_retention(RetentionRequest(), work)
    assert isinstance(reply, RetentionReply)
    kept_elsewhere = {
        "jobs",
        "idempotent_answers",
        "audit_log",
        "sessions",
        "answers",
        "what_ifs",
        "replay_days",
    }
    assert (
        set(reply.deleted)
        <= {
            "slot_forecasts",
            "forecast_issues",
            "forecast_scenarios",
            "plan_history",
            "antares_plan_history",
            "operator_limits",
            "steering_records",
        }
        | kept_elsewhere
    )
    assert [count(connection, name) for name in ("slot_observations", "market_prices")] == before


def test_a_table_with_a_policy_is_left_to_it(connection: Connection) -> None:
    settings = Settings(
        forecast_retention=timedelta(days=100), reading_retention=timedelta(days=100)
    )
    policies = retention.apply_policies(connection, settings)
    left = {policy.table for policy in policies if policy.kind == "retention" and policy.refused}
    # These lie in plain tables everywhere, for which there is no policy.
    plain = {
        "forecast_issues",
        "forecast_scenarios",
        "plan_history",
        "antares_plan_history",
        "operator_limits",
        "steering_records",
    }
    assert (
        retention.delete_old(connection, retention.retention_ages(settings), now=NOW).keys()
        == left | plain
    )


def ask_what_if(connection: Connection, name: str, days_ago: int) -> None:
    asked = {
        "what_if_id": name,
        "request": {"site_id": "home"},
        "asked_at": NOW - timedelta(days=days_ago),
    }
    connection.execute(insert(what_ifs_table).values(asked))
    connection.execute(insert(what_if_flows).values(what_if_id=name, variant="baseline", flows={}))


def test_old_what_ifs_go_with_what_they_came_to_and_those_that_are_recommended_stay(
    connection: Connection,
) -> None:
    for name, days_ago in (("old", 100), ("recommended", 100), ("young", 10)):
        ask_what_if(connection, name, days_ago)
    item = {
        "item_id": "larger-battery",
        "kind": "what_if",
        "code": "battery",
        "figures": {},
        "what_if_id": "recommended",
        "terms": [],
    }
    connection.execute(insert(items).values(item | {"created_at": NOW, "changed_at": NOW}))
    assert what_ifs.forget_old(connection, before=NOW - timedelta(days=90)) >= 1
    kept = set(connection.scalars(select(what_if_flows.c.what_if_id)))
    assert {"recommended", "young"} <= kept
    assert "old" not in kept


def test_models_that_no_training_names_go_after_a_week(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path)
    now = datetime.now(UTC)
    for key in (
        "aurora/named.json.gz",
        "aurora/named.card.md",
        "aurora/lost.json.gz",
        "aurora/lost.card.md",
        "agent/lost.agent.gz",
        "documents/kept.pdf",
    ):
        objects.put(key, b"content")
        week = (now - timedelta(days=8)).timestamp()
        os.utime(tmp_path / key, (week, week))
    objects.put("agent/young.agent.gz", b"content")
    forget_unnamed_models(objects, {"aurora/named.json.gz"}, now=now)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "aurora/named.json.gz",
        "aurora/named.card.md",
        "agent/young.agent.gz",
        "documents/kept.pdf",
    }


def test_days_of_replays_that_nobody_went_on_with_go(connection: Connection) -> None:
    connection.execute(insert(sites_table).values(name="replayed-home"))
    key = connection.scalar(
        select(sites_table.c.site_key).where(sites_table.c.name == "replayed-home")
    )
    for replay, days in (("abandoned", 20), ("under way", 1)):
        recorded_at = datetime.now(UTC) - timedelta(days=days)
        connection.execute(
            insert(replay_days).values(
                site_key=key, replay=replay, day=NOW.date(), records={}, recorded_at=recorded_at
            )
        )
    assert replays.forget_abandoned(connection) >= 1
    assert connection.scalars(
        select(replay_days.c.replay).where(replay_days.c.site_key == key)
    ).all() == ["under way"]
