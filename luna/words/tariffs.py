"""What a site pays and earns for a kWh, in a few words: by the kind of the rule, with its own fields as figures."""

from luna.energy.site import ImportRule
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

_BUYING = Phrases("tariffs", "buying_")
_SELLING = Phrases("tariffs", "selling_")


class _Fields(dict[str, object]):
    """The fields of a rule as they are said, each once it is asked for."""

    def __init__(self, rule: ImportRule, numbers: Numbers) -> None:
        self._rule = rule
        self._numbers = numbers

    def __missing__(self, name: str) -> str:
        value = getattr(self._rule, name)
        if isinstance(value, str):
            return value
        return self._numbers.amount(value) if name.endswith("_kwh") else self._numbers.price(value)


def say_buying(rule: ImportRule, numbers: Numbers) -> str:
    """Return how a site buys."""
    return _BUYING.fill(rule.kind, numbers.language, _Fields(rule, numbers))


def say_selling(rule: ImportRule, numbers: Numbers) -> str:
    """Return how a site sells."""
    return _SELLING.fill(rule.kind, numbers.language, _Fields(rule, numbers))
