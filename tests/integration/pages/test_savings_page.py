"""The page Savings: what it says is what a replay says, and days that do not count are named."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.data import DayQuality
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import FullError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline, local_days
from luna.platform.database import forecasts, jobs, observations, quality, sites, weather_carbon
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.planner.service.replay import replay_site
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import (
    ZONE,
    describe_furnished,
    forget_furnished,
    furnish,
)
from tests.support.words.wording import wording, wording_pattern

# Of the thirty days up to this one, 25 October has 25 hours.
LAST = date(2026, 10, 27)


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        furnish(connection, describe_furnished(), last=LAST, missing=2)
        sites.save(connection, describe_furnished("bare"))
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare", "lived")


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_it_counts_the_days_that_count_and_says_of_the_others_why(api: httpx.Client) -> None:
    text = read(api, f"/ui/sites/home/savings?until={LAST}")
    # Thirty days less two that are excluded and two that wait.
    assert wording("savings", "lead", counted=26, days=30) in text
    fault = wording("quality", "fault_coverage", series="Consumption", known=68, slots=96)
    assert f"Sun 18 Oct: {wording('savings', 'left_excluded')}: {fault}" in text.replace(
        "\u00a0", " "
    )
    assert f"Mon 26 Oct – Tue 27 Oct: {wording('savings', 'left_not_replayed')}" in text.replace(
        "\u00a0", " "
    )
    assert wording("savings", "compute", days=2) in text


def test_it_speaks_german(api: httpx.Client) -> None:
    text = read(api, f"/ui/sites/home/savings?until={LAST}", "de").replace("\u00a0", " ")
    assert wording("savings", "lead", "de", counted=26, days=30) in text
    fault = wording("quality", "fault_coverage", "de", series="Verbrauch", known=68, slots=96)
    assert f"So., 18. Okt.: {wording('savings', 'left_excluded', 'de')}: {fault}" in text


def test_a_site_without_a_past_is_told_what_a_day_needs_to_count(api: httpx.Client) -> None:
    text = read(api, f"/ui/sites/bare/savings?until={LAST}")
    assert wording("savings", "empty_title") in text
    assert wording("savings", "who_empty") in text
    assert wording("savings", "compute", days=1) not in text
    assert not wording_pattern("savings", "compute").search(text)
    # The days before it was there are not left out.
    assert f"Tue 27 Oct: {wording('savings', 'left_not_recorded')}" in text.replace("\u00a0", " ")
    assert "Mon 28 Sep" not in text.replace("\u00a0", " ")


def test_asking_for_the_missing_days_begins_one_replay_of_them_and_leads_back_to_its_progress(
    api: httpx.Client, database: Engine
) -> None:
    asked = api.post("/ui/sites/home/savings/replays", data={"until": str(LAST)})
    assert asked.status_code == 303
    assert "job=" in asked.headers["Location"]
    with unit_of_work(database) as connection:
        (job,) = jobs.list_of_site(connection, "home", tasks=[ReplayRequest.task])
    assert (job.request["from_day"], job.request["to_day"]) == ("2026-10-26", "2026-10-27")
    assert wording("every_page", "job_queued") in read(api, asked.headers["Location"])
    assert api.get(f"/ui/sites/bare/jobs/{job.job_id}").status_code == 404
    with unit_of_work(database) as connection:
        jobs.put_back(
            connection,
            jobs.begin(connection, job.job_id),
            counted=False,
            error=FullError("the disk is full").problem(),
        )
    waits = f"{wording('every_page', 'job_queued')} {wording('error_codes', 'sentence_full')}"
    assert waits in read(api, f"/ui/sites/home/jobs/{job.job_id}")


def test_who_decided_is_shown_by_the_day_s_own_length(api: httpx.Client) -> None:
    page = api.get(f"/ui/sites/home/savings?until={LAST}").text
    assert "Sun 25 · 25 h" in page
    assert "Luna&#39;s plan" in page


def test_days_that_nobody_can_name_are_refused_in_words(api: httpx.Client) -> None:
    for wrong in ("never", "9999-99-99", "0001-01-01"):
        assert api.get(f"/ui/sites/home/savings?until={wrong}").status_code == 422, wrong


def test_the_savings_shown_equal_those_of_a_simulation_made_anew_within_a_cent(
    api: httpx.Client, database: Engine
) -> None:
    first = date(2024, 3, 30)
    last = date(2024, 4, 1)
    site = describe_furnished("lived", vehicles=[], loads=[])
    window = local_days(first, last, ZONE)
    rng = np.random.default_rng(3)
    with unit_of_work(database) as connection:
        sites.save(connection, site)
        series = {
            "load_kwh": rng.gamma(4, 0.05, window.count),
            "pv_kwh": rng.uniform(0, 0.5, window.count),
        }
        observations.upsert(connection, site.name, Observations.of(window.starts, series))
        values = {"carbon_g_per_kwh": np.full(window.count, 400.0)}
        weather_carbon.upsert(
            connection, "carbon_intensity", site.name, window.starts, values=values, issued_at=None
        )
        for day in range(3):
            start = window.start + day * timedelta(days=1)
            issued = Forecast(
                Timeline(start, SLOT, 192),
                start,
                "baseline_like_days",
                *(Quantiles.exact(np.full(192, kwh)) for kwh in (0.2, 0.25)),
            )
            forecasts.upsert(connection, site.name, [issued])
        quality.save(
            connection,
            site.name,
            [DayQuality(day=first + timedelta(days=day), verdict="clean") for day in range(3)],
        )
        request = ReplayRequest(
            site_id=site.name,
            from_day=first,
            to_day=last,
            every_minutes=720,
            policies=["self_consumption", "mpc", "oracle"],
        )
        replay_site(connection, request)
    with unit_of_work(database) as connection:
        # The same again under another name: nothing of it is read back.
        anew = replay_site(connection, request.model_copy(update={"system_id": "again"}))
    settled = {
        name: sum(day.cost - (day.value_gain or 0.0) for day in policy.days)
        for name, policy in anew.policies.items()
    }
    page = api.get(f"/ui/sites/lived/savings?until={last}").text
    shown = float(re.findall(r'<b class="num \w+">€([\d.]+)</b>', page)[2])
    assert shown == pytest.approx(abs(settled["self_consumption"] - settled["mpc"]), abs=0.01)
    # 400 g for each kWh that is imported.
    assert sum(day.import_carbon_g or 0.0 for day in anew.policies["mpc"].days) == pytest.approx(
        400 * anew.policies["mpc"].import_kwh
    )
    assert f"{400 * anew.policies['mpc'].import_kwh / 1000:.1f}\u00a0kg" in page
