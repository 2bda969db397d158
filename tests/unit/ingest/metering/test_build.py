"""Columns out of roles: sums, the base load, the balance, stuck meters, clocks, nights on which
clocks change.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import InputSensors, Site
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, local_day, parse_zone
from services.ingest.metering import SlotBuild, Spans, build_slots
from services.ingest.metering.build import BELOW_ZERO, STUCK
from services.ingest.metering.column_sensors import SensorPresence
from services.ingest.metering.rejection import CONTRADICTS, FUTURE, UNSET
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, describe_metered, every, minutes, one_sensor

HOUSE = {
    "total_load_consumption": "load",
    "total_pv_production": "pv",
    "total_grid_import": "import",
    "total_grid_export": "export",
}
BATTERY = {"total_battery_charge": "charge", "total_battery_discharge": "discharge"}


def counters(energies: Mapping[str, object], *, start: datetime = NOON) -> dict[str, Samples]:
    """Counters read at each border of slots, from their energies per slot."""
    first = np.datetime64(start.replace(tzinfo=None), "us")
    samples = {}
    for sensor, kwh in energies.items():
        values = 1_000 + np.concatenate([[0.0], np.cumsum(np.asarray(kwh, dtype=np.float64))])
        samples[sensor] = Samples(
            sensor, "kWh", first + np.arange(values.size) * np.timedelta64(15, "m"), values
        )
    return samples


def build(site: Site, energies: Mapping[str, object]) -> SlotBuild:
    samples = counters(energies)
    return build_slots(site, samples, Timeline(NOON, SLOT, len(next(iter(samples.values()))) - 1))


def check(columns: dict[str, FloatArray], name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(columns[name], expected, atol=1e-9)


def test_several_sensors_add_up_and_a_minus_takes_off() -> None:
    site = describe_metered(total_pv_production=["roof", "garage", "-inverter"])
    built = build(site, {"roof": [1.0, 0.2], "garage": [0.5, 0.1], "inverter": [0.1, 0.4]})
    # The second would be −0.1.
    check(built.columns, "pv_kwh", [1.4, 0.0])
    assert list(built.columns) == ["pv_kwh"]


def test_a_minus_that_takes_off_more_than_there_is_leaves_it_unknown() -> None:
    # Eight hours from noon on: in the first four 16 × 0.4 kWh are taken off 16 × 0.1, in the others
    # a little more for a while than there is.
    site = describe_metered(total_load_consumption=["house", "-pump"])
    house = np.repeat([0.1, 0.5], 16)
    pump = np.repeat([0.4, 0.1, 0.52], [16, 8, 8])
    built = build(site, {"house": house, "pump": pump})
    check(built.columns, "load_kwh", [*[np.nan] * 16, *[0.4] * 8, *[0.0] * 8])
    assert {(rejected.sensor, rejected.fault) for rejected in built.rejected} == {
        ("house", BELOW_ZERO),
        ("pump", BELOW_ZERO),
    }


def test_what_devices_use_beyond_the_houses_meter_is_kept() -> None:
    site = describe_metered(total_load_consumption="load", vehicle_consumption="car")
    columns = build(site, {"load": [0.125, 0.125], "car": [1.75, 0.0]}).columns
    check(columns, "load_kwh", [0.0, 0.125])
    check(columns, "beyond_house_kwh", [1.625, 0.0])


@pytest.mark.parametrize(
    "grid", [{}, {"total_grid_import": "grid"}], ids=["alone", "with the grid's"]
)
def test_nothing_is_taken_off_for_a_device_outside_the_houses_meter(grid: dict[str, str]) -> None:
    # The grid's meter sees both: 0.125 + 1.75; of two wallboxes the other one lies behind the
    # house's.
    named = {
        "total_load_consumption": "load",
        "vehicle_consumption": ["outer", "inner"],
        "outside_house_meter": "outer",
        **grid,
    }
    site = Site(name="home", timezone="UTC", input_sensors=InputSensors.model_validate(named))
    columns = build(
        site,
        {"load": [0.125, 0.625], "outer": [1.75, 0.0], "inner": [0.0, 0.5], "grid": [1.875, 0.625]},
    ).columns
    check(columns, "load_kwh", [0.125, 0.125])
    check(columns, "vehicle_kwh", [1.75, 0.5])
    check(columns, "beyond_house_kwh", [0.0, 0.0])
    check({"residual_kwh": np.zeros(2), **columns}, "residual_kwh", [0.0, 0.0])


# NOON is 14:00 in Berlin; the meter was exchanged an hour later.
EXCHANGED = [
    {"sensor": "old", "until": "2024-06-01T13:00:00Z"},
    {"sensor": "new", "from": "2024-06-01 15:00"},
]


def test_a_meter_that_was_exchanged_counts_until_then_and_the_new_one_from_then_on() -> None:
    # Each goes on counting something where it does not hold; their levels are a megawatt-hour
    # apart.
    samples = counters(
        {
            "old": [0.1, 0.2, 0.3, 0.4, 9.0, 9.0, 9.0, 9.0],
            "new": [8.0, 8.0, 8.0, 8.0, 0.5, 0.6, 0.7, 0.8],
        }
    )
    samples["new"] = Samples("new", "kWh", samples["new"].instants, samples["new"].values + 1e6)
    built = build_slots(
        describe_metered(total_grid_import=EXCHANGED), samples, Timeline(NOON, SLOT, 8)
    )
    check(built.columns, "import_kwh", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert not built.repaired.any()


def test_nothing_is_made_up_between_the_last_of_the_old_and_the_first_of_the_new() -> None:
    # The old one falls silent half an hour before the change, the new one speaks half an hour after
    # it.
    samples = {
        "old": Samples("old", "kWh", every(15, 3), np.array([1.0, 1.1, 1.2])),
        "new": Samples("new", "kWh", minutes(90, 105, 120), np.array([7, 7.5, 8])),
    }
    built = build_slots(
        describe_metered(total_grid_import=EXCHANGED), samples, Timeline(NOON, SLOT, 8)
    )
    check(built.columns, "import_kwh", [0.1, 0.1, np.nan, np.nan, np.nan, np.nan, 0.5, 0.5])


def test_a_change_within_a_slot_leaves_that_slot_unknown() -> None:
    named = [
        {"sensor": "old", "until": "2024-06-01T12:20:00Z"},
        {"sensor": "-new", "from": "2024-06-01T12:20:00Z"},
    ]
    power = Samples("new", "W", every(15, 4), np.full(4, -800.0))
    samples = counters({"old": [0.1, 0.2, 0.3]}) | {"new": power}
    # The new one is a power with a sign: what it counts in the other direction is meant, 0.2 kWh.
    built = build_slots(describe_metered(total_grid_export=named), samples, Timeline(NOON, SLOT, 3))
    check(built.columns, "export_kwh", [0.1, np.nan, 0.2])


def test_before_a_device_had_a_meter_the_house_is_not_unknown_for_it() -> None:
    site = describe_metered(
        total_load_consumption="load",
        vehicle_consumption={"sensor": "car", "from": "2024-06-01T12:30:00Z"},
    )
    columns = build(site, {"load": [0.5, 0.5, 1.5, 1.5], "car": [0.0, 0.0, 1.0, 1.0]}).columns
    check(columns, "load_kwh", [0.5] * 4)
    check(columns, "vehicle_kwh", [np.nan, np.nan, 1.0, 1.0])


def test_a_battery_that_was_exchanged_is_as_full_as_the_new_one_says() -> None:
    battery = [
        {"sensor": "old", "until": "2024-06-01T12:30:00Z"},
        {"sensor": "new", "from": "2024-06-01T12:30:00Z"},
    ]
    samples = {
        name: Samples(name, "%", every(15, 5), np.full(5, percent))
        for name, percent in (("old", 20.0), ("new", 80.0))
    }
    built = build_slots(describe_metered(battery_soc=battery), samples, Timeline(NOON, SLOT, 4))
    check(built.columns, "soc", [0.2, 0.2, 0.8, 0.8])


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    site = describe_metered(total_pv_production=["roof", "garage"])
    assert np.isnan(build(site, {"roof": [1.0, 0.2]}).columns["pv_kwh"]).all()


def test_the_base_load_is_what_no_other_meter_counts() -> None:
    site = describe_metered(
        total_load_consumption="load",
        vehicle_consumption="car",
        heat_pump_consumption="pump",
        water_heater_consumption="heater",
    )
    columns = build(
        site, {"load": [3.0, 1.0], "car": [2.0, 0.8], "pump": [0.3, 0.2], "heater": [0.2, 0.1]}
    ).columns
    # In the second slot the meters of the appliances say 0.1 more than the house used.
    check(columns, "load_kwh", [0.5, 0.0])
    check(columns, "vehicle_kwh", [2.0, 0.8])
    assert "residual_kwh" not in columns


def test_the_residual_is_what_the_meters_leave_unexplained() -> None:
    site = describe_metered(**HOUSE, **BATTERY, vehicle_consumption="car")
    energies = {
        "load": [2.0, 1.0],
        "pv": [1.0, 0.5],
        "import": [1.5, 0.6],
        "export": [0.2, 0],
        "charge": [0.3, 0],
        "discharge": [0, 0.1],
        "car": [1.5, 1.2],
    }
    columns = build(site, energies).columns
    # 1.5 + 1 − 0.2 − 0.3 − 2 = 0; 0.6 + 0.5 + 0.1 − 1.2 = 0: the house's meter says 1, the car's
    # alone 1.2.
    check(columns, "residual_kwh", [0.0, 0.0])
    check(columns, "load_kwh", [0.5, 0.0])


def test_without_a_load_meter_the_balance_is_the_load() -> None:
    site = describe_metered(
        **{role: sensor for role, sensor in (HOUSE | BATTERY).items() if sensor != "load"},
        heat_pump_consumption="pump",
    )
    energies = {
        "pv": [1.0, 0.5],
        "import": [1.5, 0.1],
        "export": [0.2, 0.9],
        "charge": [0.3, 0],
        "discharge": [0, 0.1],
        "pump": [0.5, 0.2],
    }
    built = build(site, energies)
    # 2.0 − 0.5; the second slot's balance is −0.2 and the pump took 0.2: −0.4 is left.
    check(built.columns, "load_kwh", [1.5, 0.0])
    check(built.columns, "residual_kwh", [0.0, -0.4])


def test_a_balance_without_the_batterys_meters_is_none() -> None:
    columns = build(
        describe_metered(**HOUSE), {"load": [1.0], "pv": [1.0], "import": [1.0], "export": [1.0]}
    ).columns
    assert set(columns) == {"load_kwh", "pv_kwh", "import_kwh", "export_kwh"}


def test_a_derived_load_is_marked_where_any_meter_was_interpolated() -> None:
    site = describe_metered(
        **{role: sensor for role, sensor in (HOUSE | BATTERY).items() if sensor != "load"}
    )
    samples = counters(
        dict.fromkeys(("pv", "import", "export", "charge", "discharge"), np.full(6, 0.5))
    )
    gappy = samples["pv"]
    samples["pv"] = Samples(
        "pv", "kWh", gappy.instants[[0, 1, 4, 5, 6]], gappy.values[[0, 1, 4, 5, 6]]
    )
    built = build_slots(site, samples, Timeline(NOON, SLOT, 6))
    # Bits 0 and 1: load and PV.
    assert built.repaired.tolist() == [0, 3, 3, 3, 0, 0]
    assert built.counts["load_kwh"].interpolated == 3


@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2024, 10, 27)], ids=["spring", "autumn"])
def test_nights_on_which_clocks_change_need_nothing_special(day: date) -> None:
    slots = local_day(day, parse_zone("Europe/Berlin"))
    energies = np.arange(slots.count) / 100
    samples = counters({"load": energies}, start=slots.start)
    built = build_slots(describe_metered(total_load_consumption="load"), samples, slots)
    assert slots.count in {92, 100}
    np.testing.assert_allclose(built.columns["load_kwh"], energies, atol=1e-9)
    assert not built.repaired.any()


def test_instants_that_cannot_be_are_refused() -> None:
    at: InstantArray = np.concatenate(
        [[np.datetime64("1970-01-01T00:00:10", "us")], minutes(0, 15, 600)]
    )
    samples = {"sensor": Samples("sensor", "kWh", at, np.array([5.0, 10.0, 11.0, 12.0]))}
    site = describe_metered(total_load_consumption="sensor")
    built = build_slots(
        site,
        samples,
        Timeline(datetime(1970, 1, 1, tzinfo=UTC), SLOT, 40),
        now=NOON + timedelta(hours=1),
    )
    assert [rejected.fault for rejected in built.rejected] == [UNSET]
    built = build_slots(site, samples, Timeline(NOON, SLOT, 48), now=NOON + timedelta(hours=1))
    assert [rejected.fault for rejected in built.rejected] == [FUTURE]
    check(built.columns, "load_kwh", [1.0, *[np.nan] * 47])


def test_contradicting_values_of_one_instant_are_told() -> None:
    built = one_sensor(
        "total_load_consumption", "kWh", minutes(0, 15, 15, 15), [10, 11, 10.9, 11], slots=2
    )
    check(built.columns, "load_kwh", [1.0, np.nan])
    assert [(rejected.value, rejected.fault) for rejected in built.rejected] == [
        (10.9, CONTRADICTS)
    ]


def test_only_quarter_hours_are_built() -> None:
    with pytest.raises(InvalidInputError, match="quarter-hours"):
        build_slots(describe_metered(), {}, Timeline(NOON, timedelta(hours=1), 2))


@pytest.fixture
def still_load() -> dict[str, Samples]:
    """Three days and a half in which the load's meter stands still for two and a half, though half
    a kilowatt-hour is imported in each slot.
    """
    used = np.full(336, 0.5)
    still = np.where((np.arange(336) >= 48) & (np.arange(336) < 288), 0.0, used)
    return counters(
        {
            "load": still,
            "import": used,
            "pv": used * 0,
            "export": used * 0,
            "charge": used * 0,
            "discharge": used * 0,
        }
    )


SITE = HOUSE | BATTERY


def test_a_meter_that_stands_still_although_the_others_move_is_stuck(
    still_load: dict[str, Samples],
) -> None:
    built = build_slots(describe_metered(**SITE), still_load, Timeline(NOON, SLOT, 336))
    assert np.flatnonzero(np.isnan(built.columns["load_kwh"])).tolist() == [*range(48, 288)]
    assert np.isnan(built.columns["residual_kwh"]).sum() == 240
    # The battery rested as well, and nothing says that it should not have.
    assert not np.isnan(built.columns["charge_kwh"]).any()
    assert {(rejected.sensor, rejected.fault) for rejected in built.rejected} == {("load", STUCK)}


def test_a_meter_that_rested_rightly_before_it_was_missed_is_believed_until_then() -> None:
    # The roof covers the house for three days; on the fourth it is silent in the dark, and nothing
    # is imported.
    used = np.full(432, 0.5)
    day = np.arange(432) // 96
    roof = np.where((day == 0) | (day > 2), 0.0, used)
    imported = np.where(day == 0, used, 0.0)
    built = build(
        describe_metered(**SITE),
        {
            "load": used,
            "import": imported,
            "pv": roof,
            **dict.fromkeys(("export", "charge", "discharge"), used * 0),
        },
    )
    assert np.flatnonzero(np.isnan(built.columns["import_kwh"])).tolist() == [*range(288, 432)]


def test_what_a_person_released_is_believed(still_load: dict[str, Samples]) -> None:
    (refused,) = build_slots(
        describe_metered(**SITE), still_load, Timeline(NOON, SLOT, 336)
    ).rejected
    released = {"load": Spans(np.array([refused.first]), np.array([refused.last]))}
    built = build_slots(
        describe_metered(**SITE), still_load, Timeline(NOON, SLOT, 336), released=released
    )
    assert not built.rejected
    assert not np.isnan(built.columns["load_kwh"]).any()


def test_a_roof_that_gives_nothing_for_days_rests_while_the_balance_holds() -> None:
    used = np.full(288, 0.2)
    built = build(
        describe_metered(**SITE),
        {
            "load": used,
            "import": used,
            **dict.fromkeys(("pv", "export", "charge", "discharge"), used * 0),
        },
    )
    assert not built.rejected


def test_a_state_of_charge_that_does_not_follow_the_battery_is_stuck() -> None:
    site = describe_metered(**BATTERY, battery_soc="soc")
    # 4 hours of charging at 1 kW: 4 of 10 kWh.
    charged = np.concatenate([np.full(16, 0.25), np.zeros(16)])
    samples = counters({"charge": charged, "discharge": np.zeros(32)})
    samples["soc"] = Samples("soc", "%", samples["charge"].instants, np.full(33, 40.0))
    built = build_slots(site, samples, Timeline(NOON, SLOT, 32))
    assert np.isnan(built.columns["soc"]).all()
    assert {rejected.sensor for rejected in built.rejected} == {"soc"}


def test_a_power_that_changes_seldom_holds_up_to_the_exchange_and_from_it_on() -> None:
    # Each says a value before the change at 13:00 and nothing around it.
    samples = {
        "old": Samples("old", "W", minutes(0, 48, 75), np.array([400.0, 800.0, 4000.0])),
        "new": Samples("new", "W", minutes(30, 90), np.array([1200.0, 0])),
    }
    built = build_slots(
        describe_metered(total_grid_import=EXCHANGED), samples, Timeline(NOON, SLOT, 6)
    )
    # 12 minutes at 0.8 kW after 3 at 0.4; then 0.3 kWh a quarter-hour.
    check(built.columns, "import_kwh", [0.1, 0.1, 0.1, 0.18, 0.3, 0.3])


def test_a_sensor_that_there_is_not_makes_nothing_unknown() -> None:
    site = describe_metered(
        total_pv_production=["roof", "mistyped"],
        total_grid_export=["mistyped", "-grid"],
        battery_soc=["battery", "mistyped"],
    )
    samples = counters({"roof": [1.0, 0.2], "grid": [0.1, 0.1]}) | {
        "battery": Samples("battery", "%", every(15, 3), np.full(3, 50.0))
    }
    columns = build_slots(
        site, samples, Timeline(NOON, SLOT, 2), presence=SensorPresence(absent={"mistyped"})
    ).columns
    check(columns, "pv_kwh", [1.0, 0.2])
    # Without the one that adds, the other would mean something else; and half of the batteries are
    # not all of them.
    check(columns, "export_kwh", [np.nan] * 2)
    check(columns, "soc", [np.nan] * 2)
