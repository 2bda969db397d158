from dataclasses import replace

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, FloatArray
from luna.energy.weather import WeatherVintages
from services.forecaster.explanation.explanation import (
    MEAN,
    STEPS,
    ForecastExplanation,
    explain_like_days,
    explain_member,
    explain_model,
    explain_profile,
    gather_facts,
    group_of,
)
from services.forecaster.inputs.context import NO_CONTEXT, Context, Vacation
from services.forecaster.inputs.forecast_series import (
    EVERY_SERIES,
    LOAD,
    PV,
    ForecastSeries,
    OriginViews,
)
from services.forecaster.inputs.frame import Frame, Pairs, frame_origins, pair_origins
from services.forecaster.model.aurora import Aurora, train
from services.forecaster.model.baseline import LIKE_DAYS, MEMBERS, Baseline
from services.forecaster.model.recent_error_correction import SIGNALS
from services.forecaster.model.series_model import predict_profile
from services.forecaster.model.trees import Trees
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
SLOTS = 192
every_series = pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)


@pytest.fixture(scope="module")
def history() -> Observations:
    return measure_days(50)


@pytest.fixture(scope="module")
def aurora(history: Observations) -> Aurora:
    return train(history, site=SITE, until=day(40), settings=QUICK)


def look(history: Observations, context: Context = NO_CONTEXT) -> tuple[Frame, Pairs]:
    """Return what stands at 09:00 of the 42nd day, 48 hours ahead."""
    at = day(41, hours=9)
    frame = frame_origins(history, SITE, [at], SLOTS, context=context)
    return frame, pair_origins(frame, [at], SLOTS)


def explain(aurora: Aurora, history: Observations, series: ForecastSeries) -> ForecastExplanation:
    frame, pairs = look(history)
    forecast = aurora.issue(history, day(41, hours=9))
    expected: FloatArray = getattr(forecast, f"{series.name}_kwh").expected
    return explain_model(aurora.models[series.name], series, frame, pairs, expected_kwh=expected)


def trust_trees_alone(aurora: Aurora) -> Aurora:
    """Return the same trees without the members they are blended with."""
    alone = {
        name: replace(
            model,
            weights={
                head: np.eye(weights.shape[1])[np.zeros(len(weights), dtype=int)]
                for head, weights in model.weights.items()
            },
        )
        for name, model in aurora.models.items()
    }
    return replace(aurora, models=alone)


@every_series
def test_the_shares_add_up_to_the_forecast(
    aurora: Aurora, history: Observations, series: ForecastSeries
) -> None:
    for explained in (
        explain(aurora, history, series),
        explain(trust_trees_alone(aurora), history, series),
    ):
        total = explained.usual_kwh + np.sum([*explained.shares_kwh.values()], axis=0)
        np.testing.assert_allclose(total, explained.expected_kwh, atol=1e-6)


@every_series
def test_the_usual_is_the_seven_day_mean(
    aurora: Aurora, history: Observations, series: ForecastSeries
) -> None:
    usual = (
        Baseline("baseline_7_day_avg", SITE)
        .issue_many(history, [day(41, hours=9)], SLOTS)
        .forecast(0)
    )
    np.testing.assert_allclose(
        explain(aurora, history, series).usual_kwh, getattr(usual, f"{series.name}_kwh").expected
    )


def test_before_it_is_bounded_trees_members_and_level_account_for_all(
    aurora: Aurora, history: Observations
) -> None:
    frame, pairs = look(history)
    model = aurora.models["load"]
    heads = model.predict(LOAD.view(frame, pairs), pairs.lead)
    explained = explain_model(model, LOAD, frame, pairs, expected_kwh=heads.expected)
    np.testing.assert_allclose(explained.shares_kwh["limit"], 0, atol=1e-9)
    assert np.abs(explained.shares_kwh["rest"]).max() < 1e-9


@every_series
def test_before_it_is_bounded_the_profiles_members_account_for_all(
    history: Observations, series: ForecastSeries
) -> None:
    frame, pairs = look(history)
    said = predict_profile(series.view(frame, pairs)).expected
    explained = explain_profile(series, frame, pairs, expected_kwh=said)
    np.testing.assert_allclose(explained.shares_kwh["limit"], 0, atol=1e-9)
    assert np.abs(explained.shares_kwh["habit"]).max() > 0


def test_at_night_there_is_nothing_to_explain_about_the_sun(
    aurora: Aurora, history: Observations
) -> None:
    frame, pairs = look(history)
    night = frame.clear_sky_kwh[pairs.target] == 0
    explained = explain(aurora, history, PV)
    assert np.abs([share[night] for share in explained.shares_kwh.values()]).max() == 0


@each_row("version", MEMBERS)
def test_a_baseline_is_explained_by_what_it_differs_in(history: Observations, version: str) -> None:
    frame, pairs = look(history)
    member, _ = MEMBERS[version]
    members = LOAD.view(frame, pairs).members["centre"]
    explained = explain_member(member, LOAD, frame, pairs, expected_kwh=members[member])
    reason = STEPS.get(member, (MEAN, "rest"))[1]
    np.testing.assert_allclose(explained.shares_kwh[reason], members[member] - members[MEAN])


