"""What beat asks of the forecaster by the clock: forecasts and models that are due."""

from typing import Annotated, ClassVar

from pydantic import Field

from luna.contracts.message import Instant, Message, Request


class VersionIssue(Message):
    """One version's forecast, as issued now; ``reasons`` are the codes of what widened it."""

    forecast_version: str
    issued_at: Instant
    stage: str
    reasons: list[str] = []


class SiteRefresh(Message):
    """What was issued for one site, and what failed; both empty: nothing was due."""

    site_id: str
    issued: list[VersionIssue] = []
    faults: list[str] = []


class RefreshForecastsReply(Message):
    """One entry for each site."""

    sites: list[SiteRefresh]


class RefreshForecastsRequest(Request):
    """Issue what is due: Aurora and the version that drives the planner every hour, the others every six. ``site_id``: one alone, default: every site."""

    task: ClassVar[str] = "forecaster.forecast.refresh"
    reply: ClassVar[type[Message]] = RefreshForecastsReply

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
