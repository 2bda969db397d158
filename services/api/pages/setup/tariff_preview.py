"""Preview the price of bought energy by hour, as the step Tariff shows it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from luna.energy.economics.typical_prices import expect_typical
from luna.energy.site import OWN_IMPORT, ImportRule, Tariff
from luna.energy.suppliers.products import find_all_in_country
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from luna.words import Language, Numbers
from luna.words.charts.price_day import COLOURS, HOURS, PriceDay, draw_price_day
from luna.words.numbers import say_month
from luna.words.pages import PageWords
from luna.words.published_names import format_published_name
from services.api.pages.setup.composition import (
    compose,
    country_of,
    currency_of,
    is_southern,
)
from services.api.pages.setup.fields import PARTS, PRODUCT

_WEDNESDAY = 2
_SATURDAY = 5
_SLOTS = timedelta(hours=HOURS) // SLOT


class PreviewDay(NamedTuple):
    """A day of the preview: its chart, and the same in words."""

    chart: Markup
    said: str


class TariffPreview(NamedTuple):
    """Prices by hour of a weekday and a Saturday.

    ``keys``: colour and name of each part; ``month``: whose usual market prices they hold, or "";
    ``is_estimate``: whether usual taxes and fees are in them as well.
    """

    days: list[PreviewDay]
    keys: list[tuple[str, str]]
    month: str
    is_estimate: bool = False


def preview_tariff(
    answers: Mapping[str, Any], words: PageWords, language: Language, now: datetime
) -> TariffPreview | None:
    """Return the price by hour of the typed tariff.

    None while it has faults, and where nobody knows its prices beforehand.
    """
    composed = compose(answers)
    if "tariff" not in composed.document:
        return None
    rule = Tariff.model_validate(composed.document["tariff"]).import_
    country = country_of(answers)
    usual_zone = country.timezone if country else "UTC"
    zone = ZoneInfo(composed.document.get("timezone", usual_zone))
    currency = currency_of(answers)
    numbers = Numbers(language, zone, currency)
    first = max(now.astimezone(zone).date(), _begin_of(answers["tariff"]))
    titles = {"preview_weekday": _WEDNESDAY, "preview_saturday": _SATURDAY}
    priced = {}
    for title, weekday in titles.items():
        day = first + timedelta(days=(weekday - first.weekday()) % 7)
        parts = _price_parts(rule, day, zone=zone, currency=currency, southern=is_southern(answers))
        if parts is None:
            return None
        priced[words(title)] = parts
    names: dict[str, None] = {}
    for parts in priced.values():
        names.update(dict.fromkeys(parts))
    nothing = np.zeros(HOURS)
    days = {}
    for title, parts in priced.items():
        days[title] = PriceDay(title, [parts.get(name, nothing) for name in names])
    span = _span(days.values())
    drawn = []
    for title, prices in days.items():
        label = _say_day(title, prices, words, numbers)
        drawn.append(PreviewDay(draw_price_day(prices, numbers, label=label, span=span), label))
    keys = []
    for place, name in enumerate(names):
        keys.append((COLOURS[place % len(COLOURS)], format_published_name(name, language)))
    month = say_month(first, language) if rule.markets else ""
    is_estimate = any(find_all_in_country(market) is not None for market in rule.markets)
    return TariffPreview(drawn, keys, month, is_estimate)


def _begin_of(typed: Mapping[str, str]) -> date:
    """Return the day from which the typed parts hold."""
    text = typed.get("parts_from", "").strip()
    if typed.get("import_kind") not in {PARTS, PRODUCT} or not text:
        return date.min
    return date.fromisoformat(text)


def _price_parts(
    rule: ImportRule, day: date, *, zone: ZoneInfo, currency: str, southern: bool
) -> dict[str, FloatArray] | None:
    """Return the price of each part by hour, with tax; None where it is not known."""
    if rule.reads_own_series:
        return None
    timeline = Timeline(local_midnight(day, zone), SLOT, _SLOTS)
    spot = {}
    for market in rule.markets:
        typical = expect_typical(
            market, timeline, zone=zone, currency=currency, is_southern=southern
        )
        if typical is None:
            return None
        spot[market] = typical.price
    slots = PricedSlots(timeline, zone, spot, OWN_IMPORT)
    parts = {}
    for part in rule.components:
        if part.holds_on(day):
            parts[part.name] = part.gross_price(slots).reshape(HOURS, -1).mean(axis=1)
    return parts


def _span(days: Iterable[PriceDay]) -> tuple[float, float]:
    """Return the lowest and the highest end of the bars of all days."""
    low = 0.0
    high = 0.0
    for prices in days:
        stacked = np.array(prices.parts)
        low = min(low, float(np.minimum(stacked, 0.0).sum(axis=0).min()))
        high = max(high, float(np.maximum(stacked, 0.0).sum(axis=0).max()))
    return low, high


def _say_day(title: str, prices: PriceDay, words: PageWords, numbers: Numbers) -> str:
    total = np.array(prices.parts).sum(axis=0)
    lowest = int(total.argmin())
    highest = int(total.argmax())
    low = numbers.price(float(total[lowest]), decimals=1)
    high = numbers.price(float(total[highest]), decimals=1)
    if low == high:
        return words("preview_flat", day=title, price=low)
    return words(
        "preview_range",
        day=title,
        low=low,
        low_at=f"{lowest:02}:00",
        high=high,
        high_at=f"{highest:02}:00",
    )
