"""Target of a control step: the unit, its site and the connection to its device."""

from collections.abc import Callable
from dataclasses import dataclass

from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.drivers.control.device import Device
from luna.platform.drivers.control.units.unit import Controllable
from services.executor.readings import SocReader
from services.executor.site_limit import SiteLimit


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
    """

    def __init__(self, open_device: Callable[[Control], Device]) -> None:
        self._open_device = open_device
        self._open: dict[tuple[str, str], tuple[Control, Device, SocReader]] = {}

    def reach(self, unit: tuple[str, str], control: Control) -> tuple[Device, SocReader]:
        """Return the connection to a unit and the reader of its state of charge."""
        if unit in self._open:
            opened_control, device, soc_reader = self._open[unit]
            if opened_control == control:
                return device, soc_reader
            device.close()
        device = self._open_device(control)
        soc_reader = SocReader()
        self._open[unit] = (control, device, soc_reader)
        return device, soc_reader

    def close(self) -> None:
        """Close every connection."""
        for _, device, _ in self._open.values():
            device.close()
        self._open.clear()
