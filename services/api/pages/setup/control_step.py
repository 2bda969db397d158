"""The step Control: how each battery is commanded, and the commands it would get."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from luna.contracts.battery_setpoints import to_supported_modes
from luna.contracts.control import BatterySetpoint
from luna.contracts.device_template import Write, render, service_call
from luna.contracts.plan import PlanReply
from luna.energy.devices.battery import Battery, Mode
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.profiles import list_profiles
from luna.platform.drivers.setpoint_parts import describe_writes
from luna.words import MODES
from services.api.gateway import Gateway
from services.api.pages.setup.composition import battery_names
from services.api.pages.setup.control_methods import (
    METHODS,
    STEERING,
    ControlMethod,
    ServerAnswer,
    guess_words,
)
from services.api.pages.setup.data_step import view_access
from services.api.pages.setup.fields import ON, FieldFault
from services.api.pages.setup.home_assistant import Lookup
from services.api.pages.setup.network import HomeAssistantServer
from services.api.pages.setup.server_access import split_secret

# Until another method is chosen nothing is sent.
DEFAULT = "advice"
# Two hours of quarter-hours.
MOST_SLOTS = 8


def view_control(
    gateway: Gateway,
    answers: Mapping[str, Any],
    *,
    look: bool,
    servers: Sequence[HomeAssistantServer] | None,
) -> dict[str, Any]:
    """Return what the step shows; ``look`` queries the server of the chosen method."""
    typed = answers.get("control") or {"by": DEFAULT}
    urls = {"home_assistant": answers.get("data", {}).get("url", "")} | typed.get("urls", {})
    methods = []
    for method in METHODS.values():
        answer = None
        if look and method.by == typed["by"]:
            answer = _ask_server(gateway, method)
        batteries: list[str] = []
        if answer or method.proposes_unasked or method.by in typed:
            batteries = battery_names(answers)
        lookup = answer.lookup if answer else None
        filled = method.fill(batteries, typed.get(method.by, {}), lookup)
        access = None
        if method.server:
            access = view_access(gateway, method.server, urls.get(method.by, ""), servers)
        methods.append(
            {
                "method": method,
                "access": access,
                "answer": answer,
                "batteries": [
                    _view_battery(method, name, fields, lookup) for name, fields in filled.items()
                ],
            }
        )
    steering = {STEERING.name: typed.get(STEERING.name, "")}
    return {"chosen": typed["by"], "methods": methods, "steering": (STEERING, steering)}


def _ask_server(gateway: Gateway, method: ControlMethod) -> ServerAnswer | None:
    """Query a method's server; None if it has none or its settings are incomplete."""
    if method.server is None or method.ask is None or not method.server.is_set(gateway.settings):
        return None
    return method.ask(gateway.settings)


def _view_battery(
    method: ControlMethod, name: str, fields: Mapping[str, str], lookup: Lookup | None
) -> dict[str, Any]:
    """Return a battery's fields with their choices."""
    typed = dict(fields)
    has_words = any(text for field, text in fields.items() if field.startswith("word_"))
    if not has_words:
        # Propose the words of the entity that was chosen for the mode.
        options = [option for option, _ in method.offer("word_hold", fields, lookup) or []]
        typed |= guess_words(options)
    offers = {entry.name: method.offer(entry.name, typed, lookup) for entry in method.asks}
    return {"name": name, "typed": typed, "offers": offers}


