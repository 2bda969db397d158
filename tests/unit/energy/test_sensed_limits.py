"""What contacts and powers of an operator ask for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.energy.sensed_limits import (
    LimitReading,
    SensedLimit,
    count_steerable,
    list_limit_sensors,
    read_sensed_limits,
)
from luna.energy.site import Site, parse_site

NOW = datetime(2026, 12, 1, 17, tzinfo=UTC)


def make_site(**sensors: Any) -> Site:
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "country": "DE",
            "vehicles": [{"capacity_kwh": 60, "charge_limit_kw": 11}],
            "batteries": [
                {
                    "name": "battery",
                    "capacity_kwh": 10,
                    "charge_limit_kw": 5,
                    "discharge_limit_kw": 5,
                }
            ],
            "input_sensors": sensors,
        }
    )


def limits_of(site: Site, name: str, value: float, unit: str | None = None) -> list[SensedLimit]:
    readings = {name: LimitReading(value, unit)}
    return list(read_sensed_limits(site, readings, NOW).values())


def test_contact_limits_the_devices_to_what_the_rule_leaves() -> None:
    site = make_site(operator_limit_contact="binary_sensor.relay")
    assert count_steerable(site) == 2
    [limit] = limits_of(site, "binary_sensor.relay", 1.0)
    assert limit.import_kw == pytest.approx(4.2 + 0.8 * 4.2)
    assert (limit.export_kw, limit.scope) == (None, "devices")
    assert not limits_of(site, "binary_sensor.relay", 0.0)


def test_contact_with_a_minus_is_on_while_it_says_off() -> None:
    site = make_site(operator_limit_contact="-binary_sensor.relay")
    assert limits_of(site, "binary_sensor.relay", 0.0)
    assert not limits_of(site, "binary_sensor.relay", 1.0)


@pytest.mark.parametrize(
    ("value", "unit", "limit_kw"),
    [(4200.0, "W", 4.2), (4.2, "kW", 4.2), (4200.0, None, 4.2), (0.0, "W", 0.0)],
)
def test_power_is_the_limit(value: float, unit: str | None, limit_kw: float) -> None:
    site = make_site(operator_import_limit="sensor.limit")
    [limit] = limits_of(site, "sensor.limit", value, unit)
    assert limit.import_kw == pytest.approx(limit_kw)
    assert (limit.export_kw, limit.scope) == (None, "devices")


def test_feed_in_is_limited_at_the_meter() -> None:
    site = make_site(operator_export_limit="mqtt:grid/feed_in [W]")
    [limit] = limits_of(site, "mqtt:grid/feed_in [W]", 6000.0, "W")
    assert limit == SensedLimit(None, 6.0, "connection")


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_negative_power_limits_nothing(value: float) -> None:
    site = make_site(operator_import_limit="sensor.limit")
    assert not limits_of(site, "sensor.limit", value, "W")


def test_silent_sensor_keeps_its_value_for_two_hours() -> None:
    site = make_site(operator_import_limit="sensor.limit")
    reading = LimitReading().follow(4200.0, "W", NOW)
    reading = reading.follow(float("nan"), None, NOW + timedelta(minutes=5))
    reading = reading.follow(float("nan"), None, NOW + timedelta(minutes=50))
    readings = {"sensor.limit": reading}
    assert read_sensed_limits(site, readings, NOW + timedelta(hours=2))
    assert not read_sensed_limits(site, readings, NOW + timedelta(hours=2, minutes=5))


def test_every_sensor_of_a_limit_is_listed() -> None:
    site = make_site(
        operator_limit_contact="binary_sensor.relay",
        operator_import_limit="sensor.limit",
        vacation_mode="input_boolean.away",
    )
    assert list_limit_sensors(site) == {"binary_sensor.relay", "sensor.limit"}
