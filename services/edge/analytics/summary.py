"""A batch's runs in one summary: by controller, location and season, compared in pairs, followed from day to day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from luna.contracts.edge_summary import ControllerComparison, ControllerFigures, ControllerTrend, DayFigures, EdgeSummary, LabEstimate, OracleShare
from luna.energy.timeline import FloatArray
from services.edge.analytics.insights import find_insights
from services.edge.analytics.runs import RowAt
from services.edge.analytics.statistics import (
    compare_paired,
    correct_holm,
    divide,
    estimate_mean,
    estimate_ratio,
    estimate_ratio_difference,
    estimate_ratio_of_ratios,
    slope_per_day,
)
from services.edge.analytics.table import DAY_COLUMNS, IntArray, RunTable, order_pairs
from services.edge.config import AnalysisSection

ORACLE = "oracle"
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


def summarise(rows: Iterable[RowAt], analysis: AnalysisSection | None = None, *, seed: int = 0) -> EdgeSummary:
    """Return the summary of runs.

    Args:
        rows: one after the other; damaged ones are counted and named.
        analysis: the figures to calculate; default: everything.
        seed: of the resampling.
    """
    return summarise_table(RunTable.collect(rows), analysis, seed=seed)


def summarise_table(table: RunTable, analysis: AnalysisSection | None = None, *, seed: int = 0, failed: int = 0) -> EdgeSummary:
    """Return the summary of a table of runs, with the number of ``failed`` ones that it lacks; see ``summarise``."""
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

    def describe(self, controller: str, location: str | None = None, season: str | None = None) -> ControllerFigures:
        table = self.table
        rows = table.rows_of(controller)
        if location is not None or season is not None:
            rows = rows[table.is_at(location, season)[table.camera[rows]]]
        total = {name: float(column[rows].sum()) for name, column in table.columns.items()}
        fulfilled = total["tasks"] - total["small_misses"] - total["large_misses"]
        consumed, clean = total["taken_wh"], total["taken_wh"] - total["dirty_settled_wh"]
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
        groups = [*((place, None) for place in places), *((None, season) for season in seasons), *((place, season) for place in places for season in seasons)]
        described = [self.describe(name, *group) for group in groups for name in self.table.controllers]
        return [figures for figures in described if figures.runs]

    def compare(self) -> list[ControllerComparison]:
        comparisons = []
        for controller, other in order_pairs(self.table.controllers):
            here, there = self.table.pair(controller, other)
            if not here.size:
                continue
            for metric, (over, under) in METRICS.items():
                first, second = (self._sum_weeks(rows, over, under) for rows in (here, there))
                tested = compare_paired(divide(*first) - divide(*second)) if self.settings.statistical_tests else (None, None, None)
                comparison = ControllerComparison(
                    controller=controller,
                    other=other,
                    metric=metric,
                    pairs=here.size,
                    weeks=first[0].size,
                    difference=estimate_ratio_difference(first, second, level=self.settings.confidence_level, seed=self.seed),
                    p_value=tested[0],
                    cohens_d=tested[1],
                    rank_biserial=tested[2],
                )
                comparisons.append(comparison)
        corrected = correct_holm([comparison.p_value for comparison in comparisons])
        return [comparison.model_copy(update={"p_value": p_value}) for comparison, p_value in zip(comparisons, corrected, strict=True)]

    def share_of_oracle(self) -> list[OracleShare]:
        if ORACLE not in self.table.controllers:
            return []
        shares, columns = [], self.table.columns
        for controller in self.table.controllers:
            if controller == ORACLE:
                continue
            here, there = self.table.pair(controller, ORACLE)
            least = EQUAL_MISSES * columns["tasks"][here]
            equal = np.ones(here.size, dtype=bool)
            for kind in ("small_misses", "large_misses"):
                equal &= np.abs(columns[kind][here] - columns[kind][there]) <= least
            equal_runs, beside = here[equal], there[equal]
            sums = [self._sum_weeks(rows, *METRICS["clean_share"]) for rows in (equal_runs, beside)]
            share = estimate_ratio_of_ratios(*sums, level=self.settings.confidence_level, seed=self.seed) if equal_runs.size else LabEstimate()
            weeks = self._weeks_of(equal_runs).size
            shares.append(OracleShare(controller=controller, pairs=here.size, equal=equal_runs.size, weeks=weeks, share=share))
        return shares

    def find_trends(self) -> list[ControllerTrend]:
        trends = []
        for controller, (metric, columns) in product(self.table.controllers, TRENDS.items()):
            over, under = (DAY_COLUMNS.index(name) for name in columns)
            slopes = np.array([slope_per_day(divide(days[:, over], days[:, under])) for days in self.table.days_of(controller)])
            slopes = slopes[np.isfinite(slopes)]
            tested = compare_paired(slopes)[0] if self.settings.statistical_tests else None
            change = estimate_mean(slopes, level=self.settings.confidence_level, seed=self.seed)
            trends.append(ControllerTrend(controller=controller, metric=metric, weeks=slopes.size, per_day=change, p_value=tested))
        corrected = correct_holm([trend.p_value for trend in trends])
        return [trend.model_copy(update={"p_value": p_value}) for trend, p_value in zip(trends, corrected, strict=True) if trend.weeks]

    def _estimate(self, rows: IntArray, over: Sequence[str], under: str) -> LabEstimate:
        return estimate_ratio(*self._sum_weeks(rows, over, under), level=self.settings.confidence_level, seed=self.seed)

    def _weeks_of(self, rows: IntArray) -> IntArray:
        return np.unique(self.table.week_of_camera[self.table.camera[rows]])

    def _sum_weeks(self, rows: IntArray, over: Sequence[str], under: str) -> tuple[FloatArray, FloatArray]:
        """Return two sums by week, each of shape ``(weeks,)``, of the weeks that the runs are in."""
        columns, (_, week) = self.table.columns, np.unique(self.table.week_of_camera[self.table.camera[rows]], return_inverse=True)
        numerator = np.sum([columns[name][rows] for name in over], axis=0)
        return np.bincount(week, weights=numerator).astype(float), np.bincount(week, weights=columns[under][rows]).astype(float)


def _add_up_days(controller: str, weeks: Sequence[FloatArray]) -> list[DayFigures]:
    longest = max((days.shape[0] for days in weeks), default=0)
    total = np.zeros((longest, len(DAY_COLUMNS)))
    for days in weeks:
        total[: days.shape[0]] += days
    return [
        DayFigures(controller=controller, day=place + 1, runs=int(runs), tasks=tasks, charged_wh=charged, clean_wh=clean, misses=int(misses))
        for place, (tasks, charged, clean, misses, runs) in enumerate(total.tolist())
    ]
