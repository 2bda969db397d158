"""Versions judged in shadow, promoted by rule, planned from, rolled back: on the real database,
with a house that uses more every day.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts.data import DayQuality
from luna.contracts.forecast import IssueRequest
from luna.contracts.forecast_versions import (
    JudgeForecastsRequest,
    PromoteRequest,
    RollbackRequest,
    SiteJudgement,
)
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import ConflictError, InvalidInputError, NotFoundError
from luna.energy.observations import Observations
from luna.energy.series_query import SeriesQuery
from luna.energy.site import Forecasting
from luna.platform.database import (
    forecast_activations,
    forecast_scores,
    forecast_status,
    observations,
    quality,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.history import query_series
from luna.platform.objects import FileObjects
from luna.platform.queue import Client, TaskContext
from luna.platform.settings import Settings
from services.forecaster import tasks
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.versions.promotion import promote_by_hand, roll_back
from services.forecaster.versions.shadow import ShadowContext, judge_forecasts
from services.planner.service.replay import replay_site
from tests.support.database.site import plan_stored
from tests.support.household.measurements import day, describe_site, measure_days

# Yesterday says more of a house whose day begins an hour later every day than the days before do.
BETTER = "seasonal_naive"
BASELINES = {
    "baseline_like_days",
    "baseline_7_day_avg",
    "baseline_7_day_median",
    "baseline_clear_sky",
    BETTER,
}
TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
DAYS = 30
FIRST_DAY = date(2024, 3, 1)
LAST_DUE = FIRST_DAY + timedelta(days=DAYS - 3)


@pytest.fixture
def grown(database: Engine) -> Iterator[Engine]:
    """A database with a site that was measured for a month, and nothing about its forecasts.

    All of it is gone afterwards.
    """
    site = describe_site(name="grown", pv=[])
    starts = measure_days(DAYS).starts
    load = np.concatenate(
        [np.roll(0.1 + 0.09 * np.sin(np.arange(96) * np.pi / 48), 4 * day) for day in range(DAYS)]
    )
    with unit_of_work(database) as connection:
        sites.save(connection, site)
        observations.upsert(
            connection,
            "grown",
            Observations.of(starts, {"load_kwh": load, "pv_kwh": np.zeros_like(load)}),
        )
    yield database
    with unit_of_work(database) as connection:
        key = {"key": sites.key_of(connection, "grown")}
        for table in ("slot_forecasts", "forecast_issues", "slot_observations"):
            # Names of our own.
            connection.execute(text(f"DELETE FROM {table} WHERE site_key = :key"), key)  # noqa: S608
        connection.execute(text("DELETE FROM sites WHERE site_key = :key"), key)


def judge(
    engine: Engine,
    folder: Path,
    *,
    at: datetime | None = None,
    asked: list[ReplayRequest] | None = None,
    **window: date,
) -> SiteJudgement:
    questions: list[ReplayRequest] = [] if asked is None else asked
    context = ShadowContext(engine, FileObjects(folder), at or day(DAYS), questions.append)
    [found] = judge_forecasts(context, JudgeForecastsRequest(site_id="grown", **window)).sites
    assert found.faults == []
    return found


def scored(engine: Engine) -> dict[date, set[str]]:
    with unit_of_work(engine) as connection:
        rows = forecast_scores.read(connection, "grown", FIRST_DAY, LAST_DUE)
    return {
        day: {row.forecast_version for row in rows if row.day == day}
        for day in sorted({row.day for row in rows})
    }


def test_a_day_is_scored_when_its_48_hours_have_passed_and_once(
    grown: Engine, tmp_path: Path
) -> None:
    # 7 March at noon: what was issued on the 3rd looked ahead to the end of the 5th, what was
    # issued on the 4th to that of the 6th.
    first = judge(grown, tmp_path, at=day(6, hours=12))
    assert (first.days[-1], first.active_forecast_version, first.promoted) == (
        date(2024, 3, 4),
        DEFAULT_VERSION,
        False,
    )
    assert scored(grown)[date(2024, 3, 4)] == BASELINES
    assert judge(grown, tmp_path, at=day(6, hours=12)).days == []


def test_missed_nights_are_caught_up_with_a_week_at_a_time(grown: Engine, tmp_path: Path) -> None:
    with unit_of_work(grown) as connection:
        quality.save(connection, "grown", [DayQuality(day=date(2024, 3, 5), verdict="exclude")])
    runs = [judge(grown, tmp_path, at=day(12)).days for _ in range(3)]
    assert [len(days) for days in runs] == [7, 1, 0]
    assert date(2024, 3, 5) not in scored(grown)


def test_a_version_that_is_better_for_two_weeks_comes_to_drive_the_planner_until_it_is_taken_back(
    grown: Engine, tmp_path: Path
) -> None:
    found = judge(grown, tmp_path, from_day=LAST_DUE - timedelta(days=13), to_day=LAST_DUE)
    assert (found.promoted, found.active_forecast_version, len(found.days)) == (True, BETTER, 14)
    with unit_of_work(grown) as connection:
        active = forecast_activations.find_active(connection, sites.load(connection, "grown"))
        assert active.last is not None
        assert (
            active.last.decided_by,
            active.last.evidence["against"],
            active.last.evidence["days"],
        ) == ("rule", DEFAULT_VERSION, 14)
        assert active.last.evidence["loss_ratio"] < 1
    with unit_of_work(grown) as connection:
        assert (
            roll_back(connection, RollbackRequest(site_id="grown")).forecast_version
            == DEFAULT_VERSION
        )
    # What is known already does not undo what a person decided.
    again = judge(grown, tmp_path, from_day=LAST_DUE, to_day=LAST_DUE)
    assert (again.promoted, again.active_forecast_version, again.candidates) == (
        False,
        DEFAULT_VERSION,
        [],
    )


def test_a_pin_stands_above_the_rule(grown: Engine, tmp_path: Path) -> None:
    with unit_of_work(grown) as connection:
        pinned = Forecasting(active_forecast_version="baseline_7_day_median")
        sites.save(
            connection, sites.load(connection, "grown").model_copy(update={"forecasting": pinned})
        )
        for version, loss in (("baseline_7_day_median", 0.02), (BETTER, 0.01)):
            days = [FIRST_DAY + timedelta(days=number) for number in range(16)]
            forecast_scores.upsert(
                connection,
                "grown",
                [
                    ForecastDayScore(day, version, "load_kwh", 4, loss, loss, loss, 0.8)
                    for day in days
                ],
            )
    found = judge(grown, tmp_path, at=day(3))
    assert (found.pinned, found.promoted, found.active_forecast_version) == (
        True,
        False,
        "baseline_7_day_median",
    )
    assert BETTER in [candidate.version for candidate in found.candidates if candidate.better]


def test_the_planner_reads_what_was_promoted_and_after_a_rollback_the_baseline(
    connection: Connection, tmp_path: Path
) -> None:
    sites.save(connection, describe_site(name="planned", batteries=[BATTERY], tariff=TARIFF))
    observations.upsert(connection, "planned", measure_days(9))
    objects = FileObjects(tmp_path)
    for version in (DEFAULT_VERSION, BETTER):
        issue_forecasts(
            connection,
            IssueRequest(site_id="planned", at=day(8), forecast_version=version),
            objects=objects,
        )
    read = [planned_from(connection)]
    promote_by_hand(connection, PromoteRequest(site_id="planned", forecast_version=BETTER))
    read.append(planned_from(connection))
    shown, same = (
        query_series(connection, "planned", ask(version)).values for version in ("active", BETTER)
    )
    np.testing.assert_array_equal(shown, same)
    roll_back(connection, RollbackRequest(site_id="planned"))
    assert [*read, planned_from(connection)] == [DEFAULT_VERSION, BETTER, DEFAULT_VERSION]
    with pytest.raises(ConflictError) as refused:
        roll_back(connection, RollbackRequest(site_id="planned"))
    assert refused.value.reason == "nothing-to-go-back-to"


def ask(version: str) -> SeriesQuery:
    return SeriesQuery(f"slot_forecasts:{version}:load_kwh", day(8), day(9))


def planned_from(connection: Connection) -> str:
    reply = plan_stored(connection, "planned", day(8))
    assert reply.forecast is not None
    return reply.forecast.version


def test_what_errors_cost_is_asked_of_the_planner_and_waited_for(
    grown: Engine, tmp_path: Path
) -> None:
    with unit_of_work(grown) as connection:
        sites.save(
            connection, describe_site(name="grown", pv=[], batteries=[BATTERY], tariff=TARIFF)
        )
    asked: list[ReplayRequest] = []
    found = judge(grown, tmp_path, asked=asked, from_day=LAST_DUE, to_day=LAST_DUE)
    assert (found.replays, len(asked)) == (len(BASELINES), len(BASELINES))
    with unit_of_work(grown) as connection:
        for question in asked:
            replay_site(connection, question)
        [fortnight, _] = forecast_status.read_status(connection, "grown", at=day(30)).shadow
    naive = fortnight.versions[BETTER]
    assert (naive.regret_days, naive.series["load_kwh"].days) == (1, 1)
    assert naive.regret_per_day is not None
    assert naive.regret_per_day > -1e-6


def test_the_task_has_the_planner_asked_by_jobs(
    grown: Engine, redis_url: str, tmp_path: Path
) -> None:
    with unit_of_work(grown) as connection:
        sites.save(
            connection, describe_site(name="grown", pv=[], batteries=[BATTERY], tariff=TARIFF)
        )
    with closing(Client(redis_url)) as client:
        work = TaskContext(Settings(data_folder=tmp_path), lambda: grown, queue=lambda: client)
        before = client.tasks.waiting("planner")
        [found] = tasks.judge(JudgeForecastsRequest(site_id="grown", from_day=LAST_DUE), work).sites
        assert (found.faults, found.replays, client.tasks.waiting("planner") - before) == (
            [],
            len(BASELINES),
            len(BASELINES),
        )
    with unit_of_work(grown) as connection:
        asked = (
            connection.execute(
                text("DELETE FROM jobs WHERE task = 'planner.replay.run' RETURNING request")
            )
            .scalars()
            .all()
        )
    assert {request["system_id"] for request in asked} == {
        f"prod_shadow_forecast_{version}" for version in BASELINES
    }


@pytest.mark.parametrize(
    ("version", "run_id", "kind", "words"),
    [
        ("crystal_ball", None, NotFoundError, "no such forecast version"),
        ("aurora_v1.0", None, ConflictError, "never trained"),
        ("aurora_v1.0", "run_9", NotFoundError, "no such training"),
        (BETTER, "run_9", InvalidInputError, "needs no training"),
    ],
    ids=["no version", "never trained", "no training", "a baseline"],
)
def test_what_cannot_be_promoted_says_why(
    connection: Connection, version: str, run_id: str | None, kind: type[Exception], words: str
) -> None:
    sites.save(connection, describe_site(name="new"))
    with pytest.raises(kind, match=words):
        promote_by_hand(
            connection, PromoteRequest(site_id="new", forecast_version=version, run_id=run_id)
        )
