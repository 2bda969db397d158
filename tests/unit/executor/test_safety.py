"""Nothing reaches an inverter that the safety layer has not seen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.battery_setpoints import make_safe, to_supported_modes
from luna.contracts.control import BatterySetpoint
from luna.energy.site import Site, parse_site
from luna.energy.site.control import Control
from tests.support.control.inverters import describe
from tests.support.suite.tables import each_row

BATTERY = {
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "max_soc": 0.9,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 4,
}
MODES = ("self_consumption", "save", "supply", "hold", "charge", "export")
SHARES = st.none() | st.floats(0, 1)


def site(**battery: object) -> Site:
    return parse_site({"name": "home", "timezone": "UTC", "batteries": [BATTERY | battery]})


@each_row("mode", MODES)
@each_row("soc", [{}, {"battery": math.nan}], ids=["not measured", "unknown"])
def test_an_unknown_state_of_charge_forbids_any_exchange(mode: str, soc: dict[str, float]) -> None:
    safe = make_safe(site(), {"battery": BatterySetpoint.model_validate({"mode": mode})}, soc)
    assert safe["battery"].mode == "hold"


def test_power_and_bounds_are_those_of_the_battery() -> None:
    asked = BatterySetpoint(mode="charge", power_kw=99, target_soc=1, floor_soc=0, ceiling_soc=1)
    safe = make_safe(site(), {"battery": asked}, {"battery": 0.5})
    assert safe["battery"] == BatterySetpoint(
        mode="charge", power_kw=5, target_soc=0.9, floor_soc=0.1, ceiling_soc=0.9, spill_soc=0.9
    )


@pytest.mark.parametrize(
    ("mode", "power_kw", "target_soc"), [("charge", 5, 0.9), ("export", 4, 0.1)]
)
def test_what_is_left_open_is_what_the_battery_bears(
    mode: str, power_kw: float, target_soc: float
) -> None:
    safe = make_safe(
        site(), {"battery": BatterySetpoint.model_validate({"mode": mode})}, {"battery": 0.5}
    )
    assert (safe["battery"].power_kw, safe["battery"].target_soc) == (power_kw, target_soc)


def test_what_the_contract_forbids_is_not_sent_for_an_owner_either() -> None:
    safe = make_safe(
        site(charge_from_grid=False), {"battery": BatterySetpoint(mode="charge")}, {"battery": 0.5}
    )
    assert safe["battery"].mode == "save"


@pytest.mark.parametrize(
    ("limit_kw", "mode", "power_kw"), [(2.5, "export", 2.5), (8, "export", 4), (0, "supply", 0)]
)
def test_nobody_sells_more_than_the_connection_carries(
    limit_kw: float, mode: str, power_kw: float
) -> None:
    connected = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "batteries": [BATTERY],
            "grid": {"export_limit_kw": limit_kw},
        }
    )
    safe = make_safe(connected, {"battery": BatterySetpoint(mode="export")}, {"battery": 0.5})
    assert (safe["battery"].mode, safe["battery"].power_kw) == (mode, power_kw)


@pytest.mark.parametrize(("limit_kw", "power_kw"), [(3.7, 3.7), (8, 5)])
def test_nobody_charges_from_the_grid_with_more_than_the_connection_carries(
    limit_kw: float, power_kw: float
) -> None:
    connected = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "batteries": [BATTERY],
            "grid": {"import_limit_kw": limit_kw},
        }
    )
    safe = make_safe(connected, {"battery": BatterySetpoint(mode="charge")}, {"battery": 0.5})
    assert (safe["battery"].mode, safe["battery"].power_kw) == ("charge", power_kw)


def test_a_mode_that_the_inverter_does_not_know_becomes_its_own_consumption() -> None:
    control = Control.model_validate(describe())
    said = to_supported_modes(
        site(), {"battery": BatterySetpoint(mode="supply")}, {"battery": 0.5}, control=control
    )
    assert said["battery"].mode == "self_consumption"


@given(st.sampled_from(MODES), st.none() | st.floats(0, 10_000), SHARES, SHARES, SHARES)
def test_what_is_safe_stays_as_it_is(
    mode: str,
    power_kw: float | None,
    target_soc: float | None,
    floor_soc: float | None,
    soc: float | None,
) -> None:
    asked = BatterySetpoint.model_validate(
        {"mode": mode, "power_kw": power_kw, "target_soc": target_soc, "floor_soc": floor_soc}
    )
    measured = {} if soc is None else {"battery": soc}
    safe = make_safe(site(), {"battery": asked}, measured)
    assert make_safe(site(), safe, measured) == safe
