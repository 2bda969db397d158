"""Descriptions of a price's components, a line each, and of base charges."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from luna.energy.site import BaseCharge
from luna.energy.tariffs.allowance import AllowanceComponent
from luna.energy.tariffs.blocks import BlockComponent
from luna.energy.tariffs.calendar import (
    WEEKDAYS,
    CalendarComponent,
    CalendarTimes,
    CalendarWindow,
)
from luna.energy.tariffs.component import Component, Dated
from luna.energy.tariffs.components import SumOfComponents
from luna.energy.tariffs.device_price import DevicePrice
from luna.energy.tariffs.fixed import FixedComponent
from luna.energy.tariffs.plant_size import PlantSizeComponent
from luna.energy.tariffs.series import SeriesComponent
from luna.energy.tariffs.spot import SpotComponent
from luna.words.language import language_forms
from luna.words.numbers import EN_DASH, NBSP, Numbers, say_date
from luna.words.phrases import Phrases
from luna.words.published_names import format_published_name

_PART = Phrases("tariffs", "part_")
_BILLED = {30: "billed_30", 60: "billed_60"}
_WEEKDAYS = {"weekday": range(5), "weekend": range(5, 7)}


def describe_components(rule: SumOfComponents, numbers: Numbers) -> list[str]:
    """Return a line per component of a price, as "grid fee: 11.3 ct/kWh at any time"."""
    lines = []
    for part in rule.components:
        name = format_published_name(part.name, numbers.language)
        lines.append(f"{name}: {_say_component(part, numbers)}")
    return lines


def describe_base_charges(
    charges: Sequence[BaseCharge], numbers: Numbers, *, heading: str = ""
) -> list[str]:
    """Return a line for each base charge; one named as the heading is not named again."""
    lines = []
    for charge in charges:
        amount = numbers.money(charge.price)
        said = [_PART.say(f"base_{charge.per}", numbers.language, amount=amount)]
        said += _say_terms(charge, charge.vat, numbers)
        terms = ", ".join(said)
        name = format_published_name(charge.name, numbers.language)
        lines.append(terms if name == heading else f"{name}: {terms}")
    return lines


def describe_device_prices(prices: Sequence[DevicePrice], numbers: Numbers) -> list[str]:
    """Return a line for each price of devices, beside that of the house."""
    lines = []
    for price in prices:
        said = [_say_device_window(price, numbers), *_say_device_limit(price, numbers)]
        said += _say_terms(price, price.vat, numbers)
        name = format_published_name(price.name, numbers.language)
        lines.append(f"{name}: {', '.join(said)}")
    return lines


def _say_device_window(price: DevicePrice, numbers: Numbers) -> str:
    is_always = (price.from_, price.to) == ("00:00", "24:00")
    code = "device_always" if is_always else "device"
    within = _PART.say(
        code,
        numbers.language,
        devices=_PART.say(f"device_{price.devices}", numbers.language),
        difference=describe_difference(price.per_kwh(price.price), numbers),
        begin=price.from_,
        end=price.to,
    )
    return within + _say_limits(price, numbers)


def _say_device_limit(price: DevicePrice, numbers: Numbers) -> list[str]:
    """Return a day's limit with the price beyond it, and the price outside the window."""
    language = numbers.language
    said = []
    beyond = describe_difference(price.per_kwh(price.price_beyond), numbers)
    if price.kwh_per_day is not None:
        decimals = 0 if price.kwh_per_day.is_integer() else 1
        kwh = f"{numbers.number(price.kwh_per_day, decimals)}{NBSP}kWh"
        said.append(_PART.say("device_limit", language, limit=kwh))
    elif price.hours_per_day is not None:
        hours = numbers.hours(price.hours_per_day)
        said.append(_PART.say("device_limit", language, limit=hours))
    if price.has_limit:
        said.append(_PART.say("beyond", language, price=beyond))
        said.append(_PART.say("device_anew", language, clock=price.day_begins))
    if price.price_outside is not None:
        outside = describe_difference(price.per_kwh(price.price_outside), numbers)
        said.append(_PART.say("else", language, price=outside))
    return said


def describe_difference(added: float, numbers: Numbers) -> str:
    """Return the difference to the house's price per kWh."""
    if not added:
        return _PART.say("device_same", numbers.language)
    code = "device_less" if added < 0 else "device_more"
    return _PART.say(code, numbers.language, price=_say_price(abs(added), numbers))


def _say_component(part: Component, numbers: Numbers) -> str:
    said = [_SAYERS[type(part)](part, numbers)]
    said += _say_terms(part, part.vat, numbers)
    if part.zero_below_spot is not None:
        said.append(_PART.say("zero_below", numbers.language, market=part.zero_below_spot))
    return ", ".join(said)


def _say_terms(part: Dated, vat: float, numbers: Numbers) -> list[str]:
    """Return the added tax, and the first and last day of validity."""
    language = numbers.language
    said = []
    if vat:
        decimals = 0 if round(vat * 100, 6).is_integer() else 1
        said.append(_PART.say("vat", language, vat=numbers.share(vat, decimals)))
    if part.valid_from is not None:
        said.append(_PART.say("from", language, day=say_date(part.valid_from, language)))
    if part.valid_to is not None:
        last: date = part.valid_to - timedelta(days=1)
        said.append(_PART.say("until", language, day=say_date(last, language)))
    return said


