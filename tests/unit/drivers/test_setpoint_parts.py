"""What an owner reads of what a set-point writes: as much, and with the same sign, as the device is
sent.
"""

from pathlib import Path
from typing import get_args

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.profile_points import COMMAND_PARTS, PartName
from luna.drivers.profiles import load_profile
from luna.drivers.setpoint_parts import PARTS, describe_writes
from luna.energy.devices.commands import Via


@pytest.mark.parametrize(
    ("profile", "setpoint", "said"),
    [
        (
            "sunspec_12x",
            BatterySetpoint(mode="charge", power_kw=5),
            ("OutWRte (124/12)", "-5000 W / WChaMax"),
        ),
        ("sunspec_12x", BatterySetpoint(mode="charge"), ("OutWRte (124/12)", "-WChaMax / WChaMax")),
        ("sunspec_7xx", BatterySetpoint(mode="hold"), ("WSet (704/24)", "ac_power_w (0)")),
        ("victron_gx", BatterySetpoint(mode="export", power_kw=2), ("setpoint (2716)", "-2000 W")),
        (
            "sma_hybrid",
            BatterySetpoint(mode="self_consumption"),
            ("charge_max (40795)", "most_charging"),
        ),
        # 900 s as whole minutes.
        (
            "huawei_sun2000",
            BatterySetpoint(mode="charge", power_kw=1),
            ("period_min (47083)", "15 min"),
        ),
    ],
    ids=[
        "as much as asked",
        "as much as it can",
        "nothing",
        "given",
        "what another point says",
        "a period",
    ],
)
def test_a_write_is_said_as_it_is_sent(
    profile: str, setpoint: BatterySetpoint, said: tuple[str, str]
) -> None:
    assert said in describe_writes(
        load_profile(profile, Path("/nonexistent")),
        Via(profile=profile, host="192.0.2.1"),
        setpoint,
    )


def test_each_part_that_a_profile_may_put_is_in_the_table() -> None:
    assert set(PARTS) | COMMAND_PARTS == set(get_args(PartName))
