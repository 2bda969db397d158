"""Train, issue and evaluate forecasts."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast_driving import DrivingVersion
from luna.contracts.message import Instant, Message, Request

SiteId = Annotated[str, Field(min_length=1, max_length=64)]
ForecastVersion = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,64}$")]
# Why a model is trained. ``force``: it is used whatever its validation says.
TrainingTrigger = Literal["hand", "schedule", "drift", "force"]


class TrainReply(Message):
    """One training: what it learned from and how long it took; ``accepted`` says whether its model speaks for the version, ``verdict`` why.

    ``driving`` says whether that version drives the planner now, and what to do where another one does.
    """

    run_id: str
    forecast_version: str
    days: int
    train_seconds: float
    metrics: dict[str, float] = {}
    accepted: bool = True
    verdict: str = ""
    driving: DrivingVersion | None = None


class TrainRequest(Request):
    """Train Aurora for a site on everything known before ``until`` (default: all there is); its model is used where it is not worse than the one in use."""

    task: ClassVar[str] = "forecaster.model.train"
    reply: ClassVar[type[Message]] = TrainReply

    site_id: SiteId
    until: Instant | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    trigger: TrainingTrigger = "hand"


class IssueReply(Message):
    """What was issued: rows of quantiles per slot, for one or many issue times.

    ``stage`` says how much history they rest on: ``cold`` (next to none), ``profile`` (days), ``young`` (two weeks), ``full`` (two months); ``reasons`` are the
    codes of what widened the bands of any of them.
    """

    forecast_version: str
    stage: str | None = None
    issued_at: list[Instant]
    slots: int
    issue_milliseconds: float
    reasons: list[str] = []


class IssueRequest(Request):
    """Issue forecasts at ``at``, or every ``every_minutes`` from ``at`` to ``to``, each using nothing known after it."""

    task: ClassVar[str] = "forecaster.forecast.issue"
    reply: ClassVar[type[Message]] = IssueReply

    site_id: SiteId
    at: Instant
    to: Instant | None = None
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    forecast_version: ForecastVersion | None = None


class SeriesScore(Message):
    """How good one version was on one series (energies in kWh per slot)."""

    mae: float
    rmse: float
    pinball: float
    coverage_80: float
    skill: float


class VersionScore(Message):
    """How good one version was, per series, and what it took.

    ``regret_per_day`` is what planning with it cost above planning with perfect foresight, over those ``regret_days`` of the window of which it is known.
    """

    series: dict[str, SeriesScore]
    train_seconds: float
    issue_milliseconds: float
    regret_per_day: float | None = None
    regret_days: int = 0


class EvaluateReply(Message):
    """Every version against what happened; ``skill`` is 1 − MAE / MAE of the first baseline named."""

    versions: dict[str, VersionScore]
    origins: int


class EvaluateRequest(Request):
    """Score versions by rolling origin from ``from_day`` to ``to_day``, both included."""

    task: ClassVar[str] = "forecaster.forecast.evaluate"
    reply: ClassVar[type[Message]] = EvaluateReply

    site_id: SiteId
    from_day: date
    to_day: date
    versions: Annotated[list[ForecastVersion], Field(min_length=1, max_length=16)]
    every_minutes: Annotated[int, Field(ge=15, le=1440)] = 360
