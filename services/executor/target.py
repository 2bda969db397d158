"""Target of a control step: the unit, its site and the connection to its device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from luna.drivers.control.device import Device
from luna.drivers.control.units.unit import Controllable
from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.site_limit import SiteLimit
from services.executor.steered_device import SteeredDevice, SteeringLink
from services.executor.step_inputs import SocReader


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """A unit of a site with its connection and the reader of its state of charge.

    ``readable`` is False where the current configuration cannot be read: ``site`` is then the last
    readable version. ``limit`` is the operator's limit that the unit is kept within, None without
    one.
    """

    site: Site
    control: Control
    unit: Controllable
    device: Device
    soc_reader: SocReader
    readable: bool = True
    limit: SiteLimit | None = None


class DeviceConnections:
    """Connections to the units' devices.

    They are opened at first use, and reopened when the control section changes.

    Args:
        open_device: opens the connection to devices of a section ``control``.
        steering: where the units of steered sites are commanded; None: nowhere.
        data_folder: holds the owner's profiles.
    """

    def __init__(
        self,
        open_device: Callable[[Control], Device],
        steering: SteeringLink | None = None,
        *,
        data_folder: Path,
    ) -> None:
        self.data_folder = data_folder
        self._open_device = open_device
        self._steering = steering
        self._open: dict[tuple[str, str], tuple[Control, Device, SocReader]] = {}

    def reach(self, unit: tuple[str, str], control: Control) -> tuple[Device, SocReader]:
        """Return the connection to a unit and the reader of its state of charge.

        Raises:
            SteeringAwayError: a unit that is steered no longer cannot be taken over yet.
        """
        if unit in self._open:
            opened_control, device, soc_reader = self._open[unit]
            if opened_control == control:
                return device, soc_reader
            device.close()
            del self._open[unit]
        device = self._open_unit(unit, control)
        soc_reader = SocReader()
        self._open[unit] = (control, device, soc_reader)
        return device, soc_reader

    def is_steered(self, unit: tuple[str, str]) -> bool:
        """Return whether steering commands a unit that is open."""
        _, device, _ = self._open.get(unit, (None, None, None))
        return isinstance(device, SteeredDevice) and not device.sends_itself

    def _open_unit(self, unit: tuple[str, str], control: Control) -> Device:
        if self._steering is None:
            return self._open_device(control)
        if control.is_steered:
            return SteeredDevice(
                unit, partial(self._open_device, control), self._steering, control.measured_places
            )
        self._steering.drop(*unit)
        return self._open_device(control)

    def close(self) -> None:
        """Close every connection."""
        for _, device, _ in self._open.values():
            device.close()
        self._open.clear()
