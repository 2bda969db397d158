"""How the battery is told: the last question of set-up, and what would be sent by the answer."""

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
from services.api.pages.setup.control_methods import METHODS, guess_words
from services.api.pages.setup.data_step import view_access
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.network import HomeAssistantServer
from services.api.pages.setup.server_access import split_secret

# What stands there until something is chosen: nothing is ever sent.
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
    """Return what the step shows; ``look`` asks the server of the way that is chosen."""
    typed = answers.get("control") or {"by": DEFAULT}
    urls = {"home_assistant": answers.get("data", {}).get("url", "")} | typed.get("urls", {})
    methods = []
    for method in METHODS.values():
        # Of a server that is not set there is nothing to ask: its fields say so.
        asks_server = (
            look
            and method.by == typed["by"]
            and method.server is not None
            and method.server.is_set(gateway.settings)
        )
        answer = method.ask(gateway.settings) if asks_server and method.ask else None
        batteries = (
            battery_names(answers)
            if answer or method.proposes_unasked or method.by in typed
            else []
        )
        lookup = answer.lookup if answer else None
        shown = []
        for name, fields in method.fill(batteries, typed.get(method.by, {}), lookup).items():
            # Where another entity was chosen for the mode its words are proposed.
            has_words = any(text for field, text in fields.items() if field.startswith("word_"))
            words = (
                {}
                if has_words
                else guess_words(
                    [option for option, _ in method.offer("word_hold", fields, lookup) or []]
                )
            )
            offers = {
                entry.name: method.offer(entry.name, fields | words, lookup)
                for entry in method.asks
            }
            shown.append({"name": name, "typed": fields | words, "offers": offers})
        methods.append(
            {
                "method": method,
                "access": view_access(gateway, method.server, urls.get(method.by, ""), servers)
                if method.server
                else None,
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
            brought = {
                entry.name: typed.get(f"{method.by}-{place}-{entry.name}") for entry in method.asks
            }
            if any(text is not None for text in brought.values()):
                merged.setdefault(method.by, {})[name] = {
                    field: (text or "").strip() for field, text in brought.items()
                }
    return {**answers, "control": merged}


def find_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return what is wrong with the address of the server through which the battery is told."""
    typed = answers.get("control") or {}
    method = METHODS.get(typed.get("by", ""))
    if method is None or method.server is None:
        return []
    return method.server.find_faults(gateway.settings, typed.get("urls", {}).get(method.by, ""))


def store_access(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    """Store address and secret as far as they are whole.

    Return how the step is to be shown again, empty where it need not be.
    """
    method = METHODS.get(typed.get("by", ""), METHODS[DEFAULT])
    go = typed.get("go")
    if method.server is None or go not in {"connect", "find", "next"}:
        return ""
    if go == "find":
        return "find=1"
    method.server.store(gateway, typed)
    if find_faults(gateway, answers):
        return "check=1"
    return "look=1" if go == "connect" or method.by not in answers["control"] else ""


def view_sent(
    gateway: Gateway, site: Site | None, plan: PlanReply | None, *, now: datetime
) -> dict[str, Any]:
    """Return what would be sent to a site's batteries by its section ``control``.

    Nothing where it is not whole.
    """
    control: Control | None = None if site is None else site.control
    if site is None or control is None or not control.batteries:
        return {"by_mode": [], "next": []}
    profiles = {profile.profile: profile for profile in list_profiles(gateway.settings.data_folder)}
    if not {via.profile for via in control.vias.values()} <= profiles.keys():
        return {"by_mode": [], "next": []}
    planned = [] if plan is None else list_sent_next(site, control, plan, profiles, now=now)
    return {"by_mode": list_sent_by_mode(site, control, profiles), "next": planned}


class SentLine(NamedTuple):
    """What is sent at once: when the slot begins, None for a mode in general.

    The mode, and each value with where it goes.
    """

    start: datetime | None
    battery: str
    mode: Mode
    writes: tuple[tuple[str, str], ...]


def list_sent_by_mode(
    site: Site, control: Control, profiles: Mapping[str, DeviceProfile]
) -> list[SentLine]:
    """Return what each mode would send to a battery that is half full, at its greatest power.

    ``profiles``: of those that Luna speaks to itself, by name.
    """
    batteries = {battery.name: battery for battery in site.batteries}
    lines: list[SentLine] = []
    for target in control.batteries:
        if target.battery in batteries:
            battery = batteries[target.battery]
            powers = {"charge": battery.charge_limit_kw, "export": battery.discharge_limit_kw}
            socs = {"charge": battery.max_soc, "export": battery.min_soc}
            for mode in sorted(target.known_modes, key=MODES.index):
                setpoint = BatterySetpoint(
                    mode=mode, power_kw=powers.get(mode), target_soc=socs.get(mode)
                )
                sent = _say(
                    site,
                    control,
                    {battery.name: setpoint},
                    profiles,
                    soc={battery.name: _half_full(battery)},
                )
                # What its owner does not let it do becomes another mode.
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
    """Return what the quarter-hours of a plan that come next would send, batteries being as full as
    it expects.
    """
    names = {each.battery for each in control.batteries}
    step = timedelta(minutes=plan.slot_minutes)
    lines: list[SentLine] = []
    for place, slot in enumerate(plan.slots):
        if slot.start + step <= now:
            continue
        before = plan.slots[place - 1].batteries if place else {}
        soc = {
            battery.name: before[battery.name].soc_end
            if battery.name in before
            else _half_full(battery)
            for battery in site.batteries
        }
        setpoints = {
            name: series.at(place) for name, series in plan.setpoints.items() if name in names
        }
        lines += _say(site, control, setpoints, profiles, soc=soc, start=slot.start)
        if len(lines) >= MOST_SLOTS * len(names):
            break
    return lines


def _say(
    site: Site,
    control: Control,
    setpoints: Mapping[str, BatterySetpoint],
    profiles: Mapping[str, DeviceProfile],
    *,
    soc: Mapping[str, float],
    start: datetime | None = None,
) -> Iterator[SentLine]:
    say = _SAY.get(control.by, _say_topic)
    for name, safe in to_supported_modes(site, setpoints, soc, control=control).items():
        via = control.vias.get(name)
        writes = (
            [say(write) for write in render(control, {name: safe})]
            if via is None
            else describe_writes(profiles[via.profile], via, safe)
        )
        yield SentLine(start, name, safe.mode, tuple(writes))


def _half_full(battery: Battery) -> float:
    return (battery.min_soc + battery.max_soc) / 2


def _say_topic(write: Write) -> tuple[str, str]:
    return write.to, write.value


def _say_service(write: Write) -> tuple[str, str]:
    service, data = service_call(write)
    return f"{service} {write.to}", next(iter(data.values()), "")


# How a write reads; where nothing else is said as topic and payload.
_SAY: Mapping[str, Callable[[Write], tuple[str, str]]] = {"home_assistant": _say_service}