@every_series
def test_like_days_are_explained_by_habit_level_and_weather(
    history: Observations, series: ForecastSeries
) -> None:
    frame, pairs = look(history)
    seen = OriginViews.of_frame(frame, [day(41, hours=9)], SLOTS)
    said = getattr(
        Baseline(LIKE_DAYS, SITE).issue_from_views(seen).forecast(0), f"{series.name}_kwh"
    ).expected
    explained = explain_like_days(series, seen, pairs, expected_kwh=said)
    np.testing.assert_allclose(
        explained.usual_kwh + np.sum([*explained.shares_kwh.values()], axis=0), said, atol=1e-9
    )
    np.testing.assert_allclose(
        explained.shares_kwh["limit"] + explained.shares_kwh["rest"], 0, atol=1e-9
    )
    assert np.abs(explained.shares_kwh["habit"]).max() > 0


@every_series
def test_every_feature_and_every_member_belongs_to_a_reason(
    history: Observations, series: ForecastSeries
) -> None:
    view = series.view(*look(history))
    assert [name for name in view.names if group_of(name) == "rest"] == []
    assert {*view.members["centre"], *view.members["expected"]} - {MEAN} <= set(STEPS)
    assert "rest" not in {group_of(signal) for signal in SIGNALS[series.name](view)}


def test_contributions_of_all_features_are_the_prediction(
    aurora: Aurora, history: Observations
) -> None:
    trees: Trees = aurora.models["load"].trees
    features = LOAD.view(*look(history)).features
    np.testing.assert_allclose(
        trees.contribute("expected", features).sum(axis=1),
        trees.predict(features)["expected"],
        atol=1e-9,
    )


def test_more_than_usual_in_the_last_hours_is_a_fact(history: Observations) -> None:
    origin = np.datetime64(day(41, hours=9).replace(tzinfo=None), "s")
    late = (history.starts < origin) & (history.starts >= origin - np.timedelta64(16 * SLOT))
    busy = Observations.of(
        history.starts, {"load_kwh": history.load_kwh + 0.1 * late, "pv_kwh": history.pv_kwh}
    )
    calm, more = (gather_facts(LOAD, *look(observed)).hours_kwh for observed in (history, busy))
    np.testing.assert_allclose(more - calm, 0.1, atol=1e-6)


def test_colder_is_what_lies_below_the_last_seven_days_at_that_time(history: Observations) -> None:
    ahead = history.starts >= np.datetime64(day(41, hours=9).replace(tzinfo=None), "s")
    rhythm = np.arange(len(history)) % 96 / 96
    # Half a degree more every day, 5 less from the issue on: the mean of the seven days before is
    # (1 + … + 7) / 14 = 2 degrees below, 2.5 on the second day.
    day_of = np.arange(len(history)) // 96
    issued = np.where(
        ahead,
        np.datetime64(day(41).replace(tzinfo=None), "us"),
        (history.starts + np.timedelta64(SLOT)).astype("datetime64[us]"),
    )
    weather = WeatherVintages.of(
        history.starts, issued, {"temperature_c": rhythm + 0.5 * day_of - 5.0 * ahead}
    )
    warmer = gather_facts(LOAD, *look(history, Context(weather=weather))).warmer_c
    np.testing.assert_allclose(warmer[[0, 95, 96, 191]], [-3, -3, -2.5, -2.5])


def test_weather_that_nobody_knows_is_no_fact(history: Observations) -> None:
    facts = gather_facts(PV, *look(history))
    assert np.isnan([facts.warmer_c, facts.sunnier]).all()


def test_a_vacation_lowers_the_forecast_and_not_the_usual(history: Observations) -> None:
    left_at = np.array([np.datetime64(day(41, hours=6).replace(tzinfo=None), "us")])
    frame, pairs = look(history, Context(vacation=Vacation(left_at, np.ones(1))))
    home = explain_member(
        MEAN, LOAD, *look(history), expected_kwh=LOAD.view(*look(history)).members["centre"][MEAN]
    )
    away = explain_member(
        MEAN, LOAD, frame, pairs, expected_kwh=LOAD.view(frame, pairs).members["centre"][MEAN]
    )
    np.testing.assert_allclose(away.usual_kwh, home.usual_kwh)
    assert (away.shares_kwh["vacation"] < 0).all()
    np.testing.assert_allclose(away.usual_kwh + away.shares_kwh["vacation"], away.expected_kwh)
    assert (gather_facts(LOAD, frame, pairs).away > 0).all()


def test_a_public_holiday_is_a_fact() -> None:
    # 1 April 2024 was Easter Monday, the 32nd day; the day after was none.
    at = day(31)
    frame = frame_origins(measure_days(32), SITE, [at], SLOTS)
    holiday = gather_facts(LOAD, frame, pair_origins(frame, [at], SLOTS)).holiday
    assert (holiday[0], holiday[-1]) == (1, 0)
