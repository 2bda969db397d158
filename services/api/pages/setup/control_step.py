"""How the battery is told: the last question of set-up, and what would be sent by the answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from luna.contracts.plan import PlanReply
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.drivers.profiles import list_profiles
from services.api.gateway import Gateway
from services.api.pages.setup.composition import battery_names
from services.api.pages.setup.control_methods import METHODS, guess_words
from services.api.pages.setup.data_step import view_access
from services.api.pages.setup.dry_run import list_sent_by_mode, list_sent_next
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.network import HomeAssistantServer
from services.api.pages.setup.server_access import split_secret

# What stands there until something is chosen: nothing is ever sent.
DEFAULT = "advice"


def view_control(gateway: Gateway, answers: Mapping[str, Any], *, look: bool, servers: Sequence[HomeAssistantServer] | None) -> dict[str, Any]:
    """Return what the step shows; ``look`` asks the server of the way that is chosen."""
    typed = answers.get("control") or {"by": DEFAULT}
    urls = {"home_assistant": answers.get("data", {}).get("url", "")} | typed.get("urls", {})
    methods = []
    for method in METHODS.values():
        # Of a server that is not set there is nothing to ask: its fields say so.
        asks_server = look and method.by == typed["by"] and method.server is not None and method.server.is_set(gateway.settings)
        answer = method.ask(gateway.settings) if asks_server and method.ask else None
        batteries = battery_names(answers) if answer or method.proposes_unasked or method.by in typed else []
        lookup = answer.lookup if answer else None
        shown = []
        for name, fields in method.fill(batteries, typed.get(method.by, {}), lookup).items():
            # Where another entity was chosen for the mode its words are proposed.
            has_words = any(text for field, text in fields.items() if field.startswith("word_"))
            words = {} if has_words else guess_words([option for option, _ in method.offer("word_hold", fields, lookup) or []])
            offers = {entry.name: method.offer(entry.name, fields | words, lookup) for entry in method.asks}
            shown.append({"name": name, "typed": fields | words, "offers": offers})
        methods.append(
            {
                "method": method,
                "access": view_access(gateway, method.server, urls.get(method.by, ""), servers) if method.server else None,
                "answer": answer,
                "batteries": shown,
            }
        )
    return {"chosen": typed["by"], "methods": methods}


def merge_control(answers: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with what the step's form brought; secrets are none of them."""
    by = typed.get("by", DEFAULT)
    merged: dict[str, Any] = {"by": by if by in METHODS else DEFAULT, "urls": {}}
    for method in METHODS.values():
        if method.server and method.server.url_field in typed:
            merged["urls"][method.by] = split_secret(typed[method.server.url_field].strip())[0]
        for place, name in enumerate(battery_names(answers)):
            brought = {entry.name: typed.get(f"{method.by}-{place}-{entry.name}") for entry in method.asks}
            if any(text is not None for text in brought.values()):
                merged.setdefault(method.by, {})[name] = {field: (text or "").strip() for field, text in brought.items()}
    return {**answers, "control": merged}


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return what is wrong with the address of the server through which the battery is told."""
    typed = answers.get("control") or {}
    method = METHODS.get(typed.get("by", ""))
    if method is None or method.server is None:
        return []
    return method.server.find_faults(gateway.settings, typed.get("urls", {}).get(method.by, ""))


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and secret as far as they are whole; return how the step is to be shown again, empty where it need not be."""
    method, go = METHODS.get(typed.get("by", ""), METHODS[DEFAULT]), typed.get("go")
    if method.server is None or go not in {"connect", "find", "next"}:
        return ""
    if go == "find":
        return "find=1"
    method.server.store(gateway, typed)
    if find_faults(gateway, answers):
        return "check=1"
    return "look=1" if go == "connect" or method.by not in answers["control"] else ""


def view_sent(gateway: Gateway, site: Site | None, plan: PlanReply | None, *, now: datetime) -> dict[str, Any]:
    """Return what would be sent to a site's batteries by its section ``control``; nothing where it is not whole."""
    control: Control | None = None if site is None else site.control
    if site is None or control is None or not control.batteries:
        return {"by_mode": [], "next": []}
    profiles = {profile.profile: profile for profile in list_profiles(gateway.settings.data_folder)}
    if not {via.profile for via in control.vias.values()} <= profiles.keys():
        return {"by_mode": [], "next": []}
    planned = [] if plan is None else list_sent_next(site, control, plan, profiles, now=now)
    return {"by_mode": list_sent_by_mode(site, control, profiles), "next": planned}
