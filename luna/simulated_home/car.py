"""Simulate an electric car at its charger.

Charging power, daily trips, and state of charge on arrival.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from luna.drivers.simulated_battery import SECONDS_PER_HOUR, read_setting
from luna.simulated_home.site import ZONE

# ``neutral``: without commands the charger charges at once with full power.
CHARGER_WORDS = ("neutral", "on", "off")
ONE_PHASE = 1
THREE_PHASES = 3
# Source: WLTP of compact electric cars, without charging losses.
KWH_PER_KM = 0.17
_SATURDAY = 5
_WEEKEND_SHARE = 0.5
_LONGEST_DRIVE_HOURS = 0.75


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip from departure to return, seconds since 1970, and its energy.

    The driving is at the beginning and at the end.
    """

    leaves: float
    returns: float
    used_kwh: float

    def is_away(self, at: float) -> bool:
        """Return whether the car is away at an instant."""
        return self.leaves <= at < self.returns

    def driven_kwh(self, at: float) -> float:
        """Return the energy driven until an instant."""
        passed = min(max(at - self.leaves, 0.0), self.returns - self.leaves)
        lasts = self.returns - self.leaves
        drive = min(_LONGEST_DRIVE_HOURS * 3600.0, lasts / 2)
        return (
            self.used_kwh * (min(passed, drive) + max(passed - (lasts - drive), 0.0)) / (2 * drive)
        )


def trip_at(at: float, *, seed: int) -> Trip | None:
    """Return the trip of the local day of an instant, None on a day at home."""
    return trip_of(datetime.fromtimestamp(at, ZONE).date(), seed=seed)


@lru_cache(maxsize=64)
def trip_of(day: date, *, seed: int) -> Trip | None:
    """Return the trip of a local day, which ends on it.

    Workdays: from 7:10 to 7:50 until 16:20 to 17:50, 30 to 75 km. At weekends on every second day,
    for two to six hours, 15 to 150 km.
    """
    chance = np.random.default_rng((seed, day.toordinal()))
    if day.weekday() < _SATURDAY:
        leaves = 7.5 + chance.uniform(-1, 1) / 3
        returns = 17.0 + chance.triangular(-2 / 3, 0, 5 / 6)
        km = chance.uniform(30, 75)
    else:
        sessions = chance.uniform() >= _WEEKEND_SHARE
        leaves = chance.uniform(10, 13)
        returns = leaves + chance.uniform(2, 6)
        km = chance.uniform(15, 150)
        if sessions:
            return None
    # Wall-clock times, also on the day of a daylight-saving change.
    begin = datetime.combine(day, time(), tzinfo=ZONE)
    departure = (begin + timedelta(hours=float(leaves))).timestamp()
    arrival = (begin + timedelta(hours=float(returns))).timestamp()
    return Trip(departure, arrival, km * KWH_PER_KM)


@dataclass(frozen=True, slots=True)
class CarModel:
    """Parameters of car and charger. Powers in kW before the charger.

    The loss is ``fixed_loss_kw`` + ``linear_loss`` · P: 7 % at full power, 16 % at the least one.
    Power tapers above ``taper_soc``, and is 0 from ``most_soc`` on, which the owner sets in the
    car. Below ``least_soc`` it is not driven.
    """

    capacity_kwh: float = 50.0
    most_soc: float = 0.9
    least_soc: float = 0.05
    # Source: IEC 61851-1.
    least_current_a: float = 6.0
    most_current_a: float = 16.0
    voltage_kv: float = 0.23
    fixed_loss_kw: float = 0.15
    linear_loss: float = 0.055
    taper_soc: float = 0.8
    least_taper: float = 0.1

    @property
    def most_kw(self) -> float:
        """The charger's maximum power, kW."""
        return THREE_PHASES * self.most_current_a * self.voltage_kv

    def charge_limit_kw(self, soc: float) -> float:
        """Return the charging limit at a state of charge, kW."""
        share = (1.0 - soc) / (1.0 - self.taper_soc)
        return self.most_kw * min(1.0, max(share, self.least_taper)) if soc < self.most_soc else 0.0

    def stored_kw(self, power_kw: float) -> float:
        """Return the power that reaches the battery, kW."""
        if power_kw <= 0.0:
            return 0.0
        return max(power_kw * (1.0 - self.linear_loss) - self.fixed_loss_kw, 0.0)


CAR_MODEL = CarModel()


@dataclass(frozen=True, slots=True)
class ChargerCommand:
    """The charger's last command, in its own vocabulary.

    Current and phases apply while it is ``on``.
    """

    mode: str = "neutral"
    current_a: float = CAR_MODEL.most_current_a
    phases: int = THREE_PHASES

    def offered_kw(self, model: CarModel) -> float:
        """Return the available charging power, kW; 0 below the minimum current."""
        if self.mode == "neutral":
            return model.most_kw
        if self.mode == "off" or self.current_a < model.least_current_a:
            return 0.0
        return self.phases * min(self.current_a, model.most_current_a) * model.voltage_kv


@dataclass(frozen=True, slots=True)
class CarState:
    """State of the car.

    Stored energy, presence, charging power, and totals since the beginning, kWh.
    """

    stored_kwh: float
    is_home: bool = True
    power_kw: float = 0.0
    command: ChargerCommand = field(default_factory=ChargerCommand)
    charge_kwh: float = 0.0
    driven_kwh: float = 0.0
    lost_kwh: float = 0.0

    @property
    def soc(self) -> float:
        """State of charge, 0–1."""
        return self.stored_kwh / CAR_MODEL.capacity_kwh


def step_car(state: CarState, at: float, *, seconds: float, seed: int) -> CarState:
    """Return the car ``seconds`` after an instant, on a trip or at its charger.

    Invariants: charged − lost − driven = change of stored energy; away it takes nothing, and never
    more than is offered.
    """
    trip = trip_at(at, seed=seed)
    hours = seconds / SECONDS_PER_HOUR
    is_home = trip is None or not trip.is_away(at)
    drives = 0.0 if trip is None else trip.driven_kwh(at + seconds) - trip.driven_kwh(at)
    driven = min(drives, max(state.stored_kwh - CAR_MODEL.least_soc * CAR_MODEL.capacity_kwh, 0.0))
    before = replace(
        state,
        is_home=is_home,
        stored_kwh=state.stored_kwh - driven,
        driven_kwh=state.driven_kwh + driven,
    )
    power = 0.0
    if is_home:
        power = min(state.command.offered_kw(CAR_MODEL), CAR_MODEL.charge_limit_kw(before.soc))
    stored = CAR_MODEL.stored_kw(power) * hours
    room = max(CAR_MODEL.most_soc * CAR_MODEL.capacity_kwh - before.stored_kwh, 0.0)
    if stored > room:
        # The part of the step until it is full.
        power = power * room / stored
        stored = room
    charged = power * hours
    return replace(
        before,
        stored_kwh=before.stored_kwh + stored,
        power_kw=power,
        charge_kwh=state.charge_kwh + charged,
        lost_kwh=state.lost_kwh + charged - stored,
    )


def set_charger(command: ChargerCommand, name: str, text: str) -> ChargerCommand:
    """Return the command with one setting changed.

    An invalid value leaves it unchanged, and the charger reports the old value.
    """
    if name == "mode":
        return replace(command, mode=text) if text in CHARGER_WORDS else command
    if (value := read_setting(text)) is None:
        return command
    if name == "phases":
        return (
            replace(command, phases=int(value)) if value in {ONE_PHASE, THREE_PHASES} else command
        )
    return replace(command, current_a=min(max(value, 0.0), CAR_MODEL.most_current_a))