def _say_fixed(part: FixedComponent, numbers: Numbers) -> str:
    price = _say_price(part.per_kwh(part.price), numbers)
    return _PART.say("fixed", numbers.language, price=price)


def _say_spot(part: SpotComponent, numbers: Numbers) -> str:
    said = _PART.say("spot", numbers.language, market=part.market)
    if part.factor != 1:
        factor = f"{numbers.number(part.factor, 2)}"
        said = _PART.say("spot_factor", numbers.language, market=part.market, factor=factor)
    if part.is_averaged:
        said += ", " + _PART.say(_BILLED[part.billing_minutes], numbers.language)
    return said


def _say_calendar(part: CalendarComponent, numbers: Numbers) -> str:
    windows = [_say_window(part, window, numbers) for window in part.windows]
    price = _say_price(part.per_kwh(part.price), numbers)
    return ", ".join([*windows, _PART.say("else", numbers.language, price=price)])


def _say_window(part: CalendarComponent, window: CalendarWindow, numbers: Numbers) -> str:
    price = _say_price(part.per_kwh(window.price), numbers)
    said = _PART.say("window", numbers.language, price=price, begin=window.from_, end=window.to)
    return said + _say_limits(window, numbers)


def _say_limits(window: CalendarTimes, numbers: Numbers) -> str:
    """Return the days and months of a window in brackets; "" where it holds on all."""
    limits = [_say_days(window, numbers), _say_months(window.months, numbers)]
    texts = [text for text in limits if text]
    return f" ({', '.join(texts)})" if texts else ""


def _say_days(window: CalendarTimes, numbers: Numbers) -> str:
    if window.days == "all":
        return ""
    if isinstance(window.days, str):
        return numbers.weekdays(_WEEKDAYS[window.days])
    return numbers.weekdays(sorted(WEEKDAYS.index(day) for day in window.days))


def _say_months(months: Sequence[int], numbers: Numbers) -> str:
    """Return months as runs, over the turn of the year as well: "Oct–Mar"."""
    in_order = sorted(set(months))
    if len(in_order) in {0, 12}:
        return ""
    runs = [[in_order[0]]]
    for before, month in pairwise(in_order):
        if month == before + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    if len(runs) > 1 and runs[0][0] == 1 and runs[-1][-1] == 12:
        runs[0] = runs.pop() + runs[0]
    names = language_forms(numbers.language).months
    texts = []
    for run in runs:
        first = names[run[0] - 1]
        last = names[run[-1] - 1]
        texts.append(first if first == last else f"{first}{EN_DASH}{last}")
    return ", ".join(texts)


def _say_series(_: Component, numbers: Numbers) -> str:
    return _PART.say("series", numbers.language)


def _say_blocks(part: BlockComponent, numbers: Numbers) -> str:
    said = []
    for block in part.blocks:
        price = _say_price(part.per_kwh(block.price), numbers)
        if block.up_to_kwh is None:
            said.append(_PART.say("else", numbers.language, price=price))
        else:
            kwh = f"{numbers.number(block.up_to_kwh)}{NBSP}kWh"
            said.append(_PART.say("block", numbers.language, price=price, kwh=kwh))
    return ", ".join(said)


def _say_allowance(part: AllowanceComponent, numbers: Numbers) -> str:
    decimals = 0 if part.kwh_per_day.is_integer() else 1
    within = _PART.say(
        "allowance",
        numbers.language,
        price=_say_price(part.per_kwh(part.price), numbers),
        kwh=f"{numbers.number(part.kwh_per_day, decimals)}{NBSP}kWh",
        begin=part.from_,
        end=part.to,
    )
    said = [within + _say_limits(part, numbers)]
    beyond = _say_price(part.per_kwh(part.price_beyond), numbers)
    said.append(_PART.say("beyond", numbers.language, price=beyond))
    if part.price_outside is not None:
        outside = _say_price(part.per_kwh(part.price_outside), numbers)
        said.append(_PART.say("else", numbers.language, price=outside))
    return ", ".join(said)


def _say_plant(part: PlantSizeComponent, numbers: Numbers) -> str:
    price = _say_price(part.price, numbers)
    return _PART.say("plant", numbers.language, price=price, kw=numbers.power(part.plant_kw))


def _say_price(value: float, numbers: Numbers) -> str:
    """Return a price with as many decimals as it needs, one to three: "11.3 ct", "0.446 ct"."""
    scale, _ = numbers.price_unit
    shown = value * scale
    for decimals in (1, 2):
        if abs(round(shown, decimals) - shown) < 1e-9:
            return numbers.price(value, decimals=decimals)
    return numbers.price(value, decimals=3)


_SAYERS: Mapping[type[Component], Callable[[Any, Numbers], str]] = {
    FixedComponent: _say_fixed,
    CalendarComponent: _say_calendar,
    SpotComponent: _say_spot,
    SeriesComponent: _say_series,
    BlockComponent: _say_blocks,
    AllowanceComponent: _say_allowance,
    PlantSizeComponent: _say_plant,
}
