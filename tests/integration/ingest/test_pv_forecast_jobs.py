"""PV forecasts from outside into the database, as versions that are compared with Luna's own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.data import FetchPvReply, FetchPvRequest, SitePvReply
from luna.contracts.forecast import EvaluateRequest
from luna.contracts.forecast_explanation import ExplainRequest, IssueScenariosRequest
from luna.contracts.forecast_versions import PromoteRequest
from luna.contracts.plan import PlanRequest
from luna.energy.observations import Observations
from luna.energy.outlook import Quantiles
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.house.missing_forecasts import find_missing_forecast
from luna.platform.clock import FixedClock
from luna.platform.database import forecast_issues, forecasts, observations
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.objects import FileObjects
from luna.platform.settings import Settings
from services.forecaster.explanation.stored_explanations import explain_forecast
from services.forecaster.scenarios.joint_scenarios import issue_requested
from services.forecaster.versions.comparison import evaluate_versions
from services.forecaster.versions.promotion import describe_status, promote_by_hand
from services.forecaster.versions.shadow import Judge, describe_day
from services.ingest.pv_service import fetch_pv_forecasts, list_scenario_requests
from tests.support.database.site import issue_half_a_kilowatt, stored_site
from tests.support.gateway.outside_service import Service, Services, recorded
from tests.support.words.wording import wording

NOW = datetime(2026, 6, 1, 5, 10, tzinfo=UTC)
FIVE = datetime(2026, 6, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
CHOSEN = Settings.model_validate({"solcast_token": "roof-1:key"})
PLACE = {"latitude": 52.5162, "longitude": 13.3777}
ROOFS = [{"name": "roof", "peak_kw": 4}]


@pytest.fixture
def home(database: Engine) -> Iterator[Site]:
    """A stored home with a roof, whose load is forecast at five."""
    with stored_site(database, name="pv-home", location=PLACE, pv=ROOFS) as site:
        with unit_of_work(database) as connection:
            issue_half_a_kilowatt(connection, site.name, FIVE)
        yield site


def fetch(
    engine: Engine, service: Service, *, now: datetime = NOW, settings: Settings = CHOSEN
) -> FetchPvReply:
    return fetch_pv_forecasts(
        engine,
        FetchPvRequest(site_id="pv-home"),
        settings,
        clock=FixedClock(now),
        transport=Services(solcast=service, forecast_solar=service),
    )


def test_an_issue_is_a_whole_forecast_with_the_load_of_the_version_in_use(
    database: Engine, home: Site
) -> None:
    service = Service(recorded("solcast.json"))
    (site,) = fetch(database, service).sites
    assert (site.forecast_version, site.issued_at, site.drives) == ("solcast", NOW, False)
    assert site.faults == []
    with unit_of_work(database) as connection:
        (stored,) = forecasts.read_all(
            connection, home.name, version="solcast", first=NOW, last=NOW
        )
    assert stored.timeline == Timeline(FIVE, SLOT, 192)
    assert set(stored.load_kwh.p50) == {0.125}
    # A fifth above the median at the most, half of it at the least.
    assert stored.pv_kwh.p90[20] == pytest.approx(1.2 * stored.pv_kwh.p50[20], rel=1e-3)
    assert stored.pv_kwh.p10[20] == pytest.approx(0.5 * stored.pv_kwh.p50[20], rel=1e-3)
    assert stored.pv_kwh.p50[20] > 0.5


def test_a_restart_within_a_turn_asks_nobody(database: Engine, home: Site) -> None:
    service = Service(recorded("solcast.json"))
    fetch(database, service)
    assert fetch(database, service, now=NOW + timedelta(hours=2)).sites == []
    assert len(service.asked) == 1
    assert fetch(database, service, now=NOW + timedelta(hours=3)).sites[0].faults == []
    assert len(service.asked) == 2


def test_nothing_is_fetched_that_nobody_chose(database: Engine, home: Site) -> None:
    service = Service(recorded("solcast.json"))
    for settings in (
        Settings.model_validate({}),
        CHOSEN.model_copy(update={"outside_services": False}),
    ):
        assert fetch(database, service, settings=settings).sites == []
    assert service.asked == []


def test_without_a_forecast_of_the_load_no_call_is_spent(database: Engine, home: Site) -> None:
    service = Service(recorded("solcast.json"))
    (site,) = fetch(database, service, now=NOW - DAY).sites
    assert (site.issued_at, len(site.faults), service.asked) == (None, 1, [])


def test_a_fault_of_one_service_leaves_the_other(database: Engine, home: Site) -> None:
    used_up = Service(httpx.Response(429, content=b"no"), recorded("forecast_solar.json"))
    both = CHOSEN.model_copy(update={"forecast_solar": True})
    failed, fetched = fetch(database, used_up, settings=both).sites
    assert (failed.issued_at, len(failed.faults)) == (None, 1)
    assert (fetched.forecast_version, fetched.issued_at) == ("forecast_solar", NOW)


def test_its_issues_are_scored_beside_the_others_and_can_be_put_into_use(
    database: Engine, home: Site, tmp_path: Path
) -> None:
    objects = FileObjects(tmp_path)
    turns = [NOW - 6 * timedelta(hours=1) + step * timedelta(hours=6) for step in range(4)]
    with unit_of_work(database) as connection:
        for turn in turns:
            issue_half_a_kilowatt(connection, home.name, turn - timedelta(minutes=10))
    for turn in turns:
        fetch(database, Service(recorded("solcast.json")), now=turn)
    with unit_of_work(database) as connection:
        (said,) = forecasts.read_all(connection, home.name, version="solcast", first=NOW, last=NOW)
        # Nine such days, as sunny as Solcast expects.
        measured = Timeline(FIVE - 7 * DAY, SLOT, 9 * 96)
        energies = {
            "load_kwh": np.full(measured.count, 0.125),
            "pv_kwh": np.tile(said.pv_kwh.p50[:96], 9),
        }
        observations.upsert(connection, home.name, Observations.of(measured.starts, energies))
        judge = Judge(connection, home, objects)
        scored = judge.score_day(describe_day(date(2026, 6, 1), BERLIN), anew=False)
        assert {"solcast", DEFAULT_VERSION} <= set(scored)
        assert "forecast_solar" not in scored
        status = describe_status(connection, home.name, now=NOW + 4 * DAY)
        assert "solcast" in {candidate.version for candidate in status.candidates}

        day = {"from_day": date(2026, 6, 1), "to_day": date(2026, 6, 1), "every_minutes": 480}
        request = EvaluateRequest.model_validate(
            {"site_id": home.name, "versions": ["seasonal_naive", "solcast", "forecast_solar"]}
            | day
        )
        compared = evaluate_versions(connection, request, objects=objects).versions
        assert set(compared) == {"seasonal_naive", "solcast"}
        assert compared["solcast"].series["pv_kwh"].mae == pytest.approx(0, abs=1e-3)

        promotion = PromoteRequest(
            site_id=home.name, forecast_version="solcast", reason="it knows our hill"
        )
        assert promote_by_hand(connection, promotion).forecast_version == "solcast"
        evening = floor_to(turns[-1], SLOT)
        driving = forecasts.read_driving(
            connection, home, Timeline(evening, SLOT, 4), known_at=turns[-1]
        )
    assert driving is not None
    assert (driving.forecast.version, driving.fallback_reason) == ("solcast", None)


def test_a_blend_trusts_a_service_for_as_much_as_it_was_right(
    database: Engine, home: Site, tmp_path: Path
) -> None:
    answer = recorded("solcast.json")
    # Without issues that can be compared, Luna's own forecast stands alone.
    assert len(fetch(database, Service(answer)).sites) == 1
    with unit_of_work(database) as connection:
        (solcast,) = forecasts.read_all(
            connection, home.name, version="solcast", first=NOW, last=NOW
        )
        own = forecasts.read_all(
            connection, home.name, version=DEFAULT_VERSION, first=FIVE, last=FIVE
        )[0]
        sun_kwh = np.tile(solcast.pv_kwh.p50[:96], 12)
        measured = Timeline(FIVE - 10 * DAY, SLOT, 12 * 96)
        # Ten days on which Luna's own was twice as far off as Solcast, above and below.
        for day in range(10, 0, -1):
            for forecast, factor in ((solcast, 1.1), (own, 0.8)):
                ahead = Timeline(FIVE - day * DAY, SLOT, 192)
                pv = Quantiles.exact(factor * sun_kwh[:192])
                issue = replace(forecast, timeline=ahead, issued_at=ahead.start + SLOT, pv_kwh=pv)
                forecasts.upsert(connection, home.name, [issue])
        energies = {"load_kwh": np.full(measured.count, 0.125), "pv_kwh": sun_kwh}
        observations.upsert(connection, home.name, Observations.of(measured.starts, energies))
        present = replace(own, pv_kwh=Quantiles.exact(0.8 * sun_kwh[:192]))
        forecasts.upsert(connection, home.name, [present])
        forecast_issues.upsert(
            connection, home.name, [ForecastIssue(DEFAULT_VERSION, present.issued_at, "full")]
        )
    later = NOW + timedelta(hours=3)
    fetched, blended = fetch(database, Service(answer), now=later).sites
    assert (fetched.forecast_version, blended.forecast_version) == ("solcast", "blended_pv")
    with unit_of_work(database) as connection:
        issues = {
            version: forecasts.read_all(
                connection, home.name, version=version, first=later, last=later
            )[0]
            for version in ("solcast", "blended_pv")
        }
        question = ExplainRequest(
            site_id=home.name, at=later, slot=FIVE + 5 * HOUR, forecast_version="blended_pv"
        )
        explained = explain_forecast(connection, question, objects=FileObjects(tmp_path))
    # Errors of 0.1 and 0.2: weights of 1 / 0.01 and 1 / 0.04, four fifths and one fifth.
    slot = (FIVE + 6 * HOUR - issues["solcast"].timeline.start) // SLOT
    own_kwh = 0.8 * sun_kwh[24]
    outside_kwh = issues["solcast"].pv_kwh.p50[slot]
    expected_kwh = 0.8 * outside_kwh + 0.2 * own_kwh
    assert issues["blended_pv"].pv_kwh.p50[slot] == pytest.approx(expected_kwh, rel=1e-3)
    assert issues["blended_pv"].load_kwh.p50[slot] == 0.125
    # Four fifths where enough was compared, and less of the last hours of daylight.
    (reason,) = explained.reasons
    percent = int(reason.removeprefix("pv_blended:"))
    assert 70 <= percent <= 80
    assert wording("conditions", "pv_blended", "en", percent=str(percent)) in explained.conditions


def test_scenarios_are_made_beside_an_issue_and_it_can_be_explained(
    database: Engine, home: Site, tmp_path: Path
) -> None:
    objects = FileObjects(tmp_path)
    fetch(database, Service(recorded("solcast.json")))
    with unit_of_work(database) as connection:
        measured = Timeline(FIVE - 30 * DAY, SLOT, 30 * 96)
        energies = {
            "load_kwh": np.full(measured.count, 0.125),
            "pv_kwh": np.zeros(measured.count),
        }
        observations.upsert(connection, home.name, Observations.of(measured.starts, energies))
        request = IssueScenariosRequest(site_id=home.name, at=NOW, forecast_version="solcast")
        scenarios = issue_requested(connection, request, objects=objects).scenarios
        assert (scenarios.version, scenarios.issued_at) == ("solcast", NOW)
        (said,) = forecasts.read_all(connection, home.name, version="solcast", first=NOW, last=NOW)
        mean_kwh = scenarios.probability @ scenarios.pv_kwh
        assert mean_kwh == pytest.approx(said.pv_kwh.expected, rel=0.02, abs=1e-3)
        question = ExplainRequest(
            site_id=home.name,
            at=NOW,
            slot=FIVE + 5 * timedelta(hours=1),
            forecast_version="solcast",
        )
        (slot,) = explain_forecast(connection, question, objects=objects).slots
        assert slot.pv.expected_kw == pytest.approx(4 * said.pv_kwh.expected[20], rel=0.01)


def test_a_plan_waits_for_no_service_and_falls_back_on_luna_s_own(
    database: Engine, home: Site
) -> None:
    with unit_of_work(database) as connection:
        promotion = PromoteRequest(
            site_id=home.name, forecast_version="solcast", reason="it knows our hill"
        )
        promote_by_hand(connection, promotion)
        request = PlanRequest(site_id=home.name)
        # The own forecast of five is fresh: a plan can be made from it.
        assert find_missing_forecast(connection, request, now=NOW) is None
        missing = find_missing_forecast(connection, request, now=NOW + timedelta(hours=9))
        assert missing is not None
        assert missing.forecast_version == DEFAULT_VERSION


def test_scenarios_are_asked_for_beside_what_a_plan_uses_alone() -> None:
    fetched = FetchPvReply(
        sites=[
            SitePvReply(site_id="one", forecast_version="solcast", issued_at=NOW, drives=True),
            SitePvReply(site_id="one", forecast_version="forecast_solar", issued_at=NOW),
            SitePvReply(site_id="two", faults=["away"]),
        ]
    )
    (request,) = list_scenario_requests(fetched)
    assert (request.site_id, request.at, request.forecast_version) == ("one", NOW, "solcast")


def test_a_service_that_is_not_reached_is_told_from_one_that_refuses(
    database: Engine, home: Site
) -> None:
    away = fetch(database, Service(httpx.ConnectError("no route to host")))
    refused = fetch(database, Service(httpx.Response(401, content=b"no")))
    assert (away.reached, refused.reached) == (False, True)
    assert [len(reply.sites[0].faults) for reply in (away, refused)] == [1, 1]
