"""What counters count, by hand.

Unless a comment says otherwise a site can import 10 kW, use 26.25 kW, and a quarter-hour of it may
come late.
"""

import numpy as np
import pytest

from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.words.quarantine import say_row_fault
from services.ingest.metering import SeriesCounts, SlotBuild, build_slots
from services.ingest.metering.counter import MISREAD, NO_COUNTER
from services.ingest.source_readings import Samples
from tests.support.metering.samples import NOON, every, minutes, one_sensor
from tests.support.suite.tables import each_row


def load(readings: list[tuple[float, float]], *, slots: int, unit: str = "kWh") -> SlotBuild:
    at, values = zip(*readings, strict=True)
    return one_sensor("total_load_consumption", unit, minutes(*at), values, slots=slots)


def energies(build: SlotBuild) -> FloatArray:
    return build.columns["load_kwh"]


@each_row(("unit", "factor"), [("Wh", 1000.0), ("kWh", 1.0), ("MWh", 0.001), ("kwh", 1.0)])
def test_energy_is_the_rise_whatever_the_unit(unit: str, factor: float) -> None:
    build = load([(0, 500 * factor), (15, 501 * factor), (30, 503 * factor)], slots=2, unit=unit)
    np.testing.assert_allclose(energies(build), [1.0, 2.0])
    assert build.repaired.tolist() == [0, 0]


def test_a_rise_over_a_slots_border_is_shared_evenly() -> None:
    # 3 kWh from 12:10 to 12:25: a third of it before 12:15.
    np.testing.assert_allclose(
        energies(load([(0, 10), (10, 10), (25, 13), (30, 13)], slots=2)), [1.0, 2.0]
    )


def test_late_and_repeated_samples_are_put_in_order() -> None:
    np.testing.assert_allclose(
        energies(load([(30, 13), (0, 10), (15, 11), (15, 11), (0, 10)], slots=2)), [1.0, 2.0]
    )


def test_a_short_gap_is_filled_evenly_and_marked() -> None:
    # An hour without readings, 4 kWh: 1 in each slot. Bit 0 is the load.
    build = load([(0, 10), (60, 14), (75, 14.5)], slots=5)
    np.testing.assert_allclose(energies(build), [1, 1, 1, 1, 0.5])
    assert build.repaired.tolist() == [1, 1, 1, 1, 0]
    assert build.counts["load_kwh"].interpolated == 4


def test_hours_that_were_counted_one_after_the_other_are_measured() -> None:
    # A meter read by the hour, as long-term statistics are: 2 kWh each, spread evenly. At 05:00 a
    # reading is missing: two hours are a gap, and marked.
    hours = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    build = load([(60.0 * hour, 100.0 + 2 * hour) for hour in hours], slots=40)
    np.testing.assert_allclose(energies(build), 0.5)
    assert np.flatnonzero(build.repaired).tolist() == list(range(16, 24))


def test_a_long_gap_is_filled_to_the_counters_total_and_marked_apart() -> None:
    # Two and a half hours, ten slots: 9 kWh, evenly, for nothing is known of the days before.
    build = load([(0, 10), (15, 11), (165, 20), (180, 21)], slots=12)
    np.testing.assert_allclose(energies(build), [1, *[0.9] * 10, 1])
    assert not build.repaired.any()
    assert build.marks.nonzero()[0].tolist() == [*range(1, 11)]
    assert build.counts["load_kwh"] == SeriesCounts(known=12, interpolated=0, filled=10)


def test_what_fills_a_gap_is_shaped_like_the_days_before_and_adds_up_to_the_last_digit() -> None:
    # Of every hour the first quarter brings 1 kWh, the others 0.1; from 21:15 on the third day to
    # 05:15 it is 1.7 times as much, and nothing is said.
    truth = np.tile([1.0, 0.1, 0.1, 0.1], 96)
    night = slice(229, 261)
    truth[night] *= 1.7
    kwh = 100 + np.concatenate([[0.0], np.cumsum(truth)])
    heard = [
        (15.0 * place, float(kwh[place]))
        for place in range(385)
        if place <= night.start or place >= night.stop
    ]
    build = load(heard, slots=384)
    np.testing.assert_allclose(energies(build), truth, atol=1e-6)
    assert np.flatnonzero(build.marks).tolist() == [*range(night.start, night.stop)]
    assert energies(build)[night].sum() == pytest.approx(
        kwh[night.stop] - kwh[night.start], abs=1e-9
    )


