"""What an owner reads of what a set-point writes: as much, and with the same sign, as the device is sent."""

from pathlib import Path

import pytest

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.written import describe_writes


@pytest.mark.parametrize(
    ("profile", "setpoint", "said"),
    [
        ("sunspec_12x", BatterySetpoint(mode="charge", power_kw=5), ("OutWRte (124/12)", "-5000 W / WChaMax")),
        ("sunspec_12x", BatterySetpoint(mode="charge"), ("OutWRte (124/12)", "-WChaMax / WChaMax")),
        ("sunspec_7xx", BatterySetpoint(mode="hold"), ("WSet (704/24)", "ac_power_w (0)")),
        ("victron_gx", BatterySetpoint(mode="export", power_kw=2), ("setpoint (2716)", "-2000 W")),
    ],
    ids=["as much as asked", "as much as it can", "nothing", "given"],
)
def test_a_write_is_said_as_it_is_sent(profile: str, setpoint: BatterySetpoint, said: tuple[str, str]) -> None:
    assert said in describe_writes(load_profile(profile, Path("/nonexistent")), Via(profile=profile, host="192.0.2.1"), setpoint)
