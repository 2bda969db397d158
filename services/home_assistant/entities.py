"""Declare the Home Assistant entities of a site: state, attributes and discovery fields.

Source: Home Assistant, "MQTT": sensor, binary sensor, select, switch, number, button; "Sensor
entity": units and state classes per device class.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from luna.contracts.control import ControlState
from luna.contracts.device_runs import PlannedRun
from luna.contracts.plan import SlotReply
from luna.contracts.steering import SteeredUnitState
from luna.energy.car_draw import DRAWS_WELL, CarDraw
from luna.energy.devices import CHARGED_KINDS, SWITCHED_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.kind import DeviceKind
from luna.energy.devices.vehicle import VEHICLE
from luna.energy.limit_outcome import list_binding
from luna.energy.operator_limits import find_in_force
from luna.energy.timeline import parse_zone
from luna.house.by_battery import split_by_battery
from luna.house.control_service import list_overridable_devices, modes_of
from luna.house.now import HouseFigure, HouseNow, format_run
from luna.house.steering_status import find_power_kw, format_unit
from luna.words import MODES, Language, Numbers, say_mode
from luna.words.car_draw import format_draw
from luna.words.devices import say_device
from luna.words.entities import ENTITIES, say_follow_plan
from luna.words.messages import say_message
from luna.words.operator_limits import count_limited, format_binding
from luna.words.retold_reasons import retell_reason

Component = Literal["sensor", "binary_sensor", "select", "switch", "number", "button"]
# Home Assistant rejects longer states. Source: homeassistant.const.MAX_LENGTH_STATE_STATE.
LONGEST_STATE = 255
# Home Assistant's recorder drops larger attributes. Source:
# homeassistant.components.recorder.db_schema.MAX_STATE_ATTRS_BYTES.
LONGEST_ATTRIBUTES = 16_384
DAY = timedelta(days=1)
MOST_HOURS = 24.0
LEAST_HOURS = 0.25
USUAL_HOURS = 2.0


@dataclass(frozen=True, slots=True)
class PublishedEntity:
    """An entity of a site's device.

    Attributes:
        key: part of its topics and its id; the part before a colon is the key of its name in
            ``luna.words``, the part after it a device.
        component: Home Assistant's kind of entity.
        state: returns its state, None where unknown; without a function it has none.
        attributes: returns its attributes.
        config: fields of its discovery message; ``{currency}`` and ``{modes}`` are filled in.
        commands: whether it takes commands.
        device: the device whose control it overrides.
    """

    key: str
    component: Component
    state: Callable[[HouseNow, Numbers], Any] | None = None
    attributes: Callable[[HouseNow, Numbers], Mapping[str, Any]] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    commands: bool = False
    device: str | None = None

    def name(self, numbers: Numbers) -> str:
        """Return its display name."""
        words, _, device = self.key.partition(":")
        return ENTITIES.say(
            words, numbers.language, device=say_device(device, language=numbers.language)
        )


def list_entities(view: HouseNow, numbers: Numbers, *, commands: bool) -> list[PublishedEntity]:
    """Return the entities of a site, with ``commands`` also those that take commands."""
    entities = _list_sensors(view)
    for kind in CHARGED_KINDS:
        for device in kind.of(view.site):
            entities += _of_charged(kind, device.name)
    for kind in SWITCHED_KINDS:
        for device in kind.of(view.site):
            entities.append(
                _of_run(f"load_start:{device.name}", device.name, lambda run: run.start)
            )
    control = view.site.control
    if control is not None and control.is_steered:
        entities += [_steered(device) for device in control.devices]
    if control is not None:
        entities += [_draws(controlled.vehicle) for controlled in control.vehicles]
    if commands:
        entities += _COMMANDS
        entities += [_override(device, numbers) for device in list_overridable_devices(view.site)]
    return entities


def _list_sensors(view: HouseNow) -> list[PublishedEntity]:
    """Return the sensors of the site; a battery's sensors once for each of several."""
    parts = split_by_battery(view)
    if len(parts) == 1:
        return [*_SENSORS]
    sensors = [entity for entity in _SENSORS if entity.key not in _OF_BATTERY]
    battery_sensors = [entity for entity in _SENSORS if entity.key in _OF_BATTERY]
    for part in parts:
        sensors += [_of_battery(entity, part) for entity in battery_sensors]
    return sensors