@pytest.mark.parametrize(
    ("after", "why"),
    [(5.0, "it began again"), (1_000.0, "no house uses that much"), (19.0, "below")],
    ids=["reset", "jump", "step back"],
)
def test_a_gap_whose_total_is_impossible_is_not_filled(after: float, why: str) -> None:
    build = load([(0, 20), (15, 21), (315, after), (330, after + 1)], slots=22)
    assert not build.marks.any(), why


def test_a_gap_of_more_than_a_day_bounds_no_day_and_stays_unknown() -> None:
    build = load([(0, 20), (15, 21), (15 + 24 * 60 + 15, 40), (15 + 24 * 60 + 30, 41)], slots=99)
    assert np.isnan(energies(build)[1:98]).all()


def test_a_counter_that_was_silent_because_it_stood_still_is_known() -> None:
    # A roof at night: nothing is said for ten hours, and nothing was counted.
    build = load([(0, 10), (15, 11), (615, 11), (630, 12)], slots=42)
    np.testing.assert_allclose(energies(build), [1, *[0] * 40, 1])
    assert not build.repaired.any()


def test_a_reset_counts_what_the_counter_shows_after_it() -> None:
    # 100 → 101 is 1; the fall to 0.5 is a beginning: 0.5; then 0.5 more.
    np.testing.assert_allclose(
        energies(load([(0, 100), (15, 101), (30, 0.5), (45, 1)], slots=3)), [1, 0.5, 0.5]
    )


def test_a_display_of_five_digits_rolls_over() -> None:
    # From 99 999 to the end 1, beyond it 2.
    np.testing.assert_allclose(
        energies(load([(0, 99_998), (15, 99_999), (30, 2), (45, 3)], slots=3)), [1, 3, 1]
    )


def test_a_register_of_32_bits_rolls_over() -> None:
    # 2³² Wh are 4 294 967.296 kWh.
    np.testing.assert_allclose(
        energies(load([(0, 4_294_966), (15, 4_294_967), (30, 1), (45, 2)], slots=3)),
        [1, 1.296, 1],
        rtol=1e-6,
    )


@pytest.mark.parametrize("level", [7_000.0, 300.0])
def test_another_meter_counts_on_and_what_passed_between_is_unknown(level: float) -> None:
    # Exchanged between 12:15 and 12:30: a quarter-hour cannot bring 6 000 kWh, nor take 700.
    np.testing.assert_allclose(
        energies(load([(0, 1_000), (15, 1_001), (30, level), (45, level + 2)], slots=3)),
        [1, np.nan, 2],
    )


def test_another_meters_level_that_is_in_reach_after_an_hour_is_no_return() -> None:
    # 50 kWh more at 12:30; by 14:15 the house might have used as much, and all the while the
    # counter counted on.
    build = load(
        [(0, 10), *((15 * place, 10 + 0.5 * place + 50 * (place > 1)) for place in range(1, 13))],
        slots=12,
    )
    np.testing.assert_allclose(energies(build), [0.5, np.nan, *[0.5] * 10])
    assert not build.rejected


def test_a_counter_that_repeats_its_value_and_then_rises_at_once_was_frozen() -> None:
    # From 12:30 to 18:30 it says 11, then 41: 30 kWh are more than a quarter-hour brings (14.1),
    # and less than six hours do.
    frozen = [(15 * place, 11.0) for place in range(2, 27)]
    build = load([(0, 10), (15, 10.5), *frozen, (405, 41), (420, 41.5)], slots=28)
    np.testing.assert_allclose(energies(build), [0.5, 0.5, *[np.nan] * 25, 0.5])


def test_a_counter_that_rested_and_was_then_exchanged_did_rest() -> None:
    # 1 000 kWh are more than these six hours bring.
    rested = [(15 * place, 11.0) for place in range(2, 27)]
    build = load([(0, 10), (15, 10.5), *rested, (405, 1_011), (420, 1_011.5)], slots=28)
    np.testing.assert_allclose(energies(build), [0.5, 0.5, *[0.0] * 24, np.nan, 0.5])


def test_a_minute_for_the_exchange_is_taken_to_be_like_the_rest_and_marked() -> None:
    # 14 of 15 minutes are known and brought 1.4.
    build = load([(0, 1_000), (5, 1_000.5), (6, 50), (15, 50.9)], slots=1)
    np.testing.assert_allclose(energies(build), [1.5])
    assert build.repaired.tolist() == [1]


