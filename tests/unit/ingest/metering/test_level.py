"""States of charge at the ends of slots."""

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from services.ingest.metering import build_slots
from services.ingest.metering.level import FAR_FROM_NEIGHBOURS, OUT_OF_BOUNDS
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, describe_metered, every, minutes, one_sensor


@pytest.mark.parametrize(("unit", "full"), [("%", 100.0), (None, 1.0)])
def test_the_last_value_at_or_before_the_slots_end_counts(unit: str | None, full: float) -> None:
    build = one_sensor(
        "battery_soc", unit, minutes(5, 15, 20), np.array([0.5, 0.6, 0.7]) * full, slots=2
    )
    np.testing.assert_allclose(build.columns["soc"], [0.6, 0.7])


def test_a_value_older_than_two_hours_says_nothing() -> None:
    soc = one_sensor("battery_soc", "%", minutes(0, 150), [50, 80], slots=10).columns["soc"]
    np.testing.assert_allclose(soc, [*[0.5] * 8, np.nan, 0.8])


def test_a_battery_that_says_the_same_after_a_long_silence_has_rested() -> None:
    site = describe_metered(battery_soc="battery", total_load_consumption="house")
    samples = {
        "battery": Samples("battery", "%", minutes(0, 300), np.array([50.0, 50.0])),
        "house": Samples("house", "W", every(15, 21), np.full(21, 400.0)),
    }
    build = build_slots(site, samples, Timeline(NOON, SLOT, 20))
    np.testing.assert_allclose(build.columns["soc"], [0.5] * 20)
    # Bit 6 is the state of charge: from 14:15 on its last value is older than two hours, until the
    # next at 17:00.
    assert np.flatnonzero(build.repaired & 64).tolist() == [*range(8, 19)]


def test_where_a_reading_is_missing_on_the_way_the_level_lies_between_and_is_marked() -> None:
    build = one_sensor("battery_soc", "%", minutes(15, 30, 60, 75), [50, 50, 60, 60], slots=5)
    np.testing.assert_allclose(build.columns["soc"], [0.5, 0.5, 0.55, 0.6, 0.6])
    assert np.flatnonzero(build.repaired & 64).tolist() == [2]


def test_values_out_of_bounds_are_refused_and_rounding_is_not() -> None:
    build = one_sensor("battery_soc", "%", minutes(0, 10, 15), [101, 130, 100.5], slots=1)
    assert build.columns["soc"].tolist() == [1.0]
    assert [(rejected.value, rejected.fault) for rejected in build.rejected] == [
        (pytest.approx(130.0), OUT_OF_BOUNDS)
    ]


def test_a_lone_zero_is_refused() -> None:
    percent = np.linspace(50, 51, 16)
    percent[15 - 1] = 0
    build = one_sensor("battery_soc", "%", every(0.9, 17), np.append(percent, 51.0), slots=1)
    assert [rejected.fault for rejected in build.rejected] == [FAR_FROM_NEIGHBOURS]
    assert build.columns["soc"][0] == pytest.approx(0.51)


def test_several_batteries_count_by_their_capacity() -> None:
    batteries = [
        {"name": name, "capacity_kwh": capacity, "charge_limit_kw": 5, "discharge_limit_kw": 5}
        for name, capacity in (("a", 10), ("b", 30))
    ]
    site = parse_site(
        {
            "name": "two",
            "timezone": "UTC",
            "batteries": batteries,
            "input_sensors": {"battery_soc": ["a", "b"]},
        }
    )
    samples = {
        name: Samples(name, "%", minutes(0), np.array([soc]))
        for name, soc in (("a", 100.0), ("b", 20.0))
    }
    # (10 × 1.0 + 30 × 0.2) / 40
    assert build_slots(site, samples, Timeline(NOON, SLOT, 1)).columns["soc"].tolist() == [
        pytest.approx(0.4)
    ]


def test_a_state_of_charge_cannot_be_taken_off() -> None:
    with pytest.raises(InvalidInputError) as refused:
        build_slots(describe_metered(battery_soc="-sensor"), {}, Timeline(NOON, SLOT, 1))
    assert refused.value.reason == "level-with-minus"