def merge_control(answers: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with those of the step's form; secrets are left out."""
    by = typed.get("by", DEFAULT)
    merged: dict[str, Any] = {"by": by if by in METHODS else DEFAULT, "urls": {}}
    if typed.get(f"{merged['by']}-{STEERING.name}") == ON:
        merged[STEERING.name] = ON
    for method in METHODS.values():
        if method.server and method.server.url_field in typed:
            merged["urls"][method.by] = split_secret(typed[method.server.url_field].strip())[0]
        for place, name in enumerate(battery_names(answers)):
            texts = {
                entry.name: typed.get(f"{method.by}-{place}-{entry.name}") for entry in method.asks
            }
            if any(text is not None for text in texts.values()):
                fields = {field: (text or "").strip() for field, text in texts.items()}
                merged.setdefault(method.by, {})[name] = fields
    return {**answers, "control": merged}


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return the faults in the address of the chosen method's server."""
    typed = answers.get("control") or {}
    method = METHODS.get(typed.get("by", ""))
    if method is None or method.server is None:
        return []
    return method.server.find_faults(gateway.settings, typed.get("urls", {}).get(method.by, ""))


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and secret if they are whole.

    Return the query with which the step is to be shown again, "" for none.
    """
    method = METHODS.get(typed.get("by", ""), METHODS[DEFAULT])
    button = typed.get("go")
    if method.server is None or button not in {"connect", "find", "next"}:
        return ""
    if button == "find":
        return "find=1"
    method.server.store(gateway, typed)
    if find_faults(gateway, answers):
        return "check=1"
    return "look=1" if button == "connect" or method.by not in answers["control"] else ""


def view_sent(
    gateway: Gateway, site: Site | None, plan: PlanReply | None, *, now: datetime
) -> dict[str, Any]:
    """Return the commands to a site's batteries; none if its control is not whole."""
    control: Control | None = None if site is None else site.control
    if site is None or control is None or not control.batteries:
        return {"by_mode": [], "next": []}
    profiles = {profile.profile: profile for profile in list_profiles(gateway.settings.data_folder)}
    if not {via.profile for via in control.vias.values()} <= profiles.keys():
        return {"by_mode": [], "next": []}
    planned = [] if plan is None else list_sent_next(site, control, plan, profiles, now=now)
    return {"by_mode": list_sent_by_mode(site, control, profiles), "next": planned}


class SentLine(NamedTuple):
    """The values written to a battery at once, each with its destination.

    ``start`` is the beginning of the slot, None for a mode in general.
    """

    start: datetime | None
    battery: str
    mode: Mode
    writes: tuple[tuple[str, str], ...]


def list_sent_by_mode(
    site: Site, control: Control, profiles: Mapping[str, DeviceProfile]
) -> list[SentLine]:
    """Return the commands of each mode to a half full battery, at its greatest power.

    ``profiles``: of the directly controlled inverters, by name.
    """
    batteries = {battery.name: battery for battery in site.batteries}
    lines: list[SentLine] = []
    for target in control.batteries:
        battery = batteries.get(target.battery)
        if battery is None:
            continue
        powers = {"charge": battery.charge_limit_kw, "export": battery.discharge_limit_kw}
        targets = {"charge": battery.max_soc, "export": battery.min_soc}
        half_full = {battery.name: _half_full(battery)}
        for mode in sorted(target.known_modes, key=MODES.index):
            setpoint = BatterySetpoint(
                mode=mode, power_kw=powers.get(mode), target_soc=targets.get(mode)
            )
            sent = _list_writes(site, control, {battery.name: setpoint}, profiles, soc=half_full)
            # A mode that the owner does not allow becomes another one.
            lines += [line for line in sent if line.mode == mode]
    return lines


def list_sent_next(
    site: Site,
    control: Control,
    plan: PlanReply,
    profiles: Mapping[str, DeviceProfile],
    *,
    now: datetime,
) -> list[SentLine]:
    """Return the commands of a plan's next slots, at the states of charge that it expects."""
    names = {target.battery for target in control.batteries}
    step = timedelta(minutes=plan.slot_minutes)
    lines: list[SentLine] = []
    for place, slot in enumerate(plan.slots):
        if slot.start + step <= now:
            continue
        soc = {battery.name: _half_full(battery) for battery in site.batteries}
        before = plan.slots[place - 1].batteries if place else {}
        soc |= {name: before[name].soc_end for name in soc if name in before}
        setpoints = {
            name: series.at(place) for name, series in plan.setpoints.items() if name in names
        }
        lines += _list_writes(site, control, setpoints, profiles, soc=soc, start=slot.start)
        if len(lines) >= MOST_SLOTS * len(names):
            break
    return lines


def _list_writes(
    site: Site,
    control: Control,
    setpoints: Mapping[str, BatterySetpoint],
    profiles: Mapping[str, DeviceProfile],
    *,
    soc: Mapping[str, float],
    start: datetime | None = None,
) -> Iterator[SentLine]:
    describe_write = _DESCRIBE_WRITE.get(control.by, _describe_topic)
    for name, safe in to_supported_modes(site, setpoints, soc, control=control).items():
        via = control.vias.get(name)
        if via is None:
            writes = [describe_write(write) for write in render(control, {name: safe})]
        else:
            writes = describe_writes(profiles[via.profile], via, safe)
        yield SentLine(start, name, safe.mode, tuple(writes))


def _half_full(battery: Battery) -> float:
    return (battery.min_soc + battery.max_soc) / 2


def _describe_topic(write: Write) -> tuple[str, str]:
    return write.to, write.value


def _describe_service(write: Write) -> tuple[str, str]:
    service, data = service_call(write)
    return f"{service} {write.to}", next(iter(data.values()), "")


# Methods whose writes are not shown as topic and payload.
_DESCRIBE_WRITE: Mapping[str, Callable[[Write], tuple[str, str]]] = {
    "home_assistant": _describe_service
}
