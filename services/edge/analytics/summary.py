"""Summarise a batch's runs by controller, location, season, pair and day, and draw insights.

Insights are codes with figures. An insight is claimed only where the interval excludes zero and the
test agrees; everywhere else it is hedged.
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
# The objective of controllers, and its parts.
OBJECTIVE = "objective_wh_per_day"
PARTS = ("miss_share", "dirty_wh_per_day")
# Two runs miss equally if neither kind of misses differs by more than this share of their tasks.
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
    """Return the summary of a table of runs and of the ``failed`` ones missing from it.

    See ``summarise``.
    """
    settings = analysis or AnalysisSection()
    summary = _Summary(table, settings, seed)
    compared = settings.performance_comparison
    days: list[DayFigures] = []
    for name in table.controllers:
        days += _add_up_days(name, table.days_of(name))
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
        days=days,
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
        groups: list[tuple[str | None, str | None]] = []
        groups += [(place, None) for place in self.table.locations]
        groups += [(None, season) for season in self.table.seasons]
        groups += product(self.table.locations, self.table.seasons)
        described = []
        for place, season in groups:
            for name in self.table.controllers:
                figures = self.describe(name, place, season)
                if figures.runs:
                    described.append(figures)
        return described

    def compare(self) -> list[ControllerComparison]:
        comparisons = []
        for controller, other in order_pairs(self.table.controllers):
            rows, other_rows = self.table.pair(controller, other)
            if not rows.size:
                continue
            for metric, (over, under) in METRICS.items():
                first = self._sum_weeks(rows, over, under)
                second = self._sum_weeks(other_rows, over, under)
                p_value = None
                cohens_d = None
                rank_biserial = None
                if self.settings.statistical_tests:
                    weekly = divide(*first) - divide(*second)
                    p_value, cohens_d, rank_biserial = compare_paired(weekly)
                difference = estimate_ratio_difference(
                    first, second, level=self.settings.confidence_level, seed=self.seed
                )
                comparison = ControllerComparison(
                    controller=controller,
                    other=other,
                    metric=metric,
                    pairs=rows.size,
                    weeks=first[0].size,
                    difference=difference,
                    p_value=p_value,
                    cohens_d=cohens_d,
                    rank_biserial=rank_biserial,
                )
                comparisons.append(comparison)
        corrected = correct_holm([comparison.p_value for comparison in comparisons])
        for place, p_value in enumerate(corrected):
            comparisons[place] = comparisons[place].model_copy(update={"p_value": p_value})
        return comparisons

    def share_of_oracle(self) -> list[OracleShare]:
        if ORACLE not in self.table.controllers:
            return []
        shares = []
        columns = self.table.columns
        for controller in self.table.controllers:
            if controller == ORACLE:
                continue
            rows, oracle_rows = self.table.pair(controller, ORACLE)
            most_difference = EQUAL_MISSES * columns["tasks"][rows]
            equal = np.ones(rows.size, dtype=bool)
            for kind in ("small_misses", "large_misses"):
                difference = np.abs(columns[kind][rows] - columns[kind][oracle_rows])
                equal &= difference <= most_difference
            equal_runs = rows[equal]
            share = LabEstimate()
            if equal_runs.size:
                share = estimate_ratio_of_ratios(
                    self._sum_weeks(equal_runs, *METRICS["clean_share"]),
                    self._sum_weeks(oracle_rows[equal], *METRICS["clean_share"]),
                    level=self.settings.confidence_level,
                    seed=self.seed,
                )
            oracle_share = OracleShare(
                controller=controller,
                pairs=rows.size,
                equal=equal_runs.size,
                weeks=self._weeks_of(equal_runs).size,
                share=share,
            )
            shares.append(oracle_share)
        return shares

    def find_trends(self) -> list[ControllerTrend]:
        trends = []
        for controller, (metric, columns) in product(self.table.controllers, TRENDS.items()):
            over, under = (DAY_COLUMNS.index(name) for name in columns)
            all_slopes = []
            for days in self.table.days_of(controller):
                daily = divide(days[:, over], days[:, under])
                all_slopes.append(slope_per_day(daily))
            slopes = np.array(all_slopes)
            slopes = slopes[np.isfinite(slopes)]
            tested = compare_paired(slopes)[0] if self.settings.statistical_tests else None
            change = estimate_mean(slopes, level=self.settings.confidence_level, seed=self.seed)
            trend = ControllerTrend(
                controller=controller,
                metric=metric,
                weeks=slopes.size,
                per_day=change,
                p_value=tested,
            )
            trends.append(trend)
        corrected = correct_holm([trend.p_value for trend in trends])
        for place, p_value in enumerate(corrected):
            trends[place] = trends[place].model_copy(update={"p_value": p_value})
        return [trend for trend in trends if trend.weeks]

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
        """Return two sums by week of the runs, each of shape ``(weeks,)``."""
        columns = self.table.columns
        _, week = np.unique(self.table.week_of_camera[self.table.camera[rows]], return_inverse=True)
        numerator = np.sum([columns[name][rows] for name in over], axis=0)
        over_sums = np.bincount(week, weights=numerator).astype(float)
        under_sums = np.bincount(week, weights=columns[under][rows]).astype(float)
        return over_sums, under_sums


def _add_up_days(controller: str, weeks: Sequence[FloatArray]) -> list[DayFigures]:
    longest = max((days.shape[0] for days in weeks), default=0)
    total = np.zeros((longest, len(DAY_COLUMNS)))
    for days in weeks:
        total[: days.shape[0]] += days
    figures = []
    for day, (tasks, charged, clean, misses, runs) in enumerate(total.tolist(), start=1):
        of_day = DayFigures(
            controller=controller,
            day=day,
            runs=int(runs),
            tasks=tasks,
            charged_wh=charged,
            clean_wh=clean,
            misses=int(misses),
        )
        figures.append(of_day)
    return figures


def find_insights(summary: EdgeSummary) -> list[LabInsight]:
    """Return the insights of a batch, the most important first."""
    by_name = {figures.controller: figures for figures in summary.controllers}
    if not by_name:
        nothing = LabInsight(code="nothing", figures={"damaged": summary.damaged_rows})
        return [nothing, *_find_damage(summary)]
    lead = _choose_lead(by_name)
    return [
        *_find_standing(summary),
        *_find_oracle_shares(summary, lead),
        *_find_comparisons(summary, lead),
        *_rank(by_name),
        *_find_farthest(summary, lead),
        *_find_efficiency(by_name),
        *_find_trends(summary),
        *_find_damage(summary),
    ]


def _choose_lead(by_name: Mapping[str, ControllerFigures]) -> str:
    """Return the controller in focus: a learned one, else the best without foresight."""
    for name in LEARNED:
        if name in by_name:
            return name
    others = [figures for name, figures in by_name.items() if name != ORACLE]
    if not others:
        return ORACLE
    return min(others, key=_objective).controller


def _find_oracle_shares(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    for oracle_share in summary.oracle_shares:
        if oracle_share.controller not in {lead, *LEARNED}:
            continue
        is_known = oracle_share.share.value is not None
        yield LabInsight(
            code="oracle_share" if is_known else "oracle_share_unknown",
            figures={
                "controller": oracle_share.controller,
                "equal": oracle_share.equal,
                "pairs": oracle_share.pairs,
                "weeks": oracle_share.weeks,
                **_span(oracle_share.share),
            },
        )


def _objective(figures: ControllerFigures) -> float:
    value = figures.objective_wh_per_day.value
    return inf if value is None else value


def is_clear(estimate: LabEstimate) -> bool:
    """Return whether an interval lies on one side of zero."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low > 0 or estimate.high < 0


