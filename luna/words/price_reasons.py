"""Sentences that say what a kWh costs in a quarter-hour, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from luna.energy.economics.device_kwh import AllowanceLeft, DeviceKwh
from luna.energy.economics.price_explanation import (
    ExplainedComponent,
    PriceExplanation,
    PriceOnDay,
)
from luna.words.account import format_price_part
from luna.words.language import language_forms
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases
from luna.words.price_parts import describe_difference
from luna.words.price_rank import format_price_rank
from luna.words.published_names import format_published_name

_REASONS = Phrases("price_reasons")
# Prices are said to a tenth of a cent: parts of a price are small.
_DECIMALS = 1
_WHOLE_DAY = ("00:00", "24:00")
_BY_CLOCK = ("window", "allowance")
# A tax below it is none, in currency/kWh.
_LEAST_TAX = 0.00005


@dataclass(frozen=True, slots=True)
class SentenceFigure:
    """A figure of a sentence, its value in ISO 8601 or currency/kWh."""

    name: str
    value: float | str
    unit: Literal["price", "instant", "name"]
    text: str


@dataclass(frozen=True, slots=True)
class ReasonSentence:
    """A sentence with its figures."""

    text: str
    figures: tuple[SentenceFigure, ...]


def describe_price_reasons(
    explanation: PriceExplanation, numbers: Numbers, *, sells: bool, now: datetime
) -> list[ReasonSentence]:
    """Return the sentences of a known price.

    The first two are the answer, the others details: devices with a price of their own,
    comparison, tax, one for each component.
    """
    price = _price("price", explanation.on_day.price, numbers)
    figures = {"at": _clock(explanation.start, numbers), "price": price}
    code = "earns" if sells else "buys"
    if _is_other_day(explanation.start, now, numbers):
        figures["day"] = _day(explanation.start, numbers)
        code += "_on_day"
    sentences = [_say(code, numbers, figures), _say_main(explanation, numbers)]
    sentences += describe_device_kwh(explanation.devices, explanation.on_day.price, numbers)
    sentences += _compare(explanation, numbers, sells=sells)
    tax = sum(component.tax for component in explanation.components)
    if abs(tax) >= _LEAST_TAX:
        sentences.append(_say("tax", numbers, {"tax": _price("tax", tax, numbers)}))
    for number, component in enumerate(explanation.components, start=1):
        label = f"component_{number}"
        code = "sold" if sells and component.code == "energy" else component.code
        name = format_price_part(code, component.name, numbers.language)
        component_figures = {
            "name": SentenceFigure(f"{label}_name", component.name or component.code, "name", name),
            "text": _describe(label, component, numbers),
            "price": _price(f"{label}_price", component.on_day.price, numbers),
        }
        sentences.append(_say("line", numbers, component_figures))
    return sentences


def describe_device_kwh(
    devices: Sequence[DeviceKwh], house_price: float, numbers: Numbers
) -> list[ReasonSentence]:
    """Return the price of each kind of devices, and the rest of its allowances."""
    sentences = []
    for device in devices:
        price = house_price + device.difference
        names = ", ".join(device.names)
        difference = describe_difference(round(device.difference, 6), numbers)
        label = device.devices
        figures = {
            "price": _price(f"{label}_price", price, numbers),
            "difference": SentenceFigure(f"{label}_difference", difference, "name", difference),
            "name": SentenceFigure(f"{label}_name", names, "name", names),
        }
        sentences.append(_say(f"device_{label}", numbers, figures))
        for allowance in device.allowances:
            sentences.append(_say_allowance(label, allowance, price, numbers))
    return sentences


def _say_allowance(
    label: str, allowance: AllowanceLeft, price: float, numbers: Numbers
) -> ReasonSentence:
    until = f"{numbers.day(allowance.ends)}, {numbers.clock(allowance.ends)}"
    limit = _write_amount(allowance.limit, numbers, in_hours=allowance.counts_hours)
    figures = {
        "limit": SentenceFigure(f"{label}_limit", limit, "name", limit),
        "until": SentenceFigure(
            f"{label}_until", _in_iso(allowance.ends, numbers), "instant", until
        ),
        "beyond": _price(f"{label}_beyond", price + allowance.rise, numbers),
    }
    if allowance.left is None:
        return _say("allowance_unmetered", numbers, figures)
    if allowance.is_used_up:
        return _say("allowance_used", numbers, figures)
    left = _write_amount(allowance.left, numbers, in_hours=allowance.counts_hours)
    figures["left"] = SentenceFigure(f"{label}_left", left, "name", left)
    return _say("allowance_left", numbers, figures)


def _write_amount(amount: float, numbers: Numbers, *, in_hours: bool) -> str:
    if in_hours:
        return numbers.hours(amount)
    return numbers.amount(amount)


def describe_unknown_price(
    at: datetime, known_until: datetime | None, numbers: Numbers, *, now: datetime
) -> list[ReasonSentence]:
    """Return the sentences of an unknown price, with the end of the known prices."""
    figures = {"day": _day(at, numbers), "at": _clock(at, numbers)}
    code = "unknown_yet" if at >= now else "unknown"
    sentences = [_say(code, numbers, figures)]
    if known_until is not None:
        text = f"{numbers.day(known_until)}, {numbers.clock(known_until)}"
        until = SentenceFigure("known_until", _in_iso(known_until, numbers), "instant", text)
        sentences.append(_say("known_until", numbers, {"until": until}))
    return sentences


def _say_main(explanation: PriceExplanation, numbers: Numbers) -> ReasonSentence:
    main = explanation.main
    if main is None:
        code = "constant" if explanation.on_day.standing == "constant" else "average"
        return _say(code, numbers, {})
    published = format_published_name(main.name or "", numbers.language)
    name = _REASONS.say(f"name_{main.code}", numbers.language, name=published)
    figures = {
        "name": SentenceFigure("main_name", main.name or main.code, "name", name),
        "text": _describe("main", main, numbers),
        "price": _price("main_price", main.on_day.price, numbers),
    }
    return _say("main", numbers, figures)


def _compare(
    explanation: PriceExplanation, numbers: Numbers, *, sells: bool
) -> Iterator[ReasonSentence]:
    rank = explanation.rank
    if rank is None or explanation.on_day.standing == "constant":
        return
    figures = {"mean": _price("day_mean", explanation.on_day.day_mean, numbers)}
    if sells:
        yield _say("day_mean", numbers, figures)
        return
    place = format_price_rank(
        rank.from_cheapest, rank.from_dearest, count=rank.count, language=numbers.language
    )
    figures["rank"] = SentenceFigure("rank", str(rank.from_cheapest), "name", place)
    yield _say("rank", numbers, figures)


def _describe(label: str, component: ExplainedComponent, numbers: Numbers) -> SentenceFigure:
    """Return a component's price with its cause and its place in the day."""
    parts = [_describe_detail(component, numbers)]
    if component.below_spot is not None:
        parts.append(_phrase("below_spot", numbers, market=component.below_spot))
    parts += _describe_standing(component.on_day, numbers)
    text = ", ".join(parts)
    return SentenceFigure(f"{label}_text", text, "name", text)


