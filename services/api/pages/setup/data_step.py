"""Where measured data come from: a Home Assistant, whose address and token are stored, a file, or
nothing yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from luna.platform.addresses import HomeAssistantAccess
from services.api.gateway import Gateway
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.home_assistant import (
    Lookup,
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

    ``look`` asks Home Assistant, which takes ten seconds where nobody answers.

    ``servers`` are those on the network, None where nobody looked for any.
    """
    data = answers.get("data", {})
    lookup = (
        look_up(HomeAssistantAccess.of(gateway.settings))
        if look and HOME_ASSISTANT.is_set(gateway.settings)
        else None
    )
    return {
        "typed": data | {"file_name": (answers.get("upload") or {}).get("file_name", "")},
        "home_assistant": view_access(gateway, HOME_ASSISTANT, data.get("url", ""), servers),
        "lookup": lookup,
        "roles": offer_roles(answers, lookup, roles_for(answers))
        if lookup and not lookup.fault
        else [],
    }


def view_access(
    gateway: Gateway,
    server: ServerAccess,
    typed: str,
    servers: Sequence[HomeAssistantServer] | None,
) -> dict[str, Any]:
    """Return what the fields of a server's address and secret show.

    The address that was found where none stands there.
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
    """Return the answers with what the step's form brought; the token is none of them."""
    source = typed.get("source", "nothing")
    data = {
        "source": source if source in SOURCES else "nothing",
        "url": split_secret(typed.get("url", "").strip())[0],
    }
    chosen = {
        name.removeprefix(SENSOR): entity
        for name, entity in typed.items()
        if name.startswith(SENSOR)
    }
    return {**answers, "data": data} | ({"sensors": chosen} if chosen else {})


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return what is wrong with the address, where one is to be entered."""
    data = answers.get("data", {})
    return (
        HOME_ASSISTANT.find_faults(gateway.settings, data.get("url", ""))
        if data.get("source") == "home_assistant"
        else []
    )


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and token as far as they were entered and are whole.

    Return how the step is to be shown again, empty where it need not be.
    """
    if typed.get("source") != "home_assistant" or typed.get("go") not in {
        "connect",
        "find",
        "next",
    }:
        return ""
    if typed["go"] == "find":
        return "find=1"
    HOME_ASSISTANT.store(gateway, typed)
    if find_faults(gateway, answers):
        return "check=1"
    # What was chosen among the devices that were found need not be looked at again.
    needs_look = typed.get("go") == "connect" or not answers.get("sensors")
    return (
        "look=1"
        if needs_look and HOME_ASSISTANT.find_access(gateway.settings) != "not_here"
        else ""
    )


def offer_roles(
    answers: Mapping[str, Any], lookup: Lookup, roles: Iterable[str]
) -> list[tuple[str, list[tuple[str, str]], str]]:
    """Return of each role the sensors that can hold it, with what they are called, and which stands
    there at first.
    """
    chosen = answers.get("sensors", {})
    offered = []
    for role in roles:
        guessed = guess_sensor(role, lookup)
        options = [
            (sensor.entity, f"{sensor.name} ({sensor.unit})")
            for sensor in offer_sensors(role, lookup.sensors)
        ]
        # Several that count together, such as those of two tariffs, or one that says nothing just
        # now.
        entities = {entity for entity, _ in options}
        options = [
            *(
                [(guessed, guessed.replace(",", " + "))]
                if guessed and guessed not in entities
                else []
            ),
            *options,
        ]
        offered.append((role, options, chosen.get(role, guessed)))
    return offered
