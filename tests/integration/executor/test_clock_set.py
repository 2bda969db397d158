"""The clock set back and forward by a day while a site is armed: no old plan is followed, nothing
is commanded twice in a slot, and it recovers.
"""

from datetime import timedelta

from luna.contracts.control import BatterySetpoint
from luna.energy.timeline import SLOT
from tests.support.control.executor import START, Home
from tests.support.control.inverters import Inverter

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8)
DAY = timedelta(days=1)


def slots(home: Home) -> list[tuple[str, str]]:
    """What was decided and confirmed, by slot."""
    return [
        (entry.slot_start.isoformat(), entry.reason)
        for entry in home.log
        if entry.confirmed is not None
    ]


def test_a_clock_that_jumps_forward_leaves_no_old_plan_in_force_and_recovers(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(*[CHARGE] * 8)
    armed.turn()
    armed.turn(DAY)
    assert inverter.modes == ["Force Charge", "Self Use"]
    assert armed.log[-1].reason == "no_plan"
    armed.clock.instant -= DAY
    armed.turn(SLOT)
    assert inverter.modes[-1] == "Force Charge"


def test_a_clock_that_jumps_back_hands_the_device_back_and_recovers(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(*[CHARGE] * 8)
    armed.turn()
    armed.turn(-DAY)
    assert inverter.modes == ["Force Charge", "Self Use"]
    armed.clock.instant = START
    armed.turn(SLOT)
    # Nothing is sent twice in a slot.
    armed.turn(timedelta(seconds=5))
    assert inverter.modes == ["Force Charge", "Self Use", "Force Charge"]
    decided = slots(armed)
    assert len(decided) == len(set(decided))
