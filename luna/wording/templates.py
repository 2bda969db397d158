"""Every reason and every limit that has words."""

from luna.wording.battery_reasons import BOUND
from luna.wording.numbers import Language
from luna.wording.placed import PLACED
from luna.wording.trade_reasons import TRADE
from luna.wording.words import Words

WORDS: dict[str, Words] = BOUND | TRADE | PLACED
# By code and language: the full wordings, in order of preference.
REASONS: dict[str, dict[Language, tuple[str, ...]]] = {code: {"en": words.en, "de": words.de} for code, words in WORDS.items()}

LIMITS: dict[str, dict[Language, str]] = {
    "battery_full": {"en": "battery full", "de": "Batterie voll"},
    "battery_empty": {"en": "battery at its lowest charge", "de": "Batterie am unteren Ladestand"},
    "reserve": {"en": "reserve", "de": "Reserve"},
    "charge_power": {"en": "charging power", "de": "Ladeleistung"},
    "discharge_power": {"en": "discharging power", "de": "Entladeleistung"},
    "import_limit": {"en": "grid import limit", "de": "Grenze des Netzbezugs"},
    "export_limit": {"en": "feed-in limit", "de": "Grenze der Einspeisung"},
    "grid_charging_forbidden": {"en": "no charging from the grid", "de": "kein Laden aus dem Netz"},
    "grid_discharging_forbidden": {"en": "no battery energy to the grid", "de": "kein Batteriestrom ins Netz"},
    "peak": {"en": "the month's peak", "de": "Spitze des Monats"},
    "inverter_limit": {"en": "inverter's limit", "de": "Grenze des Wechselrichters"},
    "curtailment": {"en": "solar held back", "de": "Solarstrom abgeregelt"},
}
