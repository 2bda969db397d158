"""Short descriptions of a site's import and export price rules."""

from luna.energy.site import ImportRule
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

_BUYING = Phrases("tariffs", "buying_")
_SELLING = Phrases("tariffs", "selling_")


class _Fields(dict[str, object]):
    """The localised fields of a rule, formatted on look-up."""

    def __init__(self, rule: ImportRule, numbers: Numbers) -> None:
        self._rule = rule
        self._numbers = numbers

    def __missing__(self, name: str) -> str:
        value = getattr(self._rule, name)
        if isinstance(value, str):
            return value
        return self._numbers.amount(value) if name.endswith("_kwh") else self._numbers.price(value)


def say_buying(rule: ImportRule, numbers: Numbers) -> str:
    """Return the description of an import price rule."""
    return _BUYING.fill(rule.kind, numbers.language, _Fields(rule, numbers))


def say_selling(rule: ImportRule, numbers: Numbers) -> str:
    """Return the description of an export price rule."""
    return _SELLING.fill(rule.kind, numbers.language, _Fields(rule, numbers))
