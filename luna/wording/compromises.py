"""What a plan could not hold, in words: what was wanted, and by how much it is missed."""

from datetime import date
from string import Formatter
from typing import Any

from luna.errors import InvalidInputError
from luna.wording.numbers import NBSP, Language

Pair = tuple[str, str]

# By code and language: what was wanted, and what is missing of it. Field names of requests and of the site stay as they are written there.
COMPROMISES: dict[str, dict[Language, Pair]] = {
    "end_at_least": {
        "en": ("battery {name}: at least {wanted:.1%} at the end", "{kwh:.3f} kWh"),
        "de": ("Batterie {name}: mindestens {wanted:.1%} am Ende", "{kwh:.3f} kWh"),
    },
    "end_at_most": {
        "en": ("battery {name}: at most {wanted:.1%} at the end", "{kwh:.3f} kWh"),
        "de": ("Batterie {name}: höchstens {wanted:.1%} am Ende", "{kwh:.3f} kWh"),
    },
    "import_limit": {
        "en": ("grid import limit {limit_kw:g} kW, exceeded at {worst}", "{kw:.2f} kW"),
        "de": ("Grenze des Netzbezugs von {limit_kw:g} kW, überschritten um {worst}", "{kw:.2f} kW"),
    },
    "import_limit_often": {
        "en": ("grid import limit {limit_kw:g} kW, exceeded in {count} slots from {first} on, most at {worst}", "{kw:.2f} kW"),
        "de": ("Grenze des Netzbezugs von {limit_kw:g} kW, überschritten in {count} Zeitabschnitten ab {first}, am meisten um {worst}", "{kw:.2f} kW"),
    },
    "export_limit": {
        "en": ("grid export limit {limit_kw:g} kW, exceeded at {worst}", "{kw:.2f} kW"),
        "de": ("Grenze der Einspeisung von {limit_kw:g} kW, überschritten um {worst}", "{kw:.2f} kW"),
    },
    "export_limit_often": {
        "en": ("grid export limit {limit_kw:g} kW, exceeded in {count} slots from {first} on, most at {worst}", "{kw:.2f} kW"),
        "de": ("Grenze der Einspeisung von {limit_kw:g} kW, überschritten in {count} Zeitabschnitten ab {first}, am meisten um {worst}", "{kw:.2f} kW"),
    },
    "reserve": {
        "en": ("reserve: battery {name} out of reach, most at {worst}", "{missing:.1%}"),
        "de": ("Reserve: Batterie {name} erreicht sie nicht, am wenigsten um {worst}", "{missing:.1%}"),
    },
    "manual": {
        "en": ("manual: {name} {action} {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("von Hand: {name} {action} {first} bis {last}", "{kwh:.3f} kWh"),
    },
    "manual_full": {
        "en": ("manual: {name} {action} (the battery is full) {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("von Hand: {name} {action} (die Batterie ist voll) {first} bis {last}", "{kwh:.3f} kWh"),
    },
    "manual_vehicle_full": {
        "en": ("manual: {name} {action} (the vehicle is full) {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("von Hand: {name} {action} (das Fahrzeug ist voll) {first} bis {last}", "{kwh:.3f} kWh"),
    },
    "manual_empty": {
        "en": ("manual: {name} {action} (the battery is empty) {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("von Hand: {name} {action} (die Batterie ist leer) {first} bis {last}", "{kwh:.3f} kWh"),
    },
    "vehicle": {
        "en": ("vehicle {name}: {wanted:.0%} by {by}", "{missing:.1%}"),
        "de": ("Fahrzeug {name}: {wanted:.0%} bis {by}", "{missing:.1%}"),
    },
    "vehicle_minimum": {
        "en": ("vehicle {name}: at least {kw:g} kW from {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("Fahrzeug {name}: mindestens {kw:g} kW von {first} bis {last}", "{kwh:.3f} kWh"),
    },
    "load_included": {
        "en": ("load {name}: not placed, without a meter of its own it is part of the load forecast", "not placed"),
        "de": ("Gerät {name}: nicht eingeplant, ohne eigenen Zähler ist es Teil der Lastprognose", "nicht eingeplant"),
    },
    "load_day": {
        "en": ("load {name}: {wanted:.2f} kWh on {by}{only}", "{kwh:.3f} kWh"),
        "de": ("Gerät {name}: {wanted:.2f} kWh am {by}{only}", "{kwh:.3f} kWh"),
    },
    "load_by": {
        "en": ("load {name}: {wanted:.2f} kWh by {by}{only}", "{kwh:.3f} kWh"),
        "de": ("Gerät {name}: {wanted:.2f} kWh bis {by}{only}", "{kwh:.3f} kWh"),
    },
    "load_gap": {
        "en": ("load {name}: off for at most {hours:g} h (max_gap_hours)", "{count} times"),
        "de": ("Gerät {name}: höchstens {hours:g} h aus (max_gap_hours)", "{count}-mal"),
    },
    "load_run": {
        "en": ("load {name}: one run by {by}{only}", "not run"),
        "de": ("Gerät {name}: ein Lauf bis {by}{only}", "nicht gelaufen"),
    },
    "heat_least": {
        "en": ("heat pump {name}: at least {wanted:.1f} °C, missed most at {worst}{outside}", "{kelvin:.1f} K"),
        "de": ("Wärmepumpe {name}: mindestens {wanted:.1f} °C, am meisten verfehlt um {worst}{outside}", "{kelvin:.1f} K"),
    },
    "heat_most": {
        "en": ("heat pump {name}: at most {wanted:.1f} °C, missed most at {worst}{outside}", "{kelvin:.1f} K"),
        "de": ("Wärmepumpe {name}: höchstens {wanted:.1f} °C, am meisten verfehlt um {worst}{outside}", "{kelvin:.1f} K"),
    },
    "heat_outdoor": {
        "en": ("heat pump {name}: {celsius:g} °C outdoors, no temperature is known", "assumed"),
        "de": ("Wärmepumpe {name}: {celsius:g} °C draußen, keine Temperatur ist bekannt", "angenommen"),
    },
    "heat_store": {
        "en": ("heat pump {name}: {celsius:g} °C in the store at the start (state.heat_pumps.{name}.temperature_c)", "assumed"),
        "de": ("Wärmepumpe {name}: {celsius:g} °C im Speicher zu Beginn (state.heat_pumps.{name}.temperature_c)", "angenommen"),
    },
    "carbon_unknown": {
        "en": (
            "objective: carbon_price_per_kg {price:g}, the grid's carbon intensity is unknown (outlook.carbon_g_per_kwh; luna data load --kind carbon)",
            "not weighed",
        ),
        "de": (
            "Ziel: carbon_price_per_kg {price:g}, die CO₂-Intensität des Netzes ist unbekannt (outlook.carbon_g_per_kwh; luna data load --kind carbon)",
            "nicht abgewogen",
        ),
    },
}

# What stands within such a sentence where it holds.
PARTS: dict[str, dict[Language, str]] = {
    "only": {"en": ", only {rules}", "de": ", nur {rules}"},
    "and": {"en": " and ", "de": " und "},
    "allowed": {"en": "at its allowed times", "de": "zu seinen erlaubten Zeiten"},
    "price_limit": {"en": "below {price} per kWh or on PV surplus", "de": "unter {price} je kWh oder mit PV-Überschuss"},
    "surplus_only": {"en": "on PV surplus", "de": "mit PV-Überschuss"},
    "outside": {"en": "; it starts at {celsius:g} °C", "de": "; er beginnt bei {celsius:g} °C"},
}
ACTIONS: dict[str, dict[Language, str]] = {
    "charge": {"en": "charge", "de": "laden"},
    "discharge": {"en": "discharge", "de": "entladen"},
    "hold": {"en": "hold", "de": "halten"},
    "no_charge": {"en": "no_charge", "de": "nicht laden"},
    "no_discharge": {"en": "no_discharge", "de": "nicht entladen"},
    "on": {"en": "on", "de": "an"},
    "off": {"en": "off", "de": "aus"},
    "no_import": {"en": "no_import", "de": "kein Netzbezug"},
    "no_export": {"en": "no_export", "de": "keine Einspeisung"},
}


def say_compromise(code: str, *, language: Language, **figures: Any) -> Pair:
    """Return what was wanted, and what is missing of it.

    Args:
        code: a key of ``COMPROMISES``.
        language: of the words and of the numbers within them.
        figures: by the names of the templates; instants already in the site's time zone.

    Raises:
        InvalidInputError: no such code.
    """
    if code not in COMPROMISES:
        raise InvalidInputError("has no words", field="compromises", value=code, remedy=f"Known are {', '.join(COMPROMISES)}.")
    wanted, missing = COMPROMISES[code][language]
    written = _Localised(language)
    return written.vformat(wanted, (), figures), written.vformat(missing, (), figures)


def say_part(name: str, *, language: Language, **figures: Any) -> str:
    """Return a part of such a sentence."""
    return _Localised(language).vformat(PARTS[name][language], (), figures)


class _Localised(Formatter):
    """Formats numbers as people of a language write them, days and instants as 2024-02-01 04:00."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, date):
            return value.strftime("%Y-%m-%d %H:%M") if hasattr(value, "hour") else value.isoformat()
        text: str = super().format_field(value, format_spec)
        if self.language == "en" or not isinstance(value, int | float):
            return text
        text = text.replace(".", ",")
        return f"{text[:-1]}{NBSP}%" if text.endswith("%") else text
