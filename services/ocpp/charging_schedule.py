"""Write a limit as the charging schedules of both versions of OCPP have it."""

import math
from datetime import datetime, timedelta

from luna.contracts.charge_points import ChargePointTraits
from services.ocpp.link import Payload
from services.ocpp.meter_values import VOLTS
from services.ocpp.texts import read_number, write_instant

# Luna's profiles replace each other.
LIMIT_PROFILE = 1
MOST_PROFILE = 2
# A profile that begins a little earlier also counts where the charge point's clock is slow.
EARLIER = timedelta(minutes=1)
_ROUNDING = 1e-6


def write_schedule(
    traits: ChargePointTraits,
    current_a: float,
    phases: int | None,
    power_w: float | None,
    *,
    allowed_units: str,
    now: datetime,
) -> Payload:
    """Return a schedule with one limit, in the unit that the charge point takes.

    Args:
        traits: of its product.
        current_a: the limit of each phase.
        phases: that it is to use, None: its own.
        power_w: the limit of all of them, None: by the current.
        allowed_units: as it says itself, empty where it says nothing.
        now: from a little before it counts.
    """
    unit = traits.rate_unit
    if unit is None:
        words = {word.strip().casefold() for word in allowed_units.split(",")}
        takes_power_alone = words <= {"power", "w"} and words != {""}
        unit = "W" if takes_power_alone else "A"
    # Rounded down: what is set is never more than what is allowed.
    period: Payload = {"startPeriod": 0, "limit": math.floor(current_a * 10 + _ROUNDING) / 10}
    if unit == "W":
        limit_w = current_a * VOLTS * (phases or 3)
        # One that is connected with one phase would put the power of three on it.
        limit_w = limit_w if power_w is None else min(limit_w, power_w)
        period["limit"] = math.floor(limit_w + _ROUNDING)
    if phases is not None:
        period["numberPhases"] = phases
    schedule: Payload = {"chargingRateUnit": unit, "chargingSchedulePeriod": [period]}
    if traits.profile_kind == "Absolute":
        schedule["startSchedule"] = write_instant(now - EARLIER)
    return schedule


def choose_stack_level(traits: ChargePointTraits, highest: str | None) -> int:
    """Return the level of Luna's limit: the product's, else the highest that it takes."""
    if traits.stack_level is not None:
        return traits.stack_level
    level = read_number(highest)
    return 0 if math.isnan(level) or level < 0 else min(int(level), 100)
