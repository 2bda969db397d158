"""Readings of devices that Luna asks itself, each by the profile of its product."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from luna.drivers.plausibility import ImplausibleReading
from luna.drivers.profiled_device import ProfiledDevice, reach_device
from luna.drivers.readings import READING_UNITS, ReadingName
from luna.drivers.sensor_name import ProfiledSensor
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.platform.clock import Clock, SystemClock
from services.ingest.source_readings import Reading

EVERY = timedelta(seconds=10)
# While somebody looks at what the device reads.
LOOKED_AT_EVERY = timedelta(seconds=5)
# While devices follow what the device reads.
STEERED_EVERY = timedelta(seconds=2)
# That somebody has begun to look is seen within this time.
NOTICED_SECONDS = 0.5
# A device that is away is asked less and less often.
LONGEST_PAUSE = timedelta(minutes=2)
W_IN_KW = 1e-3

log = structlog.get_logger("luna.ingest.profile")


class ProfileSource:
    """Asks each device every few seconds.

    One task per device, so that one that is away holds up no other.

    Args:
        data_folder: with the owner's profiles, and where connections to devices are shared.
        clock: gives each reading its instant.
        every: pause between two readings of a device.
        find_pause: returns a shorter pause of the device with these sensors while somebody needs
            it, else None.
        rate: returns the most of readings that the sites with these sensors allow for.
    """

    name = "profile"

    def __init__(
        self,
        data_folder: Path,
        *,
        clock: Clock | None = None,
        every: timedelta = EVERY,
        find_pause: Callable[[Collection[str]], timedelta | None] = lambda _: None,
        rate: Callable[[Collection[str]], Mapping[ReadingName, float]] = lambda _: {},
    ) -> None:
        self._data_folder = data_folder
        self._find_pause = find_pause
        self._rate = rate
        self._clock = clock or SystemClock()
        self._every = every
        # Fault of each device that does not answer.
        self.faults: dict[Via, LunaError] = {}

    @property
    def fault(self) -> LunaError | None:
        """The fault of one of the devices; None while all answer."""
        return next(iter(self.faults.values()), None)

    async def listen(
        self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]
    ) -> None:
        """Hand every reading to ``record`` until cancelled.

        One that the device does not know is NaN.
        """
        devices: dict[Via, list[ProfiledSensor]] = {}
        for sensor in filter(None, map(ProfiledSensor.parse, sensors)):
            devices.setdefault(sensor.via, []).append(sensor)
        async with asyncio.TaskGroup() as group:
            for via, own in devices.items():
                group.create_task(self._follow(via, own, record))

    async def _follow(
        self,
        via: Via,
        sensors: Sequence[ProfiledSensor],
        record: Callable[[Sequence[Reading]], Awaitable[None]],
    ) -> None:
        pause = self._every
        names = [sensor.name for sensor in sensors]
        with ExitStack() as reached:
            device: ProfiledDevice | None = None
            implausible: Sequence[ImplausibleReading] = ()
            while True:
                try:
                    device = device or reached.enter_context(
                        closing(reach_device(via, self._data_folder))
                    )
                    device.ratings = self._rate(names)
                    measured = await asyncio.to_thread(device.measure)
                    values = measured.values
                    now = self._clock.now()
                    _log_implausible(via, measured.implausible, before=implausible)
                    implausible = measured.implausible
                    taken = [sensor for sensor in sensors if sensor.reading in values]
                    await record([_take(sensor, values, now) for sensor in taken])
                    self.faults.pop(via, None)
                    pause = self._every
                    await self._pause(names)
                except LunaError as error:
                    if via not in self.faults:
                        log.warning(
                            "a device cannot be read",
                            host=via.host,
                            profile=via.profile,
                            error=str(error),
                        )
                    self.faults[via] = error
                    # One that stands still has to be seen to move again; else its profile, or its
                    # password, may be another by then.
                    if error.reason != "device-stands-still":
                        reached.close()
                        device = None
                    await asyncio.sleep(pause.total_seconds())
                    pause = min(2 * pause, LONGEST_PAUSE)

    async def _pause(self, sensors: Collection[str]) -> None:
        """Wait until the device's next reading, which comes sooner while somebody needs it."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            every = min(self._every, self._find_pause(sensors) or self._every)
            left_s = began_s + every.total_seconds() - loop.time()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, NOTICED_SECONDS))


def _log_implausible(
    via: Via, implausible: Iterable[ImplausibleReading], *, before: Iterable[ImplausibleReading]
) -> None:
    """Log the readings that have begun not to count, and why."""
    known = {(fault.name, fault.cause) for fault in before}
    for fault in implausible:
        if (fault.name, fault.cause) in known:
            continue
        # At night, or while a meter is away, no value is nothing unusual.
        level = logging.INFO if fault.cause == "invalid_value" else logging.WARNING
        log.log(
            level,
            "a reading does not count",
            host=via.host,
            profile=via.profile,
            reading=fault.name,
            cause=fault.cause,
            value=fault.value,
        )


def _take(sensor: ProfiledSensor, values: Mapping[str, float], now: datetime) -> Reading:
    """Return a sensor's reading.

    A counter's with the power that the device measures in the same direction.
    """
    name = sensor.reading
    watts = values.get(name.removesuffix("_kwh") + "_w") if name.endswith("_kwh") else None
    power_kw = None if watts is None else watts * W_IN_KW
    # A state has no unit.
    return Reading(
        sensor=sensor.name,
        instant=now,
        value=values[name],
        unit=READING_UNITS[name] or None,
        power_kw=power_kw,
    )
