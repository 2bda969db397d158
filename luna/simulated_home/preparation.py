"""List the requests after the simulated home's set-up: they make up for an owner's first weeks."""

from datetime import datetime, timedelta

from luna.contracts.data import JudgeQualityRequest
from luna.contracts.forecast import IssueRequest, RefreshForecastsRequest
from luna.contracts.message import Request
from luna.contracts.replay import ReplaySitesRequest
from luna.energy.timeline import local_midnight
from luna.simulated_home.site import SITE_NAME, ZONE

JUDGED = timedelta(days=28)
COUNTED = timedelta(days=5)


def list_preparation(now: datetime) -> dict[str, Request]:
    """Return the requests that follow the set-up of the home, by stage."""
    today = now.astimezone(ZONE).date()
    yesterday = today - timedelta(days=1)
    first = today - COUNTED
    begin = local_midnight(first, ZONE)
    end = local_midnight(today, ZONE)
    return {
        "forecast": RefreshForecastsRequest(site_id=SITE_NAME),
        "quality": JudgeQualityRequest(
            site_id=SITE_NAME, from_day=today - JUDGED, to_day=yesterday
        ),
        "past_forecasts": IssueRequest(site_id=SITE_NAME, at=begin, to=end - timedelta(hours=1)),
        "savings": ReplaySitesRequest(site_ids=[SITE_NAME], from_day=first, to_day=yesterday),
    }
