"""What charge points measure, in the ways in which they send it."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ocpp.meter_values import ChargePointMeasurement, read_meter_values
from services.ocpp.texts import clean_text, read_instant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(*samples: dict[str, Any]) -> ChargePointMeasurement:
    [measured] = read_meter_values(
        [{"timestamp": "2026-03-01T11:59:00Z", "sampledValue": list(samples)}], NOW
    )
    return measured


def test_what_names_nothing_is_the_counter_in_watt_hours() -> None:
    assert read({"value": "1234"}).energy_wh == 1234
    assert read({"value": "1.5", "unit": "kWh"}).energy_wh == 1500


def test_powers_of_phases_are_summed_and_the_total_counts_before_them() -> None:
    power = {"measurand": "Power.Active.Import", "unit": "kW"}
    phases = [{**power, "value": "2", "phase": f"L{phase}"} for phase in (1, 2, 3)]
    assert read(*phases).power_w == 6000
    assert read(*phases, {**power, "value": "7"}).power_w == 7000


def test_without_a_power_currents_and_voltages_give_it() -> None:
    current = {"measurand": "Current.Import", "value": "10"}
    phases = [{**current, "phase": f"L{phase}-N"} for phase in (1, 2)]
    measured = read(*phases, {**current, "phase": "N", "value": "3"})
    assert measured.currents_a == {"L1": 10, "L2": 10}
    assert measured.power_w == 2 * 10 * 230
    voltage = {"measurand": "Voltage", "value": "240"}
    assert read(*phases, voltage).power_w == 2 * 10 * 240


def test_2_0_1_gives_units_with_a_multiplier() -> None:
    sample = {"value": 6.9, "measurand": "Power.Active.Import"}
    measured = read({**sample, "unitOfMeasure": {"unit": "W", "multiplier": 3}})
    assert measured.power_w == pytest.approx(6900)


@pytest.mark.parametrize("value", ["", "NaN", "Infinity", "1e999", None, True, [], {}, "9" * 400])
def test_what_is_no_number_is_left_out(value: Any) -> None:
    assert read_meter_values([{"sampledValue": [{"value": value}]}], NOW) == []


@pytest.mark.parametrize("values", [None, 7, "text", {}, [None, 7, {"sampledValue": 7}]])
def test_what_are_no_values_are_none(values: Any) -> None:
    assert read_meter_values(values, NOW) == []


def test_signed_data_and_other_measurands_are_left_out() -> None:
    signed = {"value": "99", "format": "SignedData"}
    assert math.isnan(read(signed, {"value": "50", "measurand": "SoC"}).energy_wh)


@pytest.mark.parametrize("text", ["2030-01-01T00:00:00Z", "yesterday", "", None, 7])
def test_an_instant_in_the_future_or_unreadable_is_now(text: Any) -> None:
    assert read_instant(text, NOW) == NOW


def test_an_instant_without_a_zone_is_in_utc() -> None:
    assert read_instant("2026-03-01T11:00:00", NOW) == NOW.replace(hour=11)


def test_texts_are_shortened_and_have_no_control_characters() -> None:
    assert clean_text("a\x00b\ud800c\n" + "x" * 100) == "abc" + "x" * 57
    assert clean_text(["a"]) == ""