def _describe_detail(component: ExplainedComponent, numbers: Numbers) -> str:
    detail = component.detail
    price = _write_price(component.on_day.price, numbers)
    code = detail.code
    figures: dict[str, str] = {"price": price}
    if code in _BY_CLOCK:
        if (detail.from_clock, detail.to_clock) == _WHOLE_DAY:
            code += "_whole_day"
        figures |= {"from": str(detail.from_clock), "to": str(detail.to_clock)}
    if detail.begin is not None and detail.end is not None:
        figures["from"] = numbers.clock(detail.begin)
        figures["to"] = numbers.clock(detail.end)
    if detail.market is not None:
        figures["market"] = detail.market
    if detail.up_to_kwh is not None:
        figures["kwh"] = numbers.amount(detail.up_to_kwh)
    elif code == "block":
        code = "price"
    text = _phrase(f"by_{code}", numbers, **figures)
    limits = []
    if detail.days:
        limits.append(numbers.weekdays(detail.days))
    if detail.months:
        months = language_forms(numbers.language).months
        limits.append(", ".join(months[month - 1] for month in detail.months))
    return f"{text} ({'; '.join(limits)})" if limits else text


def _describe_standing(on_day: PriceOnDay, numbers: Numbers) -> list[str]:
    if on_day.standing == "unknown":
        return []
    mean = _write_price(on_day.day_mean, numbers)
    return [_phrase(f"is_{on_day.standing}", numbers, mean=mean)]


def _say(code: str, numbers: Numbers, figures: Mapping[str, SentenceFigure]) -> ReasonSentence:
    texts = {name: figure.text for name, figure in figures.items()}
    return ReasonSentence(_phrase(code, numbers, **texts), tuple(figures.values()))


def _phrase(code: str, numbers: Numbers, **figures: str) -> str:
    return _REASONS.say(code, numbers.language, **figures)


def _write_price(value: float, numbers: Numbers) -> str:
    return numbers.price(value, decimals=_DECIMALS)


def _price(name: str, value: float, numbers: Numbers) -> SentenceFigure:
    return SentenceFigure(name, value, "price", _write_price(value, numbers))


def _clock(instant: datetime, numbers: Numbers) -> SentenceFigure:
    return SentenceFigure("at", _in_iso(instant, numbers), "instant", numbers.clock(instant))


def _day(instant: datetime, numbers: Numbers) -> SentenceFigure:
    day = instant.astimezone(numbers.zone).date()
    return SentenceFigure("day", day.isoformat(), "instant", numbers.day_with_year(instant))


def _in_iso(instant: datetime, numbers: Numbers) -> str:
    return instant.astimezone(numbers.zone).isoformat()


def _is_other_day(instant: datetime, now: datetime, numbers: Numbers) -> bool:
    zone = numbers.zone
    return instant.astimezone(zone).date() != now.astimezone(zone).date()
