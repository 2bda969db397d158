"""Why a rule set a parameter of a plan."""

from datetime import datetime
from string import Formatter

from luna.contracts.strategy import Rule
from luna.wording.numbers import Numbers

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
    said = {name: _say(name, figure, numbers) for name, figure in figures.items()}
    wordings = _WORDS[rule][numbers.language]
    fitting = (text for text in wordings if {name for _, name, _, _ in Formatter().parse(text) if name} <= said.keys())
    return next(fitting, wordings[-1]).format_map(said)


def _say(name: str, figure: float | datetime, numbers: Numbers) -> str:
    if isinstance(figure, datetime):
        return f"{numbers.weekday(figure)} {numbers.clock(figure)}"
    if name in ("share", "cold"):
        return numbers.share(figure)
    text = f"{figure:.4g}"
    return text.replace(".", ",") if numbers.language == "de" else text
