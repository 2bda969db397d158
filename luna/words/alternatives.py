"""Sentences about alternatives to a plan, and about variants: savings and payback."""

from collections.abc import Sequence
from datetime import datetime

from luna.words.devices import say_device
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

# Names of the other actions.
ALTERNATIVES = Phrases("alternatives", "does_")
_COMPARISONS = Phrases("alternatives")
_COST = Phrases("alternatives", "cost_")
_PAYBACK = Phrases("alternatives", "payback_")
_DAYS = Phrases("alternatives", "days_")
_BILL = Phrases("alternatives", "bill_")
_END = Phrases("alternatives", "end_")
_GAIN = Phrases("alternatives", "gain_")
Bounds = tuple[float | None, float | None, float | None]
_YEAR_DAYS = 360
# No battery, roof or car lasts longer.
_LIFETIME_YEARS = 50.0


def say_alternative(
    alternative: str,
    *,
    device: str,
    start: datetime,
    cost: float,
    others: Sequence[datetime],
    numbers: Numbers,
) -> str:
    """Return the extra cost of an ``alternative`` from ``start``, and its changed slots.

    ``others``: the starts of the other slots that change.
    """
    language = numbers.language
    count = len(others)
    action = _COMPARISONS.say(
        "at",
        language,
        what=ALTERNATIVES.say(alternative, language),
        time=_moment(start, numbers),
        device=say_device(device, language=language),
    )
    first_change = _moment(others[0], numbers) if others else ""
    changed = _COMPARISONS.say(
        "changes", language, count=count, shown=numbers.number(count), time=first_change
    )
    return f"{action}: {_say_cost(cost, numbers)}; {changed}."


def say_variant(name: str, *, cost: float, slots: int, numbers: Numbers) -> str:
    """Return the extra cost of a plan with other inputs, and the number of changed slots."""
    return _COMPARISONS.say(
        "variant",
        numbers.language,
        name=name,
        money=_say_cost(cost, numbers),
        count=slots,
        shown=numbers.number(slots),
    )


def say_baseline(bill: float, stored_gain: float, *, days: int, numbers: Numbers) -> str:
    """Return the cost of the days without changes, and the gain or loss of stored value."""
    sentence = _COMPARISONS.say(
        "baseline", numbers.language, days=numbers.number(days), bill=numbers.money(bill)
    )
    return f"{sentence}{_say_worth(_GAIN, stored_gain, numbers)}."


def say_days(name: str, saved: float, *, days: int, least: int | None, numbers: Numbers) -> str:
    """Return the savings of a variant over too few days for a yearly figure.

    ``least``: days needed for one, None: not mentioned.
    """
    language = numbers.language
    sentence = _DAYS.say(
        _compare(-saved),
        language,
        name=name,
        money=numbers.money(abs(saved)),
        days=numbers.number(days),
    )
    if least is None:
        return sentence
    return sentence + _DAYS.say("few", language, least=numbers.number(least))


def say_account(bill: float, stored_gain: float, *, numbers: Numbers) -> str:
    """Return the difference of a variant's bill and of the value of its final charge."""
    sentence = _BILL.say(_compare(bill), numbers.language, money=numbers.money(abs(bill)))
    end = _say_worth(_END, stored_gain, numbers)
    return f"{sentence}; {end}." if end else f"{sentence}."


def _say_worth(words: Phrases, worth: float, numbers: Numbers) -> str:
    if round(worth, 2) == 0:
        return ""
    code = "more" if worth > 0 else "less"
    return words.say(code, numbers.language, money=numbers.money(abs(worth)))


def say_savings(
    name: str, savings: Bounds, *, payback: Bounds | None, days: int, numbers: Numbers
) -> str:
    """Return yearly savings of a variant and payback in years, with their intervals.

    Both have value, low and high. A payback of None is not mentioned.
    """
    language = numbers.language
    basis = ""
    if days < _YEAR_DAYS:
        basis = _COMPARISONS.say("basis", language, days=numbers.number(days))
    value, low, high = savings
    is_cost = value is not None and value < 0
    code = "costs" if is_cost else "saves"
    amount = numbers.money(None if value is None else abs(value))
    sentence = _COMPARISONS.say(code, language, name=name, value=amount, basis=basis)
    if low is not None and high is not None:
        if is_cost:
            # As costs the interval is turned round.
            low, high = -high, -low
        sentence += _COMPARISONS.say(
            "interval", language, low=numbers.money(low), high=numbers.money(high)
        )
    if payback is not None:
        sentence += _say_payback(payback, numbers)
    return f"{sentence}."


def _say_payback(payback: Bounds, numbers: Numbers) -> str:
    language = numbers.language
    years, low, high = payback
    if years is None:
        return _PAYBACK.say("never", language)
    if years > _LIFETIME_YEARS:
        return _PAYBACK.say("beyond", language, value=numbers.number(_LIFETIME_YEARS))
    text = _PAYBACK.say("after", language, value=numbers.number(years, 1))
    if low is None:
        return text
    code = "earliest" if high is None else "interval"
    ends = {"low": numbers.number(low, 1), "high": numbers.number(high, 1)}
    return text + _PAYBACK.say(code, language, **ends)


def _say_cost(cost: float, numbers: Numbers) -> str:
    return _COST.say(_compare(cost), numbers.language, money=numbers.money(abs(cost)))


def _compare(cost: float) -> str:
    """Return ``less``, ``same`` (to the cent) or ``more``."""
    cents = round(cost, 2)
    if cents == 0:
        return "same"
    return "less" if cents < 0 else "more"


def _moment(instant: datetime, numbers: Numbers) -> str:
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"
