"""Train, issue and evaluate forecasts."""

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request, Schedule
from luna.energy.timeline import Day, Instant


class WaitingVersion(Message):
    """A trained version that does not drive the planner.

    ``days`` of the ``needed`` days are scored beside the one that does. ``earliest`` is the first
    day on which the rule can decide, null where that has passed or all days are scored; ``command``
    lets the version drive at once.
    """

    forecast_version: str
    days: int
    needed: int
    earliest: date | None = None
    command: str


class DrivingVersion(Message):
    """The version that drives the planner of a site.

    ``reason`` says why it does, ``waiting`` what was trained and is not in use.
    """

    forecast_version: str
    pinned: bool
    run_id: str | None = None
    since: datetime | None = None
    reason: str
    waiting: WaitingVersion | None = None


SiteId = Annotated[str, Field(min_length=1, max_length=64)]
ForecastVersion = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,64}$")]


class ForecastSource(Message):
    """The forecast that load and PV are from.

    ``fallback_reason`` says why that is not a fresh one of the site's active version, null where it
    is.
    """

    version: ForecastVersion
    issued_at: Instant
    fallback_reason: Annotated[str, Field(max_length=512)] | None = None


# Why a model is trained. ``force``: it is used whatever its validation says.
TrainingTrigger = Literal["hand", "schedule", "drift", "force"]


class TrainReply(Message):
    """One training: what it learned from and how long it took.

    ``accepted`` says whether its model speaks for the version, ``verdict`` why.

    ``driving`` says whether that version drives the planner now, and what to do where another one
    does.
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
    """Train Aurora for a site on everything known before ``until`` (default: all there is).

    Its model is used where it is not worse than the one in use.
    """

    task: ClassVar[str] = "forecaster.model.train"
    reply: ClassVar[type[Message]] = TrainReply
    public: ClassVar[bool] = True

    site_id: SiteId
    until: Instant | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    trigger: TrainingTrigger = "hand"


class IssueReply(Message):
    """The issued rows of quantiles per slot, for one or many issue times.

    ``stage`` says how much history they rest on: ``cold`` (next to none), ``profile`` (days),
    ``young`` (two weeks), ``full`` (two months); ``reasons`` are the codes of what widened the
    bands of any of them.
    """

    forecast_version: str
    stage: str | None = None
    issued_at: list[Instant]
    slots: int
    issue_milliseconds: float
    reasons: list[str] = []


class IssueRequest(Request):
    """Issue forecasts at ``at``, using nothing known after it.

    With ``to`` they are issued every ``every_minutes`` from ``at`` on.
    """

    task: ClassVar[str] = "forecaster.forecast.issue"
    reply: ClassVar[type[Message]] = IssueReply
    public: ClassVar[bool] = True

    site_id: SiteId
    at: Instant
    to: Instant | None = None
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    forecast_version: ForecastVersion | None = None


class EnsureForecastsReply(Message):
    """The number of forecasts that were issued now."""

    issued: int


class EnsureForecastsRequest(Request):
    """Issue forecasts that were not issued at the time.

    They are every ``every_minutes`` from ``first`` on, before ``end``, by a model that knows
    nothing of that time.
    """

    task: ClassVar[str] = "forecaster.forecast.ensure"
    reply: ClassVar[type[Message]] = EnsureForecastsReply

    site_id: SiteId
    forecast_version: ForecastVersion
    first: Instant
    end: Instant
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60


class SeriesScore(Message):
    """The scores of one version on one series (energies in kWh per slot)."""

    mae: float
    rmse: float
    pinball: float
    coverage_80: float
    skill: float


class VersionScore(Message):
    """The scores of one version per series, and its run times.

    ``regret_per_day`` is what planning with it cost above planning with perfect foresight, over
    those ``regret_days`` of the window of which it is known.
    """

    series: dict[str, SeriesScore]
    train_seconds: float
    issue_milliseconds: float
    regret_per_day: float | None = None
    regret_days: int = 0


class EvaluateReply(Message):
    """Every version against what happened.

    ``skill`` is 1 − MAE / MAE of the first baseline named.
    """

    versions: dict[str, VersionScore]
    origins: int


class EvaluateRequest(Request):
    """Score versions by rolling origin from ``from_day`` to ``to_day``, both included."""

    task: ClassVar[str] = "forecaster.forecast.evaluate"
    reply: ClassVar[type[Message]] = EvaluateReply
    public: ClassVar[bool] = True

    site_id: SiteId
    from_day: Day
    to_day: Day
    versions: Annotated[list[ForecastVersion], Field(min_length=1, max_length=16)]
    every_minutes: Annotated[int, Field(ge=15, le=1440)] = 360


class VersionIssue(Message):
    """One version's forecast, as issued now; ``reasons`` are the codes of what widened it."""

    forecast_version: str
    issued_at: Instant
    stage: str
    reasons: list[str] = []


class SiteRefresh(Message):
    """The forecasts that were issued for one site, and the faults.

    Both empty: nothing was due.
    """

    site_id: str
    issued: list[VersionIssue] = []
    faults: list[str] = []


class RefreshForecastsReply(Message):
    """One entry for each site.

    Of more sites than one task issues for, the ``jobs`` that issue what is due, and entries of
    those that failed alone.
    """

    sites: list[SiteRefresh]
    jobs: list[str] = []


class RefreshForecastsRequest(Request):
    """Issue the forecasts that are due.

    Aurora and the version that drives the planner are due every hour, the others every six.
    ``site_id``: of one site alone; ``site_ids``: of these; neither: of every site.
    """

    task: ClassVar[str] = "forecaster.forecast.refresh"
    reply: ClassVar[type[Message]] = RefreshForecastsReply
    # Forecasts are due on the hour; by then the quarter-hour before it may still be on its way.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=15), "forecasts", "time between two looks for forecasts that are due"
    )

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    site_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=2000)
    ] = []


class SiteRenewal(Message):
    """The decision for one site: the training that was requested as a job, and the reason.

    ``trigger`` null: none is due, or ``fault`` says what went wrong.
    """

    site_id: str
    trigger: TrainingTrigger | None = None
    reason: str = ""
    job_id: str | None = None
    fault: str | None = None


class RenewModelsReply(Message):
    """One entry for each site."""

    sites: list[SiteRenewal]


class RenewModelsRequest(Request):
    """Have the models trained that are due.

    The first is due after two weeks, then one every week in a night of the site's own, and sooner
    where its life has changed.
    """

    task: ClassVar[str] = "forecaster.model.renew"
    reply: ClassVar[type[Message]] = RenewModelsReply
    # Each site's turn lasts an hour of its night.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "models", "time between two looks for models that are due"
    )

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