def _of_battery(entity: PublishedEntity, part: HouseNow) -> PublishedEntity:
    """Return a sensor of one battery; ``part`` is the house with that battery alone."""
    read_state = entity.state
    read_attributes = entity.attributes
    key = f"{_OF_BATTERY[entity.key]}:{part.site.batteries[0].name}"
    battery_entity = replace(entity, key=key)
    if read_state is not None:

        def state(_: HouseNow, numbers: Numbers) -> Any:
            return read_state(part, numbers)

        battery_entity = replace(battery_entity, state=state)
    if read_attributes is not None:

        def attributes(_: HouseNow, numbers: Numbers) -> Mapping[str, Any]:
            return read_attributes(part, numbers)

        battery_entity = replace(battery_entity, attributes=attributes)
    return battery_entity


def numbers_of(view: HouseNow, language: Language) -> Numbers:
    """Return the formatter of a site's numbers and times: language, time zone, currency."""
    return Numbers(language, parse_zone(view.site.timezone), view.site.currency)


# ---- states and attributes ----


def _planned_mode(view: HouseNow, numbers: Numbers) -> str | None:
    if view.slot is None:
        return None
    return say_mode(view.slot.mode, language=numbers.language, of_battery=True)


def _planned_details(view: HouseNow, numbers: Numbers) -> dict[str, Any]:
    plan = view.planned.plan
    slot = view.slot
    if plan is None or slot is None:
        return {}
    return {
        "mode": slot.mode,
        "reason": retell_reason(slot.reason.model_dump(), view.now, numbers),
        "plan_id": plan.plan_id,
        "issued_at": plan.issued_at,
        "status": plan.status,
        "until": plan.slots[-1].start + timedelta(minutes=plan.slot_minutes),
    }


def _actual_mode(view: HouseNow, numbers: Numbers) -> str | None:
    mode = _read_mode(view.states[0])
    if mode is None:
        return None
    return say_mode(mode, language=numbers.language, of_battery=True)


def _actual_details(view: HouseNow, _: Numbers) -> dict[str, Any]:
    state = view.states[0]
    decision = state.decision
    read = _read_details(state)
    if state.armed_at is None or decision is None:
        return {"armed": state.armed_at is not None} | read
    modes = {name: setpoint.mode for name, setpoint in decision.allowed.items()}
    return {
        "armed": True,
        "mode": _read_mode(state),
        "told": modes,
        "decided_by": decision.decided_by,
        "because": decision.reason,
        "confirmed_at": decision.confirmed_at,
    } | read


def _read_details(state: ControlState) -> dict[str, Any]:
    """Return each battery's last report, its standing, and the number of conflicts."""
    if state.standing is None or not state.reports:
        return {}
    shown = {"mode", "power_kw", "commanded", "read_at", "since", "silent_since"}
    reports = {}
    conflicts = 0
    for name, report in state.reports.items():
        reports[name] = report.model_dump(mode="json", include=shown)
        if report.conflict is not None:
            conflicts += report.conflict.count
    return {
        "read": reports,
        "conflicts": conflicts,
        "standing": state.standing.code,
        "next": state.standing.next,
        "paused": state.paused is not None,
    }


def _read_mode(state: ControlState) -> str | None:
    """Return a battery's mode by its last read-back while Luna commands it.

    Else it is the mode of the last command.
    """
    is_commanded = state.standing is not None and state.standing.code not in {"own", "paused"}
    read = [report.mode for report in state.reports.values() if report.mode is not None]
    if is_commanded and read:
        return read[0]
    if state.armed_at is None or state.decision is None:
        return None
    return next((setpoint.mode for setpoint in state.decision.allowed.values()), None)


def _next_action(view: HouseNow, numbers: Numbers) -> str | None:
    run = view.next_run
    if run is None:
        return None
    mode = say_mode(run.mode, language=numbers.language, of_battery=True)
    parts = (mode, format_run(run, numbers, now=view.now))
    return ": ".join(filter(None, parts))[:LONGEST_STATE]


