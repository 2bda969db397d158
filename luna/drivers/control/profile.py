"""Connect to devices that Luna drives itself, by the driver profile of their product.

Other devices are reached over Home Assistant or MQTT.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from luna.contracts.device_command import DeviceCommand
from luna.contracts.device_template import Write, describe, read_description
from luna.drivers.command_session import CommandSession
from luna.drivers.control.device import NOT_FOLLOWED, Device, DeviceError
from luna.drivers.control.profile_texts import OTHER, PHASES_KEPT, RESET
from luna.drivers.control.register_mode import read_register_mode
from luna.drivers.profiled_device import ProfiledDevice, reach_device
from luna.drivers.session import InverterSession
from luna.drivers.write_limits import WriteCounter
from luna.energy.devices.battery import SOC_OF
from luna.energy.devices.commands import CAR_OF, PROFILED, Via
from luna.energy.errors import LunaError
from luna.energy.site.control import Control
from luna.platform.settings import Settings


class ProfileDevice:
    """Connection with one session per device, opened at first use.

    Places of batteries are named ``profile:NAME``, their states of charge ``profile:NAME#soc``;
    those of other devices ``profile:vehicle:NAME`` and ``profile:load:NAME``, what goes into a car
    ``profile:vehicle:NAME#car``.
    """

    def __init__(
        self,
        sessions: Mapping[str, InverterSession],
        readers: Mapping[str, ProfiledDevice] | None = None,
        others: Mapping[str, CommandSession] | None = None,
    ) -> None:
        self._sessions = sessions
        self._others = others or {}
        # Connections beside those of the sessions, whose threads keep commands up.
        self._readers = readers or {}

    def read_spent(self) -> float | None:
        """Return the largest used share of a daily write budget, 0 to 1.

        None where mode changes wear out nothing.

        Raises:
            UnavailableError: the count cannot be read.
        """
        shares = [session.read_spent() for session in self._sessions.values()]
        return max((share for share in shares if share is not None), default=None)

    def read_writes_left(self, place: str) -> float:
        """Return the writes left for the current at a place within 24 hours.

        Infinite where no change wears anything out.

        Raises:
            UnavailableError: the count cannot be read.
        """
        if place not in self._others:
            return math.inf
        return self._others[place].read_writes_left()

    def keeps_phases(self, place: str) -> bool | None:
        """Return whether a charger refused its number of phases; None: it was not sent yet."""
        session = self._others.get(place)
        return None if session is None else session.keeps_phases

    def apply(self, writes: Sequence[Write]) -> None:
        """Command each device and return once it has acknowledged.

        Raises:
            DeviceError: a device does not answer, or refuses.
        """
        for write in writes:
            with _as_device_error(write.to):
                if write.to in self._others:
                    self._others[write.to].command(DeviceCommand.parse(write.value))
                    continue
                self._sessions[write.to].command(read_description(write.value))

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the devices' set-points and their known states of charge in percent.

        A device that does not follow reports ``NOT_FOLLOWED``, or its own mode. ``within`` is not
        passed on: the profile's own timeout per answer applies.

        Raises:
            DeviceError: a device does not answer.
        """
        texts: dict[str, str] = {}
        first_error: DeviceError | None = None
        for place in dict.fromkeys(places):
            try:
                with _as_device_error(place):
                    text = self._read_place(place)
            except DeviceError as error:
                first_error = first_error or error
                continue
            if text is not None:
                texts[place] = text
        # Only now: a session without read-back keeps its limits up no longer.
        if first_error is not None:
            raise first_error
        return texts

    def _read_place(self, place: str) -> str | None:
        """Return the text of one place; None: the device has no value."""
        if place.endswith(CAR_OF):
            return _describe_car(self._others[place.removesuffix(CAR_OF)])
        if place in self._others:
            return _read_command(self._others[place])
        if not place.endswith(SOC_OF):
            return self._read_setpoint(place, self._sessions[place])
        soc = self._sessions[place.removesuffix(SOC_OF)].read_soc()
        return None if math.isnan(soc) else f"{100 * soc:g}"

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            session.close()
        for other in self._others.values():
            other.close()
        for reader in self._readers.values():
            reader.close()

    def _read_setpoint(self, place: str, session: InverterSession) -> str:
        setpoint = session.read_back()
        own_mode = OTHER
        if setpoint is None and place in self._readers:
            own_mode = self._describe_other(self._readers[place])
            # The session may have been changing the mode while its registers were read.
            setpoint = session.read_back()
        if setpoint is None:
            return own_mode
        return NOT_FOLLOWED if session.disobeys else describe(setpoint)

    def _describe_other(self, reader: ProfiledDevice) -> str:
        # Raises where the device does not answer: the session has no command to read back, and did
        # not ask it.
        reader.read_battery()
        setpoint = read_register_mode(reader)
        reverts = reader.profile.reverts
        may_revert = reverts is not None and reverts.after_s is not None
        if setpoint is None:
            return RESET if may_revert else OTHER
        is_reset = setpoint.mode == "self_consumption" and may_revert
        prefix = RESET if is_reset else OTHER
        return f"{prefix}: {describe(setpoint)}"


