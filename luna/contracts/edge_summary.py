"""Results of a batch of simulated cameras.

They are figures by controller with their intervals, comparisons, trends, and what they say in
words.
"""

from typing import Annotated, Any

from pydantic import Field

from luna.contracts.job import JobSummary
from luna.contracts.message import Message

Count = Annotated[int, Field(ge=0)]


class LabEstimate(Message):
    """A figure of many runs and the interval that it lies in.

    None: too few weeks of places for one, or for the figure itself.
    """

    value: Annotated[float | None, Field(description="the figure; null: unknown")] = None
    low: Annotated[
        float | None,
        Field(description="where its interval begins; null: too few weeks of places for one"),
    ] = None
    high: Annotated[float | None, Field(description="where its interval ends")] = None

    @property
    def span(self) -> tuple[float | None, float | None, float | None]:
        """The figure and the ends of its interval."""
        return self.value, self.low, self.high

    def negated(self) -> "LabEstimate":
        """Return the estimate of the opposite difference, b less a."""
        return LabEstimate(
            value=_negate(self.value), low=_negate(self.high), high=_negate(self.low)
        )


def _negate(figure: float | None) -> float | None:
    return None if figure is None else -figure


class DamagedRow(Message):
    """A row that was left out; ``line`` counts from 1."""

    file: Annotated[str, Field(description="in which it stands")]
    line: Annotated[int, Field(description="its number there, from 1")]
    reason: Annotated[str, Field(description="what is wrong with it")]


class ControllerFigures(Message):
    """The figures of one controller, in all, at one location, in one season, or both.

    Energy is the sum over all runs.
    """

    controller: Annotated[str, Field(description="its name")]
    location: Annotated[str | None, Field(description="where; null: everywhere")] = None
    season: Annotated[str | None, Field(description="when; null: always")] = None
    runs: Annotated[int, Field(ge=0, description="how many there are")]
    weeks: Annotated[
        Count,
        Field(description="weeks of places: what intervals and tests count as one observation"),
    ]
    camera_days: Annotated[float, Field(description="days that its cameras ran, together")]
    tasks: Annotated[int, Field(ge=0, description="pictures that were to be looked at")]
    small_misses: Annotated[
        int, Field(ge=0, description="looked at, but not as accurately or quickly as asked")
    ]
    large_misses: Annotated[int, Field(ge=0, description="not looked at: there was no energy")]
    small_miss_share: Annotated[LabEstimate, Field(description="of the tasks")]
    large_miss_share: Annotated[LabEstimate, Field(description="of the tasks")]
    charged_wh: Annotated[float, Field(description="bought from the grid")]
    clean_wh: Annotated[float, Field(description="of it clean")]
    dirty_wh: Annotated[float, Field(description="of it dirty")]
    clean_share: Annotated[LabEstimate, Field(description="of the energy charged")]
    dirty_wh_per_day: Annotated[
        LabEstimate,
        Field(
            description=(
                "per camera and day; what is stored more at the end than at the beginning is "
                "taken off"
            )
        ),
    ]
    objective_wh_per_day: Annotated[
        LabEstimate,
        Field(description="per camera and day: dirty energy, with what each miss counts for"),
    ]
    latency_ms: Annotated[float | None, Field(description="mean over the inferences made")]
    mwh_per_task: Annotated[
        float | None, Field(description="taken out of the battery per fulfilled task")
    ]
    clean_mwh_per_task: Annotated[float | None, Field(description="of that from clean energy")]
    interventions: Annotated[
        Count, Field(description="how often the guard corrected the controller")
    ]
    models: Annotated[
        dict[str, float], Field(description="share of the tasks that each model was chosen for")
    ] = {}


class ControllerComparison(Message):
    """``controller`` less ``other`` on the same cameras in the same weeks.

    ``p_value`` is Holm's over all comparisons; None: not tested.
    """

    controller: Annotated[str, Field(description="what is compared")]
    other: Annotated[str, Field(description="what it is compared with")]
    metric: Annotated[
        str, Field(description="miss_share, clean_share, dirty_wh_per_day or objective_wh_per_day")
    ]
    pairs: Annotated[
        Count, Field(description="runs of the one that have a run of the other beside them")
    ]
    weeks: Annotated[int, Field(ge=0, description="weeks of places that they have in common")]
    difference: Annotated[LabEstimate, Field(description="of the first less the second")]
    p_value: Annotated[
        float | None,
        Field(description="of the signed-rank test, Holm's over all comparisons; null: not tested"),
    ] = None
    cohens_d: Annotated[
        float | None, Field(description="mean difference of weeks in standard deviations of it")
    ] = None
    rank_biserial: Annotated[
        float | None, Field(description="from -1, every week lower, to 1, every week higher")
    ] = None


