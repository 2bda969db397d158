"""Plausibility of state-of-charge readings.

A jump that the device's power cannot explain is doubted. A restarted inverter reports 0 % for a
while, a cloud meter yesterday's value. A level after such a jump is believed once it has been
reported for a quarter-hour; until then the last believed one is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import NamedTuple

from luna.energy.devices.battery import Battery
from luna.energy.observations import SocReading

# A battery management that recalibrates moves by a few per cent at once.
STEP_SOC = 0.05
# From the measurement of a level to its report: gateways poll batteries every few minutes.
DELAY = timedelta(minutes=5)
# Inverters exceed their rated power a little, for short peaks.
BEYOND_NAME_PLATE = 1.25
CONFIRMED_AFTER = timedelta(minutes=15)

HOUR = timedelta(hours=1)


class LevelPace(NamedTuple):
    """The fastest rise and fall of a level, fractions of the capacity per hour."""

    rise_per_hour: float
    fall_per_hour: float


@dataclass(frozen=True, slots=True)
class JudgedLevel:
    """The last believed level and its instant.

    ``doubted`` is a newer reading that is not believed, ``doubted_since`` the first reading of that
    level.
    """

    soc: float
    at: datetime
    doubted: SocReading | None = None
    doubted_since: datetime | None = None

    def follow(self, reading: SocReading, pace: LevelPace) -> "JudgedLevel":
        """Return the judgement after one more, later reading."""
        if can_follow(SocReading(self.soc, self.at), reading, pace):
            return JudgedLevel(*reading)
        if self.doubted is None or not can_follow(self.doubted, reading, pace):
            return replace(self, doubted=reading, doubted_since=reading.at)
        return replace(self, doubted=reading).confirm(reading.at)

    def confirm(self, now: datetime) -> "JudgedLevel":
        """Return the judgement at ``now`` where the last reading still holds.

        A doubted level is believed after a quarter-hour.
        """
        if (
            self.doubted is None
            or self.doubted_since is None
            or now - self.doubted_since < CONFIRMED_AFTER
        ):
            return self
        return JudgedLevel(*self.doubted)

    def describe_doubt(self) -> dict[str, object]:
        """Return the figures of a note on the doubted reading, instants as ISO 8601.

        None where nothing is doubted.
        """
        if self.doubted is None:
            return {}
        return {
            "soc": self.soc,
            "at": self.at.isoformat(),
            "doubted_soc": self.doubted.soc,
            "doubted_at": self.doubted.at.isoformat(),
        }


def judge_levels(readings: Iterable[SocReading], pace: LevelPace) -> JudgedLevel | None:
    """Return the believed level after the readings of one sensor, None without any.

    The first one is believed.

    Args:
        readings: in order of time, free of NaN.
        pace: of the device.

    Invariants: the level is one of the readings; a reading that power can explain is believed at
        once.
    """

    def follow(level: JudgedLevel | None, reading: SocReading) -> JudgedLevel:
        return JudgedLevel(*reading) if level is None else level.follow(reading, pace)

    return reduce(follow, readings, None)


def can_follow(before: SocReading, reading: SocReading, pace: LevelPace) -> bool:
    """Return whether power explains a later reading."""
    hours = (max(reading.at - before.at, timedelta(0)) + DELAY) / HOUR
    most_rise = STEP_SOC + BEYOND_NAME_PLATE * pace.rise_per_hour * hours
    most_fall = STEP_SOC + BEYOND_NAME_PLATE * pace.fall_per_hour * hours
    return before.soc - most_fall <= reading.soc <= before.soc + most_rise


def pace_of_batteries(batteries: Sequence[Battery]) -> LevelPace:
    """Return the pace of the fastest battery: no mean of their levels moves faster."""
    rise = 0.0
    fall = 0.0
    for battery in batteries:
        stored_kw = battery.charge_limit_kw * battery.charge_efficiency
        rise = max(rise, stored_kw / battery.capacity_kwh)
        drawn_kw = battery.discharge_limit_kw / battery.discharge_efficiency
        fall = max(fall, drawn_kw / battery.capacity_kwh)
    return LevelPace(rise, fall)
