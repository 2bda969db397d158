"""Open the connection to a site's devices, by the section ``control`` of the site."""

from collections.abc import Callable, Mapping

from luna.drivers.control import home_assistant, mqtt, profile
from luna.drivers.control.device import Device, DryRun
from luna.drivers.write_limits import WriteCounter
from luna.energy.site.control import NOT_SENT, Control, ControlledBy
from luna.platform.settings import Settings
from luna.platform.settings.stored import refresh_settings

# Openers of connections to devices that Luna does not drive itself.
CONNECTIONS: Mapping[ControlledBy, Callable[[Settings, Control], Device]] = {
    "home_assistant": home_assistant.open_device,
    "mqtt": mqtt.open_device,
}


class DeviceOpener:
    """Opens device connections with the current settings.

    A page may have stored an address since the process started.
    """

    def __init__(self, settings: Settings, count_writes: Callable[[str], WriteCounter]) -> None:
        self._settings = settings
        self._settings_file = b""
        self._count_writes = count_writes

    def __call__(self, control: Control) -> Device:
        """Return the connection to a site's devices.

        Raises:
            InvalidInputError: the settings name no Home Assistant or broker.
        """
        self._settings, self._settings_file = refresh_settings(self._settings, self._settings_file)
        return open_device(self._settings, control, self._count_writes)


def open_device(
    settings: Settings, control: Control, count_writes: Callable[[str], WriteCounter]
) -> Device:
    """Return the connection to the devices of a section ``control``.

    ``count_writes`` returns the write counter of a device that Luna drives itself.

    Raises:
        InvalidInputError: the settings name no Home Assistant or broker, or there is no profile of
            that name.
    """
    if control.by in NOT_SENT:
        return DryRun()
    if control.by == "profile":
        return profile.open_device(settings, control, count_writes)
    device = CONNECTIONS[control.by](settings, control)
    if not control.vias_by_place:
        return device
    # Luna drives some devices itself, Home Assistant or a broker the other devices.
    return profile.MixedDevice(profile.open_device(settings, control, count_writes), device)
