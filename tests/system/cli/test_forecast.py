"""``luna forecast`` as a script sees it: one JSON document on stdout, a problem on stderr."""

import pytest
from sqlalchemy import Engine

from luna.platform.database import engine, observations, sites
from tests.support.command_line.call import Luna
from tests.support.household.measurements import day, describe_site, measure_days

TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
SITE = ("--site", "forecast_cli", "--json")


@pytest.fixture
def forecast(luna_on_servers: Luna, database: Engine) -> Luna:
    """Runs ``luna forecast`` against a database that holds a site with fifteen days."""
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="forecast_cli", tariff=TARIFF))
        observations.upsert(connection, "forecast_cli", measure_days(15))
    return lambda *words: luna_on_servers("forecast", *words, *SITE)


@pytest.mark.usefixtures("forecast")
def test_who_trains_on_the_first_days_is_told_that_nothing_was_learned_yet(
    luna_on_servers: Luna,
) -> None:
    said = luna_on_servers(
        "forecast", "train", "--site", "forecast_cli", "--until", day(2).isoformat()
    )
    assert said.code == 0, said.err
    assert "Nothing was learned yet" in said.out


def test_what_was_trained_is_issued_and_compared(forecast: Luna) -> None:
    trained = forecast("train", "--until", day(14).isoformat())
    assert (trained.code, trained.document["days"]) == (0, 14), trained.err
    issued = forecast(
        "issue", "--at", day(14).isoformat(), "--to", day(14, hours=6).isoformat(), "--every", "3h"
    ).document
    assert (len(issued["issued_at"]), issued["stage"], len(issued["forecast"])) == (3, "young", 192)
    assert (
        issued["forecast"][0]["load_p10_kwh"]
        <= issued["forecast"][0]["load_p50_kwh"]
        <= issued["forecast"][0]["load_p90_kwh"]
    )
    assert issued["reasons"] == []
    card = forecast("card").document["facts"]
    assert (card["run_id"], card["days_by_quality"]) == (
        trained.document["run_id"],
        {"unjudged": 15},
    )
    compared = forecast(
        "evaluate",
        "--from",
        "2024-03-15",
        "--to",
        "2024-03-15",
        "--versions",
        "seasonal_naive,baseline_7_day_avg",
        "--money",
    ).document
    assert compared["origins"] == 4
    naive = compared["versions"]["seasonal_naive"]
    assert naive["series"]["load_kwh"]["skill"] == 0
    # A house without a battery has nothing to plan: no error costs anything.
    assert (naive["regret_per_day"], naive["regret_days"]) == (pytest.approx(0.0), 1)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("issue", "--at", "2024-03-14T00:00:00Z", "--every", "often"), "--every"),
        (
            ("issue", "--at", "2024-03-14T00:00:00Z", "--version", "crystal_ball"),
            "forecast_version",
        ),
    ],
    ids=["no duration", "no version"],
)
def test_bad_input_is_named_and_ends_with_two(
    forecast: Luna, words: tuple[str, ...], named: str
) -> None:
    said = forecast(*words)
    assert (said.code, said.out, said.problem["field"]) == (2, "", named)


def test_a_plan_without_a_fresh_forecast_has_one_issued_and_says_by_which_version(
    forecast: Luna, luna_on_servers: Luna
) -> None:
    assert forecast("promote", "--version", "seasonal_naive").code == 0
    planned = luna_on_servers(
        "plan", "--site", "forecast_cli", "--start", day(13, hours=10).isoformat(), "--json"
    )
    assert planned.code == 0, planned.err
    assert planned.document["forecast"] == {
        "version": "seasonal_naive",
        "issued_at": "2024-03-14T10:00:00Z",
        "fallback_reason": None,
    }
