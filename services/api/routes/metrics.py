"""Prometheus metrics of the gateway, the queues, jobs, prices and forecasts."""

import math
from contextlib import suppress
from itertools import chain

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import Connection

from luna.contracts.message import interactive_queue_of
from luna.energy.errors import UnavailableError
from luna.platform.clock import SystemClock
from luna.platform.database import forecast_issues, jobs, recorded_span, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.services import SERVICES
from services.api.gateway import CurrentGateway, Gateway
from services.api.operation import Operation
from services.api.routing import ResourceRouter
from services.api.site_metrics import MOST_SITES

router = ResourceRouter("metrics")

WAITING = Gauge("luna_queue_waiting_tasks", "Messages that wait in a queue.", ["queue"])
DEAD = Gauge(
    "luna_queue_dead_tasks", "Tasks that ended their worker each time and are not tried again."
)
WORKERS = Gauge(
    "luna_queue_live_workers", "Workers that gave a sign of life, by queue served.", ["queue"]
)
JOBS_OPEN = Gauge("luna_jobs_open", "Accepted jobs that have not ended, by status.", ["status"])
JOBS_DEAD = Gauge(
    "luna_jobs_dead", "Jobs whose attempts never came to an end; they can be tried again."
)
JOBS_AGE = Gauge(
    "luna_jobs_oldest_open_seconds", "Age of the oldest job that has not ended; 0 without one."
)
BEAT_AGE = Gauge("luna_beat_age_seconds", "Time since beat last turned; +Inf where none ever did.")
REACHABLE = Gauge("luna_queue_reachable_bool", "Whether Redis answers the gateway: 1 or 0.")
PRICES_UNTIL = Gauge(
    "luna_ingest_prices_known_until_seconds",
    "When the last known price of a market, or of a site's own series, ends, Unix time; 0 "
    "without any.",
    ["market"],
)
NEWEST_FORECAST = Gauge(
    "luna_forecaster_newest_forecast_seconds",
    "When a site's newest forecast was issued, Unix time; 0 without any.",
    ["site"],
)


@router.operation(
    "Metrics in Prometheus' format",
    Operation("GET", "/metrics", "administer", alone="what Prometheus asks", monitor=True),
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def read_metrics(gateway: CurrentGateway) -> Response:
    """Return every metric of this process."""
    answering = {check.name for check in gateway.readiness.look() if check.ok}
    _look_at_queue(gateway)
    # Reset first: while the database is away, old values would pass for current ones; and deleted
    # sites must go.
    _set_jobs(jobs.JobCounts(math.nan, math.nan, math.nan, math.nan))
    PRICES_UNTIL.clear()
    NEWEST_FORECAST.clear()
    is_read = False
    # A scraper's time-out is shorter than the connection's to a database that is away.
    if "database" in answering:
        with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
            _set_jobs(jobs.count(connection))
            # Without outside services nobody fetches prices, so no alert may depend on them.
            if gateway.settings.outside_services:
                _look_at_prices(connection)
            issued = forecast_issues.last_of_each_site(connection)
            newest = {
                site: issued_at.timestamp() if issued_at else 0.0
                for site, issued_at in issued.items()
            }
            # The sites without a forecast first, then those with the oldest.
            for site in sorted(newest, key=newest.__getitem__)[:MOST_SITES]:
                NEWEST_FORECAST.labels(site).set(newest[site])
            gateway.site_metrics.look(connection, now=gateway.clock.now())
            is_read = True
    if not is_read:
        gateway.site_metrics.forget()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _look_at_queue(gateway: Gateway) -> None:
    # While Redis is away, old values would pass for current ones.
    WAITING.clear()
    WORKERS.clear()
    BEAT_AGE.set(math.nan)
    try:
        served = [*chain.from_iterable(gateway.queue.heartbeats.workers().values())]
        for queue in {*SERVICES, *map(interactive_queue_of, SERVICES), *served}:
            WORKERS.labels(queue).set(served.count(queue))
            WAITING.labels(queue).set(gateway.queue.tasks.waiting(queue))
        sign = gateway.queue.heartbeats.beat()
        BEAT_AGE.set(sign.age(SystemClock().now()).total_seconds() if sign else math.inf)
        DEAD.set(len(gateway.queue.tasks.dead()))
        REACHABLE.set(1)
    except UnavailableError:
        REACHABLE.set(0)


def _set_jobs(job_counts: jobs.JobCounts) -> None:
    JOBS_OPEN.labels("queued").set(job_counts.queued)
    JOBS_OPEN.labels("running").set(job_counts.running)
    JOBS_DEAD.set(job_counts.dead)
    JOBS_AGE.set(job_counts.oldest_open_seconds)


def _look_at_prices(connection: Connection) -> None:
    named = sites.price_series(connection)
    spans = recorded_span.of_markets(connection, named)
    # Where sites pay a market's prices in several currencies, the series that ends first counts.
    until: dict[str, float] = {}
    for series in named:
        end = spans[series][1].timestamp() if series in spans else 0.0
        until[series.name] = min(end, until.get(series.name, end))
    for market in sorted(until, key=until.__getitem__)[:MOST_SITES]:
        PRICES_UNTIL.labels(market).set(until[market])
