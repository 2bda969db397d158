"""Write a limit as the charging schedules of both versions of OCPP have it."""

import math
from datetime import datetime, timedelta
from typing import Any

from luna.contracts.charge_points import LIMIT_LASTS_S, ChargePointLimit, ChargePointTraits
from luna.energy.site.main_fuses import VOLTAGE_V
from services.ocpp.link import Payload
from services.ocpp.texts import read_number, write_instant

# Luna's profiles replace each other.
LIMIT_PROFILE = 1
MOST_PROFILE = 2
# A profile that begins a little earlier also counts where the charge point's clock is slow.
EARLIER = timedelta(minutes=1)
# A limit that is followed by the safe one is sent again after that.
RENEW_SECONDS = 600.0
_ROUNDING = 1e-6


def write_schedule(
    traits: ChargePointTraits,
    limit: ChargePointLimit,
    following: ChargePointLimit | None,
    *,
    allowed_units: str,
    now: datetime,
    began_at: datetime | None,
) -> Payload:
    """Return a schedule with a limit, in the unit that the charge point takes.

    Args:
        traits: of its product.
        limit: that counts now.
        following: that counts where Luna does not renew the schedule; None: none.
        allowed_units: as it says itself, empty where it says nothing.
        now: from a little before it counts.
        began_at: when the session began from which a relative schedule counts; None: none runs.
    """
    unit = _choose_unit(traits, allowed_units)
    periods = [_write_period(limit, unit, 0)]
    is_absolute = traits.profile_kind == "Absolute"
    if following is not None:
        start_seconds = LIMIT_LASTS_S
        if not is_absolute and began_at is not None:
            # It counts from the begin of the session, however late the schedule comes.
            start_seconds += max(int((now - began_at).total_seconds()), 0)
        periods.append(_write_period(following, unit, start_seconds))
    schedule: Payload = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    if is_absolute:
        schedule["startSchedule"] = write_instant(now - EARLIER)
    return schedule


def read_current(schedule: Any, sent: Payload, limit: ChargePointLimit) -> float:
    """Return the current that a composite schedule allows, NaN if unknown.

    Args:
        schedule: as the charge point tells it.
        sent: the schedule of Luna's limit in the same unit.
        limit: as amperes.
    """
    limit_a = 0.0 if limit.charging == 0 else limit.current_a or 0.0
    own: float = sent["chargingSchedulePeriod"][0]["limit"]
    if not isinstance(schedule, dict) or not own:
        return math.nan
    if schedule.get("chargingRateUnit") != sent["chargingRateUnit"]:
        return math.nan
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list) or not periods or not isinstance(periods[0], dict):
        return math.nan
    # Watts are those of as many phases as in the limit.
    return read_number(periods[0].get("limit")) / own * limit_a


def _choose_unit(traits: ChargePointTraits, allowed_units: str) -> str:
    if traits.rate_unit is not None:
        return traits.rate_unit
    words = {word.strip().casefold() for word in allowed_units.split(",")}
    takes_power_alone = words <= {"power", "w"} and words != {""}
    return "W" if takes_power_alone else "A"


def _write_period(limit: ChargePointLimit, unit: str, start_seconds: int) -> Payload:
    """Return a period of a schedule, which begins so long after the schedule does."""
    current_a = 0.0 if limit.charging == 0 else limit.current_a or 0.0
    # Rounded down: what is set is never more than what is allowed.
    value: float = math.floor(current_a * 10 + _ROUNDING) / 10
    if unit == "W":
        limit_w = current_a * VOLTAGE_V * (limit.phases or 3)
        # One that is connected with one phase would put the power of three on it.
        limit_w = limit_w if limit.power_w is None else min(limit_w, limit.power_w)
        value = math.floor(limit_w + _ROUNDING)
    period: Payload = {"startPeriod": start_seconds, "limit": value}
    if limit.phases is not None:
        period["numberPhases"] = limit.phases
    return period


def choose_safe_limit(traits: ChargePointTraits, commanded: ChargePointLimit) -> ChargePointLimit:
    """Return the limit of a charge point that nobody commands any more."""
    # On how many phases it is connected only the power of its last command says.
    watts_per_ampere = VOLTAGE_V * (commanded.phases or 1)
    if commanded.current_a and commanded.power_w:
        most = VOLTAGE_V * (commanded.phases or 3)
        watts_per_ampere = min(max(commanded.power_w / commanded.current_a, VOLTAGE_V), most)
    return ChargePointLimit(
        current_a=traits.safe_a,
        phases=commanded.phases,
        power_w=traits.safe_a * watts_per_ampere,
        charging=1,
        own=0,
    )


def takes_two_periods(traits: ChargePointTraits, most_periods: str | None) -> bool:
    """Return whether a schedule may have a second period, by the product and what it says."""
    number = read_number(most_periods)
    return not traits.one_period and (math.isnan(number) or number != 1)


def choose_stack_level(traits: ChargePointTraits, highest: str | None) -> int:
    """Return the level of Luna's limit: the product's, else the highest that it takes."""
    if traits.stack_level is not None:
        return traits.stack_level
    level = read_number(highest)
    return 0 if math.isnan(level) or level < 0 else min(int(level), 100)