@pytest.mark.parametrize("nonsense", [0.0, 12.0, 99_999.0], ids=["zero", "low", "high"])
def test_a_counter_that_is_back_at_its_level_was_misread(nonsense: float) -> None:
    build = load(
        [(0, 1_000), (5, 1_000.5), (6, nonsense), (7, nonsense), (8, 1_000.8), (15, 1_001)], slots=1
    )
    np.testing.assert_allclose(energies(build), [1.0])
    (rejected,) = build.rejected
    assert (rejected.readings, rejected.value, rejected.fault) == (2, nonsense, MISREAD)
    assert build.counts["load_kwh"].rejected == {say_row_fault(MISREAD): 2}


def test_a_counter_that_says_zero_for_hours_and_goes_on_at_its_level_was_away() -> None:
    # Zero from 12:30 to 18:00; 0.1 kWh more at 18:15 is nothing that a house uses, so it stood;
    # with 5 kWh more it is a gap, filled to its total.
    zeros = [(30.0 + 15 * count, 0.0) for count in range(23)]
    stood = load([(0, 1_000), (15, 1_001), *zeros, (375, 1_001.1), (390, 1_002)], slots=26)
    np.testing.assert_allclose(energies(stood), [1, *[0.1 / 24] * 24, 0.9], atol=1e-6)
    assert sum(stood.counts["load_kwh"].rejected.values()) == 23
    ran = load([(0, 1_000), (15, 1_001), *zeros, (375, 1_006), (390, 1_007)], slots=26)
    np.testing.assert_allclose(energies(ran), [1, *[5 / 24] * 24, 1], atol=1e-6)
    assert np.flatnonzero(ran.marks).tolist() == [*range(1, 25)]


def test_a_small_counter_that_dips_to_zero_for_ten_seconds_was_misread() -> None:
    # It cannot have counted 2 kWh in ten seconds.
    np.testing.assert_allclose(
        energies(load([(0, 2), (10, 2), (10.1, 0), (10.3, 2), (15, 2.5)], slots=1)), [0.5]
    )


def test_a_small_counter_that_counts_up_again_did_begin_again() -> None:
    # A counter of the day: 0.5 at midnight, an hour later 0.6 again.
    np.testing.assert_allclose(
        energies(load([(0, 0.4), (15, 0.5), (30, 0), (45, 0.2), (60, 0.4), (75, 0.6)], slots=5)),
        [0.1, 0, 0.2, 0.2, 0.2],
    )


def test_readings_of_an_hour_ago_among_those_of_now_are_refused() -> None:
    # A clock was an hour ahead until 13:00: what it said of 12:07 to 12:52 stands beside what is
    # said now. 0.1 kWh in each quarter-hour.
    now = [(at, 5_000 + at / 150) for at in range(0, 181, 15)]
    ahead = [(at + 60.0, 5_000 + at / 150) for at in (7, 22, 37, 52)]
    build = load([*now, *ahead], slots=12)
    np.testing.assert_allclose(energies(build), 0.1)
    assert build.counts["load_kwh"].rejected == {say_row_fault(MISREAD): 4}


def test_a_coarse_counter_is_silent_until_its_next_step() -> None:
    # Whole kilowatt-hours, told when they change: one in four hours is no gap, and marked; three
    # are one, and filled.
    steps = [(15.0 * count, float(count)) for count in range(13)]
    build = load([*steps, (420, 13), (660, 16), (675, 17)], slots=45)
    np.testing.assert_allclose(
        energies(build), [*[1.0] * 12, *[1 / 16] * 16, *[3 / 16] * 16, 1.0], atol=1e-6
    )
    assert build.repaired.nonzero()[0].tolist() == [*range(12, 28)]
    assert build.marks.nonzero()[0].tolist() == [*range(28, 44)]


def test_rounding_is_no_reset() -> None:
    # A fall of 5 Wh and back: only what goes beyond the highest value counts.
    np.testing.assert_allclose(
        energies(load([(0, 100), (5, 100.4), (6, 100.395), (10, 100.5), (15, 101)], slots=1)), [1.0]
    )


def test_a_counter_in_whole_kilowatt_hours_is_not_taken_for_exchanged() -> None:
    # An array of 1 kW would explain no rise of 1 kWh in a minute, the coarse display does.
    instants = every(1, 46)
    build = one_sensor(
        "total_load_consumption", "kWh", instants, 100 + np.arange(46) // 15, slots=3
    )
    assert energies(build).sum() == pytest.approx(3.0)
    assert not build.rejected


