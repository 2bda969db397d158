"""Explanations of a forecast, and scenarios of it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast import ForecastVersion, SiteId
from luna.contracts.message import Message, Request
from luna.energy.timeline import Instant
from luna.words.language import Language

ReasonCode = Literal[
    "calendar",
    "vacation",
    "temperature",
    "wind",
    "sky",
    "hours",
    "days",
    "habit",
    "limit",
    "later",
    "model",
    "rest",
]


class Contribution(Message):
    """One reason's share of the difference from the usual: mean power, and in words."""

    code: ReasonCode
    kw: float
    text: str


class SeriesExplanation(Message):
    """Load or PV of one slot, mean power.

    ``usual_kw`` plus all contributions is ``expected_kw``; the largest stands first.
    """

    expected_kw: float
    usual_kw: float
    contributions: list[Contribution]
    text: str


class SlotExplanation(Message):
    """One slot explained."""

    start: Instant
    load: SeriesExplanation
    pv: SeriesExplanation


class ExplainReply(Message):
    """A forecast explained slot by slot.

    The usual is the mean of the same slot on the last seven days.

    ``stage`` and ``reasons`` (codes) with ``conditions`` (the same in words) say what the whole
    forecast rests on and why it is as wide as it is.
    """

    site_id: str
    timezone: str
    forecast_version: str
    issued_at: Instant
    stage: str | None
    reasons: list[str]
    conditions: list[str]
    slots: list[SlotExplanation]
    explain_milliseconds: float


class ExplainRequest(Request):
    """Explain the forecast that stood at ``at``: the last one issued by then.

    Every slot of it, or only the one that covers ``slot``.

    Without a version it is what drives the planner; where that issued nothing, Aurora.
    """

    task: ClassVar[str] = "forecaster.forecast.explain"
    reply: ClassVar[type[Message]] = ExplainReply

    site_id: SiteId
    at: Instant
    slot: Instant | None = None
    forecast_version: ForecastVersion | None = None
    language: Language = "en"


class IssueScenariosReply(Message):
    """The scenarios that were made beside a forecast.

    ``reasons`` are codes of what they could not rest on.

    ``few_error_paths``: fewer than two weeks of forecasts that have met what happened, so a usual
    persistence serves; ``few_prices``: the last fortnight's prices serve as quantiles;
    ``no_prices``: nothing is said beyond what is published.
    """

    forecast_version: str
    issued_at: Instant
    count: int
    slots: int
    reasons: list[str] = []
    milliseconds: Annotated[float, Field(description="without reading and storing")]


class IssueScenariosRequest(Request):
    """Make ``count`` joint scenarios of load, PV and prices.

    They are for the forecast that was issued last within the hour before ``at``.
    """

    task: ClassVar[str] = "forecaster.scenario.issue"
    reply: ClassVar[type[Message]] = IssueScenariosReply
    public: ClassVar[bool] = True

    site_id: SiteId
    at: Instant
    count: Annotated[int, Field(ge=1, le=30)] = 10
    forecast_version: Annotated[
        ForecastVersion | None, Field(description="default: what drives the site's planner")
    ] = None
