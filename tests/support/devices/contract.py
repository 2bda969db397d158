"""What every kind of device keeps to, checked like a gymnasium environment: whoever adds a kind
gives an example of it, and is told what is missing.

An example is a device as its owner writes it, how it is controlled, and small random problems in
which it is the only thing to decide.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError

from luna.contracts.control import BatterySetpoint, ControlState, PvSetpoint, VehicleSetpoint
from luna.contracts.plan import PlanRequest
from luna.drivers.control.units import list_units
from luna.energy.devices import DEVICE_KINDS, FLOW_KINDS
from luna.energy.devices.kind import DeviceKind
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.errors import LunaError
from luna.energy.part import MoneyBounds
from luna.energy.site import SENSOR_ROLES, Site, parse_site
from luna.energy.site.assumptions import list_assumptions
from luna.energy.site.inventory import list_devices_of
from luna.words import DEVICE_MODES, MODES
from luna.words.catalogue import CATALOGUE
from luna.words.devices import DEFAULTS, DEVICES, KINDS
from luna.words.pages import page_words
from luna.words.quality import say_series
from services.api.pages.home_flow import view_flow
from services.api.pages.home_slots import POWERS
from services.api.pages.home_view import HomeView
from services.api.timeline.columns import device_columns, planned_flows
from services.api.timeline.document import MeasuredFlows, TimelineFlows
from services.api.timeline.measured import power_column
from services.api.timeline.plan_parts import PlanPart
from services.api.timeline.window import open_window
from services.home_assistant.entities import list_entities, numbers_of
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.reply import plan_request
from tests.support.control.house import house_of
from tests.support.planning.problems import START
from tests.support.planning.reason_check import list_faults
from tests.support.reference_model.model import solve_reference

Document = dict[str, Any]
HOURS = 8


@dataclass(frozen=True)
class Example:
    """One device of a kind.

    Attributes:
        device: as its owner writes it.
        control: its entry in a section ``control``; None: nobody controls it.
        beside: what else the home needs to have one, by section.
        draw: turns a home's request into a small random problem of the device.
        optimum: what the best plan of such a problem costs, found in another way than the
            planner's.
    """

    device: Document
    draw: Callable[[np.random.Generator, Document], None]
    control: Any = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    optimum: Callable[[Problem], float] = solve_reference

    def describe_site(self, kind: DeviceKind[Any], **parts: Any) -> Document:
        """Return the home as a site's file has it."""
        own = {kind.section: [self.device] if kind.named else self.device}
        control = (
            {"control": {"by": "dry_run", kind.commands.section: self.control}}
            if kind.commands and self.control
            else {}
        )
        return {
            "name": "home",
            "timezone": "Europe/Berlin",
            **self.beside,
            **own,
            **control,
            **parts,
        }

    def draw_request(self, kind: DeviceKind[Any], seed: int) -> Document:
        """Return the ``seed``-th small problem: eight hours of load and prices, and the device."""
        rng = np.random.default_rng(seed)
        prices = np.round(rng.choice([0.1, 0.2, 0.3, 0.4, -0.05], HOURS), 4)
        outlook = {
            "load_kwh": np.round(rng.uniform(0.1, 1.2, HOURS), 3).tolist(),
            "pv_kwh": [0.0] * HOURS,
            "import_price": prices.tolist(),
            "export_price": np.round(np.minimum(prices - 0.02, 0.08), 4).tolist(),
        }
        site = self.describe_site(kind, control=None)
        options = {
            "mip_gap": 0.0,
            "terminal": {"kind": "value", "value": 0.1},
            "language": CATALOGUE.languages[seed % len(CATALOGUE.languages)],
        }
        request = {
            "site": site,
            "start": START.isoformat(),
            "slot_minutes": 60,
            "outlook": outlook,
            "state": {},
            "options": options,
        }
        self.draw(rng, request)
        return request


# ---- what its owner writes ----


