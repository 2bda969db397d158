"""Readings of devices that Luna asks itself, each by the profile of its product."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import structlog

from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.platform.clock import Clock, SystemClock
from luna.platform.drivers.profile import READING_UNITS
from luna.platform.drivers.profiled_device import ProfiledDevice, reach_device
from luna.platform.drivers.sensor_name import ProfiledSensor
from services.ingest.reading import Reading

EVERY = timedelta(seconds=10)
# A device that is away is asked less and less often.
LONGEST_PAUSE = timedelta(minutes=2)

log = structlog.get_logger("luna.ingest.profile")


class ProfileSource:
    """Asks each device every few seconds; one task per device, so that one that is away holds up no other."""

    name = "profile"

    def __init__(self, data_folder: Path, *, clock: Clock | None = None, every: timedelta = EVERY) -> None:
        self._data_folder = data_folder
        self._clock = clock or SystemClock()
        self._every = every
        # What is wrong with each device that does not answer.
        self.faults: dict[Via, LunaError] = {}

    @property
    def fault(self) -> LunaError | None:
        """What is wrong with one of the devices; None while all answer."""
        return next(iter(self.faults.values()), None)

    async def listen(self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]) -> None:
        """Hand every reading to ``record`` until cancelled; one that the device does not know is NaN."""
        devices: dict[Via, list[ProfiledSensor]] = {}
        for sensor in filter(None, map(ProfiledSensor.parse, sensors)):
            devices.setdefault(sensor.via, []).append(sensor)
        async with asyncio.TaskGroup() as group:
            for via, own in devices.items():
                group.create_task(self._follow(via, own, record))

    async def _follow(self, via: Via, sensors: Sequence[ProfiledSensor], record: Callable[[Sequence[Reading]], Awaitable[None]]) -> None:
        pause = self._every
        with ExitStack() as reached:
            device: ProfiledDevice | None = None
            while True:
                try:
                    device = device or reached.enter_context(closing(reach_device(via, self._data_folder)))
                    values = await asyncio.to_thread(device.read)
                    now, known = self._clock.now(), [each for each in sensors if each.reading in values]
                    await record([Reading(each.name, now, values[each.reading], READING_UNITS[each.reading]) for each in known])
                    self.faults.pop(via, None)
                    pause = self._every
                    await asyncio.sleep(self._every.total_seconds())
                except LunaError as error:
                    if via not in self.faults:
                        log.warning("a device cannot be read", host=via.host, profile=via.profile, error=str(error))
                    self.faults[via] = error
                    # One that stands still has to be seen to move again; else its profile, or its password, may be another by then.
                    if error.reason != "device-stands-still":
                        reached.close()
                        device = None
                    await asyncio.sleep(pause.total_seconds())
                    pause = min(2 * pause, LONGEST_PAUSE)
