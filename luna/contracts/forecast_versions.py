"""The version of the forecasts that drives a site's planner.

Versions are judged in shadow, promoted, rolled back and listed.
"""

from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.forecast import DrivingVersion, ForecastVersion, SiteId
from luna.contracts.message import Message, Request, Schedule
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day, Instant

# As many as are scored within a task's time.
MOST_DAYS = 92
# Days scored beside the active version before a rule decides: two of each weekday; a household has
# no shorter rhythm that matters.
DAYS_TO_PROVE = 14
RunId = Annotated[str, Field(min_length=1, max_length=256)]


class ActivationReply(Message):
    """The version that drives the planner now.

    ``changed`` is false where it did before, ``pinned`` says that the owner's pin stands above
    every decision.
    """

    forecast_version: str
    run_id: str | None = None
    pinned: bool
    changed: bool
    reason: str


class PromoteRequest(Request):
    """Let a version drive the planner from now on, by hand.

    ``run_id`` names the training whose model speaks (default: the latest).
    """

    task: ClassVar[str] = "forecaster.version.promote"
    reply: ClassVar[type[Message]] = ActivationReply
    public: ClassVar[bool] = True

    site_id: SiteId
    forecast_version: ForecastVersion
    run_id: RunId | None = None
    reason: Annotated[str, Field(min_length=1, max_length=512)] = "promoted by hand"


class RollbackRequest(Request):
    """Go back to the version and training before the last decision."""

    task: ClassVar[str] = "forecaster.version.rollback"
    reply: ClassVar[type[Message]] = ActivationReply
    public: ClassVar[bool] = True

    site_id: SiteId


class CardReply(Message):
    """The card of a trained model.

    Source: Mitchell et al. (2019), Model Cards for Model Reporting.
    """

    facts: Annotated[
        dict[str, Any],
        Field(
            description=(
                "what it learned from, how good it was on what it had not seen, what it is for "
                "and what it is not"
            )
        ),
    ]
    text: Annotated[str, Field(description="the same for people, in Markdown")]


class CardRequest(Request):
    """Read the card of a training.

    Without ``run_id`` it is the one whose model is in use now.
    """

    task: ClassVar[str] = "forecaster.model.describe"
    reply: ClassVar[type[Message]] = CardReply

    site_id: SiteId
    run_id: Annotated[RunId | None, Field(description="a training of the site")] = None


class CandidateReply(Message):
    """The comparison of a version with the active one.

    What too few days say is null. ``loss_ratio``: its pinball loss as a share of the active
    version's.
    """

    version: str
    better: bool
    reason: str
    days: int
    first_day: date | None = None
    last_day: date | None = None
    loss_ratio: float | None = None
    p_value: float | None = None
    money_days: int = 0
    regret: float | None = None
    active_regret: float | None = None
    dearer_p_value: float | None = None


class SiteJudgement(Message):
    """The scores for one site, and the comparison of versions.

    They are compared with the active one; what failed is named. ``replays`` were asked of the
    planner: they say what errors cost, and the rule decides in the next run, when that is known.
    """

    site_id: str
    days: list[date] = []
    replays: int = 0
    active_forecast_version: str | None = None
    pinned: bool = False
    promoted: bool = False
    candidates: list[CandidateReply] = []
    faults: list[str] = []


class JudgeForecastsReply(Message):
    """One entry for each site."""

    sites: list[SiteJudgement]


class JudgeForecastsRequest(Request):
    """Score every version in shadow, and let the rule decide.

    Scored are days whose 48 hours have passed. The planner is asked what errors cost; the rule
    decides what drives it. Without days those of the last five weeks that are not scored yet, a
    week at a time.
    """

    task: ClassVar[str] = "forecaster.forecast.judge"
    reply: ClassVar[type[Message]] = JudgeForecastsReply
    # Somewhere two days have just passed since a day ended; where nothing is due, a run looks and
    # does nothing.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "shadow", "time between two looks at forecasts to judge in shadow"
    )
    public: ClassVar[bool] = True

    site_id: Annotated[
        str | None, Field(min_length=1, max_length=64, description="default: every site")
    ] = None
    from_day: Annotated[
        Day | None, Field(description="first local day of issue, scored anew; default: what is due")
    ] = None
    to_day: Annotated[
        Day | None, Field(description="last local day of issue, included; default: the first")
    ] = None

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.to_day is not None and self.from_day is None:
            raise invalid_part("days-together")
        if (
            self.from_day is not None
            and not 0 <= ((self.to_day or self.from_day) - self.from_day).days < MOST_DAYS
        ):
            raise invalid_part("window-of-days", days=MOST_DAYS - 1)
        return self


class VersionDecision(Message):
    """A decision about what drives the planner, with what it rests on."""

    forecast_version: str
    run_id: str | None = None
    decided_by: Literal["rule", "hand", "rollback", "training"]
    decided_at: Instant
    reason: str
    evidence: dict[str, Any] = {}


class SeriesRecord(Message):
    """A version's scores on one series over some days of issue.

    Figures are means over the days, kWh per slot.
    """

    days: int
    mae: float
    rmse: float
    pinball: float
    coverage_80: float | None = None


class VersionRecord(Message):
    """A version's scores in shadow.

    ``regret_per_day`` is what planning with it cost above planning with perfect foresight, null
    where unknown.
    """

    series: dict[str, SeriesRecord]
    regret_per_day: float | None = None
    regret_days: int = 0


class ShadowRecord(Message):
    """Every version's scores on the days of issue from ``from_day`` to ``to_day``."""

    from_day: Day
    to_day: Day
    versions: dict[str, VersionRecord]


class TrainingSummary(Message):
    """A training: its reason, the end of its data, and whether its model may be used.

    ``verdict`` says why.
    """

    run_id: str
    trigger: str
    data_until: Instant
    train_seconds: float
    accepted: bool = True
    verdict: str = ""
    metrics: dict[str, float] = {}


class ForecastStatus(Message):
    """The version that drives a site's planner, since when and why.

    Beside it stand all versions in shadow, and the last decisions and trainings, the latest first.
    ``candidates`` are the other versions as the rule sees them, ``drift`` the signs that the site
    lives otherwise than when its model was trained, ``next_training`` why and when one is due;
    empty where nobody asked the forecaster.
    """

    site_id: str
    currency: str
    active_forecast_version: str
    pinned: bool
    run_id: str | None = None
    since: Instant | None = None
    reason: str
    driving: DrivingVersion | None = None
    shadow: list[ShadowRecord]
    candidates: list[CandidateReply] = []
    decisions: list[VersionDecision]
    trainings: list[TrainingSummary]
    drift: list[str] = []
    next_training: str | None = None
