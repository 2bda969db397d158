"""Compromises of a plan: the constraint it could not meet and the shortfall.

Conditions that widen a forecast.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from luna.words.devices import PREFIXES, say_device
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers, join_words, mark_decimals
from luna.words.phrases import Phrases, refuse_code

# Why a forecast is wide.
CONDITIONS = Phrases("conditions")
# The figures that follow the codes of conditions, in their order.
_CONDITION_FIGURES = {
    "pv_held_back": ("held_back", "days"),
    "pv_blended": ("percent",),
    "unnamed_ac_limit": ("kw",),
}

# The constraint, and the shortfall. Field names of requests and of the site are not translated.
COMPROMISES = Phrases("compromises", "wanted_", devices="wanted_")
_MISSING = Phrases("compromises", "missing_", devices="missing_")
# Optional parts of these sentences.
_PARTS = Phrases("compromises", "part_")
ACTIONS = Phrases("compromises", "action_")

# A field of a request or of the site, which owners do not know.
_FIELD = re.compile(r" \([\w.{}]+\)")
# A placeholder: the figure's name with its format as suffix.
_WRITTEN = re.compile(r"(?P<name>\w+?)(?P<share>_percent)?(?:_(?P<decimals>\d))?")
# A temperature, or how far two are apart, in degrees of the home's country.
_DEGREES = re.compile(r"(?P<name>\w+)_degrees(?P<apart>_apart)?")
# Figures that are days or instants.
_DAYS = ("by", "first", "last", "worst")

# Constraint and shortfall.
Pair = tuple[str, str]


def condition(code: str, *, language: Language) -> str:
    """Return a condition that widens a forecast as one sentence.

    Figures follow the code after colons, as in ``pv_held_back:12:20``.

    Raises:
        InvalidInputError: no such code, or another number of figures than its sentence has.
    """
    name, *figures = code.split(":")
    names = _CONDITION_FIGURES.get(name, ())
    if name not in CONDITIONS or len(names) != len(figures):
        raise refuse_code(code, CONDITIONS, "reasons")
    return CONDITIONS.fill(name, language, dict(zip(names, figures, strict=True)))


def say_compromise(code: str, *, language: Language, **figures: Any) -> Pair:
    """Return constraint and shortfall of a compromise.

    Args:
        code: a code of ``COMPROMISES``.
        language: of the text and its numbers.
        figures: by name; instants already in the site's time zone. Parts are built from raw values:
            ``action`` from a code of ``ACTIONS``, ``only`` from the ``rules`` that hold and their
            ``price``, ``outside`` from the store's initial temperature ``outside_c``.

    Raises:
        InvalidInputError: no such code.
    """
    if code not in COMPROMISES:
        raise refuse_code(code, COMPROMISES, "compromises")
    written = _Written(figures, language)
    return COMPROMISES.fill(code, language, written), _MISSING.fill(code, language, written)


def retell_compromise(compromise: Mapping[str, Any], numbers: Numbers) -> Pair:
    """Return a plan's compromise in the reader's language with the device's name.

    The plan's own text where it has no figures or no translation.

    Args:
        compromise: ``code``, ``constraint``, ``shortfall`` and ``figures`` of a plan's reply.
        numbers: formats of the reader.
    """
    code = compromise["code"]
    language = numbers.language
    wanted = COMPROMISES.find(code, language)
    if wanted is None or not compromise["figures"]:
        return compromise["constraint"], compromise["shortfall"]
    figures = dict(compromise["figures"])
    for name in _DAYS:
        if name in figures:
            figures[name] = _read_day(figures[name], numbers)
    if "name" in figures:
        figures["name"] = say_device(figures["name"], language=language)
    written = _Written(figures, language, numbers)
    # Pages show the device's name without the kind before it.
    kinds = "|".join(PREFIXES.say(kind, language) for kind in PREFIXES)
    text = _FIELD.sub("", re.sub(rf"\b(?:{kinds}) {{name}}", "{name}", wanted.text))
    return text.format_map(written), _MISSING.fill(code, language, written)


def say_part(name: str, *, language: Language, **figures: Any) -> str:
    """Return an optional part of a compromise's sentence."""
    return _PARTS.fill(name, language, _Written(figures, language))


class _Written(dict[str, str]):
    """Localised figures, formatted on look-up.

    ``kwh_3`` has three decimals, ``soc_percent`` shows a fraction as per cent, ``wanted_degrees``
    a temperature, which without ``numbers`` is in degrees Celsius.
    """

    def __init__(
        self, figures: Mapping[str, Any], language: Language, numbers: Numbers | None = None
    ) -> None:
        self._figures = figures
        self._language = language
        # Of no country, and without money.
        self._numbers = numbers or Numbers(language, ZoneInfo("UTC"), "EUR")

    def __missing__(self, name: str) -> str:
        figures = self._figures
        language = self._language
        match name:
            case "only":
                return self._say_rules()
            case "outside":
                return self._say_outside()
            case "action":
                action = figures.get("action", "")
                return ACTIONS.say(action, language) if action in ACTIONS else ""
        if name in figures:
            return self._write(figures[name], None)
        degrees = _DEGREES.fullmatch(name)
        if degrees is not None:
            return self._say_degrees(figures[degrees["name"]], apart=bool(degrees["apart"]))
        form = _WRITTEN.fullmatch(name)
        if form is None:
            raise KeyError(name)
        decimals = form["decimals"] or "0"
        kind = "%" if form["share"] else "f"
        return self._write(figures[form["name"]], f".{decimals}{kind}")

    def _say_outside(self) -> str:
        outside = self._figures.get("outside_c")
        if outside is None:
            return ""
        written = _Written({"celsius": outside}, self._language, self._numbers)
        return _PARTS.fill("outside", self._language, written)

    def _say_degrees(self, value_c: float, *, apart: bool) -> str:
        if apart:
            return self._numbers.temperature_difference(value_c)
        return self._numbers.temperature(value_c)

    def _say_rules(self) -> str:
        rules = self._figures.get("rules", ())
        if not rules:
            return ""
        language = self._language
        price = mark_decimals(str(self._figures.get("price")), language)
        texts = [say_part(rule, language=language, price=price) for rule in rules]
        return say_part("only", language=language, rules=join_words(texts, language))

    def _write(self, value: Any, form: str | None) -> str:
        """Return a figure in a format; None: as short as possible."""
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M")
        if isinstance(value, date):
            return value.isoformat()
        if not isinstance(value, int | float):
            return str(value)
        shortest = "g" if isinstance(value, float) else ""
        text = format(value, form or shortest)
        if text.endswith("%"):
            number = mark_decimals(text[:-1], self._language)
            return language_forms(self._language).share.format(number=number)
        return mark_decimals(text, self._language)


def _read_day(text: str, numbers: Numbers) -> str:
    if len(text) == len("2024-02-01"):
        return numbers.local_day(date.fromisoformat(text))
    at = datetime.fromisoformat(text)
    return f"{numbers.weekday(at)} {numbers.clock(at)}"
