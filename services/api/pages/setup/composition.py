"""Compose a site's document from the answers of set-up, with the faults of each step. Pure."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from luna.energy.devices.commands import Via
from luna.energy.errors import NotFoundError
from luna.energy.part import MOST_CALLED, is_written
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.site.countries import COUNTRIES, Country, place_named
from luna.energy.site.main_fuses import assume_connection
from luna.energy.timeline import parse_zone
from luna.platform.drivers.sensor_name import name_sensor
from luna.platform.drivers.site_device import READINGS_BY_ROLE
from luna.words import Numbers
from services.api.pages.setup.control_methods import METHODS
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.fields import (
    EXPORT_ENTRIES,
    EXPORT_KINDS,
    GRID,
    HOUSEHOLD,
    IMPORT_ENTRIES,
    KINDS,
    SITE,
    TARIFF,
    FieldFault,
    check_entries,
    check_zone,
)
from services.api.pages.setup.naming import identifier_of

STEPS = ("site", "devices", "tariff", "data", "control", "review")
ELSEWHERE = "elsewhere"
# The key of the answers that holds the devices chosen from those found on the network.
TAKEN = "taken"
_AT_CONNECTION = ("total_grid_import", "total_grid_export")
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
            devices as lists, ``sensors`` by role.

    Invariants: a composition that is whole has a site.
    """
    composed = Composition()
    _compose_site(composed, answers)
    _compose_devices(composed, answers)
    _compose_tariff(composed, answers)
    chosen = (
        answers.get("sensors", {})
        if answers.get("data", {}).get("source") == "home_assistant"
        else {}
    )
    # Several sensors are separated by commas.
    named = {
        role: [name for each in text.split(",") if (name := each.strip())]
        for role, text in chosen.items()
        if text and role in SENSOR_ROLES
    }
    sensors: dict[str, str | list[str]] = {
        role: names[0] if len(names) == 1 else names for role, names in named.items()
    }
    # A found device's own sensors replace those chosen for the same role: nothing is counted twice.
    if sensors := sensors | list_taken_sensors(answers):
        composed.document["input_sensors"] = sensors
    control = answers.get("control") or {}
    batteries = battery_names(answers)
    # No section ``control`` without batteries, or before its step was answered.
    if batteries and control.get("by") in METHODS:
        section, faults = METHODS[control["by"]].describe(batteries, control.get(control["by"], {}))
        composed.faults["control"] += faults
        composed.document |= {} if section is None else {"control": section}
    if composed.whole:
        # The site's own validation goes beyond that of single fields.
        try:
            composed.site()
        except ValidationError as exc:
            for fault in exc.errors(include_url=False):
                step = _STEP_OF.get(str(fault["loc"][0]) if fault["loc"] else "", "site")
                figures = {"said": fault["msg"].removeprefix("Value error, ")}
                composed.faults[step].append(FieldFault("", "other", figures))
    return composed


