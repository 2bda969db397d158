"""Compose a site's document from the answers of set-up, with the faults of each step. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from luna.drivers.sensor_name import name_sensor
from luna.drivers.site_device import PHASES_ROLE, READINGS_BY_ROLE, list_phases
from luna.energy.devices.commands import Via
from luna.energy.errors import NotFoundError
from luna.energy.part import MOST_CALLED, is_written
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.site.control import ControlledBy
from luna.energy.site.countries import COUNTRIES, Country, Town, place_named
from luna.energy.site.document import explain_faults
from luna.energy.site.main_fuses import assume_connection
from luna.energy.timeline import parse_zone
from luna.platform.site_name import identifier_of
from luna.words import Numbers
from luna.words.numbers import read_number
from services.api.pages.setup.control_methods import METHODS, STEERING
from services.api.pages.setup.device_control import (
    CONTROL_FORMS,
    DEVICES,
    SERVED,
    describe_devices,
    list_controlled,
)
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.fields import (
    GRID,
    HOUSEHOLD,
    ON,
    SITE,
    TARIFF,
    FieldFault,
    check_entries,
    check_zone,
)
from services.api.pages.setup.tariff_composition import compose_tariff

STEPS = ("site", "devices", "tariff", "data", "control", "review")
ELSEWHERE = "elsewhere"
# The key of the answers that holds the devices chosen from those found on the network.
TAKEN = "taken"
# The key that says of a stored site whether it has a meter.
METERED = "metered"
_METERED_SERIES = frozenset({"import_kwh", "load_kwh"})
_AT_CONNECTION = ("total_grid_import", "total_grid_export")
_VIA_PARTS = ("profile", "host", "port", "unit", "prefix", "secret")
_CURRENCY = re.compile(r"[A-Z]{3}")
# The step of set-up by section of a site.
_STEP_OF = dict.fromkeys((*DEVICE_FORMS, "grid"), "devices") | {
    "tariff": "tariff",
    "input_sensors": "data",
    "control": "control",
}


@dataclass
class Composition:
    """A site's document, as complete as the answers are, and the faults by step."""

    document: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, list[FieldFault]] = field(
        default_factory=lambda: {step: [] for step in STEPS}
    )

    @property
    def whole(self) -> bool:
        """Whether there are no faults."""
        return not any(self.faults.values())

    def site(self) -> Site:
        """Return the site of a composition that is whole."""
        return Site.model_validate(self.document)


def compose(answers: Mapping[str, Any]) -> Composition:
    """Compose the answers of all steps.

    Args:
        answers: by step, as typed: ``site``, ``household``, ``grid`` and ``tariff`` by field, the
            devices as lists, ``sensors`` by role; ``kept`` holds the stored site's prices.

    Invariants: a composition that is whole has a site.
    """
    composed = Composition()
    _compose_site(composed, answers)
    _compose_household(composed, answers)
    _compose_devices(composed, answers)
    _compose_tariff(composed, answers)
    # A found device's own sensors replace those chosen for the same role: nothing is counted twice.
    sensors = _read_chosen_sensors(answers) | list_taken_sensors(answers)
    if sensors:
        composed.document["input_sensors"] = sensors
    _compose_control(composed, answers)
    if composed.whole:
        # The site's own validation goes beyond that of single fields.
        try:
            composed.site()
        except ValidationError as exc:
            for fault in exc.errors(include_url=False):
                section = str(fault["loc"][0]) if fault["loc"] else ""
                step = _STEP_OF.get(section, "site")
                refusal = explain_faults([fault], field="")
                composed.faults[step].append(FieldFault("", "refused", refusal=refusal))
    return composed


