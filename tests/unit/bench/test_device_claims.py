"""What is said of a product's command is false where the product holds another one."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.fortnight.device_claims import ControlWatch, find_contradiction
from bench.fortnight.independent_client import ForcedFlow, OfferedPower, SeenCommand
from luna.contracts.control import (
    BatterySetpoint,
    ControlState,
    Decision,
    Setpoint,
    VehicleSetpoint,
)
from luna.energy.devices.switched import LoadSetpoint

NOW = datetime(2027, 3, 15, 3, tzinfo=UTC)
CHARGE = VehicleSetpoint(mode="charge", charge_kw=6.9)
STOP = VehicleSetpoint(mode="stop", charge_kw=0.0)


def state_of(setpoint: Setpoint) -> ControlState:
    decision = Decision(
        slot_start=NOW,
        source="planner",
        decided_by="planner",
        reason="planned",
        requested={"device": setpoint},
        allowed={"device": setpoint},
    )
    return ControlState(site="home", device="device", decision=decision)


@pytest.mark.parametrize(
    ("setpoint", "seen", "is_false"),
    [
        (CHARGE, OfferedPower(10), False),  # 10 A on three phases: 6.9 kW
        (CHARGE, OfferedPower(9), False),  # rounded down to whole amperes
        (CHARGE, OfferedPower(8), True),
        (CHARGE, OfferedPower(11), True),
        (CHARGE, OfferedPower(10, phases=1), True),
        (CHARGE, OfferedPower(0), True),
        (STOP, OfferedPower(0), False),
        (STOP, OfferedPower(6), True),
        (LoadSetpoint(mode="on"), True, False),
        (LoadSetpoint(mode="on"), False, True),
        (LoadSetpoint(mode="off"), True, True),
        (BatterySetpoint(mode="charge"), ForcedFlow(1), False),
        (BatterySetpoint(mode="charge"), ForcedFlow(0), False),  # at its target
        (BatterySetpoint(mode="charge"), ForcedFlow(-1), True),
        (BatterySetpoint(mode="hold"), ForcedFlow(1), True),
        (STOP, True, True),  # another kind of device
    ],
)
def test_a_product_that_holds_another_command_contradicts_what_is_said(
    setpoint: Setpoint, seen: SeenCommand, is_false: bool
) -> None:
    assert (find_contradiction(state_of(setpoint), seen, NOW) is not None) == is_false


def test_the_time_without_control_ends_when_the_product_follows_again() -> None:
    watch = ControlWatch()
    watch.begin("product_forgets", NOW)
    watch.check(NOW + timedelta(seconds=30), is_in_control=False)
    watch.check(NOW + timedelta(seconds=60), is_in_control=True)
    watch.check(NOW + timedelta(seconds=90), is_in_control=False)
    assert not watch.is_open
    assert watch.longest == {"product_forgets": timedelta(seconds=60)}
