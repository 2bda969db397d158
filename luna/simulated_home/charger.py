"""The simulated home's charger as a product with a driver profile."""

from dataclasses import replace

from luna.drivers.profile import DeviceProfile
from luna.drivers.readings import STATE_READINGS
from luna.drivers.simulated_charge_point import LEAST_A, WATTS, SimulatedChargePoint
from luna.simulated_home.car import CarState, ChargerCommand
from luna.simulated_home.house import HomeState
from luna.simulated_home.product import HomeProduct


class HomeCharger(HomeProduct, SimulatedChargePoint):
    """Points of a driver profile in front of the home's charger."""

    def __init__(self, profile: DeviceProfile, state: HomeState) -> None:
        # Fault: the car sleeps, and draws nothing of what it is offered.
        self.asleep = False
        self._plugged_kwh = 0.0
        super().__init__(profile, state, car=None)

    @property
    def command(self) -> ChargerCommand:
        """The points' command, as the home's charger carries it out."""
        if self.asleep or self.offered_a < LEAST_A:
            return ChargerCommand("off")
        return ChargerCommand("on", self.offered_a, self.phases)

    def _obey(self, state: HomeState) -> HomeState:
        car = state.car
        if car is None:
            return state
        if not car.is_home:
            self._plugged_kwh = car.charge_kwh
        return replace(state, car=replace(car, command=self.command))

    def _measure(self) -> dict[str, float]:
        car = self._home.car or CarState(0.0, is_home=False)
        code = 1.0 if car.is_home else 0.0
        if car.power_kw > 0:
            code = 2.0
        return dict.fromkeys(STATE_READINGS, code) | {
            "car_w": car.power_kw * WATTS,
            "car_kwh": car.charge_kwh,
            "session_kwh": car.charge_kwh - self._plugged_kwh,
            "car_soc": 100 * car.soc,
            "offered_a": self.offered_a,
            "charger_overridden": 0.0,
            "phases_used": float(self.phases) if car.power_kw > 0 else 0.0,
        }
