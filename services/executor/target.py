"""Whom a turn is about, and the connection to it."""

from collections.abc import Callable
from dataclasses import dataclass

from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.device import Device
from services.executor.devices.unit import Controllable
from services.executor.readings import SocReader


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """A unit of a site, the section ``control`` that describes how it is told, what tells it, and what reads how full it is.

    ``readable`` is False where the site as it is configured now cannot be read: ``site`` is then the last version that can.
    """

    site: Site
    control: Control
    unit: Controllable
    device: Device
    gauge: SocReader
    readable: bool = True


class DeviceConnections:
    """What tells each unit's device: opened when it is first needed, and anew where its section has changed."""

    def __init__(self, open_device: Callable[[Control], Device]) -> None:
        self._open_device = open_device
        self._open: dict[tuple[str, str], tuple[Control, Device, SocReader]] = {}

    def reach(self, whom: tuple[str, str], control: Control) -> tuple[Device, SocReader]:
        """Return what tells a unit of a site, named by both, and what reads how full it is."""
        known = self._open.get(whom)
        if known is not None and known[0] == control:
            return known[1:]
        if known is not None:
            known[1].close()
        self._open[whom] = control, self._open_device(control), SocReader()
        return self._open[whom][1:]

    def close(self) -> None:
        """Let go of every device."""
        for _, device, _ in self._open.values():
            device.close()
        self._open.clear()
