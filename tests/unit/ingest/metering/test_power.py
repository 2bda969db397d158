"""Powers into energies, by hand. The site can use 26.25 kW."""

import numpy as np
import pytest

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, InstantArray
from luna.words.quarantine import say_row_fault
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.metering.power import CONSTANT, FAR_FROM_NEIGHBOURS
from services.ingest.source_readings import Samples
from tests.support.metering.samples import (
    NOON,
    SLOT,
    Timeline,
    describe_metered,
    every,
    minutes,
    one_sensor,
)


def load(instants: InstantArray, watts: object, *, slots: int, unit: str = "W") -> SlotBuild:
    return one_sensor("total_load_consumption", unit, instants, watts, slots=slots)


def energies(build: SlotBuild) -> FloatArray:
    return build.columns["load_kwh"]


@pytest.mark.parametrize(("unit", "factor"), [("W", 1000.0), ("kW", 1.0)])
def test_a_power_holds_until_the_next(unit: str, factor: float) -> None:
    # 3 kW for 10 minutes, 6 kW for 5; then 6 kW on for 10 and 0 for 5.
    build = load(minutes(0, 10, 25, 30), np.array([3, 6, 0, 0]) * factor, slots=2, unit=unit)
    np.testing.assert_allclose(energies(build), [0.5 + 0.5, 1.0])


def test_a_hold_longer_than_two_hours_is_a_gap() -> None:
    build = load(minutes(0, 15, 150, 165), [1000, 1000, 1000, 1000], slots=11)
    np.testing.assert_allclose(energies(build), [0.25, *[np.nan] * 9, 0.25])


def test_a_hold_of_an_hour_is_marked() -> None:
    build = load(minutes(0, 15, 75, 90), [1000, 1000, 1000, 1000], slots=6)
    np.testing.assert_allclose(energies(build), [0.25] * 6)
    assert build.repaired.tolist() == [0, 1, 1, 1, 1, 0]


def test_an_appliance_rests_while_other_sensors_speak_and_is_unknown_while_all_are_silent() -> None:
    # The roof says 0 at 12:00 and then nothing until 24:00; the load speaks every quarter-hour
    # until 18:00.
    site = describe_metered(total_pv_production="roof", total_load_consumption="house")
    samples = {
        "roof": Samples("roof", "W", minutes(0, 720, 735), np.zeros(3)),
        "house": Samples("house", "W", every(15, 25), np.full(25, 400.0)),
    }
    roof = build_slots(site, samples, Timeline(NOON, SLOT, 48)).columns["pv_kwh"]
    # Within two hours of a reading silence is rest: until 20:15, and from 22:00 on.
    np.testing.assert_array_equal(roof, [*[0.0] * 33, *[np.nan] * 7, *[0.0] * 8])


def test_after_unknown_nothing_is_known_until_the_next_value() -> None:
    # "unavailable" from 12:20 to 12:35: the second slot knows 5 minutes, the third 10, which stand
    # for it.
    build = load(minutes(0, 20, 35, 45, 60), [2000, np.nan, 2000, 2000, 2000], slots=4)
    np.testing.assert_allclose(energies(build), [0.5, np.nan, 0.5, 0.5])
    assert build.repaired.tolist() == [0, 0, 1, 0]


def test_a_value_beyond_what_the_site_can_do_is_refused() -> None:
    # A power in W under the unit kW: 400 kW.
    build = load(minutes(0, 5, 6, 15), [0.4, 400.0, 0.4, 0.4], slots=1, unit="kW")
    np.testing.assert_allclose(energies(build), [0.1])
    assert [(rejected.value, rejected.fault) for rejected in build.rejected] == [
        (400.0, RowFault.of("above_power", limit=26.25))
    ]
    assert build.repaired.tolist() == [1]


def test_a_value_beyond_it_in_the_other_direction_is_refused() -> None:
    build = load(minutes(0, 5, 6, 15), [400, -65_535, 400, 400], slots=1)
    np.testing.assert_allclose(energies(build), [0.1])
    assert [rejected.value for rejected in build.rejected] == [-65_535.0]


def test_a_lone_peak_far_from_its_neighbours_is_refused() -> None:
    watts = np.full(91, 400.0)
    watts[45] = 20_000
    build = load(every(1 / 6, 91), watts, slots=1)
    np.testing.assert_allclose(energies(build), [0.1])
    assert [rejected.fault for rejected in build.rejected] == [FAR_FROM_NEIGHBOURS]


def test_a_kettle_and_a_flow_heater_are_believed() -> None:
    watts = np.full(91, 400.0)
    watts[20] += 2_200
    watts[40:43] += 18_000
    build = load(every(1 / 6, 91), watts, slots=1)
    assert not build.rejected
    # 0.1 kWh, and 10 s of 2.2 kW and 30 s of 18 kW.
    np.testing.assert_allclose(energies(build), [0.1 + 2.2 / 360 + 18 / 120], atol=1e-6)


def test_a_power_that_never_moves_is_stuck() -> None:
    watts = np.concatenate([400 + np.arange(60) % 7, np.full(780, 407.0), 400 + np.arange(60) % 7])
    build = load(every(1, 900), watts, slots=60)
    assert np.flatnonzero(np.isnan(energies(build))).tolist() == [*range(4, 56)]
    (rejected,) = build.rejected
    assert (rejected.readings, rejected.fault) == (780, CONSTANT)


def test_a_coarse_power_may_stay_the_same() -> None:
    kilowatts = np.concatenate([[0.3, 0.4, 0.2], np.full(897, 0.3)])
    assert not load(every(1, 900), kilowatts, slots=60, unit="kW").rejected


def test_the_two_directions_of_a_power_with_a_sign_are_told_apart() -> None:
    site = describe_metered(total_grid_import="grid", total_grid_export="-grid")
    samples = {
        "grid": Samples("grid", "kW", minutes(0, 5, 15, 30), np.array([3.0, -6.0, 1.0, 1.0]))
    }
    columns = build_slots(site, samples, Timeline(NOON, SLOT, 2)).columns
    # 5 minutes in at 3 kW, 10 minutes out at 6 kW; then only in.
    np.testing.assert_allclose(columns["import_kwh"], [0.25, 0.25])
    np.testing.assert_allclose(columns["export_kwh"], [1.0, 0.0])


def test_a_sensor_without_a_unit_of_energy_is_refused_with_the_remedy() -> None:
    build = load(minutes(0, 15), [1.0, 2.0], slots=1, unit="°C")
    assert np.isnan(energies(build)).all()
    assert "Wh, kWh, MWh" in say_row_fault(build.rejected[0].fault)
