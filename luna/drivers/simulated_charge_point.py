"""Simulate a charge point with a car, a switched load, or a solar inverter, from its profile."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from luna.drivers.profile import DeviceProfile, ProfileMode
from luna.drivers.profile_points import Point, unit_factor
from luna.drivers.readings import STATE_READINGS, split_sign
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site.main_fuses import VOLTAGE_V

WATTS = 1000
SECONDS_PER_HOUR = 3600.0
# IEC 61851-1: below it a car does not charge.
LEAST_A = 6.0


@dataclass
class SimulatedCar:
    """A car at a charge point: what it draws at most, and what it takes until it is full."""

    most_a: float = 16.0
    phases: int = 3
    capacity_kwh: float = 60.0
    stored_kwh: float = 20.0

    def draw_a(self, offered_a: float) -> float:
        """Return the current per phase that it draws of what is offered."""
        if offered_a < LEAST_A or self.stored_kwh >= self.capacity_kwh:
            return 0.0
        return min(offered_a, self.most_a)


@dataclass
class CommandedProduct(SimulatedProduct):
    """A product whose mode follows from the values that its points hold."""

    def _find_mode(self, modes: tuple[ProfileMode, ...]) -> ProfileMode:
        """Return the mode whose fixed values the points hold, own where there is none.

        Of several the one with the most fixed values, then the earliest.
        """
        best: ProfileMode = "own"
        best_count = -1
        for mode in modes:
            writes = self.profile.modes.get(mode, ())
            constants = [write for write in writes if self._constant(write) is not None]
            if not writes or not all(map(self._has_constant, constants)):
                continue
            if len(constants) > best_count:
                best = mode
                best_count = len(constants)
        return best

    def _read_part(self, mode: ProfileMode, part: str) -> float | None:
        """Return the value of a part of a mode's command, None where the mode has none.

        A power is in W, whatever its point counts in.
        """
        for write in self.profile.modes.get(mode, ()):
            if write.put == part:
                point = self.profile.points[write.write]
                factor = unit_factor(point, "heater_w") if part == "power_w" else 1.0
                return write.sign * self.image.value(write.write) * (factor or 1.0)
        return None

    def _measure(self) -> dict[str, float]:
        """Return all readings of the device."""
        raise NotImplementedError

    def _show(self) -> None:
        shown = self._measure()
        values: dict[str, float] = {}
        for reading, entries in self.profile.reads.items():
            value = shown.get(reading, 0.0)
            for sign, name in map(split_sign, entries):
                point = self.profile.points[name]
                if name in self.profile.written_points:
                    continue
                if point.codes:
                    values[name] = _fit_code(point, value)
                else:
                    values[name] = sign * value / unit_factor(point, reading) / len(entries)
        if "most_a" in self.profile.limits:
            name = self.profile.limits["most_a"]
            factor = unit_factor(self.profile.points[name], "most_a")
            values[name] = self._most_a / factor
        for name, value in (values | self.stuck).items():
            self.image.put(name, value)

    @property
    def _most_a(self) -> float:
        """The highest current that the device allows per phase."""
        return 0.0 if self.profile.charger is None else self.profile.charger.most_a


def _fit_code(point: Point, value: float) -> float:
    """Return the highest value with a code that is not above one, else the lowest."""
    values = sorted(set(point.codes.values()))
    return max((known for known in values if known <= value), default=values[0])


@dataclass
class SimulatedChargePoint(CommandedProduct):
    """A charge point; ``car``: what is plugged in, None: nothing."""

    car: SimulatedCar | None = field(default_factory=SimulatedCar)

    def __post_init__(self) -> None:
        super().__post_init__()
        # A real meter does not start at 0.
        self._counted_kwh = 1000.0
        self._session_kwh = 0.0
        self._show()

    @property
    def mode(self) -> ProfileMode:
        """The mode that the points command."""
        return self._find_mode(("stop", "charge", "own"))

    @property
    def phases(self) -> int:
        """With how many phases it charges."""
        commanded = self._read_part("charge", "phases")
        traits = self.profile.charger
        usual = 3 if traits is None else max(traits.phases)
        return usual if commanded is None or math.isnan(commanded) else int(commanded)

    @property
    def offered_a(self) -> float:
        """The current per phase that the car may draw."""
        mode = self.mode
        if self.deaf:
            return self._most_a
        if mode == "stop":
            return 0.0
        current_a = self._read_part(mode, "current_a")
        power_w = self._read_part(mode, "power_w")
        if current_a is None and power_w is not None:
            current_a = power_w / (VOLTAGE_V * self.phases)
        return self._most_a if current_a is None else min(current_a, self._most_a)

    @property
    def drawn_a(self) -> float:
        """The current per phase that the car draws."""
        return 0.0 if self.car is None else self.car.draw_a(self.offered_a)

    @property
    def power_kw(self) -> float:
        """The power into the car."""
        phases = self.phases if self.car is None else min(self.phases, self.car.phases)
        return self.drawn_a * phases * VOLTAGE_V / WATTS

    def plug(self, car: SimulatedCar | None) -> None:
        """Plug a car in, or out."""
        with self._lock:
            self._advance()
            self.car = car
            self._session_kwh = 0.0

    def _step(self, seconds: float) -> None:
        energy_kwh = self.power_kw * seconds / SECONDS_PER_HOUR
        self._counted_kwh += energy_kwh
        self._session_kwh += energy_kwh
        if self.car is not None:
            self.car.stored_kwh = min(self.car.stored_kwh + energy_kwh, self.car.capacity_kwh)

    def _measure(self) -> dict[str, float]:
        state = 0.0 if self.car is None else 1.0
        if self.drawn_a > 0:
            state = 2.0
        soc = math.nan if self.car is None else 100 * self.car.stored_kwh / self.car.capacity_kwh
        measured = dict.fromkeys(STATE_READINGS, state)
        return measured | {
            "car_w": self.power_kw * WATTS,
            "car_kwh": self._counted_kwh,
            "session_kwh": self._session_kwh,
            "car_soc": soc,
            "offered_a": self.offered_a,
            "charger_overridden": 0.0,
            "phases_used": float(self.phases) if self.drawn_a else 0.0,
        }


@dataclass
class SimulatedLoad(CommandedProduct):
    """A switched load that draws ``rated_w`` while on, or the power that it is given."""

    rated_w: float = 3000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._counted_kwh = 1000.0
        self._show()

    @property
    def mode(self) -> ProfileMode:
        """The mode that the points command."""
        return self._find_mode(("off", "on", "own"))

    @property
    def power_kw(self) -> float:
        """The power that it draws."""
        if self.mode != "on" or self.deaf:
            return 0.0
        given_w = self._read_part("on", "power_w")
        return (self.rated_w if given_w is None else min(given_w, self.rated_w)) / WATTS

    def _step(self, seconds: float) -> None:
        self._counted_kwh += self.power_kw * seconds / SECONDS_PER_HOUR

    def _measure(self) -> dict[str, float]:
        return {
            "load_on": float(self.power_kw > 0),
            "heater_w": self.power_kw * WATTS,
            "heater_kwh": self._counted_kwh,
        }


def steady_roof(_: float) -> float:
    """A roof that could give 2 kW."""
    return 2.0


@dataclass
class SimulatedPvInverter(CommandedProduct):
    """A solar inverter; ``roof``: what it could give, kW, by seconds since the start."""

    roof: Callable[[float], float] = steady_roof

    def __post_init__(self) -> None:
        super().__post_init__()
        # A real meter does not start at 0.
        self._counted_kwh = 1000.0
        self._show()

    @property
    def mode(self) -> ProfileMode:
        """The mode that the points command."""
        return self._find_mode(("free", "limit"))

    @property
    def power_kw(self) -> float:
        """The power that it gives, curtailed if it is commanded so."""
        power_kw = self.roof(self._stepped_at - self._begun_at)
        if self.mode != "limit" or self.deaf:
            return power_kw
        for write in self.profile.modes["limit"]:
            if write.put == "power_percent" and write.of is not None:
                share = self.image.value(write.write) / 100
                power_kw = min(power_kw, share * self.image.value(write.of) / WATTS)
        return power_kw

    def _step(self, seconds: float) -> None:
        self._counted_kwh += self.power_kw * seconds / SECONDS_PER_HOUR

    def _measure(self) -> dict[str, float]:
        return {"pv_w": self.power_kw * WATTS, "pv_kwh": self._counted_kwh}


def simulate(
    profile: DeviceProfile, *, now: Callable[[], float] = time.monotonic
) -> SimulatedProduct:
    """Return the simulated product of a profile, by its kind."""
    match profile.kind:
        case "charge_point":
            return SimulatedChargePoint(profile, now=now)
        case "switched_load":
            return SimulatedLoad(profile, now=now)
        case "pv_inverter":
            return SimulatedPvInverter(profile, now=now)
    return SimulatedInverter(profile, now=now)
