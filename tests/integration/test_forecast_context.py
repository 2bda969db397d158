"""What is stored around a site, as a forecast may know it."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, func, select

from luna.energy.site import Location
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import readings, site_removal, sites, weather_carbon
from luna.platform.database.schema.series import weather
from services.forecaster.inputs.context import read_context
from services.forecaster.inputs.frame import number_slot
from tests.support.household.measurements import START, day, describe_site

pytestmark = pytest.mark.every_database

SITE = describe_site(input_sensors={"vacation_mode": ["holiday", "-somebody_in", "never_seen"]})
DAY = Timeline(START, SLOT, 96)


@pytest.fixture
def home(connection: Connection) -> Connection:
    sites.save(connection, SITE)
    return connection


def test_the_weather_is_read_as_it_was_issued(home: Connection) -> None:
    measured = np.full(96, 10.0)
    forecast = np.full(96, 12.0)
    weather_carbon.upsert(
        home, "weather", "home", DAY.starts, values={"temperature_c": measured}, issued_at=None
    )
    issued = np.full(96, np.datetime64((START - timedelta(hours=5)).replace(tzinfo=None), "us"))
    weather_carbon.upsert(
        home, "weather", "home", DAY.starts, values={"temperature_c": forecast}, issued_at=issued
    )
    weather = read_context(home, SITE, first=START, end=day(1)).weather
    slot = np.array([number_slot(day(0, 12))] * 3)
    assert weather.at(slot, slot + np.array([-80, 0, 1]))["temperature_c"] == pytest.approx(
        [np.nan, 12, 10], nan_ok=True
    )
    assert np.isnan(weather.at(slot, slot)["ghi_w_m2"]).all()
    assert len(read_context(home, SITE, first=day(1), end=day(2)).weather) == 0


def test_a_site_that_moves_leaves_its_weather_behind_and_finds_it_when_it_comes_back(
    home: Connection,
) -> None:
    def move(latitude: float) -> None:
        sites.save(
            home, SITE.model_copy(update={"location": Location(latitude=latitude, longitude=13.4)})
        )

    def read() -> list[float]:
        known = read_context(home, SITE, first=START, end=day(1)).weather
        now = weather_carbon.read_weather(home, "home", DAY, known_at=day(1))["temperature_c"]
        listed = weather_carbon.list_places(home, ["home"], first=START, end=day(1))
        assert listed == ({"home"} if len(known) else set())
        assert sorted(set(known.series["temperature_c"])) == sorted(set(now[np.isfinite(now)]))
        return sorted(set(now[np.isfinite(now)]))

    for latitude, temperature in ((52.5, 10.0), (40.4, 30.0)):
        move(latitude)
        assert read() == []
        weather_carbon.upsert(
            home,
            "weather",
            "home",
            DAY.starts,
            values={"temperature_c": np.full(96, temperature)},
            issued_at=None,
        )
        assert read() == [temperature]
    move(52.55)
    assert read() == [10]
    site_removal.remove(home, "home")
    assert (
        home.scalar(
            select(func.count()).select_from(weather).where(weather.c.place.startswith("home"))
        )
        == 0
    )


def test_of_forecasts_of_the_same_three_hours_the_last_is_read(home: Connection) -> None:
    # After 19:00 UTC on the day before: bins end at 21:00
    for minutes, temperature in ((5, 1.0), (65, 2.0), (125, 3.0), (185, 4.0)):
        issued = np.full(
            96,
            np.datetime64((START - timedelta(hours=5)).replace(tzinfo=None), "us")
            + np.timedelta64(minutes, "m"),
        )
        weather_carbon.upsert(
            home,
            "weather",
            "home",
            DAY.starts,
            values={"temperature_c": np.full(96, temperature)},
            issued_at=issued,
        )
    weather = read_context(home, SITE, first=START, end=day(1)).weather
    assert sorted(set(weather.series["temperature_c"])) == [2, 4]
    assert (
        weather.at(np.array([number_slot(day(0, 12))]), np.array([number_slot(START)]))[
            "temperature_c"
        ]
        == 4
    )


def test_vacation_is_what_any_switch_says_also_one_turned_long_before(home: Connection) -> None:
    keys = readings.register(home, "home", {"holiday": None, "somebody_in": None})
    read = [
        ("holiday", day(-9), 1.0),
        ("holiday", day(0, 6), 0.0),
        ("somebody_in", day(-3), 1.0),
        ("somebody_in", day(0, 18), 0.0),
    ]
    instants = np.array(
        [instant.replace(tzinfo=None) for _, instant, _ in read], dtype="datetime64[us]"
    )
    readings.upsert(
        home,
        np.array([keys[name] for name, _, _ in read], dtype=np.int32),
        instants,
        np.array([value for _, _, value in read]),
    )
    vacation = read_context(home, SITE, first=START, end=day(1)).vacation
    shares = vacation.shares(number_slot(START) + np.arange(96))
    assert shares.tolist() == [1.0] * 24 + [0.0] * 48 + [1.0] * 24


def test_a_site_of_which_nothing_is_stored_has_an_empty_context(home: Connection) -> None:
    context = read_context(home, SITE, first=START, end=day(1))
    assert len(context.weather) == 0
    assert context.vacation.instants.size == 0
