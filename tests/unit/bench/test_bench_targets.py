"""Verdicts on figures."""

from bench.suite import NAMES, ON_REQUEST
from bench.targets import TARGETS, judge


def test_every_target_belongs_to_a_bench() -> None:
    assert set(TARGETS) <= {*NAMES, *ON_REQUEST}


def test_a_figure_on_the_right_side_of_its_bound_meets_its_target() -> None:
    verdicts = judge("queue", {"tasks_per_s": 640.0, "post_plan": {"over_planner_p50_ms": 31.0}})
    assert [(verdict.value, verdict.met) for verdict in verdicts] == [(640.0, True), (31.0, False)]


def test_a_figure_between_two_bounds_has_to_keep_both() -> None:
    # The target of the band is 0.77 to 0.83.
    covered = [
        {"home": {"series": {"load_kwh": {"aurora_v1.0": {"coverage_80": share}}}}}
        for share in (0.7, 0.8, 0.9)
    ]
    assert [[verdict.met for verdict in judge("forecast", figures)] for figures in covered] == [
        [False],
        [True],
        [False],
    ]


def test_what_was_not_measured_has_no_verdict() -> None:
    assert judge("queue", {"tasks_per_s": 640.0})[1:] == []
    assert judge("simulator", {"site_slots_per_s": 1.0}) == []
