"""The simulated home's inverter as a product with a driver profile."""

from dataclasses import replace

from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.simulator import SimulatedInverter, measure_house
from luna.platform.simulated_home.battery import Command
from luna.platform.simulated_home.house import BATTERY_MODEL, HomeState


class HomeInverter(SimulatedInverter):
    """Registers of a driver profile in front of the home's battery.

    They show the home's measurements, and their commands drive the battery.
    """

    def __init__(self, profile: DeviceProfile, state: HomeState) -> None:
        self._home = state
        self._is_shown = False
        super().__init__(profile, battery=BATTERY_MODEL, now=lambda: self._home.at)

    def follow(self, state: HomeState) -> HomeState:
        """Return the home with the inverter's current command.

        Commands older than the profile's timeout revert first.
        """
        with self._lock:
            self._home = state
            self._is_shown = False
            self._stepped_at = state.at
            if state.at - self._commanded_at >= self._reverts_after_s():
                self._revert()
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

    def _advance(self) -> None:
        """Show the home's measurements once per step; the home advances by itself."""
        if not self._is_shown:
            self._is_shown = True
            self._show()

    def _measure(self) -> dict[str, float]:
        home = self._home
        flows = {
            "load_kw": home.used_kw,
            "pv_kw": home.pv_kw,
            "import_kwh": home.import_kwh,
            "export_kwh": home.export_kwh,
        }
        return measure_house(BATTERY_MODEL, home.battery, **flows)