def test_a_power_under_a_counters_unit_is_refused() -> None:
    values = np.tile([5.0, 0.1, 900.0, 0.2], 50)
    build = one_sensor("total_load_consumption", "kWh", every(1, 200), values, slots=4)
    assert np.isnan(energies(build)).all()
    assert {rejected.fault for rejected in build.rejected} >= {NO_COUNTER}


def test_nothing_is_known_before_the_first_reading_and_after_the_last() -> None:
    np.testing.assert_allclose(
        energies(load([(15, 1), (30, 2)], slots=4)), [np.nan, 1, np.nan, np.nan]
    )


def test_without_any_limit_the_counter_itself_says_what_is_far_beyond() -> None:
    # No battery or roof has a size here: a hundred kilowatts are believed, 5 000 kWh in a minute
    # are not.
    values = np.concatenate([np.arange(30) * 0.01, 5_000 + np.arange(31) * 0.01])
    build = one_sensor("heat_pump_consumption", "kWh", every(1, 61), values, slots=4)
    np.testing.assert_allclose(build.columns["heat_pump_kwh"], [0.15, 0.15, 0.15, 0.15], rtol=1e-9)
    assert not build.repaired.any()


# 0.6 kW, read every five minutes for two days, from zero at each midnight: 14.4 kWh a day, 0.15 in
# a quarter-hour.
DAILY = np.tile(np.arange(288) * 0.05, 2)


@pytest.mark.parametrize("level", [0.08, 0.3, 0.6, 2.0, 5.0, 9.0])
@pytest.mark.parametrize("hour", [9, 15, 20])
def test_a_counter_that_falls_and_goes_on_above_zero_was_corrected(level: float, hour: int) -> None:
    values = DAILY.copy()
    fallen = slice(hour * 12 + 288, 576)
    if values[fallen.start - 1] <= level:
        values[fallen] += level
    else:
        values[fallen] += level - values[fallen.start]
    kwh = energies(one_sensor("total_load_consumption", "kWh", every(5, 576), values, slots=191))
    assert np.nanmax(kwh) <= 0.1501
    assert np.isnan(kwh).sum() <= 1
    assert np.nansum(kwh) <= 28.8


@pytest.mark.parametrize("jump", [0.9, 1.5, 4.0, 40.0])
def test_what_the_connection_cannot_carry_in_the_time_was_not_counted(jump: float) -> None:
    # 26.25 kW bring 2.2 kWh in five minutes; a flat of 4 kW, with a quarter more for peaks, 0.42
    # and a minute's jitter.
    values = (100 + np.arange(576) * 0.05).astype(np.float64)
    values[300:] += jump
    site = {
        "name": "flat",
        "timezone": "UTC",
        "grid": {"import_limit_kw": 4},
        "input_sensors": {"total_load_consumption": "sensor"},
    }
    built = build_slots(
        parse_site(site),
        {"sensor": Samples("sensor", "kWh", every(5, 576), values)},
        Timeline(NOON, SLOT, 191),
    )
    assert np.nanmax(built.columns["load_kwh"]) <= 0.1501
    assert np.isfinite(built.columns["load_kwh"]).mean() > 0.99


def test_what_comes_late_is_counted_where_the_counter_stood_still() -> None:
    # Two readings of ten repeat the one before, and the third brings the energy of all three.
    values = 100 + np.arange(576) * 0.05
    late = np.arange(576) % 10
    told = np.where(np.isin(late, (7, 8)), values[np.arange(576) - (late - 6).clip(0)], values)
    kwh = energies(one_sensor("total_load_consumption", "kWh", every(5, 576), told, slots=191))
    assert np.isfinite(kwh).all()
    assert kwh.sum() == pytest.approx(191 * 0.15, abs=0.11)


def test_a_stretch_in_another_unit_is_unknown_however_many_readings_it_has() -> None:
    # For 30 of 385 readings the device counts in Wh and goes on saying kWh: a thousandfold.
    values = 100 + np.arange(4 * 96 + 1) * 0.1
    strange = slice(96, 126)
    told = values.copy()
    told[strange] *= 1000
    kwh = energies(
        one_sensor("total_load_consumption", "kWh", every(15, told.size), told, slots=384)
    )
    np.testing.assert_allclose(kwh[[*range(95), *range(126, 384)]], 0.1)
    assert np.isnan(kwh[96:125]).all()
