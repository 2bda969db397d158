"""What has to be issued before a stored site can be planned; where beat runs there always is a fresh forecast."""

from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.forecast import IssueRequest
from luna.contracts.plan import PlanRequest
from luna.database import forecast_activations, forecasts, sites
from luna.timeline import SLOT, Timeline, floor_to


def find_missing_forecast(connection: Connection, request: PlanRequest, *, now: datetime) -> IssueRequest | None:
    """Return the forecast to issue for a plan of a stored site, None where what drives the planner has a fresh one of the plan's start.

    Raises:
        NotFoundError: no such site.
    """
    site, start = sites.load(connection, str(request.site_id)), floor_to(request.start or now, SLOT)
    driving = forecasts.read_driving(connection, site, Timeline(start, SLOT, 1), known_at=start)
    if driving is not None and driving.fallback_reason is None:
        return None
    version = forecast_activations.find_active(connection, site).forecast_version
    return IssueRequest(site_id=site.name, at=start, forecast_version=version)
