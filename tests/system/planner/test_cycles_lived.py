"""Full cycles a day where load and sun come otherwise than forecast, and of a site whose day is
recorded.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.plan import PlanRequest
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.physics.limits import SiteLimits
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, split_days
from luna.platform.database import forecasts, observations, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.problem.knowledge import ForecastArchive, PriceVintages, SitePrices
from services.planner.problem.rolling_horizon import HORIZON, SiteKnowledge
from services.planner.replay.policies import ModelPredictive
from services.planner.service.plans import complete_request, plan_and_store

DAY = 96
BATTERY = {
    "capacity_kwh": 8,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "max_cycles_per_day": 0.4,
}
TARIFF = {
    "import": {"kind": "spot", "market": "NL", "markup": 0.13},
    "export": {"kind": "fixed", "price": 0.05},
}


def live(site: Site, days: int) -> FloatArray:
    """Return what the battery discharges on each day of a noisy house, planned every hour."""
    rng = np.random.default_rng(4)
    zone = ZoneInfo(site.timezone)
    begin = datetime(2023, 10, 2, 22, tzinfo=UTC)
    count = days * DAY + HORIZON // SLOT
    hour = np.arange(count) % DAY / 4
    load = (0.06 + 0.3 * np.exp(-((hour - 17) ** 2) / 6)) * rng.gamma(4, 0.25, count)
    pv = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * 0.3
    timeline = Timeline(begin, SLOT, count)
    told = [Quantiles.exact(series * rng.uniform(0.6, 1.4, count)) for series in (load, pv)]
    prices = Timeline(begin - 8 * DAY * SLOT, SLOT, 8 * DAY + count)
    spot = np.repeat(rng.normal(0.1, 0.07, prices.count // 4), 4)
    vintages = PriceVintages(
        prices, np.arange(prices.count), prices.starts - np.timedelta64(3, "D"), spot
    )
    known = SiteKnowledge(
        site,
        ForecastArchive([Forecast(timeline, begin, "made_up", *told)]),
        SitePrices(site, prices, {"NL": vintages}),
    )
    window = timeline.window(0, days * DAY)
    lived = simulate(
        ModelPredictive(known, window, 4),
        Actuals(window, load[: window.count], pv[: window.count]),
        limits=SiteLimits.of(site),
        stored_kwh=np.array([[4.0]]),
    )
    return np.add.reduceat(lived.flows.discharge_kwh[0, 0], split_days(window, zone)[:-1])


def test_a_day_that_comes_otherwise_keeps_its_cycles_to_an_hours_error() -> None:
    site = parse_site(
        {
            "name": "home",
            "timezone": "Europe/Amsterdam",
            "pv": [{"peak_kw": 5}],
            "batteries": [BATTERY],
            "tariff": TARIFF,
        }
    )
    # 0.4 of 8 kWh; between two plans an hour's load may be two fifths above its forecast: a tenth
    # of a kWh.
    assert live(site, 1) == pytest.approx([3.2], abs=0.2)


@pytest.fixture
def cycled(connection: Connection) -> str:
    """A stored site of two batteries that have given 3 kWh since midnight."""
    batteries = [
        BATTERY | {"name": "one", "max_cycles_per_day": 1.0},
        BATTERY | {"name": "two", "capacity_kwh": 4, "max_cycles_per_day": 1.0},
    ]
    fixed = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
    site = parse_site(
        {"name": "cycled", "timezone": "UTC", "batteries": batteries, "tariff": fixed}
    )
    sites.save(connection, site)
    start = datetime(2024, 2, 1, 12, tzinfo=UTC)
    past = Timeline(start - 14 * 4 * SLOT, SLOT, 14 * 4)
    nothing = np.zeros(14 * 4)
    # From 22:00 of the day before 0.0625 kWh in each quarter-hour: 48 of them are of today.
    observations.upsert(
        connection,
        site.name,
        Observations(
            past.starts,
            nothing + 0.3,
            nothing,
            nothing + 0.3,
            nothing,
            nothing,
            nothing + 0.0625,
            nothing + 0.9,
        ),
    )
    load = Quantiles.exact(np.full(192, 0.5))
    forecasts.upsert(
        connection,
        site.name,
        [
            Forecast(
                Timeline(start, SLOT, 192),
                start,
                DEFAULT_VERSION,
                load,
                Quantiles.exact(np.zeros(192)),
            )
        ],
    )
    return site.name


def test_a_stored_sites_day_so_far_counts_by_what_each_battery_holds(
    connection: Connection, cycled: str
) -> None:
    start = datetime(2024, 2, 1, 12, tzinfo=UTC)
    request = complete_request(connection, PlanRequest(site_id=cycled, start=start), now=start)
    assert {
        name: state.discharged_today_kwh for name, state in request.state.batteries.items()
    } == pytest.approx({"one": 2.0, "two": 1.0})
    reply = plan_and_store(
        PlanRequest(site_id=cycled, start=start), lambda: connection, now=start, solver=Solver()
    )
    given = [
        sum(
            slot.batteries[name].discharge_kwh
            for slot in reply.slots
            if slot.start < start + timedelta(hours=12)
        )
        for name in ("one", "two")
    ]
    assert given[0] <= 6.0 + 1e-6
    assert given[1] <= 3.0 + 1e-6


NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)


def given_today(connection: Connection, *, soc: FloatArray, discharge_kwh: FloatArray) -> float:
    """Return what one battery of 10 kWh, of which 0.9 of a stored kWh comes out, counts as given by
    noon; the series end there.
    """
    battery = {
        "capacity_kwh": 10,
        "charge_limit_kw": 4,
        "discharge_limit_kw": 4,
        "discharge_efficiency": 0.9,
        "max_cycles_per_day": 1.0,
    }
    site = parse_site({"name": "sensed", "timezone": "UTC", "batteries": [battery]})
    sites.save(connection, site)
    past = Timeline(NOON - soc.size * SLOT, SLOT, soc.size)
    observations.upsert(
        connection,
        site.name,
        Observations.of(past.starts, {"soc": soc, "discharge_kwh": discharge_kwh}),
    )
    load = Quantiles.exact(np.full(192, 0.5))
    forecasts.upsert(
        connection,
        site.name,
        [
            Forecast(
                Timeline(NOON, SLOT, 192),
                NOON,
                DEFAULT_VERSION,
                load,
                Quantiles.exact(np.zeros(192)),
            )
        ],
    )
    request = complete_request(connection, PlanRequest(site_id=site.name, start=NOON), now=NOON)
    return float(request.state.batteries["battery"].discharged_today_kwh or 0.0)


def test_where_discharge_is_not_recorded_the_fall_of_the_state_of_charge_counts(
    connection: Connection,
) -> None:
    # 0.9 at midnight, where the last slot of the day before ends; 0.1 is given, then it is charged
    # to 1.0, then 0.2 are given: 0.3 × 10 × 0.9.
    soc = np.concatenate(
        [np.full(8, 0.95), [0.9], np.full(15, 0.8), np.full(16, 1.0), np.full(17, 0.8)]
    )
    assert given_today(
        connection, soc=soc, discharge_kwh=np.full(soc.size, np.nan)
    ) == pytest.approx(2.7)


def test_what_is_recorded_and_what_is_sensed_are_not_counted_twice(connection: Connection) -> None:
    # Until 06:00 0.05 kWh are recorded in each slot while the battery falls by 0.1; from then on
    # nothing is recorded and it falls by another 0.2.
    soc = np.concatenate([[0.9], np.linspace(0.9, 0.8, 25)[1:], np.linspace(0.8, 0.6, 25)[1:]])
    recorded = np.concatenate([[np.nan], np.full(24, 0.05), np.full(24, np.nan)])
    assert given_today(connection, soc=soc, discharge_kwh=recorded) == pytest.approx(
        24 * 0.05 + 0.2 * 10 * 0.9
    )


def test_a_gap_of_the_state_of_charge_counts_by_its_ends(connection: Connection) -> None:
    # Between 02:00 and 10:00 nothing is sensed; one slot of the gap has 1 kWh recorded, and 0.3 ×
    # 10 × 0.9 were given in all of it.
    soc = np.concatenate([np.full(9, 0.8), np.full(32, np.nan), np.full(8, 0.5)])
    recorded = np.where(np.arange(soc.size) == 20, 1.0, np.nan)
    assert given_today(connection, soc=soc, discharge_kwh=recorded) == pytest.approx(2.7)


def test_a_site_without_record_of_its_batteries_has_given_nothing(connection: Connection) -> None:
    assert (
        given_today(connection, soc=np.full(49, np.nan), discharge_kwh=np.full(49, np.nan)) == 0.0
    )


def test_what_a_request_says_of_the_day_stands(connection: Connection, cycled: str) -> None:
    start = datetime(2024, 2, 1, 12, tzinfo=UTC)
    told = {
        "one": {"soc": 0.5, "discharged_today_kwh": 7.5},
        "two": {"soc": 0.5, "discharged_today_kwh": 0},
    }
    request = complete_request(
        connection,
        PlanRequest.model_validate(
            {"site_id": cycled, "start": start, "state": {"batteries": told}}
        ),
        now=start,
    )
    assert [state.discharged_today_kwh for state in request.state.batteries.values()] == [7.5, 0.0]
