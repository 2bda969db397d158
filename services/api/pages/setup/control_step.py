"""The step Control: how each device is commanded, and the commands batteries would get."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from luna.contracts.battery_setpoints import to_supported_modes
from luna.contracts.charge_points import SeenChargePoint
from luna.contracts.control import BatterySetpoint
from luna.contracts.device_template import Write, render, service_call
from luna.contracts.plan import PlanReply
from luna.drivers.ocpp_points import choose_profile, list_charge_points
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import list_profiles
from luna.drivers.setpoint_parts import describe_writes
from luna.energy.devices.battery import Battery, Mode
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.words import MODES
from services.api.gateway import Gateway
from services.api.pages.setup.composition import battery_names, controlled_names
from services.api.pages.setup.control_methods import (
    METHODS,
    STEERING,
    ControlMethod,
    ServerAnswer,
    guess_words,
)
from services.api.pages.setup.data_step import view_access
from services.api.pages.setup.device_control import (
    DEVICES,
    HOME_ASSISTANT,
    OCPP,
    AnsweredDevice,
    list_controlled,
    merge_devices,
)
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
        views = []
        for name, fields in filled.items():
            views.append(_view_battery(method, name, fields, lookup))
        view = {"method": method, "access": access, "answer": answer, "batteries": views}
        methods.append(view)
    steering = {STEERING.name: typed.get(STEERING.name, "")}
    return {
        "chosen": typed["by"],
        "methods": methods,
        "steering": (STEERING, steering),
        # Beside the fields of batteries, where there are any; else beside those of other devices.
        "shows_steering": bool(METHODS[typed["by"]].asks and battery_names(answers)),
        "controlled": _view_devices(gateway, answers, methods, look=look),
    }


def _view_devices(
    gateway: Gateway,
    answers: Mapping[str, Any],
    methods: Sequence[Mapping[str, Any]],
    *,
    look: bool,
) -> list[dict[str, Any]]:
    """Return each car and water heater with its ways, their fields and choices."""
    devices = list(list_controlled(answers, controlled_names(answers)))
    answered = [method["answer"] for method in methods if method["answer"] is not None]
    is_served = any(device.way == HOME_ASSISTANT for device in devices)
    if look and is_served and not answered:
        answer = _ask_server(gateway, METHODS[HOME_ASSISTANT])
        answered = [] if answer is None else [answer]
    lookup = next((answer.lookup for answer in answered if answer.lookup is not None), None)
    has_ocpp = any(OCPP in device.form.asks for device in devices)
    callers = list_charge_points(gateway.settings.data_folder) if has_ocpp else []
    views = []
    for device in devices:
        ways = [_view_way(device, way, lookup=lookup, callers=callers) for way in device.form.asks]
        views.append({"device": device, "ways": ways})
    return views


def _view_way(
    device: AnsweredDevice,
    way: str,
    *,
    lookup: Lookup | None,
    callers: Sequence[SeenChargePoint],
) -> dict[str, Any]:
    """Return a way's fields with their texts and choices."""
    form = device.form
    proposed = form.propose(way, device.name, lookup)
    if way == OCPP and callers:
        profile = choose_profile(list_profiles(), callers[0])
        proposed = {"point_place": callers[0].identity}
        proposed |= {} if profile is None else {"profile_place": profile.profile}
    typed = dict(device.typed.get(way) or proposed)
    offers = {entry.name: form.offer(way, entry.name, typed, lookup) for entry in form.asks[way]}
    if way == OCPP:
        offers["point_place"] = _offer_callers(callers, typed.get("point_place", ""))
    return {"way": way, "typed": typed, "offers": offers, "entries": form.asks[way]}


def _offer_callers(callers: Sequence[SeenChargePoint], chosen: str) -> list[tuple[str, str]] | None:
    """Return the charge points that called, with the chosen one."""
    offered = []
    for caller in callers:
        product = f"{caller.boot.vendor} {caller.boot.model}".strip()
        label = f"{caller.identity} ({product})" if product else caller.identity
        offered.append((caller.identity, label))
    if chosen and chosen not in dict(offered):
        offered.insert(0, (chosen, chosen))
    return offered or None


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
    switches = (f"{merged['by']}-{STEERING.name}", f"{DEVICES}-{STEERING.name}")
    if any(typed.get(switch) == ON for switch in switches):
        merged[STEERING.name] = ON
    for method in METHODS.values():
        if method.server and method.server.url_field in typed:
            merged["urls"][method.by] = split_secret(typed[method.server.url_field].strip())[0]
        for place, name in enumerate(battery_names(answers)):
            prefix = f"{method.by}-{place}-"
            texts = {entry.name: typed.get(f"{prefix}{entry.name}") for entry in method.asks}
            if any(text is not None for text in texts.values()):
                fields = {field: (text or "").strip() for field, text in texts.items()}
                merged.setdefault(method.by, {})[name] = fields
    devices = merge_devices(controlled_names(answers), typed)
    # A device whose fields were not sent stays as it was answered.
    for section, answered in (answers.get("control") or {}).get(DEVICES, {}).items():
        devices[section] = answered | devices.get(section, {})
    if devices:
        merged[DEVICES] = devices
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
    # Without the fields of its batteries they have to be shown first.
    is_unseen = bool(battery_names(answers)) and method.by not in answers["control"]
    return "look=1" if button == "connect" or is_unseen else ""


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
            name: plan.setpoints[name].at(place) for name in plan.setpoints if name in names
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
