"""The switch of the simulated home's water heater as a product with a driver profile."""

from dataclasses import replace

from luna.drivers.profile import DeviceProfile
from luna.drivers.simulated_charge_point import WATTS, SimulatedLoad
from luna.simulated_home.heater import HEATER_MODEL, HeaterState
from luna.simulated_home.house import HomeState
from luna.simulated_home.product import HomeProduct

_WORDS = {"own": "auto", "on": "on", "off": "off"}


class HomeSwitch(HomeProduct, SimulatedLoad):
    """Points of a driver profile in front of the home's water heater."""

    def __init__(self, profile: DeviceProfile, state: HomeState) -> None:
        super().__init__(profile, state, rated_w=HEATER_MODEL.power_kw * WATTS)

    def _obey(self, state: HomeState) -> HomeState:
        if state.heater is None:
            return state
        return replace(state, heater=replace(state.heater, mode=_WORDS[self.mode]))

    def _measure(self) -> dict[str, float]:
        heater = self._home.heater or HeaterState()
        return {
            "load_on": float(self.mode == "on"),
            "heater_w": heater.power_kw * WATTS,
            "heater_kwh": heater.used_kwh,
        }
