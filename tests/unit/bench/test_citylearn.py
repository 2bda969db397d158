from pathlib import Path

import numpy as np
import pytest

from bench.citylearn import COLUMNS, MOST_KW, House, load_citylearn, load_sunlit, place_by_clock
from luna.energy.timeline import FloatArray

HOURS = 72
SECOND_NOON = 36 * 4  # quarter-hours after the first one


def write(path: Path, columns: dict[str, FloatArray]) -> None:
    np.savetxt(
        path,
        np.column_stack([*columns.values()]),
        delimiter=",",
        header=",".join(columns),
        comments="",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three days in which every value tells its hour.

    A forecast tells the hour it is of, three hundred for each column ahead.
    """
    hour = np.arange(HOURS, dtype=np.float64)
    write(
        tmp_path / "Building_4.csv",
        {"hour": hour, "non_shiftable_load": hour, "solar_generation": 200 * hour},
    )
    ahead = {
        f"{column}_predicted_{key}": 300 * key + hour + hours
        for column in COLUMNS.values()
        for key, hours in ((1, 6), (2, 12), (3, 24))
    }
    write(tmp_path / "weather.csv", dict.fromkeys(COLUMNS.values(), hour) | ahead)
    return tmp_path


@pytest.fixture
def house(folder: Path) -> House:
    return load_citylearn(folder)


def test_energies_are_spread_over_the_quarter_hours(house: House) -> None:
    assert house.observations.load_kwh[4:12].tolist() == [0.25] * 4 + [0.5] * 4
    assert house.observations.pv_kwh[4:8].tolist() == [0.25] * 4  # 200 W per kW of 5 kW


def test_weather_is_known_as_it_was_issued(house: House) -> None:
    # The first weather row begins at 23:00 Pacific standard time, an hour after the building's by
    # daylight saving time.
    first = int(house.context.weather.slot[0])
    lead = 4 * np.array([-1, 0, 5, 6, 11, 12, 23, 24])
    target = np.full(lead.size, first + SECOND_NOON)
    known = house.context.weather.at(target, target - lead)["ghi_w_m2"]
    # Beyond 23 h the day before, as it was forecast 24 h ahead; of that day nothing is known yet,
    # for the file does not begin early enough.
    np.testing.assert_array_equal(known, [36, 336, 336, 636, 636, 936, 936, np.nan])
    assert house.context.weather.at(target + 96, target - 8)["ghi_w_m2"][0] == 936


def test_the_hour_that_the_clock_skips_is_left_out_and_the_one_it_repeats_is_there_once() -> None:
    starts, rows = place_by_clock(8760)
    assert rows.size == 8759
    steps = np.diff(starts) / np.timedelta64(1, "h")
    assert [(str(starts[place]), step) for place, step in enumerate(steps) if step != 1] == [
        ("2016-11-06T08:00:00", 2.0)
    ]


def test_the_sunlit_house_yields_by_day_what_its_weather_gives_and_its_forecasts_are_wrong(
    folder: Path,
) -> None:
    sunlit = load_sunlit(folder).observations
    # Pacific standard time
    hour = (sunlit.starts - np.timedelta64(8, "h")).astype("datetime64[h]").astype(np.int64) % 24
    assert np.nanmax(sunlit.pv_kwh[(hour < 4) | (hour > 20)]) == 0
    assert 0 < np.nanmax(sunlit.pv_kwh[hour == 12]) < MOST_KW / 4
    weather = load_sunlit(folder).context.weather
    slots = np.arange(weather.slot[0] + 60 * 4, weather.slot[0] + 68 * 4, 4)
    issued = [weather.at(slots, slots - lead)["ghi_w_m2"] for lead in (-4, 0, 90, 92, 190)]
    assert issued[0].tolist() == list(range(60, 68))
    np.testing.assert_array_equal(issued[1], issued[2])  # both 24 h ahead
    assert (np.abs(issued[2] - issued[0]) > 0).all()
    assert (issued[3] == issued[2]).all()
    assert (issued[4] != issued[3]).all()
