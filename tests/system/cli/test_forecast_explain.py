"""``luna forecast explain`` and ``plot`` as a script sees them."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts import IssueRequest
from luna.platform.database import engine, observations, sites
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from tests.support.command_line.call import Luna
from tests.support.household.measurements import day, describe_site, measure_days
from tests.support.words.wording import wording

AT = (
    "--site",
    "explain_cli",
    "--at",
    day(9, hours=1).isoformat(),
    "--version",
    "baseline_7_day_median",
)


@pytest.fixture
def forecast(luna_on_servers: Luna, database: Engine) -> Luna:
    """Runs ``luna forecast`` against a database in which a baseline was issued an hour before
    ``AT``, and a day has passed since.
    """
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="explain_cli"))
        observations.upsert(connection, "explain_cli", measure_days(10))
        issue_forecasts(
            connection,
            IssueRequest(
                site_id="explain_cli", at=day(9), forecast_version="baseline_7_day_median"
            ),
            objects=FileObjects(Path()),
        )
    return lambda *words: luna_on_servers("forecast", *words)


def test_a_slot_is_explained_in_words_and_in_figures(forecast: Luna) -> None:
    told = forecast("explain", *AT, "--slot", day(9, hours=19).isoformat(), "--json").document[
        "slots"
    ][0]["load"]
    assert [contribution["code"] for contribution in told["contributions"]] == ["habit"]
    said = forecast("explain", *AT, "--slot", day(9, hours=19).isoformat(), "--language", "de")
    assert (said.code, said.err) == (0, "")
    assert wording("differences", "reason_habit", "de") in " ".join(said.out.split())


def test_a_forecast_that_is_the_usual_itself_says_so(forecast: Luna, database: Engine) -> None:
    with engine.unit_of_work(database) as connection:
        issue_forecasts(
            connection,
            IssueRequest(site_id="explain_cli", at=day(9), forecast_version="baseline_7_day_avg"),
            objects=FileObjects(Path()),
        )
    asked = (
        "explain",
        "--site",
        "explain_cli",
        "--at",
        day(9, hours=1).isoformat(),
        "--version",
        "baseline_7_day_avg",
    )
    said = forecast(*asked, "--language", "de")
    assert said.code == 0, said.err
    the_usual = wording("forecast_command", "the_usual", "de")
    assert the_usual in " ".join(said.out.split())
    assert the_usual not in " ".join(forecast("explain", *AT, "--language", "de").out.split())


def test_all_slots_are_shown_by_the_hour(forecast: Luna) -> None:
    said = forecast("explain", *AT)
    assert said.code == 0, said.err
    assert sum(":00 " in line for line in said.out.splitlines()) >= 48


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_picture_is_drawn(forecast: Luna, tmp_path: Path, suffix: str) -> None:
    said = forecast("plot", *AT, "--out", str(tmp_path / f"forecast.{suffix}"), "--json")
    assert said.code == 0, said.err
    assert (said.document["file"], said.document["forecast_version"]) == (
        str(tmp_path / f"forecast.{suffix}"),
        "baseline_7_day_median",
    )
    picture = (tmp_path / f"forecast.{suffix}").read_text(encoding="utf-8")
    assert wording("forecast_chart", "happened") in picture
    assert "baseline_7_day_median, made Sun 10" in picture


def test_another_kind_of_picture_is_refused(forecast: Luna, tmp_path: Path) -> None:
    said = forecast("plot", *AT, "--out", str(tmp_path / "forecast.gif"))
    assert (said.code, said.problem["field"]) == (2, "--out")
