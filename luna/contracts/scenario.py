"""Issue joint courses of load, PV and prices."""

from typing import Annotated, ClassVar

from pydantic import Field

from luna.contracts.forecast import ForecastVersion, SiteId
from luna.contracts.message import Instant, Message, Request


class IssueScenariosReply(Message):
    """What was made beside a forecast; ``reasons`` are codes of what it could not rest on.

    ``few_error_paths``: fewer than two weeks of forecasts that have met what happened, so a usual persistence serves; ``few_prices``: the last fortnight's
    prices serve as quantiles; ``no_prices``: nothing is said beyond what is published.
    """

    forecast_version: str
    issued_at: Instant
    count: int
    slots: int
    reasons: list[str] = []
    milliseconds: Annotated[float, Field(description="without reading and storing")]


class IssueScenariosRequest(Request):
    """Make ``count`` joint courses of load, PV and prices for the forecast that was issued last within the hour before ``at``."""

    task: ClassVar[str] = "forecaster.scenario.issue"
    reply: ClassVar[type[Message]] = IssueScenariosReply

    site_id: SiteId
    at: Instant
    count: Annotated[int, Field(ge=1, le=30)] = 10
    forecast_version: Annotated[ForecastVersion | None, Field(description="default: what drives the site's planner")] = None
