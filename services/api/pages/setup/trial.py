"""Moves the batteries of a draft by a little, before anything is armed, and keeps what came of it beside what was answered."""

import threading
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

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


def try_batteries(gateway: Gateway, answers: Mapping[str, Any], *, site: Site | None, language: Language) -> dict[str, list[str]]:
    """Return what came of moving each battery that Luna speaks to itself, in sentences by its name; takes half a minute for each."""
    control = answers.get("control") or {}
    told = control.get("profile", {}) if control.get("by") == "profile" else {}
    return {name: _try(gateway, name, typed, site=site, language=language) for name, typed in told.items() if typed.get("host_place")}


def _try(gateway: Gateway, name: str, typed: Mapping[str, str], *, site: Site | None, language: Language) -> list[str]:
    try:
        via = _parse(typed)
        with unit_of_work(gateway.database) as connection:
            bounds = allow_trial(connection, via)
        if site is not None and any(battery.name == name for battery in site.batteries):
            bounds = bound_by(site, name)
        if not _ONE_AT_A_TIME.acquire(blocking=False):
            raise refuse("device-tried-already", field="via", value=via.host)
        try:
            steps = move_battery(reach_device(via, gateway.settings.data_folder), bounds)
        finally:
            _ONE_AT_A_TIME.release()
    except LunaError as error:
        said = say_refusal(error, language)
        return [f"{said.sentence} {said.remedy}"]
    moved = [say_trial(step.mode, step.outcome, power_w=step.power_w, seconds=step.seconds, language=language) for step in steps]
    return [*moved, TRIAL.say("ended", language)]


def _parse(typed: Mapping[str, str]) -> Via:
    numbers = {part: typed.get(f"{part}_number") or None for part in ("port", "unit")}
    try:
        return Via.model_validate({"profile": typed.get("profile_place"), "host": typed["host_place"], **numbers})
    except ValidationError as exc:
        raise refuse("device-address-unreadable", field="via", value=typed["host_place"]) from exc
