"""The simulated home's inverter as a product with a driver profile."""

from dataclasses import replace

from luna.drivers.profile import DeviceProfile
from luna.drivers.simulated_battery import Command
from luna.drivers.simulator import SimulatedInverter, measure_house
from luna.simulated_home.house import BATTERY_MODEL, HomeState
from luna.simulated_home.product import HomeProduct


class HomeInverter(HomeProduct, SimulatedInverter):
    """Registers of a driver profile in front of the home's battery.

    They show the home's measurements, and their commands drive the battery.
    """

    def __init__(self, profile: DeviceProfile, state: HomeState) -> None:
        super().__init__(profile, state, battery=BATTERY_MODEL)

    def _obey(self, state: HomeState) -> HomeState:
        """Return the home with the inverter's current command."""
        return replace(state, command=self.command)

    @property
    def command(self) -> Command:
        """The registers' set-points as a command of the home's battery."""
        ac_kw = self._find_ac_power_kw()
        if ac_kw is None or self.deaf:
            return super().command
        surplus_kw = self._home.pv_kw - self._home.used_kw
        wanted_kw = self._home.pv_kw - ac_kw
        if wanted_kw > 0:
            return Command("force_charge", power_kw=wanted_kw - max(surplus_kw, 0.0))
        return Command("force_discharge", power_kw=min(surplus_kw, 0.0) - wanted_kw)

    def _measure(self) -> dict[str, float]:
        home = self._home
        flows = {
            "load_kw": home.used_kw,
            "pv_kw": home.pv_kw,
            "import_kwh": home.import_kwh,
            "export_kwh": home.export_kwh,
        }
        return measure_house(BATTERY_MODEL, home.battery, **flows)
