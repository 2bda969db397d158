import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from luna.energy.weather import NO_WEATHER, WEATHER, WeatherVintages

NOON = 40 * 96 + 48  # the quarter-hour from noon on the fortieth day after 1970


def book(*revisions: tuple[int, float, float]) -> WeatherVintages:
    """Each revision: its slot, its issue (in quarter-hours), its temperature."""
    slot, issued, temperature = (np.array(column) for column in zip(*revisions, strict=True))
    return WeatherVintages.of(
        (slot * 900).astype("datetime64[s]"),
        (issued * 900_000_000).astype(np.int64).astype("datetime64[us]"),
        {"temperature_c": temperature},
    )


def temperature(weather: WeatherVintages, *asked: tuple[int, int]) -> FloatArray:
    slots: IndexArray = np.array([slot for slot, _ in asked], dtype=np.int64)
    return weather.at(slots, np.array([known_at for _, known_at in asked], dtype=np.int64))[
        "temperature_c"
    ]


def test_the_last_revision_issued_by_then_counts() -> None:
    weather = book((NOON, NOON - 8, 10), (NOON, NOON - 4, 12), (NOON, NOON + 1, 15))
    found = temperature(
        weather,
        (NOON, NOON - 8),
        (NOON, NOON - 5),
        (NOON, NOON - 4),
        (NOON, NOON),
        (NOON, NOON + 1),
    )
    assert found.tolist() == [10, 10, 12, 12, 15]


def test_nothing_is_known_before_the_first_issue_or_of_another_slot() -> None:
    weather = book((NOON, NOON - 8, 10), (NOON + 2, NOON - 8, 11))
    assert np.isnan(
        temperature(weather, (NOON, NOON - 9), (NOON + 1, NOON), (NOON - 1, NOON), (NOON + 3, NOON))
    ).all()


def test_what_is_issued_within_a_quarter_hour_is_known_from_the_next_on() -> None:
    weather = book((NOON, NOON - 7.5, 10))
    assert np.isnan(temperature(weather, (NOON, NOON - 8)))
    assert temperature(weather, (NOON, NOON - 7)) == 10


def test_of_two_issues_within_a_quarter_hour_the_later_counts_in_whatever_order_they_come() -> None:
    weather = book((NOON, NOON - 7.2, 12), (NOON, NOON - 7.8, 10))
    assert temperature(weather, (NOON, NOON - 7)) == 12


def test_a_value_that_cannot_be_is_unknown() -> None:
    weather = WeatherVintages.of(
        np.array(["2024-01-01"], "M8[s]"),
        np.array(["2024-01-01"], "M8[us]"),
        {"ghi_w_m2": np.array([-1.0]), "wind_m_s": np.array([9.0])},
    )
    found = weather.at(weather.slot, weather.slot)
    assert np.isnan(found["ghi_w_m2"])
    assert found["wind_m_s"] == 9


def test_what_no_revision_names_is_unknown() -> None:
    found = book((NOON, NOON - 8, 10)).at(np.array([NOON]), np.array([NOON]))
    assert set(found) == set(WEATHER)
    assert np.isnan(found["ghi_w_m2"]).all()
    assert np.isnan(NO_WEATHER.at(np.array([NOON]), np.array([NOON]))["temperature_c"]).all()