def find_unbounded(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield the numbers of a part of a site that have no bound above or below."""
    for name, described in model.model_fields.items():
        yield from _list_unbounded(described.annotation, described.metadata, f"{place}{name}")


def _list_unbounded(annotation: Any, metadata: Sequence[Any], place: str) -> Iterator[str]:
    origin = get_origin(annotation)
    inner = get_args(annotation)
    if origin is Annotated:
        yield from _list_unbounded(
            inner[0],
            [deeper for each in inner[1:] for deeper in getattr(each, "metadata", [each])],
            place,
        )
    elif annotation in (int, float):
        kinds = {type(each) for each in metadata}
        if MoneyBounds not in kinds and not (kinds & {Ge, Gt} and kinds & {Le, Lt}):
            yield place
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from find_unbounded(annotation, f"{place}.")
    else:
        for each in inner:
            yield from _list_unbounded(
                each, metadata if origin in (Union, UnionType) else (), place
            )


def check_site_file(kind: DeviceKind[Any], example: Example) -> None:
    """A device survives the way through a file, unknown fields and hostile numbers are refused."""
    site = parse_site(example.describe_site(kind))
    written = yaml.safe_load(
        yaml.safe_dump(site.model_dump(mode="json", by_alias=True), allow_unicode=True)
    )
    assert parse_site(written) == site
    assert kind.of(site)
    for wrong in (
        {"no_such_field": 1},
        *(
            {name: value}
            for name in _numbers_of(kind)
            for value in (math.nan, math.inf, -1e9, 1e9, "many")
        ),
    ):
        try:
            kind.device.model_validate(example.device | wrong)
        except ValidationError:
            continue
        raise AssertionError(f"{kind.name} takes {wrong}")


def _numbers_of(kind: DeviceKind[Any]) -> list[str]:
    return [
        name
        for name, described in kind.device.model_fields.items()
        if described.annotation in (int, float)
    ]


# ---- what is shown and said of it ----


def check_shown(kind: DeviceKind[Any], example: Example) -> None:
    """A device is listed with its power.

    What is assumed, measured, commanded, unnamed, or costs money left out has words.
    """
    site = parse_site(example.describe_site(kind))
    if kind.named:
        shown = next(each for each in list_devices_of(site) if each.kind == kind.name)
        assert shown.power_kw > 0
        assert bool(shown.told_as) == bool(kind.commands and example.control)
    unnamed = kind.device.model_fields.get("name")
    words, plan_words = (
        {language: page_words(page, language) for language in CATALOGUE.languages}
        for page in ("setup", "planning")
    )
    for device in kind.of(site):
        costly = {*kind.defaults.costly(device)}
        assert costly <= kind.device.model_fields.keys()
        assert all(f"{kind.name}_{name}" in DEFAULTS for name in costly)
    for language in CATALOGUE.languages:
        if unnamed is not None and isinstance(unnamed.default, str):
            assert DEVICES.find(unnamed.default, language)
        for mode in kind.commands.modes if kind.commands else ():
            assert mode in {*MODES, *DEVICE_MODES}
        for role in kind.sensors.model_fields if kind.sensors else ():
            assert words[language](f"role_{role}")
        for role in (
            {kind.consumption.meter(device) for device in kind.of(site)} - {None}
            if kind.consumption.meter
            else ()
        ):
            assert words[language](f"role_{role}")
        for action in kind.actions:
            assert plan_words[language](f"action_{action}")
        for assumed in list_assumptions(site):
            assert words[language](f"assumed_{assumed.code}", **dict.fromkeys(assumed.figures, "1"))


def check_entities(kind: DeviceKind[Any], example: Example) -> None:
    """Home Assistant is told of a controlled device: each entity has a state in every language, and
    one of them takes its owner's orders.
    """
    request = PlanRequest.model_validate(example.draw_request(kind, 0))
    reply = plan_request(request, now=START, solver=Solver())
    site = parse_site(example.describe_site(kind))
    view = replace(
        house_of(site, reply, START + timedelta(minutes=7)), states=(ControlState(site="home"),)
    )
    for language in CATALOGUE.languages:
        numbers = numbers_of(view, language)
        entities = list_entities(view, numbers, commands=True)
        for entity in entities:
            assert entity.name(numbers)
            if entity.state is not None:
                entity.state(view, numbers)
        for device in kind.of(site) if kind.commands and example.control else ():
            assert kind.commands is not None
            assert kind.commands.key(device.name) in {entity.device for entity in entities}
            assert kind.commands.together or any(
                entity.component == "sensor" and entity.key.endswith(f":{device.name}")
                for entity in entities
            )


def check_pages(kind: DeviceKind[Any], example: Example) -> None:
    """What a plan says of a device stands in its timeline, what a meter says in Home's drawing and
    table too, with words in every language.
    """
    site = parse_site(example.describe_site(kind))
    reply = plan_request(
        PlanRequest.model_validate(example.draw_request(kind, 0)), now=START, solver=Solver()
    )
    part = PlanPart("plan", START, [reply.slots[0].model_dump(mode="json", by_alias=True)], 1.0)
    drawn = {column["name"]: column["power_kw"] for column in device_columns([part], site)}
    for device in kind.of(site) if kind.plan.flows else ():
        assert np.isfinite(drawn[device.name]).all()
    assert set(kind.plan.flows.values()) <= set(planned_flows([part])) & set(
        TimelineFlows.model_fields
    )
    measured = {power_column(series) for series in kind.submetered}
    assert measured <= set(MeasuredFlows.model_fields) & set(POWERS)
    assert not kind.named or kind.name in KINDS
    for language in CATALOGUE.languages:
        document = {
            "measured": {name: np.ones(1) for name in MeasuredFlows.model_fields},
            "estimated": [None],
            "sessions": [],
        }
        view = HomeView(
            open_window(site, now=START, language=language),
            document,
            page_words("home", language),
            house_of(site, None, START),
        )
        flow = view_flow(view)
        own = {
            say_series(str(SENSOR_ROLES[role].series), language=language)
            for device in kind.of(site)
            if kind.consumption.meter and (role := kind.consumption.meter(device))
        }
        assert flow is not None
        assert own <= {node.name for node in flow.nodes}
        assert not own & {str(SENSOR_ROLES[role].series) for role in SENSOR_ROLES}


# ---- what is sent to it ----

SETPOINTS = (BatterySetpoint, VehicleSetpoint, LoadSetpoint, PvSetpoint)
HOSTILE = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-9, 0.5, 3.7, 1e300)


def check_safe(kind: DeviceKind[Any], example: Example, seed: int) -> None:
    """Whatever is asked of a device, what leaves the safety layer is a mode that it knows and a
    power that it has; and it can be written.
    """
    site = parse_site(example.describe_site(kind))
    rng = np.random.default_rng(seed)
    units = list_units(site, site.control)
    assert len(units) == 1
    (unit,) = units.values()
    names = [device.name for device in kind.of(site)] + list(unit.fallback("disarmed", None))
    for _ in range(50):
        asked = {name: _draw_hostile(rng, kind) for name in names}
        soc = {name: float(rng.choice([*HOSTILE, 0.0, 0.3, 1.0])) for name in names}
        allowed = unit.make_safe(asked, soc)
        for setpoint in allowed.values():
            _check_setpoint(kind, site, setpoint.model_dump())
        assert all(
            isinstance(write.value, str) and "nan" not in write.value and "inf" not in write.value
            for write in unit.render(allowed)
        )


def _draw_hostile(rng: np.random.Generator, kind: DeviceKind[Any]) -> Any:
    model = SETPOINTS[int(rng.integers(len(SETPOINTS)))]
    modes = kind.commands.modes if kind.commands else ()
    values: Document = {
        name: float(rng.choice(HOSTILE)) for name in model.model_fields if name != "mode"
    }
    if "phases" in values:
        # A charger has no other number of phases.
        values["phases"] = [None, 1, 3][int(rng.integers(3))]
    return model.model_construct(mode=str(rng.choice([*modes])), **values)


def _check_setpoint(kind: DeviceKind[Any], site: Site, setpoint: Document) -> None:
    assert kind.commands is not None
    assert setpoint["mode"] in kind.commands.modes
    most_kw = sum(kind.power_kw(device) for device in kind.of(site))
    for name, value in setpoint.items():
        if name.endswith("_kw") and name != "limit_kw" and value is not None:
            assert 0.0 <= value <= most_kw + 1e-6, (name, value)
        if name.endswith("_soc") and value is not None:
            assert 0.0 <= value <= 1.0, (name, value)


# ---- what is planned for it ----


def check_plan(kind: DeviceKind[Any], example: Example, seed: int) -> bool:
    """Return whether there is a plan.

    It costs what an independent model finds, no energy comes from nowhere, and each cause is true
    on its own figures.
    """
    document = example.draw_request(kind, seed)
    request = PlanRequest.model_validate(document)
    problem = build_problem(request)
    best = example.optimum(problem)
    try:
        plan = decide(problem, Solver())
    except LunaError:
        # Limits that contradict each other; the model must not know a way either.
        assert math.isnan(best)
        return False
    schedule = plan.load_schedule
    cost = schedule.objective if schedule is not None else objective(plan)
    assert math.isnan(best) or abs(cost - best) <= 2e-3, (cost, best)
    reply = plan_request(request, now=START, solver=Solver()).model_dump(mode="json", by_alias=True)
    for slot in reply["slots"]:
        assert abs(_balance(slot)) < 1e-4, slot
    whole = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert list_faults(whole, reply) == []
    return True


def _balance(slot: Document) -> float:
    """Return what comes in less what goes out in a slot, kWh."""
    out_of = slot["import_kwh"] + slot["pv_kwh"] - slot["curtailed_kwh"]
    into = slot["export_kwh"] + slot["load_kwh"]
    for kind in FLOW_KINDS:
        takes, *gives = kind.plan.flows
        for flow in slot[kind.section].values():
            out_of += sum(flow[name] for name in gives)
            into += flow[takes]
    return float(out_of - into)


def missing_examples(examples: Mapping[str, Example]) -> set[str]:
    """Return the kinds of which nobody gave an example."""
    return {kind.name for kind in DEVICE_KINDS} - set(examples)
