"""Which version of the forecasts drives a site's planner: judge them in shadow, promote, roll back, say how it stands."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast import ForecastVersion, SiteId
from luna.contracts.message import Instant, Message, Request

RunId = Annotated[str, Field(min_length=1, max_length=256)]


class ActivationReply(Message):
    """What drives the planner now; ``changed`` is false where it did before, ``pinned`` says that the owner's pin stands above every decision."""

    forecast_version: str
    run_id: str | None = None
    pinned: bool
    changed: bool
    reason: str


class PromoteRequest(Request):
    """Let a version drive the planner from now on, by hand; ``run_id`` names the training whose model speaks (default: the latest)."""

    task: ClassVar[str] = "forecaster.version.promote"
    reply: ClassVar[type[Message]] = ActivationReply

    site_id: SiteId
    forecast_version: ForecastVersion
    run_id: RunId | None = None
    reason: Annotated[str, Field(min_length=1, max_length=512)] = "promoted by hand"


class RollbackRequest(Request):
    """Go back to the version and training that drove the planner before the last decision."""

    task: ClassVar[str] = "forecaster.version.rollback"
    reply: ClassVar[type[Message]] = ActivationReply

    site_id: SiteId


class Decision(Message):
    """A decision about what drives the planner, with what it rests on."""

    forecast_version: str
    run_id: str | None = None
    decided_by: Literal["rule", "hand", "rollback", "training"]
    decided_at: Instant
    reason: str
    evidence: dict[str, Any] = {}


class SeriesRecord(Message):
    """How good a version was on one series over some days of issue: means over the days, kWh per slot."""

    days: int
    mae: float
    rmse: float
    pinball: float
    coverage_80: float | None = None


class VersionRecord(Message):
    """How good a version was in shadow. ``regret_per_day`` is what planning with it cost above planning with perfect foresight, null where unknown."""

    series: dict[str, SeriesRecord]
    regret_per_day: float | None = None
    regret_days: int = 0


class ShadowRecord(Message):
    """What every version scored on the days of issue from ``from_day`` to ``to_day``."""

    from_day: date
    to_day: date
    versions: dict[str, VersionRecord]


class TrainingSummary(Message):
    """A training: why it was made, and until when it learned."""

    run_id: str
    trigger: str
    data_until: Instant
    train_seconds: float
    metrics: dict[str, float] = {}


class ForecastStatus(Message):
    """What drives a site's planner, since when and why, how all versions did in shadow, and the last trainings, the latest first."""

    site_id: str
    currency: str
    active_forecast_version: str
    pinned: bool
    run_id: str | None = None
    since: Instant | None = None
    reason: str
    shadow: list[ShadowRecord]
    decisions: list[Decision]
    trainings: list[TrainingSummary]