def list_taken_sensors(answers: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the sensors of the devices found on the network, by role.

    None for a stored site, which keeps its sensors.
    """
    named = dict[str, list[str]]()
    taken = [] if "changes" in answers else answers.get(TAKEN, [])
    # Only one device measures the grid connection: the meter before any inverter.
    for device in sorted(taken, key=lambda each: each["kind"] != "meter"):
        for role, readings in READINGS_BY_ROLE.items():
            reading = next((each for each in readings if each in device["reads"]), None)
            if reading is not None and not (role in _AT_CONNECTION and role in named):
                via = Via(
                    **{
                        part: device[part]
                        for part in ("profile", "host", "port", "unit", "prefix", "secret")
                    }
                )
                named.setdefault(role, []).append(name_sensor(via, reading))
    return {role: names[0] if len(names) == 1 else names for role, names in named.items()}


def country_of(answers: Mapping[str, Any]) -> Country | None:
    """Return the country of the chosen place; None without a place, or elsewhere."""
    return COUNTRIES.get(answers.get("site", {}).get("place", "").partition(":")[0])


def currency_of(answers: Mapping[str, Any]) -> str:
    """Return the currency as typed, else the country's."""
    typed = answers.get("site", {}).get("currency", "").strip().upper()
    country = country_of(answers)
    return typed if _CURRENCY.fullmatch(typed) else country.currency if country else "EUR"


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
    market = (
        {"market": country.markets[0], "export_market": country.markets[0]}
        if country.markets
        else {}
    )
    return suggested | market | {"markup": f"{markup:g}", "vat_percent": f"{100 * country.vat:g}"}


def _compose_site(composed: Composition, answers: Mapping[str, Any]) -> None:
    values, faults = check_entries(SITE, answers.get("site", {}))
    called = values.get("name", "")
    if not is_written(called):
        faults.append(FieldFault("name", "name"))
    elif len(called) > MOST_CALLED:
        faults.append(FieldFault("name", "long"))
    place = None
    is_chosen = values.get("place") not in {None, ELSEWHERE}
    with suppress(NotFoundError):
        place = place_named(values["place"]) if is_chosen else None
    if is_chosen and place is None:
        faults.append(FieldFault("place", "choice"))
    zone = values.get("timezone") or (place[0].timezone if place else "")
    currency = str(values.get("currency") or (place[0].currency if place else "")).upper()
    if zone and (fault := check_zone(zone)):
        faults.append(fault)
    if currency and not _CURRENCY.fullmatch(currency):
        faults.append(FieldFault("currency", "currency"))
    if ("latitude" in values) != ("longitude" in values):
        faults.append(FieldFault("longitude" if "latitude" in values else "latitude", "both"))
    if values.get("place") == ELSEWHERE:
        needed = {
            "latitude": values.get("latitude"),
            "longitude": values.get("longitude"),
            "timezone": zone or None,
            "currency": currency or None,
        }
        named = {fault.field for fault in faults}
        faults.extend(
            FieldFault(field, "missing_elsewhere")
            for field, value in needed.items()
            if value is None and field not in named
        )
    household, more = check_entries(HOUSEHOLD, answers.get("household", {}))
    composed.faults["site"] += [*faults, *more]
    if household and not more:
        composed.document["household"] = household | (
            {"persons": int(household["persons"])} if "persons" in household else {}
        )
    if not faults:
        own = (
            {"latitude": values["latitude"], "longitude": values["longitude"]}
            if "latitude" in values
            else None
        )
        town = {"latitude": place[1].latitude, "longitude": place[1].longitude} if place else None
        composed.document |= {"name": identifier_of(called), "display_name": called}
        composed.document |= {
            "timezone": parse_zone(zone).key,
            "currency": currency,
            "location": own or town,
        }
        composed.document |= {"country": place[0].code} if place else {}


def _compose_devices(composed: Composition, answers: Mapping[str, Any]) -> None:
    grid, faults = check_entries(GRID, answers.get("grid", {}))
    composed.faults["devices"] += faults
    if grid:
        country = country_of(answers)
        composed.document["grid"] = _compose_grid(grid, country.code if country else None)
    for section, form in DEVICE_FORMS.items():
        devices: list[dict[str, Any]] = []
        names = _name_devices(section, answers)
        for place, typed in enumerate(answers.get(section, [])):
            values, faults = form.check(typed, prefix=f"{section}-{place}-")
            composed.faults["devices"] += faults
            if not faults:
                devices.append(
                    {
                        "name": names[place],
                        **form.compose(values | {"currency": currency_of(answers)}),
                    }
                )
        if devices:
            composed.document[section] = devices


def _compose_grid(values: dict[str, Any], country: str | None) -> dict[str, Any]:
    """Return the document of a connection: the import limit is that of the fuse, or a lower one
    that was typed.
    """
    document = dict(values)
    if "main_fuse_phases" in values:
        document["main_fuse_phases"] = int(values["main_fuse_phases"])
    if "main_fuse_a" in values:
        of_fuse = assume_connection(document | {"import_limit_kw": None}, country)[
            "import_limit_kw"
        ]
        document["import_limit_kw"] = min(of_fuse, values.get("import_limit_kw", of_fuse))
    return document


def battery_names(answers: Mapping[str, Any]) -> list[str]:
    """Return the names of the batteries in the order of the answers; new ones get a free name."""
    return _name_devices("batteries", answers)


def _name_devices(section: str, answers: Mapping[str, Any]) -> list[str]:
    devices = answers.get(section, [])
    named = {typed["name"] for typed in devices if typed.get("name")}
    singular = DEVICE_FORMS[section].singular
    names = []
    for typed in devices:
        free = (
            singular if number == 1 else f"{singular} {number}"
            for number in range(1, len(named) + 2)
        )
        names.append(typed.get("name") or next(name for name in free if name not in named))
        named.add(names[-1])
    return names


def _compose_tariff(composed: Composition, answers: Mapping[str, Any]) -> None:
    typed = suggest_tariff(answers) | answers.get("tariff", {})
    scale = numbers_of(answers, "en").price_unit[0]
    kind = typed["import_kind"]
    export = typed["export_kind"]
    if kind not in KINDS or export not in EXPORT_KINDS:
        composed.faults["tariff"].append(FieldFault("import_kind", "choice"))
        return
    currency = currency_of(answers)
    bought, faults = check_entries(
        [entry.in_currency(currency) for entry in IMPORT_ENTRIES[kind]], typed, price_scale=scale
    )
    sold, more = check_entries(
        [entry.in_currency(currency) for entry in EXPORT_ENTRIES[export]], typed, price_scale=scale
    )
    country = country_of(answers)
    for name, values in (("market", bought), ("export_market", sold)):
        if name in values and (country is None or values[name] not in country.markets):
            faults.append(FieldFault(name, "choice"))
    second = {name for name in ("second_from", "second_to", "second_price") if name in bought}
    if kind == "time_of_use" and second and len(second) < 3:
        faults += [
            FieldFault(name, "band")
            for name in ("second_from", "second_to", "second_price")
            if name not in second
        ]
    composed.faults["tariff"] += [*faults, *more]
    if faults or more:
        return
    import_rule: dict[str, Any] = {"kind": kind}
    if kind == "fixed":
        import_rule |= {"price": bought["import_price"]}
    elif kind == "spot":
        import_rule |= {
            "market": bought["market"],
            "markup": bought["markup"],
            "vat": bought["vat_percent"] / 100,
        }
    else:
        bands = [
            {"from": "00:00" if bought[f"{band}_from"] == "24:00" else bought[f"{band}_from"]}
            | {part: bought[f"{band}_{part}"] for part in ("to", "price", "days")}
            for band in ("first", "second")
            if f"{band}_from" in bought
        ]
        import_rule |= {"default": bought["default_price"], "bands": bands}
    export_rule = {"kind": "fixed", "price": sold.get("export_price", 0.0)}
    if export == "spot":
        export_rule = {
            "kind": "spot",
            "market": sold["export_market"],
            "markup": -sold["export_fee"],
        }
    composed.document["tariff"] = {"import": import_rule, "export": export_rule}
