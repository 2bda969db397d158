"""Names of published price parts and products in every language."""

from luna.platform.grid_fees.published import list_published
from luna.words.published_names import PUBLISHED_CODES, format_choice_name, format_published_name

# Names of products, the same in every language.
PROPER = {"Energinet tariff"}


def test_every_published_name_is_known_to_the_catalogues() -> None:
    names = set()
    for tariff in list_published():
        for product in tariff.products:
            names |= {product.name, *(part.name for part in product.components)}
    assert names - PROPER - set(PUBLISHED_CODES) == set()


def test_a_name_of_the_owner_stays_and_a_choice_keeps_its_operator() -> None:
    assert format_published_name("Mein Tarif: nachts", "de") == "Mein Tarif: nachts"
    assert format_choice_name("Wiener Netze: grid fee", "de") == "Wiener Netze: Netzentgelt"
