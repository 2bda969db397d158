"""Insights of a batch, as codes with figures; claimed only where the interval is clear of zero and the test agrees, hedged everywhere else."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from luna.contracts.edge_summary import ControllerComparison, ControllerFigures, EdgeSummary, LabEstimate, LabInsight
from services.edge.analytics.statistics import LEAST_WEEKS, ROUNDING
from services.edge.analytics.table import CONTROLLER_ORDER

ORACLE = "oracle"
LEARNED = ("custom", "ensemble")
# What everything is counted in comes first, then its parts.
OBJECTIVE, *PARTS = ("objective_wh_per_day", "miss_share", "dirty_wh_per_day")


def find_insights(summary: EdgeSummary) -> list[LabInsight]:
    """Return the insights of a batch, the most important first."""
    by_name = {figures.controller: figures for figures in summary.controllers}
    if not by_name:
        return [LabInsight(code="nothing", figures={"damaged": summary.damaged_rows}), *_find_damage(summary)]
    # The controller in focus: the learned one, else the best without knowledge of the future.
    learned = [name for name in LEARNED if name in by_name]
    lead = learned[0] if learned else min((name for name in by_name if name != ORACLE), key=lambda name: _objective(by_name[name]), default=ORACLE)
    shares = [
        LabInsight(
            code="oracle_share" if each.share.value is not None else "oracle_share_unknown",
            figures={"controller": each.controller, "equal": each.equal, "pairs": each.pairs, "weeks": each.weeks, **_span(each.share)},
        )
        for each in summary.oracle_shares
        if each.controller in {lead, *LEARNED}
    ]
    insights = [*_find_standing(summary), *shares, *_find_comparisons(summary, lead), *_rank(by_name), *_find_farthest(summary, lead)]
    return [*insights, *_find_efficiency(by_name), *_find_trends(summary), *_find_damage(summary)]


def _objective(figures: ControllerFigures) -> float:
    value = figures.objective_wh_per_day.value
    return inf if value is None else value


def is_clear(estimate: LabEstimate) -> bool:
    """Return whether an interval lies on one side of zero."""
    return estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)


def is_nothing(estimate: LabEstimate) -> bool:
    """Return whether there was no difference at all, in any week."""
    return all(end is not None and abs(end) <= ROUNDING for end in (estimate.value, estimate.low, estimate.high))


def is_claimed(comparison: ControllerComparison, level: float) -> bool:
    """Return whether a difference may be claimed: its interval is clear of zero and, where it was tested, so is the corrected test."""
    return is_clear(comparison.difference) and (comparison.p_value is None or comparison.p_value < 1 - level)


def _span(estimate: LabEstimate) -> dict[str, Any]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _find_standing(summary: EdgeSummary) -> Iterator[LabInsight]:
    if summary.stands_in:
        yield LabInsight(code="stand_in", figures={"locations": summary.stand_in_locations, "all": summary.stand_in_locations == summary.locations})
    if summary.weeks < LEAST_WEEKS:
        yield LabInsight(code="few_weeks", figures={"weeks": summary.weeks, "needed": LEAST_WEEKS})
    if summary.failed_runs:
        yield LabInsight(code="runs_failed", figures={"runs": summary.failed_runs})
    least = min(figures.runs for figures in summary.controllers)
    if least < summary.cameras:
        lacking = {figures.controller: summary.cameras - figures.runs for figures in summary.controllers if figures.runs < summary.cameras}
        yield LabInsight(code="runs_missing", figures={"cameras": summary.cameras, "controllers": list(lacking), "most": max(lacking.values())})


def _find_comparisons(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    by_pair = {(each.controller, each.other, each.metric): each for each in summary.comparisons}
    baselines = [each.controller for each in summary.controllers if each.controller not in {lead, ORACLE, *LEARNED}]
    others = [name for name in LEARNED if name != lead]
    whole = [*((lead, other) for other in (*baselines, ORACLE)), *((other, than) for other in others for than in (lead, ORACLE))]
    # Of the parts it is said how they lie beside who asks least and who knows all.
    parts = [(lead, other) for other in (*(name for name in baselines if name in {"naive_weak", "rule"}), ORACLE)]
    for metric, pairs in ((OBJECTIVE, whole), *((part, parts) for part in PARTS)):
        for controller, other in pairs:
            comparison = by_pair.get((controller, other, metric)) or _turn(by_pair.get((other, controller, metric)))
            misses = by_pair.get((controller, other, "miss_share")) or by_pair.get((other, controller, "miss_share"))
            # Where both miss the same, dirty energy is all that the objective says.
            is_redundant = metric == "dirty_wh_per_day" and misses is not None and is_nothing(misses.difference)
            if comparison is not None and not is_redundant:
                claimed = is_claimed(comparison, summary.confidence_level)
                way = "open" if not claimed else "lower" if (comparison.difference.value or 0.0) < 0 else "higher"
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
    """Yield the best controller without knowledge of the future, by the objective; the difference is claimed elsewhere."""
    comparable = [figures for name, figures in by_name.items() if name != ORACLE and figures.objective_wh_per_day.value is not None]
    if len(comparable) < 2:
        return
    best = min(comparable, key=_objective)
    misses = ((best.small_misses + best.large_misses) / best.tasks) if best.tasks else None
    share = best.clean_share.value
    yield LabInsight(code="best", figures={"controller": best.controller, "objective": best.objective_wh_per_day.value, "misses": misses, "clean_share": share})


def _find_farthest(summary: EdgeSummary, lead: str) -> Iterator[LabInsight]:
    """Yield where a controller's clean share lies farthest below the oracle's; nothing for a single place and season."""
    cells = {(each.controller, each.location, each.season): each.clean_share.value for each in summary.groups if each.location and each.season}
    gaps = {
        (place, season): oracle - value
        for (name, place, season), value in cells.items()
        if name == lead and value is not None and (oracle := cells.get((ORACLE, place, season))) is not None
    }
    if len(gaps) < 2:
        return
    (place, season), gap = max(gaps.items(), key=lambda each: each[1])
    if gap > 0:
        yield LabInsight(code="farthest", figures={"controller": lead, "location": place, "season": season, "gap": gap})


def _find_efficiency(by_name: Mapping[str, ControllerFigures]) -> Iterator[LabInsight]:
    measured = [figures for name in CONTROLLER_ORDER if (figures := by_name.get(name)) is not None and figures.mwh_per_task is not None and name != ORACLE]
    if len(measured) < 2:
        return
    frugal, hungry = (choose(measured, key=lambda figures: figures.mwh_per_task or 0.0) for choose in (min, max))
    if frugal.mwh_per_task != hungry.mwh_per_task:
        yield LabInsight(
            code="efficiency",
            figures={"controller": frugal.controller, "mwh": frugal.mwh_per_task, "other": hungry.controller, "other_mwh": hungry.mwh_per_task},
        )


def _find_trends(summary: EdgeSummary) -> Iterator[LabInsight]:
    long_enough = [trend for trend in summary.trends if trend.weeks >= LEAST_WEEKS]
    claimed = [trend for trend in long_enough if is_clear(trend.per_day) and (trend.p_value is None or trend.p_value < 1 - summary.confidence_level)]
    for trend in claimed:
        yield LabInsight(code="trend", figures={"controller": trend.controller, "metric": trend.metric, "weeks": trend.weeks, **_span(trend.per_day)})
    if long_enough and not claimed:
        yield LabInsight(code="no_trend", figures={"weeks": max(trend.weeks for trend in long_enough)})


def _find_damage(summary: EdgeSummary) -> Iterator[LabInsight]:
    if summary.damaged_rows:
        first = summary.damage[0]
        yield LabInsight(code="damage", figures={"rows": summary.damaged_rows, "file": first.file, "line": first.line, "reason": first.reason})
