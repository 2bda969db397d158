"""The home's inverter as a product that Luna speaks to itself."""

from dataclasses import replace

from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.simulator import WATTS, SimulatedInverter
from luna.platform.simulated_home import BATTERY_MODEL, HomeState


class HomeInverter(SimulatedInverter):
    """Points of a profile before the home's battery: they say what the home does, and it does what they command."""

    def __init__(self, profile: DeviceProfile, state: HomeState) -> None:
        self._home = state
        super().__init__(profile, battery=BATTERY_MODEL, now=lambda: self._home.at)

    def follow(self, state: HomeState) -> HomeState:
        """Return the home as its inverter is commanded now."""
        with self._lock:
            self._home = state
            self._advance()
            return replace(state, command=self.command)

    def _step(self, seconds: float) -> None:
        """The home lives by itself."""

    def _measure(self) -> dict[str, float]:
        home = self._home
        power_w, grid_w = home.battery.power_kw * WATTS, home.grid_kw * WATTS
        return {
            "soc": 100 * home.battery.stored_kwh / BATTERY_MODEL.capacity_kwh,
            "charge_w": max(power_w, 0.0),
            "discharge_w": max(-power_w, 0.0),
            "pv_w": home.pv_kw * WATTS,
            "load_w": home.used_kw * WATTS,
            "import_w": max(grid_w, 0.0),
            "export_w": max(-grid_w, 0.0),
            "import_kwh": home.import_kwh,
            "export_kwh": home.export_kwh,
        }
