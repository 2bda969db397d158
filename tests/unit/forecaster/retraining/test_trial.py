"""A new model beside the one in use."""

from datetime import timedelta

from services.forecaster.retraining.training import begin_trial, judge_trial
from services.forecaster.scoring import Score
from tests.support.household.measurements import day
from tests.support.suite.tables import each_row


def scores(new: float, in_use: float) -> dict[str, dict[str, Score]]:
    def score(pinball: float, slots: int = 96) -> Score:
        return Score(
            mae=2 * pinball, rmse=3 * pinball, pinball=pinball, coverage_80=0.8, slots=slots
        )

    nothing = Score(float("nan"), float("nan"), float("nan"), float("nan"), 0)
    return {
        "new": {"load_kwh": score(new), "pv_kwh": nothing},
        "in_use": {"load_kwh": score(in_use), "pv_kwh": nothing},
        "seasonal_naive": {},
    }


@each_row(
    ("new", "in_use", "accepted"),
    [(0.9, 1.0, True), (1.019, 1.0, True), (1.03, 1.0, False), (0.0, 0.0, True), (0.1, 0.0, False)],
)
def test_a_model_is_accepted_where_it_is_not_worse_but_for_chance(
    new: float, in_use: float, *, accepted: bool
) -> None:
    assert judge_trial(scores(new, in_use)).accepted == accepted


def test_a_verdict_says_by_how_much_and_names_its_figures() -> None:
    verdict = judge_trial(scores(1.2, 1.0))
    assert (
        verdict.reason
        == "pinball loss in the trial is 120.0% of that of the model in use: more than 102%"
    )
    assert verdict.metrics["trial.load.new.pinball"] == 1.2
    assert not any(name.startswith("trial.pv") for name in verdict.metrics)


def test_the_trial_is_held_on_days_that_neither_learned_from_a_week_at_most() -> None:
    assert begin_trial(day(0), day(30)) == day(23)
    assert begin_trial(day(26), day(30)) == day(26)
    assert begin_trial(day(30) - timedelta(hours=47), day(30)) is None
