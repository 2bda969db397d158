"""The step Data: the source of measured data, a Home Assistant, a file or none yet.

The address and token of a Home Assistant are stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from luna.platform.addresses import HomeAssistantAccess
from services.api.gateway import Gateway
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.home_assistant import (
    GuessSource,
    HomeSensor,
    Lookup,
    find_source,
    guess_sensor,
    look_up,
    offer_sensors,
    roles_for,
)
from services.api.pages.setup.network import HomeAssistantServer
from services.api.pages.setup.server_access import HOME_ASSISTANT, ServerAccess, split_secret

SOURCES = ("home_assistant", "file", "nothing")
SENSOR = "sensor-"


def view_data(
    gateway: Gateway,
    answers: Mapping[str, Any],
    *,
    look: bool,
    servers: Sequence[HomeAssistantServer] | None,
) -> dict[str, Any]:
    """Return what the step shows.

    ``look`` queries Home Assistant, which takes ten seconds if it does not respond.

    ``servers``: those found on the network, None if nobody looked for any.
    """
    data = answers.get("data", {})
    lookup = None
    if look and HOME_ASSISTANT.is_set(gateway.settings):
        lookup = look_up(HomeAssistantAccess.of(gateway.settings))
    roles = []
    if lookup and not lookup.fault:
        roles = offer_roles(answers, lookup, roles_for(answers))
    file_name = (answers.get("upload") or {}).get("file_name", "")
    return {
        "typed": data | {"file_name": file_name},
        "home_assistant": view_access(gateway, HOME_ASSISTANT, data.get("url", ""), servers),
        "lookup": lookup,
        "roles": roles,
        "sources": list_sources(lookup, roles) if lookup else {},
    }


def view_access(
    gateway: Gateway,
    server: ServerAccess,
    typed: str,
    servers: Sequence[HomeAssistantServer] | None,
) -> dict[str, Any]:
    """Return the content of the fields of a server's address and secret.

    An address that was found on the network is used if no other is known.
    """
    url = typed or server.url(gateway.settings) or (servers[0].url if servers else "")
    return {
        "server": server,
        "access": server.find_access(gateway.settings),
        "url": url,
        "kept": server.has_secret(gateway.settings),
        "found": servers,
    }


def merge_data(answers: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with those of the step's form; the token is left out."""
    source = typed.get("source", "nothing")
    data = {
        "source": source if source in SOURCES else "nothing",
        "url": split_secret(typed.get("url", "").strip())[0],
    }
    merged = {**answers, "data": data}
    chosen = {
        name.removeprefix(SENSOR): entity
        for name, entity in typed.items()
        if name.startswith(SENSOR)
    }
    if chosen:
        merged["sensors"] = chosen
    return merged


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return what is missing of the chosen source: a server's address, or an uploaded file."""
    data = answers.get("data", {})
    source = data.get("source")
    if source == "file" and not answers.get("upload"):
        return [FieldFault("file", "not_uploaded")]
    if source != "home_assistant":
        return []
    return HOME_ASSISTANT.find_faults(gateway.settings, data.get("url", ""))


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and token if they were entered and are whole.

    Return the query with which the step is to be shown again, "" for none.
    """
    button = typed.get("go")
    if typed.get("source") != "home_assistant" or button not in {"connect", "find", "next"}:
        return ""
    if button == "find":
        return "find=1"
    HOME_ASSISTANT.store(gateway, typed)
    if find_faults(gateway, answers):
        return "check=1"
    # Sensors that were already chosen need not be looked up again.
    needs_look = button == "connect" or not answers.get("sensors")
    if needs_look and HOME_ASSISTANT.find_access(gateway.settings) != "not_here":
        return "look=1"
    return ""


def offer_roles(
    answers: Mapping[str, Any], lookup: Lookup, roles: Iterable[str]
) -> list[tuple[str, list[tuple[str, str]], str]]:
    """Return each role with its fitting sensors, their labels, and the chosen one."""
    chosen = answers.get("sensors", {})
    offered = []
    for role in roles:
        guessed = guess_sensor(role, lookup)
        sensors = offer_sensors(role, lookup.sensors)
        options = [(sensor.entity, _label(sensor)) for sensor in sensors]
        if guessed and guessed not in dict(options):
            # Several that count together, such as those of two tariffs, or one without a reading
            # just now.
            options.insert(0, (guessed, guessed.replace(",", " + ")))
        offered.append((role, options, chosen.get(role, guessed)))
    return offered


def _label(sensor: HomeSensor) -> str:
    return f"{sensor.name} ({sensor.unit})" if sensor.unit else sensor.name


def list_sources(
    lookup: Lookup, offered: Iterable[tuple[str, list[tuple[str, str]], str]]
) -> dict[str, GuessSource]:
    """Return on what each role's chosen sensor was proposed; those chosen otherwise are absent."""
    sources: dict[str, GuessSource] = {}
    for role, _, chosen in offered:
        source = find_source(role, lookup)
        if source is not None and chosen == guess_sensor(role, lookup):
            sources[role] = source
    return sources
