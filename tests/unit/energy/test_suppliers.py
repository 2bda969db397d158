"""Regions and products of suppliers, as set-up offers them."""

from collections import Counter

import pytest

from luna.energy.suppliers.products import PRODUCTS, find_all_in_country
from luna.energy.suppliers.regions import REGIONS, find_region


def test_no_postcode_area_lies_in_two_regions() -> None:
    for country, regions in REGIONS.items():
        counted = Counter(area for region in regions for area in region.postcode_areas)
        assert [area for area, count in counted.items() if count > 1] == [], country
        assert len({region.letter for region in regions}) == len(regions)


@pytest.mark.parametrize(
    ("postcode", "name"),
    [
        ("EC1A 1BB", "London"),
        ("SW1A1AA", "London"),
        ("M1 1AE", "North West England"),
        ("G2 8DL", "South Scotland"),
        ("  eh1  1yz", "South Scotland"),
        ("CF10", "South Wales"),
        # Glasgow's area has a district in the north.
        ("G63 0AA", None),
        ("BT1 1AA", None),
        ("E", None),
    ],
)
def test_a_postcode_is_in_a_region_where_that_is_certain(postcode: str, name: str | None) -> None:
    region = find_region("GB", postcode)
    assert (region and region.name) == name
    assert find_region("DE", postcode) is None


def test_only_what_is_bought_all_in_has_taxes_and_fees_in_it() -> None:
    assert find_all_in_country("GB-AGILE-C") == "GB"
    assert find_all_in_country("NO-TIBBER") == "NO"
    for market in (
        "GB-AGILE-OUTGOING-C",
        "AU-AMBER-FEEDIN",
        "US-COMED",
        "DE-LU",
        "own:import_price",
    ):
        assert find_all_in_country(market) is None


def test_products_have_codes_and_names_of_their_own() -> None:
    assert len({product.code for product in PRODUCTS}) == len(PRODUCTS)
    assert len({product.called for product in PRODUCTS}) == len(PRODUCTS)
