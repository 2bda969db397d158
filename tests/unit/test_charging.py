"""What a charger may be told: nothing, or a power that it can draw."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.energy.physics.safety import clamp_charging, clamp_giving
from luna.energy.site import Site, parse_site
from tests.support.control.inverters import DEVICES, describe_devices
from tests.support.suite.tables import each_row

# On one phase 1.4 to 3.68 kW, on three 4.14 to 11 kW.
CAR = DEVICES["vehicles"][0]


def site(**grid: float) -> Site:
    return parse_site({"name": "home", "timezone": "UTC", "grid": grid, "vehicles": [CAR]})


@each_row(
    ("asked", "told"),
    [
        (0, 0),
        (-3, 0),
        (math.nan, 0),
        (0.5, 1.4),
        (2.3, 2.3),
        (3.9, 3.68),
        (5, 5),
        (50, 11),
        (math.inf, 11),
    ],
    ids=str,
)
def test_a_power_that_the_charger_cannot_draw_becomes_one_that_it_can(
    asked: float, told: float
) -> None:
    assert clamp_charging(asked, site().vehicles[0].power_ranges, site()) == pytest.approx(told)


@pytest.mark.parametrize(("limit_kw", "told"), [(8.0, 8.0), (4.0, 3.68), (1.0, 0.0)])
def test_no_more_is_drawn_than_the_connection_carries(limit_kw: float, told: float) -> None:
    assert clamp_charging(
        11, site().vehicles[0].power_ranges, site(import_limit_kw=limit_kw)
    ) == pytest.approx(told)


@given(st.floats(), st.floats(0.5, 20))
def test_what_is_safe_stays_as_it_is(asked: float, limit_kw: float) -> None:
    house = site(import_limit_kw=limit_kw)
    safe = clamp_charging(asked, house.vehicles[0].power_ranges, house)
    assert clamp_charging(safe, house.vehicles[0].power_ranges, house) == safe
    assert safe <= min(11, limit_kw)


@each_row(
    ("asked", "soc", "told"),
    [(2, 0.5, 2), (9, 0.5, 5), (2, 0.2, 0), (2, math.nan, 0), (math.nan, 0.5, 0)],
    ids=["as asked", "limit", "kept", "unknown", "no power"],
)
def test_a_car_gives_no_more_than_it_may_and_nothing_where_nobody_knows_what_it_holds(
    asked: float, soc: float, told: float
) -> None:
    car = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "vehicles": [CAR | {"discharge_limit_kw": 5, "min_soc": 0.2}],
        }
    ).vehicles[0]
    assert clamp_giving(asked, soc, min_soc=car.min_soc, limit_kw=car.discharge_limit_kw) == told


def test_currents_of_a_charger_that_is_not_described_cannot_be_told() -> None:
    vehicle: dict[str, Any] = {name: value for name, value in CAR.items() if name != "charger"}
    with pytest.raises(InvalidInputError, match=r"Name vehicles\.charger"):
        parse_site(
            {"name": "home", "timezone": "UTC"}
            | DEVICES
            | {"vehicles": [vehicle], "control": describe_devices()}
        )
