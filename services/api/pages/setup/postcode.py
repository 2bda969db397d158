"""Find by postcode a supplier's region and the grid operator. Pure."""

from collections.abc import Mapping

from luna.energy.suppliers.regions import REGIONS, find_region
from luna.platform.grid_fees.published import list_published
from services.api.pages.setup.price_parts import list_fees


def asks_postcode(country: str) -> bool:
    """Return whether a postcode of the country says anything."""
    with_postcodes = {tariff.country for tariff in list_published() if tariff.postcodes}
    return country in REGIONS or country in with_postcodes


def suggest_by_postcode(typed: Mapping[str, str], country: str) -> dict[str, str]:
    """Return the fields that were left empty and follow from the typed postcode."""
    choices = _find_choices(typed.get("postcode", ""), country)
    return {name: text for name, text in choices.items() if not typed.get(name)}


def name_place(postcode: str, country: str) -> str:
    """Return the region or operator of a postcode, "" where it is not known."""
    region = find_region(country, postcode)
    if region is not None:
        return region.name
    return _find_operator(postcode, country)


def follow_postcode(
    before: Mapping[str, str], typed: Mapping[str, str], country: str
) -> dict[str, str]:
    """Return the typed fields without those that followed from another postcode before."""
    followed = dict(typed)
    postcode = before.get("postcode", "")
    if typed.get("postcode", "") == postcode:
        return followed
    for name, text in _find_choices(postcode, country).items():
        if typed.get(name) == text:
            followed[name] = ""
    return followed


def _find_choices(postcode: str, country: str) -> dict[str, str]:
    choices = {}
    region = find_region(country, postcode)
    if region is not None:
        choices["product_area"] = region.letter
    operator = _find_operator(postcode, country)
    fees = [choice for choice, fee in list_fees(country).items() if fee[0].operator == operator]
    # An operator with several products leaves the choice to the owner.
    if len(fees) == 1:
        choices["fee_published"] = fees[0]
    return choices


def _find_operator(postcode: str, country: str) -> str:
    beginning = postcode.strip().upper()
    for tariff in list_published():
        if tariff.country == country and beginning.startswith(tariff.postcodes):
            return tariff.operator
    return ""
