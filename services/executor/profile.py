"""Commands batteries that Luna speaks to itself, each by the profile of its product."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from luna.contracts.device_template import Write, describe, read_description
from luna.energy.devices.battery import PROFILED, SOC_OF
from luna.energy.errors import LunaError
from luna.energy.site.control import Control
from luna.platform.drivers.budget import WriteCounter
from luna.platform.drivers.inverter import ProfiledDevice, reach_device
from luna.platform.drivers.session import InverterSession
from luna.platform.settings import Settings
from services.executor.device import NOT_FOLLOWED, Device, DeviceError

# What a device does that follows no set-point of this process: somebody else commanded it, or this process began after it was commanded.
OTHER = "something else"


class ProfileDevice:
    """A session per battery, opened at first use. Places are named ``profile:NAME``, states of charge ``profile:NAME#soc``."""

    def __init__(self, sessions: Mapping[str, InverterSession]) -> None:
        self._sessions = sessions

    def read_spent(self) -> float | None:
        """Return the share of a day's writes that is used up, of the device that has used most of them; None where changes of mode wear out nothing.

        Raises:
            UnavailableError: nobody can count.
        """
        shares = (session.read_spent() for session in self._sessions.values())
        return max((share for share in shares if share is not None), default=None)

    def apply(self, writes: Sequence[Write]) -> None:
        """Command each battery and return once its device has taken it.

        Raises:
            DeviceError: one does not answer, or refuses.
        """
        for write in writes:
            with _as_device_error(write.to):
                self._sessions[write.to].command(read_description(write.value))

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return set-points that the devices say they follow, else ``OTHER`` or ``NOT_FOLLOWED``, and states of charge in percent where they know them.

        ``within`` is kept by the profile's patience with each answer.

        Raises:
            DeviceError: one does not answer.
        """
        texts = dict[str, str]()
        for place in dict.fromkeys(places):
            with _as_device_error(place):
                session = self._sessions[place.removesuffix(SOC_OF)]
                if place.endswith(SOC_OF):
                    soc = session.read_soc()
                    texts |= {} if math.isnan(soc) else {place: f"{100 * soc:g}"}
                else:
                    setpoint = session.read_back()
                    texts[place] = OTHER if setpoint is None else NOT_FOLLOWED if session.disobeys else describe(setpoint)
        return texts

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            session.close()


class MixedDevice:
    """Batteries with a profile beside what goes to Home Assistant or a broker."""

    def __init__(self, profiled: ProfileDevice, others: Device) -> None:
        self._profiled, self._others = profiled, others

    def read_spent(self) -> float | None:
        """Return the share of a day's writes that is used up; None where changes of mode wear out nothing.

        Raises:
            UnavailableError: nobody can count.
        """
        return self._profiled.read_spent()

    def apply(self, writes: Sequence[Write]) -> None:
        """Write in order and return when everything is acknowledged.

        Raises:
            DeviceError: something was not.
        """
        for write in writes:
            self._whose(write.to).apply([write])

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the current values by place.

        Raises:
            DeviceError: nobody answers, or not in time.
        """
        values = dict[str, str]()
        for device in (self._profiled, self._others):
            if own := [place for place in places if self._whose(place) is device]:
                values |= device.read(own, within=within)
        return values

    def close(self) -> None:
        """Close the connections."""
        self._profiled.close()
        self._others.close()

    def _whose(self, place: str) -> Device:
        return self._profiled if place.startswith(PROFILED) else self._others


def open_device(
    settings: Settings,
    control: Control,
    count_writes: Callable[[str], WriteCounter],
    *,
    open_session: Callable[[ProfiledDevice], InverterSession] = InverterSession,
) -> ProfileDevice:
    """Return the batteries of a section that have a profile; ``count_writes`` returns the counter of the device at an address.

    Raises:
        InvalidInputError: there is no such profile.
    """
    sessions = dict[str, InverterSession]()
    for name, via in control.vias.items():
        device = reach_device(via, settings.data_folder)
        device.counter = count_writes(via.address)
        sessions[f"{PROFILED}{name}"] = open_session(device)
    return ProfileDevice(sessions)


@contextmanager
def _as_device_error(place: str) -> Iterator[None]:
    try:
        yield
    except LunaError as error:
        raise DeviceError(error.message, field=place, value=error.value, remedy=error.remedy).because(error.reason, error.parameters) from error
