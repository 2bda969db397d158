"""When the simulated car drives away, when it comes home, and how much it drives: by the seed and the local day alone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from luna.platform.simulated_home.site import ZONE

# Source: WLTP of compact electric cars, with what charging loses left out.
KWH_PER_KM = 0.17
_SATURDAY = 5
_WEEKEND_SHARE = 0.5
_LONGEST_DRIVE_HOURS = 0.75


@dataclass(frozen=True, slots=True)
class Trip:
    """From leaving to coming home, seconds since 1970, and what the driving takes out of the battery; it drives at the beginning and at the end."""

    leaves: float
    returns: float
    used_kwh: float

    def is_away(self, at: float) -> bool:
        """Return whether it is away then."""
        return self.leaves <= at < self.returns

    def driven_kwh(self, at: float) -> float:
        """Return what was driven by then."""
        passed, lasts = min(max(at - self.leaves, 0.0), self.returns - self.leaves), self.returns - self.leaves
        drive = min(_LONGEST_DRIVE_HOURS * 3600.0, lasts / 2)
        return self.used_kwh * (min(passed, drive) + max(passed - (lasts - drive), 0.0)) / (2 * drive)


def trip_at(at: float, *, seed: int) -> Trip | None:
    """Return the trip of the local day of an instant; None where the car stays at home on that day."""
    return trip_of(datetime.fromtimestamp(at, ZONE).date(), seed=seed)


@lru_cache(maxsize=64)
def trip_of(day: date, *, seed: int) -> Trip | None:
    """Return the trip of a local day, which ends on it.

    Workdays: from 7:10 to 7:50 until 16:20 to 17:50, 30 to 75 km. At weekends on every second day, for two to six hours, 15 to 150 km.
    """
    chance = np.random.default_rng((seed, day.toordinal()))
    if day.weekday() < _SATURDAY:
        leaves, returns, km = 7.5 + chance.uniform(-1, 1) / 3, 17.0 + chance.triangular(-2 / 3, 0, 5 / 6), chance.uniform(30, 75)
    else:
        stays = chance.uniform() >= _WEEKEND_SHARE
        leaves = chance.uniform(10, 13)
        returns, km = leaves + chance.uniform(2, 6), chance.uniform(15, 150)
        if stays:
            return None
    # By the clock on the wall, also on the day on which it changes.
    begin = datetime.combine(day, time(), tzinfo=ZONE)
    departure, arrival = ((begin + timedelta(hours=float(hours))).timestamp() for hours in (leaves, returns))
    return Trip(departure, arrival, km * KWH_PER_KM)
