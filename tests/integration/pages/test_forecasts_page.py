"""The page Forecasts: what drives and how fresh it is, versions compared, and what can be done
about them.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from html import unescape

import httpx
import numpy as np
import pytest
import redis
from sqlalchemy import Engine

from luna.contracts.forecast import IssueRequest, TrainRequest
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline, floor_to, local_midnight
from luna.house.learning_reset import find_forgotten, reset_today
from luna.platform.clock import SystemClock
from luna.platform.database import (
    forecast_activations,
    forecast_scores,
    forecasts,
    jobs,
    observations,
    sites,
    training_runs,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import Activation
from luna.platform.database.forecast_issues import ForecastIssue, upsert
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import open_objects
from luna.platform.queue import Client
from luna.platform.settings import Settings
from services.forecaster.forecast_issue import issue_forecasts
from tests.support.database.site import issue_half_a_kilowatt
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import ZONE, describe_furnished, forget_furnished
from tests.support.words.english import find_english
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.environment import second_queue
from tests.support.worker.workers import worker_process

PAGE = "/ui/sites/foreseen/forecasts"
# In the hour that the clock shows twice, the zone's name stands beside it.
CLOCK = re.compile(r"\d\d:\d\d(?: [A-Z]+)?")
MINUTES = re.compile(r"\d+")
BASELINE = "baseline_like_days"
AURORA = "aurora_v1.0"


@pytest.fixture(scope="module")
def now() -> datetime:
    return SystemClock().now()


@pytest.fixture(scope="module")
def queue_url(redis_url: str) -> str:
    """A queue without what other modules asked for: here a site without a forecast gets none."""
    url = second_queue(redis_url)
    with redis.Redis.from_url(url) as queue:
        queue.flushdb()
    return url


@pytest.fixture(scope="module")
def api(
    queue_url: str,
    database_url: str,
    database: Engine,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    start = floor_to(now, SLOT) - timedelta(days=8)
    window = Timeline(start, SLOT, 8 * 96)
    objects = open_objects(Settings(data_folder=tmp_path_factory.mktemp("data")))
    with unit_of_work(database) as connection:
        for name in ("foreseen", "old", "forgotten", "short", "bare"):
            sites.save(connection, describe_furnished(name))
        series = {"load_kwh": np.full(window.count, 0.2), "pv_kwh": np.zeros(window.count)}
        observations.upsert(connection, "foreseen", Observations.of(window.starts, series))
        issue_forecasts(
            connection,
            IssueRequest(site_id="foreseen", at=now, forecast_version=BASELINE),
            objects=objects,
        )
        upsert(connection, "old", [ForecastIssue(BASELINE, now - timedelta(hours=9), "full")])
        upsert(
            connection,
            "forgotten",
            [ForecastIssue(BASELINE, now - timedelta(days=3, hours=1), "full")],
        )
        issued = floor_to(now, SLOT)
        upsert(connection, "short", [ForecastIssue(BASELINE, issued, "full")])
        issue_half_a_kilowatt(connection, "short", issued, slots=42)
        day = now.date() - timedelta(days=4)
        scores = [
            forecast_scores.ForecastDayScore(day, version, "load_kwh", 4, mae, mae, mae, 0.8)
            for version, mae in ((BASELINE, 0.05), (AURORA, 0.03))
        ]
        forecast_scores.upsert(connection, "foreseen", scores)
    with serve(Addresses(database_url=database_url, redis_url=queue_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "foreseen", "old", "forgotten", "short", "bare")


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def test_it_says_what_drives_how_old_it_is_and_how_good_versions_were(api: httpx.Client) -> None:
    text = read(api, PAGE)
    assert wording("forecasts", "headline_baseline_like_days") in text
    assert wording_pattern("forecasts", "fresh", at=CLOCK, minutes=MINUTES, hours=48).search(text)
    # 0.05 and 0.03 kWh in a quarter-hour are 0.2 and 0.12 kW.
    assert "0.20 kW" in text
    assert "0.12 kW" in text
    german = read(api, PAGE, "de")
    assert wording("forecasts", "headline_baseline_like_days", "de") in german
    assert wording("forecasts", "by_default", "de") in german


def test_an_old_forecast_and_none_at_all_are_said_to_be_so(api: httpx.Client) -> None:
    assert wording_pattern("forecasts", "stale", hours=9).search(
        read(api, "/ui/sites/old/forecasts")
    )
    # However old it is, it is not "none".
    forgotten, german = (
        read(api, "/ui/sites/forgotten/forecasts", language) for language in ("en", "de")
    )
    assert wording_pattern("forecasts", "stale", hours=73).search(forgotten)
    assert wording_pattern("forecasts", "stale", "de", hours=73).search(german)
    bare = read(api, "/ui/sites/bare/forecasts")
    assert wording("forecasts", "none") in bare
    assert wording("forecasts", "versions_none") in bare


def test_a_forecast_that_reaches_a_part_of_the_horizon_says_how_far(api: httpx.Client) -> None:
    short = read(api, "/ui/sites/short/forecasts")
    # 42 quarter-hours are ten and a half hours.
    assert wording_pattern("forecasts", "fresh", at=CLOCK, minutes=MINUTES, hours=10).search(short)
    assert wording("forecasts", "partly", hours=10) in short
    assert wording("forecasts", "partly", "de", hours=10) in read(
        api, "/ui/sites/short/forecasts", "de"
    )
    assert not wording_pattern("forecasts", "partly").search(read(api, PAGE))


def test_choices_and_trainings_say_why_in_the_reader_s_language(
    api: httpx.Client, database: Engine, now: datetime
) -> None:
    proven = {
        "version": AURORA,
        "better": True,
        "reason": "better: pinball loss 80.0% of the active version's",
        "days": 14,
        "loss_ratio": 0.8,
        "regret": 0.1,
        "active_regret": 0.3,
    }
    tried = {"trial.load.new.pinball": 0.06, "trial.load.in_use.pinball": 0.05}
    with unit_of_work(database) as connection:
        chosen = Activation(AURORA, "better than the other", "rule", evidence=proven)
        forecast_activations.activate(connection, "old", chosen)
        training_runs.save(
            connection,
            "old",
            TrainingRun(
                *("old.1", AURORA, now - timedelta(days=9), now, "0", 0, 1.0),
                metrics=tried,
                accepted=False,
                verdict="pinball loss in the trial is 120.0% of that of the model in use",
            ),
        )
    for language, share in (("de", "20 %"), ("nl", "20%")):
        text = read(api, "/ui/sites/old/forecasts", language)
        assert wording("forecasts", "choice_errors", language, share=share, days=14) in text
        assert wording("forecasts", "trial_worse", language, share=share) in text
        page = api.get("/ui/sites/old/forecasts", headers={"Accept-Language": language})
        assert find_english(page.text) == []


@pytest.fixture(scope="module")
def worker(api: httpx.Client, queue_url: str, database_url: str) -> Iterator[None]:
    with (
        worker_process(queue_url, database_url, "services.forecaster.tasks"),
        closing(Client(queue_url)) as client,
    ):
        while not client.heartbeats.workers():
            pass
        yield


@pytest.mark.usefixtures("worker")
def test_the_forecast_is_drawn_with_its_reasons_and_a_slot_is_explained(
    api: httpx.Client, now: datetime
) -> None:
    slot = (floor_to(now, SLOT) + timedelta(hours=3)).isoformat()
    part = api.get(f"{PAGE}/chart", headers={"HX-Request": "true"})
    whole = api.get(f"{PAGE}/chart")
    why = read(api, f"{PAGE}/explanation?{httpx.QueryParams({'slot': slot})}")
    missing = api.get("/ui/sites/bare/forecasts/chart", headers={"HX-Request": "true"})
    assert (
        part.text.count('<svg class="chart forecast')
        == whole.text.count('<svg class="chart forecast')
        == 2
    )
    assert "<html" not in part.text
    assert wording_pattern("forecast_chart", "between").search(unescape(part.text))
    # The last seven days were 0.2 kWh a quarter-hour.
    assert "0.80 kW" in why
    assert wording("forecasts", "chart_unknown") in unescape(missing.text)


@pytest.mark.usefixtures("worker")
def test_promoting_and_taking_back_are_decisions_of_the_planner_s_forecasts(
    api: httpx.Client, database: Engine
) -> None:
    promoted = api.post(f"{PAGE}/promote", data={"version": "seasonal_naive"})
    with unit_of_work(database) as connection:
        decided = forecast_activations.current(connection, "foreseen")
    back = api.post(f"{PAGE}/rollback")
    nothing = api.post(f"{PAGE}/rollback")
    assert promoted.status_code == 303, promoted.text
    assert isinstance(decided, Activation)
    assert decided.forecast_version == "seasonal_naive"
    assert (back.status_code, nothing.status_code) == (303, 409)
    assert wording("refusals", "sentence_nothing-to-go-back-to") in unescape(nothing.text)


def test_training_anew_is_a_job_that_counts_whatever_its_test_says(
    api: httpx.Client, database: Engine
) -> None:
    assert api.post(f"{PAGE}/train").status_code == 303
    with unit_of_work(database) as connection:
        (job,) = jobs.list_of_site(connection, "foreseen", tasks=[TrainRequest.task])
    assert job.request["trigger"] == "force"
    assert api.post("/ui/sites/nowhere/forecasts/train").status_code == 404


def test_forgetting_today_is_said_and_issues_a_forecast_afresh(
    api: httpx.Client, database: Engine
) -> None:
    assert api.post(f"{PAGE}/reset").status_code == 303
    with unit_of_work(database) as connection:
        (job,) = jobs.list_of_site(connection, "foreseen", tasks=[IssueRequest.task])
    assert job.request["forecast_version"] == BASELINE
    assert wording_pattern("forecasts", "reset_since", at=CLOCK).search(read(api, PAGE))


def test_what_was_measured_before_the_reset_moves_no_forecast_of_the_day_and_counts_again_tomorrow(
    database: Engine,
) -> None:
    noon = local_midnight(date(2024, 5, 7), ZONE) + timedelta(hours=12)
    window = Timeline(noon - timedelta(days=8, hours=12), SLOT, 96 * 8 + 48)
    quiet = np.full(window.count, 0.2)
    odd = quiet.copy()
    odd[-48:] = 2.0
    expected = {}
    with database.connect() as connection, connection.begin() as transaction:
        for name, load in (("steady", quiet), ("strange", odd)):
            site = describe_furnished(name)
            sites.save(connection, site)
            series = {"load_kwh": load, "pv_kwh": np.zeros(window.count)}
            observations.upsert(connection, name, Observations.of(window.starts, series))
            reset_today(connection, name, now=noon)
            assert find_forgotten(connection, site, noon + SLOT) == (
                noon - timedelta(hours=12),
                noon,
            )
            assert find_forgotten(connection, site, noon) is None
            assert find_forgotten(connection, site, noon + timedelta(hours=13)) is None
            for at in (noon + SLOT, noon + timedelta(hours=13)):
                issue_forecasts(
                    connection,
                    IssueRequest(site_id=name, at=at, forecast_version=BASELINE),
                    objects=open_objects(Settings()),
                )
                (issued,) = forecasts.read_all(
                    connection, name, version=BASELINE, first=at, last=at
                )
                expected[name, at] = issued.load_kwh.expected
        transaction.rollback()
    today = noon + SLOT
    tomorrow = noon + timedelta(hours=13)
    np.testing.assert_allclose(expected["steady", today], expected["strange", today])
    assert expected["strange", tomorrow].sum() > expected["steady", tomorrow].sum()
