"""Notes of a plan: assumptions, unused inputs, doubted readings, and reasons of its rules."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal

from luna.energy.devices import DEVICE_KINDS
from luna.energy.timeline import parse_instant
from luna.words.compromises import CONDITIONS, condition
from luna.words.devices import say_device
from luna.words.numbers import Numbers, mark_decimals
from luna.words.pages import page_words
from luna.words.phrases import Phrases, refuse_code, refuse_missing_figure

Rule = Literal["vacation", "outage", "price_extremes", "s_index"]


# Codes of assumptions in place of unknown inputs: the plan would differ if they turn out wrong.
_ASSUMED_OF_SITE = (
    "soc_assumed",
    "tariff_default",
    "prices_typical",
    "no_history",
    "load_by_persons",
    "load_assumed",
    "sun_from_time_zone",
    "load_beyond_site",
    "load_beyond_homes",
    "pv_beyond_arrays",
    "price_beyond_markets",
    "prices_beyond_last_week",
    "prices_stale",
    "prices_outdone",
)
_OF_KINDS = [kind.plan.notes for kind in DEVICE_KINDS]
ASSUMED = frozenset(_ASSUMED_OF_SITE).union(*(notes.assumed for notes in _OF_KINDS))


def _list_doubts() -> tuple[str, ...]:
    codes = ["soc_doubted", "soc_stands_still"]
    for notes in _OF_KINDS:
        codes += (*notes.doubted, *notes.levels, *notes.untaken)
    return tuple(codes)


# Codes of readings that are not believed yet: questions to the household.
DOUBTS = _list_doubts()

# Figures that name a device of the site.
_DEVICES = frozenset(kind.name for kind in DEVICE_KINDS)

NOTES = Phrases("notes", "note_", devices="note_")
_RULES = Phrases("notes", "rule_")
_EARLIEST = Phrases("notes", "earliest_")
_UNTIL = Phrases("notes", "until_")


def say_note(code: str, figures: Mapping[str, Any], numbers: Numbers) -> str:
    """Return a note as a sentence or two.

    Instants are ISO 8601, shares of a capacity 0 to 1, prices currency per kWh.

    Raises:
        InvalidInputError: the code has no words, or a figure is missing.
    """
    if code.partition(":")[0] in CONDITIONS:
        return condition(code, language=numbers.language)
    if code not in NOTES:
        raise refuse_code(code, (*NOTES, *CONDITIONS), "notes")
    try:
        texts = {name: _say(name, figure, numbers) for name, figure in figures.items()}
        return NOTES.say(code, numbers.language, **texts)
    except KeyError as exc:
        raise refuse_missing_figure(exc, f"notes.{code}") from exc


def _say(name: str, figure: Any, numbers: Numbers) -> str:
    if name in _FORMS:
        return _FORMS[name](numbers, figure)
    if name in _DEVICES:
        return say_device(figure, language=numbers.language)
    if isinstance(figure, Sequence) and not isinstance(figure, str):
        return ", ".join(map(str, figure))
    return str(figure)


def _moment(numbers: Numbers, figure: str | datetime) -> str:
    if isinstance(figure, datetime):
        instant = figure
    else:
        instant = parse_instant(figure, field="notes.figures")
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"


def _earliest(numbers: Numbers, figure: str | None) -> str:
    if figure is None:
        return ""
    noon = datetime.combine(date.fromisoformat(figure), time(12), numbers.zone)
    day = numbers.day_with_year(noon)
    return _EARLIEST.say("known", numbers.language, day=day)


def _until(numbers: Numbers, figure: str | None) -> str:
    if figure is None:
        return _UNTIL.say("open", numbers.language)
    return _UNTIL.say("known", numbers.language, at=_moment(numbers, figure))


def _countries(numbers: Numbers, figure: Sequence[str]) -> str:
    """Return the countries of the markets that stand for another one."""
    words = page_words("setup", numbers.language)
    return ", ".join(words(f"country_{market[:2]}") for market in figure)


def _precise_share(numbers: Numbers, figure: float) -> str:
    return numbers.share(figure, decimals=1)


def _factor(numbers: Numbers, figure: float) -> str:
    return numbers.number(figure, 2)


_FORMS: dict[str, Callable[[Numbers, Any], str]] = {
    **dict.fromkeys(
        (
            "soc",
            "doubted_soc",
            "sensor_soc",
            "arrival_soc",
            "stated_soc",
            "min_soc",
            "max_soc",
        ),
        Numbers.share,
    ),
    "start_soc": _precise_share,
    **dict.fromkeys(
        ("import_price", "export_price", "price", "known_price", "source_error", "own_error"),
        Numbers.price,
    ),
    **dict.fromkeys(("kw", "limit_kw"), Numbers.power),
    **dict.fromkeys(("need_kwh", "metered_kwh", "given_kwh", "planned_kwh"), Numbers.energy),
    "times": Numbers.number,
    "saved": Numbers.money,
    **dict.fromkeys(("at", "doubted_at", "since", "issued_at", "stated_at"), _moment),
    **dict.fromkeys(("load_factor", "pv_factor"), _factor),
    "earliest": _earliest,
    "until": _until,
    "like": _countries,
}


def say_rule(rule: Rule, numbers: Numbers, **figures: float | datetime) -> str:
    """Return why a rule applies, with localised instants, shares and numbers.

    ``share`` and ``cold`` are shares.
    """
    texts = {}
    for name, figure in figures.items():
        if isinstance(figure, datetime):
            texts[name] = _moment(numbers, figure)
        elif name in ("share", "cold"):
            texts[name] = numbers.share(figure)
        else:
            texts[name] = mark_decimals(f"{figure:.4g}", numbers.language)
    code: str = rule
    if "cold" in texts and f"{rule}_cold" in _RULES:
        code = f"{rule}_cold"
    return _RULES.say(code, numbers.language, **texts)
