"""The camera lab in words: its controllers, places and seasons, and what the figures of a batch say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from luna.words.numbers import NBSP, UNKNOWN, Language, Numbers

Phrases = Mapping[str, Mapping[Language, str]]
# A figure and the ends of its interval, None where there is none.
Span = tuple[float | None, float | None, float | None]

CONTROLLERS: Phrases = {
    "naive_weak": {"en": "smallest model", "de": "kleinstes Modell"},
    "naive_strong": {"en": "largest model", "de": "größtes Modell"},
    "rule": {"en": "rule", "de": "Regel"},
    "custom": {"en": "learned controller", "de": "gelernte Steuerung"},
    "ensemble": {"en": "ensemble", "de": "Ensemble"},
    "oracle": {"en": "oracle", "de": "Orakel"},
}
LOCATIONS: Phrases = {
    "CA": {"en": "California", "de": "Kalifornien"},
    "FL": {"en": "Florida", "de": "Florida"},
    "NW": {"en": "Northwest", "de": "Nordwesten"},
    "NY": {"en": "New York", "de": "New York"},
}
SEASONS: Phrases = {
    "winter": {"en": "winter", "de": "Winter"},
    "spring": {"en": "spring", "de": "Frühling"},
    "summer": {"en": "summer", "de": "Sommer"},
    "fall": {"en": "autumn", "de": "Herbst"},
}
METRICS: Phrases = {
    "objective_wh_per_day": {"en": "dirty energy a day with misses counted in", "de": "schmutziger Strom am Tag samt angerechneten Fehlern"},
    "miss_share": {"en": "missed tasks", "de": "verfehlte Aufgaben"},
    "clean_share": {"en": "clean share", "de": "sauberer Anteil"},
    "dirty_wh_per_day": {"en": "dirty energy a day", "de": "schmutziger Strom am Tag"},
}
_SENTENCES: Phrases = {
    "nothing": {"en": "There is no whole run to say anything of.", "de": "Es gibt keinen ganzen Lauf, von dem sich etwas sagen ließe."},
    "stand_in": {
        "en": "How clean the grid was is not measured here ({locations}): a generator's values stand in. All of this holds for those values, not for the real"
        " places.",
        "de": "Wie sauber das Netz war, ist hier nicht gemessen ({locations}): Werte eines Generators stehen dafür ein. All dies gilt für diese Werte, nicht"
        " für die wirklichen Orte.",
    },
    "few_weeks": {
        "en": "{weeks} of the {needed} weeks of places that intervals and tests need at least: nothing here tells more than what happened in them.",
        "de": "{weeks} der mindestens {needed} Wochen an Orten, die Intervalle und Tests brauchen: Hier steht nur, was in ihnen geschah.",
    },
    "runs_missing": {
        "en": "Not every camera was run under every controller: of {cameras} cameras up to {most} lack a run under {controllers}. Comparisons use those that"
        " have both.",
        "de": "Nicht jede Kamera lief unter jeder Steuerung: Von {cameras} Kameras fehlt bis zu {most} ein Lauf ({controllers}). Verglichen wird, wo es beide"
        " gibt.",
    },
    "runs_failed": {
        "en": "Runs that the batch gave up: {runs}. They are in no figure here; the batch's rows failed say why.",
        "de": "Läufe, die aufgegeben wurden: {runs}. Sie stehen in keiner Zahl hier; die Zeilen failed des Stapels sagen, warum.",
    },
    "oracle_share": {
        "en": "{Controller}: {value} of the oracle's clean share{span}, on the {equal} of {pairs} runs where both miss equally many tasks.",
        "de": "{Controller}: {value} des sauberen Anteils des Orakels{span}, auf den {equal} von {pairs} Läufen, in denen beide gleich viele Aufgaben"
        " verfehlen.",
    },
    "oracle_share_unknown": {
        "en": "{Controller}: none of {pairs} runs misses as many tasks as the oracle, so their clean energy cannot be compared at equal misses.",
        "de": "{Controller}: Keiner von {pairs} Läufen verfehlt so viele Aufgaben wie das Orakel; bei gleichen Fehlern lässt sich der saubere Strom nicht"
        " vergleichen.",
    },
    "compared_lower": {
        "en": "{Controller} against {other}: {metric} lower by {value}{span}, on {pairs} pairs of runs{test}.",
        "de": "{Controller} gegen {other}: {metric} um {value} niedriger{span}, auf {pairs} Paaren von Läufen{test}.",
    },
    "compared_higher": {
        "en": "{Controller} against {other}: {metric} higher by {value}{span}, on {pairs} pairs of runs{test}.",
        "de": "{Controller} gegen {other}: {metric} um {value} höher{span}, auf {pairs} Paaren von Läufen{test}.",
    },
    "compared_open": {
        "en": "{Controller} against {other}: no difference in {metric} can be told: {value}{span}, on {pairs} pairs of runs{test}.",
        "de": "{Controller} gegen {other}: Bei „{metric}“ ist kein Unterschied zu erkennen: {value}{span}, auf {pairs} Paaren von Läufen{test}.",
    },
    "compared_same": {
        "en": "{Controller} against {other}: the same in {metric}, on {pairs} pairs of runs.",
        "de": "{Controller} gegen {other}: Bei „{metric}“ kein Unterschied, auf {pairs} Paaren von Läufen.",
    },
    "best": {
        "en": "Of all that do not know the future, this did best: {controller}, with {objective} a camera and day, {misses} of the tasks missed and"
        " {clean_share} of the energy clean.",
        "de": "Von allen, die die Zukunft nicht kennen, schnitt am besten ab: {controller}, mit {objective} je Kamera und Tag, {misses} verfehlten Aufgaben und"
        " {clean_share} sauberem Strom.",
    },
    "farthest": {
        "en": "{Controller}: farthest from the oracle here: {location}, {season}. Its clean share lies {gap} lower there.",
        "de": "{Controller}: am weitesten vom Orakel entfernt hier: {location}, {season}. Der saubere Anteil liegt dort um {gap} niedriger.",
    },
    "efficiency": {
        "en": "A fulfilled task takes the least energy here: {controller}, {mwh}; the most here: {other}, {other_mwh}.",
        "de": "Eine erfüllte Aufgabe braucht am wenigsten Energie hier: {controller}, {mwh}; am meisten hier: {other}, {other_mwh}.",
    },
    "trend_lower": {
        "en": "{Controller}: {metric} falls from day to day within a run, by {value} a day{span}.",
        "de": "{Controller}: {metric} sinkt innerhalb eines Laufs von Tag zu Tag, um {value} je Tag{span}.",
    },
    "trend_higher": {
        "en": "{Controller}: {metric} rises from day to day within a run, by {value} a day{span}.",
        "de": "{Controller}: {metric} steigt innerhalb eines Laufs von Tag zu Tag, um {value} je Tag{span}.",
    },
    "no_trend": {
        "en": "Neither clean shares nor misses change from day to day within a run by more than chance explains.",
        "de": "Weder saubere Anteile noch Fehler ändern sich innerhalb eines Laufs von Tag zu Tag stärker, als Zufall erklärt.",
    },
    "damage": {
        "en": "Damaged rows, left out: {rows}. The first: {file}, line {line}: {reason}.",
        "de": "Beschädigte Zeilen, ausgelassen: {rows}. Die erste: {file}, Zeile {line}: {reason}.",
    },
}
_WORDS: Phrases = {
    "span": {"en": " ({low} to {high})", "de": " ({low} bis {high})"},
    "no_span": {"en": " (too few weeks for an interval)", "de": " (zu wenige Wochen für ein Intervall)"},
    "points": {"en": "percentage points", "de": "Prozentpunkte"},
    "and": {"en": "and", "de": "und"},
    "test": {"en": "; p\u00a0=\u00a0{p}", "de": "; p\u00a0=\u00a0{p}"},
    "test_small": {"en": "; p\u00a0<\u00a0{p}", "de": "; p\u00a0<\u00a0{p}"},
}


def say_controller(name: str, language: Language) -> str:
    """Return what a controller is called within a sentence; its own name where nobody called it otherwise."""
    return _read(CONTROLLERS, name, language)


def say_location(name: str, language: Language) -> str:
    """Return what a location is called."""
    return _read(LOCATIONS, name, language)


def say_season(name: str, language: Language) -> str:
    """Return what a season is called."""
    return _read(SEASONS, name, language)


def say_metric(name: str, language: Language) -> str:
    """Return what a figure is called within a sentence."""
    return _read(METRICS, name, language)


def say_measure(metric: str, value: float | None, numbers: Numbers, *, signed: bool = False) -> str:
    """Return a difference in a figure with its unit: shares in percentage points, energy in Wh."""
    digits, unit = _measure(metric, numbers.language)
    return UNKNOWN if value is None else f"{digits(value, numbers, signed=signed)}{NBSP}{unit}"


def say_difference(metric: str, span: Span, numbers: Numbers, *, signed: bool = True) -> tuple[str, str]:
    """Return a difference with its unit, and its interval with a blank before it, or that there is none."""
    digits, _ = _measure(metric, numbers.language)
    return say_measure(metric, span[0], numbers, signed=signed), say_span(span, lambda end: digits(end, numbers, signed=signed), numbers.language)


def say_span(span: Span, say: Callable[[float], str], language: Language) -> str:
    """Return an interval, with a blank before it, or that there is none."""
    _, low, high = span
    if low is None or high is None:
        return _WORDS["no_span"][language]
    return _WORDS["span"][language].format(low=say(low), high=say(high))


def say_insight(code: str, figures: Mapping[str, Any], numbers: Numbers) -> str:
    """Return what the figures of a batch say, one or two sentences; the code where it is unknown."""
    sentence = _SENTENCES.get(_choose(code, figures))
    return code if sentence is None else sentence[numbers.language].format(**_say_figures(figures, numbers))


def say_locations(names: Sequence[str], language: Language) -> str:
    """Return what locations are called, joined as a sentence does."""
    return _list([say_location(name, language) for name in names], language)


def _choose(code: str, figures: Mapping[str, Any]) -> str:
    if code == "compared":
        return f"compared_{figures['way']}"
    if code == "trend":
        return "trend_lower" if figures["value"] < 0 else "trend_higher"
    return code


def _say_figures(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    """Return the figures of an insight as its sentence shows them; what it does not name is left out."""
    language = numbers.language
    said = {name: str(value) for name, value in figures.items() if isinstance(value, str)}
    said |= {name: numbers.number(value) for name, value in figures.items() if isinstance(value, int)}
    named = {"controller": say_controller, "other": say_controller, "location": say_location, "season": say_season, "metric": say_metric}
    said |= {name: say(figures[name], language) for name, say in named.items() if name in figures}
    if "controller" in said:
        said["Controller"] = said["controller"][:1].upper() + said["controller"][1:]
    if "locations" in figures:
        said["locations"] = say_locations(figures["locations"], language)
    if "controllers" in figures:
        said["controllers"] = _list([say_controller(name, language) for name in figures["controllers"]], language)
    if "value" in figures:
        said |= _say_estimate(figures, numbers)
    said |= {name: numbers.share(figures[name], decimals=places) for name, places in (("misses", 2), ("clean_share", 1)) if name in figures}
    said |= {name: say_measure("wh", figures[name], numbers) for name in ("objective",) if name in figures}
    said |= {name: f"{numbers.number(figures[name], 2)}{NBSP}mWh" for name in ("mwh", "other_mwh") if name in figures}
    if "gap" in figures:
        said["gap"] = say_measure("clean_share", figures["gap"], numbers)
    return said


def _say_estimate(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    value, low, high = (figures[name] for name in ("value", "low", "high"))
    metric = figures.get("metric")
    if metric is None:
        span = say_span((value, low, high), lambda end: numbers.share(end, decimals=1), numbers.language)
        return {"value": numbers.share(value, decimals=1), "span": span}
    undecided = figures.get("way") == "open"
    if not undecided and value is not None and value < 0:
        # "lower by 0.5 (0.4 to 0.6)": the way is said in words.
        value, low, high = (None if each is None else -each for each in (value, high, low))
    said, span = say_difference(metric, (value, low, high), numbers, signed=undecided)
    return {"value": said, "span": span, "test": _say_test(figures.get("p_value"), numbers)}


def _say_test(p_value: float | None, numbers: Numbers) -> str:
    if p_value is None:
        return ""
    small = p_value < 0.001
    return _WORDS["test_small" if small else "test"][numbers.language].format(p=numbers.number(0.001 if small else p_value, 3))


def _measure(metric: str, language: Language) -> tuple[Callable[..., str], str]:
    """Return how a figure's digits are written, and its unit."""
    shares = metric.endswith("_share")
    scale, unit = (100.0, _WORDS["points"][language]) if shares else (1.0, "Wh")

    def digits(value: float, numbers: Numbers, *, signed: bool = False) -> str:
        return numbers.number(value * scale, _decimals(value * scale), signed=signed)

    return digits, unit


def _decimals(value: float) -> int:
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2


def _list(names: list[str], language: Language) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {_WORDS['and'][language]} {names[-1]}"


def _read(phrases: Phrases, name: str, language: Language) -> str:
    return phrases[name][language] if name in phrases else name
