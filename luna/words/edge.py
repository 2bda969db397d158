"""Localised texts of the camera lab: names, differences of metrics, and findings of a batch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from luna.words.language import Language
from luna.words.numbers import NBSP, UNKNOWN, Numbers, join_words
from luna.words.phrases import Phrases

# Value, low and high of an estimate, None where there is none.
Span = tuple[float | None, float | None, float | None]

CONTROLLERS = Phrases("camera_lab", "controller_")
LOCATIONS = Phrases("camera_lab", "location_")
SEASONS = Phrases("camera_lab", "season_")
METRICS = Phrases("camera_lab", "metric_")
_SENTENCES = Phrases("camera_lab", "insight_")
_WORDS = Phrases("camera_lab", "word_")


def say_controller(name: str, language: Language) -> str:
    """Return a controller's name within a sentence; an unknown one unchanged."""
    return _read(CONTROLLERS, name, language)


def say_location(name: str, language: Language) -> str:
    """Return the name of a location."""
    return _read(LOCATIONS, name, language)


def say_season(name: str, language: Language) -> str:
    """Return the name of a season."""
    return _read(SEASONS, name, language)


def say_metric(name: str, language: Language) -> str:
    """Return the name of a metric within a sentence."""
    return _read(METRICS, name, language)


def say_measure(metric: str, value: float | None, numbers: Numbers, *, signed: bool = False) -> str:
    """Return a difference of a metric: shares in percentage points, energy in Wh."""
    digits, unit = _measure(metric, numbers.language)
    if value is None:
        return UNKNOWN
    return f"{digits(value, numbers, signed=signed)}{NBSP}{unit}"


def say_difference(
    metric: str, span: Span, numbers: Numbers, *, signed: bool = True
) -> tuple[str, str]:
    """Return a difference with its unit, and its interval as ``say_span`` does."""
    digits, _ = _measure(metric, numbers.language)

    def say_end(end: float) -> str:
        return digits(end, numbers, signed=signed)

    value = say_measure(metric, span[0], numbers, signed=signed)
    return value, say_span(span, say_end, numbers.language)


def say_span(span: Span, say: Callable[[float], str], language: Language) -> str:
    """Return an interval with a leading blank, or the note that there is none."""
    _, low, high = span
    if low is None or high is None:
        return _WORDS.say("no_span", language)
    return _WORDS.say("span", language, low=say(low), high=say(high))


def say_insight(code: str, figures: Mapping[str, Any], numbers: Numbers) -> str:
    """Return a finding of a batch as one or two sentences; an unknown code unchanged."""
    if code == "compared":
        name = f"compared_{figures['way']}"
    elif code == "trend":
        name = "trend_lower" if figures["value"] < 0 else "trend_higher"
    else:
        name = code
    if name not in _SENTENCES:
        return code
    return _SENTENCES.say(name, numbers.language, **_say_figures(figures, numbers))


def say_locations(names: Sequence[str], language: Language) -> str:
    """Return the names of locations as a list within a sentence."""
    return _list([say_location(name, language) for name in names], language)


def _say_figures(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    """Return the localised figures of a finding, as far as the mapping has them."""
    language = numbers.language
    texts = {}
    for name, value in figures.items():
        if isinstance(value, str):
            texts[name] = value
        elif isinstance(value, int):
            texts[name] = numbers.number(value)
    texts |= _say_names(figures, language)
    if "value" in figures:
        texts |= _say_estimate(figures, numbers)
    return texts | _say_metrics(figures, numbers)


def _say_names(figures: Mapping[str, Any], language: Language) -> dict[str, str]:
    texts = {}
    named = {
        "controller": say_controller,
        "other": say_controller,
        "location": say_location,
        "season": say_season,
        "metric": say_metric,
    }
    for name, say in named.items():
        if name in figures:
            texts[name] = say(figures[name], language)
    if "controller" in texts:
        texts["Controller"] = texts["controller"][:1].upper() + texts["controller"][1:]
    if "locations" in figures:
        texts["locations"] = say_locations(figures["locations"], language)
    if "controllers" in figures:
        controllers = [say_controller(name, language) for name in figures["controllers"]]
        texts["controllers"] = _list(controllers, language)
    return texts


def _say_metrics(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    texts = {}
    if "misses" in figures:
        texts["misses"] = numbers.share(figures["misses"], decimals=2)
    if "clean_share" in figures:
        texts["clean_share"] = numbers.share(figures["clean_share"], decimals=1)
    if "objective" in figures:
        texts["objective"] = say_measure("wh", figures["objective"], numbers)
    for name in ("mwh", "other_mwh"):
        if name in figures:
            texts[name] = f"{numbers.number(figures[name], 2)}{NBSP}mWh"
    if "gap" in figures:
        texts["gap"] = say_measure("clean_share", figures["gap"], numbers)
    return texts


def _say_estimate(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    value = figures["value"]
    low = figures["low"]
    high = figures["high"]
    metric = figures.get("metric")
    if metric is None:

        def say_end(end: float) -> str:
            return numbers.share(end, decimals=1)

        span = say_span((value, low, high), say_end, numbers.language)
        return {"value": numbers.share(value, decimals=1), "span": span}
    undecided = figures.get("way") == "open"
    if not undecided and value is not None and value < 0:
        # "lower by 0.5 (0.4 to 0.6)": the sentence has the direction, so figures have no sign.
        negated_low = None if high is None else -high
        high = None if low is None else -low
        low = negated_low
        value = -value
    value_text, span = say_difference(metric, (value, low, high), numbers, signed=undecided)
    test = ""
    p_value = figures.get("p_value")
    if p_value is not None:
        is_small = p_value < 0.001
        test = _WORDS.say(
            "test_small" if is_small else "test",
            numbers.language,
            p=numbers.number(0.001 if is_small else p_value, 3),
        )
    return {"value": value_text, "span": span, "test": test}


def _measure(metric: str, language: Language) -> tuple[Callable[..., str], str]:
    """Return the number format and the unit of a metric."""
    shares = metric.endswith("_share")
    scale, unit = (100.0, _WORDS.say("points", language)) if shares else (1.0, "Wh")

    def digits(value: float, numbers: Numbers, *, signed: bool = False) -> str:
        size = abs(value * scale)
        if size >= 100:
            decimals = 0
        elif size >= 10:
            decimals = 1
        else:
            decimals = 2
        return numbers.number(value * scale, decimals, signed=signed)

    return digits, unit


def _list(names: list[str], language: Language) -> str:
    if len(names) < 2:
        return "".join(names)
    return join_words((", ".join(names[:-1]), names[-1]), language)


def _read(phrases: Phrases, name: str, language: Language) -> str:
    return phrases.say(name, language) if name in phrases else name
