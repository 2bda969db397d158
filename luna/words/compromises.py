"""What a plan could not hold, in words: what was wanted, and by how much it is missed."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.words.devices import PREFIXES, say_device
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers, join_words, mark_decimals
from luna.words.phrases import Phrases

# Why a forecast is wide.
CONDITIONS = Phrases("conditions")
# The figures that follow the codes of conditions, in their order.
_CONDITION_FIGURES = {"pv_held_back": ("held_back", "days"), "unnamed_ac_limit": ("kw",)}

# What was wanted, and what is missing of it. Field names of requests and of the site stay as they are written there.
COMPROMISES = Phrases("compromises", "wanted_", devices="wanted_")
_MISSING = Phrases("compromises", "missing_", devices="missing_")
# What stands within such a sentence where it holds.
_PARTS = Phrases("compromises", "part_")
ACTIONS = Phrases("compromises", "action_")

# A field of a request or of the site, which owners do not know.
_FIELD = re.compile(r" \([\w.{}]+\)")
# A figure as sentences name it: how it is written stands behind its own name.
_WRITTEN = re.compile(r"(?P<name>\w+?)(?P<share>_percent)?(?:_(?P<decimals>\d))?")
# The figures that are days or instants.
_DAYS = ("by", "first", "last", "worst")

# What was wanted, and what is missing of it.
Pair = tuple[str, str]


def condition(code: str, *, language: Language) -> str:
    """Return why a forecast is wide as one sentence; figures follow their code after colons, as in ``pv_held_back:12:20``.

    Raises:
        InvalidInputError: no such code, or not as many figures as its words name.
    """
    name, *figures = code.split(":")
    names = _CONDITION_FIGURES.get(name, ())
    if name not in CONDITIONS or len(names) != len(figures):
        raise InvalidInputError("has no words", field="reasons", value=code, remedy=f"Known are {', '.join(CONDITIONS)}.")
    return CONDITIONS.fill(name, language, dict(zip(names, figures, strict=True)))


def say_compromise(code: str, *, language: Language, **figures: Any) -> Pair:
    """Return what was wanted, and what is missing of it.

    Args:
        code: a code of ``COMPROMISES``.
        language: of the words and of the numbers within them.
        figures: by their names; instants already in the site's time zone. Of what is worded itself as it is known: ``action`` a code of
            ``ACTIONS``, for ``only`` the ``rules`` that hold and their ``price``, for ``outside`` the ``outside_c`` at which a store begins.

    Raises:
        InvalidInputError: no such code.
    """
    if code not in COMPROMISES:
        raise InvalidInputError("has no words", field="compromises", value=code, remedy=f"Known are {', '.join(COMPROMISES)}.")
    written = _Written(figures, language)
    return COMPROMISES.fill(code, language, written), _MISSING.fill(code, language, written)


def retell_compromise(told: Mapping[str, Any], numbers: Numbers) -> Pair:
    """Return a plan's compromise in the reader's language, its device by what it is called; as the plan says it where it says no figures of it.

    Args:
        told: ``code``, ``constraint``, ``shortfall`` and ``figures``, as a plan's answer has them.
        numbers: how the reader is spoken to.
    """
    code, language = told["code"], numbers.language
    wanted = COMPROMISES.find(code, language)
    if wanted is None or not told["figures"]:
        return told["constraint"], told["shortfall"]
    figures = {name: _read_day(value, numbers) if name in _DAYS else value for name, value in told["figures"].items()}
    if "name" in figures:
        figures["name"] = say_device(figures["name"], language=language)
    written = _Written(figures, language)
    # What kind it is stands beside a name of the site's file alone.
    kinds = "|".join(PREFIXES.say(kind, language) for kind in PREFIXES)
    text = _FIELD.sub("", re.sub(rf"\b(?:{kinds}) {{name}}", "{name}", wanted.text))
    return text.format_map(written), _MISSING.fill(code, language, written)


def say_part(name: str, *, language: Language, **figures: Any) -> str:
    """Return a part of such a sentence."""
    return _PARTS.fill(name, language, _Written(figures, language))


class _Written(dict[str, str]):
    """Figures as people of a language write them, each as it is asked for: ``kwh_3`` has three decimals, ``soc_percent`` is a share of one."""

    def __init__(self, figures: Mapping[str, Any], language: Language) -> None:
        self._figures = figures
        self._language = language

    def __missing__(self, name: str) -> str:
        figures, language = self._figures, self._language
        match name:
            case "only":
                # Under which rules alone something runs.
                price = mark_decimals(str(figures.get("price")), language)
                rule_texts = [say_part(rule, language=language, price=price) for rule in figures.get("rules", ())]
                return say_part("only", language=language, rules=join_words(rule_texts, language)) if rule_texts else ""
            case "outside":
                outside = figures.get("outside_c")
                return "" if outside is None else say_part("outside", language=language, celsius=outside)
            case "action":
                action = figures.get("action", "")
                return ACTIONS.say(action, language) if action in ACTIONS else ""
        if name in figures:
            return self._write(figures[name], None)
        form = _WRITTEN.fullmatch(name)
        if form is None:
            raise KeyError(name)
        decimals = form["decimals"] or "0"
        return self._write(figures[form["name"]], f".{decimals}%" if form["share"] else f".{decimals}f")

    def _write(self, value: Any, form: str | None) -> str:
        """Return a figure in a form; None: as short as it can be."""
        if isinstance(value, date):
            return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value.isoformat()
        if not isinstance(value, int | float):
            return str(value)
        text = format(value, form or ("g" if isinstance(value, float) else ""))
        if text.endswith("%"):
            return language_forms(self._language).share.format(number=mark_decimals(text[:-1], self._language))
        return mark_decimals(text, self._language)


def _read_day(text: str, numbers: Numbers) -> str:
    if len(text) == len("2024-02-01"):
        return numbers.day(datetime.combine(date.fromisoformat(text), datetime.min.time().replace(hour=12), numbers.zone))
    at = datetime.fromisoformat(text)
    return f"{numbers.weekday(at)} {numbers.clock(at)}"
