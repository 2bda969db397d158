"""Names of published price parts and products in the reader's language."""

from luna.words.language import Language
from luna.words.phrases import Phrases

_NAMES = Phrases("published_names", "name_")
# Published tariffs and set-up name their parts in English; others are an owner's or an operator's.
PUBLISHED_CODES = {
    "base price": "base_price",
    "C customer": "c_customer",
    "California energy resources surcharge": "california_surcharge",
    "Capacity tariff, digital meter": "digital_capacity",
    "capacity tariff": "capacity_tariff",
    "car tariff": "car_tariff",
    "CHP levy": "chp_levy",
    "E-ELEC, bundled": "e_elec_bundled",
    "E-TOU-D, bundled": "e_tou_d_bundled",
    "EV2-A, bundled": "ev2_a_bundled",
    "Electricity tax": "electricity_tax",
    "electricity tax": "electricity_tax",
    "Electricity tax and Enova": "tax_and_enova",
    "energy": "energy",
    "Energy tax": "energy_tax",
    "Energy tax up to 10,000 kWh a year": "energy_tax_first",
    "Enova levy": "enova_levy",
    "fee": "fee",
    "feed-in": "feed_in",
    "grid fee": "grid_fee",
    "grid loss fee": "grid_loss_fee",
    "heat pump tariff": "heat_pump_tariff",
    "House, up to 63 A": "house_small",
    "Households": "households",
    "Levies of a household": "household_levies",
    "Levies on the grid fee": "grid_levies",
    "Module 3 (§ 14a EnWG)": "module_three",
    "Network level 7, not power-metered, with quarter-hour values": "level_seven",
    "offshore grid levy": "offshore_levy",
    "renewables levy": "renewables_levy",
    "Simple tariff E4 in 2025": "simple_e4",
    "Simple tariff, up to 63 A": "simple_small",
    "special grid use levy": "special_use_levy",
    "state surcharge": "state_surcharge",
    "surcharge": "surcharge",
    "taxes and levies": "taxes_and_levies",
    "Time tariff T4 in 2025": "time_t4",
    "Time tariff, up to 63 A": "time_small",
    "Transmission and system tariff": "system_tariff",
    "VAT on a household's electricity": "household_vat",
}


def format_published_name(name: str, language: Language) -> str:
    """Return a published name in the reader's language, any other as it is."""
    code = PUBLISHED_CODES.get(name)
    return name if code is None else _NAMES.say(code, language)


def format_choice_name(choice: str, language: Language) -> str:
    """Return the choice "operator: product" in the reader's language."""
    operator, colon, product = choice.partition(": ")
    return f"{operator}{colon}{format_published_name(product, language)}"
