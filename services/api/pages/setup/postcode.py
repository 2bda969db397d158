"""Find by postcode a supplier's region and the grid operator. Pure."""

from collections.abc import Mapping

from luna.energy.suppliers.regions import REGIONS, find_region
from luna.platform.grid_fees.postcode_table import PostcodeRow, find_row, has_table
from luna.words.pages import PageWords
from services.api.pages.setup.price_parts import list_fees


def asks_postcode(country: str) -> bool:
    """Return whether a postcode of the country says anything."""
    return country in REGIONS or has_table(country)


def suggest_by_postcode(typed: Mapping[str, str], country: str) -> dict[str, str]:
    """Return the fields that were left empty and follow from the typed postcode."""
    choices = _find_choices(typed.get("postcode", ""), country)
    return {name: text for name, text in choices.items() if not typed.get(name)}


def describe_place(postcode: str, country: str, words: PageWords) -> str:
    """Return what is known of a postcode as a sentence, "" where none is typed."""
    if not postcode:
        return ""
    region = find_region(country, postcode)
    if region is not None:
        return words("postcode_found", place=region.name)
    row = find_row(country, postcode)
    if row is None:
        return words("postcode_unknown")
    if row.operator is None:
        return words("postcode_several", places=", ".join(row.operators))
    code = "postcode_found" if _list_fees_of(row, country) else "postcode_without_fee"
    return words(code, place=row.operator)


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
    row = find_row(country, postcode)
    fees = [] if row is None else _list_fees_of(row, country)
    # An operator with several products leaves the choice to the owner.
    if len(fees) == 1:
        choices["fee_published"] = fees[0]
    return choices


def _list_fees_of(row: PostcodeRow, country: str) -> list[str]:
    """Return the choices of the fees that are charged at a postcode of one operator."""
    if row.operator is None:
        return []
    charged = row.fees_of or row.operator
    return [choice for choice, fee in list_fees(country).items() if fee[0].operator == charged]
