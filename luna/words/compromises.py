"""What a plan could not hold, in words: what was wanted, and by how much it is missed."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from string import Formatter
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.words.devices import DEVICE_WORDS, merge, say_device
from luna.words.devices.kind import Pair
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers, join_words, mark_decimals

CONDITIONS: dict[str, dict[Language, str]] = {
    "no_history": {
        "en": "Nothing was measured in the last weeks, or less than a day: the consumption follows the standard load profile of households (BDEW H25).",
        "de": "In den letzten Wochen wurde nichts gemessen, oder kein ganzer Tag: Der Verbrauch folgt dem Standardlastprofil für Haushalte (BDEW H25).",
    },
    "load_by_yearly_kwh": {
        "en": "Its level is the yearly consumption that the site's page says (household.yearly_kwh).",
        "de": "Seine Höhe ist der Jahresverbrauch, der auf der Seite des Standorts steht (household.yearly_kwh).",
    },
    "load_by_persons": {
        "en": "Its level is assumed from the persons in the household. Tell the yearly consumption on the site's page (household.yearly_kwh).",
        "de": "Seine Höhe ist nach den Personen im Haushalt angenommen. Sag den Jahresverbrauch auf der Seite des Standorts (household.yearly_kwh).",
    },
    "load_assumed": {
        "en": "A consumption of 3,500 kWh a year is assumed. Tell yours, or the persons in the household, on the site's page (household).",
        "de": "Angenommen ist ein Verbrauch von 3.500 kWh im Jahr. Sag deinen oder die Personen im Haushalt auf der Seite des Standorts (household).",
    },
    "short_history": {
        "en": "Fewer than two weeks are known: the forecast repeats them with a wide margin.",
        "de": "Es sind weniger als zwei Wochen bekannt: Die Vorhersage wiederholt sie mit großem Spielraum.",
    },
    "load_gaps": {
        "en": "Much of the latest consumption is missing: the forecast rests on older days.",
        "de": "Vom jüngsten Verbrauch fehlt viel: Die Vorhersage stützt sich auf ältere Tage.",
    },
    "pv_gaps": {
        "en": "Much of the latest solar output is missing: the forecast rests on older days.",
        "de": "Vom jüngsten Solarertrag fehlt viel: Die Vorhersage stützt sich auf ältere Tage.",
    },
    "load_frozen": {
        "en": "The consumption reading stood still for hours; what it said then is not used. Check the sensor.",
        "de": "Der Messwert des Verbrauchs stand stundenlang still; was er da sagte, bleibt außen vor. Prüfe den Sensor.",
    },
    "pv_frozen": {
        "en": "The solar reading stood still for hours; what it said then is not used. Check the sensor.",
        "de": "Der Messwert des Solarertrags stand stundenlang still; was er da sagte, bleibt außen vor. Prüfe den Sensor.",
    },
    "load_constant": {
        "en": "The consumption never changed: the forecast repeats it, though no household is that steady. Check the sensor.",
        "de": "Der Verbrauch hat sich nie geändert: Die Vorhersage wiederholt ihn, obwohl kein Haushalt so gleichmäßig ist. Prüfe den Sensor.",
    },
    "pv_silent": {
        "en": "The arrays yielded nothing for days: snow, an inverter that is off, or a sensor. The sun may bring them back.",
        "de": "Die Anlage lieferte tagelang nichts: Schnee, ein ausgeschalteter Wechselrichter oder ein Sensor. Mit der Sonne kann sie wiederkommen.",
    },
    "pv_held_back": {
        "en": "PV was held back on {0} of the last {1} days: what the sun could have given was estimated.",
        "de": "An {0} der letzten {1} Tage wurde PV abgeregelt: Was die Sonne hätte geben können, ist geschätzt.",
    },
    "unnamed_ac_limit": {
        "en": "The inverter seems to give {0} kW at most, whatever the sun. Name it in the site's file: ac_limit_kw, under inverters.",
        "de": "Der Wechselrichter gibt offenbar höchstens {0} kW, wie hell es auch ist. Nenne das in der Datei des Standorts: ac_limit_kw, unter inverters.",
    },
    "roof_grown": {
        "en": "The arrays yield more than they used to: what was measured before is scaled up to the new output.",
        "de": "Die Anlage liefert mehr als früher: Was vorher gemessen wurde, ist auf die neue Leistung hochgerechnet.",
    },
    "roof_exceeds_peak": {
        "en": "The arrays yield more than their stated peak power. Correct it on the site's page (peak_kw).",
        "de": "Die Anlage liefert mehr als ihre angegebene Spitzenleistung. Berichtige sie auf der Seite des Standorts (peak_kw).",
    },
    "clock_change": {
        "en": "The clock changes within the forecast: habits follow the clock, but not all of them.",
        "de": "Im Zeitraum der Vorhersage wird die Uhr umgestellt: Gewohnheiten folgen der Uhr, aber nicht alle.",
    },
    "future_reading": {
        "en": "Readings are dated in the future and are not used. Check the clock of the sensor.",
        "de": "Messwerte tragen ein Datum in der Zukunft und bleiben außen vor. Prüfe die Uhr des Sensors.",
    },
    "weather_missing": {
        "en": "The weather ahead is not known, though the model learned from it.",
        "de": "Das kommende Wetter ist nicht bekannt, obwohl das Modell daraus gelernt hat.",
    },
    "weather_late": {
        "en": "The weather forecast is old: a newer one did not arrive.",
        "de": "Die Wettervorhersage ist alt: Eine neuere kam nicht an.",
    },
    "model_unusable": {
        "en": "The trained model cannot be used: the forecast repeats recent days with a wide margin. Train again.",
        "de": "Das gelernte Modell ist unbrauchbar: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum. Trainiere neu.",
    },
    "model_away": {
        "en": "The store of models does not answer: the forecast repeats recent days with a wide margin.",
        "de": "Der Speicher der Modelle antwortet nicht: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum.",
    },
    "sun_from_time_zone": {
        "en": "The site does not say where it is: its sun is a rough one, of its time zone. Say where it is on the site's page (location).",
        "de": "Der Standort sagt nicht, wo er liegt: Seine Sonne ist eine grobe, die seiner Zeitzone. Sag auf der Seite des Standorts, wo er liegt (location).",
    },
    "untrained": {
        "en": "No model was trained yet: the forecast repeats recent days with a wide margin.",
        "de": "Noch wurde kein Modell trainiert: Die Vorhersage wiederholt die letzten Tage mit großem Spielraum.",
    },
}


def condition(code: str, *, language: Language) -> str:
    """Return why a forecast is wide as one sentence; figures follow their code after colons, as in ``pv_held_back:12:20``.

    Raises:
        InvalidInputError: no such code, or not as many figures as its words name.
    """
    name, *figures = code.split(":")
    words = CONDITIONS.get(name, {}).get(language)
    if words is None or len({place for _, place, _, _ in Formatter().parse(words) if place is not None}) != len(figures):
        raise InvalidInputError("has no words", field="reasons", value=code, remedy=f"Known are {', '.join(CONDITIONS)}.")
    return words.format(*figures)


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
    "manual_empty": {
        "en": ("manual: {name} {action} (the battery is empty) {first} to {last}", "{kwh:.3f} kWh"),
        "de": ("von Hand: {name} {action} (die Batterie ist leer) {first} bis {last}", "{kwh:.3f} kWh"),
    },
    **merge(words.compromises for words in DEVICE_WORDS.values()),
    "carbon_unknown": {
        "en": (
            "objective: carbon_price_per_kg {price:g}, the grid's carbon intensity is unknown (outlook.carbon_g_per_kwh)",
            "not weighed",
        ),
        "de": (
            "Ziel: carbon_price_per_kg {price:g}, die CO₂-Intensität des Netzes ist unbekannt (outlook.carbon_g_per_kwh)",
            "nicht abgewogen",
        ),
    },
}

# What stands within such a sentence where it holds.
PARTS: dict[str, dict[Language, str]] = {
    "only": {"en": ", only {rules}", "de": ", nur {rules}"},
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


# What stands beside a device's name where that is the one of the site's file.
_PREFIXES = [words.prefix for words in DEVICE_WORDS.values() if words.prefix]
# A field of a request or of the site, which owners do not know.
_FIELD = re.compile(r" \([\w.{}]+\)")


def say_compromise(code: str, *, language: Language, **figures: Any) -> Pair:
    """Return what was wanted, and what is missing of it.

    Args:
        code: a key of ``COMPROMISES``.
        language: of the words and of the numbers within them.
        figures: by the names of the templates; instants already in the site's time zone. Of what is worded itself as it is known: ``action`` a key of
            ``ACTIONS``, for ``only`` the ``rules`` of ``PARTS`` that hold and their ``price``, for ``outside`` the ``outside_c`` at which a store begins.

    Raises:
        InvalidInputError: no such code.
    """
    if code not in COMPROMISES:
        raise InvalidInputError("has no words", field="compromises", value=code, remedy=f"Known are {', '.join(COMPROMISES)}.")
    return _write(COMPROMISES[code][language], language, figures)


def retell_compromise(told: Mapping[str, Any], numbers: Numbers) -> Pair:
    """Return a plan's compromise in the reader's language, its device by what it is called; as the plan says it where it says no figures of it.

    Args:
        told: ``code``, ``constraint``, ``shortfall`` and ``figures``, as a plan's answer has them.
        numbers: how the reader is spoken to.
    """
    code, language = told["code"], numbers.language
    if code not in COMPROMISES or not told["figures"]:
        return told["constraint"], told["shortfall"]
    figures = {name: _read_day(value, numbers) if name in _DAYS else value for name, value in told["figures"].items()}
    wanted, missing = COMPROMISES[code][language]
    kinds = "|".join(prefix[language] for prefix in _PREFIXES)
    wanted = _FIELD.sub("", re.sub(rf"\b(?:{kinds}) {{name}}", "{name}", wanted))
    return _write((wanted, missing), language, figures | {"name": say_device(figures["name"], language=language)} if "name" in figures else figures)


# The figures that are days or instants.
_DAYS = ("by", "first", "last", "worst")


def _read_day(text: str, numbers: Numbers) -> str:
    if len(text) == len("2024-02-01"):
        return numbers.day(datetime.combine(date.fromisoformat(text), datetime.min.time().replace(hour=12), numbers.zone))
    at = datetime.fromisoformat(text)
    return f"{numbers.weekday(at)} {numbers.clock(at)}"


def _write(words: Pair, language: Language, figures: Mapping[str, Any]) -> Pair:
    written = _Localised(language)
    rules, outside = figures.get("rules", ()), figures.get("outside_c")
    said = [say_part(name, language=language, price=figures.get("price")) for name in rules]
    spoken = {
        "only": say_part("only", language=language, rules=join_words(said, language)) if said else "",
        "outside": "" if outside is None else say_part("outside", language=language, celsius=outside),
        "action": ACTIONS.get(figures.get("action", ""), {}).get(language, ""),
    }
    wanted, missing = (written.vformat(template, (), {**figures, **spoken}) for template in words)
    return wanted, missing


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
        if not isinstance(value, int | float):
            return text
        text = mark_decimals(text, self.language)
        return language_forms(self.language).share(text[:-1]) if text.endswith("%") else text
