"""A product with a driver profile in the simulated home: its time and its flows are the home's."""

from abc import abstractmethod
from typing import Any

from luna.drivers.profile import DeviceProfile
from luna.drivers.simulated_product import SimulatedProduct
from luna.simulated_home.house import HomeState


class HomeProduct(SimulatedProduct):
    """Points of a driver profile in front of one of the home's devices.

    They show the home's measurements, and their commands drive the device.
    """

    def __init__(self, profile: DeviceProfile, state: HomeState, **traits: Any) -> None:
        self._home = state
        self._is_shown = False
        super().__init__(profile, now=lambda: self._home.at, **traits)

    def follow(self, state: HomeState) -> HomeState:
        """Return the home with the product's current command.

        Commands older than the profile's timeout revert first.
        """
        with self._lock:
            self._home = state
            self._is_shown = False
            self._stepped_at = state.at
            if state.at - self._commanded_at >= self._reverts_after_s():
                self._revert()
            return self._obey(state)

    def write(self, place: Any, value: Any) -> bool:
        """Apply a client's write, and show what came of it at the next look."""
        with self._lock:
            is_taken = super().write(place, value)
            self._is_shown = False
            return is_taken

    @abstractmethod
    def _obey(self, state: HomeState) -> HomeState:
        """Return the home with the command in the product's points."""

    def _advance(self) -> None:
        """Show the home's measurements once per step; the home advances by itself."""
        if not self._is_shown:
            self._is_shown = True
            self._show()