def _read_chosen_sensors(answers: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the sensors chosen in the step Data, by role."""
    if answers.get("data", {}).get("source") != "home_assistant":
        return {}
    names_by_role = {}
    for role, text in answers.get("sensors", {}).items():
        if text and role in SENSOR_ROLES:
            # Several sensors are separated by commas.
            names = [name.strip() for name in text.split(",")]
            names_by_role[role] = [name for name in names if name]
    return _unwrap_single(names_by_role)


def _unwrap_single(names_by_role: Mapping[str, list[str]]) -> dict[str, str | list[str]]:
    return {role: names[0] if len(names) == 1 else names for role, names in names_by_role.items()}


def _compose_control(composed: Composition, answers: Mapping[str, Any]) -> None:
    control = answers.get("control") or {}
    batteries = battery_names(answers)
    method = METHODS.get(control.get("by", ""))
    # No section ``control`` before its step was answered.
    if method is None:
        return
    names = controlled_names(answers)
    entries, servers, faults = describe_devices(list_controlled(answers, names))
    composed.faults["control"] += faults
    # None without anything to control.
    section: dict[str, Any] | None = {"by": method.by} if entries else None
    if batteries:
        section, faults = method.describe(batteries, control.get(method.by, {}))
        composed.faults["control"] += faults
    if section is None:
        return
    commands_batteries = bool(section.get("batteries"))
    if entries or commands_batteries:
        kept_server = answers.get("kept", {}).get("server")
        if kept_server is not None:
            # Devices that set-up does not ask for stay with the stored site's server.
            servers.add(kept_server)
        by = _choose_server(method.by, servers, commands_batteries=commands_batteries)
        if by is None:
            composed.faults["control"].append(FieldFault("by", "one_server"))
            return
        section |= {"by": by} | entries
    if (method.asks or entries) and control.get(STEERING.name) == ON:
        section[STEERING.name] = True
        # A stored site keeps its own sensors.
        is_metered = answers.get(METERED) == ON
        if not is_metered and not has_meter(composed.document.get("input_sensors", {})):
            shown_at = method.by if method.asks and batteries else DEVICES
            field_name = f"{shown_at}-{STEERING.name}"
            composed.faults["control"].append(FieldFault(field_name, "steering_unmetered"))
    composed.document["control"] = section


def _choose_server(
    by: ControlledBy, servers: set[str], *, commands_batteries: bool
) -> ControlledBy | None:
    """Return the commander of a site's devices; None if they need two servers."""
    needed = set(servers)
    if commands_batteries and by in SERVED:
        needed.add(by)
    if len(needed) > 1:
        return None
    for served in SERVED:
        if served in needed:
            return served
    return "profile"


def has_meter(roles: Collection[str]) -> bool:
    """Return whether there is a sensor of the connection, or of the house."""
    return any(SENSOR_ROLES[role].series in _METERED_SERIES for role in roles)


def list_taken_sensors(answers: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the sensors of the devices found on the network, by role.

    None for a stored site, which keeps its sensors.
    """
    if "changes" in answers:
        return {}
    names_by_role: dict[str, list[str]] = {}
    # Only one device measures the grid connection: the meter before any inverter.
    for device in sorted(answers.get(TAKEN, []), key=_is_no_meter):
        via = Via(**{part: device[part] for part in _VIA_PARTS})
        for role, readings in READINGS_BY_ROLE.items():
            offered = [reading for reading in readings if reading in device["reads"]]
            if not offered or (role in _AT_CONNECTION and role in names_by_role):
                continue
            names_by_role.setdefault(role, []).append(name_sensor(via, offered[0]))
        phases = list_phases(via, device["kind"], device["reads"])
        if phases and PHASES_ROLE not in names_by_role:
            names_by_role[PHASES_ROLE] = phases
    return _unwrap_single(names_by_role)


def _is_no_meter(device: Mapping[str, Any]) -> bool:
    return bool(device["kind"] != "meter")


def country_of(answers: Mapping[str, Any]) -> Country | None:
    """Return the country of the chosen place; None without a place, or elsewhere."""
    return COUNTRIES.get(answers.get("site", {}).get("place", "").partition(":")[0])


def timezone_of(answers: Mapping[str, Any]) -> str:
    """Return the time zone of the chosen place; "" without a place, or elsewhere."""
    country, town = _find_place(answers)
    return country.timezone_of(town) if country and town else ""


def is_southern(answers: Mapping[str, Any]) -> bool:
    """Return whether the home lies south of the equator; without a place it does not."""
    latitude = read_number(answers.get("site", {}).get("latitude", ""))
    if latitude is not None:
        return latitude < 0.0
    _, town = _find_place(answers)
    return town is not None and town.latitude < 0.0


def _find_place(answers: Mapping[str, Any]) -> tuple[Country, Town] | tuple[None, None]:
    """Return the chosen country and town, or None twice."""
    with suppress(NotFoundError):
        return place_named(answers.get("site", {}).get("place", ""))
    return None, None


def currency_of(answers: Mapping[str, Any]) -> str:
    """Return the currency as typed, else the country's."""
    typed = answers.get("site", {}).get("currency", "").strip().upper()
    if _CURRENCY.fullmatch(typed):
        return str(typed)
    country = country_of(answers)
    return country.currency if country else "EUR"


def numbers_of(answers: Mapping[str, Any], language: Any) -> Numbers:
    """Return the formats of figures for a site that is being set up."""
    return Numbers(language, ZoneInfo("UTC"), currency_of(answers))


def suggest_tariff(answers: Mapping[str, Any]) -> dict[str, str]:
    """Return the default texts of the tariff's fields: those usual in the country."""
    country = country_of(answers)
    scale = numbers_of(answers, "en").price_unit[0]
    suggested = {entry.name: entry.default for entry in TARIFF} | {"export_price": "0"}
    if country is None:
        return suggested
    # The usual markup is in the country's own currency.
    markup = country.markup * scale if currency_of(answers) == country.currency else 0.0
    vat_percent = f"{100 * country.vat:g}"
    suggested |= {"markup": f"{markup:g}", "vat_percent": vat_percent}
    suggested["parts_vat_percent"] = vat_percent
    if country.markets:
        markets = ("market", "energy_market", "export_market")
        suggested |= dict.fromkeys(markets, country.markets[0])
    else:
        suggested["energy_kind"] = "fixed"
    return suggested


def _compose_site(composed: Composition, answers: Mapping[str, Any]) -> None:
    values, faults = check_entries(SITE, answers.get("site", {}))
    called = values.get("name", "")
    if not is_written(called):
        faults.append(FieldFault("name", "name"))
    elif len(called) > MOST_CALLED:
        faults.append(FieldFault("name", "long"))
    country, town = None, None
    if values.get("place") not in {None, ELSEWHERE}:
        try:
            country, town = place_named(values["place"])
        except NotFoundError:
            faults.append(FieldFault("place", "choice"))
    usual_zone = country.timezone_of(town) if country and town else ""
    zone = values.get("timezone") or usual_zone
    currency = str(values.get("currency") or (country.currency if country else "")).upper()
    faults += _check_place(values, zone, currency)
    if values.get("place") == ELSEWHERE:
        faults += _find_missing_elsewhere(values, zone, currency, faults)
    composed.faults["site"] += faults
    if faults:
        return
    location = None
    if "latitude" in values:
        location = {"latitude": values["latitude"], "longitude": values["longitude"]}
    elif town:
        location = {"latitude": town.latitude, "longitude": town.longitude}
    composed.document |= {
        "name": identifier_of(called),
        "display_name": called,
        "timezone": parse_zone(zone).key,
        "currency": currency,
        "location": location,
    }
    if country:
        composed.document["country"] = country.code


def _check_place(values: Mapping[str, Any], zone: str, currency: str) -> list[FieldFault]:
    faults = []
    zone_fault = check_zone(zone) if zone else None
    if zone_fault:
        faults.append(zone_fault)
    if currency and not _CURRENCY.fullmatch(currency):
        faults.append(FieldFault("currency", "currency"))
    if ("latitude" in values) != ("longitude" in values):
        faults.append(FieldFault("longitude" if "latitude" in values else "latitude", "both"))
    return faults


def _find_missing_elsewhere(
    values: Mapping[str, Any], zone: str, currency: str, faults: Sequence[FieldFault]
) -> list[FieldFault]:
    """Return faults for the missing fields of a place that no list has."""
    known = {
        "latitude": "latitude" in values,
        "longitude": "longitude" in values,
        "timezone": bool(zone),
        "currency": bool(currency),
    }
    faulty = {fault.field for fault in faults}
    missing = [name for name, is_known in known.items() if not is_known and name not in faulty]
    return [FieldFault(name, "missing_elsewhere") for name in missing]


def _compose_household(composed: Composition, answers: Mapping[str, Any]) -> None:
    household, faults = check_entries(HOUSEHOLD, answers.get("household", {}))
    composed.faults["site"] += faults
    if household and not faults:
        if "persons" in household:
            household["persons"] = int(household["persons"])
        composed.document["household"] = household


def _compose_devices(composed: Composition, answers: Mapping[str, Any]) -> None:
    grid, grid_faults = check_entries(GRID, answers.get("grid", {}))
    composed.faults["devices"] += grid_faults
    if grid:
        country = country_of(answers)
        composed.document["grid"] = _compose_grid(grid, country.code if country else None)
    currency = currency_of(answers)
    for section, form in DEVICE_FORMS.items():
        devices: list[dict[str, Any]] = []
        names = _name_devices(section, answers)
        for place, typed in enumerate(answers.get(section, [])):
            values, faults = form.check(typed, prefix=f"{section}-{place}-")
            composed.faults["devices"] += faults
            if not faults:
                document = form.compose(values | {"currency": currency})
                devices.append({"name": names[place], **document})
        if devices:
            composed.document[section] = devices


def _compose_grid(values: dict[str, Any], country: str | None) -> dict[str, Any]:
    """Return the document of a connection; its fuse limits the import, or a lower typed limit."""
    document = dict(values)
    if "main_fuse_phases" in values:
        document["main_fuse_phases"] = int(values["main_fuse_phases"])
    if "main_fuse_a" in values:
        assumed = assume_connection(document | {"import_limit_kw": None}, country)
        fuse_kw = assumed["import_limit_kw"]
        document["import_limit_kw"] = min(fuse_kw, values.get("import_limit_kw", fuse_kw))
    return document


def controlled_names(answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the devices that are controlled each for itself, by section."""
    return {section: _name_devices(section, answers) for section in CONTROL_FORMS}


def battery_names(answers: Mapping[str, Any]) -> list[str]:
    """Return the batteries' names in the order of the answers, free ones for new batteries."""
    return _name_devices("batteries", answers)


def _name_devices(section: str, answers: Mapping[str, Any]) -> list[str]:
    devices = answers.get(section, [])
    taken = {typed["name"] for typed in devices if typed.get("name")}
    singular = DEVICE_FORMS[section].singular
    names = []
    for typed in devices:
        name = typed.get("name")
        if not name:
            name = singular
            number = 1
            while name in taken:
                number += 1
                name = f"{singular} {number}"
        names.append(name)
        taken.add(name)
    return names


def _compose_tariff(composed: Composition, answers: Mapping[str, Any]) -> None:
    typed = suggest_tariff(answers) | answers.get("tariff", {})
    rules, faults = compose_tariff(
        typed, country_of(answers), currency=currency_of(answers), kept=answers.get("kept", {})
    )
    composed.faults["tariff"] += faults
    if rules is not None:
        composed.document["tariff"] = rules
