"""The standard load profile: a year of it is what the household uses, and days differ by kind and
season.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.site import Location
from luna.energy.site.household import HeatedBy
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.energy.weather import WeatherVintages
from services.forecaster.inputs.context import Context
from services.forecaster.inputs.frame import number_slot
from services.forecaster.inputs.standard_profile import HeatingLoad, StandardProfile
from services.forecaster.model.aurora import Aurora
from services.forecaster.model.baseline import BASELINES, LIKE_DAYS, Baseline
from tests.support.household.measurements import describe_site

SITE = describe_site(household={"yearly_kwh": 3500})
BERLIN = ZoneInfo(SITE.timezone)
NOTHING = Observations.of(np.array([], dtype="datetime64[s]"), {})


def load_between(first: date, end: date, **changes: object) -> FloatArray:
    """The profile's slots from one local day to another."""
    site = describe_site(**({"household": {"yearly_kwh": 3500}} | changes))
    zone = ZoneInfo(site.timezone)
    slots = [
        number_slot(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in (first, end)
    ]
    return StandardProfile.of(site).look_up(np.arange(*slots))


def load_of(day: date, **changes: object) -> FloatArray:
    return load_between(day, day + timedelta(days=1), **changes)


@pytest.mark.parametrize(
    ("year", "slots", "zone"),
    [
        pytest.param(2026, 35_040, "Europe/Berlin", id="common year"),
        pytest.param(2028, 35_136, "Australia/Sydney", id="leap year"),
    ],
)
def test_a_local_year_is_what_the_household_uses(year: int, slots: int, zone: str) -> None:
    load = load_between(date(year, 1, 1), date(year + 1, 1, 1), timezone=zone)
    assert load.size == slots
    assert load.sum() == pytest.approx(3500)
    assert load.min() > 0


def test_days_on_which_the_clock_changes_have_an_hour_less_and_one_more() -> None:
    assert load_of(date(2026, 3, 29)).size == 92
    assert load_of(date(2026, 10, 25)).size == 100
    # The evening stays where the clock says it is.
    usual = load_of(date(2026, 3, 22))[-16:]
    changed = load_of(date(2026, 3, 29))[-16:]
    assert changed == pytest.approx(usual, rel=0.03)


def test_winter_takes_more_than_summer_and_evenings_more_than_nights() -> None:
    winter = load_of(date(2026, 1, 14))
    summer = load_of(date(2026, 7, 15))
    assert winter.sum() > 1.2 * summer.sum()
    assert 17 * 4 <= winter.argmax() <= 20 * 4
    assert winter.max() > 2.5 * winter.min()


def test_winter_is_june_to_august_south_of_the_equator() -> None:
    year = date(2026, 1, 1)
    days = [
        load_of(year + timedelta(days=number), timezone="Australia/Sydney", location=None).sum()
        for number in range(0, 364, 7)
    ]
    by_quarter = [np.mean(days[first : first + 13]) for first in range(0, 52, 13)]
    # July to September are cold there, January to March are warm.
    assert by_quarter[2] > 1.1 * by_quarter[0]
    assert days[28] > 1.2 * days[2]
    sydney = {"latitude": -33.87, "longitude": 151.21}
    heating = {"yearly_kwh": 6000, "heated_by": "heat_pump", "heating_kwh": 3000}
    january, july = (
        load_of(date(2026, month, 14), location=sydney, household=heating).sum() for month in (1, 7)
    )
    assert july > 2 * january


def test_southern_days_keep_their_weekdays_holidays_and_clock() -> None:
    sydney = {"timezone": "Australia/Sydney", "country": "AU", "location": None}
    northern = {"country": "AU"}
    # Australia Day 2026 is a Monday; 26 weeks later the day is a working one in the north.
    holiday, monday = (load_of(date(2026, 1, day), **sydney) for day in (26, 19))
    sunday = load_of(date(2026, 1, 25), **sydney)
    assert holiday == pytest.approx(sunday, rel=0.03)
    assert np.abs(holiday - monday).max() > 0.2 * sunday.mean()
    # A Wednesday there has the shape of the Wednesday half a year later here.
    there = load_of(date(2026, 1, 14), **sydney)
    here = load_of(date(2026, 7, 15), **northern)
    assert there / there.sum() == pytest.approx(here / here.sum())
    # Clocks change on a Sunday of an hour less.
    assert load_of(date(2026, 10, 4), **sydney).size == 92


def test_holidays_are_sundays_and_saturdays_days_of_their_own() -> None:
    # Thursdays, of which the second is Ascension; and the Sunday after it.
    working, ascension, sunday = (
        load_of(day) for day in (date(2026, 5, 7), date(2026, 5, 14), date(2026, 5, 17))
    )
    saturday = load_of(date(2026, 5, 16))
    assert ascension == pytest.approx(sunday, rel=0.02)
    assert np.abs(working - sunday).max() > 0.2 * sunday.mean()
    assert np.abs(saturday - sunday).max() > 0.1 * sunday.mean()
    # In France the 14th of July is one, in Germany it is a Tuesday.
    at_home, abroad = (load_of(date(2026, 7, 14), country=country) for country in ("DE", "FR"))
    assert not np.allclose(at_home / at_home.sum(), abroad / abroad.sum())


@pytest.mark.parametrize(
    "forecaster",
    [*(Baseline(version, SITE) for version in BASELINES), Aurora(SITE)],
    ids=[*BASELINES, "aurora"],
)
def test_every_version_speaks_by_it_of_a_household_of_which_nothing_was_measured(
    forecaster: Baseline | Aurora,
) -> None:
    # Across the turn of the year, where two years of the profile meet.
    at = datetime(2026, 12, 30, tzinfo=BERLIN)
    load = forecaster.issue_many(NOTHING, [at.astimezone(UTC)]).load_kwh
    assert load.expected[0] == pytest.approx(load_between(date(2026, 12, 30), date(2027, 1, 1)))
    assert (load.p10[0] < load.expected[0]).all()
    assert (load.p90[0] > load.expected[0]).all()


def measure_hours(hours: int, factor: float, *, end: datetime) -> Observations:
    """Hours of a load that is the profile's times a factor."""
    start = end - timedelta(hours=hours)
    starts = Timeline(start, SLOT, 4 * hours).starts
    load = factor * StandardProfile.of(SITE).look_up(
        np.arange(number_slot(start), number_slot(end))
    )
    return Observations.of(starts, {"load_kwh": load, "pv_kwh": np.zeros(load.size)})


def test_a_few_hours_move_its_level_and_keep_its_shape() -> None:
    origin = datetime(2026, 11, 25, 5, tzinfo=UTC)
    standard = load_between(date(2026, 11, 25), date(2026, 11, 26))[6 * 4 :]
    forecaster = Baseline(LIKE_DAYS, SITE)
    for hours in (2, 8):
        load = forecaster.issue_many(
            measure_hours(hours, 2.0, end=origin), [origin]
        ).load_kwh.expected[0][: standard.size]
        # After the first hour, which knows what came just before it, and before the times of day
        # that were measured come again.
        lifted = load[4:56] / standard[4:56]
        assert lifted == pytest.approx(lifted.mean(), rel=0.02)
        assert 1.02 < lifted.mean() < 1.5


def test_from_a_day_on_what_was_measured_speaks_alone() -> None:
    origin = datetime(2026, 11, 25, tzinfo=UTC)
    measured = measure_hours(24, 3.0, end=origin)
    issued = [
        Baseline(LIKE_DAYS, describe_site(household=said)).issue_many(measured, [origin])
        for said in ({"yearly_kwh": 900}, {"persons": 5}, {})
    ]
    assert all(
        np.array_equal(each.load_kwh.expected, issued[0].load_kwh.expected) for each in issued
    )


COLD, WARM = (Location(latitude=latitude, longitude=10.0) for latitude in (60.0, 38.0))


@pytest.mark.parametrize("heated_by", ["heat_pump", "electric"])
def test_what_heats_takes_a_usual_year_and_more_the_colder_it_is(heated_by: HeatedBy) -> None:
    year = np.arange(
        number_slot(datetime(2026, 1, 1, tzinfo=UTC)), number_slot(datetime(2027, 1, 1, tzinfo=UTC))
    )
    for place in (COLD, WARM, Location(latitude=-40, longitude=175)):
        # A common year lacks a quarter of a winter's day.
        assert HeatingLoad(4000, heated_by, place).look_up(year).sum() == pytest.approx(
            4000, rel=0.004
        )
    load = HeatingLoad(4000, heated_by, COLD)
    day = year[:96]
    by_degree = [
        load.look_up(day, np.full(96, degrees)).sum() for degrees in (-10.0, 0.0, 10.0, 15.0, 25.0)
    ]
    assert by_degree[:4] == sorted(by_degree[:4], reverse=True)
    assert 0 < by_degree[4] <= by_degree[3]  # hot water is wanted in summer too
    assert load.look_up(day, np.full(96, np.nan)) == pytest.approx(load.look_up(day))
    # Where January is summer, July takes more.
    january, july = (
        HeatingLoad(4000, heated_by, Location(latitude=-40, longitude=175))
        .look_up(year[first : first + 96])
        .sum()
        for first in (0, 190 * 96)
    )
    assert july > 3 * january


def test_heating_and_car_are_part_of_a_bill_and_beside_what_persons_use() -> None:
    asked = {"heated_by": "heat_pump", "heated_m2": 140, "car_km_per_year": 10_000}
    by_persons, by_bill = (
        StandardProfile.of(describe_site(household=household | asked))
        for household in ({"persons": 3}, {"yearly_kwh": 9000})
    )
    heating_kwh = 140 * 110 / 3.1
    for profile, household_kwh in ((by_persons, 3720.0), (by_bill, 9000 - heating_kwh - 1800)):
        assert (profile.yearly_kwh, profile.car_kwh) == (pytest.approx(household_kwh), 1800)
        assert profile.heating == HeatingLoad(
            pytest.approx(heating_kwh), "heat_pump", SITE.location
        )
    # No bill is all heat.
    assert StandardProfile.of(
        describe_site(household={"yearly_kwh": 3000} | asked)
    ).yearly_kwh == pytest.approx(600)
    pump = {"power_kw": 3, "store": {"capacity_kwh_per_k": 2, "min_c": 20, "max_c": 22}}
    planned = StandardProfile.of(
        describe_site(
            household={"persons": 3} | asked, heat_pumps=[pump], vehicles=[{"capacity_kwh": 50}]
        )
    )
    assert (planned.yearly_kwh, planned.heating, planned.car_kwh) == (3720, None, 0)


def test_a_car_at_a_socket_takes_each_day_the_same_in_the_evening_of_its_clock() -> None:
    household = {"yearly_kwh": 6000, "car_km_per_year": 15_000}
    for day in (date(2026, 2, 3), date(2026, 3, 29), date(2026, 7, 15)):
        profile = load_of(day, household=household) - load_of(
            day, household={"yearly_kwh": 6000 - 2700}
        )
        evening = profile.nonzero()[0]
        assert profile.sum() == pytest.approx(2700 / 365.25)
        assert (evening[0] + 96 - profile.size, evening[-1] + 97 - profile.size) == (17 * 4, 23 * 4)


def test_a_cold_forecast_lifts_the_load_of_a_household_that_heats_and_of_no_other() -> None:
    at = datetime(2026, 1, 14, tzinfo=UTC)
    hours = np.arange(60 * 4)
    starts = np.datetime64(at.replace(tzinfo=None), "s") + (900 * hours).astype("timedelta64[s]")
    issued = np.full(hours.size, starts[0] - np.timedelta64(3600, "s"))
    loads = {}
    for heated_by in ("heat_pump", "none"):
        site = describe_site(household={"persons": 3, "heated_by": heated_by})
        for degrees in (-12.0, 8.0):
            context = Context(
                weather=WeatherVintages.of(
                    starts, issued, {"temperature_c": np.full(hours.size, degrees)}
                )
            )
            loads[heated_by, degrees] = (
                Baseline(LIKE_DAYS, site)
                .issue_many(NOTHING, [at], context=context)
                .load_kwh.expected[0]
                .sum()
            )
    assert loads["none", -12.0] == loads["none", 8.0]
    assert (
        loads["heat_pump", -12.0]
        > 2 * loads["heat_pump", 8.0] - loads["none", 8.0]
        > loads["none", 8.0]
    )