def _read_command(session: CommandSession) -> str:
    """Return the command that a device follows, as a text to read back."""
    command = session.read_back()
    if command is None:
        return RESET if session.may_fall_back else OTHER
    return NOT_FOLLOWED if session.disobeys else str(command)


def _describe_car(session: CommandSession) -> str:
    """Return a charger's readings as text: "car_plugged=1 car_w=7360 phases_kept=0"."""
    readings = session.read_power()
    if session.keeps_phases is not None:
        readings[PHASES_KEPT] = float(session.keeps_phases)
    texts = []
    for name, value in sorted(readings.items()):
        if not math.isnan(value):
            texts.append(f"{name}={value:g}")
    return " ".join(texts)


class MixedDevice:
    """Connection to devices with a profile and to all others.

    Those are reached over Home Assistant or a broker.
    """

    def __init__(self, profiled: ProfileDevice, others: Device) -> None:
        self._profiled = profiled
        self._others = others

    def read_spent(self) -> float | None:
        """Return the used share of the day's write budget, 0 to 1.

        None where mode changes wear out nothing.

        Raises:
            UnavailableError: the count cannot be read.
        """
        return self._profiled.read_spent()

    def read_writes_left(self, place: str) -> float:
        """Return how often the current at a place may still be changed within 24 hours.

        Infinite where no change wears anything out.

        Raises:
            UnavailableError: the count cannot be read.
        """
        return self._profiled.read_writes_left(place)

    def keeps_phases(self, place: str) -> bool | None:
        """Return whether a charger refused its number of phases; None: it was not sent yet."""
        return self._profiled.keeps_phases(place)

    def apply(self, writes: Sequence[Write]) -> None:
        """Write in order and return when everything is acknowledged.

        Raises:
            DeviceError: a write was not acknowledged.
        """
        for write in writes:
            self._whose(write.to).apply([write])

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the current values by place.

        Raises:
            DeviceError: no answer, or not in time.
        """
        values: dict[str, str] = {}
        for device in (self._profiled, self._others):
            device_places = [place for place in places if self._whose(place) is device]
            if device_places:
                values |= device.read(device_places, within=within)
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
    reach: Callable[[Via, Path], ProfiledDevice] = reach_device,
    open_session: Callable[[ProfiledDevice], InverterSession] = InverterSession,
    open_other: Callable[[ProfiledDevice], CommandSession] = CommandSession,
) -> ProfileDevice:
    """Return the devices of a section that have a profile.

    ``count_writes`` returns the counter of the device at an address; ``open_session`` the session
    of a battery, ``open_other`` that of another device.

    Raises:
        InvalidInputError: there is no such profile.
    """
    sessions: dict[str, InverterSession] = {}
    readers: dict[str, ProfiledDevice] = {}
    others: dict[str, CommandSession] = {}
    batteries = {battery.place for battery in control.batteries}
    for place, via in control.vias_by_place.items():
        device = reach(via, settings.data_folder)
        device.counter = count_writes(via.address)
        if place in batteries:
            sessions[place] = open_session(device)
            readers[place] = reach(via, settings.data_folder)
        else:
            others[place] = open_other(device)
    return ProfileDevice(sessions, readers, others)


@contextmanager
def _as_device_error(place: str) -> Iterator[None]:
    try:
        yield
    except LunaError as error:
        raise DeviceError(
            error.message, field=place, value=error.value, remedy=error.remedy
        ).because(error.reason, error.parameters) from error
