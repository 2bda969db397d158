"""Moves batteries by a little before anything is armed, and says what came of it: at set-up and on the page Planning."""

import threading
from collections.abc import Mapping
from contextlib import closing
from typing import TypedDict

from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.control_service import allow_trial
from luna.platform.database.engine import unit_of_work
from luna.platform.drivers.inverter import reach_device
from luna.platform.drivers.trial import bound_by, move_battery
from luna.words import Language
from luna.words.refusals import say_refusal
from luna.words.trial import TRIAL, say_trial
from services.api.gateway import Gateway

# Two at once would each read what the other does.
_ONE_AT_A_TIME = threading.Lock()


class TriedBattery(TypedDict):
    """What came of moving a battery: in sentences, and whether nothing speaks against its profile."""

    said: list[str]
    good: bool


def try_batteries(gateway: Gateway, vias: Mapping[str, Via | None], *, site: Site | None, language: Language) -> dict[str, TriedBattery]:
    """Return what came of moving each battery by its name; takes half a minute for each.

    Args:
        gateway: of the page.
        vias: how each is reached; None: nobody knows yet.
        site: that describes them, as far as it is whole.
        language: of the reader.
    """
    unknown = TriedBattery(said=[_say(refuse("device-address-unreadable", field="via"), language)], good=False)
    return {name: unknown if via is None else _try(gateway, name, via, site=site, language=language) for name, via in vias.items()}


def _try(gateway: Gateway, name: str, via: Via, *, site: Site | None, language: Language) -> TriedBattery:
    try:
        with unit_of_work(gateway.database) as connection:
            bounds = allow_trial(connection, via)
        if site is not None and any(battery.name == name for battery in site.batteries):
            bounds = bound_by(site, name)
        if not _ONE_AT_A_TIME.acquire(blocking=False):
            raise refuse("device-tried-already", field="via", value=via.host)
        try:
            with closing(reach_device(via, gateway.settings.data_folder)) as device:
                steps = move_battery(device, bounds)
        finally:
            _ONE_AT_A_TIME.release()
    except LunaError as error:
        return TriedBattery(said=[_say(error, language)], good=False)
    moved = [say_trial(step.mode, step.outcome, power_w=step.power_w, seconds=step.seconds, language=language) for step in steps]
    return TriedBattery(said=[*moved, TRIAL.say("ended", language)], good=all(step.is_right for step in steps))


def _say(error: LunaError, language: Language) -> str:
    said = say_refusal(error, language)
    return f"{said.sentence} {said.remedy}"
