"""How full something is, as its sensor says: what its power cannot have done in the time is asked about, not believed.

An inverter that starts again says 0 % for a while, a meter in the cloud what it knew yesterday. A level that such a jump leads to is believed once it is said
for a quarter-hour; until then the one before it stands.
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
# Between the instant a level held and the one at which it was said: gateways ask batteries every few minutes.
DELAY = timedelta(minutes=5)
# Inverters and short peaks go a little beyond a name plate.
BEYOND_NAME_PLATE = 1.25
CONFIRMED_AFTER = timedelta(minutes=15)

HOUR = timedelta(hours=1)


class LevelPace(NamedTuple):
    """How fast a level may rise and fall, shares of what is full per hour."""

    rise_per_hour: float
    fall_per_hour: float


@dataclass(frozen=True, slots=True)
class JudgedLevel:
    """The last level that is believed and its instant; ``doubted`` is what was said last and is not, ``doubted_since`` when such a level was said first."""

    soc: float
    at: datetime
    doubted: SocReading | None = None
    doubted_since: datetime | None = None

    def follow(self, reading: SocReading, pace: LevelPace) -> "JudgedLevel":
        """Return what is believed with one more reading, said later."""
        if _can_follow(SocReading(self.soc, self.at), reading, pace):
            return JudgedLevel(*reading)
        if self.doubted is None or not _can_follow(self.doubted, reading, pace):
            return replace(self, doubted=reading, doubted_since=reading.at)
        return replace(self, doubted=reading).confirm(reading.at)

    def confirm(self, now: datetime) -> "JudgedLevel":
        """Return what is believed at an instant until which the last reading holds."""
        if self.doubted is None or self.doubted_since is None or now - self.doubted_since < CONFIRMED_AFTER:
            return self
        return JudgedLevel(*self.doubted)

    def describe_doubt(self) -> dict[str, object]:
        """Return the figures of a note on what was said and is not believed, instants as ISO 8601; none where nothing is doubted."""
        if self.doubted is None:
            return {}
        return {"soc": self.soc, "at": self.at.isoformat(), "doubted_soc": self.doubted.soc, "doubted_at": self.doubted.at.isoformat()}


def judge_levels(readings: Iterable[SocReading], pace: LevelPace) -> JudgedLevel | None:
    """Return which level is to be believed after readings of one sensor, None where there is none; of the first one nothing speaks against it.

    Args:
        readings: in order of time, free of NaN.
        pace: of what they are the level of.

    Invariants: the level is one of the readings; one that power can explain is believed at once.
    """

    def follow(level: JudgedLevel | None, reading: SocReading) -> JudgedLevel:
        return JudgedLevel(*reading) if level is None else level.follow(reading, pace)

    return reduce(follow, readings, None)


def _can_follow(before: SocReading, reading: SocReading, pace: LevelPace) -> bool:
    hours = (max(reading.at - before.at, timedelta(0)) + DELAY) / HOUR
    rise, fall = (STEP_SOC + BEYOND_NAME_PLATE * rate * hours for rate in pace)
    return before.soc - fall <= reading.soc <= before.soc + rise


def pace_of_batteries(batteries: Sequence[Battery]) -> LevelPace:
    """Return how fast batteries fill and empty, the fastest of them: none of their means moves faster."""
    rise = max((battery.charge_limit_kw * battery.charge_efficiency / battery.capacity_kwh for battery in batteries), default=0.0)
    fall = max((battery.discharge_limit_kw / battery.discharge_efficiency / battery.capacity_kwh for battery in batteries), default=0.0)
    return LevelPace(rise, fall)
