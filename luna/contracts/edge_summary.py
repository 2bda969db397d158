"""What a batch of simulated cameras came to: figures by controller with their intervals, comparisons, trends, and what they say in words."""

from typing import Annotated, Any

from pydantic import Field

from luna.contracts.job import JobSummary
from luna.contracts.message import Message

Count = Annotated[int, Field(ge=0)]


class LabEstimate(Message):
    """A figure of many runs and the interval that it lies in; None: too few weeks of places for one, or for the figure itself."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def span(self) -> tuple[float | None, float | None, float | None]:
        """The figure and the ends of its interval."""
        return self.value, self.low, self.high

    def negated(self) -> "LabEstimate":
        """Return the figure of what is turned round: of b less a where this is of a less b."""
        value, low, high = (None if each is None else -each for each in (self.value, self.high, self.low))
        return LabEstimate(value=value, low=low, high=high)


class DamagedRow(Message):
    """A row that was left out; ``line`` counts from 1."""

    file: str
    line: int
    reason: str


class ControllerFigures(Message):
    """What one controller did, in all or at one location, in one season, or both. Energy is the sum over all runs."""

    controller: str
    location: str | None = None
    season: str | None = None
    runs: Count
    weeks: Annotated[Count, Field(description="weeks of places: what intervals and tests count as one observation")]
    camera_days: float
    tasks: Count
    small_misses: Count
    large_misses: Count
    small_miss_share: LabEstimate
    large_miss_share: LabEstimate
    charged_wh: float
    clean_wh: float
    dirty_wh: float
    clean_share: Annotated[LabEstimate, Field(description="of the energy charged")]
    dirty_wh_per_day: Annotated[LabEstimate, Field(description="per camera and day; what is stored more at the end than at the beginning is taken off")]
    objective_wh_per_day: Annotated[LabEstimate, Field(description="per camera and day: dirty energy, with what each miss counts for")]
    latency_ms: Annotated[float | None, Field(description="mean over the inferences made")]
    mwh_per_task: Annotated[float | None, Field(description="taken out of the battery per fulfilled task")]
    clean_mwh_per_task: Annotated[float | None, Field(description="of that from clean energy")]
    interventions: Annotated[Count, Field(description="how often the guard corrected the controller")]
    models: Annotated[dict[str, float], Field(description="share of the tasks that each model was chosen for")] = {}


class ControllerComparison(Message):
    """``controller`` less ``other`` on the same cameras in the same weeks. ``p_value`` is Holm's over all comparisons; None: not tested."""

    controller: str
    other: str
    metric: Annotated[str, Field(description="miss_share, clean_share, dirty_wh_per_day or objective_wh_per_day")]
    pairs: Annotated[Count, Field(description="runs of the one that have a run of the other beside them")]
    weeks: Count
    difference: LabEstimate
    p_value: float | None = None
    cohens_d: Annotated[float | None, Field(description="mean difference of weeks in standard deviations of it")] = None
    rank_biserial: Annotated[float | None, Field(description="from -1, every week lower, to 1, every week higher")] = None


class OracleShare(Message):
    """How close a controller's clean share comes to the oracle's where both miss the same number of tasks."""

    controller: str
    pairs: Annotated[Count, Field(description="runs beside the oracle's")]
    equal: Annotated[Count, Field(description="of those with equal misses: neither kind differs by more than one task in ten thousand")]
    weeks: Count
    share: Annotated[LabEstimate, Field(description="clean share over the oracle's, on those")]


class ControllerTrend(Message):
    """How a figure changes from day to day within a run: the median over weeks of places of Theil and Sen's slope."""

    controller: str
    metric: Annotated[str, Field(description="clean_share or miss_share")]
    weeks: Count
    per_day: LabEstimate
    p_value: Annotated[float | None, Field(description="Holm's over all trends; None: not tested")] = None


class DayFigures(Message):
    """What all runs of a controller did on their n-th day, from 1."""

    controller: str
    day: int
    runs: Count
    tasks: Annotated[float, Field(ge=0)]
    charged_wh: float
    clean_wh: float
    misses: Count


class LabInsight(Message):
    """Something that the figures say: a code and what its sentence names."""

    code: str
    figures: dict[str, Any] = {}


class EdgeSummary(Message):
    """What a batch came to. Results on stand-in data are no measurement of a real place."""

    seed: Annotated[int, Field(description="of the resampling that intervals are made by")]
    confidence_level: float
    runs: Count
    cameras: Annotated[Count, Field(description="of a place, a week and what is asked: each is run under every controller")]
    weeks: Annotated[Count, Field(description="weeks of places")]
    tasks: Count
    locations: list[str]
    seasons: list[str]
    stand_in_locations: Annotated[list[str], Field(description="where nothing was measured: the generator's clean shares stood in")]
    damaged_rows: Count
    damage: Annotated[list[DamagedRow], Field(description="the first of them")]
    controllers: list[ControllerFigures]
    groups: Annotated[list[ControllerFigures], Field(description="by location, by season, and by both")]
    comparisons: list[ControllerComparison] = []
    oracle_shares: list[OracleShare] = []
    trends: list[ControllerTrend] = []
    days: list[DayFigures] = []
    insights: list[LabInsight] = []

    @property
    def stands_in(self) -> bool:
        """Whether a part of it rests on data that nobody measured."""
        return bool(self.stand_in_locations)


class EdgeRun(JobSummary):
    """A run of the whole lab and how it stands."""

    run_id: Annotated[str | None, Field(description="names the run's folder")] = None


class EdgeRunResult(Message):
    """A run and what it came to."""

    run: EdgeRun
    summary: Annotated[EdgeSummary | None, Field(description="only where it is done")] = None
