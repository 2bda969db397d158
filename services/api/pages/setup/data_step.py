"""Where measured data come from: a Home Assistant, whose address and token are stored, a file, or nothing yet."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from luna.addresses import HomeAssistantAccess
from luna.settings import Settings
from luna.settings.stored import find_source, store_settings
from services.api.gateway import Gateway
from services.api.pages.setup.fields import DEVICES, FieldFault
from services.api.pages.setup.home_assistant import Lookup, guess_sensor, look_up, offer_sensors, roles_for

SOURCES = ("home_assistant", "file", "nothing")
SENSOR = "sensor-"
# here: address and token can be entered; by_hand: an operator has set them; not_here: other machines or containers would not see what is stored.
Access = Literal["here", "by_hand", "not_here"]


def view_data(gateway: Gateway, answers: Mapping[str, Any], *, look: bool) -> dict[str, Any]:
    """Return what the step shows; ``look`` asks Home Assistant, which takes ten seconds where nobody answers."""
    settings, data = gateway.settings, answers.get("data", {})
    asked = look and settings.home_assistant_url and settings.home_assistant_token
    lookup = look_up(HomeAssistantAccess.of(settings)) if asked else None
    return {
        "typed": data | {"file_name": (answers.get("upload") or {}).get("file_name", "")},
        "access": find_access(settings),
        "url": data.get("url") or settings.home_assistant_url or "",
        "token_kept": settings.home_assistant_token is not None,
        "lookup": lookup,
        "roles": _offer_roles(answers, lookup) if lookup and not lookup.fault else [],
    }


def merge_data(answers: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with what the step's form brought; the token is none of them."""
    source = typed.get("source", "nothing")
    data = {"source": source if source in SOURCES else "nothing", "url": typed.get("url", "").strip()}
    chosen = {name.removeprefix(SENSOR): entity for name, entity in typed.items() if name.startswith(SENSOR)}
    return {**answers, "data": data} | ({"sensors": chosen} if chosen else {})


def find_access(settings: Settings) -> Access:
    """Return whether address and token of a Home Assistant can be entered."""
    if settings.home_assistant_url and find_source(settings, "home_assistant_url") not in {"page", "default"}:
        return "by_hand"
    # Servers of its own: everything runs on this machine and reads the same file. Containers have a folder each.
    return "here" if settings.database_url is None else "not_here"


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return what is wrong with the address, where one is to be entered."""
    data = answers.get("data", {})
    if data.get("source") != "home_assistant" or find_access(gateway.settings) != "here":
        return []
    faults = [] if _is_address(data.get("url") or gateway.settings.home_assistant_url or "") else [FieldFault("url", "url")]
    return faults if gateway.settings.home_assistant_token else [*faults, FieldFault("token", "missing")]


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and token as far as they were entered and are whole; return how the step is to be shown again, empty where it need not be."""
    if typed.get("source") != "home_assistant" or typed.get("go") not in {"connect", "next"}:
        return ""
    url, token = typed.get("url", "").strip().rstrip("/"), typed.get("token", "").strip()
    if find_access(gateway.settings) == "here" and _is_address(url):
        changes = {"home_assistant_url": url} | ({"home_assistant_token": token} if token else {})
        gateway.settings = store_settings(gateway.settings, changes)
    if find_faults(gateway, answers):
        return "check=1"
    asked = typed.get("go") == "connect" or not any(name.startswith(SENSOR) for name in typed)
    return "sensors=1" if asked and find_access(gateway.settings) != "not_here" else ""


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and url.isascii() and not any(mark.isspace() for mark in url)


def _offer_roles(answers: Mapping[str, Any], lookup: Lookup) -> list[tuple[str, list[tuple[str, str]], str]]:
    chosen, sensors = answers.get("sensors", {}), lookup.sensors
    roles = roles_for({kind: answers.get(kind, []) for kind in DEVICES})
    return [
        (role, [(sensor.entity, f"{sensor.name} ({sensor.unit})") for sensor in offer_sensors(role, sensors)], chosen.get(role, guess_sensor(role, sensors)))
        for role in roles
    ]