class OracleShare(Message):
    """A controller's clean share as a part of the oracle's.

    Both miss the same number of tasks.
    """

    controller: Annotated[str, Field(description="its name")]
    pairs: Annotated[Count, Field(description="runs beside the oracle's")]
    equal: Annotated[
        Count,
        Field(
            description=(
                "of those with equal misses: neither kind differs by more than one task in ten "
                "thousand"
            )
        ),
    ]
    weeks: Annotated[int, Field(ge=0, description="weeks of places with such runs")]
    share: Annotated[LabEstimate, Field(description="clean share over the oracle's, on those")]


class ControllerTrend(Message):
    """The change of a figure from day to day within a run.

    It is the mean over weeks of places of Theil and Sen's slope.
    """

    controller: Annotated[str, Field(description="its name")]
    metric: Annotated[str, Field(description="clean_share or miss_share")]
    weeks: Annotated[int, Field(ge=0, description="weeks of places that have days enough")]
    per_day: Annotated[
        LabEstimate,
        Field(description="change a day, mean over weeks of places of Theil and Sen's slope"),
    ]
    p_value: Annotated[
        float | None, Field(description="Holm's over all trends; None: not tested")
    ] = None


class DayFigures(Message):
    """The figures of all runs of a controller on their n-th day, from 1."""

    controller: Annotated[str, Field(description="its name")]
    day: Annotated[int, Field(description="which of the run, from 1")]
    runs: Annotated[int, Field(ge=0, description="how many have such a day")]
    tasks: Annotated[float, Field(ge=0, description="on that day")]
    charged_wh: Annotated[float, Field(description="bought from the grid")]
    clean_wh: Annotated[float, Field(description="of it clean")]
    misses: Annotated[int, Field(ge=0, description="small and large ones")]


class LabInsight(Message):
    """Something that the figures say: a code and what its sentence names."""

    code: Annotated[str, Field(description="names the sentence")]
    figures: Annotated[dict[str, Any], Field(description="what the sentence names")] = {}


class EdgeSummary(Message):
    """The results of a batch.

    Results on stand-in data are no measurement of a real place.
    """

    seed: Annotated[int, Field(description="of the resampling that intervals are made by")]
    confidence_level: Annotated[float, Field(description="of all intervals")]
    runs: Annotated[int, Field(ge=0, description="that were whole")]
    cameras: Annotated[
        Count,
        Field(
            description="of a place, a week and what is asked: each is run under every controller"
        ),
    ]
    weeks: Annotated[Count, Field(description="weeks of places")]
    tasks: Annotated[int, Field(ge=0, description="of all runs")]
    locations: Annotated[list[str], Field(description="where cameras ran")]
    seasons: Annotated[list[str], Field(description="when they ran")]
    stand_in_locations: Annotated[
        list[str],
        Field(description="where nothing was measured: the generator's clean shares stood in"),
    ]
    damaged_rows: Annotated[int, Field(ge=0, description="left out")]
    damage: Annotated[list[DamagedRow], Field(description="the first of them")]
    failed_runs: Annotated[
        int, Field(ge=0, description="that the batch gave up: they are in no figure")
    ] = 0
    controllers: Annotated[list[ControllerFigures], Field(description="each over all of its runs")]
    groups: Annotated[
        list[ControllerFigures], Field(description="by location, by season, and by both")
    ]
    comparisons: Annotated[
        list[ControllerComparison], Field(description="every two controllers in every figure")
    ] = []
    oracle_shares: Annotated[
        list[OracleShare], Field(description="each controller beside the oracle")
    ] = []
    trends: Annotated[list[ControllerTrend], Field(description="from day to day within a run")] = []
    days: Annotated[list[DayFigures], Field(description="day by day")] = []
    insights: Annotated[
        list[LabInsight], Field(description="what the figures say, the most important first")
    ] = []

    @property
    def stands_in(self) -> bool:
        """Whether a part of it rests on data that nobody measured."""
        return bool(self.stand_in_locations)


class EdgeRun(JobSummary):
    """A run of the whole lab and how it stands."""

    run_id: Annotated[str | None, Field(description="names the run's folder")] = None


class EdgeRunResult(Message):
    """A run and what it came to."""

    run: Annotated[EdgeRun, Field(description="the run")]
    summary: Annotated[EdgeSummary | None, Field(description="only where it is done")] = None
