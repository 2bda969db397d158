"""The devices that Luna only reads until a trial has moved them.

A profile whose written points rest on no maker's paper and no owner's word commands a device only
once a trial succeeded at that very device. Source: docs/decisions/0125.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import load_profile
from luna.drivers.trial import MovedStep, shows_control
from luna.energy.devices.commands import Via
from luna.energy.errors import InvalidInputError
from luna.platform.database import device_trials


def find_untried(
    connection: Connection, vias: Mapping[str, Via], data_folder: Path
) -> dict[str, DeviceProfile]:
    """Return the profiles of devices that may only be read, by the devices' names.

    A device whose profile is missing is left out: nothing can command it.
    """
    untried: dict[str, DeviceProfile] = {}
    for name, via in vias.items():
        try:
            profile = load_profile(via.profile, data_folder)
        except InvalidInputError:
            continue
        if profile.needs_trial and device_trials.find(connection, via) is None:
            untried[name] = profile
    return untried


def store_trial(
    connection: Connection, via: Via, steps: Iterable[MovedStep], *, at: datetime
) -> None:
    """Store the outcome of a trial: the last one counts.

    One in which nothing moved and nothing was wrong, such as with a full battery, changes nothing.
    """
    listed = list(steps)
    if shows_control(listed):
        device_trials.remember(connection, via, at=at)
    elif not all(step.is_right for step in listed):
        device_trials.forget(connection, via)
