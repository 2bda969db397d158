"""A batch's runs in one summary: by controller, location and season, compared in pairs, followed
from day to day; and what can be said of it.

Insights are codes with figures; claimed only where the interval is clear of zero and the test
agrees, hedged everywhere else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import Any

import numpy as np

from luna.contracts.edge_summary import (
    ControllerComparison,
    ControllerFigures,
    ControllerTrend,
    DayFigures,
    EdgeSummary,
    LabEstimate,
    LabInsight,
    OracleShare,
)
from luna.energy.timeline import FloatArray
from services.edge.analytics.runs import RowAt
from services.edge.analytics.statistics import (
    LEAST_WEEKS,
    ROUNDING,
    compare_paired,
    correct_holm,
    divide,
    estimate_mean,
    estimate_ratio,
    estimate_ratio_difference,
    estimate_ratio_of_ratios,
    slope_per_day,
)
from services.edge.analytics.table import (
    CONTROLLER_ORDER,
    DAY_COLUMNS,
    IntArray,
    RunTable,
    order_pairs,
)
from services.edge.config import AnalysisSection

ORACLE = "oracle"
LEARNED = ("custom", "ensemble")
# What everything is counted in comes first, then its parts.
OBJECTIVE, *PARTS = ("objective_wh_per_day", "miss_share", "dirty_wh_per_day")
# Two runs miss as much where neither kind of misses differs by more than this share of their tasks.
EQUAL_MISSES = 1e-4
MWH_PER_WH = 1e3
# Each a sum over runs by another: misses by tasks, clean by charged energy, energy by days.
METRICS = {
    "miss_share": (("small_misses", "large_misses"), "tasks"),
    "clean_share": (("clean_wh",), "charged_wh"),
    "dirty_wh_per_day": (("dirty_settled_wh",), "days"),
    "objective_wh_per_day": (("objective_wh",), "days"),
}
TRENDS = {"clean_share": ("clean_wh", "charged_wh"), "miss_share": ("misses", "tasks")}


def summarise(
    rows: Iterable[RowAt], analysis: AnalysisSection | None = None, *, seed: int = 0
) -> EdgeSummary:
    """Return the summary of runs.

    Args:
        rows: one after the other; damaged ones are counted and named.
        analysis: the figures to calculate; default: everything.
        seed: of the resampling.
    """
    return summarise_table(RunTable.collect(rows), analysis, seed=seed)


def summarise_table(
    table: RunTable, analysis: AnalysisSection | None = None, *, seed: int = 0, failed: int = 0
) -> EdgeSummary:
    """Return the summary of a table of runs, with the number of ``failed`` ones that it lacks.

    See ``summarise``.
    """
    settings = analysis or AnalysisSection()
    summary = _Summary(table, settings, seed)
    compared = settings.performance_comparison
    whole = EdgeSummary(
        seed=seed,
        confidence_level=settings.confidence_level,
        runs=len(table),
        cameras=table.cameras,
        weeks=len(table.weeks),
        tasks=int(table.columns["tasks"].sum()),
        locations=table.locations,
        seasons=table.seasons,
        stand_in_locations=sorted(table.stand_in),
        damaged_rows=table.damaged,
        damage=table.damage,
        failed_runs=failed,
        controllers=[summary.describe(name) for name in table.controllers],
        groups=summary.describe_groups(),
        comparisons=summary.compare() if compared else [],
        oracle_shares=summary.share_of_oracle() if compared else [],
        trends=summary.find_trends() if settings.trend_analysis else [],
        days=[day for name in table.controllers for day in _add_up_days(name, table.days_of(name))],
    )
    return whole.model_copy(update={"insights": find_insights(whole)})


@dataclass(frozen=True, slots=True)
class _Summary:
    table: RunTable
    settings: AnalysisSection
    seed: int

    def describe(
        self, controller: str, location: str | None = None, season: str | None = None
    ) -> ControllerFigures:
        table = self.table
        rows = table.rows_of(controller)
        if location is not None or season is not None:
            rows = rows[table.is_at(location, season)[table.camera[rows]]]
        total = {name: float(column[rows].sum()) for name, column in table.columns.items()}
        fulfilled = total["tasks"] - total["small_misses"] - total["large_misses"]
        consumed = total["taken_wh"]
        clean = total["taken_wh"] - total["dirty_settled_wh"]
        return ControllerFigures(
            controller=controller,
            location=location,
            season=season,
            runs=rows.size,
            weeks=self._weeks_of(rows).size,
            camera_days=total["days"],
            tasks=int(total["tasks"]),
            small_misses=int(total["small_misses"]),
            large_misses=int(total["large_misses"]),
            small_miss_share=self._estimate(rows, ("small_misses",), "tasks"),
            large_miss_share=self._estimate(rows, ("large_misses",), "tasks"),
            charged_wh=total["charged_wh"],
            clean_wh=total["clean_wh"],
            dirty_wh=total["dirty_wh"],
            clean_share=self._estimate(rows, *METRICS["clean_share"]),
            dirty_wh_per_day=self._estimate(rows, *METRICS["dirty_wh_per_day"]),
            objective_wh_per_day=self._estimate(rows, *METRICS["objective_wh_per_day"]),
            latency_ms=total["latency_ms"] / total["inferences"] if total["inferences"] else None,
            mwh_per_task=MWH_PER_WH * consumed / fulfilled if fulfilled else None,
            clean_mwh_per_task=MWH_PER_WH * clean / fulfilled if fulfilled else None,
            interventions=int(total["interventions"]),
            models=table.model_shares(controller) if location is None and season is None else {},
        )

    def describe_groups(self) -> list[ControllerFigures]:
        places: list[str | None] = [*self.table.locations]
        seasons: list[str | None] = [*self.table.seasons]
        groups = [
            *((place, None) for place in places),
            *((None, season) for season in seasons),
            *((place, season) for place in places for season in seasons),
        ]
        described = [
            self.describe(name, *group) for group in groups for name in self.table.controllers
        ]
        return [figures for figures in described if figures.runs]

    def compare(self) -> list[ControllerComparison]:
        comparisons = []
        for controller, other in order_pairs(self.table.controllers):
            here, there = self.table.pair(controller, other)
            if not here.size:
                continue
            for metric, (over, under) in METRICS.items():
                first, second = (self._sum_weeks(rows, over, under) for rows in (here, there))
                tested = (
                    compare_paired(divide(*first) - divide(*second))
                    if self.settings.statistical_tests
                    else (None, None, None)
                )
                comparison = ControllerComparison(
                    controller=controller,
                    other=other,
                    metric=metric,
                    pairs=here.size,
                    weeks=first[0].size,
                    difference=estimate_ratio_difference(
                        first, second, level=self.settings.confidence_level, seed=self.seed
                    ),
                    p_value=tested[0],
                    cohens_d=tested[1],
                    rank_biserial=tested[2],
                )
                comparisons.append(comparison)
        corrected = correct_holm([comparison.p_value for comparison in comparisons])
        return [
            comparison.model_copy(update={"p_value": p_value})
            for comparison, p_value in zip(comparisons, corrected, strict=True)
        ]

    def share_of_oracle(self) -> list[OracleShare]:
        if ORACLE not in self.table.controllers:
            return []
        shares = []
        columns = self.table.columns
        for controller in self.table.controllers:
            if controller == ORACLE:
                continue
            here, there = self.table.pair(controller, ORACLE)
            least = EQUAL_MISSES * columns["tasks"][here]
            equal = np.ones(here.size, dtype=bool)
            for kind in ("small_misses", "large_misses"):
                equal &= np.abs(columns[kind][here] - columns[kind][there]) <= least
            equal_runs = here[equal]
            beside = there[equal]
            sums = [self._sum_weeks(rows, *METRICS["clean_share"]) for rows in (equal_runs, beside)]
            share = (
                estimate_ratio_of_ratios(
                    *sums, level=self.settings.confidence_level, seed=self.seed
                )
                if equal_runs.size
                else LabEstimate()
            )
            weeks = self._weeks_of(equal_runs).size
            shares.append(
                OracleShare(
                    controller=controller,
                    pairs=here.size,
                    equal=equal_runs.size,
                    weeks=weeks,
                    share=share,
                )
            )
        return shares

    def find_trends(self) -> list[ControllerTrend]:
        trends = []
        for controller, (metric, columns) in product(self.table.controllers, TRENDS.items()):
            over, under = (DAY_COLUMNS.index(name) for name in columns)
            slopes = np.array(
                [
                    slope_per_day(divide(days[:, over], days[:, under]))
                    for days in self.table.days_of(controller)
                ]
            )
            slopes = slopes[np.isfinite(slopes)]
            tested = compare_paired(slopes)[0] if self.settings.statistical_tests else None
            change = estimate_mean(slopes, level=self.settings.confidence_level, seed=self.seed)
            trends.append(
                ControllerTrend(
                    controller=controller,
                    metric=metric,
                    weeks=slopes.size,
                    per_day=change,
                    p_value=tested,
                )
            )
        corrected = correct_holm([trend.p_value for trend in trends])
        return [
            trend.model_copy(update={"p_value": p_value})
            for trend, p_value in zip(trends, corrected, strict=True)
            if trend.weeks
        ]

    def _estimate(self, rows: IntArray, over: Sequence[str], under: str) -> LabEstimate:
        return estimate_ratio(
            *self._sum_weeks(rows, over, under),
            level=self.settings.confidence_level,
            seed=self.seed,
        )

    def _weeks_of(self, rows: IntArray) -> IntArray:
        return np.unique(self.table.week_of_camera[self.table.camera[rows]])

    def _sum_weeks(
        self, rows: IntArray, over: Sequence[str], under: str
    ) -> tuple[FloatArray, FloatArray]:
        """Return two sums by week, each of shape ``(weeks,)``, of the weeks that the runs are
        in.
        """
        columns = self.table.columns
        _, week = np.unique(self.table.week_of_camera[self.table.camera[rows]], return_inverse=True)
        numerator = np.sum([columns[name][rows] for name in over], axis=0)
        return np.bincount(week, weights=numerator).astype(float), np.bincount(
            week, weights=columns[under][rows]
        ).astype(float)


def _add_up_days(controller: str, weeks: Sequence[FloatArray]) -> list[DayFigures]:
    longest = max((days.shape[0] for days in weeks), default=0)
    total = np.zeros((longest, len(DAY_COLUMNS)))
    for days in weeks:
        total[: days.shape[0]] += days
    return [
        DayFigures(
            controller=controller,
            day=place + 1,
            runs=int(runs),
            tasks=tasks,
            charged_wh=charged,
            clean_wh=clean,
            misses=int(misses),
        )
        for place, (tasks, charged, clean, misses, runs) in enumerate(total.tolist())
    ]


def find_insights(summary: EdgeSummary) -> list[LabInsight]:
    """Return the insights of a batch, the most important first."""
    by_name = {figures.controller: figures for figures in summary.controllers}
    if not by_name:
        return [
            LabInsight(code="nothing", figures={"damaged": summary.damaged_rows}),
            *_find_damage(summary),
        ]
    # The controller in focus: the learned one, else the best without knowledge of the future.
    learned = [name for name in LEARNED if name in by_name]
    lead = (
        learned[0]
        if learned
        else min(
            (name for name in by_name if name != ORACLE),
            key=lambda name: _objective(by_name[name]),
            default=ORACLE,
        )
    )
    shares = [
        LabInsight(
            code="oracle_share" if each.share.value is not None else "oracle_share_unknown",
            figures={
                "controller": each.controller,
                "equal": each.equal,
                "pairs": each.pairs,
                "weeks": each.weeks,
                **_span(each.share),
            },
        )
        for each in summary.oracle_shares
        if each.controller in {lead, *LEARNED}
    ]
    insights = [
        *_find_standing(summary),
        *shares,
        *_find_comparisons(summary, lead),
        *_rank(by_name),
        *_find_farthest(summary, lead),
    ]
    return [*insights, *_find_efficiency(by_name), *_find_trends(summary), *_find_damage(summary)]


def _objective(figures: ControllerFigures) -> float:
    value = figures.objective_wh_per_day.value
    return inf if value is None else value


def is_clear(estimate: LabEstimate) -> bool:
    """Return whether an interval lies on one side of zero."""
    return (
        estimate.low is not None
        and estimate.high is not None
        and (estimate.low > 0 or estimate.high < 0)
    )


def is_nothing(estimate: LabEstimate) -> bool:
    """Return whether there was no difference at all, in any week."""
    return all(
        end is not None and abs(end) <= ROUNDING
        for end in (estimate.value, estimate.low, estimate.high)
    )


def is_claimed(comparison: ControllerComparison, level: float) -> bool:
    """Return whether a difference may be claimed: its interval is clear of zero and, where it was
    tested, so is the corrected test.
    """
    return is_clear(comparison.difference) and (
        comparison.p_value is None or comparison.p_value < 1 - level
    )


def _span(estimate: LabEstimate) -> dict[str, Any]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _find_standing(summary: EdgeSummary) -> Iterator[LabInsight]:
    if summary.stands_in:
        yield LabInsight(
            code="stand_in",
            figures={
                "locations": summary.stand_in_locations,
                "all": summary.stand_in_locations == summary.locations,
            },
        )
    if summary.weeks < LEAST_WEEKS:
        yield LabInsight(code="few_weeks", figures={"weeks": summary.weeks, "needed": LEAST_WEEKS})
    if summary.failed_runs:
        yield LabInsight(code="runs_failed", figures={"runs": summary.failed_runs})
    least = min(figures.runs for figures in summary.controllers)
    if least < summary.cameras:
        lacking = {
            figures.controller: summary.cameras - figures.runs
            for figures in summary.controllers
            if figures.runs < summary.cameras
        }
        yield LabInsight(
            code="runs_missing",
            figures={
                "cameras": summary.cameras,
                "controllers": list(lacking),
                "most": max(lacking.values()),
            },
        )


def _find_comparisons(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    by_pair = {(each.controller, each.other, each.metric): each for each in summary.comparisons}
    baselines = [
        each.controller
        for each in summary.controllers
        if each.controller not in {lead, ORACLE, *LEARNED}
    ]
    others = [name for name in LEARNED if name != lead]
    whole = [
        *((lead, other) for other in (*baselines, ORACLE)),
        *((other, than) for other in others for than in (lead, ORACLE)),
    ]
    # Of the parts it is said how they lie beside who asks least and who knows all.
    parts = [
        (lead, other)
        for other in (*(name for name in baselines if name in {"naive_weak", "rule"}), ORACLE)
    ]
    for metric, pairs in ((OBJECTIVE, whole), *((part, parts) for part in PARTS)):
        for controller, other in pairs:
            comparison = by_pair.get((controller, other, metric)) or _turn(
                by_pair.get((other, controller, metric))
            )
            misses = by_pair.get((controller, other, "miss_share")) or by_pair.get(
                (other, controller, "miss_share")
            )
            # Where both miss the same, dirty energy is all that the objective says.
            is_redundant = (
                metric == "dirty_wh_per_day"
                and misses is not None
                and is_nothing(misses.difference)
            )
            if comparison is not None and not is_redundant:
                claimed = is_claimed(comparison, summary.confidence_level)
                way = (
                    "open"
                    if not claimed
                    else "lower"
                    if (comparison.difference.value or 0.0) < 0
                    else "higher"
                )
                way = "same" if is_nothing(comparison.difference) else way
                figures = {
                    "controller": comparison.controller,
                    "other": comparison.other,
                    "metric": comparison.metric,
                    "way": way,
                    "pairs": comparison.pairs,
                    "weeks": comparison.weeks,
                    "p_value": comparison.p_value,
                    "level": summary.confidence_level,
                    **_span(comparison.difference),
                }
                yield LabInsight(code="compared", figures=figures)


def _turn(comparison: ControllerComparison | None) -> ControllerComparison | None:
    if comparison is None:
        return None
    return comparison.model_copy(
        update={
            "controller": comparison.other,
            "other": comparison.controller,
            "difference": comparison.difference.negated(),
            "cohens_d": _negate(comparison.cohens_d),
            "rank_biserial": _negate(comparison.rank_biserial),
        }
    )


def _negate(value: float | None) -> float | None:
    return None if value is None else -value


def _rank(by_name: Mapping[str, ControllerFigures]) -> Iterator[LabInsight]:
    """Yield the best controller without knowledge of the future, by the objective.

    The difference is claimed elsewhere.
    """
    comparable = [
        figures
        for name, figures in by_name.items()
        if name != ORACLE and figures.objective_wh_per_day.value is not None
    ]
    if len(comparable) < 2:
        return
    best = min(comparable, key=_objective)
    misses = ((best.small_misses + best.large_misses) / best.tasks) if best.tasks else None
    share = best.clean_share.value
    yield LabInsight(
        code="best",
        figures={
            "controller": best.controller,
            "objective": best.objective_wh_per_day.value,
            "misses": misses,
            "clean_share": share,
        },
    )


def _find_farthest(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    """Yield where a controller's clean share lies farthest below the oracle's.

    Nothing for a single place and season.
    """
    cells = {
        (each.controller, each.location, each.season): each.clean_share.value
        for each in summary.groups
        if each.location and each.season
    }
    gaps = {
        (place, season): oracle - value
        for (name, place, season), value in cells.items()
        if name == lead
        and value is not None
        and (oracle := cells.get((ORACLE, place, season))) is not None
    }
    if len(gaps) < 2:
        return
    (place, season), gap = max(gaps.items(), key=lambda each: each[1])
    if gap > 0:
        yield LabInsight(
            code="farthest",
            figures={"controller": lead, "location": place, "season": season, "gap": gap},
        )


def _find_efficiency(by_name: Mapping[str, ControllerFigures]) -> Iterator[LabInsight]:
    measured = [
        figures
        for name in CONTROLLER_ORDER
        if (figures := by_name.get(name)) is not None
        and figures.mwh_per_task is not None
        and name != ORACLE
    ]
    if len(measured) < 2:
        return
    frugal, hungry = (
        choose(measured, key=lambda figures: figures.mwh_per_task or 0.0) for choose in (min, max)
    )
    if frugal.mwh_per_task != hungry.mwh_per_task:
        yield LabInsight(
            code="efficiency",
            figures={
                "controller": frugal.controller,
                "mwh": frugal.mwh_per_task,
                "other": hungry.controller,
                "other_mwh": hungry.mwh_per_task,
            },
        )


def _find_trends(summary: EdgeSummary) -> Iterator[LabInsight]:
    long_enough = [trend for trend in summary.trends if trend.weeks >= LEAST_WEEKS]
    claimed = [
        trend
        for trend in long_enough
        if is_clear(trend.per_day)
        and (trend.p_value is None or trend.p_value < 1 - summary.confidence_level)
    ]
    for trend in claimed:
        yield LabInsight(
            code="trend",
            figures={
                "controller": trend.controller,
                "metric": trend.metric,
                "weeks": trend.weeks,
                **_span(trend.per_day),
            },
        )
    if long_enough and not claimed:
        yield LabInsight(
            code="no_trend", figures={"weeks": max(trend.weeks for trend in long_enough)}
        )


def _find_damage(summary: EdgeSummary) -> Iterator[LabInsight]:
    if summary.damaged_rows:
        first = summary.damage[0]
        yield LabInsight(
            code="damage",
            figures={
                "rows": summary.damaged_rows,
                "file": first.file,
                "line": first.line,
                "reason": first.reason,
            },
        )
