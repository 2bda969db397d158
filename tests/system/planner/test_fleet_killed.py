"""A batch of plans whose worker is killed in the middle of it: done again, nothing lost and nothing
doubled.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import redis
from sqlalchemy import Engine, delete, func, select, text

from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.job import Job
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import forecasts, jobs, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.plans import plan_history
from luna.platform.database.schema.work import jobs as jobs_table
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from tests.support.database.databases import remove_site
from tests.support.worker.workers import kill, wait_for, worker_process

NAMES = ["killed one", "killed two", "killed three"]
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
TARIFF: dict[str, Any] = {
    "import": {"kind": "fixed", "price": 0.3},
    "export": {"kind": "fixed", "price": 0.07},
}
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'plan_history'::regclass"


@pytest.fixture
def stored(database: Engine) -> Iterator[None]:
    """Sites with a forecast of now."""
    now = floor_to(SystemClock().now(), SLOT)
    with unit_of_work(database) as connection:
        for name in NAMES:
            sites.save(
                connection,
                parse_site(
                    {"name": name, "timezone": "UTC", "batteries": [BATTERY], "tariff": TARIFF}
                ),
            )
            forecasts.upsert(connection, name, [expect(now)])
    yield
    with unit_of_work(database) as connection:
        connection.execute(delete(plan_history).where(plan_history.c.site.in_(NAMES)))
        connection.execute(delete(jobs_table).where(jobs_table.c.task == PlanSitesRequest.task))
    for name in NAMES:
        remove_site(database, name)


def expect(at: datetime) -> Forecast:
    slots = Timeline(at, SLOT, timedelta(hours=52) // SLOT)
    return Forecast(
        slots,
        at,
        DEFAULT_VERSION,
        Quantiles.exact(np.full(slots.count, 0.125)),
        Quantiles.exact(np.zeros(slots.count)),
    )


def look_at(database: Engine, job: Job) -> Job:
    with unit_of_work(database) as connection:
        return jobs.load(connection, job.job_id)


def waits(database: Engine) -> bool:
    with unit_of_work(database) as connection:
        return connection.scalar(text(WAITS)) == 1


def count_plans(database: Engine) -> dict[str, int]:
    with unit_of_work(database) as connection:
        rows = connection.execute(
            select(plan_history.c.site, func.count())
            .where(plan_history.c.site.in_(NAMES))
            .group_by(plan_history.c.site)
        )
        return {row[0]: row[1] for row in rows}


def test_a_batch_whose_worker_is_killed_is_planned_once_by_another(
    database: Engine, database_url: str, redis_url: str, stored: None
) -> None:
    del stored
    with redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()
    client = Client(redis_url)
    served = (redis_url, database_url, "services.planner.tasks")
    with worker_process(*served) as worker:
        with database.connect() as holder, holder.begin():
            # Nobody can store a plan meanwhile: the worker dies between planning and storing.
            holder.execute(text("LOCK TABLE plan_history IN SHARE ROW EXCLUSIVE MODE"))
            job = submit_job(database, client, PlanSitesRequest(site_ids=NAMES))
            wait_for(lambda: waits(database))
            kill(worker)
        assert count_plans(database) == {}
        with worker_process(*served):
            wait_for(lambda: look_at(database, job).status == "done")
    client.close()
    assert look_at(database, job).attempts == 2
    assert count_plans(database) == dict.fromkeys(NAMES, 1)