def _next_details(view: HouseNow, numbers: Numbers) -> dict[str, Any]:
    run = view.next_run
    if run is None:
        return {}
    return {
        "mode": run.mode,
        "start": run.start,
        "end": run.end,
        "reason": format_run(run, numbers, now=view.now),
    }


def _next_action_at(view: HouseNow, _: Numbers) -> datetime | None:
    return None if view.next_run is None else view.next_run.start


def _energy_value(view: HouseNow, _: Numbers) -> float | None:
    return None if view.slot is None else _rounded(view.slot.reason.energy_value, 4)


def _plan_age(view: HouseNow, _: Numbers) -> int | None:
    """Return the plan's age in minutes."""
    plan = view.planned.plan
    if plan is None:
        return None
    age_s = (view.now - plan.issued_at).total_seconds()
    return max(int(age_s // 60), 0)


def _problem(view: HouseNow, _: Numbers) -> str:
    return "ON" if view.problems else "OFF"


def _problem_details(view: HouseNow, numbers: Numbers) -> dict[str, Any]:
    codes = []
    sentences = []
    for finding in view.findings:
        words = say_message(finding.code, finding.figures, site=view.site.called, numbers=numbers)
        codes.append(finding.code)
        sentences.append(words.text)
    return {"codes": codes, "sentences": sentences}


def _armed(view: HouseNow, _: Numbers) -> str:
    return "OFF" if view.states[0].armed_at is None else "ON"


def _vacation(view: HouseNow, _: Numbers) -> str:
    return "ON" if view.vacation else "OFF"


def _override_until(view: HouseNow, _: Numbers) -> datetime | None:
    overrides = [state.override for state in view.states if state.override is not None]
    ends = [override.until for override in overrides if override.until > view.now]
    return max(ends, default=None)


def _limited(view: HouseNow, _: Numbers) -> str:
    return "ON" if view.limits else "OFF"


def _limit_details(view: HouseNow, numbers: Numbers) -> dict[str, Any]:
    in_force = find_in_force(view.limits, view.now)
    if in_force is None:
        return {}
    devices = count_limited(view.site)
    sentences = []
    until = {}
    for binding in list_binding(view.limits, view.now):
        sentences.append(format_binding(binding, devices, now=view.now, numbers=numbers))
        until[binding.flow] = binding.limit.end
    return {
        "since": in_force.since,
        "until": until,
        "sources": in_force.sources,
        "sentences": sentences,
    }


def _limit_kw(view: HouseNow, _: Numbers) -> float | None:
    """Return the strictest limit of what is drawn, None where only feeding in is limited."""
    most_kw = [
        binding.most_kw
        for binding in list_binding(view.limits, view.now)
        if binding.flow != "export"
    ]
    return _rounded(min(most_kw, default=None), 3)


def _limit_powers(view: HouseNow, _: Numbers) -> dict[str, float]:
    """Return the limits by what they bound: devices, connection or export."""
    return {binding.flow: binding.most_kw for binding in list_binding(view.limits, view.now)}


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals) + 0.0


# ---- the plan as series ----


def _of_plan(
    key: str,
    read: Callable[[SlotReply, float], float | None],
    *,
    decimals: int,
    config: Mapping[str, Any],
) -> PublishedEntity:
    """Return an entity of a value per slot, with the current one as state.

    Attribute ``data`` has all as pairs of epoch milliseconds and value, for charts. ``read`` reads
    a slot's value, given the slot's hours.
    """

    def value(slot: SlotReply, view: HouseNow) -> float | None:
        plan = view.planned.plan
        return None if plan is None else _rounded(read(slot, plan.slot_minutes / 60), decimals)

    def state(view: HouseNow, _: Numbers) -> float | None:
        return None if view.slot is None else value(view.slot, view)

    def rows(view: HouseNow, _: Numbers) -> dict[str, Any]:
        slots: Sequence[SlotReply] = [] if view.planned.plan is None else view.planned.plan.slots
        return {"data": [[int(slot.start.timestamp() * 1000), value(slot, view)] for slot in slots]}

    return PublishedEntity(key, "sensor", state, rows, config)


def _soc_percent(slot: SlotReply, _: float) -> float | None:
    levels = [flow.soc_end * 100 for flow in slot.batteries.values()]
    return sum(levels) / len(levels) if levels else None


def _battery_kw(slot: SlotReply, hours: float) -> float:
    return sum(flow.charge_kwh - flow.discharge_kwh for flow in slot.batteries.values()) / hours


def _grid_kw(slot: SlotReply, hours: float) -> float:
    return (slot.import_kwh - slot.export_kwh) / hours


def _load_kw(slot: SlotReply, hours: float) -> float:
    return slot.load_kwh / hours


def _pv_kw(slot: SlotReply, hours: float) -> float:
    return slot.pv_kwh / hours


# ---- planned runs of devices other than batteries ----


def _of_charged(kind: DeviceKind[Any], device: str) -> Iterator[PublishedEntity]:
    """Yield a charged device's planned power, state of charge, and instant of being ready."""

    def charge_kw(slot: SlotReply, hours: float) -> float | None:
        flow = getattr(slot, kind.section).get(device)
        return None if flow is None else flow.used_kwh / hours

    def soc_percent(slot: SlotReply, _: float) -> float | None:
        flow = getattr(slot, kind.section).get(device)
        return None if flow is None else flow.soc_end * 100

    yield _of_plan(f"plan_{kind.name}:{device}", charge_kw, decimals=3, config=_POWER)
    yield _of_plan(f"{kind.name}_soc:{device}", soc_percent, decimals=1, config=_SOC)
    yield _of_run(f"{kind.name}_ready:{device}", device, lambda run: run.end)


def _key_of_unit(words: str, unit: str) -> str:
    """Return the key of a controlled unit's entity: "override", "override_vehicle:NAME"."""
    kind, _, name = unit.partition(":")
    if unit == BATTERIES:
        return words
    return f"{words}_{kind}:{name}" if name else f"{words}_{kind}"


def _draws(vehicle: str) -> PublishedEntity:
    """Return an entity that is on while a car does not draw what its charger is commanded."""

    def find_draw(view: HouseNow) -> CarDraw | None:
        control_state = view.state_of(f"{VEHICLE.name}:{vehicle}")
        report = None if control_state is None else control_state.reports.get(vehicle)
        draw = None if report is None else report.draw
        return draw if draw is not None and draw.holds_at(view.now) else None

    def state(view: HouseNow, _: Numbers) -> str:
        draw = find_draw(view)
        return "OFF" if draw is None or draw.verdict in DRAWS_WELL else "ON"

    def details(view: HouseNow, numbers: Numbers) -> dict[str, Any]:
        draw = find_draw(view)
        if draw is None:
            return {}
        is_well = draw.verdict in DRAWS_WELL
        return {
            "verdict": draw.verdict,
            "since": draw.since,
            "commanded_kw": draw.missed_kw,
            "highest_kw": draw.highest_kw,
            "sentence": "" if is_well else format_draw(vehicle, draw, numbers),
        }

    key = _key_of_unit("draws_less", f"{VEHICLE.name}:{vehicle}")
    return PublishedEntity(key, "binary_sensor", state, details, {"device_class": "problem"})


def _steered(unit: str) -> PublishedEntity:
    """Return an entity of what steering has a unit's devices do, with their powers."""

    def find_unit(view: HouseNow) -> SteeredUnitState | None:
        return None if view.steering is None else view.steering.units.get(unit)

    def state(view: HouseNow, numbers: Numbers) -> str | None:
        found = find_unit(view)
        return None if found is None else "; ".join(format_unit(found, numbers))[:LONGEST_STATE]

    def details(view: HouseNow, _: Numbers) -> dict[str, Any]:
        found = find_unit(view)
        if found is None:
            return {}
        powers = {name: find_power_kw(setpoint) for name, setpoint in found.commands.items()}
        modes = {name: setpoint.mode for name, setpoint in found.commands.items()}
        return {
            "reason": found.reason,
            "mode": modes,
            "power_kw": powers,
            "since": found.since,
            "confirmed": found.confirmed,
        }

    return PublishedEntity(
        _key_of_unit("steering", unit), "sensor", state, details, {"icon": "mdi:speedometer"}
    )


def _of_run(key: str, device: str, instant: Callable[[PlannedRun], datetime]) -> PublishedEntity:
    """Return an entity of the start or end of a device's run, with energy and cost."""

    def details(view: HouseNow, _: Numbers) -> dict[str, Any]:
        use = view.use_of(device)
        if use is None:
            return {}
        run = use.run
        return {
            "start": run.start,
            "end": run.end,
            "basis": use.basis,
            "energy_kwh": round(run.energy_kwh, 3),
            "cost": round(run.cost, 4),
            "price": round(run.price, 5),
        }

    def state(view: HouseNow, _: Numbers) -> datetime | None:
        use = view.use_of(device)
        return None if use is None else instant(use.run)

    return PublishedEntity(key, "sensor", state, details, {"device_class": "timestamp"})


def _of_figure(
    key: str,
    read: Callable[[HouseNow], HouseFigure | None],
    config: Mapping[str, Any],
    *,
    of_today: bool = False,
) -> PublishedEntity:
    """Return an entity of a figure of the house with its basis.

    A figure ``of_today`` also has the measured and planned hours of today.
    """

    def details(view: HouseNow, _: Numbers) -> dict[str, Any]:
        figure = read(view)
        basis = {} if figure is None else {"basis": figure.basis}
        if not of_today:
            return basis
        day = view.planned.today
        hours = float(day.measured.sum() / 4)
        return basis | {"measured_hours": hours, "planned_hours": day.timeline.count / 4 - hours}

    def state(view: HouseNow, _: Numbers) -> float | None:
        figure = read(view)
        return None if figure is None else _rounded(figure.value, 2)

    return PublishedEntity(key, "sensor", state, details, config)


def _saved_today(view: HouseNow) -> HouseFigure | None:
    return view.planned.saved_today if view.armed else None


_SOC = {"device_class": "battery", "unit_of_measurement": "%", "state_class": "measurement"}
_MONEY = {
    "device_class": "monetary",
    "unit_of_measurement": "{currency}",
    "suggested_display_precision": 2,
}
_ENERGY = {"device_class": "energy", "unit_of_measurement": "kWh", "suggested_display_precision": 1}
_POWER = {
    "device_class": "power",
    "unit_of_measurement": "kW",
    "state_class": "measurement",
    "suggested_display_precision": 2,
}
_PRICE = {
    "unit_of_measurement": "{currency}/kWh",
    "state_class": "measurement",
    "suggested_display_precision": 4,
}
_MODES = {"device_class": "enum", "options": "{modes}"}
_SENSORS = (
    PublishedEntity("planned_mode", "sensor", _planned_mode, _planned_details, _MODES),
    PublishedEntity("actual_mode", "sensor", _actual_mode, _actual_details, _MODES),
    PublishedEntity("next_action", "sensor", _next_action, _next_details),
    PublishedEntity(
        "next_action_at", "sensor", _next_action_at, config={"device_class": "timestamp"}
    ),
    PublishedEntity("energy_value", "sensor", _energy_value, config=_PRICE),
    _of_figure("paid_today", lambda view: view.planned.paid_today, _MONEY, of_today=True),
    _of_figure("paid_yesterday", lambda view: view.planned.paid_yesterday, _MONEY),
    _of_figure("cost_today", lambda view: view.planned.cost_today, _MONEY, of_today=True),
    _of_figure("cost_tomorrow", lambda view: view.planned.cost_tomorrow, _MONEY),
    _of_figure("saved_today", _saved_today, _MONEY, of_today=True),
    _of_figure("saved_yesterday", lambda view: view.planned.saved_yesterday, _MONEY),
    _of_figure("load_today", lambda view: view.planned.load_today, _ENERGY, of_today=True),
    _of_figure("load_tomorrow", lambda view: view.planned.load_tomorrow, _ENERGY),
    _of_figure("pv_today", lambda view: view.planned.pv_today, _ENERGY, of_today=True),
    _of_figure("pv_tomorrow", lambda view: view.planned.pv_tomorrow, _ENERGY),
    PublishedEntity(
        "plan_age",
        "sensor",
        _plan_age,
        config={
            "device_class": "duration",
            "unit_of_measurement": "min",
            "state_class": "measurement",
        },
    ),
    _of_plan("plan_soc", _soc_percent, decimals=1, config=_SOC),
    _of_plan("plan_battery", _battery_kw, decimals=3, config=_POWER),
    _of_plan("plan_grid", _grid_kw, decimals=3, config=_POWER),
    _of_plan("plan_load", _load_kw, decimals=3, config=_POWER),
    _of_plan("plan_pv", _pv_kw, decimals=3, config=_POWER),
    _of_plan("import_price", lambda slot, _: slot.import_price, decimals=5, config=_PRICE),
    _of_plan("export_price", lambda slot, _: slot.export_price, decimals=5, config=_PRICE),
    PublishedEntity(
        "override_until", "sensor", _override_until, config={"device_class": "timestamp"}
    ),
    PublishedEntity(
        "problem", "binary_sensor", _problem, _problem_details, {"device_class": "problem"}
    ),
    PublishedEntity(
        "operator_limit",
        "binary_sensor",
        _limited,
        _limit_details,
        {"icon": "mdi:transmission-tower"},
    ),
    PublishedEntity("operator_limit_power", "sensor", _limit_kw, _limit_powers, _POWER),
)
# The sensors of each battery where there are several, with their keys.
_OF_BATTERY = {
    "planned_mode": "planned_mode_battery",
    "actual_mode": "actual_mode_battery",
    "next_action": "next_action_battery",
    "next_action_at": "next_action_at_battery",
    "plan_soc": "plan_soc_battery",
    "plan_battery": "plan_power_battery",
}
# The last refused command. No ``state`` here: the publisher knows it, the site does not.
REFUSAL = PublishedEntity(
    "refusal",
    "sensor",
    config={"entity_category": "diagnostic", "icon": "mdi:message-alert-outline"},
)
_HOURS = {
    "min": LEAST_HOURS,
    "max": MOST_HOURS,
    "step": LEAST_HOURS,
    "mode": "box",
    "unit_of_measurement": "h",
    "device_class": "duration",
    "retain": True,
}
HOURS = PublishedEntity("override_hours", "number", config=_HOURS, commands=True)
_COMMANDS = (
    PublishedEntity("armed", "switch", _armed, config={"icon": "mdi:shield-check"}, commands=True),
    PublishedEntity("vacation", "switch", _vacation, config={"icon": "mdi:beach"}, commands=True),
    PublishedEntity("plan_now", "button", config={"icon": "mdi:calendar-refresh"}, commands=True),
    HOURS,
    REFUSAL,
)


def _override(device: str, numbers: Numbers) -> PublishedEntity:
    """Return the selection of a device's override."""
    key = _key_of_unit("override", device)
    options = [say_follow_plan(numbers.language)]
    of_battery = device == BATTERIES
    for mode in modes_of(device):
        options.append(say_mode(mode, language=numbers.language, of_battery=of_battery))

    def state(view: HouseNow, numbers: Numbers) -> str:
        control_state = view.state_of(device)
        override = control_state.override if control_state else None
        if override is not None and override.until > view.now:
            return say_mode(override.mode, language=numbers.language, of_battery=of_battery)
        return say_follow_plan(numbers.language)

    return PublishedEntity(
        key,
        "select",
        state,
        config={"options": options, "icon": "mdi:hand-back-right"},
        commands=True,
        device=device,
    )


def fill_config(entity: PublishedEntity, view: HouseNow, numbers: Numbers) -> dict[str, Any]:
    """Return the entity's discovery fields in the site's currency and the owner's language."""
    filled = dict(entity.config)
    for name, value in entity.config.items():
        if isinstance(value, str):
            filled[name] = value.format(currency=view.site.currency, modes="{modes}")
    if filled.get("options") == "{modes}":
        language = numbers.language
        filled["options"] = [say_mode(mode, language=language, of_battery=True) for mode in MODES]
    return filled
