"""A batch's summary: sums are the rows' sums, what was planted is found, what was not is not
claimed, and damage is named.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from luna.contracts.edge_summary import ControllerComparison, EdgeSummary
from services.edge.analytics.runs import RowAt, RunRow
from services.edge.analytics.summary import is_claimed, summarise
from services.edge.config import AnalysisSection
from tests.support.cameras.results import LAB, Batch, Planted, draw_runs

EQUAL = {
    "rule": Planted(cleaner=0.03),
    "custom": Planted(cleaner=0.03),
    "oracle": Planted(cleaner=0.03),
}


def told(rows: Iterable[dict[str, Any]]) -> Iterable[RowAt]:
    return (
        RowAt("runs-0001.jsonl", number, RunRow.model_validate(row))
        for number, row in enumerate(rows, start=1)
    )


def compare(summary: EdgeSummary, controller: str, other: str, metric: str) -> ControllerComparison:
    return next(
        each
        for each in summary.comparisons
        if (each.controller, each.other, each.metric) == (controller, other, metric)
    )


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(draw_runs(Batch()))


@pytest.fixture(scope="module")
def summary(rows: list[dict[str, Any]]) -> EdgeSummary:
    return summarise(told(rows), seed=3)


def test_figures_of_a_controller_are_the_sums_of_its_rows(
    rows: list[dict[str, Any]], summary: EdgeSummary
) -> None:
    own = [row for row in rows if row["controller"] == "naive_strong"]
    figures = next(each for each in summary.controllers if each.controller == "naive_strong")
    tasks = sum(row["tasks"] for row in own)
    assert (figures.runs, figures.weeks, figures.tasks) == (len(own), 32, tasks)
    assert figures.clean_share.value == pytest.approx(
        sum(row["clean_wh"] for row in own) / sum(row["charged_wh"] for row in own)
    )
    assert figures.large_miss_share.value == pytest.approx(
        sum(row["large_misses"] for row in own) / tasks
    )
    assert figures.dirty_wh_per_day.value == pytest.approx(
        sum(row["dirty_settled_wh"] for row in own) / sum(row["days"] for row in own)
    )
    fulfilled = tasks - sum(row["small_misses"] + row["large_misses"] for row in own)
    assert figures.mwh_per_task == pytest.approx(
        1000 * sum(row["taken_wh"] for row in own) / fulfilled
    )


def test_groups_add_up_to_the_whole(summary: EdgeSummary) -> None:
    for places, seasons in ((True, False), (False, True), (True, True)):
        parts = [
            each
            for each in summary.groups
            if (each.location is not None) == places and (each.season is not None) == seasons
        ]
        for whole in summary.controllers:
            assert (
                sum(each.tasks for each in parts if each.controller == whole.controller)
                == whole.tasks
            )


def test_a_planted_difference_is_found_with_its_size(summary: EdgeSummary) -> None:
    # Charged 11 points cleaner than its week against 3 points: 8 points, in every week.
    difference = compare(summary, "custom", "rule", "clean_share")
    assert is_claimed(difference, 0.95)
    assert difference.difference.low is not None
    assert difference.difference.high is not None
    assert difference.difference.low < 0.08 < difference.difference.high
    assert (difference.pairs, difference.weeks) == (96, 32)


def test_the_share_of_the_oracle_is_that_of_runs_with_equal_misses(
    rows: list[dict[str, Any]], summary: EdgeSummary
) -> None:
    shares = {each.controller: each for each in summary.oracle_shares}
    clean = {
        name: sum(row["clean_wh"] for row in rows if row["controller"] == name)
        for name in ("custom", "oracle")
    }
    assert shares["custom"].equal == shares["custom"].pairs == 96
    assert shares["custom"].share.value == pytest.approx(clean["custom"] / clean["oracle"])
    assert shares["naive_weak"].equal == 0
    assert shares["naive_weak"].share.value is None


def test_equal_controllers_are_not_claimed_to_differ() -> None:
    batches = 20
    claims = 0
    for seed in range(batches):
        batch = Batch(controllers=EQUAL, locations=("CA", "NY"), variations=1, days=1, noise=0.04)
        compared = summarise(
            told(draw_runs(batch, seed=seed)), AnalysisSection(trend_analysis=False), seed=seed
        ).comparisons
        claims += any(is_claimed(each, 0.95) for each in compared)
    # At most 5 % of batches, with three standard deviations of 20 tries: 0.05 + 3 * sqrt(0.05 *
    # 0.95 / 20) = 0.196.
    assert claims / batches <= 0.196


def test_weeks_count_and_not_the_cameras_that_share_them() -> None:
    """Twenty cameras of a week with its luck know no more of the weather than one: the interval
    does not shrink with them.
    """
    widths = []
    for variations in (1, 20):
        batch = Batch(
            controllers={"rule": Planted(), "oracle": Planted()},
            variations=variations,
            days=1,
            noise=0.03,
        )
        difference = compare(
            summarise(told(draw_runs(batch, seed=6)), AnalysisSection(trend_analysis=False)),
            "oracle",
            "rule",
            "clean_share",
        ).difference
        assert difference.low is not None
        assert difference.high is not None
        widths.append(difference.high - difference.low)
    # Independent cameras would make it sqrt(20) = 4.5 times narrower.
    assert widths[1] > widths[0] / 2


def test_a_drift_from_day_to_day_is_found() -> None:
    drifting = {"rule": Planted(), "custom": Planted(cleaner=0.1, drift=-0.01)}
    summary = summarise(told(draw_runs(Batch(controllers=drifting, variations=1))))
    trends = {(each.controller, each.metric): each for each in summary.trends}
    assert trends["custom", "clean_share"].per_day.value == pytest.approx(-0.01, abs=1e-3)
    assert [
        insight.figures["controller"] for insight in summary.insights if insight.code == "trend"
    ] == ["custom"]


def test_a_run_that_comes_twice_and_a_damaged_one_are_named_and_left_out(
    rows: list[dict[str, Any]],
) -> None:
    told_twice = [
        *told(rows[:12]),
        RowAt("runs-0002.jsonl", 1, RunRow.model_validate(rows[0])),
        RowAt("runs-0002.jsonl", 2, None, "half a line"),
    ]
    summary = summarise(told_twice)
    assert (summary.runs, summary.damaged_rows) == (12, 2)
    assert [(each.file, each.line) for each in summary.damage] == [
        ("runs-0002.jsonl", 1),
        ("runs-0002.jsonl", 2),
    ]
    assert summary.insights[-1].code == "damage"


def test_what_the_configuration_leaves_out_is_left_out(rows: list[dict[str, Any]]) -> None:
    plain = summarise(
        told(rows),
        AnalysisSection(statistical_tests=False, trend_analysis=False, confidence_level=0.8),
        seed=3,
    )
    assert all(each.p_value is None and each.cohens_d is None for each in plain.comparisons)
    assert plain.trends == []
    whole = summarise(
        told(rows), AnalysisSection(performance_comparison=False, trend_analysis=False), seed=3
    )
    assert whole.comparisons == []
    assert whole.oracle_shares == []
    narrow, wide = (each.controllers[0].clean_share for each in (plain, whole))
    assert (narrow.high or 0) - (narrow.low or 0) < (wide.high or 0) - (wide.low or 0)


def test_runs_that_lack_their_partner_are_left_out_of_pairs_and_said(
    rows: list[dict[str, Any]],
) -> None:
    summary = summarise(
        told(
            [row for row in rows if not (row["controller"] == "custom" and row["location"] == "FL")]
        )
    )
    assert compare(summary, "oracle", "custom", "clean_share").pairs == 72
    missing = next(insight for insight in summary.insights if insight.code == "runs_missing")
    assert missing.figures == {"cameras": 96, "controllers": ["custom"], "most": 24}


def test_one_week_gives_figures_without_intervals() -> None:
    summary = summarise(told(draw_runs(Batch(locations=("NW",), seasons=("fall",), weeks=1))))
    assert "few_weeks" in [insight.code for insight in summary.insights]
    assert all(each.clean_share.low is None for each in summary.controllers)
    assert not any(is_claimed(each, 0.95) for each in summary.comparisons)


def test_no_row_at_all_is_said() -> None:
    summary = summarise([RowAt("runs-0001.jsonl", 1, None, "half a line")])
    assert [insight.code for insight in summary.insights] == ["nothing", "damage"]
    assert summary.runs == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"small_misses": 10**9}, "more misses than tasks"),
        ({"clean_wh": 0.0}, "clean and dirty energy are not what was charged"),
        ({"stored_end_wh": 0.5}, "what was charged is neither taken nor stored"),
    ],
)
def test_a_row_that_does_not_add_up_is_damaged(
    rows: list[dict[str, Any]], change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        RunRow.model_validate(rows[0] | change)


def test_rows_are_the_same_in_any_order(rows: list[dict[str, Any]], summary: EdgeSummary) -> None:
    mixed = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    again = summarise(told(mixed), seed=3)
    for one, other in zip(summary.controllers, again.controllers, strict=True):
        assert one.clean_share.low == pytest.approx(other.clean_share.low)
        assert one.objective_wh_per_day.value == pytest.approx(other.objective_wh_per_day.value)


def test_without_a_learned_controller_the_best_one_is_spoken_of() -> None:
    batch = Batch(
        controllers={name: LAB[name] for name in ("naive_weak", "rule", "oracle")}, variations=1
    )
    insights = summarise(told(draw_runs(batch))).insights
    compared = {
        (each.figures["controller"], each.figures["other"], each.figures["metric"]): each.figures[
            "way"
        ]
        for each in insights
        if each.code == "compared"
    }
    assert compared["rule", "oracle", "objective_wh_per_day"] == "higher"
    assert compared["rule", "naive_weak", "miss_share"] == "lower"
    # Both miss the same: their dirty energy is all that the objective is.
    assert compared["rule", "oracle", "miss_share"] == "same"
    assert ("rule", "oracle", "dirty_wh_per_day") not in compared
