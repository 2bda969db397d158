"""What Home Assistant shows of a site: the name of each entity, and what stands where nothing overrides the plan."""

from luna.words.devices import DEVICE_WORDS, merge
from luna.words.numbers import Language

Names = dict[Language, str]

# By key; ``{device}`` is a device's own name.
ENTITIES: dict[str, Names] = {
    "planned_mode": {"en": "Planned mode", "de": "Geplante Betriebsart"},
    "actual_mode": {"en": "Actual mode", "de": "Tatsächliche Betriebsart"},
    "next_action": {"en": "Next action", "de": "Nächste Handlung"},
    "next_action_at": {"en": "Next action at", "de": "Nächste Handlung um"},
    "energy_value": {"en": "Value of stored energy", "de": "Wert der gespeicherten Energie"},
    "cost_today": {"en": "Energy cost today", "de": "Energiekosten heute"},
    "cost_tomorrow": {"en": "Energy cost tomorrow", "de": "Energiekosten morgen"},
    "saved_today": {"en": "Saved today", "de": "Heute gespart"},
    "saved_yesterday": {"en": "Saved yesterday", "de": "Gestern gespart"},
    "load_today": {"en": "Consumption today", "de": "Verbrauch heute"},
    "load_tomorrow": {"en": "Consumption tomorrow", "de": "Verbrauch morgen"},
    "pv_today": {"en": "Solar production today", "de": "Solarertrag heute"},
    "pv_tomorrow": {"en": "Solar production tomorrow", "de": "Solarertrag morgen"},
    "plan_age": {"en": "Plan age", "de": "Alter des Plans"},
    "plan_soc": {"en": "Planned state of charge", "de": "Geplanter Ladestand"},
    "plan_battery": {"en": "Planned battery power", "de": "Geplante Batterieleistung"},
    "plan_grid": {"en": "Planned grid power", "de": "Geplante Netzleistung"},
    "plan_load": {"en": "Planned consumption", "de": "Geplanter Verbrauch"},
    "plan_pv": {"en": "Planned solar power", "de": "Geplante Solarleistung"},
    **merge(words.entities for words in DEVICE_WORDS.values()),
    "import_price": {"en": "Import price", "de": "Bezugspreis"},
    "export_price": {"en": "Export price", "de": "Einspeisepreis"},
    "problem": {"en": "Problem", "de": "Problem"},
    "refusal": {"en": "Last refusal", "de": "Letzte Ablehnung"},
    "armed": {"en": "Armed", "de": "Scharf geschaltet"},
    "vacation": {"en": "Vacation", "de": "Urlaub"},
    "plan_now": {"en": "Plan now", "de": "Jetzt planen"},
    "override": {"en": "Override", "de": "Übersteuern"},
    "override_hours": {"en": "Override for", "de": "Übersteuern für"},
    "override_until": {"en": "Override until", "de": "Übersteuert bis"},
}
# What a select says while the plan is followed.
FOLLOW_PLAN: Names = {"en": "Follow the plan", "de": "Dem Plan folgen"}
