"""A site in one sentence: household, roof, battery, tariff."""

from typing import Protocol

from luna.site import BlockPrice, FixedPrice, ImportRule, PriceRule, SeriesPrice, Site, SpotPrice
from luna.wording import Numbers
from services.cli.report.texts import TEXTS


class Described(Protocol):
    """A site with what its household uses in a year, where that is known."""

    @property
    def site(self) -> Site:
        """The site."""

    @property
    def yearly_load_kwh(self) -> float | None:
        """What the household uses in a year."""


def describe_site(result: Described, numbers: Numbers) -> str:
    """Return "Household 4,000 kWh a year, 6 kWp solar, 10 kWh battery, hourly NL prices + 13 ct, selling at 7 ct."."""
    words, site = TEXTS[numbers.language], result.site
    parts = []
    if result.yearly_load_kwh is not None:
        parts.append(words["household"].format(load=f"{numbers.number(result.yearly_load_kwh)}\u00a0kWh"))
    if site.pv:
        parts.append(words["solar"].format(peak=_short(sum(array.peak_kw for array in site.pv), numbers)))
    if site.batteries:
        capacity = sum(battery.capacity_kwh for battery in site.batteries)
        parts.append(words["battery"].format(capacity=f"{_short(capacity, numbers)}\u00a0kWh"))
    parts += [_say_import(site.tariff.import_, numbers), _say_export(site.tariff.export, numbers)]
    return ", ".join(parts) + "."


def _short(value: float, numbers: Numbers) -> str:
    return numbers.number(value, 0 if value == round(value) else 1)


def _say_import(rule: ImportRule, numbers: Numbers) -> str:
    words = TEXTS[numbers.language]
    if isinstance(rule, SpotPrice):
        return words["spot"].format(market=rule.market, markup=numbers.price(rule.markup))
    if isinstance(rule, SeriesPrice):
        return words["own_prices"]
    if isinstance(rule, BlockPrice):
        return words["blocks"].format(price=numbers.price(rule.blocks[0].price))
    return words["fixed"].format(price=numbers.price(rule.price)) if isinstance(rule, FixedPrice) else words["time_of_use"]


def _say_export(rule: PriceRule, numbers: Numbers) -> str:
    words = TEXTS[numbers.language]
    if isinstance(rule, SpotPrice):
        return words["export_spot"]
    if isinstance(rule, SeriesPrice):
        return words["export_own_prices"]
    return words["export_fixed"].format(price=numbers.price(rule.price)) if isinstance(rule, FixedPrice) else words["export_time_of_use"]
