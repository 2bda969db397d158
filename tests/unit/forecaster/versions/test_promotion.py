from datetime import date, timedelta

import numpy as np
import pytest

from services.forecaster.versions.promotion import Shadow, choose_version

FIRST = date(2024, 3, 1)
NOISE = np.random.default_rng(3).normal(1, 0.1, 60)


def shadow(
    level: float,
    *,
    days: int = 20,
    regret: float | None = None,
    money_days: int = 20,
    first: int = 0,
) -> Shadow:
    """A version whose loss is ``level`` on average, with the days' own luck, which all versions
    share in part.
    """
    rng = np.random.default_rng(int(1000 * level))
    losses = {
        FIRST + timedelta(days=day): {
            "load_kwh": level * NOISE[day] * rng.normal(1, 0.02),
            "pv_kwh": 3 * level * NOISE[day],
        }
        for day in range(first, days)
    }
    known = [] if regret is None else list(losses)[:money_days]
    return Shadow(
        losses, {day: float(regret or 0.0) * NOISE[place] for place, day in enumerate(known)}
    )


def test_a_version_that_is_better_on_every_day_takes_the_place_of_the_active_one() -> None:
    chosen, [comparison] = choose_version(shadow(1.0), {"aurora": shadow(0.8)})
    assert (chosen, comparison.days, comparison.first_day) == ("aurora", 20, FIRST)
    assert comparison.loss_ratio == pytest.approx(0.8, abs=0.02)
    assert "what its errors cost is not known" in comparison.reason


@pytest.mark.parametrize("level", [1.0, 1.2], ids=["as good", "worse"])
def test_a_version_that_is_not_better_stays_in_shadow(level: float) -> None:
    chosen, [comparison] = choose_version(shadow(1.0), {"aurora": shadow(level)})
    assert chosen is None
    assert comparison.reason.startswith("not better by more than chance")


def test_thirteen_days_are_too_few() -> None:
    chosen, [comparison] = choose_version(shadow(1.0), {"aurora": shadow(0.5, days=13)})
    assert (chosen, comparison.reason) == (
        None,
        "scored beside the active version on 13 days, 14 are needed",
    )
    assert choose_version(shadow(1.0), {"aurora": shadow(0.5, days=14)})[0] == "aurora"


def test_only_days_on_which_both_were_scored_count() -> None:
    [comparison] = choose_version(shadow(1.0, days=20), {"aurora": shadow(0.5, days=30, first=10)})[
        1
    ]
    assert comparison.days == 10


def test_the_last_four_weeks_count() -> None:
    long_ago_worse = Shadow(shadow(5.0, days=20).losses | shadow(0.8, days=48, first=20).losses, {})
    chosen, [comparison] = choose_version(shadow(1.0, days=48), {"aurora": long_ago_worse})
    assert (chosen, comparison.days, comparison.first_day) == (
        "aurora",
        28,
        FIRST + timedelta(days=20),
    )


def test_a_version_that_is_better_but_dearer_stays_in_shadow() -> None:
    chosen, [comparison] = choose_version(
        shadow(1.0, regret=0.2), {"aurora": shadow(0.8, regret=0.3)}
    )
    assert chosen is None
    assert comparison.reason.startswith("better by loss but dearer")
    assert (comparison.regret, comparison.active_regret) == (
        pytest.approx(0.3, rel=0.1),
        pytest.approx(0.2, rel=0.1),
    )


def test_a_version_that_is_better_and_cheaper_is_promoted_with_both_figures() -> None:
    chosen, [comparison] = choose_version(
        shadow(1.0, regret=0.2), {"aurora": shadow(0.8, regret=0.1)}
    )
    assert chosen == "aurora"
    assert comparison.regret == pytest.approx(0.1, rel=0.1)


def test_money_of_few_days_decides_nothing() -> None:
    chosen, [comparison] = choose_version(
        shadow(1.0, regret=0.2), {"aurora": shadow(0.8, regret=9.0, money_days=6)}
    )
    assert (chosen, comparison.money_days, comparison.regret) == ("aurora", 0, None)


def test_what_is_dearer_by_chance_alone_does_not_count() -> None:
    active = shadow(1.0, regret=0.2)
    aurora = shadow(0.8, regret=0.2)
    luck = {FIRST: 1.6, FIRST + timedelta(days=9): -0.8}
    chosen, [comparison] = choose_version(
        active, {"aurora": Shadow(aurora.losses, {**aurora.regrets, **luck})}
    )
    # One day of twenty costs 1.4 more, another 1.0 less: 0.02 on average, a tenth of the regret,
    # with a standard error four times as large.
    assert (chosen, comparison.regret) == ("aurora", pytest.approx(0.22, rel=0.1))
    assert comparison.dearer_p_value == pytest.approx(0.4, abs=0.1)


def test_of_several_that_are_better_the_best_is_chosen() -> None:
    chosen, compared = choose_version(
        shadow(1.0), {"median": shadow(0.9), "aurora": shadow(0.7), "naive": shadow(1.3)}
    )
    assert chosen == "aurora"
    assert [comparison.better for comparison in compared] == [True, True, False]


def test_a_series_that_nobody_can_miss_does_not_count() -> None:
    dark = {day: loss | {"pv_kwh": 0.0} for day, loss in shadow(1.0).losses.items()}
    darker = {day: loss | {"pv_kwh": 0.0} for day, loss in shadow(0.8).losses.items()}
    [comparison] = choose_version(Shadow(dark, {}), {"aurora": Shadow(darker, {})})[1]
    assert comparison.loss_ratio == pytest.approx(0.8, abs=0.02)
