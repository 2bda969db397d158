"""Finds the forecasts to issue before a stored site can be planned or replayed.

While beat runs a fresh one always exists.
"""

from bisect import bisect_right
from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.forecast import EnsureForecastsRequest, IssueRequest
from luna.contracts.plan import PlanRequest
from luna.contracts.replay import ReplayRequest
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.timeline import SLOT, Timeline, floor_to, local_days, parse_zone
from luna.platform.database import forecast_activations, forecasts, recorded_span, sites


def find_missing_forecast(
    connection: Connection, request: PlanRequest, *, now: datetime
) -> IssueRequest | None:
    """Return the forecast that a stored site's plan still lacks, if any.

    None where its active version has a fresh one for the plan's start.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, str(request.site_id))
    start = floor_to(request.start or now, SLOT)
    driving = forecasts.read_driving(connection, site, Timeline(start, SLOT, 1), known_at=start)
    if driving is not None and driving.fallback_reason is None:
        return None
    version = forecast_activations.find_active(connection, site).forecast_version
    if version in forecast_activations.OUTSIDE_VERSIONS:
        if driving is not None and start - driving.forecast.issued_at <= FORECAST_MAX_AGE:
            return None
        version = forecast_activations.DEFAULT_VERSION
    return IssueRequest(site_id=site.name, at=start, forecast_version=version)


def find_missing_issues(
    connection: Connection, request: ReplayRequest
) -> EnsureForecastsRequest | None:
    """Return the forecasts to issue before a replay, if any are missing.

    None where every replanning has one, or where the days are not recorded.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, request.site_id)
    window = local_days(
        request.from_day, max(request.from_day, request.to_day), parse_zone(site.timezone)
    )
    recorded = recorded_span.of_site(connection, site.name)
    if recorded is None or window.start < recorded[0] or recorded[1] < window.end:
        return None
    version = (
        request.forecast_version
        or forecast_activations.find_active(connection, site).forecast_version
    )
    if version in forecast_activations.OUTSIDE_VERSIONS:
        return None
    issue_request = EnsureForecastsRequest(
        site_id=site.name,
        forecast_version=version,
        first=window.start,
        end=window.end,
        every_minutes=request.every_minutes,
    )
    return issue_request if list_missing_issues(connection, issue_request) else None


def list_missing_issues(connection: Connection, request: EnsureForecastsRequest) -> list[datetime]:
    """Return the instants without a forecast issued in the step up to them."""
    every = timedelta(minutes=request.every_minutes)
    issued = forecasts.read_instants(
        connection,
        request.site_id,
        version=request.forecast_version,
        first=request.first - every,
        last=request.end,
    )
    missing_issues = []
    step_count = -((request.first - request.end) // every)
    for step in range(step_count):
        at = request.first + step * every
        if bisect_right(issued, at) == bisect_right(issued, at - every):
            missing_issues.append(at)
    return missing_issues