def is_nothing(estimate: LabEstimate) -> bool:
    """Return whether there was no difference at all, in any week."""
    figures = (estimate.value, estimate.low, estimate.high)
    return all(figure is not None and abs(figure) <= ROUNDING for figure in figures)


def is_claimed(comparison: ControllerComparison, level: float) -> bool:
    """Return whether a difference may be claimed, by its interval and its corrected test."""
    is_significant = comparison.p_value is None or comparison.p_value < 1 - level
    return is_clear(comparison.difference) and is_significant


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
    lacking = {}
    for figures in summary.controllers:
        if figures.runs < summary.cameras:
            lacking[figures.controller] = summary.cameras - figures.runs
    if lacking:
        yield LabInsight(
            code="runs_missing",
            figures={
                "cameras": summary.cameras,
                "controllers": list(lacking),
                "most": max(lacking.values()),
            },
        )


def _find_comparisons(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    by_pair: dict[tuple[str, str, str], ControllerComparison] = {}
    for comparison in summary.comparisons:
        turned = _turn(comparison)
        by_pair[turned.controller, turned.other, turned.metric] = turned
    for comparison in summary.comparisons:
        by_pair[comparison.controller, comparison.other, comparison.metric] = comparison
    for metric, controller, other in _list_compared(summary, lead):
        if (controller, other, metric) not in by_pair:
            continue
        comparison = by_pair[controller, other, metric]
        misses = by_pair.get((controller, other, "miss_share"))
        has_equal_misses = misses is not None and is_nothing(misses.difference)
        # With equal misses the objective already says everything about dirty energy.
        if metric == "dirty_wh_per_day" and has_equal_misses:
            continue
        figures = {
            "controller": comparison.controller,
            "other": comparison.other,
            "metric": comparison.metric,
            "way": _find_direction(comparison, summary.confidence_level),
            "pairs": comparison.pairs,
            "weeks": comparison.weeks,
            "p_value": comparison.p_value,
            "level": summary.confidence_level,
            **_span(comparison.difference),
        }
        yield LabInsight(code="compared", figures=figures)


def _list_compared(summary: EdgeSummary, lead: str) -> Iterator[tuple[str, str, str]]:
    """Yield the metric and the two controllers of each comparison worth telling, in order."""
    names = [figures.controller for figures in summary.controllers]
    baselines = [name for name in names if name not in {lead, ORACLE, *LEARNED}]
    for other in (*baselines, ORACLE):
        yield OBJECTIVE, lead, other
    for name in LEARNED:
        if name != lead:
            yield OBJECTIVE, name, lead
            yield OBJECTIVE, name, ORACLE
    # The parts are compared with the least demanding controllers and with perfect foresight.
    simple = [name for name in baselines if name in {"naive_weak", "rule"}]
    for part in PARTS:
        for other in (*simple, ORACLE):
            yield part, lead, other


def _find_direction(comparison: ControllerComparison, level: float) -> str:
    """Return the direction of a difference as the code of an insight."""
    if is_nothing(comparison.difference):
        return "same"
    if not is_claimed(comparison, level):
        return "open"
    return "lower" if (comparison.difference.value or 0.0) < 0 else "higher"


def _turn(comparison: ControllerComparison) -> ControllerComparison:
    """Return a comparison seen from the other controller."""
    changes = {
        "controller": comparison.other,
        "other": comparison.controller,
        "difference": comparison.difference.negated(),
        "cohens_d": _negate(comparison.cohens_d),
        "rank_biserial": _negate(comparison.rank_biserial),
    }
    return comparison.model_copy(update=changes)


def _negate(value: float | None) -> float | None:
    return None if value is None else -value


def _rank(by_name: Mapping[str, ControllerFigures]) -> Iterator[LabInsight]:
    """Yield the best controller without knowledge of the future, by the objective.

    The difference is claimed elsewhere.
    """
    comparable = []
    for name, figures in by_name.items():
        if name != ORACLE and figures.objective_wh_per_day.value is not None:
            comparable.append(figures)
    if len(comparable) < 2:
        return
    best = min(comparable, key=_objective)
    misses = ((best.small_misses + best.large_misses) / best.tasks) if best.tasks else None
    yield LabInsight(
        code="best",
        figures={
            "controller": best.controller,
            "objective": best.objective_wh_per_day.value,
            "misses": misses,
            "clean_share": best.clean_share.value,
        },
    )


def _find_farthest(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    """Yield where a controller's clean share lies farthest below the oracle's.

    Nothing for a single place and season.
    """
    shares: dict[str, dict[tuple[str, str], float]] = {lead: {}, ORACLE: {}}
    for figures in summary.groups:
        value = figures.clean_share.value
        is_cell = figures.location is not None and figures.season is not None
        if is_cell and value is not None and figures.controller in shares:
            shares[figures.controller][str(figures.location), str(figures.season)] = value
    gaps = {}
    for cell, value in shares[lead].items():
        if cell in shares[ORACLE]:
            gaps[cell] = shares[ORACLE][cell] - value
    if len(gaps) < 2:
        return
    place, season = max(gaps, key=gaps.__getitem__)
    gap = gaps[place, season]
    if gap > 0:
        yield LabInsight(
            code="farthest",
            figures={"controller": lead, "location": place, "season": season, "gap": gap},
        )


def _find_efficiency(by_name: Mapping[str, ControllerFigures]) -> Iterator[LabInsight]:
    names = [name for name in CONTROLLER_ORDER if name in by_name and name != ORACLE]
    measured = [by_name[name] for name in names if by_name[name].mwh_per_task is not None]
    if len(measured) < 2:
        return

    def need_of(figures: ControllerFigures) -> float:
        return figures.mwh_per_task or 0.0

    frugal = min(measured, key=need_of)
    hungry = max(measured, key=need_of)
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
    claimed = []
    for trend in long_enough:
        is_significant = trend.p_value is None or trend.p_value < 1 - summary.confidence_level
        if is_significant and is_clear(trend.per_day):
            claimed.append(trend)
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
