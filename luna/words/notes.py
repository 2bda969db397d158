"""What a plan rests on, in words: what was assumed, what is left unused, and what to do about it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from string import Formatter
from typing import Any, Literal

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_instant
from luna.words.compromises import CONDITIONS, condition
from luna.words.devices import DEVICE_WORDS, merge
from luna.words.numbers import Language, Numbers

Rule = Literal["vacation", "outage", "price_extremes", "s_index"]


# Codes whose plan would be another one if what they say turns out otherwise: nothing was known, so something stands for it.
ASSUMED = frozenset(
    {
        *("soc_assumed", "tariff_default", "no_history", "load_by_persons", "load_assumed", "sun_from_time_zone"),
        *("load_beyond_site", "load_beyond_homes", "pv_beyond_arrays", "price_beyond_markets", "prices_beyond_last_week"),
        *(code for words in DEVICE_WORDS.values() for code in words.assumed),
    }
)

# Codes of what was said and is not believed yet: a question to whoever lives there.
DOUBTS = ("soc_doubted", *(code for words in DEVICE_WORDS.values() for code in words.doubts))

NOTES: dict[str, dict[Language, str]] = {
    **merge(words.notes for words in DEVICE_WORDS.values()),
    "soc_assumed": {
        "en": "No state of charge was recorded in the 24 hours before: batteries are taken to be {soc} full.",
        "de": "In den 24 Stunden davor wurde kein Ladestand aufgezeichnet: Batterien gelten als zu {soc} voll.",
    },
    "soc_earlier": {
        "en": "The last recorded state of charge, {soc}, is that of {at}.",
        "de": "Der letzte aufgezeichnete Ladestand, {soc}, ist der von {at}.",
    },
    "soc_doubted": {
        "en": "{doubted_at} a charge of {doubted_soc} was said after {soc} {at}, more than the battery can do: {soc} counts until it is confirmed.",
        "de": "{doubted_at} hieß der Ladestand {doubted_soc} nach {soc} {at}, mehr als die Batterie kann: Es gelten {soc}, bis er sich bestätigt.",
    },
    "soc_outside_limits": {
        "en": "The battery {battery} starts at {start_soc}, outside its limits of {min_soc} to {max_soc}.",
        "de": "Die Batterie {battery} beginnt bei {start_soc}, außerhalb ihrer Grenzen von {min_soc} bis {max_soc}.",
    },
    "bias_corrected": {
        "en": "The last days' forecasts erred to one side: load is counted {load_factor} times, sun {pv_factor} times as forecast.",
        "de": "Die Prognosen der letzten Tage irrten zu einer Seite: Verbrauch zählt {load_factor}-mal, Sonne {pv_factor}-mal so viel wie vorhergesagt.",
    },
    "load_beyond_site": {
        "en": "{at} the load is said to be {kw}, {times} times the {limit_kw} that connection, sun and batteries bring: planned as it is; check its unit.",
        "de": "{at} soll der Verbrauch {kw} sein, {times}-mal die {limit_kw}, die Anschluss, Sonne und Batterien bringen: so geplant; prüfe die Einheit.",
    },
    "load_beyond_homes": {
        "en": "{at} the load is said to be {kw}, and no home draws {limit_kw}: planned as it is; check its unit, or name grid.import_limit_kw.",
        "de": "{at} soll der Verbrauch {kw} sein, und kein Haus braucht {limit_kw}: so geplant; prüfe die Einheit, oder nenne grid.import_limit_kw.",
    },
    "pv_beyond_arrays": {
        "en": "{at} the sun is said to bring {kw}, {times} times the {limit_kw} of the PV arrays: planned as it is; check its unit, or peak_kw.",
        "de": "{at} soll die Sonne {kw} bringen, {times}-mal die {limit_kw} der PV-Flächen: so geplant; prüfe die Einheit, oder peak_kw.",
    },
    "price_beyond_markets": {
        "en": "{at} {series} is {price}, and no price per kWh known goes beyond {known_price}: planned as it is; check its unit.",
        "de": "{at} ist {series} {price}, und kein bekannter Preis je kWh geht über {known_price} hinaus: so geplant; prüfe die Einheit.",
    },
    "prices_beyond_last_week": {
        "en": "Prices ahead reach {price}, {times} times the {known_price} that the last week stayed within: planned as they are; check their unit.",
        "de": "Die Preise voraus reichen bis {price}, {times}-mal die {known_price} der letzten Woche: so geplant; prüfe die Einheit.",
    },
    "inverter_alone": {
        "en": "In the time there was, no plan was found: batteries do what their inverters do by themselves.",
        "de": "In der verfügbaren Zeit fand sich kein Plan: Batterien tun, was ihre Wechselrichter von selbst tun.",
    },
    "not_confirmed": {
        "en": "What was found, the simulation of the devices did not confirm; the plan shows what really comes of it. Please report this: {found}",
        "de": "Was gefunden wurde, hat die Simulation der Geräte nicht bestätigt; der Plan zeigt, was wirklich daraus wird. Bitte melde das: {found}",
    },
    "tariff_default": {
        "en": "The tariff is that of a site that names none: buying costs {import_price} at any time, selling earns {export_price}.",
        "de": "Der Tarif ist der eines Standorts, der keinen nennt: Kaufen kostet jederzeit {import_price}, Verkaufen bringt {export_price}.",
    },
    "prices_unused": {
        "en": "Prices loaded for the site ({series}) are not used: its tariff says {kinds}. With kind: series in its place they would be.",
        "de": "Für den Standort geladene Preise ({series}) bleiben ungenutzt: Sein Tarif sagt {kinds}. Mit kind: series an dessen Stelle würden sie genutzt.",
    },
    "prices_carried_on": {
        "en": "Prices are known until {since}; from then on those of the last known day go on.",
        "de": "Preise sind bis {since} bekannt; danach gehen die des letzten bekannten Tages weiter.",
    },
    "forecast_fallback": {
        "en": "{active} has no fresh forecast of the start: load and PV are as {version} forecast them {issued_at}.",
        "de": "{active} hat keine frische Vorhersage des Beginns: Verbrauch und PV sind die, die {version} {issued_at} vorhersagte.",
    },
    "forecast_old": {
        "en": "Load and PV are as {version} forecast them {issued_at}: a newer forecast did not come.",
        "de": "Verbrauch und PV sind die, die {version} {issued_at} vorhersagte: Eine neuere Vorhersage kam nicht.",
    },
    "forecast_awaits_proof": {
        "en": "Load and PV are those of {version}: {candidate} is trained, and {days} of {needed} days are scored{earliest}.",
        "de": "Verbrauch und PV sind die von {version}: {candidate} ist trainiert, {days} von {needed} Tagen bewertet{earliest}.",
    },
    "forecast_not_better": {
        "en": "Load and PV are those of {version}: {candidate} is trained, and on {days} scored days it was not found better.",
        "de": "Verbrauch und PV sind die von {version}: {candidate} ist trainiert und war an {days} bewerteten Tagen nicht besser.",
    },
}


def say_note(code: str, figures: Mapping[str, Any], numbers: Numbers) -> str:
    """Return a note as a sentence or two; instants are ISO 8601, shares of a capacity 0 to 1, prices currency per kWh.

    Raises:
        InvalidInputError: the code has no words, or a figure is missing.
    """
    if code.partition(":")[0] in CONDITIONS:
        return condition(code, language=numbers.language)
    if code not in NOTES:
        raise InvalidInputError("has no words", field="notes", value=code, remedy=f"Known are {', '.join((*NOTES, *CONDITIONS))}.")
    try:
        return NOTES[code][numbers.language].format_map({name: _say(name, figure, numbers) for name, figure in figures.items()})
    except KeyError as exc:
        raise InvalidInputError("a figure of the note is missing", field=f"notes.{code}", value=str(exc.args[0])) from exc


def _say(name: str, figure: Any, numbers: Numbers) -> str:
    if name in _FORMS:
        return _FORMS[name](numbers, figure)
    if isinstance(figure, Sequence) and not isinstance(figure, str):
        return ", ".join(map(str, figure))
    return str(figure)


def _moment(numbers: Numbers, figure: str | datetime) -> str:
    instant = figure if isinstance(figure, datetime) else parse_instant(figure, field="notes.figures")
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"


def _earliest(numbers: Numbers, figure: str | None) -> str:
    if figure is None:
        return ""
    day = numbers.day_with_year(datetime.combine(date.fromisoformat(figure), time(12), numbers.zone))
    return {"en": f"; it may take over from {day} on", "de": f"; es kann ab {day} übernehmen"}[numbers.language]


_FORMS: dict[str, Callable[[Numbers, Any], str]] = {
    **dict.fromkeys(("soc", "doubted_soc", "min_soc", "max_soc"), Numbers.share),
    "start_soc": lambda numbers, figure: numbers.share(figure, decimals=1),
    **dict.fromkeys(("import_price", "export_price", "price", "known_price"), Numbers.price),
    **dict.fromkeys(("kw", "limit_kw"), Numbers.power),
    "need_kwh": Numbers.energy,
    "times": Numbers.number,
    **dict.fromkeys(("at", "doubted_at", "since", "issued_at"), _moment),
    **dict.fromkeys(("load_factor", "pv_factor"), lambda numbers, figure: numbers.number(figure, 2)),
    "earliest": _earliest,
}


# By rule and language: wordings in order of preference; the first whose figures are all there is said.
_WORDS: dict[Rule, dict[str, tuple[str, ...]]] = {
    "vacation": {"en": ("Nobody is at home.",), "de": ("Niemand ist zu Hause.",)},
    "outage": {"en": ("A warning holds from {first} to {last}.",), "de": ("Von {first} bis {last} gilt eine Warnung.",)},
    "price_extremes": {
        "en": ("The day of {first} is beyond {share} of the last {days} days in level or spread of prices.",),
        "de": ("Der Tag ab {first} liegt in Höhe oder Spanne der Preise außerhalb von {share} der letzten {days} Tage.",),
    },
    "s_index": {
        "en": (
            "A factor of {factor}: {share} of the load ahead is not met by the sun, {cold} of the way to the coldest day.",
            "A factor of {factor}: {share} of the load ahead is not met by the sun, and the temperature is unknown.",
        ),
        "de": (
            "Ein Faktor von {factor}: {share} der Last deckt die Sonne nicht, {cold} des Weges zum kältesten Tag.",
            "Ein Faktor von {factor}: {share} der Last deckt die Sonne nicht, und die Temperatur ist unbekannt.",
        ),
    },
}


def say_rule(rule: Rule, numbers: Numbers, **figures: float | datetime) -> str:
    """Return why a rule applies; instants, shares (``share``, ``cold``) and plain figures as the reader writes them."""
    said = {name: _say_figure(name, figure, numbers) for name, figure in figures.items()}
    wordings = _WORDS[rule][numbers.language]
    fitting = (text for text in wordings if {name for _, name, _, _ in Formatter().parse(text) if name} <= said.keys())
    return next(fitting, wordings[-1]).format_map(said)


def _say_figure(name: str, figure: float | datetime, numbers: Numbers) -> str:
    if isinstance(figure, datetime):
        return f"{numbers.weekday(figure)} {numbers.clock(figure)}"
    if name in ("share", "cold"):
        return numbers.share(figure)
    text = f"{figure:.4g}"
    return text.replace(".", ",") if numbers.language == "de" else text
