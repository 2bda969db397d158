"""The products that set-up offers, an entry each, and which of them a market belongs to."""

from luna.energy.suppliers.product import SupplierProduct
from luna.energy.suppliers.regions import REGIONS

_BRITISH = tuple(region.letter for region in REGIONS["GB"])
PRODUCTS = (
    SupplierProduct(
        code="octopus-agile",
        called="Octopus Agile",
        markets={"GB": {letter: f"GB-AGILE-{letter}" for letter in _BRITISH}},
        sold_markets={"GB": {letter: f"GB-AGILE-OUTGOING-{letter}" for letter in _BRITISH}},
        is_all_in=True,
    ),
    # In planned dispatches the whole home pays the night's price.
    SupplierProduct(
        code="octopus-intelligent",
        called="Octopus Intelligent Go",
        markets={"GB": {"": "GB-INTELLIGENT"}},
        is_all_in=True,
        key_setting="octopus_token",
    ),
    SupplierProduct(
        code="amber",
        called="Amber",
        markets={"AU": {"": "AU-AMBER"}},
        sold_markets={"AU": {"": "AU-AMBER-FEEDIN"}},
        is_all_in=True,
        key_setting="amber_token",
    ),
    # Rate BESH bills the mean of the hour.
    SupplierProduct(
        code="comed-hourly",
        called="ComEd Hourly Pricing",
        markets={"US": {"": "US-COMED"}},
        billed_minutes=60,
    ),
    SupplierProduct(
        code="tibber",
        called="Tibber",
        markets={country: {"": f"{country}-TIBBER"} for country in ("DE", "NL", "NO", "SE")},
        is_all_in=True,
        key_setting="tibber_token",
    ),
    SupplierProduct(code="ostrom", called="Ostrom", markets={"DE": {"": "DE-LU"}}),
    SupplierProduct(
        code="awattar", called="aWATTar HOURLY", markets={"AT": {"": "AT"}, "DE": {"": "DE-LU"}}
    ),
    SupplierProduct(code="smartenergy", called="smartENERGY", markets={"AT": {"": "AT"}}),
)


def list_products(country: str) -> list[SupplierProduct]:
    """Return the products of a country, ISO 3166."""
    return [product for product in PRODUCTS if country in product.markets]


def find_all_in_country(market: str) -> str | None:
    """Return the country of an all-in market of bought energy, None for other markets."""
    for product in PRODUCTS:
        for country, markets in product.markets.items():
            if product.is_all_in and market in markets.values():
                return country
    return None
