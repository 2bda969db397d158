"""What a battery's sensors cannot have meant.

Ten kWh, 5 kW, 95 % each way: 1.25 kWh in a slot store 1.1875.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from luna.energy.devices.battery import Battery
from luna.energy.timeline import FloatArray
from services.ingest.battery_faults import find_battery_faults

BATTERY = Battery(capacity_kwh=10, charge_limit_kw=5, discharge_limit_kw=5)


def faults(
    soc: Sequence[float] | FloatArray,
    charge: Sequence[float] | FloatArray,
    discharge: Sequence[float] | FloatArray | None = None,
) -> list[str]:
    soc = np.array(soc, dtype=float)
    charge = np.array(charge, dtype=float)
    series = {
        "soc": soc,
        "charge_kwh": charge,
        "discharge_kwh": np.zeros_like(soc)
        if discharge is None
        else np.array(discharge, dtype=float),
    }
    return [fault.code for fault in find_battery_faults(series, [BATTERY])]


def follow(charge: FloatArray, discharge: FloatArray, start: float) -> FloatArray:
    return np.asarray(start + np.cumsum(0.95 * charge - discharge / 0.95) / 10)


def test_a_battery_that_follows_its_energy_has_no_fault() -> None:
    charge = np.tile([1.0, 1.0, 0.0, 0.0], 24)
    discharge = np.tile([0.0, 0.0, 0.9, 0.9], 24)
    assert faults(follow(charge, discharge, 0.3), charge, discharge) == []


def test_an_idle_battery_may_stand_still_all_day() -> None:
    assert faults(np.full(96, 0.4), np.zeros(96)) == []


def test_a_state_of_charge_in_whole_percent_is_no_fault() -> None:
    charge = np.full(96, 0.05)
    # 96 × 0.05 × 0.95 = 4.56 kWh: from 30 % to 75.6 %, told as whole percent that stand still for
    # two slots at a time.
    assert faults(np.round(follow(charge, np.zeros(96), 0.3), 2), charge) == []


def test_a_state_of_charge_that_stands_still_while_energy_flows_is_stuck() -> None:
    # Two slots after the first store 2 × 0.95 = 1.9 kWh, more than the tenth of the capacity that
    # may pass unseen, and more than drift may be: 0.1 × (10 + 2).
    assert faults([0.5, 0.5, 0.5], [1.0, 1.0, 1.0]) == ["soc_stuck", "soc_drift"]


def test_energy_that_goes_in_and_out_again_shows_a_stuck_sensor_too() -> None:
    # 1.9 kWh in, 1.9 kWh out: nothing is left at the end, the furthest was 1.9 kWh.
    assert faults([0.5] * 5, [0, 1.0, 1.0, 0, 0], [0, 0, 0, 0.9025, 0.9025]) == ["soc_stuck"]


def test_energy_before_a_sensor_moved_does_not_count_for_the_next_standstill() -> None:
    assert faults([0.5, 0.5, 0.6, 0.6], [0, 0.7, 0.7, 0.7]) == []


@pytest.mark.parametrize(("there", "wrong"), [(0.676, False), (0.677, True)])
def test_a_step_beyond_the_batterys_power_is_a_jump(there: float, wrong: bool) -> None:
    # 5 kW × 1.25 for a quarter-hour are 1.5625 kWh, 15.6 % of ten; with two percent of rounding
    # 17.6 %.
    charge = [0.0, 1.5]
    assert ("soc_jump" in faults([0.5, there], charge)) == wrong


def test_a_step_that_no_energy_of_the_hour_around_it_explains_is_a_jump() -> None:
    # From 12 % to zero for a slot, as a restart says: the battery could, and did nothing. A step
    # told a slot late is none.
    assert faults([0.12, 0.12, 0.12, 0.0, 0.12, 0.12, 0.12], np.zeros(7)) == ["soc_jump"]
    assert "soc_jump" not in faults(
        [0.3, 0.3, 0.3, 0.3, 0.4187, 0.4187, 0.4187], [0, 0, 0, 1.25, 0, 0, 0]
    )


def test_a_level_that_leaves_its_path_for_an_hour_and_comes_back_is_an_excursion() -> None:
    # From 50 % down to 16.7 % by four o'clock, slower and slower; at noon a restart says 4 % less
    # than it holds, or zero, for four slots.
    discharge = np.maximum(0.38 - 0.025 * np.arange(96), 0.0)
    soc = follow(np.zeros(96), discharge, 0.5)
    for less in (0.04, soc[50]):
        restarted = soc - np.where((np.arange(96) >= 48) & (np.arange(96) < 52), less, 0.0)
        assert set(faults(restarted, np.zeros(96), discharge)) & {"soc_excursion", "soc_jump"}
    # What a controller corrects for good is none, nor what is told two slots late, nor whole per
    # cents of one that loses a tenth more than its plate.
    corrected = soc + np.where(np.arange(96) >= 48, 0.08, 0.0)
    assert (
        faults(corrected, np.zeros(96), discharge)
        == faults(np.append(soc[:2], soc[:-2]), np.zeros(96), discharge)
        == []
    )
    charge = np.where(np.arange(96) % 48 < 16, 0.5, 0.0)
    discharge = np.where(np.arange(96) % 48 >= 32, 0.4, 0.0)
    assert "soc_excursion" not in faults(
        np.round(follow(0.9 * charge, discharge, 0.1), 2), charge, discharge
    )


def test_a_fall_may_be_steeper_than_a_rise_because_losses_add_to_it() -> None:
    # 1.5625 kWh at the terminals take 1.6447 from the cells: 18.4 % with rounding.
    assert faults([0.5, 0.317], [0, 0], [0, 1.5]) == []
    assert "soc_jump" in faults([0.5, 0.315], [0, 0], [0, 1.5])


def test_a_state_of_charge_that_does_not_follow_the_energy_has_drifted() -> None:
    # Told +0.5 kWh in steps of 0.1, metered 5 × 0.8 × 0.95 = 3.8 kWh: off by 3.3, more than a tenth
    # of 10 + 4.
    assert faults([0.5, 0.51, 0.52, 0.53, 0.54, 0.55], [0.0, 0.8, 0.8, 0.8, 0.8, 0.8]) == [
        "soc_drift"
    ]


def test_slots_in_which_something_is_unknown_say_nothing() -> None:
    assert faults([0.5, np.nan, 0.9, 0.9, 0.9], [1, 1, 1, np.nan, np.nan]) == []


def test_a_site_without_batteries_has_no_battery_faults() -> None:
    assert not list(
        find_battery_faults(
            {"soc": np.zeros(3), "charge_kwh": np.ones(3), "discharge_kwh": np.ones(3)}, []
        )
    )
